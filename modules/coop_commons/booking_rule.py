# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import chain

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import (
    DeactivableMixin, ModelSQL, ModelView, fields, sequence_ordered)
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.report import Report

from . import local_time
from .digits import QUANTITY_DIGITS
from .for_resource import ForResource
from .rule_prepaid import RulePrepaid

QUOTA_PERIODS = [
    (None, ""),
    ('day', "Day"),
    ('week', "Week"),
    ('month', "Month"),
    ('rolling', "Rolling Days"),
    ]
# What a rule may say, by the fields that say it together
_SUBJECTS = [
    ('days', 'open_from', 'open_until'), ('slot',), ('minimum_duration',),
    ('maximum_duration',), ('lead_time',), ('horizon',), ('buffer_before',),
    ('buffer_after',),
    ('quota_per', 'quota_days', 'quota_time', 'quota_bookings',
        'quota_amount', 'quota_quantity', 'quota_unit', 'quota_warning'),
    ('open_bookings',), ('debt_limit',),
    ('prepaid_minimum', 'prepaid_warning')]


def _duration(delta):
    return Report.format_timedelta(delta)


class Rule(
        RulePrepaid, sequence_ordered(), DeactivableMixin, ForResource,
        ModelSQL, ModelView):
    __name__ = 'coop.commons.rule'
    __string__ = "Booking Rule"

    name = fields.Char("Name", required=True, translate=True)
    member_categories = fields.Many2Many(
        'coop.commons.rule-coop.member.category', 'rule', 'category',
        "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for everybody.")
    days = fields.MultiSelection([
            ('0', "Monday"),
            ('1', "Tuesday"),
            ('2', "Wednesday"),
            ('3', "Thursday"),
            ('4', "Friday"),
            ('5', "Saturday"),
            ('6', "Sunday"),
            ], "Open Days", sort=False,
        help="Leave empty for every day.")
    open_from = fields.Time("Open from")
    open_until = fields.Time(
        "Open until",
        help="On the next day if it is not after the opening.")
    slot = fields.TimeDelta(
        "Slot",
        domain=[
            ['OR', ('slot', '=', None), ('slot', '>', dt.timedelta())],
            ],
        help="Bookings start and end on a multiple of it since midnight.")
    minimum_duration = fields.TimeDelta("Minimum Duration")
    maximum_duration = fields.TimeDelta("Maximum Duration")
    lead_time = fields.TimeDelta(
        "Lead Time",
        help="How long before the start a booking is made at the latest.")
    horizon = fields.TimeDelta(
        "Horizon",
        help="How long before the start a booking is made at the earliest.")
    buffer_before = fields.TimeDelta(
        "Buffer before",
        help="The time before that is blocked but not charged.")
    buffer_after = fields.TimeDelta(
        "Buffer after",
        help="The time after that is blocked but not charged.")
    quota_per = fields.Selection(QUOTA_PERIODS, "Quota per", sort=False)
    quota_per_string = quota_per.translated('quota_per')
    quota_days = fields.Integer(
        "Rolling Days",
        domain=[
            If(Eval('quota_per') == 'rolling', ('quota_days', '>', 0), ()),
            ],
        states={
            'required': Eval('quota_per') == 'rolling',
            'invisible': Eval('quota_per') != 'rolling',
            })
    quota_time = fields.TimeDelta(
        "Quota of Time",
        states={
            'invisible': ~Eval('quota_per'),
            })
    quota_bookings = fields.Integer(
        "Quota of Bookings",
        states={
            'invisible': ~Eval('quota_per'),
            })
    quota_amount = Monetary(
        "Quota of Money", currency='currency', digits='currency',
        states={
            'invisible': ~Eval('quota_per'),
            },
        help="What the use in the period may cost, with what is booked.")
    quota_quantity = fields.Numeric(
        "Quota of Use", digits=QUANTITY_DIGITS,
        states={
            'required': Bool(Eval('quota_unit')),
            'invisible': ~Eval('quota_per'),
            },
        help="What may be used in the period of what is metered, such as km "
        "or kWh.\n"
        "Nothing more can be booked once it is used.")
    quota_unit = fields.Many2One(
        'product.uom', "Unit", ondelete='RESTRICT',
        states={
            'required': Bool(Eval('quota_quantity')),
            'invisible': ~Eval('quota_per'),
            })
    quota_warning = fields.Numeric(
        "Warn at", digits=(None, 4),
        domain=[
            ['OR',
                ('quota_warning', '=', None),
                [('quota_warning', '>', 0), ('quota_warning', '<', 1)],
                ],
            ],
        states={
            'invisible': ~Eval('quota_per'),
            },
        help="The share of a quota at which the user is warned.")
    open_bookings = fields.Integer(
        "Open Bookings",
        help="How many bookings a user may have in the future.")
    debt_limit = Monetary(
        "Debt Limit", currency='currency', digits='currency',
        help="The overdue amount above which a user can not book.")
    approval = fields.Boolean(
        "Approval Needed",
        help="Check if only stewards may confirm bookings.")
    @classmethod
    def find(cls, booking):
        "Return the rules of the booking"
        pool = Pool()
        Member = pool.get('coop.member')
        category = None
        if booking.member:
            category = Member.categories_at(
                [booking.member], booking.local_start.date()).get(
                booking.member.id)
        rules = cls.search([
                ('company', '=', booking.company.id),
                cls.get_domain(booking.resource),
                ])
        return cls._put_closer_first([
                r for r in rules
                if not r.member_categories
                or category in {c.id for c in r.member_categories}])

    @classmethod
    def find_common(cls, resources):
        "Return the rules of each resource that hold for everybody"
        rules = cls.search([
                ('company', 'in', list({r.company.id for r in resources})),
                ('member_categories', '=', None),
                ])
        return {
            resource: cls._put_closer_first(
                [r for r in rules if r.is_for(resource)])
            for resource in resources}

    @classmethod
    def _put_closer_first(cls, rules):
        """Return the rules without what others say more closely

        What those of the resource say takes the place of what those of its
        category say about the same, be it wider or narrower.
        """
        said = [
            names for names in _SUBJECTS if any(
                rule.resource and getattr(rule, name) not in {None, ()}
                for rule in rules for name in names)]
        found = []
        for rule in rules:
            if not rule.resource and said:
                # It is read only, and not saved without what it says
                rule = cls(rule.id)
                for name in chain.from_iterable(said):
                    setattr(rule, name, None)
            found.append(rule)
        return found

    @classmethod
    def get_open_time(cls, rules, resource, day):
        "Return how long the rules leave the resource open on the day"
        stretches = [(
                resource.get_instant(day),
                resource.get_instant(day + dt.timedelta(days=1)))]
        for rule in rules:
            openings = list(rule._get_openings(day, day, resource.zone))
            stretches = [
                (max(start, opening), min(end, closing))
                for start, end in stretches
                for opening, closing in openings
                if opening < end and start < closing]
        return sum((end - start for start, end in stretches), dt.timedelta())

    def _get_openings(self, first, last, zone):
        "Yield when it opens and closes, as far as it is open on the days"
        opening = self.open_from or dt.time()
        closing = self.open_until or dt.time()
        # It may be open since the day before
        day = first - dt.timedelta(days=1)
        while day <= last:
            if not self.days or str(day.weekday()) in self.days:
                until = day + dt.timedelta(days=closing <= opening)
                yield (
                    local_time.get_first(
                        dt.datetime.combine(day, opening), zone),
                    # A time that exists twice is over after the second
                    local_time.get_last(
                        dt.datetime.combine(until, closing), zone))
            day += dt.timedelta(days=1)

    def check(self, booking, now, others=(), in_time=False):
        """Yield the reasons why the rule forbids the booking

        `others` are bookings that count as if they were confirmed.  What is
        booked `in_time` is not too late or too early.
        """
        zone = booking.resource.zone

        def later(instant, delta):
            return local_time.add(instant, delta, zone)

        yield from self._check_open(booking)
        for limit, message, broken in [
                (self.minimum_duration, 'minimum_duration',
                    lambda limit: booking.end < later(booking.start, limit)),
                (self.maximum_duration, 'maximum_duration',
                    lambda limit: booking.end > later(booking.start, limit)),
                (self.lead_time, 'lead_time',
                    lambda limit: booking.start < later(now, limit)),
                (self.horizon, 'horizon',
                    lambda limit: booking.start > later(now, limit))]:
            if in_time and message in {'lead_time', 'horizon'}:
                continue
            if limit is not None and broken(limit):
                yield gettext(
                    'coop_commons.msg_rule_' + message,
                    rule=self.rec_name, booking=booking.rec_name,
                    limit=_duration(limit))
        if booking.user:
            counted = self._get_counted(booking, others)
            yield from self._check_quota(booking, counted)
            yield from self._check_open_bookings(booking, now, counted)
        if booking.payer:
            yield from self._check_debt(booking, now)
            yield from self._check_prepaid(booking, others)

    def _check_open(self, booking):
        zone = booking.resource.zone
        start, end = booking.local_start, booking.local_end
        if self.slot:
            slot = self.slot.total_seconds()
            for local in [start, end]:
                seconds = (
                    local.hour * 3600 + local.minute * 60 + local.second)
                if seconds % slot:
                    yield gettext(
                        'coop_commons.msg_rule_slot',
                        rule=self.rec_name, booking=booking.rec_name,
                        limit=_duration(self.slot))
                    break
        if not (self.days or self.open_from or self.open_until):
            return
        open_until = booking.start
        for opening, closing in self._get_openings(
                start.date(), end.date(), zone):
            if opening <= open_until:
                open_until = max(open_until, closing)
        if open_until < booking.end:
            yield gettext(
                'coop_commons.msg_rule_open',
                rule=self.rec_name, booking=booking.rec_name,
                open_from=(self.open_from or dt.time()).strftime('%H:%M'),
                open_until=(
                    self.open_until.strftime('%H:%M') if self.open_until
                    else '24:00'))

    def _get_quota_periods(self, first, last):
        """Yield the first and the last day of each period that the quota
        counts and that the days are in"""
        day = first
        while day <= last:
            if self.quota_per == 'week':
                start = day - dt.timedelta(days=day.weekday())
                end = start + dt.timedelta(days=6)
            elif self.quota_per == 'month':
                start = day + relativedelta(day=1)
                end = day + relativedelta(day=31)
            else:
                start = end = day
            yield start, end
            day = end + dt.timedelta(days=1)

    def _get_counted(self, booking, others):
        return [
            b for b in others
            if b.user == booking.user and self.is_for(b.resource)]

    def _check_quota(self, booking, others):
        for name, limit, value, format_, values in self._get_quotas(
                booking, others):
            if value > limit or name == 'quota_quantity' and value == limit:
                yield gettext(
                    'coop_commons.msg_rule_' + name, **values,
                    booking=booking.rec_name,
                    value=format_(value), limit=format_(limit))

    def get_warnings(self, booking, others=()):
        """Yield the quotas of which the user uses up more than the share

        Of their whole he is refused, or has been warned of it.
        """
        yield from self._get_prepaid_warnings(booking, others)
        if not (booking.user and self.quota_warning):
            return
        for name, limit, value, format_, values in self._get_quotas(
                booking, self._get_counted(booking, others)):
            share = self.quota_warning
            if isinstance(limit, dt.timedelta):
                share = float(share)
            if (limit * share <= value <= limit
                    and not (name == 'quota_quantity' and value == limit)):
                yield gettext(
                    'coop_commons.msg_rule_quota_warning', **values,
                    resource=booking.resource.rec_name,
                    value=format_(value), limit=format_(limit))

    def _get_quotas(self, booking, others):
        "Yield each quota with its limit and how much would be used"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Lang = pool.get('ir.lang')
        if not self.quota_per:
            return
        zone = booking.resource.zone
        days = local_time.get_days(booking.start, booking.end, zone)
        if self.quota_per == 'rolling':
            back = dt.timedelta(days=self.quota_days)
            since = local_time.add(booking.start, -back, zone)
            until = local_time.add(booking.end, back, zone)
        else:
            periods = list(self._get_quota_periods(days[0], days[-1]))
            since = local_time.get_midnight(periods[0][0], zone)
            until = local_time.get_midnight(
                periods[-1][1] + dt.timedelta(days=1), zone)
        bookings = Booking.search([
                # Those as they will be take the place of what they are
                ('id', 'not in', [booking.id, *(b.id for b in others)]),
                booking.get_user_domain(),
                ('state', 'in', Booking.get_counted_states()),
                ('start', '<', until),
                ('end', '>', since),
                self._get_booking_domain(),
                ])
        bookings.extend([*others, booking])
        if self.quota_per == 'rolling':
            # They count back from each hour that is booked
            periods = [
                (local_time.add(end, -back, zone), end)
                for b in bookings
                for end in [
                    b.end, local_time.add(b.start, back, zone),
                    b.start + local_time.SECOND]]
            periods = [
                (start, end) for start, end in periods
                if booking.start < end and start < booking.end]
        else:
            periods = [
                (local_time.get_midnight(first, zone),
                    local_time.get_midnight(
                        last + dt.timedelta(days=1), zone))
                for first, last in periods]

        def count_time(period):
            start, end = period
            return sum((
                    max(min(b.end, end) - max(b.start, start), dt.timedelta())
                    for b in bookings),
                dt.timedelta())

        def count_bookings(period):
            start, end = period
            return sum(start <= b.start < end for b in bookings)

        def count_amount(period):
            start, end = period
            return self._get_amount(
                booking, [b for b in bookings if start <= b.start < end],
                start, end)

        def count_quantity(period):
            return self._get_used_quantity(booking, *period)

        def format_quantity(quantity):
            return lang.format_number_symbol(
                quantity, self.quota_unit, digits=self.quota_unit.digits)

        lang = Lang.get()
        for name, limit, count, format_ in [
                ('quota_amount', self.quota_amount, count_amount,
                    self._format_amount),
                ('quota_quantity', self.quota_quantity, count_quantity,
                    format_quantity),
                ('quota_time', self.quota_time, count_time, _duration),
                ('quota_bookings', self.quota_bookings, count_bookings,
                    str)]:
            if limit is None:
                continue
            start, end = max((
                    p for p in sorted(periods)
                    # A booking counts when it starts
                    if count == count_time or p[0] <= booking.start < p[1]),
                key=count)
            value = count((start, end))
            if self.quota_per == 'rolling':
                counted = [
                    b for b in bookings if b.start < end and start < b.end]
                start = max(start, min(b.start for b in counted))
                end = min(end, max(b.end for b in counted))
            days = local_time.get_days(start, end, zone)
            yield name, limit, value, format_, {
                'rule': self.rec_name,
                'start': lang.strftime(days[0]),
                'end': lang.strftime(days[-1]),
                'period': self.quota_per_string,
                }

    def _get_amount(self, booking, bookings, start, end):
        """Return what the use in the time costs

        With the bookings that are still to be used, as they are estimated.
        """
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        amount = sum((
                b.on_change_with_estimate() or Decimal(0)
                for b in bookings if b.state not in {'done', 'no_show'}),
            Decimal(0))
        for usage in Usage.search([
                    booking.get_user_domain(),
                    ('start', '>=', start),
                    ('start', '<', end),
                    ('state', '!=', 'cancelled'),
                    self._get_booking_domain(),
                    self._get_used_domain(),
                    ]):
            amount += self._get_usage_amount(usage)
        return self.currency.round(amount)

    def _get_used_quantity(self, booking, start, end):
        "Return what is metered of the use in the time, in the unit"
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Uom = pool.get('product.uom')
        quantity = Decimal(0)
        for line in Quantity.search([
                    ('usage', 'where', [
                            booking.get_user_domain(),
                            ('start', '>=', start),
                            ('start', '<', end),
                            ('state', '!=', 'cancelled'),
                            self._get_booking_domain(),
                            ]),
                    ('unit.category', '=', self.quota_unit.category.id),
                    ]):
            used = line.quantity
            if line.unit != self.quota_unit:
                used = Decimal(str(Uom.compute_qty(
                            line.unit, float(used), self.quota_unit,
                            round=False)))
            quantity += used
        return quantity

    def _get_booking_domain(self):
        if self.resource:
            return [('resource', '=', self.resource.id)]
        return [('resource.category', '=', self.category.id)]

    def _check_open_bookings(self, booking, now, others):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        if self.open_bookings is None:
            return
        count = Booking.search([
                ('id', 'not in', [booking.id, *(b.id for b in others)]),
                booking.get_user_domain(),
                ('state', '=', 'confirmed'),
                ('start', '>=', now),
                self._get_booking_domain(),
                ], count=True)
        count += len([b for b in others if b.start >= now]) + 1
        if count > self.open_bookings:
            yield gettext(
                'coop_commons.msg_rule_open_bookings',
                rule=self.rec_name, booking=booking.rec_name,
                count=count, limit=self.open_bookings)

    def _check_debt(self, booking, now):
        pool = Pool()
        Line = pool.get('account.move.line')
        if self.debt_limit is None:
            return
        lines = Line.search([
                ('party', '=', booking.payer.id),
                ('account.company', '=', self.company.id),
                ('account.type.receivable', '=', True),
                ('reconciliation', '=', None),
                ('maturity_date', '<', now.date()),
                ('move.state', '=', 'posted'),
                ])
        debt = sum((l.debit - l.credit for l in lines), Decimal(0))
        if debt > self.debt_limit:
            yield gettext(
                'coop_commons.msg_rule_debt',
                rule=self.rec_name, booking=booking.rec_name,
                party=booking.payer.rec_name,
                debt=Report.format_currency(debt, None, self.currency),
                limit=Report.format_currency(
                    self.debt_limit, None, self.currency))


class RuleMemberCategory(ModelSQL):
    __name__ = 'coop.commons.rule-coop.member.category'
    rule = fields.Many2One(
        'coop.commons.rule', "Rule", required=True, ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('rule')
