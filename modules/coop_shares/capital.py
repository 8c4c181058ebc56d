# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case
from sql.functions import Round

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .quantity import QUANTITY_DIGITS


class Capital(ModelSQL, ModelView):
    __name__ = 'coop.share.capital'
    __string__ = "Share Capital"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    period = fields.Many2One('account.period', "Period")
    date = fields.Date("Date")
    share_class = fields.Many2One('coop.share.class', "Share Class")
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)))
    amount = Monetary("Amount", currency='currency', digits='currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('date', 'ASC'),
            ('share_class', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Period = pool.get('account.period')
        ShareMove = pool.get('coop.share.move')
        move = ShareMove.__table__()
        period = Period.__table__()
        fiscalyear = FiscalYear.__table__()
        company = Transaction().context.get('company', -1)
        # What goes from one member to another does not change the capital
        sign = Case(
            (move.from_member == Null, 1), (move.to_member == Null, -1),
            else_=0)
        days = move.select(
            move.share_class, move.date,
            Sum(move.quantity * sign).as_('quantity'),
            Sum(move.amount * sign).as_('amount'),
            where=(move.state == 'done') & (move.company == company),
            group_by=[move.share_class, move.date])
        return (period
            .join(fiscalyear, condition=period.fiscalyear == fiscalyear.id)
            .join(days, condition=days.date <= period.end_date)
            .select(
                # The periods of a company and its classes are few
                (period.id * 1000 + days.share_class).as_('id'),
                fiscalyear.company.as_('company'),
                period.id.as_('period'),
                period.end_date.as_('date'),
                days.share_class.as_('share_class'),
                Round(Sum(days.quantity), QUANTITY_DIGITS).as_('quantity'),
                Round(Sum(days.amount), QUANTITY_DIGITS).as_('amount'),
                where=(fiscalyear.company == company)
                & (period.type == 'standard')
                & (period.start_date <= Date.today()),
                group_by=[
                    period.id, fiscalyear.company, period.end_date,
                    days.share_class]))

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits
