# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum
from sql.operators import Equal

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Check, Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.report import Report
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .allocated_year import AllocatedYearMixin
from .balance import get_balances
from .part import RelationMixin, is_part, number
from .run import PatronageRunMixin
from .surplus_agreement import SurplusAgreement
from .surplus_approval import SurplusApproval
from .surplus_computation import SurplusComputation
from .surplus_inputs import SurplusInputs
from .surplus_posting import SurplusPosting

RECOGNITIONS = [
    ('appropriation', "Appropriation"),
    ('expense', "Expense"),
    ('revenue_reduction', "Reduction of Revenue"),
    ]
MEMBER_RATIO_BASES = [
    ('turnover', "Turnover"),
    ('purchases', "Purchases"),
    ('hours', "Hours"),
    ('fixed', "Fixed"),
    ]
# The field that totals the lines of each kind
KINDS = {
    'loss_carried': 'carried_forward',
    'loss_cover': 'losses_covered',
    'reserve': 'reserves',
    'fund': 'funds',
    'share_dividend': 'share_dividends',
    'patronage': 'patronage',
    'carry_forward': 'carried_forward',
    'other': 'reserves',
    }


class Surplus(
        SurplusInputs, SurplusComputation, SurplusApproval, SurplusPosting,
        SurplusAgreement, AllocatedYearMixin, PatronageRunMixin,
        ModelSQL, ModelView):
    __name__ = 'coop.surplus'
    __string__ = "Appropriation of Surplus"
    _search_names = ('fiscalyear.rec_name', 'description')

    _account_domain = [
        ('type.statement', '=', 'balance'),
        ('deferral', '=', True),
        ('party_required', '!=', True),
        ('closed', '!=', True),
        ('company', '=', Eval('company', -1)),
        ]

    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    description = fields.Char("Description",
        help="Tells the drafts of a year apart.")
    plan = fields.Many2One('coop.surplus.plan', "Plan",
        domain=['OR',
            ('company', '=', None),
            ('company', '=', Eval('company', -1)),
            ],
        help="Fills the lines when it is chosen.")
    recognition = fields.Selection(
        RECOGNITIONS, "Recognition", required=True, sort=False,
        help="Appropriation if the general meeting decides, otherwise "
        "patronage dividends are owed already at the end of the year.")
    posting_date = fields.Date("Posting Date",
        states={
            'required': Eval('state').in_(['approved', 'posted']),
            },
        help="The date in an open period after the fiscal year.")
    account_surplus = fields.Many2One(
        'account.account', "Undivided Surplus", required=True,
        domain=_account_domain,
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
        required=True,
        help="The surplus or, negative, the loss of the years before "
        "that is appropriated together.")
    account_brought_forward = fields.Many2One(
        'account.account', "Account Brought Forward",
        domain=_account_domain,
        states={
            'required': Bool(Eval('brought_forward', 0)),
            })
    reserve_release = Monetary(
        "Reserve Release", currency='currency', digits='currency',
        required=True,
        domain=[
            ('reserve_release', '>=', 0),
            ],
        help="What is released from a reserve to be appropriated.")
    account_reserve_release = fields.Many2One(
        'account.account', "Account of Reserve Release",
        domain=_account_domain,
        states={
            'invisible': ~Eval('reserve_release', 0),
            'required': Bool(Eval('reserve_release', 0)),
            })
    total = fields.Function(Monetary(
            "Total", currency='currency', digits='currency',
            help="What the lines appropriate."),
        'on_change_with_total')
    other_result = Monetary(
        "Other Result", currency='currency', digits='currency',
        required=True,
        help="The part of the result from outside the cooperative activity, "
        "which belongs neither to members nor to non-members.")
    member_ratio_basis = fields.Selection(
        MEMBER_RATIO_BASES, "Member Ratio Basis", required=True, sort=False,
        help="By what the part of the members in the result is measured.")
    member_ratio_categories = fields.Many2Many(
        'coop.surplus-coop.patronage.category', 'surplus', 'category',
        "Member Ratio Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
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
            'readonly': Eval('member_ratio_basis') != 'fixed',
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
        help="The amount, by tax law or the statutes, of which patronage "
        "dividends must not exceed the part of the members.")
    patronage_base_reason = fields.Char("Patronage Base Reason",
        states={
            'invisible': ~Eval('patronage_base', 0),
            'required': Bool(Eval('patronage_base', 0)),
            })
    lines = fields.One2Many('coop.surplus.line', 'surplus', "Lines")
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
    losses_covered = fields.Function(Monetary(
            "Losses Covered", currency='currency', digits='currency',
            help="What reserves and members bear of a loss."),
        'get_kinds')
    net_losses = fields.Boolean("Net Loss Pools",
        help="Check to let the other pools of a line bear what a pool loses, "
        "pro rata.")
    rules = fields.One2Many('coop.surplus.rule', 'surplus', "Rules",
        help="What the law asks for besides the minimums and the maximums "
        "of the lines.")
    paid_capital = Monetary(
        "Paid Capital", currency='currency', digits='currency',
        domain=['OR',
            ('paid_capital', '=', None),
            ('paid_capital', '>=', 0),
            ],
        help="The capital paid by the members, by which the law limits what "
        "is paid on shares.")
    income_tax = Monetary(
        "Income Tax", currency='currency', digits='currency', required=True,
        help="The tax on income that the result bears.")
    pools = fields.One2Many('coop.patronage.pool', 'surplus', "Pools",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])

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
            'invisible': ~Eval('accrual_move'),
            })
    accrues = fields.Function(fields.Boolean("Accrues",
            help="The result of the year bears a part of it."),
        'get_accrues')
    prepared_by = fields.Many2One('res.user', "Prepared by", readonly=True,
        ondelete='RESTRICT')
    approved_by = fields.Many2One('res.user', "Approved by", readonly=True,
        ondelete='RESTRICT')

    del _account_domain

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.company.states['readonly'] = Bool(Eval('fiscalyear'))
        cls._order = [
            ('fiscalyear.start_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._sql_constraints += [
            ('fiscalyear_exclude', Exclude(t,
                    (t.company, Equal), (t.fiscalyear, Equal),
                    where=t.state.in_(['approved', 'posted'])),
                'coop_patronage.msg_surplus_fiscalyear'),
            ('reserve_release_positive',
                Check(t, number(t.reserve_release) >= 0),
                'coop_patronage.msg_surplus_reserve_release'),
            ('member_ratio_part', Check(t, is_part(t.member_ratio)),
                'coop_patronage.msg_part'),
            ]
        cls._buttons.update({
                'accrue': {
                    'invisible': (
                        ~Eval('accrues', False)
                        | Eval('accrual_move')
                        | (Eval('state') != 'computed')),
                    'depends': ['accrues', 'accrual_move', 'state'],
                    },
                })

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
    def default_income_tax(cls):
        return Decimal(0)

    @classmethod
    def default_member_ratio_basis(cls):
        return 'turnover'

    @fields.depends('fiscalyear', 'company', 'account_brought_forward')
    def on_change_fiscalyear(self):
        if self.fiscalyear and self.company and self.account_brought_forward:
            self.brought_forward = get_balances(
                self.company, [self.account_brought_forward],
                lambda move: (move.date <= self.fiscalyear.end_date)
                & (move.state == 'posted'))[self.account_brought_forward.id]

    @fields.depends(methods=['on_change_fiscalyear'])
    def on_change_account_brought_forward(self):
        self.on_change_fiscalyear()

    @fields.depends(
        'result', 'accrued', 'brought_forward', 'reserve_release')
    def on_change_with_total(self, name=None):
        if self.result is not None:
            return (
                self.result + (self.accrued or 0)
                + (self.brought_forward or 0) + (self.reserve_release or 0))

    @fields.depends('plan', 'company', 'lines', 'rules')
    def on_change_plan(self):
        if self.plan and self.company:
            self.recognition = self.plan.recognition
            self.member_ratio_basis = self.plan.member_ratio_basis
            self.lines = [
                line.get_surplus_line(self.company)
                for line in self.plan.lines]
            self.rules = [
                rule.get_surplus_rule() for rule in self.plan.rules]

    @classmethod
    def get_accrued(cls, surpluses, name):
        return {
            s.id: sum((line.credit for line in s.accrual_move.lines),
                Decimal(0)) if s.accrual_move else Decimal(0)
            for s in surpluses}

    def get_accrues(self, name):
        return self.recognition != 'appropriation' or any(
            line.given_fund and line.fund.kind == 'expense'
            for line in self.lines)

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
    def copy(cls, surpluses, default=None):
        default = default.copy() if default is not None else {}
        # The lines of the copy are other ones
        default.setdefault('pools.line')
        default.setdefault('pools.difference_line')
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
    def check_deletion(cls, surpluses):
        super().check_deletion(surpluses)
        for surplus in surpluses:
            if surplus.accrual_move:
                raise AccessError(gettext(
                        'coop_patronage.msg_surplus_delete',
                        surplus=surplus.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, surpluses):
        super().draft(surpluses)
        cls.write(surpluses, {'prepared_by': None, 'approved_by': None})

    def format_currency(self, amount):
        return Report.format_currency(amount, None, self.currency)

    def _get_patronage(self):
        return sum((
                line.computed_amount for line in self.lines
                if line.kind == 'patronage'), Decimal(0))

    def get_carry_forward_line(self, section=None):
        """Return the last line that carries forward, for the differences

        Of the section if it has one, else of any.
        """
        lines = [l for l in self.lines if l.kind == 'carry_forward']
        own = [l for l in lines if l.get_section() == section]
        return (own or lines or [None])[-1]


class SurplusCategory(RelationMixin, ModelSQL):
    __name__ = 'coop.surplus-coop.patronage.category'
    _document = 'surplus'

    surplus = fields.Many2One(
        'coop.surplus', "Surplus", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)
