# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum
from sql.operators import Equal

from trytond import backend
from trytond.model import Check, Exclude, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.coop_membership.period import period_range
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.sql.operators import RangeOverlap
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .quantity import number
from .tax import Terms


def _rate(name, label, help):
    return fields.Numeric(label, digits=(14, 10),
        domain=['OR',
            (name, '=', None), [
                (name, '>=', 0),
                (name, '<=', 1),
                ],
            ],
        help=help)


class Withholding(SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.withholding'
    __string__ = "Withholding Terms"
    _search_names = ('party.rec_name', 'reference')

    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='CASCADE',
        context={
            'company': Eval('company', -1),
            },
        depends=['company'],
        help="Whose dividends, refunds and interest are taxed by the terms.")
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ],
        help="The first day on which what is posted is taxed by the terms.")
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The last day on which what is posted is taxed by the terms.\n"
        "Leave empty if it is not known.")
    rate = _rate('rate', "Rate",
        help="Replaces the rate of the others; 0 with a certificate of not "
        "being taxed.\n"
        "Leave empty for the rate of the others.")
    exemption = Monetary(
        "Exemption", currency='currency', digits='currency',
        domain=['OR',
            ('exemption', '=', None),
            ('exemption', '>', 0),
            ],
        help="The amount of a calendar year of which nothing is withheld, "
        "as the party has ordered.")
    church_rate = _rate('church_rate', "Church Tax",
        help="The part of the tax, without its surcharge, that is church "
        "tax.\n"
        "It reduces the tax itself.")
    reference = fields.Char("Reference",
        help="The number of the order or the certificate.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_shares.msg_withholding_dates'),
            ('dates_overlap',
                Exclude(t,
                    (t.company, Equal), (t.party, Equal),
                    (period_range(t), RangeOverlap)),
                'coop_shares.msg_withholding_overlap'),
            *((f'{name}_part',
                    Check(t, (column == Null) | (
                            (number(column) >= 0) & (number(column) <= 1))),
                    'coop_shares.msg_withholding_rate')
                for name, column in [
                    ('rate', t.rate), ('church_rate', t.church_rate)]),
            ]
        cls._order = [
            ('party', 'ASC'),
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        lang = Pool().get('ir.lang').get()
        return f'{self.party.rec_name} {lang.strftime(self.start_date)}'

    @classmethod
    def in_force(cls, company, date):
        "Return the terms of the parties who have some on the date, by id"
        Configuration = Pool().get('coop.share.configuration')
        surcharge = Configuration(1).get_multivalue(
            'withholding_surcharge', company=company.id)
        zero = Decimal(0)
        return {
            w.party.id: Terms(
                w.rate, w.exemption or zero, w.church_rate or zero,
                surcharge or zero)
            for w in cls.search([
                    ('company', '=', company.id),
                    ('start_date', '<=', date),
                    ['OR',
                        ('end_date', '=', None),
                        ('end_date', '>=', date),
                        ],
                    ])}

    @classmethod
    def exempted(cls, company, date, excluded=None):
        """Return what the exemptions of the calendar year have taken

        By the id of the party.  What is approved counts already, as it is
        posted with what it takes, but not what the excluded document takes.
        """
        Withheld = Pool().get('coop.withheld')
        cursor = Transaction().connection.cursor()
        rows = Withheld.get_rows(['approved', 'posted'])
        query = rows.select(
            rows.party, Sum(rows.exempt).as_('exempt'),
            where=(rows.company == company.id)
            & (rows.date >= date.replace(month=1, day=1))
            & (rows.date <= date.replace(month=12, day=31))
            & (rows.exempt != Null)
            & (rows.origin != str(excluded)),
            group_by=rows.party)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        result = defaultdict(Decimal)
        result.update({
                party: company.currency.round(exempt)
                for party, exempt in cursor})
        return result

    @classmethod
    def needs_account(cls, company):
        "Return whether what is withheld is posted to an account of its own"
        return True

    @classmethod
    def get_line(cls, books, account, amount, date, **values):
        "Return the unsaved line of what is withheld on the date"
        return books.line(account, -amount, **values)
