# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.pool import Pool

from . import local_time
from .exceptions import BookingOverlapError

BLOCKING = ['confirmed', 'running']


class BookingAvailability:
    "The time that a booking blocks, and whether the resource is free in it"
    __slots__ = ()

    def set_blocked(self, rules=()):
        "Set the time that is blocked, with the buffers of the rules"
        self.exclusive = self.resource.capacity == 1
        zone = self.resource.zone
        self.blocked_from = local_time.add(
            self.start, -max(
                (r.buffer_before for r in rules if r.buffer_before),
                default=dt.timedelta()), zone)
        self.blocked_until = local_time.add(
            self.end, max(
                (r.buffer_after for r in rules if r.buffer_after),
                default=dt.timedelta()), zone)

    def check_available(self, others=(), ignore=()):
        """Check that the resource is free

        `others` are bookings that will block it too, and those to `ignore`
        do not any more.
        """
        related = self.resource.related
        overlapping = self.__class__.search([
                ('resource', 'in', [r.id for r in related]),
                ('state', 'in', BLOCKING),
                ('blocked_from', '<', self.blocked_until),
                ('blocked_until', '>', self.blocked_from),
                ('id', 'not in', [self.id, *map(int, ignore)]),
                ])
        overlapping.extend(
            b for b in others
            if b.resource in related
            and b.blocked_from < self.blocked_until
            and b.blocked_until > self.blocked_from)
        for other in overlapping:
            if other.resource != self.resource or other.exclusive:
                raise BookingOverlapError(gettext(
                        'coop_commons.msg_booking_overlap',
                        booking=self.rec_name,
                        other=other.rec_name))
        free = self.resource.capacity - max(
            (sum(b.quantity for b in overlapping
                    if b.blocked_from <= instant < b.blocked_until)
                for instant in [
                    self.blocked_from, *(b.blocked_from for b in overlapping)]
                if instant >= self.blocked_from),
            default=0)
        if self.quantity > free:
            raise BookingOverlapError(gettext(
                    'coop_commons.msg_booking_capacity',
                    booking=self.rec_name,
                    quantity=self.quantity,
                    free=max(free, 0),
                    capacity=self.resource.capacity))

    @property
    def slot(self):
        return self.resource, self.blocked_from, self.blocked_until

    @classmethod
    def offer(cls, bookings):
        "Offer the slots that became free to those who wait for them"
        cls.offer_slots([b.slot for b in bookings], ignore=bookings)

    @classmethod
    def offer_slots(cls, slots, ignore=()):
        pool = Pool()
        Rule = pool.get('coop.commons.rule')
        now = cls._now()
        offered = []
        for resource, start, end in slots:
            if not end or end <= now:
                continue
            for request in cls.search([
                        ('resource', 'in', [r.id for r in resource.related]),
                        ('state', '=', 'request'),
                        ('waiting', '=', True),
                        ('offered_at', '=', None),
                        ('start', '<', end),
                        ('end', '>', start),
                        ('start', '>', now),
                        ], order=[('id', 'ASC')]):
                request.set_blocked(Rule.find(request))
                try:
                    request.check_available(offered, ignore=ignore)
                except BookingOverlapError:
                    continue
                request.offered_at = now
                offered.append(request)
        cls.save(offered)
