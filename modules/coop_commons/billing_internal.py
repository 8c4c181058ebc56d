# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond.model import Index, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import ResultMixin
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary

from .digits import AMOUNT, AMOUNT_DIGITS

__all__ = ['BillingInternal']


class BillingInternal(ResultMixin, ModelSQL, ModelView):
    """What a billing charges a cost centre for a resource

    Each amount is rounded, but not their sum: what is charged in total is
    the rounded price of all that was used, in how many parts it was billed
    and whatever was taken back.
    """
    __name__ = 'coop.commons.billing.internal'
    __string__ = "Internal Charge"

    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True,
        ondelete='RESTRICT')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT')
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", required=True,
        ondelete='RESTRICT')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True)
    rounding = fields.Numeric(
        "Rounding", digits=AMOUNT_DIGITS, required=True,
        help="By how much the amount is above the exact price, which the "
        "next billing makes up for.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('billing')
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.billing, Index.Equality())),
                Index(t, (t.cost_center, Index.Equality()),
                    (t.resource, Index.Equality())),
                })
        cls._order = [('billing', 'DESC'), ('id', 'ASC')]

    @fields.depends('billing', '_parent_billing.company')
    def on_change_with_currency(self, name=None):
        if self.billing and self.billing.company:
            return self.billing.company.currency

    def get_rec_name(self, name):
        return '%s @ %s' % (
            self.resource.rec_name, self.cost_center.rec_name)

    @classmethod
    def get_roundings(cls, cost_centers):
        "Return by resource and cost centre by how much too much was charged"
        table = cls.__table__()
        query = table.select(
            table.resource, table.cost_center,
            Sum(table.rounding).as_('rounding'),
            where=fields.SQL_OPERATORS['in'](
                table.cost_center, list(cost_centers)),
            group_by=[table.resource, table.cost_center])
        roundings = defaultdict(Decimal)
        for resource, cost_center, rounding in fetch_sums(query):
            roundings[resource, cost_center] = rounding.quantize(AMOUNT)
        return roundings
