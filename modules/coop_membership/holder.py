# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval

from .date import context_date, format_date
from .exceptions import MemberValidationError
from .member_party import MemberPartyMixin, valid
from .period import DAY


class Holder(MemberPartyMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.holder'
    __string__ = "Joint Holder"

    @classmethod
    def validate_fields(cls, holders, field_names):
        super().validate_fields(holders, field_names)
        cls._check_survivors({h.member.id for h in holders})

    @classmethod
    def on_write(cls, holders, values):
        methods = super().on_write(holders, values)
        if 'member' in values:
            members = {h.member.id for h in holders}
            methods.append(lambda: cls._check_survivors(members))
        return methods

    @classmethod
    def on_delete(cls, holders):
        members = {h.member.id for h in holders}
        return super().on_delete(holders) + [
            lambda: cls._check_survivors(members)]

    @classmethod
    def _check_survivors(cls, members):
        Member = Pool().get('coop.member')
        Member.check_survivors(Member.browse(list(members)))


class HolderMixin:
    "Hold a membership together: one number and one vote, all on each paper"
    __slots__ = ()

    holders = fields.One2Many(
        'coop.member.holder', 'member', "Joint Holders",
        states={
            'invisible': (
                ~Eval('joint_members', False) & ~Eval('holders', [0])),
            },
        help="Who holds the membership together with the party.")
    party_end_date = fields.Date("Held by the Party until",
        states={
            'invisible': (
                ~Eval('holders', [0]) & ~Eval('party_end_date', None)),
            },
        help="The last day on which the party holds the membership, which "
        "the joint holders then keep with its number and its shares.\n"
        "Leave empty as long as the party holds it.")
    joint_members = fields.Function(
        fields.Boolean("Joint Members"), 'on_change_with_joint_members')

    @fields.depends('company')
    def on_change_with_joint_members(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'joint_members', company=self.company.id)

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        domain = super().search_rec_name(name, clause)
        positive = operator.removeprefix('!').removeprefix('not ')
        found = cls._search_holders(positive, operand, *extra)
        if not found:
            return domain
        elif positive == operator:
            return ['OR', domain, ('id', 'in', found)]
        return [domain, ('id', 'not in', found)]

    @classmethod
    def _search_holders(cls, operator, operand, *extra):
        """Return the ids of the members found by the names of their holders

        Not as a part of the query, which would be too deep for SQLite.
        """
        Holder = Pool().get('coop.member.holder')
        found = {
            h.member.id for h in Holder.search([
                    ('party.rec_name', operator, operand, *extra)])}
        if operator in {'like', 'ilike'} and ', ' in (operand or ''):
            # The names of all of them
            text = operand.strip('%').casefold()
            found.update(
                h.member.id for h in Holder.search([
                        ['OR', *(
                                ('party.rec_name', operator, f'%{part}%')
                                for part in operand.strip('%').split(', '))],
                        ])
                if text in h.member.rec_name.casefold())
        return list(found)

    def holders_at(self, date):
        """Return the parties who hold the membership at the date

        The survivors, once the party does not any more.
        """
        holders = [h.party for h in valid(self.holders, date)]
        if holders and self.party_end_date and date > self.party_end_date:
            return holders
        return [self.party, *holders]

    @classmethod
    def check_survivors(cls, members, field_names=None):
        "Check that somebody holds the membership when the party does no more"
        if field_names and not field_names & {'party_end_date', 'holders'}:
            return
        for member in members:
            if member.party_end_date and not valid(
                    member.holders, member.party_end_date + DAY):
                raise MemberValidationError(gettext(
                        'coop_membership.msg_member_no_survivor',
                        member=member.rec_name,
                        date=format_date(member.party_end_date)))

    @property
    def names(self):
        "The names of all who hold the membership"
        return ', '.join(p.name or p.rec_name for p in self.holders_at(
                context_date()))
