# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What members do with their own bookings: repeat, move, start and finish"""
import datetime as dt

from trytond.i18n import gettext
from trytond.model.exceptions import AccessError
from trytond.modules.coop_commons import local_time, rating
from trytond.modules.coop_commons.booking_change_wizard import sum_prices
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction, without_check_access

from .exceptions import RequestError

# Who books at once types for some minutes
AT_ONCE = dt.timedelta(minutes=15)
# What is priced and booked before an answer
REPEATED = 60
# Of which booking the readings are
_BOOKING = 'coop_portal_booking'


class OwnMixin:
    "What the portal acts on is of the members whom it acts for"
    __slots__ = ()

    @classmethod
    def check_own(cls, records):
        User = Pool().get('web.user')
        if User.is_portal():
            cls._check_acting(r.user for r in records)
        else:
            super().check_own(records)

    @classmethod
    def check_own_user(cls, users):
        "Check that members book for themselves, as long as they are"
        User = Pool().get('web.user')
        if not User.is_portal():
            super().check_own_user(users)
            return
        for user in cls._check_acting(users):
            if user.state not in {'member', 'leaving'}:
                raise AccessError(gettext(
                        'coop_portal.msg_booking_member',
                        member=user.rec_name))

    @classmethod
    def _check_acting(cls, users):
        "Check that the portal acts for them, and return them"
        own = Pool().get('web.user').acting_members()
        users = list(users)
        for user in users:
            if user.__name__ != 'coop.member' or user.id not in own:
                raise AccessError(gettext(
                        'coop_commons.msg_booking_own_user',
                        user=user.rec_name))
        return users


class Series(OwnMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.series'

    @classmethod
    def for_member(cls, member, resource, start, end, **values):
        "Return the series of the member, which is not saved"
        Booking = Pool().get('coop.commons.booking')
        booking = Booking.for_member(member, resource, start, end, 1, None)
        series = cls(
            company=member.company, member=member, resource=resource,
            start=booking.start, end=booking.end, days=[], others=[],
            **values)
        series.recurrence = series.on_change_with_recurrence()
        if len(series.times) > REPEATED:
            raise RequestError(gettext(
                    'coop_portal.msg_series_long', limit=REPEATED))
        return series

    @property
    def times(self):
        "The start and end of the first bookings, one more than may be"
        times = []
        for time in self.get_times():
            times.append(time)
            if len(times) > REPEATED:
                break
        return times

    @property
    def estimate(self):
        "What the bookings cost if all of them are used as they are booked"
        Booking = Pool().get('coop.commons.booking')
        return sum_prices(
            Booking(
                company=self.company, member=self.member, party=None,
                cost_center=None, resource=self.resource,
                quantity=self.quantity, start=start, end=end,
                ).on_change_with_estimate()
            for start, end in self.times)


class Booking(OwnMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.booking'

    @property
    def startable(self):
        "Whether the member takes it just now"
        now = self._now()
        return (self.state == 'confirmed'
            and self.start - AT_ONCE <= now < self.end)

    @property
    def movable(self):
        return self.state == 'running' or (
            self.state == 'confirmed' and self.start > self._now())

    def preview_move(self, start, end, quantity):
        """Return the changes by booking, and what they cost

        The price as it will be, and what is charged for what is given back.
        The times are those of the clock at the place of the resource.
        """
        now = self._now()
        with without_check_access():
            booking = self.__class__(self.id)
            if booking.has_begun(now):
                start = booking.start
            else:
                start = local_time.get_first(start, booking.resource.zone)
            end = local_time.get_first(end, booking.resource.zone)
            change = (start, end, booking.resource, quantity)
            if start >= end:
                raise RequestError(gettext(
                        'coop_portal.msg_page_booking_length'))
            changes = booking.get_changes(*change)
            for one, to in changes.items():
                one.check_change(*to, now)
            price = sum_prices(
                self.__class__(
                    company=one.company, member=one.member, party=one.party,
                    cost_center=one.cost_center, start=to[0], end=to[1],
                    resource=to[2], quantity=to[3]).on_change_with_estimate()
                for one, to in changes.items())
            fee = sum_prices(
                one.get_price([
                        rating.Usage(
                            u.start, u.end, seats=u.seats, event=u.event,
                            noticed=u.received_at)
                        for u in one.get_change_events(*to, now)])
                for one, to in changes.items())
        return change, price, fee

    def move(self, start, end, quantity):
        "Move the booking if the rules allow it"
        change, _, _ = self.preview_move(start, end, quantity)
        self.check_own([self])
        with without_check_access():
            self.rebook(self.__class__(self.id), *change)

    @property
    def meters(self):
        "The meters of the resource with the last value of each"
        pool = Pool()
        Meter = pool.get('coop.commons.meter')
        Reading = pool.get('coop.commons.reading')
        with without_check_access():
            meters = Meter.search([
                    ('resource', '=', self.resource.id),
                    ], order=[('id', 'ASC')])
            result = []
            for meter in meters:
                readings = Reading.search([
                        ('meter', '=', meter.id),
                        ('state', '=', 'done'),
                        ], order=[('time', 'DESC'), ('id', 'DESC')], limit=1)
                result.append(
                    (meter, readings[0].value if readings else None))
        return result

    def begin(self, values):
        "Start to use what is booked, with the values of the meters"
        self.check_own([self])
        if not self.startable:
            raise RequestError(gettext('coop_portal.msg_booking_start'))
        self.start_use([self])
        with without_check_access():
            booking = self.__class__(self.id)
            booking._read_meters('start', booking.used_from, values)

    def end_use(self, values):
        "Finish the use, with the values of the meters"
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        self.check_own([self])
        if self.state != 'running':
            raise RequestError(gettext('coop_portal.msg_booking_finish'))
        with without_check_access():
            booking = self.__class__(self.id)
            booking.used_until = max(self._now(), booking.used_from)
            booking.save()
            booking._read_meters('end', booking.used_until, values)
            booking = self.__class__(self.id)
            if values and not booking.uses:
                # Nothing has moved, which is known and not waited for
                usage = booking.get_usage(
                    booking.used_from, booking.used_until, quantities=[
                        Quantity(unit=m.unit, quantity=0) for m in values])
                usage.save()
                Usage.confirm([usage])
        self.finish([self.__class__(self.id)])

    def _read_meters(self, kind, time, values):
        Reading = Pool().get('coop.commons.reading')
        readings = [
            Reading(
                company=self.company, meter=meter, time=time, kind=kind,
                value=value, member=self.member if kind == 'end' else None)
            for meter, value in values.items()]
        Reading.save(readings)
        with Transaction().set_context(**{_BOOKING: self.id}):
            Reading.do(readings)


class Reading(metaclass=PoolMeta):
    __name__ = 'coop.commons.reading'

    def get_usage(self, before=None):
        """Return the usage of the booking that the readings end

        The time is that of the first meter only.
        """
        Booking = Pool().get('coop.commons.booking')
        usage = super().get_usage(before=before)
        id_ = Transaction().context.get(_BOOKING)
        if id_:
            booking = Booking(id_)
            (meter, _), *_ = booking.meters
            if self.meter == meter:
                usage.booking = booking
                usage.start = booking.used_from
                usage.seats = booking.quantity
            else:
                usage.start = usage.end
        return usage


class Feed(metaclass=PoolMeta):
    __name__ = 'coop.commons.feed'

    @classmethod
    def of_member(cls, member):
        "Return the feed of the member that has an address, if any"
        with without_check_access():
            for feed in cls.search([
                        ('member', '=', member.id),
                        ('key', '!=', None),
                        ], order=[('id', 'ASC')], limit=1):
                return feed

    @classmethod
    def renew_own(cls, member):
        "Give the feed of the member another address, or its first"
        cls._check_member(member)
        with without_check_access():
            feeds = cls.search([('member', '=', member.id)])
            if feeds:
                cls.renew(feeds)
            else:
                cls.create([{
                            'company': member.company.id,
                            'member': member.id,
                            }])

    @classmethod
    def revoke_own(cls, member):
        cls._check_member(member)
        with without_check_access():
            cls.revoke(cls.search([('member', '=', member.id)]))

    @classmethod
    def _check_member(cls, member):
        User = Pool().get('web.user')
        if member.id not in User.acting_members():
            raise AccessError(gettext(
                    'coop_commons.msg_booking_own_user',
                    user=member.rec_name))
