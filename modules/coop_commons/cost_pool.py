# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    DeactivableMixin, ModelSQL, ModelView, Unique, Workflow, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.company import CompanyReport
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.currency.fields import Monetary
from trytond.modules.product import price_digits, round_price
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.tools import sql_pairing, sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import Button, StateAction, StateView, Wizard

from . import pool_rate
from .exceptions import RateError
from .usage import CONFIRMED


class Figures:
    """What a year of a cost pool is made of.

    The amounts are by cost centre, `units` and `charges` are by user.
    """

    def __init__(self):
        self.fixed = defaultdict(Decimal)
        self.variable = defaultdict(Decimal)
        self.charged = defaultdict(Decimal)
        self.overhead = Decimal(0)
        self.units = defaultdict(Decimal)
        self.charges = defaultdict(Decimal)

    @property
    def fixed_cost(self):
        return sum(self.fixed.values()) + self.overhead

    @property
    def variable_cost(self):
        return sum(self.variable.values())

    @property
    def cost(self):
        return self.fixed_cost + self.variable_cost

    @property
    def revenue(self):
        return sum(self.charged.values())

    @property
    def difference(self):
        return self.revenue - self.cost

    @property
    def use(self):
        return sum(self.units.values())


class CostPool(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool'
    __string__ = "Cost Pool"

    name = fields.Char("Name", required=True, translate=True)
    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    shared_resources = fields.Many2Many(
        'coop.commons.cost_pool-coop.commons.resource',
        'cost_pool', 'resource', "Resources",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT',
        help="The unit of use by which the cost is borne.")
    cost_centers = fields.Many2Many(
        'coop.commons.cost_pool-analytic_account.account',
        'cost_pool', 'account', "Cost Centres", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        help="The analytic accounts that collect the cost and the revenue "
        "of the resources.")
    excluded_accounts = fields.Many2Many(
        'coop.commons.cost_pool-excluded-account.account',
        'cost_pool', 'account', "Accounts Left out",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'income'),
            ],
        help="The accounts that do not count, such as the depreciation where "
        "the users must not bear it, or the subsidies.")
    variable_accounts = fields.Many2Many(
        'coop.commons.cost_pool-variable-account.account',
        'cost_pool', 'account', "Accounts of Variable Cost",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'income'),
            ],
        help="The accounts of the cost that grows with the use.\n"
        "The cost of all others is fixed.")
    overheads = fields.One2Many(
        'coop.commons.cost_pool.overhead', 'cost_pool', "Overheads",
        help="The part of the cost of other cost centres that the pool "
        "bears.")
    capacity = fields.Float(
        "Capacity", digits='unit',
        help="The use that is possible in a year.")
    expected_units = fields.Float(
        "Expected Units", digits='unit',
        help="The use that is expected in a year.")
    product = fields.Many2One(
        'product.product', "Product", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="The accounts and the taxes of the settlement come from it.")
    non_member_product = fields.Many2One(
        'product.product', "Product for Non-members", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Leave empty to use the same product.")
    settlement_account = fields.Many2One(
        'account.account', "Settlement Account", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'balance'),
            ('party_required', '=', False),
            ('closed', '!=', True),
            ],
        help="The account of what is to be returned to the users or to be "
        "called from them, until it is.")
    settlement_basis = fields.Selection([
            ('usage', "Use"),
            ('charge', "Charge"),
            ], "Settlement Basis", required=True, sort=False,
        help="The proportion in which the users share the difference.")
    threshold = Monetary(
        "Threshold", currency='currency', digits='currency', required=True,
        domain=[
            ('threshold', '>=', 0),
            ],
        help="The difference up to which the settlement is carried into the "
        "next rate.")
    years = fields.One2Many(
        'coop.commons.cost_pool.year', 'cost_pool', "Years", readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('name', 'ASC'))
        cls._buttons.update({
                'propose_rate': {
                    'invisible': Eval('id', -1) < 0,
                    'depends': ['id'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_settlement_basis(cls):
        return 'usage'

    @classmethod
    def default_threshold(cls):
        return Decimal(0)

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends(
        'shared_resources', 'cost_centers', 'unit', 'product',
        'non_member_product')
    def on_change_shared_resources(self):
        cost_centers = list(self.cost_centers or [])
        for resource in self.shared_resources or []:
            account = resource.analytic_account
            if account and account not in cost_centers:
                cost_centers.append(account)
            for name in ['unit', 'product', 'non_member_product']:
                if not getattr(self, name, None):
                    setattr(self, name, getattr(resource, name))
        self.cost_centers = cost_centers

    @classmethod
    def copy(cls, cost_pools, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('years')
        return super().copy(cost_pools, default=default)

    @classmethod
    @ModelView.button_action('coop_commons.wizard_cost_pool_propose_rate')
    def propose_rate(cls, cost_pools):
        pass

    def get_invoice(self, party, date):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        invoice = Invoice(
            company=self.company,
            type='out',
            party=party,
            currency=self.currency,
            invoice_date=date)
        invoice.on_change_type()
        return invoice

    def get_description(self, message, party, fiscalyear, units):
        pool = Pool()
        Lang = pool.get('ir.lang')
        lang = party.lang or Lang.get()
        with Transaction().set_context(language=lang.code):
            cost_pool = self.__class__(self.id)
            return gettext(message,
                cost_pool=cost_pool.rec_name,
                fiscalyear=fiscalyear.rec_name,
                units=lang.format_number_symbol(
                    units, cost_pool.unit, digits=cost_pool.unit.digits))

    def get_invoice_line(self, invoice, product, amount, description, origin):
        """Return the line that invoices the amount on the cost centre, and
        credits it when it is negative"""
        pool = Pool()
        Entry = pool.get('analytic.account.entry')
        InvoiceLine = pool.get('account.invoice.line')
        line = InvoiceLine(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            product=product,
            description=description,
            origin=origin)
        line.on_change_product()
        line.quantity = -1 if amount < 0 else 1
        line.unit_price = abs(amount)
        center = next(iter(self.cost_centers), None)
        if center:
            line.analytic_accounts = [
                Entry(root=center.root, account=center)]
        return line

    @classmethod
    def get_figures(cls, cost_pools, fiscalyears):
        "Return the figures of each cost pool and fiscal year"
        figures = defaultdict(Figures)
        ids = [
            [p.id for p in cost_pools],
            [y.id for y in fiscalyears],
            ]
        if all(ids):
            cls._add_ledger(figures, *ids)
            cls._add_overhead(figures, *ids)
            cls._add_units(figures, *ids)
            cls._add_charges(figures, *ids)
        return figures

    @classmethod
    def _query(cls, query, types):
        cursor = Transaction().connection.cursor()
        if backend.name == 'sqlite':
            sqlite_apply_types(query, types)
        cursor.execute(*query)
        return cursor

    @classmethod
    def _ledger_query(cls, relation, fiscalyears, where, *columns):
        "Return the balance by general account of the analytic accounts"
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        analytic = AnalyticLine.__table__()
        line = Line.__table__()
        move = Move.__table__()
        period = Period.__table__()
        columns = [*columns, relation.account, period.fiscalyear, line.account]
        return (relation
            .join(analytic, condition=analytic.account == relation.account)
            .join(line, condition=analytic.move_line == line.id)
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .select(*columns,
                Sum(analytic.debit - analytic.credit).as_('balance'),
                where=(move.state == 'posted')
                & fields.SQL_OPERATORS['in'](period.fiscalyear, fiscalyears)
                & where(move),
                group_by=columns))

    @classmethod
    def _add_ledger(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Account = pool.get('account.account')
        Settlement = pool.get('coop.commons.settlement')
        relation = pool.get(
            'coop.commons.cost_pool-analytic_account.account').__table__()

        def where(move):
            clause = fields.SQL_OPERATORS['in'](
                relation.cost_pool, cost_pools)
            for query in Settlement.excluded_moves(relation.cost_pool):
                clause &= ~move.id.in_(query)
            return clause

        query = cls._ledger_query(
            relation, fiscalyears, where, relation.cost_pool)
        for cost_pool, center, fiscalyear, account, balance in cls._query(
                query, [None] * 4 + ['NUMERIC']):
            values = figures[cost_pool, fiscalyear]
            cost_pool = cls(cost_pool)
            account = Account(account)
            balance = cost_pool.currency.round(balance)
            kind = cost_pool.get_kind(account, balance)
            if kind == 'charged':
                values.charged[center] -= balance
            elif kind:
                getattr(values, kind)[center] += balance

    def get_kind(self, account, balance):
        "Return as what the balance of the account counts, if it does"
        if (account.type.statement != 'income'
                or account in self.excluded_accounts):
            return None
        if account.type.revenue:
            return 'charged'
        if account == self.internal_account and balance <= 0:
            return 'charged'
        if account in self.variable_accounts:
            return 'variable'
        return 'fixed'

    @property
    def internal_account(self):
        pool = Pool()
        Configuration = pool.get('coop.commons.configuration')
        return Configuration(1).get_multivalue(
            'internal_charge_account', company=self.company.id)

    @classmethod
    def _add_overhead(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Account = pool.get('account.account')
        Overhead = pool.get('coop.commons.cost_pool.overhead')
        relation = Overhead.__table__()

        def where(move):
            return fields.SQL_OPERATORS['in'](relation.cost_pool, cost_pools)

        query = cls._ledger_query(
            relation, fiscalyears, where, relation.id)
        for overhead, _, fiscalyear, account, balance in cls._query(
                query, [None] * 4 + ['NUMERIC']):
            overhead = Overhead(overhead)
            cost_pool = overhead.cost_pool
            if cost_pool.get_kind(Account(account), balance) in {
                    'fixed', 'variable'}:
                figures[cost_pool.id, fiscalyear].overhead += (
                    balance * overhead.ratio)
        for (cost_pool, _), values in figures.items():
            values.overhead = cls(cost_pool).currency.round(values.overhead)

    @classmethod
    def _usage_query(cls, cost_pools, fiscalyears):
        "Return the tables, the columns and the condition of the users"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Usage = pool.get('coop.commons.usage')
        relation = pool.get(
            'coop.commons.cost_pool-coop.commons.resource').__table__()
        usage = Usage.__table__()
        fiscalyear = FiscalYear.__table__()
        tables = (relation
            .join(usage, condition=usage.resource == relation.resource)
            .join(fiscalyear, condition=(
                    (fiscalyear.company == usage.company)
                    & (usage.date >= fiscalyear.start_date)
                    & (usage.date <= fiscalyear.end_date))))
        columns = [
            relation.cost_pool, fiscalyear.id.as_('fiscalyear'),
            usage.member, usage.party, usage.cost_center]
        where = (
            fields.SQL_OPERATORS['in'](relation.cost_pool, cost_pools)
            & fields.SQL_OPERATORS['in'](fiscalyear.id, fiscalyears)
            & usage.state.in_(CONFIRMED))
        return tables, usage, columns, where

    @classmethod
    def _add_units(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Uom = pool.get('product.uom')
        tables, usage, columns, where = cls._usage_query(
            cost_pools, fiscalyears)
        line = Quantity.__table__()
        columns.append(line.unit)
        query = (tables
            .join(line, condition=line.usage == usage.id)
            .select(*columns, Sum(line.quantity).as_('quantity'),
                where=where, group_by=_expressions(columns)))
        for cost_pool, fiscalyear, *user, unit, quantity in cls._query(
                query, [None] * 6 + ['NUMERIC']):
            unit, to_unit = Uom(unit), cls(cost_pool).unit
            if unit.category == to_unit.category:
                quantity = Uom.compute_qty(
                    unit, float(quantity), to_unit, round=False)
                figures[cost_pool, fiscalyear].units[tuple(user)] += round(
                    Decimal(str(quantity)), 6)

    @classmethod
    def _add_charges(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        tables, usage, columns, where = cls._usage_query(
            cost_pools, fiscalyears)
        charge = Charge.__table__()
        query = (tables
            .join(charge, condition=charge.usage == usage.id)
            .select(*columns, Sum(charge.amount).as_('amount'),
                where=where & (charge.billing != Null),
                group_by=_expressions(columns)))
        for cost_pool, fiscalyear, *user, amount in cls._query(
                query, [None] * 5 + ['NUMERIC']):
            figures[cost_pool, fiscalyear].charges[tuple(user)] += (
                cls(cost_pool).currency.round(amount))


def _expressions(columns):
    return [getattr(column, 'expression', column) for column in columns]


class CostPoolResource(ModelSQL):
    __name__ = 'coop.commons.cost_pool-coop.commons.resource'
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('resource_unique', Unique(t, t.resource),
                'coop_commons.msg_cost_pool_resource_unique'),
            ]


class CostPoolCostCenter(ModelSQL):
    __name__ = 'coop.commons.cost_pool-analytic_account.account'
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')
    account = fields.Many2One(
        'analytic_account.account', "Cost Centre", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('account_unique', Unique(t, t.account),
                'coop_commons.msg_cost_pool_cost_center_unique'),
            ]


class CostPoolExcludedAccount(ModelSQL):
    __name__ = 'coop.commons.cost_pool-excluded-account.account'
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='CASCADE')


class CostPoolVariableAccount(ModelSQL):
    __name__ = 'coop.commons.cost_pool-variable-account.account'
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='CASCADE')


class CostPoolOverhead(ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool.overhead'
    __string__ = "Cost Pool Overhead"

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    account = fields.Many2One(
        'analytic_account.account', "Cost Centre", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ])
    ratio = fields.Numeric(
        "Ratio", digits=(None, 6), required=True,
        domain=[
            ('ratio', '>', 0),
            ('ratio', '<=', 1),
            ],
        help="The part of the cost of the cost centre.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('cost_pool')
        t = cls.__table__()
        cls._sql_constraints += [
            ('account_unique', Unique(t, t.cost_pool, t.account),
                'coop_commons.msg_cost_pool_overhead_unique'),
            ]

    @fields.depends('cost_pool', '_parent_cost_pool.company')
    def on_change_with_company(self, name=None):
        return self.cost_pool.company if self.cost_pool else None

    def get_rec_name(self, name):
        return self.account.rec_name


class CostPoolYear(ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool.year'
    __string__ = "Cost Pool Year"

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True)
    company = fields.Many2One('company.company', "Company")
    fiscalyear = fields.Many2One('account.fiscalyear', "Fiscal Year")
    start_date = fields.Date("Start Date")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    fixed_cost = fields.Function(Monetary(
            "Fixed Cost", currency='currency', digits='currency'),
        'get_figures')
    variable_cost = fields.Function(Monetary(
            "Variable Cost", currency='currency', digits='currency'),
        'get_figures')
    overhead = fields.Function(Monetary(
            "Overhead", currency='currency', digits='currency',
            help="The part of the fixed cost that comes from other cost "
            "centres."),
        'get_figures')
    cost = fields.Function(Monetary(
            "Cost", currency='currency', digits='currency'),
        'get_figures')
    units = fields.Function(fields.Float(
            "Units", digits='unit'),
        'get_figures')
    unit_cost = fields.Function(Monetary(
            "Cost per Unit", currency='currency', digits=price_digits),
        'get_figures')
    charged = fields.Function(Monetary(
            "Charged", currency='currency', digits='currency',
            help="The revenue of the cost centres."),
        'get_figures')
    difference = fields.Function(Monetary(
            "Over-recovery", currency='currency', digits='currency',
            help="What was charged beyond the cost.\n"
            "It is negative when the cost was not recovered."),
        'get_figures')
    settled = fields.Function(Monetary(
            "Settled", currency='currency', digits='currency',
            help="What is returned to the users, called from them or "
            "carried."),
        'get_settled')
    capacity = fields.Function(fields.Float(
            "Capacity", digits='unit'),
        'get_capacity')
    idle = fields.Function(fields.Numeric(
            "Idle Capacity", digits=(1, 4),
            help="The part of the capacity that was not used."),
        'get_figures')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('cost_pool')
        cls._order = [
            ('start_date', 'ASC'), ('cost_pool', 'ASC'), ('id', 'ASC')]

    @classmethod
    def table_query(cls):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        FiscalYear = pool.get('account.fiscalyear')
        cost_pool = CostPool.__table__()
        fiscalyear = FiscalYear.__table__()
        return cost_pool.join(fiscalyear, condition=(
                cost_pool.company == fiscalyear.company)
            ).select(
                sql_pairing(cost_pool.id, fiscalyear.id).as_('id'),
                cost_pool.id.as_('cost_pool'),
                cost_pool.company.as_('company'),
                fiscalyear.id.as_('fiscalyear'),
                fiscalyear.start_date.as_('start_date'))

    def get_rec_name(self, name):
        return '%s %s' % (self.cost_pool.rec_name, self.fiscalyear.rec_name)

    @classmethod
    def search_rec_name(cls, name, clause):
        return ['OR',
            ('cost_pool.rec_name', *clause[1:]),
            ('fiscalyear.rec_name', *clause[1:]),
            ]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('cost_pool', '_parent_cost_pool.unit')
    def on_change_with_unit(self, name=None):
        return self.cost_pool.unit if self.cost_pool else None

    def get_capacity(self, name):
        return self.cost_pool.capacity

    @classmethod
    def get_figures(cls, years, names):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        figures = CostPool.get_figures(
            {y.cost_pool for y in years}, {y.fiscalyear for y in years})
        result = {name: {} for name in names}
        for year in years:
            values = figures[year.cost_pool.id, year.fiscalyear.id]
            for name in names:
                result[name][year.id] = getattr(
                    cls, f'_get_{name}')(year, values)
        return result

    def _get_fixed_cost(self, figures):
        return self.currency.round(figures.fixed_cost)

    def _get_variable_cost(self, figures):
        return self.currency.round(figures.variable_cost)

    def _get_overhead(self, figures):
        return figures.overhead

    def _get_cost(self, figures):
        return self.currency.round(figures.cost)

    def _get_units(self, figures):
        return float(figures.use)

    def _get_unit_cost(self, figures):
        return (
            round_price(figures.cost / figures.use)
            if figures.use > 0 else None)

    def _get_charged(self, figures):
        return self.currency.round(figures.revenue)

    def _get_difference(self, figures):
        return self.currency.round(figures.difference)

    def _get_idle(self, figures):
        idle = pool_rate.idle(
            Decimal(str(self.cost_pool.capacity or 0)), figures.use)
        return round(idle, 4) if idle is not None else None

    @classmethod
    def get_settled(cls, years, name):
        pool = Pool()
        Settlement = pool.get('coop.commons.settlement')
        settled = defaultdict(Decimal)
        for settlement in Settlement.search([
                    ('state', '=', 'posted'),
                    ('cost_pool', 'in', [y.cost_pool.id for y in years]),
                    ('fiscalyear', 'in', [y.fiscalyear.id for y in years]),
                    ]):
            settled[settlement.cost_pool, settlement.fiscalyear] += (
                settlement.difference)
        return {y.id: settled[y.cost_pool, y.fiscalyear] for y in years}


class Rate(CancelledMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.rate'
    __string__ = "Rate Proposal"
    _work = (('draft', 'approve', 'valid_from'),)

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    valid_from = fields.Date("Valid from", required=True, states=_states)
    base = fields.Many2One(
        'account.fiscalyear', "Based on", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="The fiscal year whose cost is expected again, and on whose use "
        "the rate is tried.")
    fixed_cost = Monetary(
        "Fixed Cost", currency='currency', digits='currency', required=True,
        states=_states)
    variable_cost = Monetary(
        "Variable Cost", currency='currency', digits='currency',
        required=True, states=_states)
    carried = Monetary(
        "Carried over", currency='currency', digits='currency',
        required=True, states=_states,
        help="What was recovered too much before and lowers the rate.\n"
        "It is negative when it was too little.")
    expected_units = fields.Float(
        "Expected Units", digits='unit', required=True,
        domain=[
            ('expected_units', '>', 0),
            ],
        states=_states)
    fixed_rate = fields.Function(Monetary(
            "Fixed Part", currency='currency', digits=price_digits),
        'on_change_with_fixed_rate')
    variable_rate = fields.Function(Monetary(
            "Variable Part", currency='currency', digits=price_digits),
        'on_change_with_variable_rate')
    rate = fields.Function(Monetary(
            "Rate", currency='currency', digits=price_digits),
        'on_change_with_rate')
    trial_units = fields.Function(fields.Float(
            "Units Used", digits='unit',
            states={
                'invisible': ~Eval('base'),
                }),
        'get_trial')
    trial_charge = fields.Function(Monetary(
            "Charge at the Rate", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('base'),
                }),
        'get_trial')
    trial_difference = fields.Function(Monetary(
            "Over-recovery at the Rate", currency='currency',
            digits='currency',
            states={
                'invisible': ~Eval('base'),
                }),
        'get_trial')
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ('result', '=', 'carried'),
            ],
        states={
            'readonly': Eval('state') != 'draft',
            'required': Eval('state') == 'approved',
            },
        help="The resolution that approved the rate.")
    tariffs = fields.Many2Many(
        'coop.commons.rate-coop.commons.tariff', 'rate', 'tariff', "Tariffs",
        readonly=True,
        states={
            'invisible': ~Eval('tariffs'),
            })
    approved_by = employee_field("Approved by", states=['approved'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('valid_from', 'DESC'))
        cls._transitions |= {
            ('draft', 'approved'),
            ('draft', 'cancelled'),
            ('cancelled', 'draft'),
            }
        cls._buttons.update({
                'cancel': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'draft': {
                    'invisible': Eval('state') != 'cancelled',
                    'depends': ['state'],
                    },
                'approve': {
                    'invisible': Eval('state') != 'draft',
                    'readonly': ~Eval('resolution'),
                    'depends': ['state', 'resolution'],
                    },
                'create_tariffs': {
                    'invisible': (
                        (Eval('state') != 'approved')
                        | Bool(Eval('tariffs', [0]))),
                    'depends': ['state', 'tariffs'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_carried(cls):
        return Decimal(0)

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('cost_pool', '_parent_cost_pool.currency')
    def on_change_with_currency(self, name=None):
        return self.cost_pool.currency if self.cost_pool else None

    @fields.depends('cost_pool', '_parent_cost_pool.unit')
    def on_change_with_unit(self, name=None):
        return self.cost_pool.unit if self.cost_pool else None

    @fields.depends('cost_pool', 'base', 'expected_units')
    def on_change_base(self):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        if self.cost_pool and self.base:
            figures = CostPool.get_figures([self.cost_pool], [self.base])[
                self.cost_pool.id, self.base.id]
            self.fixed_cost = figures.fixed_cost
            self.variable_cost = figures.variable_cost
            if not self.expected_units:
                self.expected_units = (
                    self.cost_pool.expected_units or float(figures.use))

    @fields.depends('fixed_cost', 'carried', 'expected_units')
    def on_change_with_fixed_rate(self, name=None):
        return self._get_rate(self.fixed_cost, self.carried or Decimal(0))

    @fields.depends('variable_cost', 'expected_units')
    def on_change_with_variable_rate(self, name=None):
        return self._get_rate(self.variable_cost, Decimal(0))

    @fields.depends(
        'fixed_cost', 'variable_cost', 'carried', 'expected_units')
    def on_change_with_rate(self, name=None):
        if self.fixed_cost is not None and self.variable_cost is not None:
            return self._get_rate(
                self.fixed_cost + self.variable_cost,
                self.carried or Decimal(0))

    def _get_rate(self, cost, carried):
        if cost is not None and (self.expected_units or 0) > 0:
            return round_price(pool_rate.rate(
                    cost, Decimal(str(self.expected_units)), carried))

    @classmethod
    def get_trial(cls, rates, names):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        figures = CostPool.get_figures(
            {r.cost_pool for r in rates}, {r.base for r in rates if r.base})
        result = {name: dict.fromkeys([r.id for r in rates]) for name in names}
        for rate in rates:
            if not rate.base:
                continue
            values = figures[rate.cost_pool.id, rate.base.id]
            charge = rate.currency.round(values.use * rate.rate)
            trial = {
                'trial_units': float(values.use),
                'trial_charge': charge,
                'trial_difference': charge - values.cost,
                }
            for name in names:
                result[name][rate.id] = trial[name]
        return result

    def get_rec_name(self, name):
        return '%s %s' % (self.cost_pool.rec_name, self.valid_from)

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('cost_pool.rec_name', *clause[1:])]

    @classmethod
    def copy(cls, rates, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('resolution')
        default.setdefault('tariffs')
        default.setdefault('approved_by')
        return super().copy(rates, default=default)

    @classmethod
    def check_modification(cls, mode, rates, values=None, external=False):
        super().check_modification(
            mode, rates, values=values, external=external)
        if (mode == 'delete'
                or (mode == 'write'
                    and values.keys() - {'state', 'approved_by', 'tariffs'})):
            for rate in rates:
                if rate.state == 'approved':
                    raise AccessError(gettext(
                            'coop_commons.msg_rate_modify',
                            rate=rate.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, rates):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, rates):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, rates):
        for rate in rates:
            if not rate.resolution or rate.resolution.result != 'carried':
                raise RateError(gettext(
                        'coop_commons.msg_rate_resolution',
                        rate=rate.rec_name))

    @classmethod
    @ModelView.button
    def create_tariffs(cls, rates):
        "Create the versions of the tariffs that have the rate"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        cls.lock(rates)
        for rate in rates:
            if rate.state != 'approved' or rate.tariffs:
                continue
            tariffs = Tariff.copy(rate.get_tariffs(), default={
                    'valid_from': rate.valid_from,
                    'valid_until': None,
                    'resolution': rate.resolution.id,
                    })
            components = [rate.get_component(t) for t in tariffs]
            for component in components:
                component.unit_price = rate.rate
            Component.save(components)
            Tariff.approve(tariffs)
            rate.tariffs = tariffs
        cls.save(rates)

    def get_tariffs(self):
        """Return the tariffs in force that the rate replaces

        Those of the non-members are not at cost.
        """
        pool = Pool()
        Resource = pool.get('coop.commons.resource')
        Tariff = pool.get('coop.commons.tariff')
        resources = set(self.cost_pool.shared_resources)
        categories = [
            category for category in {r.category for r in resources}
            if category and resources.issuperset(Resource.search([
                        ('category', '=', category.id),
                        ]))]
        tariffs = Tariff.search([
                ('company', '=', self.company.id),
                ('state', '=', 'approved'),
                ('valid_from', '<', self.valid_from),
                ['OR',
                    ('valid_until', '=', None),
                    ('valid_until', '>=', self.valid_from),
                    ],
                ['OR',
                    ('resource', 'in', [r.id for r in resources]),
                    ('category', 'in', [c.id for c in categories]),
                    ],
                ('audience', 'in', [None, 'member', 'internal']),
                ])
        tariffs = [t for t in tariffs if self.get_component(t)]
        if not tariffs:
            raise RateError(gettext(
                    'coop_commons.msg_rate_no_tariff',
                    rate=self.rec_name,
                    unit=self.unit.rec_name))
        return tariffs

    def get_component(self, tariff):
        "Return the component of the tariff whose price is the rate"
        components = [
            c for c in tariff.components
            if c.unit == self.unit and c.pricing == 'unit']
        if len(components) == 1:
            component, = components
            return component


class RateTariff(ModelSQL):
    __name__ = 'coop.commons.rate-coop.commons.tariff'
    rate = fields.Many2One(
        'coop.commons.rate', "Rate", required=True, ondelete='CASCADE')
    tariff = fields.Many2One(
        'coop.commons.tariff', "Tariff", required=True, ondelete='RESTRICT')


class ProposeRateStart(ModelView):
    __name__ = 'coop.commons.cost_pool.propose_rate.start'
    __string__ = "Propose Rate"

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", readonly=True)
    company = fields.Many2One('company.company', "Company", readonly=True)
    base = fields.Many2One(
        'account.fiscalyear', "Based on", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The fiscal year whose cost is expected again.")
    valid_from = fields.Date("Valid from", required=True)

    @fields.depends('base', 'valid_from')
    def on_change_base(self):
        if self.base and not self.valid_from:
            self.valid_from = self.base.end_date + dt.timedelta(days=1)


class ProposeRate(Wizard):
    __name__ = 'coop.commons.cost_pool.propose_rate'
    __string__ = "Propose Rate"
    start = StateView(
        'coop.commons.cost_pool.propose_rate.start',
        'coop_commons.cost_pool_propose_rate_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Propose", 'propose', 'tryton-ok', default=True),
            ])
    propose = StateAction('coop_commons.act_rate_form')

    def default_start(self, fields):
        return {
            'cost_pool': self.record.id,
            'company': self.record.company.id,
            }

    def do_propose(self, action):
        pool = Pool()
        Rate = pool.get('coop.commons.rate')
        Settlement = pool.get('coop.commons.settlement')
        rate = Rate(
            company=self.record.company,
            cost_pool=self.record,
            base=self.start.base,
            valid_from=self.start.valid_from,
            expected_units=self.record.expected_units,
            carried=Settlement.get_carried(
                self.record, self.start.base))
        rate.on_change_base()
        rate.save()
        return action, {'res_id': [rate.id]}


class CostPoolReport(CompanyReport):
    __name__ = 'coop.commons.cost_pool.report'
