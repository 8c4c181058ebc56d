# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Cast, Null
from sql.aggregate import Count, Sum
from sql.conditionals import Case

from trytond import backend
from trytond.model import Check, ModelSQL, ModelView, fields, sequence_ordered
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.tools import cursor_dict, sqlite_apply_types
from trytond.transaction import Transaction

from .part import RelationMixin, SurplusPartMixin, is_part, number, part_domain
from .pool_credit_note import PoolCreditNote
from .pool_inputs import PoolRead
from .pool_posting import PoolPosting
from .pool_required_shares import PoolRequiredShares
from .pool_set_off import PoolSetOff


class PatronagePool(
        PoolRead, PoolRequiredShares, PoolSetOff, PoolPosting, PoolCreditNote,
        SurplusPartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.patronage.pool'
    __string__ = "Patronage Pool"

    name = fields.Char("Name", required=True)
    line = fields.Many2One(
        'coop.surplus.line', "Surplus Line", ondelete='CASCADE',
        domain=[
            ('surplus', '=', Eval('surplus', -1)),
            ('kind', 'in', ['patronage', 'loss_cover']),
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
        states={
            'readonly': Bool(Eval('part', 0)),
            },
        help="Leave empty for what other pools leave of the line.")
    part = fields.Numeric("Part of Line",
        domain=part_domain('part'),
        states={
            'readonly': Bool(Eval('amount', 0)),
            },
        help="The part of the line that the pool distributes, instead of an "
        "amount.")
    measure = fields.Selection([
            ('activity', "Activity"),
            ('lifetime', "Activity of All Years"),
            ('tenure', "Years of Membership"),
            ('equal', "Equal Parts"),
            ], "Measure", required=True, sort=False,
        domain=[
            If(Eval('method') == 'rate',
                ('measure', '=', 'activity'),
                ()),
            ],
        help="By what the pool is distributed:\n"
        "- Activity: of the fiscal year\n"
        "- Activity of All Years: up to the end of the fiscal year\n"
        "- Years of Membership: the full ones of who has activity in the "
        "year, or of employment\n"
        "- Equal Parts: for who has activity in the year, or is an employee")
    rate = fields.Numeric("Rate",
        domain=part_domain('rate'),
        states={
            'invisible': Eval('method') != 'rate',
            'required': Eval('method') == 'rate',
            },
        help="The part of the activity that is paid.")
    difference_line = fields.Many2One(
        'coop.surplus.line', "Difference Line", ondelete='RESTRICT',
        domain=[
            ('surplus', '=', Eval('surplus', -1)),
            ('kind', 'not in', ['patronage', 'share_dividend', 'loss_cover']),
            ],
        help="The line that gets what the pool does not distribute.\n"
        "Leave empty for the last one that carries forward.")
    cash_percent = fields.Numeric("Cash", required=True,
        domain=part_domain('cash_percent'),
        help="The part that is paid in money.")
    cash_floor = fields.Numeric("Cash Floor",
        domain=part_domain('cash_floor'),
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
            },
        help="Over how many years up to the end of the fiscal year "
        "the use is measured.\n"
        "Leave empty for all.")
    elections = fields.Boolean("Elections",
        help="Check to follow what members elected to do with their money.")
    qualified = fields.Boolean("Qualified",
        help="Check if patrons who consent are taxed on the equity when it "
        "is allocated, instead of when it is paid.")
    bylaw_consent = fields.Boolean("Consent by By-laws",
        states={
            'invisible': ~Eval('qualified', False),
            },
        help="Check if the members consent by the by-laws.")
    cheque_consent = fields.Boolean("Consent by Cheque",
        states={
            'invisible': ~Eval('qualified', False),
            },
        help="Check if who cashes the cheque consents.")
    payment_period_end = fields.Date("End of Payment Period",
        states={
            'invisible': ~Eval('cheque_consent', False),
            'required': Eval('cheque_consent', False),
            },
        help="A cheque that is not cashed by the 90th day after it does not "
        "consent.")
    cash_below = Monetary(
        "Wholly in Cash below", currency='currency', digits='currency',
        help="Allocations smaller than this are paid in money only.")
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
            ('cash', "Pay All in Cash"),
            ('equity', "Equity"),
            ('reserve', "Reserve"),
            ], "Below Minimum", sort=False, required=True,
        states={
            'invisible': ~Eval('minimum', 0),
            },
        help="Keep it payable until there is enough, pay the equity in money "
        "too, turn it into equity or leave it to the difference line.\n"
        "Where the law asks for a part in money it is paid all, or it is "
        "equity that is not qualified.")
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
    employees = fields.Boolean("Employees Only",
        help="Check to let only employees take part who were there long "
        "enough.")
    presence_months = fields.Integer("Months of Presence",
        domain=[
            If(Eval('employees', False),
                ('presence_months', '>=', 0),
                ()),
            ],
        states={
            'invisible': ~Eval('employees', False),
            'required': Eval('employees', False),
            },
        help="Who was employed so long in the fiscal year takes part.")
    seniority_months = fields.Integer("Months of Seniority",
        domain=[
            If(Eval('employees', False),
                ('seniority_months', '>=', 0),
                ()),
            ],
        states={
            'invisible': ~Eval('employees', False),
            'required': Eval('employees', False),
            },
        help="Who has been employed so long at the end of the fiscal year "
        "takes part too.")
    seniority_rate = fields.Numeric("Seniority",
        domain=['OR',
            ('seniority_rate', '=', None),
            ('seniority_rate', '>=', 0),
            ],
        help="What each full year of employment or membership adds to the "
        "measure, as a part of it.")
    seniority_maximum = fields.Numeric("Maximum of Seniority",
        domain=['OR',
            ('seniority_maximum', '=', None),
            ('seniority_maximum', '>=', 1),
            ],
        states={
            'invisible': ~Eval('seniority_rate', 0),
            'required': Bool(Eval('seniority_rate', 0)),
            },
        help="By what the measure is multiplied at most.")
    minimum_activity = fields.Numeric("Minimum Activity",
        help="Who has less activity does not take part.")
    non_members = fields.Selection([
            ('exclude', "Exclude"),
            ('reserve', "Reserve"),
            ('hold', "Hold Toward Membership"),
            ('pay', "Pay"),
            ], "Non-Members", required=True, sort=False,
        help="Exclude distributes everything by the activity of members, "
        "otherwise the part of non-members goes to the difference line, "
        "is owed to them toward membership or is paid in money.")
    expiry_date = fields.Date("Expiry Date",
        states={
            'invisible': Eval('non_members') != 'hold',
            },
        help="Until when a non-member may claim the part by joining.")
    cap_percent = fields.Numeric("Cap",
        domain=part_domain('cap_percent'),
        help="No patron gets more than this part of the amount of his "
        "activity. What is cut off goes to the others.")
    withholding_rate = fields.Numeric("Withholding Tax",
        domain=part_domain('withholding_rate'))
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
    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('minimum_floor', Check(t,
                    (t.cash_floor == Null) | (t.minimum == Null)
                    | t.below_minimum.in_(['cash', 'equity'])),
                'coop_patronage.msg_pool_minimum_floor'),
            *((f'{name}_part', Check(t, is_part(getattr(t, name))),
                    'coop_patronage.msg_part')
                for name in [
                    'rate', 'part', 'cash_percent', 'cash_floor',
                    'cap_percent', 'withholding_rate']),
            ('amount_part', Check(t, (t.amount == Null) | (t.part == Null)),
                'coop_patronage.msg_pool_amount_part'),
            ('rounding_positive', Check(t, number(t.rounding) > 0),
                'coop_patronage.msg_pool_rounding'),
            ]

    @classmethod
    def default_method(cls):
        return 'amount'

    @classmethod
    def default_measure(cls):
        return 'activity'

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

    @fields.depends('member_categories')
    def on_change_with_has_member_categories(self, name=None):
        return bool(self.member_categories)

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

    def get_difference_line(self):
        "Return the line that gets what is not distributed"
        if self.difference_line:
            return self.difference_line
        return self.surplus.get_carry_forward_line(
            self.line.get_section())


class PoolCategory(RelationMixin, ModelSQL):
    __name__ = 'coop.patronage.pool-coop.patronage.category'
    _document = 'pool'

    pool = fields.Many2One(
        'coop.patronage.pool', "Pool", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class PoolMemberCategory(RelationMixin, ModelSQL):
    __name__ = 'coop.patronage.pool-coop.member.category'
    _document = 'pool'

    pool = fields.Many2One(
        'coop.patronage.pool', "Pool", ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        ondelete='RESTRICT', required=True)
