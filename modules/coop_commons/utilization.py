# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.aggregate import Count, Min, Sum
from sql.functions import DateTrunc

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.transaction import Transaction

from .digits import QUANTITY_DIGITS
from .usage import CONFIRMED


class Utilization(ModelSQL, ModelView):
    __name__ = 'coop.commons.utilization'
    __string__ = "Utilization"

    company = fields.Many2One('company.company', "Company")
    resource = fields.Many2One('coop.commons.resource', "Resource")
    month = fields.Date("Month")
    unit = fields.Many2One('product.uom', "Unit")
    quantity = fields.Numeric("Quantity", digits=QUANTITY_DIGITS)
    uses = fields.Integer("Uses")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('month', 'DESC'), ('resource', 'ASC'), ('id', 'ASC')]

    @classmethod
    def table_query(cls):
        from_item, tables = cls._joins()
        return from_item.select(
            *cls._columns(tables),
            where=cls._where(tables),
            group_by=cls._group_by(tables))

    @classmethod
    def _joins(cls):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        tables = {
            'usage': Usage.__table__(),
            'line': Quantity.__table__(),
            }
        from_item = tables['usage'].join(
            tables['line'],
            condition=tables['line'].usage == tables['usage'].id)
        return from_item, tables

    @classmethod
    def _columns(cls, tables):
        usage, line = tables['usage'], tables['line']
        return [
            Min(line.id).as_('id'),
            usage.company.as_('company'),
            usage.resource.as_('resource'),
            cls._column_month(tables).as_('month'),
            line.unit.as_('unit'),
            cls.quantity.sql_cast(Sum(line.quantity)).as_('quantity'),
            Count(usage.id, distinct=True).as_('uses'),
            ]

    @classmethod
    def _column_month(cls, tables):
        return cls.month.sql_cast(
            DateTrunc('month', tables['usage'].date))

    @classmethod
    def _where(cls, tables):
        usage = tables['usage']
        context = Transaction().context
        where = usage.state.in_(CONFIRMED)
        if context.get('company') is not None:
            where &= usage.company == context['company']
        if context.get('from_date'):
            where &= usage.date >= context['from_date']
        if context.get('to_date'):
            where &= usage.date <= context['to_date']
        return where

    @classmethod
    def _group_by(cls, tables):
        usage, line = tables['usage'], tables['line']
        return [
            usage.company, usage.resource,
            # By its name, since PostgreSQL compares no parameters
            cls._column_month(tables).as_('month'),
            line.unit]


class UtilizationContext(ModelView):
    __name__ = 'coop.commons.utilization.context'
    __string__ = "Utilization Context"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date")
    to_date = fields.Date("To Date")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_from_date(cls):
        return Transaction().context.get('from_date')

    @classmethod
    def default_to_date(cls):
        return Transaction().context.get('to_date')
