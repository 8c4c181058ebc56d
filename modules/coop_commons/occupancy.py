# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from dateutil.relativedelta import relativedelta
from sql import Literal, Null, Union, Values, With
from sql.aggregate import Max, Min, Sum
from sql.conditionals import Case, Coalesce, Greatest, Least
from sql.functions import Extract

from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.tools import sql_pairing, timezone as tz
from trytond.transaction import Transaction

from . import local_time
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
        help="What goes on over its end counts in each month with the hours "
        "that are in it, by the clock at the place of the resource.")
    uses = fields.Integer(
        "Uses",
        help="The uses that start in the month.")
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
        months = cls._months()
        parts = Union(
            cls._usage_query(months), cls._booking_query(months), all_=True)
        number = Extract('YEAR', parts.month) * 12 + Extract(
            'MONTH', parts.month)
        return parts.select(
            sql_pairing(parts.resource, number).as_('id'),
            parts.company.as_('company'),
            parts.resource.as_('resource'),
            parts.month.as_('month'),
            cls.uses.sql_cast(Sum(parts.uses)).as_('uses'),
            cls.used.sql_cast(Sum(parts.used)).as_('used'),
            cls.booked.sql_cast(Sum(parts.booked)).as_('booked'),
            group_by=[parts.company, parts.resource, parts.month],
            with_=[months])

    @classmethod
    def _months(cls):
        """Return the months as a table, for each time zone from when until
        when they last

        Only the days of the context are in them.
        """
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')
        context = Transaction().context
        cursor = Transaction().connection.cursor()
        spans = {}
        for Model, where in [
                (Usage, cls._where_used), (Booking, cls._where_booked)]:
            table = Model.__table__()
            from_, zone = cls._in_zone(table)
            cursor.execute(*from_.select(
                    zone.as_('zone'), Min(table.date),
                    # No zone is farther from UTC than a day
                    Max(Coalesce(table.end, table.start)),
                    where=where(table),
                    # By its name, since PostgreSQL compares no parameters
                    group_by=[zone.as_('zone')]))
            for name, first, end in cursor:
                if isinstance(first, str):
                    first = dt.date.fromisoformat(first)
                if isinstance(end, str):
                    end = dt.datetime.fromisoformat(end)
                last = end.date() + local_time.DAY
                span = spans.get(name, (first, last))
                spans[name] = min(first, span[0]), max(last, span[1])
        rows = []
        for name, (first, last) in sorted(spans.items()):
            zone = tz.get_tzinfo(name)
            first = max(filter(None, [first, context.get('from_date')]))
            last = min(filter(None, [last, context.get('to_date')]))
            while first <= last:
                month_end = first + relativedelta(day=31)
                rows.append((
                        name, first.replace(day=1),
                        local_time.get_midnight(first, zone),
                        local_time.get_midnight(
                            min(month_end, last) + local_time.DAY, zone)))
                first = month_end + local_time.DAY
        if not rows:
            # A table can not be empty
            rows.append((
                    '', dt.date.min, dt.datetime.min, dt.datetime.min))
        return With('zone', 'month', 'start', 'end', query=Values(rows))

    @classmethod
    def _in_zone(cls, table):
        "Return the table with its resource, and the name of the time zone"
        pool = Pool()
        company = pool.get('company.company').__table__()
        resource = pool.get('coop.commons.resource').__table__()
        return (table
            .join(resource, condition=table.resource == resource.id)
            .join(company, condition=resource.company == company.id)
            ), Coalesce(resource.timezone, company.timezone, 'UTC')

    @classmethod
    def _select(cls, table, months, where, **values):
        from_, zone = cls._in_zone(table)
        # What has no length is where it starts
        in_month = (table.start < months.end) & (
            (table.end > months.start) | (table.start >= months.start))
        return from_.join(
            months, condition=(zone == months.zone) & in_month).select(
            table.company.as_('company'),
            table.resource.as_('resource'),
            cls.month.sql_cast(months.month).as_('month'),
            *(values.get(name, Literal(0)).as_(name)
                for name in ['uses', 'used', 'booked']),
            where=where(table))

    @classmethod
    def _hours_in(cls, table, months):
        return _hours(
            Greatest(table.start, months.start), Least(table.end, months.end))

    @classmethod
    def _where(cls, table):
        context = Transaction().context
        where = Literal(True)
        if context.get('company') is not None:
            where &= table.company == context['company']
        return where

    @classmethod
    def _where_used(cls, table):
        return (
            cls._where(table) & table.state.in_(CONFIRMED)
            & (table.event == Null))

    @classmethod
    def _where_booked(cls, table):
        Booking = Pool().get('coop.commons.booking')
        return cls._where(table) & table.state.in_(
            Booking.get_counted_states())

    @classmethod
    def _usage_query(cls, months):
        table = Pool().get('coop.commons.usage').__table__()
        # What is taken back counts with the other sign
        sign = Case((table.corrects == Null, 1), else_=-1)
        return cls._select(
            table, months, cls._where_used,
            uses=Case((table.start >= months.start, sign), else_=0),
            used=Case(
                (table.end == Null, 0),
                else_=sign * table.seats * cls._hours_in(table, months)))

    @classmethod
    def _booking_query(cls, months):
        table = Pool().get('coop.commons.booking').__table__()
        return cls._select(
            table, months, cls._where_booked,
            booked=table.quantity * cls._hours_in(table, months))

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
