# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.modules.product import price_digits, round_price
from trytond.pool import Pool
from trytond.tools import sql_pairing

from . import cost_sharing


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
        idle = cost_sharing.idle(
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
