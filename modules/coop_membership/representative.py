# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.pyson import Eval, If

from .document import PartMixin, SearchMixin


class Representative(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.representative'
    __string__ = "Member Representative"
    _document = 'member'
    _search_names = ('party.rec_name', 'member.rec_name')

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    party = fields.Many2One('party.party', "Party", required=True,
        ondelete='RESTRICT',
        context={
            'company': Eval('_parent_member', {}).get('company', -1),
            },
        depends={'member'})
    role = fields.Selection([
            ('legal_representative', "Legal Representative"),
            ('guardian', "Guardian"),
            ('heir', "Heir"),
            ('agent', "Agent"),
            ('contact', "Contact"),
            ], "Role", required=True, sort=False)
    role_string = role.translated('role')
    start_date = fields.Date("Start Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ])
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('member')
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.start_date == Null) | (t.end_date == Null)
                    | (t.start_date <= t.end_date)),
                'coop_membership.msg_representative_dates'),
            ]
        cls._order.insert(0, ('start_date', 'DESC NULLS LAST'))

    def get_rec_name(self, name):
        return f'{self.party.rec_name} @ {self.member.rec_name}'

    @property
    def is_legal(self):
        return self.role in {'legal_representative', 'guardian'}

    def is_valid(self, date):
        return ((not self.start_date or self.start_date <= date)
            and (not self.end_date or self.end_date >= date))
