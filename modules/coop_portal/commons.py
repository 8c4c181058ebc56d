# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.modules.coop_commons import local_time, rating
from trytond.modules.coop_commons.booking_availability import BLOCKING
from trytond.pool import Pool, PoolMeta
from trytond.transaction import without_check_access

from .commons_own import AT_ONCE
from .exceptions import RequestError
from .member import as_data


class Resource(metaclass=PoolMeta):
    __name__ = 'coop.commons.resource'

    @classmethod
    def bookable_now(cls, company):
        "Return the resources of the company that are booked as they are"
        Date = Pool().get('ir.date')
        today = Date.today()
        return [
            r for r in cls.search([
                    ('company', '=', company),
                    ('bookable', '=', True),
                    ])
            if r.in_service(today, today)]

    def taken(self, first, end):
        """Return the times between the instants that are booked, in order

        Each with its start, its end and how many of the seats are left, but
        not by whom.
        """
        Booking = Pool().get('coop.commons.booking')
        related = {r.id for r in self.related}
        with without_check_access():
            bookings = Booking.search([
                    ('resource', 'in', list(related)),
                    ('state', 'in', BLOCKING),
                    ('blocked_from', '<', end),
                    ('blocked_until', '>', first),
                    ])
            edges = sorted({
                    first, end,
                    *(max(b.blocked_from, first) for b in bookings),
                    *(min(b.blocked_until, end) for b in bookings)})
            times = []
            for start, stop in zip(edges, edges[1:]):
                blocking = [
                    b for b in bookings
                    if b.blocked_from < stop and b.blocked_until > start]
                if not blocking:
                    continue
                left = 0
                if all(b.resource.id == self.id and not b.exclusive
                        for b in blocking):
                    left = self.capacity - sum(b.quantity for b in blocking)
                if times and times[-1][1:] == (start, left):
                    start, *_ = times.pop()
                times.append((start, stop, left))
        return times

    @property
    def today(self):
        "The day at the place of the resource"
        now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
        return self.get_local(now).date()

    def taken_by_day(self, first, days):
        """Return the days and what is taken on each, by the local clock

        Each time with its start, its end and how many seats are left.
        """
        result = []
        for i in range(days):
            date = first + i * local_time.DAY
            taken = self.taken(
                self.get_instant(date),
                self.get_instant(date + local_time.DAY))
            result.append((date, [
                        (self.get_local(start), self.get_local(end), left)
                        for start, end, left in taken]))
        return result


class Booking(metaclass=PoolMeta):
    __name__ = 'coop.commons.booking'

    @classmethod
    def for_member(cls, member, resource, start, end, quantity, purpose):
        """Return the booking of the member, which is not saved

        The times are those of the clock at the place of the resource.  What
        was is for the office to record.
        """
        start = local_time.get_first(start, resource.zone)
        if start < cls._now() - AT_ONCE:
            raise RequestError(gettext('coop_portal.msg_booking_past'))
        return cls(
            company=member.company, member=member, resource=resource,
            start=start, end=local_time.get_first(end, resource.zone),
            quantity=quantity, purpose=purpose)

    @property
    def cancellation_price(self):
        "What cancelling costs now, by the tariff"
        now = self._now()
        if self.state != 'confirmed':
            return
        with without_check_access():
            usages = self.get_events('cancellation', self.start, self.end)
            return self.get_price([
                    rating.Usage(
                        u.start, u.end, seats=u.seats, event=u.event,
                        noticed=now)
                    for u in usages])


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @property
    def personal_data(self):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        return {
            **super().personal_data,
            'bookings': as_data(
                Booking.search([('member', '=', self.id)]),
                ['number', 'resource', 'start', 'end', 'quantity', 'purpose',
                    'state']),
            }
