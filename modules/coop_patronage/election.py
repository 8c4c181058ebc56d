# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .exceptions import ElectionValidationError
from .part import is_part


class Election(SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.election'
    __string__ = "Patronage Election"
    _search_names = ('member.rec_name',)

    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    category = fields.Many2One(
        'coop.patronage.category', "Category", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The activity the election is for.\n"
        "Leave empty for all without an election of their own.")
    date = fields.Date("Date", required=True,
        help="From when on it replaces the elections before.")
    cash_use = fields.Selection([
            ('cash', "Pay Out"),
            ('capitalise', "Capitalise"),
            ('savings', "Savings"),
            ('donate', "Donate"),
            ('withhold', "Withhold for Shares"),
            ], "Use of Cash", required=True, sort=False,
        help="What becomes of the money: it is paid out, becomes equity of "
        "the pool's class, goes to the savings of the member, is given to "
        "the cooperative, or pays what the member owes for the shares he "
        "must hold.")
    share = fields.Numeric("Share", required=True,
        domain=[
            ('share', '>', 0),
            ('share', '<=', 1),
            ],
        help="The part of the money.\n"
        "What the elections of a date leave is paid out.")
    target = Monetary(
        "Target Holding", currency='currency', digits='currency',
        domain=['OR',
            ('target', '=', None),
            ('target', '>', 0),
            ],
        states={
            'invisible': Eval('cash_use') != 'capitalise',
            },
        help="Up to which holding of the class money becomes equity.\n"
        "Leave empty for no limit.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('share_part', Check(t, is_part(t.share, positive=True)),
                'coop_patronage.msg_part'),
            ]
        cls._order = [
            ('member', 'ASC'),
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_share(cls):
        return Decimal(1)

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        lang = Pool().get('ir.lang').get()
        return f'{self.member.rec_name} {lang.strftime(self.date)}'

    @classmethod
    def validate_fields(cls, elections, field_names):
        super().validate_fields(elections, field_names)
        if field_names & {'member', 'category', 'date', 'cash_use', 'share'}:
            cls.check_shares(elections)

    @classmethod
    def check_shares(cls, elections):
        "Check that the elections of a day name a use once and sum to 1"
        keys = {e._key for e in elections}
        by_key = defaultdict(list)
        for election in cls.search([
                    ('member', 'in', list({e.member.id for e in elections})),
                    ('date', 'in', list({e.date for e in elections})),
                    ]):
            by_key[election._key].append(election)
        for key in keys:
            same = by_key[key]
            share = sum(e.share for e in same)
            if share > 1:
                raise ElectionValidationError(gettext(
                        'coop_patronage.msg_election_share',
                        election=same[0].rec_name,
                        share=round(share * 100, 4).normalize()))
            if len({e.cash_use for e in same}) < len(same):
                raise ElectionValidationError(gettext(
                        'coop_patronage.msg_election_use',
                        election=same[0].rec_name))

    @property
    def _key(self):
        return self.member, self.category, self.date

    @classmethod
    def in_force(cls, company, categories, date):
        """Return the elections in force on the date, by member.

        Those of the categories go before those without category.  Of each
        the ones of the last day decide.
        """
        categories = {int(c) for c in categories}
        latest = {}
        for election in cls.search([
                    ('company', '=', int(company)),
                    ('date', '<=', date),
                    ['OR',
                        ('category', '=', None),
                        ('category', 'in', list(categories)),
                        ],
                    ], order=[('date', 'ASC'), ('id', 'ASC')]):
            rank = bool(election.category), election.date
            before, elections = latest.get(election.member, (None, []))
            if before is None or rank > before:
                latest[election.member] = rank, [election]
            # Of two categories of the pool the first entered decides
            elif (rank == before
                    and election.category == elections[0].category):
                elections.append(election)
        return {m: elections for m, (_, elections) in latest.items()}
