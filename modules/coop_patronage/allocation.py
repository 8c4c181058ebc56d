# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql import Column, Null
from sql.aggregate import Sum
from sql.conditionals import Case
from sql.functions import CurrentTimestamp
from sql.operators import Equal, Exists, NotEqual

from trytond import backend
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.coop_membership.claim import (
    open_replacements, paid_claims, what_pays)
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.coop_shares.banked import BankedMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, PYSONEncoder
from trytond.tools import cursor_dict, grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import StateAction

from .allocation_posting import AllocationPosting
from .claim_unclaimed import ClaimMixin
from .consent import CHEQUE_DAYS


class Allocation(
        AllocationPosting, ClaimMixin, BankedMixin, ResultMixin, SearchMixin,
        ModelSQL, ModelView):
    __name__ = 'coop.patronage.allocation'
    __string__ = "Patronage Allocation"
    _bank_keyword = 'allocation'
    _bank_name = 'pool.surplus.fiscalyear.rec_name'
    _bank_sign = -1
    _bank_party = 'party'
    _search_names = ('pool.rec_name', 'party.rec_name')
    # Only runs write them, and what they do is logged on their document
    _log = False

    pool = fields.Many2One(
        'coop.patronage.pool', "Pool", required=True, readonly=True,
        ondelete='CASCADE')
    surplus = fields.Function(fields.Many2One(
            'coop.surplus', "Surplus"),
        'on_change_with_surplus', searcher='search_surplus')
    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'on_change_with_company', searcher='search_company')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    party = fields.Many2One(
        'party.party', "Party", required=True, readonly=True,
        ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    member = fields.Many2One(
        'coop.member', "Member", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Empty if the patron was not a member.")
    basis = fields.Numeric("Basis", readonly=True,
        help="The weighted activity of the patron.\n"
        "A negative one counts as nothing.")
    share = fields.Numeric("Share", digits=(None, 10), readonly=True,
        help="The part of the basis in the total basis.")
    gross = Monetary(
        "Gross", currency='currency', digits='currency', readonly=True)
    cash = Monetary(
        "Cash", currency='currency', digits='currency', readonly=True,
        help="The part in money, before tax.")
    equity = Monetary(
        "Equity", currency='currency', digits='currency', readonly=True,
        help="The part in shares.")
    quantity = fields.Numeric("Shares", readonly=True)
    held = Monetary(
        "Held", currency='currency', digits='currency', readonly=True,
        help="What is owed toward a share or toward membership.")
    held_line = fields.Many2One(
        'account.move.line', "Held Line", readonly=True, ondelete='RESTRICT')
    savings = Monetary(
        "Savings", currency='currency', digits='currency', readonly=True,
        help="What of the money goes to the savings of the member.")
    donation = Monetary(
        "Donation", currency='currency', digits='currency', readonly=True,
        help="What of the money the member gives to the cooperative.")
    to_shares = Monetary(
        "Withheld for Shares", currency='currency', digits='currency',
        readonly=True,
        help="What of the money pays the shares the member must hold.")
    subscriptions = fields.Many2Many(
        'coop.patronage.allocation-coop.share.subscription', 'allocation',
        'subscription', "Subscriptions", readonly=True,
        help="The subscriptions made for the money that is withheld.")
    forfeited = Monetary(
        "Forfeited", currency='currency', digits='currency', readonly=True,
        help="What goes to the difference line of the pool.")
    withholding = Monetary(
        "Withholding", currency='currency', digits='currency', readonly=True,
        help="The tax withheld from the cash.")
    church_tax = Monetary(
        "Church Tax", currency='currency', digits='currency', readonly=True,
        help="What of the withholding is church tax.")
    exempt = Monetary(
        "Exempt", currency='currency', digits='currency', readonly=True,
        help="What the exemption of the patron takes from the tax.")
    set_off = Monetary(
        "Set Off", currency='currency', digits='currency', readonly=True,
        help="What pays overdue debts of the patron.")
    net = Monetary(
        "Net", currency='currency', digits='currency', readonly=True,
        help="What is payable to the patron.")
    kept = fields.Boolean("Kept", readonly=True,
        help="It is not paid until there is the minimum.")
    qualified = fields.Boolean("Qualified", readonly=True,
        help="The patron is taxed on the equity when it is allocated.")
    consent = fields.Selection([
            (None, ""),
            ('written', "Written"),
            ('bylaw', "By-laws"),
            ('cheque', "Cheque"),
            ], "Consent", readonly=True, sort=False,
        help="How the patron consents to be taxed on the equity.")
    consent_date = fields.Date("Consent on", readonly=True)
    consent_until = fields.Function(fields.Date("Cheque Cashed until",
            help="The last day on which cashing the cheque consents."),
        'get_consent_until')
    is_qualified = fields.Function(fields.Boolean("Taxed when Allocated",
            help="The consent has not lapsed."),
        'get_is_qualified')
    vintage = fields.Integer("Vintage", readonly=True,
        help="The year that is allocated.")
    account_move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT')
    account_move_line = fields.Many2One(
        'account.move.line', "Payable Line", readonly=True,
        ondelete='RESTRICT')
    share_move = fields.Many2One(
        'coop.share.move', "Share Move", readonly=True, ondelete='RESTRICT')
    credit_note = fields.Many2One(
        'account.invoice', "Credit Note", readonly=True, ondelete='RESTRICT',
        help="What pays the money as a reduction of the price of sales.")
    is_paid = fields.Function(fields.Boolean("Paid"), 'get_is_paid')
    state = fields.Function(fields.Selection([
                ('draft', "Draft"),
                ('posted', "Posted"),
                ('paid', "Paid"),
                ('unclaimed', "Unclaimed"),
                ('cancelled', "Cancelled"),
                ], "State", sort=False))

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('pool')
        cls._sql_constraints += [
            ('party_unique', Unique(t, t.pool, t.party),
                'coop_patronage.msg_allocation_party_unique'),
            ]
        cls._order = [
            ('pool', 'DESC'),
            ('party.name', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def bank_open_domain(cls):
        return [('state', '=', 'posted')]

    @classmethod
    def bank_return_domain(cls):
        return [('state', 'in', ['posted', 'paid'])]

    @classmethod
    def column_state(cls, tables):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        MoveLine = pool.get('account.move.line')
        table, _ = tables[None]
        pool_ = Pool_.__table__()
        surplus = Surplus.__table__()
        line = MoveLine.__table__()
        state = (pool_
            .join(surplus, condition=pool_.surplus == surplus.id)
            .select(surplus.state, where=pool_.id == table.pool))
        reconciled = line.select(line.id,
            where=(line.id == table.account_move_line)
            & (line.reconciliation != Null))
        return Case(
            (Equal(state, 'cancelled'), 'cancelled'),
            (NotEqual(state, 'posted'), 'draft'),
            (table.unclaimed_move != Null, 'unclaimed'),
            (Exists(reconciled)
                & Exists(what_pays(table.account_move_line))
                & ~Exists(open_replacements(table.account_move_line)),
                'paid'),
            else_='posted')

    @fields.depends('pool', '_parent_pool.surplus')
    def on_change_with_surplus(self, name=None):
        return self.pool.surplus if self.pool else None

    @classmethod
    def search_surplus(cls, name, clause):
        return [('pool.' + clause[0], *clause[1:])]

    @fields.depends('pool', '_parent_pool.company')
    def on_change_with_company(self, name=None):
        return self.pool.company if self.pool else None

    @classmethod
    def search_company(cls, name, clause):
        return [('pool.' + clause[0], *clause[1:])]

    @fields.depends('pool', '_parent_pool.currency')
    def on_change_with_currency(self, name=None):
        return self.pool.currency if self.pool else None

    def get_is_paid(self, name):
        return bool(
            self.account_move_line
            and paid_claims([self.account_move_line]))

    def get_consent_until(self, name):
        if self.consent == 'cheque' and self.pool.payment_period_end:
            return self.pool.payment_period_end + dt.timedelta(CHEQUE_DAYS)

    def get_is_qualified(self, name):
        date = Transaction().context.get('date')
        return self.is_qualified_at(date or Pool().get('ir.date').today())

    def is_qualified_at(self, date):
        "Return whether the equity is taxed as allocated, as of the date"
        if not self.qualified or self.consent != 'cheque':
            return bool(self.qualified)
        line = self.account_move_line
        cashed = None
        if line and line.reconciliation and self.is_paid:
            cashed = line.reconciliation.date
        return (cashed or date) <= self.consent_until

    def get_rec_name(self, name):
        return f'{self.pool.rec_name} - {self.party.rec_name}'

    @property
    def subject(self):
        return ' '.join([
                self.__names__()['model'], self.surplus.fiscalyear.rec_name])

    @property
    def address_lines(self):
        address = self.party.address_get()
        return address.full_address.splitlines() if address else []

    @property
    def unclaimed_line(self):
        return self.account_move_line or self.held_line

    @property
    def keeps_equity(self):
        return self.equity > 0

    @property
    def unclaimed_of(self):
        return self.surplus.fiscalyear.rec_name

    @classmethod
    def _posted_domain(cls, company):
        return [
            ('company', '=', company.id),
            ('pool.surplus.state', '=', 'posted'),
            ]

    @classmethod
    def _unclaimed_domain(cls, date, limit):
        # Of those who are no members what they did not claim by joining
        return ['OR',
            super()._unclaimed_domain(date, limit), [
                ('member', '=', None),
                ('held_line', '!=', None),
                ('held_line.reconciliation', '=', None),
                ('pool.expiry_date', '<', date),
                ],
            ]

    @classmethod
    def replace(cls, pools, rows):
        """Replace the allocations of the pools by the rows of values.

        They are nothing but a calculation until they are posted, so they are
        written at once instead of one by one.
        """
        transaction = Transaction()
        cursor = transaction.connection.cursor()
        table = cls.__table__()
        pools = [p.id for p in pools]
        if not pools:
            return
        cursor.execute(*table.delete(
                where=fields.SQL_OPERATORS['in'](table.pool, pools)))
        names, defaults = cls._row_names()
        columns = [table.create_uid, table.create_date]
        columns += [Column(table, n) for n in names]
        for sub_rows in grouped_slice(rows, SLICE):
            cursor.execute(*table.insert(columns, [
                        [transaction.user, CurrentTimestamp()] + [
                            cls._fields[n].sql_format(
                                row.get(n, defaults[n])) for n in names]
                        for row in sub_rows]))
        cls._clear_cache('coop.patronage.pool')

    @classmethod
    def _row_names(cls):
        "Return the names of the fields of a row and what they are if empty"
        names = [
            'pool', 'party', 'member', 'basis', 'share', 'gross', 'cash',
            'equity', 'quantity', 'held', 'savings', 'donation',
            'to_shares', 'forfeited', 'withholding', 'church_tax', 'exempt',
            'set_off', 'net', 'kept', 'qualified', 'consent',
            'consent_date', 'vintage']
        defaults = dict.fromkeys(names, Decimal(0))
        defaults |= {
            'church_tax': None, 'exempt': None, 'kept': False,
            'qualified': False, 'consent': None, 'consent_date': None}
        return names, defaults

    @classmethod
    def are_rows(cls, pools, rows):
        "Return whether the allocations of the pools are the rows"
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        names, defaults = cls._row_names()
        query = table.select(
            *(Column(table, n).as_(n) for n in names),
            where=fields.SQL_OPERATORS['in'](
                table.pool, [p.id for p in pools]))
        if backend.name == 'sqlite':
            types = {'numeric': 'NUMERIC', 'date': 'DATE'}
            sqlite_apply_types(
                query, [types.get(cls._fields[n]._type) for n in names])
        cursor.execute(*query)
        stored = {(row[0], row[1]): row for row in cursor}
        return len(stored) == len(rows) and all(
            _equal(
                stored.get((row['pool'], row['party']), ()),
                [row.get(n, defaults[n]) for n in names])
            for row in rows)

    @classmethod
    def set_links(cls, links):
        """Set what the allocations are posted as.

        The links are the values of each allocation by its id.  They follow
        from the posting, so they are written at once like the allocations.
        """
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        names = sorted({n for values in links.values() for n in values})
        cursor.execute(*table.update(
                [Column(table, n) for n in names],
                [Case(*((table.id == id_, values.get(n))
                            for id_, values in links.items()))
                    for n in names],
                where=fields.SQL_OPERATORS['in'](table.id, list(links))))
        cls._clear_cache()

    @classmethod
    def _clear_cache(cls, *names):
        transaction = Transaction()
        transaction.counter += 1
        for cache in transaction.cache.values():
            for name in [cls.__name__, *names]:
                if name in cache:
                    cache[name].clear()

    @classmethod
    def get_year_totals(cls, surplus_):
        """Return what the posted allocations of the calendar year in which
        the surplus is posted are worth and what was withheld, by party"""
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        table = cls.__table__()
        t_pool = Pool_.__table__()
        surplus = Surplus.__table__()
        cursor = Transaction().connection.cursor()
        date = surplus_.posting_date
        if not date:
            return {}
        query = (table
            .join(t_pool, condition=table.pool == t_pool.id)
            .join(surplus, condition=t_pool.surplus == surplus.id)
            .select(
                table.party.as_('party'),
                Sum(table.gross).as_('gross'),
                Sum(table.cash).as_('cash'),
                Sum(table.withholding).as_('withholding'),
                Sum(table.exempt).as_('exempt'),
                where=(surplus.company == surplus_.company.id)
                & (surplus.state == 'posted')
                & (surplus.posting_date >= date.replace(month=1, day=1))
                & (surplus.posting_date <= date.replace(month=12, day=31)),
                group_by=table.party))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None] + ['NUMERIC'] * 4)
        cursor.execute(*query)
        return {row['party']: {
                n: surplus_.currency.round(row[n] or Decimal(0))
                for n in ['gross', 'cash', 'withholding', 'exempt']}
            for row in cursor_dict(cursor)}

    @classmethod
    def get_kept(cls, company):
        "Return what is kept below the minimum by party id"
        kept = defaultdict(Decimal)
        for allocation in cls._search_kept(company):
            kept[allocation.party.id] += allocation.net
        return kept

    @classmethod
    def _search_kept(cls, company):
        return cls.search([
                ('pool.surplus.company', '=', company.id),
                ('pool.surplus.state', '=', 'posted'),
                ('kept', '=', True),
                ('account_move_line.maturity_date', '=', None),
                ('account_move_line.reconciliation', '=', None),
                ])


def _equal(stored, row):
    return len(stored) == len(row) and all(
        a == b or (not a and not b) for a, b in zip(stored, row))


class AllocationSubscription(ResultMixin, ModelSQL):
    __name__ = 'coop.patronage.allocation-coop.share.subscription'

    allocation = fields.Many2One(
        'coop.patronage.allocation', "Allocation",
        ondelete='CASCADE', required=True)
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription",
        ondelete='RESTRICT', required=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('allocation')


class OpenActivity(CheckedWizard):
    __name__ = 'coop.patronage.allocation.open_activity'
    __string__ = "Open Activity"

    start_state = 'open_'
    open_ = StateAction('coop_patronage.act_activity_form')

    def do_open_(self, action):
        pool = self.record.pool
        fiscalyear = pool.surplus.fiscalyear
        encoder = PYSONEncoder()
        action['pyson_context'] = encoder.encode({
                'company': pool.company.id,
                'categories': [c.id for c in pool.categories],
                'from_date': fiscalyear.start_date,
                'to_date': fiscalyear.end_date,
                })
        action['pyson_domain'] = encoder.encode([
                ('party', '=', self.record.party.id),
                ])
        action['name'] += f' - {self.record.party.rec_name}'
        return action, {}
