# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import Check, Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.document import ResultMixin
from trytond.modules.coop_membership.run import RunMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction

from . import cost_sharing
from .exceptions import EngagementError
from .invoice import post_invoices


class EngagementBilling(RunMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.engagement.billing'
    __string__ = "Engagement Billing"
    _work = (('computed', 'post', 'invoice_date'),)
    _pending = {'computed': 'invoice_date'}

    _search_names = ('cost_pool.rec_name', 'fiscalyear.rec_name')
    _modify_states = {'computed': {'invoice_date'}}

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    fixed_cost = Monetary(
        "Fixed Cost", currency='currency', digits='currency', required=True,
        domain=[
            ('fixed_cost', '>=', 0),
            ],
        help="The cost that is borne by the engagements.")
    invoice_date = fields.Date("Invoice Date", required=True)
    lines = fields.One2Many(
        'coop.commons.engagement.billing.line', 'billing', "Lines",
        readonly=True)
    posted_by = employee_field("Posted by", states=['posted'])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('year_unique',
                Exclude(t, (t.cost_pool, Equal), (t.fiscalyear, Equal)),
                'coop_commons_cost.msg_engagement_billing_unique'),
            ('fixed_cost_positive', Check(t, t.fixed_cost >= 0),
                'coop_commons_cost.msg_engagement_billing_positive'),
            ]
        cls._order.insert(0, ('fiscalyear.start_date', 'DESC'))

    @classmethod
    def default_invoice_date(cls):
        return Pool().get('ir.date').today()

    @fields.depends('cost_pool', 'fiscalyear')
    def on_change_fiscalyear(self):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        if self.cost_pool and self.fiscalyear:
            figures = CostPool.get_figures(
                [self.cost_pool], [self.fiscalyear])
            self.fixed_cost = max(
                figures[self.cost_pool.id, self.fiscalyear.id].fixed_cost,
                Decimal(0))

    def get_rec_name(self, name):
        return '%s %s' % (self.cost_pool.rec_name, self.fiscalyear.rec_name)

    def get_lines(self):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        Engagement = pool.get('coop.commons.engagement')
        Line = pool.get('coop.commons.engagement.billing.line')
        engagements = Engagement.search([
                ('cost_pool', '=', self.cost_pool.id),
                ('state', '=', 'confirmed'),
                ('start_date', '<=', self.fiscalyear.end_date),
                ('end_date', '>=', self.fiscalyear.start_date),
                ], order=[('start_date', 'ASC'), ('id', 'ASC')])
        if not engagements:
            raise EngagementError(gettext(
                    'coop_commons_cost.msg_engagement_billing_empty',
                    billing=self.rec_name))
        units = {e.id: e.get_units(self.fiscalyear) for e in engagements}
        amounts = cost_sharing.engage(
            self.fixed_cost, units, self.currency.rounding)
        used = defaultdict(Decimal)
        figures = CostPool.get_figures([self.cost_pool], [self.fiscalyear])
        for (member, _, _), quantity in figures[
                self.cost_pool.id, self.fiscalyear.id].units.items():
            used[member] += quantity

        def round_(quantity):
            return self.cost_pool.unit.round(float(quantity))

        for engagement in engagements:
            # Several engagements of a member are used one after the other
            member = engagement.member.id
            engaged = units[engagement.id]
            use = max(min(used[member], engaged), Decimal(0))
            used[member] -= use
            yield Line(
                billing=self,
                engagement=engagement,
                engaged=round_(engaged),
                shortfall=round_(cost_sharing.shortfall(engaged, use)),
                amount=amounts[engagement.id])

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    @set_employee('posted_by')
    def post(cls, billings):
        Line = Pool().get('coop.commons.engagement.billing.line')
        cls.lock(billings)
        post_invoices(
            Line, [i for b in billings for i in b.get_invoices()])

    def get_invoices(self):
        cost_pool = self.cost_pool
        if not cost_pool.product:
            raise EngagementError(gettext(
                    'coop_commons_cost.msg_cost_pool_product',
                    cost_pool=cost_pool.rec_name))
        lines = sorted(
            (l for l in self.lines if l.due),
            key=lambda l: (l.engagement.member.id, l.id))
        with Transaction().set_context(
                company=self.company.id, date=self.invoice_date):
            for member, member_lines in groupby(
                    lines, key=lambda l: l.engagement.member):
                invoice = cost_pool.get_invoice(
                    member.party, self.invoice_date)
                invoice.lines = [
                    cost_pool.get_invoice_line(
                        invoice, cost_pool.product, line.due,
                        cost_pool.get_description(
                            'coop_commons_cost.msg_engagement_invoice_line',
                            member.party, self.fiscalyear, line.engaged),
                        line)
                    for line in member_lines]
                yield invoice


class EngagementBillingLine(ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.engagement.billing.line'
    __string__ = "Engagement Billing Line"

    billing = fields.Many2One(
        'coop.commons.engagement.billing', "Billing", required=True,
        ondelete='CASCADE')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    billing_state = fields.Function(
        fields.Selection('get_billing_states', "Billing State"),
        'on_change_with_billing_state')
    engagement = fields.Many2One(
        'coop.commons.engagement', "Engagement", required=True,
        readonly=True, ondelete='RESTRICT')
    engaged = fields.Float(
        "Engaged", digits='unit', required=True, readonly=True)
    shortfall = fields.Float(
        "Shortfall", digits='unit', required=True, readonly=True,
        help="What was engaged and not used.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True,
        help="The part of the fixed cost.")
    waived = fields.Boolean(
        "Waived", readonly=True,
        help="The part of the shortfall is not billed.")
    due = fields.Function(Monetary(
            "Due", currency='currency', digits='currency'),
        'on_change_with_due')
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('billing')
        cls._buttons.update({
                'waive': {
                    'invisible': (
                        (Eval('billing_state') != 'computed')
                        | Bool(Eval('waived'))
                        | ~Eval('shortfall', 0)),
                    'depends': ['billing_state', 'waived', 'shortfall'],
                    },
                'unwaive': {
                    'invisible': (
                        (Eval('billing_state') != 'computed')
                        | ~Eval('waived', False)),
                    'depends': ['billing_state', 'waived'],
                    },
                })

    @classmethod
    def get_billing_states(cls):
        pool = Pool()
        Billing = pool.get('coop.commons.engagement.billing')
        return Billing.fields_get(['state'])['state']['selection']

    @fields.depends('billing', '_parent_billing.state')
    def on_change_with_billing_state(self, name=None):
        return self.billing.state if self.billing else None

    @fields.depends('billing', '_parent_billing.currency')
    def on_change_with_currency(self, name=None):
        return self.billing.currency if self.billing else None

    @fields.depends('engagement', '_parent_engagement.unit')
    def on_change_with_unit(self, name=None):
        return self.engagement.unit if self.engagement else None

    @fields.depends(
        'amount', 'waived', 'engaged', 'shortfall', 'billing',
        '_parent_billing.currency')
    def on_change_with_due(self, name=None):
        if self.waived and self.billing:
            engaged, shortfall = map(
                lambda q: Decimal(str(q)), [self.engaged, self.shortfall])
            return self.billing.currency.round(
                self.amount * (engaged - shortfall) / engaged)
        return self.amount

    def get_rec_name(self, name):
        return '%s, %s' % (self.engagement.rec_name, self.billing.rec_name)

    @classmethod
    @ModelView.button
    def waive(cls, lines):
        cls.write(lines, {'waived': True})

    @classmethod
    @ModelView.button
    def unwaive(cls, lines):
        cls.write(lines, {'waived': False})
