# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

from trytond.model.exceptions import AccessError
from trytond.modules.coop_commons.exceptions import (
    BookingChangeError, BookingOverlapError, SeriesError)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import check_access

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
# A Monday, at nine in the morning in Berlin
START = dt.datetime(2024, 3, 18, 8)


class SeriesTestCase(CommonsTestCase):
    "Test what is booked again and again, and several resources at once"

    @contextmanager
    def at(self, instant):
        Booking = Pool().get('coop.commons.booking')
        with patch.object(Booking, '_now', return_value=instant):
            yield

    def _create_priced(self, **values):
        "Return a resource in Berlin for 10 an hour, cancelled late for 5"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        resource = self._create_resource()
        resource.other_units = []
        resource.timezone = 'Europe/Berlin'
        for name, value in values.items():
            setattr(resource, name, value)
        resource.save()
        components = [
            Component(
                name="Hours", kind='time', unit=self._hour,
                unit_price=Decimal(10)),
            Component(
                name="Cancelled", kind='event', event='cancellation',
                event_notice=DAY, unit_price=Decimal(0),
                time_share=Decimal('0.5')),
            ]
        tariff = self._make_document(
            'tariff', resource=resource, components=components)
        Tariff.approve([tariff])
        return resource

    def _create_series(self, resource, **values):
        return self._make_document('series', **{
                'resource': resource, 'start': START,
                'end': START + 2 * HOUR, 'until': dt.date(2024, 4, 8),
                **values})

    def _starts(self, series, states=('confirmed',)):
        Booking = Pool().get('coop.commons.booking')
        return [
            b.start for b in Booking.search([
                    ('series', '=', series.id),
                    ('state', 'in', states),
                    ('together', '=', None),
                    ], order=[('start', 'ASC')])]

    def _bill(self, resources):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=dt.date(2024, 12, 30),
            invoice_date=dt.date(2024, 12, 31), for_resources=resources)
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        self.assertFalse(Billing.check_books(
                self.company, dt.date(2024, 12, 31)))
        invoices = Billing(billing.id).invoices
        self.assertEqual({i.state for i in invoices}, {'posted'})
        return sum((i.untaxed_amount for i in invoices), Decimal(0))

    @with_transaction()
    def test_clock(self):
        "Test a series keeps its time on the clock, and is billed so"
        Booking = Pool().get('coop.commons.booking')
        with self.in_company():
            resource = self._create_priced()
            series = self._create_series(resource)
            self.assertEqual(
                series.recurrence, 'FREQ=WEEKLY;UNTIL=20240408T235959')
            with self.at(START - 2 * DAY):
                series.confirm([series])
            # The clock is set forward on the 31st of March
            self.assertEqual(self._starts(series), [
                    dt.datetime(2024, 3, 18, 8), dt.datetime(2024, 3, 25, 8),
                    dt.datetime(2024, 4, 1, 7), dt.datetime(2024, 4, 8, 7)])
            bookings = Booking.search([('series', '=', series.id)])
            self.assertEqual(
                {b.local_start.hour for b in bookings}, {9})
            self.assertEqual(len({b.number for b in bookings}), 4)
            for booking in sorted(bookings, key=lambda b: b.start)[:3]:
                with self.at(booking.end):
                    booking.used_from = booking.start
                    booking.used_until = booking.end
                    booking.save()
                    booking.finish([booking])
            # An hour before the last, the rest costs half of 20
            with self.at(dt.datetime(2024, 4, 8, 6)):
                series.cancel([series.__class__(series.id)])
            self.assertEqual(
                self._starts(series, ['cancelled']),
                [dt.datetime(2024, 4, 8, 7)])
            # 3 times 2 hours at 10, and 10
            self.assertEqual(self._bill([resource]), Decimal('70.00'))

    @with_transaction()
    def test_night(self):
        "Test times that the clock shows twice, or never"
        Booking = Pool().get('coop.commons.booking')
        with self.in_company():
            resource = self._create_priced()
            for start, hours, until in [
                    # From half past one to half past three in the morning
                    (dt.datetime(2024, 10, 25, 23, 30), [2, 3, 2],
                        dt.date(2024, 10, 28)),
                    (dt.datetime(2025, 3, 29, 0, 30), [2, 1, 2],
                        dt.date(2025, 3, 31))]:
                series = self._create_series(
                    resource, start=start, end=start + 2 * HOUR,
                    frequency='DAILY', until=until)
                with self.at(START):
                    series.confirm([series])
                bookings = Booking.search(
                    [('series', '=', series.id)], order=[('start', 'ASC')])
                self.assertEqual(
                    [(b.end - b.start) // HOUR for b in bookings], hours)
                self.assertEqual({
                        b.local_start.strftime('%H:%M') for b in bookings},
                    {'01:30'})
            # Half an hour that the clock jumps over on the second day
            start = dt.datetime(2026, 3, 28, 1, 15)
            series = self._create_series(
                resource, start=start, end=start + HOUR / 2,
                frequency='DAILY', until=dt.date(2026, 3, 30))
            self.assertEqual(list(series.get_times()), [
                    (start, start + HOUR / 2),
                    (dt.datetime(2026, 3, 29, 1),
                        dt.datetime(2026, 3, 29, 1, 30)),
                    (dt.datetime(2026, 3, 30, 0, 15),
                        dt.datetime(2026, 3, 30, 0, 45)),
                    ])

    @with_transaction()
    def test_rule(self):
        "Test the rules that a series can have"
        with self.in_company():
            resource = self._create_priced()
            for values, starts in [
                    ({'days': ['MO', 'TH'], 'until': dt.date(2024, 3, 26)},
                        [18, 21, 25]),
                    ({'interval': 2}, [18, 1]),
                    ({'frequency': 'DAILY', 'interval': 3,
                            'until': dt.date(2024, 3, 26)}, [18, 21, 24]),
                    ({'frequency': None,
                            'recurrence': 'FREQ=MONTHLY;BYDAY=3MO;COUNT=3'},
                        [18, 15, 20]),
                    ]:
                with self.subTest(**values):
                    series = self._create_series(resource, **values)
                    self.assertEqual(
                        [s.day for s, _ in series.get_times()], starts)
            for values in [
                    {'frequency': None, 'recurrence': 'EVERY DAY'},
                    {'frequency': None, 'recurrence': 'FREQ=DAILY'},
                    # They would be looked for until the year 9999
                    *({'frequency': None, 'recurrence':
                            f'FREQ={f};BYMONTH=2;BYMONTHDAY=30;COUNT=1'}
                        for f in [
                            'SECONDLY', 'MINUTELY', 'HOURLY', 'DAILY',
                            'YEARLY']),
                    # The same time again and again, and what has no date
                    *({'frequency': None, 'recurrence': f'FREQ=DAILY;{r}'}
                        for r in [
                            'INTERVAL=0;COUNT=3', 'INTERVAL=-1;COUNT=3',
                            'BYEASTER=500;COUNT=3',
                            'UNTIL=99991231T235959Z']),
                    {'frequency': None, 'recurrence': 'RDATE:20240318T090000'},
                    # No month has nine Mondays
                    {'frequency': None,
                        'recurrence': 'FREQ=MONTHLY;BYDAY=9MO;COUNT=2'},
                    {'frequency': 'DAILY', 'until': dt.date(2025, 3, 19)},
                    {'until': dt.date(2024, 3, 17)}]:
                with self.subTest(**values), \
                        self.assertRaises(SeriesError):
                    self._create_series(resource, **values)

    @with_transaction()
    def test_conflicts(self):
        "Test conflicts are listed, and skipped where it is wanted"
        pool = Pool()
        Blackout = pool.get('coop.commons.blackout')
        Rule = pool.get('coop.commons.rule')
        with self.in_company():
            resource = self._create_priced()
            with self.at(START - 2 * DAY):
                self.make(
                    'booking', 'confirmed', resource=resource,
                    member=self._members[1],
                    start=dt.datetime(2024, 3, 25, 9),
                    end=dt.datetime(2024, 3, 25, 12))
            Blackout.create([{
                        'company': self.company.id, 'reason': "Easter",
                        'resource': resource.id,
                        'start': dt.datetime(2024, 4, 1),
                        'end': dt.datetime(2024, 4, 2),
                        }])
            Rule.create([{
                        'name': "Plenty", 'company': self.company.id,
                        'resource': resource.id, 'open_bookings': 2,
                        }])
            series = self._create_series(
                resource, until=dt.date(2024, 4, 15))
            with self.at(START - 2 * DAY), \
                    self.assertRaises(SeriesError) as raised:
                series.confirm([series])
            for part in ["3 of 5", "2024-03-25", "Easter", "Plenty"]:
                self.assertIn(part, str(raised.exception))

    @with_transaction()
    def test_skip(self):
        "Test the rest is booked, all that the rules allow"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Rule = pool.get('coop.commons.rule')
        with self.in_company():
            resource = self._create_priced()
            with self.at(START - 2 * DAY):
                self.make(
                    'booking', 'confirmed', resource=resource,
                    member=self._members[1],
                    start=dt.datetime(2024, 3, 25, 9),
                    end=dt.datetime(2024, 3, 25, 12))
            Rule.create([{
                        'name': "Plenty", 'company': self.company.id,
                        'resource': resource.id, 'open_bookings': 2,
                        }])
            series = self._create_series(resource, skip=True)
            with self.at(START - 2 * DAY):
                series.confirm([series])
            self.assertEqual(self._starts(series), [
                    dt.datetime(2024, 3, 18, 8), dt.datetime(2024, 4, 1, 7)])
            self.assertEqual(
                self._starts(series, ['request', 'cancelled']), [])
            for part in ["2024-03-25", "Plenty"]:
                self.assertIn(part, series.skipped)
            self.assertEqual(
                Booking.search([('resource', '=', resource.id)], count=True),
                3)

    @with_transaction()
    def test_own(self):
        "Test nobody books or cancels the series of another"
        Series = Pool().get('coop.commons.series')
        with self.in_company():
            member, other = self._members
            resource = self._create_priced()
            series = self._create_series(resource, member=other)
            with self.as_employee(member.party):
                with self.assertRaises(AccessError):
                    series.confirm([Series(series.id)])
                values = {
                    'company': self.company.id, 'resource': resource.id,
                    'start': START, 'end': START + HOUR,
                    'until': dt.date(2024, 4, 8),
                    }
                with self.assertRaises(AccessError):
                    Series.create([{**values, 'member': other.id}])
                own, = Series.create([{**values, 'member': member.id}])
                with self.at(START - 2 * DAY):
                    Series.confirm([own])
            self.assertEqual(Series(own.id).state, 'confirmed')

    @with_transaction()
    def test_together(self):
        "Test a van and its trailer are booked, moved, cancelled and billed"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        with self.in_company():
            van, trailer = (self._create_priced() for _ in range(2))
            now = START - 2 * DAY

            def book(start, **values):
                first = self._make_document(
                    'booking', resource=van, start=start,
                    end=start + 2 * HOUR, **values)
                second, = Booking.create([{
                            'company': self.company.id,
                            'resource': trailer.id, 'together': first.id,
                            }])
                self.assertEqual(
                    (second.start, second.end, second.member),
                    (first.start, first.end, first.member))
                return first, second

            def states(bookings):
                return [Booking(b.id).state for b in bookings]

            with self.at(now):
                self.make(
                    'booking', 'confirmed', resource=trailer,
                    start=START, end=START + HOUR)
                pair = book(START)
                with self.assertRaises(BookingOverlapError):
                    Booking.confirm([pair[0]])
            # What was not booked stays so after its transaction only
            with self.at(now):
                Booking.write([pair[0]], {
                        'start': START + DAY,
                        'end': START + DAY + 2 * HOUR})
                self.assertEqual(
                    Booking(pair[1].id).start, START + DAY)
                Booking.confirm([Booking(pair[1].id)])
                self.assertEqual(states(pair), ['confirmed'] * 2)
                with check_access(), self.assertRaises(AccessError):
                    Booking.create([{
                                'company': self.company.id,
                                'resource': trailer.id,
                                'together': pair[0].id,
                                }])
                alone = self._make_document(
                    'booking', resource=trailer, start=START + 2 * DAY,
                    end=START + 2 * DAY + HOUR)
                leading, _ = book(START + 3 * DAY)
                for booking, first in [
                        (alone, pair[0]), (leading, alone)]:
                    with check_access(), self.assertRaises(AccessError):
                        Booking.write(
                            [Booking(booking.id)], {'together': first.id})
                # The trailer is taken then, so that the van stays too
                with self.assertRaises(BookingOverlapError):
                    Booking.rebook(
                        Booking(pair[0].id), START, START + 2 * HOUR, van, 1)

    @with_transaction()
    def test_together_billed(self):
        "Test resources together are moved, changed, cancelled and billed"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        with self.in_company():
            van, trailer = (self._create_priced() for _ in range(2))
            series = self._create_series(
                van, others=[trailer], until=dt.date(2024, 3, 25))
            with self.at(START - 2 * DAY):
                series.confirm([series])
                first, second = [
                    b for b in Booking.search([
                            ('series', '=', series.id),
                            ('resource', '=', trailer.id),
                            ], order=[('start', 'ASC')])]
                self.assertEqual(first.together.resource, van)
                # By the second, all of the first day are moved
                Booking.rebook(
                    first, START + DAY, START + DAY + 3 * HOUR, trailer, 1)
                self.assertEqual([
                        (b.start, b.end, b.resource) for b in
                        Booking.all_together([Booking(first.id)])], [
                        (START + DAY, START + DAY + 3 * HOUR, r)
                        for r in [trailer, van]])
                with self.assertRaises(BookingChangeError):
                    Booking.rebook(
                        Booking(first.id), START - 3 * DAY, START - 2 * DAY,
                        trailer, 1)
            for booking in Booking.all_together([first]):
                booking.used_from, booking.used_until = (
                    booking.start, booking.end)
                booking.save()
                with self.at(booking.end):
                    booking.finish([booking])
            # An hour before
            with self.at(START + 7 * DAY - HOUR):
                Booking.cancel([Booking(second.together.id)])
            self.assertEqual(
                {b.state for b in Booking.all_together([second])},
                {'cancelled'})
            # Each 3 hours at 10, and half of 2 hours
            self.assertEqual(self._bill([van, trailer]), Decimal('80.00'))
