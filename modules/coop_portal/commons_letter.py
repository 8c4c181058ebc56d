# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What is written about bookings, and reminds of them"""
import datetime as dt

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import PoolMeta

from .letter import PortalLetter

AHEAD = dt.timedelta(days=1)


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.portal.configuration'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.letters.selection.extend([
                ('booking', "Booking Confirmed"),
                ('booking_moved', "Booking Changed"),
                ('booking_cancelled', "Booking Cancelled"),
                ('booking_tomorrow', "Booking Tomorrow"),
                ])


class Cron(metaclass=PoolMeta):
    __name__ = 'ir.cron'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.method.selection.append(
            ('coop.commons.booking|remind', "Remind of Bookings"))


class Booking(metaclass=PoolMeta):
    __name__ = 'coop.commons.booking'

    moved = fields.Boolean("Moved", readonly=True)
    reminded = fields.Boolean("Reminded", readonly=True)

    @classmethod
    def _rebook(cls, changes):
        super()._rebook(changes)
        bookings = list(changes)
        # Each change is told of once
        cls.write(bookings, {'moved': False})
        cls.write(bookings, {'moved': True, 'reminded': False})

    @classmethod
    def remind(cls):
        "Mark the bookings of the next day, of which their members are told"
        now = cls._now()
        cls.write(cls.search([
                    ('state', '=', 'confirmed'),
                    ('start', '>', now),
                    ('start', '<=', now + AHEAD),
                    ('reminded', '!=', True),
                    ]), {'reminded': True})


class BookingLetter(PortalLetter):
    __slots__ = ()

    @classmethod
    def get_subject(cls, booking):
        return gettext(
            f'coop_portal.msg_letter_{cls._kind}_subject',
            resource=booking.resource.name)

    @classmethod
    def get_rows(cls, booking):
        rows = [
            (cls.label(booking, 'number'), booking.number),
            (cls.label(booking, 'resource'), booking.resource.name),
            (cls.label(booking, 'local_time'), booking.local_time),
            ]
        if booking.resource.capacity > 1:
            rows.append(
                (cls.label(booking, 'quantity'), str(booking.quantity)))
        if booking.state == 'confirmed' and booking.estimate is not None:
            rows.append((
                    cls.label(booking, 'estimate'),
                    cls.money(booking.estimate, booking)))
        return [r for r in rows if r[1]]


class ConfirmedLetter(BookingLetter):
    __name__ = 'coop.commons.booking.confirmed_letter'
    _kind = 'booking'


class MovedLetter(BookingLetter):
    __name__ = 'coop.commons.booking.moved_letter'
    _kind = 'booking_moved'


class CancelledLetter(BookingLetter):
    __name__ = 'coop.commons.booking.cancelled_letter'
    _kind = 'booking_cancelled'


class TomorrowLetter(BookingLetter):
    __name__ = 'coop.commons.booking.tomorrow_letter'
    _kind = 'booking_tomorrow'
