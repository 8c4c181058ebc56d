# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.aggregate import Sum
from sql.functions import Round

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval

from .quantity import QUANTITY_DIGITS, QuantityMixin


class ShareClassCapital(QuantityMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.class.capital'
    __string__ = "Capital by Class"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    share_class = fields.Many2One('coop.share.class', "Share Class")
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)))
    amount = Monetary("Amount", currency='currency', digits='currency',
        help="The capital of the shares.")
    liability = fields.Function(Monetary(
            "Liability", currency='currency', digits='currency',
            help="What of the capital is shown as a liability where the "
            "accounts follow IFRIC 2."),
        'on_change_with_liability')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('share_class', 'ASC'), ('id', 'ASC')]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        Move = pool.get('coop.share.move')
        company, date = Holding._company_date()
        rows = Move._rows(
            lambda t, member, sign: [
                t.company.as_('company'),
                t.share_class.as_('share_class'),
                (t.quantity * sign).as_('quantity'),
                (t.amount * sign).as_('amount'),
                ],
            lambda t, member: (
                (t.state == 'done') & (t.company == company)
                & (t.date <= date)))
        return rows.select(
            rows.share_class.as_('id'),
            rows.company.as_('company'),
            rows.share_class.as_('share_class'),
            Round(Sum(rows.quantity), QUANTITY_DIGITS).as_('quantity'),
            Round(Sum(rows.amount), QUANTITY_DIGITS).as_('amount'),
            group_by=[rows.company, rows.share_class])

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class', 'amount')
    def on_change_with_liability(self, name=None):
        if self.share_class and self.amount is not None:
            return self.share_class.get_liability(self.amount)
