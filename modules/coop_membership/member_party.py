# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, fields
from trytond.pyson import Eval, If

from .document import PartMixin, SearchMixin
from .exceptions import MemberValidationError

__all__ = ['MemberPartyMixin', 'valid']


def valid(records, date):
    "Return those of the records that are in force at the date, in order"
    return sorted(
        (r for r in records if r.is_valid(date)), key=lambda r: r.id)


class MemberPartyMixin(SearchMixin, PartMixin):
    "A party that belongs to a member for some time"
    __slots__ = ()
    _document = 'member'
    _search_names = ('party.rec_name', 'member.rec_name')
    # Whether it is only one for the member at a time, and not the member
    _once = True

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    party = fields.Many2One('party.party', "Party", required=True,
        ondelete='RESTRICT',
        context={
            'company': Eval('_parent_member', {}).get('company', -1),
            },
        depends={'member'})
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
                'coop_membership.msg_member_party_dates'),
            ]
        cls._order = [
            ('start_date', 'ASC NULLS FIRST'),
            ('id', 'ASC'),
            ]

    def get_rec_name(self, name):
        return f'{self.party.rec_name} @ {self.member.rec_name}'

    def is_valid(self, date):
        return ((not self.start_date or self.start_date <= date)
            and (not self.end_date or self.end_date >= date))

    @classmethod
    def validate_fields(cls, records, field_names):
        super().validate_fields(records, field_names)
        for record in records if cls._once else []:
            others = cls.search([
                    ('member', '=', record.member.id),
                    ('party', '=', record.party.id),
                    ('id', '!=', record.id),
                    ['OR',
                        ('end_date', '=', None),
                        ('end_date', '>=', record.start_date),
                        ] if record.start_date else [],
                    ['OR',
                        ('start_date', '=', None),
                        ('start_date', '<=', record.end_date),
                        ] if record.end_date else [],
                    ], limit=1)
            if others or record.party == record.member.party:
                raise MemberValidationError(gettext(
                        'coop_membership.msg_member_party_twice',
                        party=record.party.rec_name,
                        member=record.member.rec_name))
