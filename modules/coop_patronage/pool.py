# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from dateutil.relativedelta import relativedelta
from sql import Cast, Column, Null
from sql.aggregate import Count, Sum
from sql.conditionals import Case
from sql.functions import CurrentTimestamp
from sql.operators import Equal, Exists, NotEqual

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Check, ModelSQL, ModelView, Unique, fields, sequence_ordered)
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_shares.debt import open_debts, pay_debts
from trytond.modules.coop_shares.document import lock_members
from trytond.modules.coop_shares.instalment import instalment_parts
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, PYSONEncoder
from trytond.tools import cursor_dict, grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import StateAction, Wizard

from .absorption import absorb
from .allocation import (
    by_rate, ceil, distribute, elect, set_off, split_cash, whole_shares,
    withhold)
from .credit_note import CreditNoteMixin
from .exceptions import AllocationError, CancelError
from .revolvement import capital_targets
from .surplus import get_balances
from .unclaimed import UnclaimedMixin


def _part_domain(name):
    return [
        ['OR',
            (name, '=', None),
            [
                (name, '>=', 0),
                (name, '<=', 1),
                ],
            ],
        ]


class PatronagePool(
        CreditNoteMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.patronage.pool'
    __string__ = "Patronage Pool"

    surplus = fields.Many2One(
        'coop.surplus', "Surplus", required=True, ondelete='CASCADE')
    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'on_change_with_company', searcher='search_company')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    name = fields.Char("Name", required=True)
    line = fields.Many2One(
        'coop.surplus.line', "Surplus Line", ondelete='CASCADE',
        domain=[
            ('surplus', '=', Eval('surplus', -1)),
            ('kind', '=', 'patronage'),
            ],
        help="The line that the pool distributes.\n"
        "Leave empty if there is only one of patronage.")
    categories = fields.Many2Many(
        'coop.patronage.pool-coop.patronage.category', 'pool', 'category',
        "Categories", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The activity by which the pool is distributed.")
    method = fields.Selection([
            ('amount', "Amount"),
            ('rate', "Rate"),
            ], "Method", required=True, sort=False,
        help="Distribute all of an amount or pay a rate on the activity.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        help="Leave empty for what other pools leave of the line.")
    rate = fields.Numeric("Rate",
        domain=_part_domain('rate'),
        states={
            'invisible': Eval('method') != 'rate',
            'required': Eval('method') == 'rate',
            },
        help="The part of the activity that is paid.")
    difference_line = fields.Many2One(
        'coop.surplus.line', "Difference Line", ondelete='RESTRICT',
        domain=[
            ('surplus', '=', Eval('surplus', -1)),
            ('kind', 'not in', ['patronage', 'share_dividend']),
            ],
        help="The line that gets what the pool does not distribute.\n"
        "Leave empty for the last one that carries forward.")
    cash_percent = fields.Numeric("Cash", required=True,
        domain=_part_domain('cash_percent'),
        help="The part that is paid in money.")
    cash_floor = fields.Numeric("Cash Floor",
        domain=_part_domain('cash_floor'),
        help="The part of an allocation that each patron must get in money "
        "by law: it is rounded up for each of them.")
    equity_class = fields.Many2One(
        'coop.share.class', "Equity Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'required': ((Eval('cash_percent', 1) < 1)
                | Bool(Eval('required_equity', 0))
                | (Eval('minimum', 0)
                    & (Eval('below_minimum') == 'equity'))),
            },
        help="The class of the shares that members get for the rest.")
    required_equity = Monetary(
        "Required Equity", currency='currency', digits='currency',
        domain=['OR',
            ('required_equity', '=', None),
            ('required_equity', '>', 0),
            ],
        help="What the members should hold together of the class, each by "
        "the part in the use: who holds less gets no more money than the "
        "cash floor.")
    use_years = fields.Integer("Years of Use",
        domain=['OR',
            ('use_years', '=', None),
            ('use_years', '>', 0),
            ],
        states={
            'invisible': ~Eval('required_equity', 0),
            'required': Bool(Eval('required_equity', 0)),
            },
        help="Over how many years up to the end of the fiscal year "
        "the use is measured.")
    elections = fields.Boolean("Elections",
        help="Check to follow what members elected to do with their money.")
    qualified = fields.Boolean("Qualified",
        help="Check if members are taxed on the equity when it is "
        "allocated, instead of when it is paid.")
    rounding = fields.Numeric("Rounding", required=True,
        domain=[
            ('rounding', '>', 0),
            ],
        help="The smallest step of an allocation.")
    minimum = Monetary(
        "Minimum", currency='currency', digits='currency',
        help="Less money than this is not paid out.")
    below_minimum = fields.Selection([
            ('keep', "Keep"),
            ('equity', "Equity"),
            ('reserve', "Reserve"),
            ], "Below Minimum", sort=False, required=True,
        states={
            'invisible': ~Eval('minimum', 0),
            },
        help="Keep it payable until there is enough, turn it into equity "
        "or leave it to the difference line.")
    eligible_on = fields.Date("Eligible on",
        states={
            'required': Eval('has_member_categories', False),
            },
        help="Only who is a member on this date takes part.")
    member_categories = fields.Many2Many(
        'coop.patronage.pool-coop.member.category', 'pool', 'category',
        "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Only members of these categories take part.\n"
        "Leave empty for all.")
    has_member_categories = fields.Function(
        fields.Boolean("Has Member Categories"),
        'on_change_with_has_member_categories')
    minimum_activity = fields.Numeric("Minimum Activity",
        help="Who has less activity does not take part.")
    non_members = fields.Selection([
            ('exclude', "Exclude"),
            ('reserve', "Reserve"),
            ('hold', "Hold Toward Membership"),
            ], "Non-Members", required=True, sort=False,
        help="Exclude distributes everything by the activity of members, "
        "otherwise the part of non-members goes to the difference line "
        "or is owed to them toward membership.")
    expiry_date = fields.Date("Expiry Date",
        states={
            'invisible': Eval('non_members') != 'hold',
            },
        help="Until when a non-member may claim the part by joining.")
    cap_percent = fields.Numeric("Cap",
        domain=_part_domain('cap_percent'),
        help="No patron gets more than this part of the amount of his "
        "activity. What is cut off goes to the others.")
    withholding_rate = fields.Numeric("Withholding Tax",
        domain=_part_domain('withholding_rate'))
    withholding_threshold = Monetary(
        "Withholding Threshold", currency='currency', digits='currency',
        states={
            'invisible': ~Eval('withholding_rate', 0),
            },
        help="Only what a patron gets above this in a year is taxed.")
    withholding_base = fields.Selection([
            ('gross', "Gross"),
            ('cash', "Cash"),
            ], "Withholding Base", sort=False, required=True,
        states={
            'invisible': ~Eval('withholding_rate', 0),
            })
    withholding_unidentified = fields.Boolean("Only Without Tax Identifier",
        states={
            'invisible': ~Eval('withholding_rate', 0),
            },
        help="Check to withhold only from patrons without tax identifier.")
    set_off = fields.Boolean("Set Off",
        help="Check to pay the overdue debts of patrons first.")
    loss_order = fields.Selection([
            ('oldest', "Oldest Vintage First"),
            ('newest', "Newest Vintage First"),
            ], "Loss Order", sort=False, required=True,
        help="From which of his equity a member bears his part of a loss. "
        "What it does not cover goes to the difference line.")
    payment_deadline = fields.Date("Payment Deadline",
        help="The maturity of what is payable.\n"
        "Leave empty for the posting date.")
    allocations = fields.One2Many(
        'coop.patronage.allocation', 'pool', "Allocations", readonly=True)
    moves = fields.One2Many('account.move', 'origin', "Moves", readonly=True)
    total_basis = fields.Function(fields.Numeric("Total Basis"), 'get_totals')
    total_gross = fields.Function(Monetary(
            "Total", currency='currency', digits='currency'), 'get_totals')
    total_cash = fields.Function(Monetary(
            "Total Cash", currency='currency', digits='currency'),
        'get_totals')
    total_equity = fields.Function(Monetary(
            "Total Equity", currency='currency', digits='currency'),
        'get_totals')
    total_net = fields.Function(Monetary(
            "Total Net", currency='currency', digits='currency'),
        'get_totals')
    patrons = fields.Function(fields.Integer("Patrons"), 'get_totals')
    state = fields.Function(
        fields.Selection('get_states', "State"), 'on_change_with_state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('surplus')
        cls._sql_constraints += [
            ('minimum_floor', Check(t,
                    (t.cash_floor == Null) | (t.minimum == Null)
                    | (t.below_minimum == 'keep')),
                'coop_patronage.msg_pool_minimum_floor'),
            ]
    @classmethod
    def default_method(cls):
        return 'amount'

    @classmethod
    def default_cash_percent(cls):
        return Decimal(1)

    @classmethod
    def default_elections(cls):
        return True

    @classmethod
    def default_rounding(cls):
        pool = Pool()
        Company = pool.get('company.company')
        company = Transaction().context.get('company')
        if company is not None and company >= 0:
            return Company(company).currency.rounding
        return Decimal('0.01')

    @classmethod
    def default_below_minimum(cls):
        return 'keep'

    @classmethod
    def default_non_members(cls):
        return 'exclude'

    @classmethod
    def default_withholding_base(cls):
        return 'gross'

    @classmethod
    def default_loss_order(cls):
        return 'oldest'

    @fields.depends('surplus', '_parent_surplus.company')
    def on_change_with_company(self, name=None):
        return self.surplus.company if self.surplus else None

    @classmethod
    def search_company(cls, name, clause):
        return [('surplus.' + clause[0], *clause[1:])]

    @fields.depends('surplus', '_parent_surplus.currency')
    def on_change_with_currency(self, name=None):
        return self.surplus.currency if self.surplus else None

    @fields.depends('member_categories')
    def on_change_with_has_member_categories(self, name=None):
        return bool(self.member_categories)

    @classmethod
    def get_states(cls):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        return Surplus.fields_get(['state'])['state']['selection']

    @fields.depends('surplus', '_parent_surplus.state')
    def on_change_with_state(self, name=None):
        return self.surplus.state if self.surplus else None

    @classmethod
    def get_totals(cls, pools, names):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        allocation = Allocation.__table__()
        cursor = Transaction().connection.cursor()
        # SQLite keeps decimals as texts
        basis, gross = (
            Cast(c, 'NUMERIC') for c in [allocation.basis, allocation.gross])
        totals = {
            'total_basis': Case((basis > 0, allocation.basis), else_=0),
            'total_gross': allocation.gross,
            'total_cash': allocation.cash,
            'total_equity': allocation.equity,
            'total_net': allocation.net,
            }
        result = {n: dict.fromkeys(map(int, pools), 0) for n in names}
        query = allocation.select(
            allocation.pool.as_('pool'),
            # Who gets nothing is listed, but not counted
            Count(Case((gross != 0, allocation.id))).as_(
                'patrons'),
            *(Sum(c).as_(n) for n, c in totals.items()),
            where=fields.SQL_OPERATORS['in'](
                allocation.pool, list(map(int, pools))),
            group_by=allocation.pool)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None] + ['NUMERIC'] * len(totals))
        cursor.execute(*query)
        currencies = {p.id: p.currency for p in pools}
        for row in cursor_dict(cursor):
            currency = currencies[row['pool']]
            for name in names:
                value = row[name]
                if name == 'total_basis':
                    value = round(value, 6)
                elif name != 'patrons':
                    value = currency.round(value)
                result[name][row['pool']] = value
        return result

    @classmethod
    def check_modification(cls, mode, pools, values=None, external=False):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        super().check_modification(
            mode, pools, values=values, external=external)
        if external:
            Surplus.check_modifiable({p.surplus for p in pools})

    @classmethod
    def copy(cls, pools, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('allocations')
        default.setdefault('moves')
        return super().copy(pools, default=default)

    def get_parameters(self):
        "Return the values that decide the allocations"
        return [
            (name, [str(r) for r in value]
                if isinstance(value, tuple) else str(value))
            for name, value in (
                (n, getattr(self, n)) for n in [
                    'line', 'categories', 'method', 'amount', 'rate',
                    'difference_line', 'cash_percent', 'cash_floor',
                    'equity_class', 'required_equity', 'use_years',
                    'elections', 'rounding', 'minimum',
                    'below_minimum', 'eligible_on', 'member_categories',
                    'minimum_activity', 'non_members', 'cap_percent',
                    'withholding_rate', 'withholding_threshold',
                    'withholding_base', 'withholding_unidentified',
                    'set_off', 'loss_order'])
            ] + [str(c.weight) for c in self.categories] + sorted(
                self.get_elections().items())

    def get_difference_line(self):
        "Return the line that gets what is not distributed"
        if self.difference_line:
            return self.difference_line
        return self.surplus.carry_forward_line

    def get_elections(self):
        """Return the elections of the members that the pool follows.

        By the id of the member the shares of the uses, how much may be
        capitalised and what is still to pay for shares.
        """
        pool = Pool()
        Election = pool.get('coop.patronage.election')
        if not self.elections:
            return {}
        date = self.surplus.posting_date or self.surplus.fiscalyear.end_date
        in_force = Election.in_force(self.company, self.categories, date)
        uses = {
            member: {e.cash_use: e for e in elections}
            for member, elections in in_force.items()}
        held = defaultdict(Decimal)
        limited = [
            m for m, by_use in uses.items()
            if 'capitalise' in by_use and by_use['capitalise'].target]
        if limited:
            for (member, _), amount in self._get_equity(limited).items():
                held[member] += amount
        withheld = [m for m, by_use in uses.items() if 'withhold' in by_use]
        owed = self._get_owed(withheld, date)
        result = {}
        for member, by_use in uses.items():
            room = None
            if 'capitalise' in by_use and by_use['capitalise'].target:
                room = max(
                    by_use['capitalise'].target - held[member.id],
                    Decimal(0))
            result[member.id] = (
                {use: e.share for use, e in by_use.items()}, room,
                owed.get(member, Decimal(0)))
        return result

    def _get_owed(self, members, date):
        "Return what the members have to pay for the shares they must hold"
        missing = self._get_missing(members, date)
        owed = defaultdict(Decimal)
        for subscription in self._get_subscriptions(members):
            owed[subscription.member] += subscription.amount_to_pay
        for (member, share_class), quantity in missing.items():
            owed[member] += self.currency.round(
                quantity * share_class.par_value)
        return owed

    def _get_subscriptions(self, members):
        "Return the subscriptions the members have to pay, the oldest first"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        subscriptions = []
        for sub_members in grouped_slice(members, SLICE):
            subscriptions.extend(Subscription.search([
                        ('company', '=', self.company.id),
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', '=', 'confirmed'),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]))
        return subscriptions

    def _get_missing(self, members, date):
        "Return the shares members must hold and did not subscribe"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        if not members:
            return {}
        classes = ShareClass.search([
                ('company', '=', self.company.id),
                ('kind', '=', 'membership'),
                ('minimum', '>', 0),
                ])
        categories = Member.categories_at(members, date)
        held = ShareMove.holdings_at(
            self.company, None, members=members, classes=classes)
        pending = Subscription.pending_quantities(
            [m.id for m in members], classes)
        missing = {}
        for share_class in classes:
            allowed = {c.id for c in share_class.categories}
            for member in members:
                category = categories.get(member.id)
                if not category or allowed and category not in allowed:
                    continue
                key = member.id, share_class.id
                quantity, _ = held.get(key, (Decimal(0), Decimal(0)))
                quantity = share_class.minimum - quantity - pending[key]
                if quantity > 0:
                    missing[member, share_class] = quantity
        return missing

    def get_allocations(self, amount, activity, debts, earlier=()):
        """Return what is distributed and the values of the allocations.

        The activity is made of the sums by party, member and category, the
        debts are what the parties have overdue, in all and for shares, and
        the earlier allocations those of the other pools of the surplus.
        """
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        basis, amounts, members, outside = self._get_basis(activity)
        weights = {p: max(b, Decimal(0)) for p, b in basis.items()}
        total = sum(weights.values())
        if not total:
            if not amount:
                return amount, []
            raise AllocationError(gettext(
                    'coop_patronage.msg_pool_no_activity',
                    pool=self.rec_name))
        distributed = self._get_gross(amount, weights, amounts)
        # What members did before they joined is no business with a member
        outside = {
            p: half_up(
                Fraction(distributed[p])
                * min(Fraction(part) / Fraction(weights[p]), 1),
                self.rounding)
            for p, part in outside.items()
            if members[p] and part > 0 and weights[p] > 0}
        gross = {p: g - outside.get(p, 0) for p, g in distributed.items()}
        if amount < 0:
            return amount, self._get_losses(
                gross, outside, basis, members, total)
        patrons = {
            p: g for p, g in gross.items()
            if members[p] or self.non_members != 'reserve'}
        cash = self._get_cash(
            {p: g for p, g in patrons.items() if members[p]}, members)
        uses = self._get_uses(gross, cash, members, debts, earlier)
        debts = self._get_left_debts(debts, earlier)
        for party, parts in uses.items():
            cash[party] -= parts['capitalise']
        withheld = self._get_withholding(gross, cash, earlier)
        kept = Allocation.get_kept(self.company) if self.minimum else {}
        rows = []
        for party, part in gross.items():
            row = self._get_row(party, part, basis, members, total)
            if members[party]:
                row.update(self._divide(
                        part, cash[party], withheld.get(party, Decimal(0)),
                        kept.get(party, Decimal(0)),
                        debts[party],
                        uses.get(party, {})))
                part = outside.get(party, Decimal(0))
                row['gross'] += part
            name = 'held' if self.non_members == 'hold' else 'forfeited'
            if not members[party] or part:
                row[name] = row.get(name, Decimal(0)) + part
            rows.append(row)
        return sum(distributed.values()), rows

    def _get_row(self, party, gross, basis, members, total):
        return {
            'pool': self.id,
            'party': party,
            'member': members[party],
            'basis': basis[party],
            'share': round(max(basis[party], Decimal(0)) / total, 10),
            'gross': gross,
            'vintage': self.surplus.fiscalyear.end_date.year,
            'equity_class': self.equity_class,
            }

    def _get_losses(self, gross, outside, basis, members, total):
        "Return the allocations of a loss to the equity of the members"
        _, uncovered = absorb(
            {members[p]: -part for p, part in gross.items()
                if members[p] and part},
            self._get_equity(), self.loss_order == 'newest')
        rows = []
        for party, part in gross.items():
            row = self._get_row(party, part, basis, members, total)
            row['forfeited'] = (
                -uncovered.get(members[party], Decimal(0))
                if members[party] else part)
            row['equity'] = part - row['forfeited']
            part = outside.get(party, Decimal(0))
            row['gross'] += part
            row['forfeited'] += part
            rows.append(row)
        return rows

    def _get_equity(self, members=None):
        "Return the equity held by member and vintage"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        if not self.equity_class:
            return {}
        holdings = ShareMove.holdings_at(
            self.company, None, members=members,
            classes=[self.equity_class], by=('member', 'vintage'))
        return {
            (member, vintage or 0): amount
            for (member, vintage), (_, amount) in holdings.items()}

    def _get_basis(self, activity):
        """Return what is known of each party that takes part

        Its basis, amount and member, and the part of the basis from when it
        was no member.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        categories = {c.id: c for c in self.categories}
        eligible = None
        if self.eligible_on:
            eligible = Member.members_at(
                self.surplus.company, self.eligible_on)
            if self.member_categories:
                member2category = Member.categories_at(
                    eligible.values(), self.eligible_on)
                allowed = set(map(int, self.member_categories))
                eligible = {
                    p: m for p, m in eligible.items()
                    if member2category.get(m) in allowed}
        basis, outside = defaultdict(Decimal), defaultdict(Decimal)
        amounts, members = {}, {}
        for party, member, category, quantity, amount in activity:
            if category not in categories:
                continue
            if member:
                if eligible is not None and party not in eligible:
                    continue
            elif self.non_members == 'exclude':
                continue
            category = categories[category]
            value = quantity if category.measure == 'quantity' else amount
            basis[party] += value * category.weight
            if not member:
                outside[party] += value * category.weight
            amounts[party] = amounts.get(party, Decimal(0)) + amount
            members[party] = members.get(party) or member
        if self.minimum_activity:
            for party, value in list(basis.items()):
                if value < self.minimum_activity:
                    del basis[party]
                    outside.pop(party, None)
        return basis, amounts, members, outside

    def _get_gross(self, amount, weights, amounts):
        caps = None
        if self.cap_percent is not None:
            caps = {
                p: max(self.cap_percent * amounts[p], Decimal(0))
                for p in weights}
        if self.method == 'rate':
            gross = by_rate(self.rate, weights, self.rounding, caps)
            if sum(gross.values()) > amount:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_rate_exceeded',
                        pool=self.rec_name,
                        needed=self.surplus.format_currency(
                            sum(gross.values())),
                        amount=self.surplus.format_currency(amount)))
        else:
            gross, _ = distribute(amount, weights, self.rounding, caps)
        return gross

    def _get_cash(self, gross, members):
        "Return the money of each of the parties"
        under_invested = self._get_under_invested(gross, members)
        cash = split_cash(
            {p: g for p, g in gross.items() if p not in under_invested},
            self.cash_percent, self.cash_floor, self.rounding)
        if under_invested:
            cash |= split_cash(
                {p: gross[p] for p in under_invested},
                Decimal(0), self.cash_floor, self.rounding)
        return cash

    def _get_under_invested(self, parties, members):
        "Return the parties who hold less than their base capital"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        if not self.required_equity:
            return set()
        end_date = self.surplus.fiscalyear.end_date
        targets = capital_targets(
            self.required_equity, Activity.get_use(
                self.company, self.categories,
                end_date - relativedelta(years=self.use_years) + DAY,
                end_date), self.currency.rounding)
        held = defaultdict(Decimal)
        for (member, _), amount in self._get_equity().items():
            held[member] += amount
        return {
            p for p in parties
            if held[members[p]] < targets.get(members[p], 0)}

    def _get_left_debts(self, debts, earlier):
        "Return what the earlier allocations leave of the debts"
        left = defaultdict(lambda: (Decimal(0), Decimal(0)), debts)
        for row in earlier:
            debt, for_shares = left[row['party']]
            to_shares = min(row.get('to_shares', 0), for_shares)
            set_off = row.get('set_off', 0)
            # A set-off may have paid shares
            left[row['party']] = (
                debt - to_shares - set_off,
                max(for_shares - to_shares - set_off, Decimal(0)))
        return left

    def _get_uses(self, gross, cash, members, debts, earlier):
        "Return what becomes of the money of who elected, by the uses"
        pool = Pool()
        Member = pool.get('coop.member')
        done = {
            name: defaultdict(Decimal) for name in ['to_shares', 'capital']}
        for row in earlier:
            _, for_shares = debts.get(row['party'], (0, 0))
            done['to_shares'][row['member']] += (
                row.get('to_shares', 0)
                + min(row.get('set_off', 0), for_shares))
            if row['equity_class'] == self.equity_class:
                done['capital'][row['member']] += row.get('equity', 0)
        elections = self.get_elections()
        uses = {}
        for party, money in cash.items():
            member = members[party]
            if member not in elections:
                continue
            shares, room, owed = elections[member]
            if 'capitalise' in shares and not self.equity_class:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_election_class',
                        pool=self.rec_name,
                        member=Member(member).rec_name))
            least = Decimal(0)
            if self.cash_floor:
                least = min(money, ceil(
                        Fraction(self.cash_floor) * Fraction(gross[party]),
                        self.rounding))
            if room is not None:
                # What is allocated anyway counts for the target too
                room = max(
                    room - done['capital'][member]
                    - (gross[party] - money), Decimal(0))
            parts = elect(
                money, shares, self.currency.rounding, least, room)
            parts['withhold'] = min(
                parts.get('withhold', Decimal(0)),
                max(owed - done['to_shares'][member], Decimal(0)))
            uses[party] = parts
        return uses

    def _get_withholding(self, gross, cash, earlier):
        "Return the tax that is withheld from the cash of each party"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Party = pool.get('party.party')
        if not self.withholding_rate:
            return {}
        before = Allocation.get_year_totals(self)
        for row in earlier:
            amounts = before.setdefault(row['party'], {})
            for name in ['gross', 'cash', 'withholding']:
                amounts[name] = (
                    amounts.get(name, Decimal(0))
                    + max(row.get(name, Decimal(0)), Decimal(0)))
        identified = set()
        if self.withholding_unidentified:
            for sub_parties in grouped_slice(list(cash), SLICE):
                identified.update(
                    p.id for p in Party.browse(list(sub_parties))
                    if p.tax_identifier)
        withheld = {}
        for party, money in cash.items():
            if party in identified:
                continue
            amounts = before.get(party, {})
            base = gross if self.withholding_base == 'gross' else cash
            tax = withhold(
                base[party],
                amounts.get(self.withholding_base, Decimal(0)),
                amounts.get('withholding', Decimal(0)),
                self.withholding_rate, self.withholding_threshold,
                self.currency.rounding)
            withheld[party] = min(tax, money)
        return withheld

    def _divide(self, gross, cash, withholding, kept_before, debts, uses):
        "Return how the allocation of a member is made of cash and equity"
        equity = gross - cash
        net = cash - withholding
        given = {}
        for name, use in [('savings', 'savings'), ('donation', 'donate')]:
            given[name] = min(uses.get(use, Decimal(0)), net)
            net -= given[name]
        forfeited = held = Decimal(0)
        kept = False
        if self.minimum and net > 0 and net + kept_before < self.minimum:
            if self.below_minimum == 'keep':
                kept = True
            else:
                if self.below_minimum == 'equity' and self.equity_class:
                    equity += net
                else:
                    forfeited = net
                cash -= net
                net = Decimal(0)
        quantity = Decimal(0)
        if equity > 0:
            quantity, equity, held = whole_shares(
                equity, self.equity_class.par_value,
                self.equity_class.quantity_digits,
                self.currency.rounding)
        to_shares = overdue = Decimal(0)
        if not kept:
            to_shares = min(uses.get('withhold', Decimal(0)), net)
            net -= to_shares
            if self.set_off:
                debt, for_shares = debts
                debt = max(debt - min(to_shares, for_shares), Decimal(0))
                overdue = sum(set_off(net, {'overdue': debt}).values())
        return {
            **given,
            'cash': cash,
            'equity': equity,
            'quantity': quantity,
            'held': held,
            'forfeited': forfeited,
            'withholding': withholding,
            'to_shares': to_shares,
            'set_off': overdue,
            'net': net - overdue,
            'kept': kept,
            }

    @classmethod
    def get_accounts(cls, company, allocations):
        "Return by name the configured accounts the allocations need"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        names = ['account_patronage_payable', 'account_toward_shares',
            'account_patronage_withholding']
        for name, account in [
                ('savings', 'account_savings'),
                ('donation', 'account_donation')]:
            if any(getattr(a, name) for a in allocations):
                names.append(account)
        return {
            name: Configuration.get_account(name, company)
            for name in names}

    @classmethod
    def post(cls, pools):
        "Post the allocations, in moves of a chunk of patrons"
        for pool in pools:
            pool._post()

    def _post(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Line = pool.get('account.move.line')
        Member = pool.get('coop.member')
        Move = pool.get('account.move')
        ShareMove = pool.get('coop.share.move')
        cursor = Transaction().connection.cursor()

        books = Books(self.company)
        date = self.surplus.posting_date
        # All of them do not fit in Tryton's cache of records
        allocation = Allocation.__table__()
        cursor.execute(*allocation.select(
                allocation.id, allocation.member,
                where=allocation.id.in_(Allocation.search([
                            ('pool', '=', self.id),
                            ('gross', '!=', 0),
                            ], order=[], query=True)),
                order_by=allocation.id))
        allocations = cursor.fetchall()
        # Each chunk would lock its own and start all over
        lock_members({Member(member) for _, member in allocations if member})
        chunks = [
            [id_ for id_, _ in chunk]
            for chunk in grouped_slice(allocations, SLICE // 2)]
        moves = [
            books.move(date, [], origin=self, description=self.name)
            for _ in chunks]
        Move.save(moves)
        maturity_date = self.payment_deadline or date
        credit_notes = self._get_credit_notes(date, maturity_date)
        set_offs, to_shares, due = [], [], []
        for move, chunk in zip(moves, chunks):
            allocations = Allocation.browse(chunk)
            accounts = self.get_accounts(self.company, allocations)
            rows = []
            for allocation in allocations:
                rows.extend(
                    row for row in allocation.get_move_lines(
                        self, move, accounts)
                    # The credit note pays it
                    if row[1] != 'net' or allocation not in credit_notes)
            rows.extend(self._get_chunk_lines(
                    allocations, move, accounts, credit_notes))
            lines = []
            for sub_rows in grouped_slice(rows, SLICE // 5):
                lines.extend(Line.create([values for *_, values in sub_rows]))
            links = {
                a.id: {'account_move': move.id} for a in allocations}
            for (allocation, name, _), line in zip(rows, lines):
                if name == 'net':
                    links[allocation.id]['account_move_line'] = line.id
                elif name == 'held':
                    links[allocation.id]['held_line'] = line.id
                elif name == 'to_shares':
                    to_shares.append(line)
                elif name == 'set_off':
                    set_offs.append(line)
            share_moves, allocated = [], []
            equity = self._get_equity(
                [a.member for a in allocations if a.equity < 0])
            for allocation in allocations:
                if allocation.equity > 0:
                    share_move = allocation.get_share_move(self, move, date)
                    share_moves.append(share_move)
                    allocated.append((allocation, share_move))
                elif allocation.equity < 0:
                    share_moves.extend(
                        allocation.get_loss_moves(self, move, date, equity))
                if allocation.net and not allocation.kept:
                    due.append(allocation.party)
            ShareMove.do(share_moves)
            for allocation, share_move in allocated:
                links[allocation.id]['share_move'] = share_move.id
            Allocation.set_links(links)
            # The lines of all the moves together would take much longer
            Move.post([move])
        if self.minimum:
            Allocation.make_due(self.company, due, date, maturity_date)
        self._post_credit_notes(credit_notes)
        self._post_to_shares(books, date, to_shares)
        self._post_set_offs(books, date, set_offs)

    def _post_to_shares(self, books, date, payables):
        "Pay the subscriptions of the members with the payable lines"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        if not payables:
            return
        members = {
            a.member: a for a in Allocation.browse(
                [line.origin.id for line in payables])}
        open_ = self._get_subscriptions(list(members))
        left = {m: a.to_shares for m, a in members.items()}
        for subscription in open_:
            left[subscription.member] -= subscription.amount_to_pay
        short = [m for m, amount in left.items() if amount > 0]
        created = [Subscription(
                company=self.company, member=member, share_class=share_class,
                quantity=quantity, date=date)
            for (member, share_class), quantity in self._get_missing(
                short, date).items()]
        if created:
            Subscription.save(created)
            Subscription.confirm(created)
            for subscription in created:
                members[subscription.member].subscriptions += (subscription,)
            Allocation.save(list({
                        members[s.member] for s in created}))
        by_member = defaultdict(list)
        for subscription in open_ + Subscription.browse(created):
            by_member[subscription.member].append(subscription)
        open_lines = Subscription._open_lines(
            [s for group in by_member.values() for s in group])
        move = books.move(date, [], origin=self, description=self.name)
        move.save()
        values, payments, groups = [], [], []
        for payable in payables:
            amount = payable.credit
            groups.append((payable, len(values)))
            values.append(self._get_line(
                    move, payable.account, amount, party=payable.party.id))
            for subscription in by_member[payable.origin.member]:
                part = min(amount, subscription.amount_to_pay)
                paid = sum(
                    p.amount for p in subscription.payments
                    if p.line and not p.line.reconciliation)
                for instalment in instalment_parts(
                        [line.debit for line in open_lines[subscription]],
                        paid, part):
                    payments.append((subscription, instalment, len(values)))
                    values.append(self._get_line(
                            move, subscription.share_class.account_subscribed,
                            -instalment, party=payable.party.id,
                            origin=str(subscription)))
                amount -= part
        lines = []
        for sub_values in grouped_slice(values, SLICE):
            lines.extend(Line.create(list(sub_values)))
        Move.post([move])
        Payment.enter([
                Payment(
                    subscription=subscription, date=move.date, amount=amount,
                    line=lines[i])
                for subscription, amount, i in payments])
        Subscription.reconcile(list({s for s, *_ in payments}))
        Line.reconcile(*([payable, lines[i]] for payable, i in groups))

    def _post_set_offs(self, books, date, payables):
        "Pay the overdue debts of the parties with the payable lines"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        if not payables:
            return
        debts = self._get_overdue(date, {line.party for line in payables})
        move = books.move(date, [], origin=self, description=self.name)
        move.save()
        values, groups, paid = [], [], defaultdict(list)
        for payable in payables:
            left = payable.credit
            groups.append((payable, len(values)))
            values.append(self._get_line(
                    move, payable.account, left, party=payable.party.id))
            for debt, amount in debts[payable.party]:
                part = min(left, amount)
                if part:
                    paid[debt].append(len(values))
                    values.append(self._get_line(
                            move, debt.account, -part,
                            party=payable.party.id))
                    left -= part
        lines = []
        for sub_values in grouped_slice(values, SLICE):
            lines.extend(Line.create(list(sub_values)))
        Move.post([move])
        Line.reconcile(*([line, lines[i]] for line, i in groups))
        pay_debts({
                debt: [lines[i] for i in indexes]
                for debt, indexes in paid.items()})

    def _get_overdue(self, date, parties=None):
        "Return by party what it had to pay before the date"
        return defaultdict(list, {
                party: [
                    (line, amount) for line, amount in debts
                    if line.maturity_date < date]
                for party, debts in open_debts(
                    self.company, parties).items()})

    def get_debts(self):
        "Return by party id what is overdue, in all and for shares"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        if not self.surplus.posting_date:
            return {}
        result = {}
        for party, debts in self._get_overdue(
                self.surplus.posting_date).items():
            result[party.id] = (
                sum((amount for _, amount in debts), Decimal(0)),
                sum((
                        amount for line, amount in debts
                        if isinstance(line.move.origin, Subscription)),
                    Decimal(0)))
        return result

    def get_clearing_account(self):
        "Return the account the allocations are debited to"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        if self.surplus.recognition == 'appropriation':
            return self.line.account
        return Configuration.get_account(
            'account_patronage_accrued', self.company)

    def _get_chunk_lines(self, allocations, move, accounts, credit_notes):
        "Yield the values of the lines without party of a chunk"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        gross = sum(a.gross for a in allocations)
        withholding = sum(a.withholding for a in allocations)
        donation = sum(a.donation for a in allocations)
        forfeited = sum(a.forfeited for a in allocations)
        credited = sum(a.net for a in allocations if a in credit_notes)
        yield None, None, self._get_line(
            move, self.get_clearing_account(), gross)
        if withholding:
            yield None, None, self._get_line(
                move, accounts['account_patronage_withholding'],
                -withholding)
        if donation:
            yield None, None, self._get_line(
                move, accounts['account_donation'], -donation)
        if credited:
            # The credit notes take it from there
            yield None, None, self._get_line(
                move, Configuration.get_account(
                    'account_patronage_reduction', self.company),
                -credited)
        if forfeited:
            line = self.get_difference_line()
            if not line:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_difference',
                        pool=self.rec_name,
                        amount=self.surplus.format_currency(forfeited)))
            yield None, None, self._get_line(move, line.account, -forfeited)

    def _get_line(self, move, account, amount, **values):
        "Return the values of a line: a positive amount is a debit"
        return {
            'move': move.id,
            'account': account.id,
            'debit': max(amount, Decimal(0)),
            'credit': max(-amount, Decimal(0)),
            **values,
            }

    @classmethod
    def cancel(cls, pools):
        "Take back all that the pools posted"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        Reconciliation = pool.get('account.move.reconciliation')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        origins = {str(p) for p in pools}
        for line in Line.search([
                    ('move.origin', 'in', list(origins)),
                    ('credit', '>', 0),
                    ('account.type.payable', '=', True),
                    Line.get_paid_domain(),
                    ]):
            # What the pools reconciled themselves is taken back with them
            if (not line.reconciliation
                    or any(str(other.move.origin) not in origins
                        for other in line.reconciliation.lines)):
                allocation = line.origin
                raise CancelError(gettext(
                        'coop_patronage.msg_allocation_paid',
                        allocation=allocation.rec_name,
                        surplus=allocation.surplus.rec_name))
        for pool in pools:
            pool._cancel_credit_notes()
            books = Books(pool.company)
            moves = list(pool.moves)
            # What was paid of a subscription before stays paid
            with Transaction().set_context(keep_share_payments=True):
                Reconciliation.delete(list({
                            line.reconciliation
                            for move in moves for line in move.lines
                            if line.reconciliation}))
            Payment.take_back(Payment.search([
                        ('line.move', 'in', [m.id for m in moves]),
                        ]))
            Subscription.cancel(list({
                        s for a in pool.allocations
                        for s in a.subscriptions}))
            reversals = [
                books.reversal(move, pool.surplus.posting_date)
                for move in moves]
            Books.post(reversals)
            reversals = dict(zip(moves, reversals))
            ShareMove.reverse(ShareMove.search([
                        ('account_move', 'in', [m.id for m in moves]),
                        ('reversal_of', '=', None),
                        ]), reversals)
            groups = []
            for move, reversal in reversals.items():
                lines = defaultdict(list)
                for line in move.lines + reversal.lines:
                    type_ = line.account.type
                    if (line.account.reconcile
                            and (type_.payable or type_.receivable)):
                        lines[line.account, line.party].append(line)
                groups.extend(lines.values())
            if groups:
                Line.reconcile(*groups)

    @classmethod
    def check_clearing(cls, surplus):
        "Yield what a posted surplus left on its clearing accounts"
        origins = [str(surplus)] + [str(p) for p in surplus.pools]
        accounts = {
            pool.get_clearing_account(): pool for pool in surplus.pools}
        balances = get_balances(
            surplus.company, accounts, lambda move: move.origin.in_(origins))
        for account, pool in accounts.items():
            if balances[account.id]:
                yield Difference(
                    pool,
                    gettext('coop_patronage.msg_check_clearing',
                        pool=pool.rec_name,
                        surplus=surplus.rec_name,
                        account=account.rec_name),
                    Decimal(0), balances[account.id])


class PoolCategory(ModelSQL):
    __name__ = 'coop.patronage.pool-coop.patronage.category'

    pool = fields.Many2One(
        'coop.patronage.pool', "Pool", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class PoolMemberCategory(ModelSQL):
    __name__ = 'coop.patronage.pool-coop.member.category'

    pool = fields.Many2One(
        'coop.patronage.pool', "Pool", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        ondelete='RESTRICT', required=True)


class Allocation(UnclaimedMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.allocation'
    __string__ = "Patronage Allocation"
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
    set_off = Monetary(
        "Set Off", currency='currency', digits='currency', readonly=True,
        help="What pays overdue debts of the patron.")
    net = Monetary(
        "Net", currency='currency', digits='currency', readonly=True,
        help="What is payable to the patron.")
    kept = fields.Boolean("Kept", readonly=True,
        help="It is not paid until there is the minimum.")
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
            (Exists(reconciled), 'paid'),
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
            self.account_move_line and self.account_move_line.reconciliation)

    def get_rec_name(self, name):
        return f'{self.pool.rec_name} - {self.party.rec_name}'

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if operator.startswith('!') or operator.startswith('not '):
            bool_op = 'AND'
        else:
            bool_op = 'OR'
        return [bool_op,
            ('pool.rec_name', operator, operand, *extra),
            ('party.rec_name', operator, operand, *extra),
            ]

    @property
    def address_lines(self):
        address = self.party.address_get()
        return address.full_address.splitlines() if address else []

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
        names = [
            'pool', 'party', 'member', 'basis', 'share', 'gross', 'cash',
            'equity', 'quantity', 'held', 'savings', 'donation',
            'to_shares', 'forfeited', 'withholding', 'set_off', 'net',
            'kept', 'vintage']
        defaults = dict.fromkeys(names, Decimal(0))
        defaults['kept'] = False
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
    def get_year_totals(cls, pool_):
        """Return what the other posted allocations of the calendar year of
        the pool are worth and what was withheld from them, by party"""
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        table = cls.__table__()
        t_pool = Pool_.__table__()
        surplus = Surplus.__table__()
        cursor = Transaction().connection.cursor()
        date = pool_.surplus.posting_date
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
                where=(surplus.company == pool_.company.id)
                & (surplus.state == 'posted')
                & (surplus.posting_date >= date.replace(month=1, day=1))
                & (surplus.posting_date <= date.replace(month=12, day=31)),
                group_by=table.party))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None] + ['NUMERIC'] * 3)
        cursor.execute(*query)
        return {row['party']: {
                n: pool_.currency.round(row[n])
                for n in ['gross', 'cash', 'withholding']}
            for row in cursor_dict(cursor)}

    @classmethod
    def get_kept(cls, company):
        "Return what is kept below the minimum by party id"
        kept = defaultdict(Decimal)
        for allocation in cls._search_kept(company):
            kept[allocation.party.id] += allocation.net
        return kept

    @classmethod
    def make_due(cls, company, parties, date, maturity_date):
        "Make what was kept of the parties payable"
        pool = Pool()
        Line = pool.get('account.move.line')
        Pool_ = pool.get('coop.patronage.pool')
        parties = set(parties)
        allocations = [
            a for a in cls._search_kept(company) if a.party in parties]
        if allocations:
            Line.write(
                [a.account_move_line for a in allocations],
                {'maturity_date': maturity_date})
            Pool_.credit_kept(allocations, date, maturity_date)

    @classmethod
    def _search_kept(cls, company):
        return cls.search([
                ('pool.surplus.company', '=', company.id),
                ('pool.surplus.state', '=', 'posted'),
                ('kept', '=', True),
                ('account_move_line.maturity_date', '=', None),
                ('account_move_line.reconciliation', '=', None),
                ])

    def get_move_lines(self, pool, move, accounts):
        """Yield for each line with the party the allocation, the name of the
        field that is posted and the values"""
        date = None if self.kept else pool.payment_deadline or move.date
        for name, account, maturity_date in [
                ('net', accounts['account_patronage_payable'], date),
                ('to_shares', accounts['account_patronage_payable'],
                    move.date),
                ('set_off', accounts['account_patronage_payable'], move.date),
                ('savings', accounts.get('account_savings'), None),
                ('held', accounts['account_toward_shares'], None),
                ('equity', pool.equity_class
                    and pool.equity_class.account_capital, None)]:
            amount = getattr(self, name)
            if amount:
                yield self, name, pool._get_line(
                    move, account, -amount,
                    party=self.party.id,
                    maturity_date=maturity_date,
                    origin=str(self))

    def get_share_move(self, pool, move, date):
        "Return the unsaved row of the share ledger"
        ShareMove = Pool().get('coop.share.move')
        return ShareMove(
            company=pool.company,
            share_class=pool.equity_class,
            kind='allocation',
            quantity=self.quantity,
            to_member=self.member,
            start_date=date,
            par_value=pool.equity_class.par_value,
            amount=self.equity,
            vintage=self.vintage,
            origin=self,
            account_move=move)

    def get_loss_moves(self, pool, move, date, balances):
        "Return the unsaved rows that take the loss from the vintages"
        ShareMove = Pool().get('coop.share.move')
        share_class = pool.equity_class
        taken, _ = absorb(
            {self.member.id: -self.equity},
            {k: v for k, v in balances.items() if k[0] == self.member.id},
            pool.loss_order == 'newest')
        return [ShareMove(
                company=pool.company,
                share_class=share_class,
                kind='loss',
                quantity=amount / share_class.par_value,
                from_member=self.member,
                end_date=date - DAY,
                par_value=share_class.par_value,
                amount=amount,
                vintage=vintage or None,
                origin=self,
                account_move=move)
            for (_, vintage), amount in taken.items()]

    @classmethod
    def check_modification(
            cls, mode, allocations, values=None, external=False):
        super().check_modification(
            mode, allocations, values=values, external=external)
        if external:
            for allocation in allocations:
                raise AccessError(gettext(
                        'coop_patronage.msg_allocation_modify',
                        allocation=allocation.rec_name))


class AllocationSubscription(ModelSQL):
    __name__ = 'coop.patronage.allocation-coop.share.subscription'

    allocation = fields.Many2One(
        'coop.patronage.allocation', "Allocation",
        ondelete='CASCADE', required=True)
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription",
        ondelete='RESTRICT', required=True)


class OpenActivity(Wizard):
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
