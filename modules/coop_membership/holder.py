# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import inactive_records

from .date import context_date
from .member_party import MemberPartyMixin, valid


class Holder(MemberPartyMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.holder'
    __string__ = "Joint Holder"


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
        positive = operator.removeprefix('not ')
        if (positive not in {'like', 'ilike'} or not operand
                or ', ' not in operand):
            return super().search_rec_name(name, clause)
        # The names of several holders
        domain = ['OR',
            super().search_rec_name(name, (name, positive, operand, *extra)),
            ['AND', *(
                    ['OR',
                        ('party.rec_name', positive, f'%{part}%'),
                        ('holders.party.rec_name', positive, f'%{part}%'),
                        ]
                    for part in operand.strip('%').split(', '))],
            ]
        if positive == operator:
            return domain
        with inactive_records():
            return [('id', 'not in', cls.search(
                        domain, order=[], query=True))]

    def holders_at(self, date):
        "Return the parties who hold the membership at the date"
        return [self.party, *(h.party for h in valid(self.holders, date))]

    @property
    def names(self):
        "The names of all who hold the membership"
        return ', '.join(p.name or p.rec_name for p in self.holders_at(
                context_date()))
