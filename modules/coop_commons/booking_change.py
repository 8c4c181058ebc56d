# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView
from trytond.pool import Pool

from .booking_availability import BLOCKING
from .exceptions import BookingChangeError

NAMES = ['start', 'end', 'resource', 'quantity']


class BookingChange:
    """The time, the resource and the seats of a booking that blocks them
    already"""
    __slots__ = ()

    @classmethod
    @ModelView.button_action('coop_commons.wizard_booking_change')
    def change(cls, bookings):
        pass

    @classmethod
    @ModelView.button_action('coop_commons.wizard_booking_change')
    def extend(cls, bookings):
        pass

    @classmethod
    @ModelView.button_action('coop_commons.wizard_booking_change')
    def shorten(cls, bookings):
        pass

    @classmethod
    def rebook(cls, booking, start, end, resource, quantity):
        """Change the booking if all the rules allow it, else it stays

        What it gives back is charged as the tariff does.
        """
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        changes = booking.get_changes(start, end, resource, quantity)
        cls.check_own(changes)
        now = cls._now()
        usages, slots = [], []
        for one, change in changes.items():
            one.check_change(*change, now)
            usages.extend(one.get_change_events(*change, now))
            slots.append(one.slot)
        cls._rebook({
                one: dict(zip(NAMES, change))
                for one, change in changes.items()})
        Usage.save(usages)
        Usage.confirm(Usage.browse(usages))
        cls.offer_slots(slots)

    def get_changes(self, start, end, resource, quantity):
        """Return the new time, resource and seats of the booking

        And, if the time changes, of those that it is together with.
        """
        changes = {self: (start, end, resource, quantity)}
        if (start, end) != (self.start, self.end):
            for other in self.all_together([self]):
                if other != self and other.state in BLOCKING:
                    changes[other] = (
                        start, end, other.resource, other.quantity)
        return changes

    def has_begun(self, now):
        return self.state == 'running' or self.start <= now

    def check_change(self, start, end, resource, quantity, now):
        if self.state not in BLOCKING:
            raise BookingChangeError(gettext(
                    'coop_commons.msg_booking_change_state',
                    booking=self.rec_name))
        if self.has_begun(now) and (
                (start, resource, quantity) != (
                    self.start, self.resource, self.quantity)
                or end < now):
            raise BookingChangeError(gettext(
                    'coop_commons.msg_booking_change_begun',
                    booking=self.rec_name))
        if start < now and start != self.start:
            raise BookingChangeError(gettext(
                    'coop_commons.msg_booking_change_past',
                    booking=self.rec_name))

    def get_change_events(self, start, end, resource, quantity, now):
        """Return the usages of what the change gives back or is too late for

        They are not saved.
        """
        usages = []
        for event, first, last, seats in self._get_freed(
                start, end, resource, quantity, now):
            usages.extend(self.get_events(
                    event, first, last, seats=seats, received_at=now))
        return usages

    def _get_freed(self, start, end, resource, quantity, now):
        if self.has_begun(now):
            if end < self.end:
                yield 'early_return', end, self.end, self.quantity
            elif now > self.end:
                yield 'late_return', self.end, min(now, end), self.quantity
            return
        first, last = max(start, self.start), min(end, self.end)
        if resource != self.resource or first >= last:
            yield 'cancellation', self.start, self.end, self.quantity
            return
        if self.start < first:
            yield 'cancellation', self.start, first, self.quantity
        if last < self.end:
            yield 'cancellation', last, self.end, self.quantity
        if quantity < self.quantity:
            yield 'cancellation', first, last, self.quantity - quantity
