# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.pyson import Bool, Eval

from .exceptions import OutputError


class OutputUserMixin(SearchMixin):
    "Who takes part: a member, a non-member or the cooperative itself"
    __slots__ = ()
    _search_names = (
        'member.rec_name', 'party.rec_name', 'cost_center.rec_name')

    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('party')) | Bool(Eval('cost_center')),
            'required': ~Eval('party') & ~Eval('cost_center'),
            })
    party = fields.Many2One(
        'party.party', "Non-member", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        states={
            'invisible': Bool(Eval('member')) | Bool(Eval('cost_center')),
            'required': ~Eval('member') & ~Eval('cost_center'),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        states={
            'invisible': Bool(Eval('member')) | Bool(Eval('party')),
            'required': ~Eval('member') & ~Eval('party'),
            },
        help="The analytic account of the cooperative itself that takes "
        "part.")

    @classmethod
    def validate_fields(cls, records, field_names):
        super().validate_fields(records, field_names)
        if field_names is None or field_names & {
                'member', 'party', 'cost_center'}:
            for record in records:
                if sum(map(bool, record.key)) != 1:
                    raise OutputError(gettext(
                            'coop_commons_output.msg_output_user'))

    @property
    def user(self):
        return self.member or self.party or self.cost_center

    @property
    def key(self):
        "The user as a key that can be sorted"
        return tuple(
            u.id if u else 0
            for u in (self.member, self.party, self.cost_center))


def set_user(record, key):
    record.member, record.party, record.cost_center = (
        id_ or None for id_ in key)
