# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

from trytond.exceptions import UserError
from trytond.modules.coop_commons.exceptions import (
    BookingChangeError, BookingOverlapError, BookingRuleWarning)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access, without_check_access

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
# A Monday
START = dt.datetime(2024, 3, 4, 8)


class BookingChangeTestCase(CommonsTestCase):
    "Test bookings move, and cost what the tariff says then"

    @contextmanager
    def at(self, instant):
        Booking = Pool().get('coop.commons.booking')
        with patch.object(Booking, '_now', return_value=instant):
            yield

    def _book(self, resource, start, end, member=None, now=None, **values):
        with self.at(now or start - 2 * DAY):
            return self.make(
                'booking', 'confirmed', resource=resource, start=start,
                end=end, member=member or self._members[0], **values)

    def _create_priced(self, mode='reservation', **values):
        "Return a resource for 10 an hour, what is given back costs half"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        resource = self._create_resource()
        resource.other_units = []
        resource.charge_mode = mode
        for name, value in values.items():
            setattr(resource, name, value)
        resource.save()
        components = [Component(
                name="Hours", kind='time', unit=self._hour,
                unit_price=Decimal(10))]
        for event, notice in [
                ('cancellation', DAY), ('early_return', None),
                ('late_return', None)]:
            components.append(Component(
                    name=event, kind='event', event=event,
                    event_notice=notice, unit_price=Decimal(0),
                    time_share=Decimal('0.5')))
        tariff = self._make_document(
            'tariff', resource=resource, components=components)
        Tariff.approve([tariff])
        return resource

    def _change(self, booking, now, **values):
        "Change the booking by the wizard and return what it showed"
        pool = Pool()
        Wizard = pool.get('coop.commons.booking.change', type='wizard')
        # As Tryton runs wizards
        with self.at(now), without_check_access(), \
                Transaction().set_context(
                    active_model=booking.__name__, active_id=booking.id,
                    active_ids=[booking.id]):
            session, start, _ = Wizard.create()
            view = Wizard.execute(session, {}, start)['view']
            data = {**view['defaults'], **values}
            data = {k: v for k, v in data.items() if not k.endswith('.')}
            wizard = Wizard(session)
            for name, value in data.items():
                setattr(wizard.start, name, value)
            shown = (
                wizard.start.price, wizard.start.on_change_with_new_price(),
                wizard.start.on_change_with_fee())
            Wizard.execute(session, {start: data}, 'change')
            Wizard.delete(session)
        return tuple(
            None if a is None else Decimal(a).quantize(Decimal('.01'))
            for a in shown)

    def _bill(self, resource):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=dt.date(2024, 12, 30),
            invoice_date=dt.date(2024, 12, 31), for_resources=[resource])
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        self.assertFalse(Billing.check_books(
                self.company, dt.date(2024, 12, 31)))
        return sum(
            (i.untaxed_amount for i in Billing(billing.id).invoices),
            Decimal(0))

    def _finish(self, booking, first, last):
        booking = booking.__class__(booking.id)
        booking.used_from, booking.used_until = first, last
        booking.save()
        with self.at(last):
            booking.finish([booking])

    @with_transaction()
    def test_move(self):
        "Test a booking moves, with its new price shown, and is billed so"
        with self.in_company():
            resource = self._create_priced()
            booking = self._book(resource, START, START + 2 * HOUR)
            # In good time: 2 hours become 3 of the next day
            shown = self._change(
                booking, START - 2 * DAY, start=START + DAY,
                end=START + DAY + 3 * HOUR)
            self.assertEqual(
                shown, tuple(map(Decimal, ['20.00', '30.00', '0.00'])))
            # The old hours are free
            other = self._book(
                resource, START, START + 2 * HOUR, self._members[1])
            self.assertEqual(other.state, 'confirmed')
            self._finish(
                booking, START + DAY, START + DAY + 3 * HOUR)
            self.assertEqual(self._bill(resource), Decimal('30.00'))

    @with_transaction()
    def test_late(self):
        "Test what is given back too late costs its share"
        with self.in_company():
            resource = self._create_priced()
            booking = self._book(resource, START, START + 4 * HOUR)
            # An hour before, 2 of 4 hours are given back: half of 20
            shown = self._change(
                booking, START - HOUR, end=START + 2 * HOUR)
            self.assertEqual(
                shown, tuple(map(Decimal, ['40.00', '20.00', '10.00'])))
            self._finish(booking, START, START + 2 * HOUR)
            self.assertEqual(self._bill(resource), Decimal('30.00'))

    @with_transaction()
    def test_seats(self):
        "Test items are given back and added as far as there are some"
        with self.in_company():
            resource = self._create_priced(capacity=5)
            booking = self._book(
                resource, START, START + HOUR, quantity=3)
            self._book(
                resource, START, START + HOUR, self._members[1], quantity=1)
            with self.assertRaises(BookingOverlapError):
                self._change(booking, START - 2 * DAY, quantity=5)
            self.assertEqual(booking.__class__(booking.id).quantity, 3)
            self.assertEqual(
                self._change(booking, START - 2 * DAY, quantity=4),
                tuple(map(Decimal, ['30.00', '40.00', '0.00'])))
            # Three of four, half an hour's price of each
            self.assertEqual(
                self._change(booking, START - HOUR, quantity=1),
                tuple(map(Decimal, ['40.00', '10.00', '15.00'])))

    @with_transaction()
    def test_running(self):
        "Test a running booking is extended and shortened, by its end only"
        with self.in_company():
            Booking = Pool().get('coop.commons.booking')
            resource = self._create_priced()
            other = self._create_priced()
            booking = self._book(resource, START, START + 4 * HOUR)
            following = self._book(
                resource, START + 6 * HOUR, START + 7 * HOUR)
            with self.at(START):
                booking.start_use([booking])
            now = START + HOUR
            for values in [
                    {'start': START + HOUR}, {'resource': other.id},
                    {'quantity': 2}, {'end': now - HOUR / 2}]:
                with self.subTest(**values), \
                        self.assertRaises(BookingChangeError):
                    self._change(booking, now, **values)
            with self.assertRaises(BookingOverlapError):
                self._change(booking, now, end=START + 6.5 * HOUR)
            self.assertEqual(
                Booking(booking.id).end, START + 4 * HOUR)
            self.assertEqual(
                self._change(booking, now, end=START + 6 * HOUR),
                tuple(map(Decimal, ['40.00', '60.00', '0.00'])))
            # 3 hours are returned early: half of 30
            self.assertEqual(
                self._change(booking, now, end=START + 3 * HOUR),
                tuple(map(Decimal, ['60.00', '30.00', '15.00'])))
            # An hour late is half of 10 more
            self.assertEqual(
                self._change(
                    booking, START + 4 * HOUR, end=START + 5 * HOUR),
                tuple(map(Decimal, ['30.00', '50.00', '5.00'])))
            self._finish(booking, START, START + 5 * HOUR)
            Booking.call_off([following])
            self.assertEqual(self._bill(resource), Decimal('70.00'))
            with self.assertRaises(BookingChangeError):
                self._change(booking, START, end=START + 6 * HOUR)

    @with_transaction()
    def test_rules(self):
        "Test the rules are asked again, but not whether it is in time"
        pool = Pool()
        Rule = pool.get('coop.commons.rule')
        with self.in_company():
            resource = self._create_priced()
            Rule.create([{
                        'name': "Rule", 'company': self.company.id,
                        'resource': resource.id, 'lead_time': DAY,
                        'maximum_duration': 3 * HOUR,
                        'quota_per': 'day', 'quota_time': 4 * HOUR,
                        }])
            booking = self._book(resource, START, START + 2 * HOUR)
            self._book(
                resource, START + DAY, START + DAY + 2 * HOUR)
            for values in [
                    {'end': START + 4 * HOUR},
                    {'start': START + HOUR},
                    {'start': START + DAY + 2 * HOUR,
                        'end': START + DAY + 5 * HOUR}]:
                with self.subTest(**values), \
                        self.assertRaises(BookingRuleWarning):
                    self._change(booking, START - HOUR, **values)
            self._change(booking, START - HOUR, end=START + 3 * HOUR)
            self.assertEqual(
                booking.__class__(booking.id).end, START + 3 * HOUR)

    @with_transaction()
    def test_resource(self):
        "Test the other resource is blocked, and the first one offered"
        Booking = Pool().get('coop.commons.booking')
        with self.in_company():
            resource, other = (self._create_priced() for _ in range(2))
            booking = self._book(resource, START, START + HOUR)
            request = self._make_document(
                'booking', resource=resource, start=START,
                end=START + HOUR, member=self._members[1], waiting=True)
            self._change(booking, START - 2 * DAY, resource=other.id)
            self.assertTrue(Booking(request.id).offered_at)
            with self.assertRaises(BookingOverlapError):
                self._book(other, START, START + HOUR)

    @with_transaction()
    def test_own(self):
        "Test nobody changes the booking of another"
        with self.in_company():
            member, other = self._members
            resource = self._create_priced()
            booking = self._book(resource, START, START + HOUR, other)
            with self.as_employee(member.party):
                with self.assertRaises(UserError):
                    self._change(
                        booking, START - 2 * DAY, end=START + 2 * HOUR)
                own = self._make_document(
                    'booking', resource=resource, start=START + DAY,
                    end=START + DAY + HOUR, member=member)
                with self.at(START - 2 * DAY):
                    own.confirm([own])
                with check_access():
                    own.change([own])
                self._change(
                    own, START - 2 * DAY, end=START + DAY + 2 * HOUR)
            self.assertEqual(
                own.__class__(own.id).end, START + DAY + 2 * HOUR)
