# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.aggregate import Count, Min, Sum

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval

from .quantity import QUANTITY_DIGITS


class Distribution(ModelSQL, ModelView):
    __name__ = 'coop.share.distribution'
    __string__ = "Distribution of Shares"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    share_class = fields.Many2One('coop.share.class', "Share Class")
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Shares per Member",
        digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)))
    members = fields.Integer("Members")
    amount = Monetary("Amount", currency='currency', digits='currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('share_class', 'ASC'),
            ('quantity', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        holding = Holding.table_query()
        member = holding.select(
            Min(holding.id).as_('id'),
            holding.company, holding.member, holding.share_class,
            Sum(holding.quantity).as_('quantity'),
            Sum(holding.amount).as_('amount'),
            group_by=[holding.company, holding.member, holding.share_class])
        return member.select(
            Min(member.id).as_('id'),
            member.company.as_('company'),
            member.share_class.as_('share_class'),
            member.quantity.as_('quantity'),
            Count(member.member).as_('members'),
            Sum(member.amount).as_('amount'),
            group_by=[member.company, member.share_class, member.quantity])

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits
