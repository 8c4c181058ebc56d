# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from dateutil.relativedelta import relativedelta
from sql import Literal, Null, Union
from sql.aggregate import Sum
from sql.conditionals import Case
from sql.functions import DateTrunc, Extract

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.tools import sql_pairing
from trytond.transaction import Transaction

from .usage import CONFIRMED

HOUR_DIGITS = (None, 2)


def _hours(start, end):
    "Return the SQL expression of the hours between the instants"
    return (Extract('EPOCH', end) - Extract('EPOCH', start)) / 3600.0


class Occupancy(ModelSQL, ModelView):
    __name__ = 'coop.commons.occupancy'
    __string__ = "Occupancy"

    company = fields.Many2One('company.company', "Company")
    resource = fields.Many2One('coop.commons.resource', "Resource")
    month = fields.Date(
        "Month",
        help="What starts in the month counts in it as a whole.")
    uses = fields.Integer("Uses")
    used = fields.Float(
        "Hours used", digits=HOUR_DIGITS,
        help="The confirmed use, multiplied by its seats.")
    booked = fields.Float(
        "Hours booked", digits=HOUR_DIGITS,
        help="What is or was booked, multiplied by its seats, "
        "without the cancelled bookings.")
    open = fields.Function(fields.Float(
            "Hours open", digits=HOUR_DIGITS,
            help="The time in service and within the opening hours, "
            "multiplied by the capacity."),
        'get_hours')
    idle = fields.Function(fields.Float(
            "Hours idle", digits=HOUR_DIGITS,
            help="The hours open that were not used."),
        'get_hours')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('month', 'DESC'), ('resource', 'ASC'), ('id', 'ASC')]

    @classmethod
    def table_query(cls):
        parts = Union(
            cls._usage_query(), cls._booking_query(), all_=True)
        months = Extract('YEAR', parts.month) * 12 + Extract(
            'MONTH', parts.month)
        return parts.select(
            sql_pairing(parts.resource, months).as_('id'),
            parts.company.as_('company'),
            parts.resource.as_('resource'),
            parts.month.as_('month'),
            cls.uses.sql_cast(Sum(parts.uses)).as_('uses'),
            cls.used.sql_cast(Sum(parts.used)).as_('used'),
            cls.booked.sql_cast(Sum(parts.booked)).as_('booked'),
            group_by=[parts.company, parts.resource, parts.month])

    @classmethod
    def _columns(cls, table, **values):
        return [
            table.company.as_('company'),
            table.resource.as_('resource'),
            cls.month.sql_cast(DateTrunc('month', table.date)).as_('month'),
            *(values.get(name, Literal(0)).as_(name)
                for name in ['uses', 'used', 'booked']),
            ]

    @classmethod
    def _where(cls, table):
        context = Transaction().context
        where = Literal(True)
        if context.get('company') is not None:
            where &= table.company == context['company']
        if context.get('from_date'):
            where &= table.date >= context['from_date']
        if context.get('to_date'):
            where &= table.date <= context['to_date']
        return where

    @classmethod
    def _usage_query(cls):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        table = Usage.__table__()
        # What is taken back counts with the other sign
        sign = Case((table.corrects == Null, 1), else_=-1)
        return table.select(
            *cls._columns(
                table, uses=sign,
                used=sign * table.seats * _hours(table.start, table.end)),
            where=cls._where(table)
            & table.state.in_(CONFIRMED) & (table.event == Null))

    @classmethod
    def _booking_query(cls):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        table = Booking.__table__()
        return table.select(
            *cls._columns(
                table,
                booked=table.quantity * _hours(table.start, table.end)),
            where=cls._where(table)
            & table.state.in_(Booking.get_counted_states()))

    def get_rec_name(self, name):
        return '%s %s' % (
            self.resource.rec_name, self.month.strftime('%Y-%m'))

    @classmethod
    def get_hours(cls, records, names):
        pool = Pool()
        Rule = pool.get('coop.commons.rule')
        context = Transaction().context
        rules = Rule.find_common({r.resource for r in records})
        result = {name: {} for name in names}
        for record in records:
            resource = record.resource
            start = max(filter(None, [
                        record.month, resource.start_date,
                        context.get('from_date')]))
            end = min(filter(None, [
                        record.month + relativedelta(day=31),
                        resource.end_date, context.get('to_date')]))
            hours = sum((
                    Rule.get_open_time(
                        rules[resource], resource,
                        start + dt.timedelta(days=day))
                    for day in range((end - start).days + 1)),
                dt.timedelta()) / dt.timedelta(hours=1) * resource.capacity
            values = {
                'open': hours,
                'idle': max(hours - (record.used or 0), 0),
                }
            for name in names:
                result[name][record.id] = round(values[name], HOUR_DIGITS[1])
        return result
