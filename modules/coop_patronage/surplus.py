# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import hashlib
import json
from decimal import Decimal
from fractions import Fraction

from sql import Null
from sql.aggregate import Sum
from sql.operators import Equal

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Check, Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.report import Report
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .exceptions import (
    ActivityLocked, AllocationError, AppropriationError, ApprovalError,
    CancelError, PostError)
from .plan import (
    MEMBER_RATIO_BASES, RECOGNITIONS, LineMixin, account_field,
    target_account_field)
from .solvency import SolvencyMixin
from .waterfall import Rule, RuleError, appropriate, target_room

# The configured account of the lines of each kind
ACCOUNTS = {
    'loss_carried': 'account_carry_forward',
    'reserve': 'account_reserve',
    'fund': 'account_fund',
    'share_dividend': 'account_share_dividend',
    'patronage': 'account_patronage',
    'carry_forward': 'account_carry_forward',
    'other': 'account_other_reserve',
    }
# The field that totals the lines of each kind
KINDS = {
    'loss_carried': 'carried_forward',
    'reserve': 'reserves',
    'fund': 'funds',
    'share_dividend': 'share_dividends',
    'patronage': 'patronage',
    'carry_forward': 'carried_forward',
    'other': 'reserves',
    }
# The sources of the activity of each member ratio
RATIO_SOURCES = {
    'turnover': ['customer_invoice', 'entry'],
    'purchases': ['supplier_invoice', 'entry'],
    'hours': ['entry', 'timesheet'],
    }


def has_usage(categories):
    "Return if the use of the commons is among the categories"
    return any(c.source == 'commons' for c in categories)


def changed_days(old, new):
    """Yield the stretches of days that are in only one of two stretches

    An open start or end is None.
    """
    starts = [start or dt.date.min for start, _ in [old, new]]
    ends = [end or dt.date.max for _, end in [old, new]]
    if starts[0] != starts[1]:
        yield min(starts), max(starts) - DAY
    if ends[0] != ends[1]:
        yield min(ends) + DAY, max(ends)


def get_balances(company, accounts, where):
    "Return the credit balance of the accounts"
    pool = Pool()
    Move = pool.get('account.move')
    Line = pool.get('account.move.line')
    move = Move.__table__()
    line = Line.__table__()
    cursor = Transaction().connection.cursor()
    accounts = list({int(a) for a in accounts if a})
    balances = dict.fromkeys(accounts, Decimal(0))
    for sub_accounts in grouped_slice(accounts, SLICE):
        query = (line
            .join(move, condition=line.move == move.id)
            .select(
                line.account,
                Sum(line.credit - line.debit).as_('balance'),
                where=fields.SQL_OPERATORS['in'](
                    line.account, list(sub_accounts))
                & (move.company == company.id)
                & where(move),
                group_by=line.account))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        for account, balance in cursor:
            balances[account] = company.currency.round(balance)
    return balances


class Surplus(
        CancelledMixin, SolvencyMixin, BooksMixin,
        Workflow, ModelSQL, ModelView):
    __name__ = 'coop.surplus'
    __string__ = "Appropriation of Surplus"

    _states = {
        'readonly': ~Eval('state').in_(['draft', 'computed']),
        }
    _account_domain = [
        ('type.statement', '=', 'balance'),
        ('deferral', '=', True),
        ('party_required', '!=', True),
        ('closed', '!=', True),
        ('company', '=', Eval('company', -1)),
        ]

    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': _states['readonly'] | Eval('fiscalyear'),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    description = fields.Char("Description", states=_states,
        help="Tells the drafts of a year apart.")
    plan = fields.Many2One('coop.surplus.plan', "Plan", states=_states,
        help="Fills the lines when it is chosen.")
    recognition = fields.Selection(
        RECOGNITIONS, "Recognition", required=True, sort=False,
        states=_states,
        help="Appropriation if the general meeting decides, otherwise "
        "patronage dividends are owed already at the end of the year.")
    posting_date = fields.Date("Posting Date",
        states={
            'readonly': _states['readonly'],
            'required': Eval('state').in_(['approved', 'posted']),
            },
        help="The date in an open period after the fiscal year.")
    account_surplus = fields.Many2One(
        'account.account', "Undivided Surplus", required=True,
        domain=_account_domain, states=_states,
        help="The account to which the result of the year is closed.")
    result = Monetary(
        "Result", currency='currency', digits='currency', readonly=True,
        help="The income less the expenses of the year, "
        "without the closing move.")
    accrued = fields.Function(Monetary(
            "Patronage Accrued", currency='currency', digits='currency',
            states={
                'invisible': Eval('recognition') == 'appropriation',
                },
            help="What the result bears already for patronage dividends."),
        'get_accrued')
    brought_forward = Monetary(
        "Brought Forward", currency='currency', digits='currency',
        required=True, states=_states,
        help="The surplus or, negative, the loss of the years before "
        "that is appropriated together.")
    account_brought_forward = fields.Many2One(
        'account.account', "Account Brought Forward",
        domain=_account_domain,
        states={
            'readonly': _states['readonly'],
            'invisible': ~Eval('brought_forward', 0),
            'required': Bool(Eval('brought_forward', 0)),
            })
    reserve_release = Monetary(
        "Reserve Release", currency='currency', digits='currency',
        required=True, states=_states,
        domain=[
            ('reserve_release', '>=', 0),
            ],
        help="What is released from a reserve to be appropriated.")
    account_reserve_release = fields.Many2One(
        'account.account', "Account of Reserve Release",
        domain=_account_domain,
        states={
            'readonly': _states['readonly'],
            'invisible': ~Eval('reserve_release', 0),
            'required': Bool(Eval('reserve_release', 0)),
            })
    total = fields.Function(Monetary(
            "Total", currency='currency', digits='currency',
            help="What the lines appropriate."),
        'on_change_with_total')
    other_result = Monetary(
        "Other Result", currency='currency', digits='currency',
        required=True, states=_states,
        help="The part of the result from outside the cooperative activity, "
        "which belongs neither to members nor to non-members.")
    member_ratio_basis = fields.Selection(
        MEMBER_RATIO_BASES, "Member Ratio Basis", required=True, sort=False,
        states=_states,
        help="By what the part of the members in the result is measured.")
    member_ratio_categories = fields.Many2Many(
        'coop.surplus-coop.patronage.category', 'surplus', 'category',
        "Member Ratio Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('member_ratio_basis') == 'fixed',
            },
        help="The activity the member ratio is measured by.\n"
        "Leave empty for all that fit the basis.")
    member_ratio = fields.Numeric("Member Ratio", digits=(None, 6),
        domain=['OR',
            ('member_ratio', '=', None), [
                ('member_ratio', '>=', 0),
                ('member_ratio', '<=', 1),
                ],
            ],
        states={
            'readonly': (_states['readonly']
                | (Eval('member_ratio_basis') != 'fixed')),
            'required': Eval('member_ratio_basis') == 'fixed',
            },
        help="The part of the members.")
    member_result = Monetary(
        "Result with Members", currency='currency', digits='currency',
        readonly=True)
    non_member_result = Monetary(
        "Result with Non-Members", currency='currency', digits='currency',
        readonly=True)
    patronage_base = Monetary(
        "Patronage Base", currency='currency', digits='currency',
        states=_states,
        help="The amount, by tax law or the statutes, of which patronage "
        "dividends must not exceed the part of the members.")
    patronage_base_reason = fields.Char("Patronage Base Reason",
        states={
            'readonly': _states['readonly'],
            'invisible': ~Eval('patronage_base', 0),
            'required': Bool(Eval('patronage_base', 0)),
            })
    lines = fields.One2Many('coop.surplus.line', 'surplus', "Lines",
        states=_states)
    reserves = fields.Function(Monetary(
            "Reserves", currency='currency', digits='currency',
            help="What the lines of reserves and the other lines take."),
        'get_kinds')
    funds = fields.Function(Monetary(
            "Funds", currency='currency', digits='currency'), 'get_kinds')
    share_dividends = fields.Function(Monetary(
            "Share Dividends", currency='currency', digits='currency'),
        'get_kinds')
    patronage = fields.Function(Monetary(
            "Patronage", currency='currency', digits='currency'),
        'get_kinds')
    patronage_cash = fields.Function(Monetary(
            "Patronage in Cash", currency='currency', digits='currency',
            help="What the pools allocate in money."),
        'get_pools')
    patronage_equity = fields.Function(Monetary(
            "Patronage in Equity", currency='currency', digits='currency',
            help="What the pools allocate in shares."),
        'get_pools')
    carried_forward = fields.Function(Monetary(
            "Carried Forward", currency='currency', digits='currency',
            help="What is carried forward, less the losses that are made up "
            "for."),
        'get_kinds')
    pools = fields.One2Many('coop.patronage.pool', 'surplus', "Pools",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="The decision of the general meeting on the appropriation.")
    moves = fields.One2Many('account.move', 'origin', "Moves", readonly=True)
    move = fields.Many2One('account.move', "Move", readonly=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    accrual_move = fields.Many2One('account.move', "Accrual Move",
        readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('recognition') == 'appropriation',
            })
    prepared_by = fields.Many2One('res.user', "Prepared by", readonly=True,
        ondelete='RESTRICT')
    approved_by = fields.Many2One('res.user', "Approved by", readonly=True,
        ondelete='RESTRICT')
    input_hash = fields.Char("Input Hash", readonly=True,
        help="Identifies all the figures the amounts are computed from.")
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('approved', "Approved"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states, _account_domain

    @classmethod
    def __setup__(cls):
        cls.input_hash.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._order = [
            ('fiscalyear.start_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._sql_constraints += [
            ('fiscalyear_exclude', Exclude(t,
                    (t.company, Equal), (t.fiscalyear, Equal),
                    where=t.state.in_(['approved', 'posted'])),
                'coop_patronage.msg_surplus_fiscalyear'),
            ]
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'computed'),
            ('computed', 'draft'),
            ('computed', 'approved'),
            ('approved', 'draft'),
            ('approved', 'posted'),
            ('draft', 'cancelled'),
            ('computed', 'cancelled'),
            ('posted', 'cancelled'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': ~Eval('state').in_(['computed', 'approved']),
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': ~Eval('state').in_(['draft', 'computed']),
                    'depends': ['state'],
                    },
                'accrue': {
                    'invisible': (
                        (Eval('recognition') == 'appropriation')
                        | Eval('accrual_move')
                        | (Eval('state') != 'computed')),
                    'depends': ['recognition', 'accrual_move', 'state'],
                    },
                'approve': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                'post': {
                    'invisible': Eval('state') != 'approved',
                    'depends': ['state'],
                    },
                'cancel': {
                    'invisible': ~Eval('state').in_(
                        ['draft', 'computed', 'posted']),
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_recognition(cls):
        return 'appropriation'

    @classmethod
    def default_account_surplus(cls):
        return cls._configured_account(
            'account_surplus', cls.default_company())

    @classmethod
    def default_account_brought_forward(cls):
        return cls._configured_account(
            'account_carry_forward', cls.default_company())

    @classmethod
    def default_account_reserve_release(cls):
        return cls._configured_account(
            'account_other_reserve', cls.default_company())

    @classmethod
    def _configured_account(cls, name, company):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        if company:
            account = Configuration(1).get_multivalue(name, company=company)
            return account.id if account else None

    @classmethod
    def default_brought_forward(cls):
        return Decimal(0)

    @classmethod
    def default_reserve_release(cls):
        return Decimal(0)

    @classmethod
    def default_other_result(cls):
        return Decimal(0)

    @classmethod
    def default_member_ratio_basis(cls):
        return 'turnover'

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends(
        'result', 'accrued', 'brought_forward', 'reserve_release')
    def on_change_with_total(self, name=None):
        if self.result is not None:
            return (
                self.result + (self.accrued or 0)
                + (self.brought_forward or 0) + (self.reserve_release or 0))

    @fields.depends('plan', 'company', 'lines')
    def on_change_plan(self):
        if self.plan and self.company:
            self.recognition = self.plan.recognition
            self.member_ratio_basis = self.plan.member_ratio_basis
            self.lines = [
                line.get_surplus_line(self.company)
                for line in self.plan.lines]

    @classmethod
    def get_accrued(cls, surpluses, name):
        return {
            s.id: sum((line.credit for line in s.accrual_move.lines),
                Decimal(0)) if s.accrual_move else Decimal(0)
            for s in surpluses}

    @classmethod
    def get_kinds(cls, surpluses, names):
        "Return what the lines of some kinds take together"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        line = Line.__table__()
        cursor = Transaction().connection.cursor()
        amounts = {
            n: dict.fromkeys(map(int, surpluses), Decimal(0)) for n in names}
        currencies = {s.id: s.currency for s in surpluses}
        for sub_ids in grouped_slice(list(currencies), SLICE):
            query = line.select(
                line.surplus, line.kind,
                Sum(line.computed_amount).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    line.surplus, list(sub_ids))
                & (line.computed_amount != Null),
                group_by=[line.surplus, line.kind])
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, None, 'NUMERIC'])
            cursor.execute(*query)
            for surplus, kind, amount in cursor:
                name = KINDS[kind]
                if name in amounts:
                    amounts[name][surplus] += currencies[surplus].round(
                        amount)
        return amounts

    @classmethod
    def get_pools(cls, surpluses, names):
        return {
            name: {
                s.id: sum((
                        getattr(p, name.replace('patronage', 'total'))
                        for p in s.pools), Decimal(0))
                for s in surpluses}
            for name in names}

    def get_rec_name(self, name):
        return ' '.join(filter(
                None, [self.fiscalyear.rec_name, self.description]))

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if operator.startswith('!') or operator.startswith('not '):
            bool_op = 'AND'
        else:
            bool_op = 'OR'
        return [bool_op,
            ('fiscalyear.rec_name', operator, operand, *extra),
            ('description', operator, operand, *extra),
            ]

    @classmethod
    def copy(cls, surpluses, default=None):
        default = default.copy() if default is not None else {}
        # The lines of the copy are other ones
        default.setdefault('pools.line')
        default.setdefault('pools.difference_line')
        for name in [
                'result', 'member_result', 'non_member_result', 'moves',
                'move', 'accrual_move', 'resolution', 'prepared_by',
                'approved_by', 'input_hash']:
            default.setdefault(name)
        copies = super().copy(surpluses, default=default)
        pools = []
        for surplus, copy in zip(surpluses, copies):
            lines = dict(zip(surplus.lines, copy.lines))
            for pool, new_pool in zip(surplus.pools, copy.pools):
                new_pool.line = lines.get(pool.line)
                new_pool.difference_line = lines.get(pool.difference_line)
                pools.append(new_pool)
        if pools:
            pools[0].__class__.save(pools)
        return copies

    @classmethod
    def check_modification(cls, mode, surpluses, values=None, external=False):
        super().check_modification(
            mode, surpluses, values=values, external=external)
        if mode == 'delete':
            for surplus in surpluses:
                if surplus.state != 'draft' or surplus.accrual_move:
                    raise AccessError(gettext(
                            'coop_patronage.msg_surplus_delete',
                            surplus=surplus.rec_name))
        elif external:
            cls.check_modifiable(surpluses, values)

    @classmethod
    def get_allocated(cls, companies):
        "Return the fiscal years that are allocated, by company"
        allocated = {company: [] for company in companies}
        for surplus in cls.search([
                    ('company', 'in', [c.id for c in companies]),
                    ('state', 'in', ['approved', 'posted']),
                    ('pools', '!=', None),
                    ]):
            allocated[surplus.company].append(surplus.fiscalyear)
        return allocated

    @classmethod
    def check_allocated(cls, changes, message):
        """Refuse what changes the activity of an allocated year

        The changes are pairs of a record and the stretch of days on which it
        changes, of which None is an open start or end.
        """
        changes = list(changes)
        allocated = cls.get_allocated({r.company for r, _ in changes})
        for record, (start, end) in changes:
            for fiscalyear in allocated[record.company]:
                if ((not start or start <= fiscalyear.end_date)
                        and (not end or end >= fiscalyear.start_date)):
                    raise ActivityLocked(gettext(message,
                            record=record.rec_name,
                            fiscalyear=fiscalyear.rec_name))

    @classmethod
    def check_modifiable(cls, surpluses, values=None):
        "Refuse that a client does what the buttons do"
        for surplus in surpluses:
            if (surplus.state not in {'draft', 'computed'}
                    or (values or {}).keys() & {'state', 'input_hash'}):
                raise AccessError(gettext(
                        'coop_patronage.msg_surplus_modify',
                        surplus=surplus.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, surpluses):
        cls.write(surpluses, {
                'prepared_by': None,
                'approved_by': None,
                'input_hash': None,
                })

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, surpluses):
        cls.lock(surpluses)
        for surplus in surpluses:
            surplus._compute()
            surplus.prepared_by = Transaction().user
        cls.save(surpluses)

    def _compute(self):
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Allocation = pool.get('coop.patronage.allocation')

        self._set_pool_lines()
        inputs = self.get_inputs()
        ratio = inputs['member_ratio']
        self.input_hash = self.get_hash(inputs)
        self.result = inputs['result']
        self.member_ratio = round(Decimal(
                ratio.numerator) / ratio.denominator, 6)
        activity_result = inputs['bases']['activity']
        self.member_result = inputs['bases']['member_result']
        self.non_member_result = activity_result - self.member_result

        amounts = self.get_amounts(inputs)
        left = self._get_left(amounts)
        allocations = []
        for pool_ in self.pools:
            amount = pool_.amount
            if amount is None:
                amount = left.pop(pool_.line)
            allocated, rows = pool_.get_allocations(
                amount, inputs['activity'][has_usage(pool_.categories)],
                inputs['debts'], allocations)
            # The last pool bears what no pool of its line distributes
            difference = amount - allocated
            if pool_ == self._last_pool(pool_.line):
                difference += left.pop(pool_.line, 0)
            if difference:
                line = pool_.get_difference_line()
                if not line:
                    raise AllocationError(gettext(
                            'coop_patronage.msg_pool_difference',
                            pool=pool_.rec_name,
                            amount=self.format_currency(difference)))
                amounts[pool_.line.id] -= difference
                amounts[line.id] += difference
            allocations.extend(rows)
        for line in self.lines:
            line.computed_amount = amounts[line.id]
        self._check_patronage_base(ratio)
        Line.save(self.lines)
        Allocation.replace(self.pools, allocations)

    def get_inputs(self):
        "Return all what the amounts are computed from"
        result = self.get_result()
        ratio_categories = self._ratio_categories()
        activity = self._get_activity(ratio_categories)
        member_ratio = self._get_member_ratio(
            activity[has_usage(ratio_categories)], ratio_categories)
        before = result + self.accrued
        activity_result = before - self.other_result
        member_result = half_up(
            Fraction(activity_result) * member_ratio, self.currency.rounding)
        balances = get_balances(
            self.company,
            [a for line in self.lines
                for a in [line.account, line.target_account]],
            lambda move: move.date <= self.fiscalyear.end_date)
        return {
            'result': result,
            'member_ratio': member_ratio,
            'total': before + self.brought_forward + self.reserve_release,
            'bases': {
                'result': before,
                'activity': activity_result,
                'member_result': member_result,
                'non_member_result': activity_result - member_result,
                },
            'rules': [line.get_rule(balances, before) for line in self.lines],
            'accounts': [str(line.account) for line in self.lines],
            'pools': [p.get_parameters() for p in self.pools],
            'debts': next(
                (p.get_debts() for p in self.pools if p.set_off), {}),
            'activity': activity,
            }

    def _get_activity(self, ratio_categories):
        """Return the sums of the activity of the pools and of the ratio

        What is billed for the use of the commons does not count together with
        this use itself: the keys tell if it is among the categories.
        """
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        Reassignment = pool.get('coop.patronage.reassignment')
        start_date = self.fiscalyear.start_date
        end_date = self.fiscalyear.end_date
        Reassignment.check_shares(self.company, start_date, end_date)
        groups = [p.categories for p in self.pools] + [ratio_categories]
        activity = {}
        for usage in [False, True]:
            categories = {
                c for group in groups if has_usage(group) == usage
                for c in group}
            activity[usage] = Activity.get_sums(
                self.company, categories, start_date,
                end_date) if categories else []
        return activity

    @classmethod
    def get_hash(cls, inputs):
        inputs = inputs.copy()
        # What is accrued is added to the result again
        del inputs['result']
        inputs['activity'] = [
            sorted(map(str, rows)) for rows in inputs['activity'].values()]
        return hashlib.sha256(json.dumps(
                inputs, sort_keys=True, default=str).encode()).hexdigest()

    def get_result(self):
        "Return the result of the year without the closing move"
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Move = pool.get('account.move')
        Line = pool.get('account.move.line')
        Period = pool.get('account.period')
        account = Account.__table__()
        account_type = AccountType.__table__()
        move = Move.__table__()
        line = Line.__table__()
        period = Period.__table__()
        cursor = Transaction().connection.cursor()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .join(account_type, condition=account.type == account_type.id)
            .select(Sum(line.credit - line.debit).as_('result'),
                where=(period.fiscalyear == self.fiscalyear.id)
                & (account_type.statement == 'income')
                & (move.state == 'posted')
                & ((move.origin == Null)
                    | (move.origin != str(self.fiscalyear)))))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC'])
        cursor.execute(*query)
        result, = cursor.fetchone()
        return self.currency.round(result or Decimal(0))

    def _ratio_categories(self):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        if self.member_ratio_basis == 'fixed':
            return set()
        if self.member_ratio_categories:
            return set(self.member_ratio_categories)
        measure = (
            'quantity' if self.member_ratio_basis == 'hours' else 'amount')
        return set(Category.search([
                    ('company', '=', self.company.id),
                    ('measure', '=', measure),
                    ('source', 'in', RATIO_SOURCES[self.member_ratio_basis]),
                    ]))

    def _get_member_ratio(self, activity, categories):
        "Return the exact part of the members"
        if self.member_ratio_basis == 'fixed':
            return Fraction(self.member_ratio)
        measures = {c.id: c.measure for c in categories}
        members = total = Decimal(0)
        for _, member, category, quantity, amount in activity:
            if category in measures:
                value = (
                    quantity if measures[category] == 'quantity' else amount)
                total += value
                if member:
                    members += value
        # Without activity there is nobody but the members
        if total <= 0:
            return Fraction(1)
        return min(max(Fraction(members) / Fraction(total), 0), Fraction(1))

    def format_currency(self, amount):
        return Report.format_currency(amount, None, self.currency)

    def get_amounts(self, inputs):
        "Return the amount of each line by its id"
        lines = {line.id: line for line in self.lines}
        try:
            return appropriate(
                inputs['total'], inputs['rules'], inputs['bases'],
                self.currency.rounding)
        except RuleError as e:
            if e.key:
                raise AppropriationError(gettext(
                        f'coop_patronage.msg_surplus_line_{e.reason}',
                        line=lines[e.key].rec_name,
                        amount=self.format_currency(e.amount),
                        limit=self.format_currency(e.limit))) from e
            raise AppropriationError(gettext(
                    f'coop_patronage.msg_surplus_{e.reason}',
                    surplus=self.rec_name,
                    amount=self.format_currency(e.amount))) from e

    def _set_pool_lines(self):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        lines = [line for line in self.lines if line.kind == 'patronage']
        for pool in self.pools:
            if not pool.line:
                if len(lines) != 1:
                    raise AllocationError(gettext(
                            'coop_patronage.msg_pool_line',
                            pool=pool.rec_name))
                pool.line, = lines
        Pool_.save(self.pools)

    def _get_left(self, amounts):
        "Return what the pools with an amount leave of each line"
        left = {}
        for line in {p.line for p in self.pools}:
            pools = [p for p in self.pools if p.line == line]
            if sum(p.amount is None for p in pools) > 1:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_amount_missing',
                        line=line.rec_name))
            amount = amounts[line.id]
            fixed = [p.amount for p in pools if p.amount is not None]
            left[line] = amount - sum(fixed)
            if (left[line] * amount < 0
                    or any(f * amount < 0 for f in fixed)):
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_amount_exceeded',
                        line=line.rec_name,
                        amount=self.format_currency(amount)))
        return left

    def _last_pool(self, line):
        return [p for p in self.pools if p.line == line][-1]

    def _check_patronage_base(self, member_ratio):
        if self.patronage_base is None:
            return
        limit = half_up(
            Fraction(self.patronage_base) * member_ratio,
            self.currency.rounding)
        amount = self._get_patronage()
        if amount > limit:
            raise AppropriationError(gettext(
                    'coop_patronage.msg_surplus_patronage_base',
                    surplus=self.rec_name,
                    amount=self.format_currency(amount),
                    limit=self.format_currency(limit)))

    @classmethod
    @ModelView.button
    def accrue(cls, surpluses):
        "Post what is owed for patronage at the end of the year"
        cls.lock(surpluses)
        for surplus in surpluses:
            if surplus.accrual_move or surplus.state != 'computed':
                raise PostError(gettext(
                        'coop_patronage.msg_surplus_accrued',
                        surplus=surplus.rec_name))
            surplus._check_inputs(PostError)
            books = Books(surplus.company)
            amount = surplus._get_patronage()
            if amount > 0:
                surplus.accrual_move = books.move(
                    surplus.fiscalyear.end_date,
                    surplus._get_accrual_lines(books, amount),
                    origin=surplus, description=surplus.description)
        Books.post([s.accrual_move for s in surpluses])
        for surplus in surpluses:
            surplus.result = surplus.get_result()
        cls.save(surpluses)

    def _get_accrual_lines(self, books, amount):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        account = Configuration.get_account(
            'account_patronage_expense' if self.recognition == 'expense'
            else 'account_patronage_reduction', self.company)
        accrued = Configuration.get_account(
            'account_patronage_accrued', self.company)
        return [books.line(account, amount), books.line(accrued, -amount)]

    def _get_patronage(self):
        return sum((
                line.computed_amount for line in self.lines
                if line.kind == 'patronage'), Decimal(0))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, surpluses):
        cls.lock(surpluses)
        for surplus in surpluses:
            surplus._check_approval()
            surplus.approved_by = Transaction().user
        cls.save(surpluses)

    def _check_approval(self):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        config = Configuration(1)
        self.check_solvency(ApprovalError)
        if not self.posting_date:
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_posting_date',
                    surplus=self.rec_name))
        if self.search([
                    ('company', '=', self.company.id),
                    ('fiscalyear', '=', self.fiscalyear.id),
                    ('state', 'in', ['approved', 'posted']),
                    ('id', '!=', self.id),
                    ], limit=1):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_fiscalyear'))
        if (config.get_multivalue('other_approver', company=self.company.id)
                and self.prepared_by.id == Transaction().user):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_other_approver',
                    surplus=self.rec_name,
                    user=self.prepared_by.rec_name))
        if config.get_multivalue(
                'resolution_required', company=self.company.id):
            self._check_resolution()
        pools = {p.line for p in self.pools}
        for line in self.lines:
            if not line.account:
                raise ApprovalError(gettext(
                        'coop_patronage.msg_surplus_line_account',
                        line=line.rec_name))
            if (line.kind == 'patronage' and line.computed_amount
                    and line not in pools):
                raise ApprovalError(gettext(
                        'coop_patronage.msg_surplus_line_pool',
                        line=line.rec_name))
        self._check_inputs(ApprovalError)

    def _check_resolution(self):
        "Check that the meeting carried the accounts and the appropriation"
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        if not self.resolution:
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_resolution_missing',
                    surplus=self.rec_name))
        if (self.resolution.result != 'carried'
                or self.resolution.meeting.state != 'closed'
                or self.resolution.purpose != 'appropriation'
                or self.resolution.fiscalyear != self.fiscalyear):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_resolution',
                    surplus=self.rec_name,
                    resolution=self.resolution.rec_name,
                    fiscalyear=self.fiscalyear.rec_name))
        if not Item.search([
                    ('meeting.company', '=', self.company.id),
                    ('meeting.state', '=', 'closed'),
                    ('purpose', '=', 'accounts'),
                    ('fiscalyear', '=', self.fiscalyear.id),
                    ('result', '=', 'carried'),
                    ], limit=1):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_accounts',
                    surplus=self.rec_name,
                    fiscalyear=self.fiscalyear.rec_name))

    def _check_inputs(self, Error):
        if self.get_hash(self.get_inputs()) != self.input_hash:
            raise Error(gettext(
                    'coop_patronage.msg_surplus_inputs',
                    surplus=self.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, surpluses):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        cls.lock(surpluses)
        for surplus in surpluses:
            surplus._check_post()
            surplus.move = surplus.get_move()
        Books.post([s.move for s in surpluses])
        cls.save(surpluses)
        Pool_.post([p for s in surpluses for p in s.pools])

    def _check_post(self):
        if self.posting_date <= self.fiscalyear.end_date:
            raise PostError(gettext(
                    'coop_patronage.msg_surplus_posting_date_year',
                    surplus=self.rec_name,
                    date=self.posting_date,
                    fiscalyear=self.fiscalyear.rec_name))
        self._check_inputs(PostError)
        self._check_closed()

    def _check_closed(self):
        "Check that the income statement is closed to the surplus account"
        pool = Pool()
        Account = pool.get('account.account')
        with Transaction().set_context(
                fiscalyear=self.fiscalyear.id, date=None, cumulate=False):
            accounts = Account.search([
                    ('company', '=', self.company.id),
                    ('deferral', '=', False),
                    ('type', '!=', None),
                    ('closed', '!=', True),
                    ])
            for account in accounts:
                balance = account.debit - account.credit
                if not self.currency.is_zero(balance):
                    raise PostError(gettext(
                            'coop_patronage.msg_surplus_not_closed',
                            fiscalyear=self.fiscalyear.rec_name,
                            account=account.rec_name,
                            balance=self.format_currency(balance)))
        closed = get_balances(
            self.company, [self.account_surplus],
            lambda move: (move.origin == str(self.fiscalyear))
            & (move.state == 'posted'))[self.account_surplus.id]
        if closed != self.result:
            raise PostError(gettext(
                    'coop_patronage.msg_surplus_closing_amount',
                    fiscalyear=self.fiscalyear.rec_name,
                    account=self.account_surplus.rec_name,
                    closed=self.format_currency(closed),
                    result=self.format_currency(self.result)))

    def get_move(self):
        "Return the unsaved move that appropriates the surplus"
        books = Books(self.company)
        lines = []

        def transfer(account, amount, **values):
            if amount:
                lines.append(books.line(
                        self.account_surplus, amount, **values))
                lines.append(books.line(account, -amount, **values))

        transfer(self.account_brought_forward, -self.brought_forward)
        transfer(self.account_reserve_release, -self.reserve_release)
        appropriation = self.recognition == 'appropriation'
        for line in self.lines:
            if line.kind != 'patronage' or appropriation:
                transfer(
                    line.account, line.computed_amount,
                    description=line.name)
        if not appropriation:
            # What was not accrued is borne by the current year
            difference = self._get_patronage() - self.accrued
            if difference:
                lines.extend(self._get_accrual_lines(books, difference))
                line = self.carry_forward_line
                if not line:
                    raise PostError(gettext(
                            'coop_patronage.msg_surplus_carry_forward',
                            surplus=self.rec_name))
                transfer(
                    line.account, difference, description=line.name)
        if lines:
            return books.move(
                self.posting_date, lines, origin=self,
                description=self.description)

    @property
    def carry_forward_line(self):
        "The last line that carries forward, which gets the differences"
        for line in reversed(self.lines):
            if line.kind == 'carry_forward':
                return line

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, surpluses):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        cls.lock(surpluses)
        posted = [s for s in surpluses if s.state == 'posted']
        cls._check_dividends(posted)
        Pool_.cancel([p for s in posted for p in s.pools])
        reversals = []
        for surplus in posted:
            books = Books(surplus.company)
            if surplus.move:
                reversals.append(books.reversal(
                        surplus.move, surplus.posting_date))
        for surplus in surpluses:
            if surplus.accrual_move:
                books = Books(surplus.company)
                reversals.append(books.reversal(
                        surplus.accrual_move, surplus.accrual_move.date))
        Books.post(reversals)

    @classmethod
    def _check_dividends(cls, surpluses):
        "Check that no dividend on shares has taken what would be taken back"
        for surplus in surpluses:
            lines = [l for l in surplus.lines if l.kind == 'share_dividend']
            held = get_balances(
                surplus.company, [l.account for l in lines],
                lambda move: move.state == 'posted')
            for line in lines:
                if held[line.account.id] < line.computed_amount:
                    raise CancelError(gettext(
                            'coop_patronage.msg_surplus_cancel_dividend',
                            surplus=surplus.rec_name,
                            account=line.account.rec_name))

    @classmethod
    def check_books(cls, company, date):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        differences = super().check_books(company, date)
        for surplus in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            origins = [str(surplus), str(surplus.fiscalyear)]
            left = get_balances(
                surplus.company, [surplus.account_surplus],
                lambda move, origins=origins: move.origin.in_(origins)
                & (move.state == 'posted'))[surplus.account_surplus.id]
            if left:
                differences.append(Difference(
                        surplus,
                        gettext('coop_patronage.msg_check_surplus',
                            surplus=surplus.rec_name,
                            account=surplus.account_surplus.rec_name),
                        Decimal(0), left))
            differences.extend(Pool_.check_clearing(surplus))
        differences.extend(cls._check_share_dividends(company, date))
        return differences

    @classmethod
    def _check_share_dividends(cls, company, date):
        "Yield what is left of the surpluses for dividends on shares"
        pool = Pool()
        Company = pool.get('company.company')
        Dividend = pool.get('coop.share.dividend')
        Line = pool.get('coop.surplus.line')
        company = Company(int(company))
        latest = {}
        for line in Line.search([
                    ('surplus.company', '=', company.id),
                    ('surplus.state', '=', 'posted'),
                    ('surplus.posting_date', '<=', date),
                    ('kind', '=', 'share_dividend'),
                    ('computed_amount', '!=', 0),
                    ], order=[('surplus.posting_date', 'ASC')]):
            latest[line.account] = line.surplus
        if not latest:
            return
        distributed = {
            d.debit_account: d for d in Dividend.search([
                    ('company', '=', company.id),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ], order=[('posting_date', 'ASC')])}
        balances = get_balances(
            company, latest,
            lambda move: (move.date <= date) & (move.state == 'posted'))
        for account, surplus in latest.items():
            dividend = distributed.get(account)
            if balances[account.id]:
                # It waits for its dividend
                waits = (not dividend
                    or dividend.posting_date < surplus.posting_date)
                yield Difference(
                    surplus,
                    gettext('coop_patronage.msg_check_share_dividend',
                        surplus=surplus.rec_name,
                        account=account.rec_name),
                    Decimal(0), balances[account.id],
                    kind='timing' if waits else 'error')


class SurplusCategory(ModelSQL):
    __name__ = 'coop.surplus-coop.patronage.category'

    surplus = fields.Many2One(
        'coop.surplus', "Surplus", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class SurplusLine(LineMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.line'
    __string__ = "Surplus Line"

    surplus = fields.Many2One(
        'coop.surplus', "Surplus", required=True, ondelete='CASCADE',
        states={
            'readonly': Eval('state') != 'draft',
            })
    name = fields.Char("Name", required=True)
    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'on_change_with_company')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        states={
            'readonly': Bool(Eval('rate', 0)),
            },
        help="A fixed amount instead of a part of the basis.")
    account = account_field(Eval('company', -1))
    target_account = target_account_field(Eval('company', -1))
    computed_amount = Monetary(
        "Computed Amount", currency='currency', digits='currency',
        readonly=True)
    state = fields.Function(
        fields.Selection('get_states', "State"), 'on_change_with_state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('surplus')
        cls.target_account.states['invisible'] = ~Eval('target', 0)
        cls.target_account.states['required'] = Bool(Eval('target', 0))
        cls.rate.states['readonly'] = Bool(Eval('amount', 0))
        cls._sql_constraints += [
            ('rate_amount', Check(t, (t.rate == Null) | (t.amount == Null)),
                'coop_patronage.msg_surplus_line_rate_amount'),
            ]

    @fields.depends('surplus', '_parent_surplus.company')
    def on_change_with_company(self, name=None):
        return self.surplus.company if self.surplus else None

    @fields.depends('surplus', '_parent_surplus.currency')
    def on_change_with_currency(self, name=None):
        return self.surplus.currency if self.surplus else None

    @classmethod
    def get_states(cls):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        return Surplus.fields_get(['state'])['state']['selection']

    @fields.depends('surplus', '_parent_surplus.state')
    def on_change_with_state(self, name=None):
        return self.surplus.state if self.surplus else None

    @fields.depends('kind', 'surplus', '_parent_surplus.company')
    def on_change_kind(self):
        if self.kind and self.surplus and self.surplus.company:
            self.account = self.get_account(self.kind, self.surplus.company)

    @classmethod
    def get_account(cls, kind, company):
        "Return the configured account of the lines of the kind"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        return Configuration(1).get_multivalue(
            ACCOUNTS[kind], company=company.id)

    def get_rule(self, balances, result):
        "Return the rule of the line for the calculation"
        room = None
        if result < 0:
            # A reserve bears of a loss what it holds, a fund nothing
            if self.kind == 'reserve' and self.account:
                room = max(balances[self.account.id], Decimal(0))
            elif self.kind in {'fund', 'share_dividend'}:
                room = Decimal(0)
        elif self.target and self.account:
            room = target_room(
                balances[self.account.id], self.target,
                balances[self.target_account.id])
        return Rule(
            key=self.id, basis=self.basis, rate=self.rate,
            amount=self.amount, minimum_rate=self.minimum_rate,
            maximum_rate=self.maximum_rate, room=room)

    @classmethod
    def check_modification(cls, mode, lines, values=None, external=False):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        super().check_modification(
            mode, lines, values=values, external=external)
        if external:
            Surplus.check_modifiable({line.surplus for line in lines})

    @classmethod
    def copy(cls, lines, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('computed_amount')
        return super().copy(lines, default=default)
