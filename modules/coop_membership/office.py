# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from sql import Null

from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Date, Eval, If
from trytond.transaction import Transaction

from .document import SearchMixin

ROLES = [
    (None, ""),
    ('chair', "Chair"),
    ('vice_chair', "Vice Chair"),
    ('board', "Board"),
    ('supervisory', "Supervisory Board"),
    ('manager', "Manager"),
    ('secretary', "Secretary"),
    ('treasurer', "Treasurer"),
    ('auditor', "Auditor"),
    ('liquidator', "Liquidator"),
    ('other', "Other"),
    ]


class Office(SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.office'
    __string__ = "Office"
    _search_names = ('party.rec_name', 'title')

    company = fields.Many2One('company.company', "Company", required=True)
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    role = fields.Selection(ROLES[1:], "Role", required=True, sort=False)
    role_string = role.translated('role')
    title = fields.Char("Title",
        help="What the statutes call the office.\n"
        "Leave empty if it is the role.")
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ],
        help="The first day of the office.")
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The last day of the office.")
    item = fields.Many2One(
        'coop.meeting.item', "Elected by", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'information'),
            ],
        help="The item of the agenda that elected or appointed the party.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_membership.msg_office_dates'),
            ]
        cls._order = [
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @property
    def name(self):
        return self.title or self.role_string

    def get_rec_name(self, name):
        return f'{self.name}: {self.party.rec_name}'

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('end_date', None)
                    & (Eval('end_date', Date()) < Date()),
                    'muted', ''),
                ['end_date']),
            ]

    @classmethod
    def at_date(cls, company, date, parties=None):
        "Return the offices of the company that are held on the day"
        domain = [
            ('company', '=', company.id),
            ('start_date', '<=', date),
            ['OR',
                ('end_date', '=', None),
                ('end_date', '>=', date),
                ],
            ]
        if parties is not None:
            domain.append(('party', 'in', [p.id for p in parties]))
        return cls.search(
            domain, order=[('start_date', 'ASC'), ('id', 'ASC')])

    @classmethod
    def take(cls, items):
        """Let those whom the items of the agenda have elected take the office

        Who is elected again holds the old one until the day before, and whom
        two items elect holds it once, until the later day.
        """
        offices, ended = {}, []
        for item in items:
            meeting = item.meeting
            if not item.role:
                continue
            elected = item.elected_parties
            for office in cls.at_date(
                    meeting.company, meeting.date, parties=elected):
                if (office.role == item.role
                        and office.start_date < meeting.date):
                    office.end_date = meeting.date - dt.timedelta(1)
                    ended.append(office)
            for party in elected:
                key = meeting, party, item.role, item.office_title
                if key not in offices:
                    offices[key] = cls(
                        company=meeting.company, party=party, role=item.role,
                        title=item.office_title, start_date=meeting.date,
                        end_date=item.office_end, item=item)
                elif offices[key].end_date and (
                        not item.office_end
                        or item.office_end > offices[key].end_date):
                    offices[key].end_date = item.office_end
        cls.save(ended + list(offices.values()))

    @classmethod
    def copy(cls, offices, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('item', None)
        return super().copy(offices, default=default)


def offices_held(members):
    "Yield the members with the offices that they still hold"
    Office = Pool().get('coop.member.office')
    by_company = {}
    for member in members:
        by_company.setdefault(member.company, {})[member.party] = member
    for company, parties in by_company.items():
        for office in Office.search([
                    ('company', '=', company.id),
                    ('party', 'in', [p.id for p in parties]),
                    ]):
            member = parties[office.party]
            exit_date = (
                member.memberships[-1].end_date if member.memberships
                else None)
            if not office.end_date or (
                    exit_date and office.end_date > exit_date):
                yield member, office
