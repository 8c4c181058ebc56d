# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import DeactivableMixin, ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .cost_pool_figures import CostPoolFigures


class CostPool(CostPoolFigures, DeactivableMixin, ModelSQL, ModelView):
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
            ('own', "Own Cost less Own Charge"),
            ], "Settlement Basis", required=True, sort=False,
        help="The proportion in which the users share the difference, or "
        "what each was charged against the cost of his own use.")
    keys = fields.One2Many(
        'coop.commons.cost_pool.key', 'cost_pool', "Keys",
        states={
            'invisible': Eval('settlement_basis') != 'own',
            },
        help="How the cost of some accounts is shared.\n"
        "All other cost, and the overheads, are shared by the use.")
    threshold = Monetary(
        "Threshold", currency='currency', digits='currency', required=True,
        domain=[
            ('threshold', '>=', 0),
            ],
        help="The difference up to which the settlement is carried into the "
        "next rate.\n"
        "If each bears the cost of his own use, it is carried only when no "
        "user's amount is above.")
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
    @ModelView.button_action('coop_commons_cost.wizard_cost_pool_propose_rate')
    def propose_rate(cls, cost_pools):
        pass

    def get_keyed(self, figures, fiscalyear):
        "Return the costs that have a key of their own, and their weights"
        return [
            (sum((figures.costs.get(a.id, Decimal(0)) for a in key.accounts),
                Decimal(0)),
                key.get_weights(figures, fiscalyear))
            for key in self.keys]

    def get_invoice(self, party, date):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        return Invoice.get_addressed(
            self.company, party, date, self.currency)

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
