# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import groupby

from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, DeactivableMixin, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from .allocated_year import changed_days
from .exceptions import ReassignmentValidationError
from .part import is_part


class Reassignment(SearchMixin, DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.reassignment'
    __string__ = "Patronage Reassignment"
    _search_names = ('party.rec_name', 'to_party.rec_name')

    company = fields.Many2One('company.company', "Company", required=True)
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Whose activity counts for others.")
    to_party = fields.Many2One(
        'party.party', "To Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="For whom the activity counts.")
    share = fields.Numeric("Share", required=True,
        domain=[
            ('share', '>', 0),
            ('share', '<=', 1),
            ],
        help="The part of the activity.\n"
        "The shares of a party must sum to 100 % on each day.")
    start_date = fields.Date("Start Date",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ])
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('share_part', Check(t, is_part(t.share, positive=True)),
                'coop_patronage.msg_part'),
            ('dates', Check(t,
                    (t.start_date == Null) | (t.end_date == Null)
                    | (t.start_date <= t.end_date)),
                'coop_patronage.msg_reassignment_dates'),
            ]
        cls._order = [
            ('party.name', 'ASC'),
            ('start_date', 'ASC NULLS FIRST'),
            ('id', None),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_share(cls):
        return Decimal(1)

    def get_rec_name(self, name):
        return f'{self.party.rec_name} → {self.to_party.rec_name}'

    @classmethod
    def check_modification(
            cls, mode, reassignments, values=None, external=False):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        super().check_modification(
            mode, reassignments, values=values, external=external)
        dates = ['start_date', 'end_date']
        changes = []
        for reassignment in reassignments:
            days = tuple(getattr(reassignment, n) for n in dates)
            if mode != 'write' or values.keys() - set(dates):
                changes.append((reassignment, days))
            if mode == 'write':
                changes.extend(
                    (reassignment, changed) for changed in changed_days(
                        days, tuple(
                            values.get(n, d) for n, d in zip(dates, days))))
        Surplus.check_allocated(
            changes, 'coop_patronage.msg_reassignment_allocated')

    @classmethod
    def check_shares(cls, company, start_date, end_date):
        "Refuse shares of a party that do not sum to 1 on each day"
        reassignments = cls.search([
                ('company', '=', company.id),
                ['OR',
                    ('start_date', '=', None),
                    ('start_date', '<=', end_date),
                    ],
                ['OR',
                    ('end_date', '=', None),
                    ('end_date', '>=', start_date),
                    ],
                ], order=[('party', 'ASC'), ('id', 'ASC')])
        for party, rows in groupby(reassignments, key=lambda r: r.party):
            rows = list(rows)
            dates = {start_date}
            for row in rows:
                if row.start_date:
                    dates.add(max(row.start_date, start_date))
                if row.end_date and row.end_date < end_date:
                    dates.add(row.end_date + dt.timedelta(days=1))
            for date in sorted(dates):
                share = sum(
                    row.share for row in rows
                    if (row.start_date or date) <= date
                    <= (row.end_date or date))
                # Without any row the activity is the party's own
                if share not in {0, 1}:
                    raise ReassignmentValidationError(gettext(
                            'coop_patronage.msg_reassignment_sum',
                            party=party.rec_name,
                            date=date,
                            share=share * 100))
