# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.document import DocumentMixin, ResultMixin
from trytond.modules.currency.fields import Monetary
from trytond.modules.product import price_digits, round_price
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from . import cost_sharing
from .exceptions import RateError


class Rate(DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.rate'
    __string__ = "Rate Proposal"
    _not_copied = {'resolution'}
    _steps = {
        'cancel': (['draft'], 'cancelled'),
        'draft': (['cancelled'], 'draft'),
        'approve': (['draft'], 'approved'),
        'create_tariffs': (['approved'], None),
        }
    _work = (('draft', 'approve', 'valid_from'),)

    _search_names = ('cost_pool.rec_name',)
    _sealed_states = {'approved': {'state', 'approved_by', 'tariffs'}}
    _delete_states = {'draft', 'cancelled'}

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    valid_from = fields.Date("Valid from", required=True)
    base = fields.Many2One(
        'account.fiscalyear', "Based on", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The fiscal year whose cost is expected again, and on whose use "
        "the rate is tried.")
    fixed_cost = Monetary(
        "Fixed Cost", currency='currency', digits='currency', required=True)
    variable_cost = Monetary(
        "Variable Cost", currency='currency', digits='currency',
        required=True)
    carried = Monetary(
        "Carried over", currency='currency', digits='currency',
        required=True,
        help="What was recovered too much before and lowers the rate.\n"
        "It is negative when it was too little.")
    expected_units = fields.Float(
        "Expected Units", digits='unit', required=True,
        domain=[
            ('expected_units', '>', 0),
            ])
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

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints.append((
                'expected_units_positive', Check(t, t.expected_units > 0),
                'coop_commons_cost.msg_rate_units_positive'))
        cls._order.insert(0, ('valid_from', 'DESC'))
        cls._buttons['approve']['readonly'] = ~Eval('resolution')
        cls._buttons['approve']['depends'].append('resolution')
        cls._buttons['create_tariffs']['invisible'] |= Bool(
            Eval('tariffs', [0]))
        cls._buttons['create_tariffs']['depends'].append('tariffs')

    @classmethod
    def default_carried(cls):
        return Decimal(0)

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
            return round_price(cost_sharing.rate(
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
    def propose(cls, cost_pool, base, valid_from):
        "Return the rate of the cost pool for the cost of the fiscal year"
        pool = Pool()
        Settlement = pool.get('coop.commons.settlement')
        rate = cls(
            company=cost_pool.company,
            cost_pool=cost_pool,
            base=base,
            valid_from=valid_from,
            expected_units=cost_pool.expected_units,
            carried=Settlement.get_carried(cost_pool, base))
        rate.on_change_base()
        return rate

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
            resolution = rate.resolution
            if (not resolution
                    or resolution.result != 'carried'
                    # It may still be voted on again
                    or resolution.meeting.state != 'closed'):
                raise RateError(gettext(
                        'coop_commons_cost.msg_rate_resolution',
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
                    'coop_commons_cost.msg_rate_no_tariff',
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


class RateTariff(ResultMixin, ModelSQL):
    __name__ = 'coop.commons.rate-coop.commons.tariff'
    rate = fields.Many2One(
        'coop.commons.rate', "Rate", required=True, ondelete='CASCADE')
    tariff = fields.Many2One(
        'coop.commons.tariff', "Tariff", required=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('rate')
