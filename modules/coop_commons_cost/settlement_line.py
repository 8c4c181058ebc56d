# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import ResultMixin
from trytond.modules.currency.fields import Monetary
from trytond.pyson import Eval


def user_key(user):
    "Return the user as ids that can be sorted"
    return tuple(int(id_ or 0) for id_ in user)


class SettlementLine(ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.settlement.line'
    __string__ = "Settlement Line"

    settlement = fields.Many2One(
        'coop.commons.settlement', "Settlement", required=True,
        ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    member = fields.Many2One(
        'coop.member', "Member", readonly=True, ondelete='RESTRICT')
    party = fields.Many2One(
        'party.party', "Non-member", readonly=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", readonly=True,
        ondelete='RESTRICT')
    units = fields.Float("Units", digits='unit', readonly=True)
    charged = Monetary(
        "Charged", currency='currency', digits='currency', readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True,
        help="What is returned, or called when it is negative.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT')
    invoice = fields.Function(
        fields.Many2One('account.invoice', "Invoice"),
        'on_change_with_invoice')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('settlement')

    @fields.depends('settlement', '_parent_settlement.company')
    def on_change_with_company(self, name=None):
        return self.settlement.company if self.settlement else None

    @fields.depends('settlement', '_parent_settlement.currency')
    def on_change_with_currency(self, name=None):
        return self.settlement.currency if self.settlement else None

    @fields.depends('settlement', '_parent_settlement.unit')
    def on_change_with_unit(self, name=None):
        return self.settlement.unit if self.settlement else None

    @fields.depends('invoice_line')
    def on_change_with_invoice(self, name=None):
        return self.invoice_line.invoice if self.invoice_line else None

    def get_rec_name(self, name):
        user = self.member or self.party or self.cost_center
        return '%s @ %s' % (user.rec_name, self.settlement.rec_name)

    @property
    def key(self):
        "The user as ids that can be sorted"
        return user_key((self.member, self.party, self.cost_center))

    @property
    def figures(self):
        "What is computed of it"
        return self.units, self.charged, self.amount

    @property
    def payer(self):
        "The party the amount is returned to or called from"
        return self.member.party if self.member else self.party

    @property
    def product(self):
        return self.settlement.get_product(member=bool(self.member))

    @property
    def revenue_account(self):
        return self.settlement.get_revenue_account(member=bool(self.member))

    def get_invoice_line(self, invoice):
        cost_pool = self.settlement.cost_pool
        return cost_pool.get_invoice_line(
            invoice, self.product, -self.amount,
            cost_pool.get_description(
                'coop_commons_cost.msg_settlement_returned' if self.amount > 0
                else 'coop_commons_cost.msg_settlement_called',
                invoice.party, self.settlement.fiscalyear, self.units),
            self)
