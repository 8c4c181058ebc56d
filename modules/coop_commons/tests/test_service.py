# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

from trytond.model.exceptions import AccessError
from trytond.modules.coop_commons.exceptions import (
    BookingHitWarning, BookingOverlapError, BookingRuleError,
    BookingRuleWarning)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MORNING = dt.datetime(2024, 3, 4, 7)
NOON = dt.datetime(2024, 3, 4, 12)


class ServiceTestCase(CommonsTestCase):
    "Test what a booking needs until its end, and what becomes of it else"

    @contextmanager
    def in_company(self):
        with super().in_company():
            self._set_now(MORNING - HOUR)
            yield

    def _set_now(self, now):
        Booking = Pool().get('coop.commons.booking')
        patcher = patch.object(Booking, '_now', return_value=now)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _book(self, state='confirmed', start=MORNING, end=NOON, **values):
        values.setdefault('resource', self._resource)
        booking = self.make(
            'booking', 'request', start=start, end=end, **values)
        Booking = booking.__class__
        if state == 'confirmed':
            Booking.confirm([booking])
        return Booking(booking.id)

    def _bill(self):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=dt.date(2024, 12, 30),
            invoice_date=dt.date(2024, 12, 31))
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        return Billing(billing.id)

    @with_transaction()
    def test_out_of_service(self):
        "Test a booking is not confirmed beyond the service of its resource"
        with self.in_company():
            resource = self._resource
            for values in [
                    {'end_date': dt.date(2024, 3, 4)},
                    {'start_date': dt.date(2024, 3, 5)}]:
                resource.start_date = resource.end_date = None
                for name, value in values.items():
                    setattr(resource, name, value)
                resource.save()
                with self.subTest(values=values), \
                        self.assertRaises(BookingRuleError):
                    self._book(end=NOON + DAY)
            # The midnight is not a day
            resource.start_date, resource.end_date = (
                None, dt.date(2024, 3, 4))
            resource.save()
            self._book(end=dt.datetime(2024, 3, 5))

    @with_transaction()
    def test_start_out_of_service(self):
        "Test what went out of service since is not handed out"
        pool = Pool()
        Warning = pool.get('res.user.warning')
        with self.in_company():
            booking = self._book()
            with self.assertRaises(BookingHitWarning):
                self._resource.active = False
                self._resource.save()
            Warning(
                user=1, name=Warning.format('resource_closing', [booking]),
                always=True).save()
            self._resource.active = False
            self._resource.save()
            with self.assertRaises(BookingRuleError):
                booking.start_use([booking])

    @with_transaction()
    def test_exit(self):
        "Test a booking does not last beyond the exit of the member"
        with self.in_company():
            member, _ = self._members
            member.notice_date = dt.date(2024, 1, 2)
            member.requested_exit_date = dt.date(2024, 3, 4)
            member.exit_reason = 'death'
            member.save()
            with Transaction().set_context(_skip_warnings=True):
                member.give_notice([member])
            exit_date = member.memberships[-1].end_date
            start = dt.datetime.combine(exit_date, dt.time(7))
            with self.assertRaises(BookingRuleError):
                self._book(start=start, end=start + DAY)
            self._book(start=start, end=start + 5 * HOUR)

    @with_transaction()
    def test_suspension(self):
        "Test who is suspended does not book for these days"
        with self.in_company():
            member, _ = self._members
            member.suspensions = [{
                    'start_date': dt.date(2024, 3, 1),
                    'end_date': dt.date(2024, 3, 4),
                    'reason': 'arrears',
                    }]
            member.save()
            with self.assertRaisesRegex(BookingRuleError, "suspended"):
                self._book()
            self._book(start=MORNING + DAY, end=NOON + DAY)

    @with_transaction()
    def test_person(self):
        "Test a member books for the persons it has named, while they are"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Party = pool.get('party.party')
        with self.in_company():
            configuration = Configuration(1)
            configuration.persons = True
            configuration.save()
            member, _ = self._members
            driver, stranger = Party.create([
                    {'name': "Driver"}, {'name': "Stranger"}])
            member.persons = [{
                    'party': driver,
                    'end_date': MORNING.date(),
                    }]
            member.save()
            with self.assertRaisesRegex(BookingRuleError, "Stranger"):
                self._book(person=stranger)
            self._book(person=driver)
            self._book(
                start=MORNING + 6 * HOUR, end=NOON + 6 * HOUR,
                person=member.party)
            with self.assertRaisesRegex(BookingRuleError, "Driver"):
                self._book(
                    start=MORNING + DAY, end=NOON + DAY, person=driver)

    @with_transaction()
    def test_licence(self):
        "Test a licence that ends while the car is out is not enough"
        pool = Pool()
        Authorization = pool.get('coop.commons.authorization')
        with self.in_company():
            member, _ = self._members
            self._resource.authorization = True
            self._resource.save()

            def authorize(start, end):
                Authorization(
                    company=self.company, member=member,
                    resource=self._resource, kind='licence',
                    valid_from=start, valid_until=end).save()

            authorize(dt.date(2024, 1, 1), dt.date(2024, 3, 4))
            with self.as_employee(member.party):
                Booking = Pool().get('coop.commons.booking')
                booking, = Booking.create([{
                            'company': self.company.id,
                            'resource': self._resource.id,
                            'member': member.id,
                            'start': MORNING, 'end': NOON + DAY}])
                with self.assertRaises(BookingRuleError):
                    Booking.confirm([booking])
            with self.assertRaises(BookingRuleWarning):
                booking.confirm([booking])
            # One that follows on is as good as one
            authorize(dt.date(2024, 3, 5), None)
            booking.confirm([booking])

    @with_transaction()
    def test_cancel_begun(self):
        "Test who cancels when the time runs owes what was used"
        with self.in_company():
            bookings = []
            for mode in ['usage', 'reservation']:
                tariff = self.make('tariff', 'approved')
                resource = tariff.resource
                resource.charge_mode = mode
                resource.other_units = []
                resource.save()
                bookings.append(self._book(resource=resource))
            self._set_now(MORNING.replace(hour=8, minute=45))
            for booking, amount in zip(
                    bookings, [Decimal('17.50'), Decimal('50.00')]):
                booking.cancel([booking])
                self.assertEqual(
                    booking.__class__(booking.id).state, 'done')
                invoice, = self._bill().invoices
                self.assertEqual(invoice.untaxed_amount, amount)

    @with_transaction()
    def test_closing(self):
        "Test closing names the bookings it hits, which are moved or cancelled"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Blackout = pool.get('coop.commons.blackout')
        Clear = pool.get('coop.commons.booking.clear', type='wizard')
        with self.in_company():
            other = self._create_resource()
            first = self._book()
            second = self._book(start=NOON + DAY, end=NOON + DAY + HOUR)
            taken = self._book(
                resource=other, start=NOON + DAY, end=NOON + DAY + HOUR)
            for name in ['blackout', 'end_date', 'active']:
                with self.subTest(name=name), \
                        self.assertRaises(BookingHitWarning) as raised:
                    if name == 'blackout':
                        Blackout(
                            company=self.company, resource=self._resource,
                            start=NOON, end=NOON + 2 * DAY,
                            reason="Repair").save()
                    elif name == 'end_date':
                        self._resource.end_date = dt.date(2024, 3, 4)
                        self._resource.save()
                    else:
                        self._resource.active = False
                        self._resource.save()
                self.assertIn(second.rec_name, raised.exception.message)
                self.assertNotIn(taken.rec_name, raised.exception.message)
                self.assertEqual(
                    first.rec_name in raised.exception.message,
                    name == 'active')
                self._resource = self._resource.__class__(self._resource.id)

            with self.assertRaises(BookingOverlapError):
                Booking.move([first, second], other)
            with Transaction().set_context(
                    active_model='coop.commons.resource',
                    active_id=self._resource.id,
                    active_ids=[self._resource.id]):
                session, _, _ = Clear.create()
                values = Clear(session).default_start([])
                self.assertEqual(
                    values['bookings'], [first.id, second.id])
                for booking, action in [(first, 'move'), (second, 'cancel')]:
                    Clear.execute(session, {
                            'start': {
                                **values,
                                'bookings': [booking.id],
                                'action': action,
                                'resource': other.id,
                                },
                            }, 'clear')
            self.assertEqual(Booking(first.id).resource, other)
            self.assertEqual(Booking(second.id).state, 'cancelled')
            self.assertFalse(Booking(second.id).usages)
            self._resource.active = False
            self._resource.save()

    @with_transaction()
    def test_closing_in_use(self):
        "Test the service does not end before a use that runs or waits"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            booking = self._book(end=NOON + 2 * DAY)
            later = self._book(start=NOON + 3 * DAY, end=NOON + 4 * DAY)
            self._set_now(MORNING + HOUR)
            Booking.start_use([booking])

            def retire(**values):
                resource = Resource(self._resource.id)
                Resource.write([resource], values)

            def assert_refused(use):
                for values in [
                        {'end_date': dt.date(2024, 3, 3)},
                        {'start_date': dt.date(2024, 3, 5), 'end_date': None}]:
                    with self.subTest(values=values), savepoint(), \
                            self.assertRaises(AccessError) as raised:
                        retire(**values)
                    self.assertIn(use.rec_name, raised.exception.message)

            assert_refused(booking)
            # What runs on beyond the end is named as what is to come
            for values in [
                    {'end_date': dt.date(2024, 3, 4)}, {'active': False}]:
                with self.subTest(values=values), savepoint(), \
                        self.assertRaises(BookingHitWarning) as raised:
                    retire(**values)
                for hit in [booking, later]:
                    self.assertIn(hit.rec_name, raised.exception.message)
            with Transaction().set_context(_skip_warnings=True):
                retire(end_date=dt.date(2024, 3, 4), active=False)
            # It has its end, and what it costs
            self._set_now(MORNING + DAY)
            Booking.finish([Booking(booking.id)])
            usage, = Booking(booking.id).usages
            self.assertEqual(usage.state, 'draft')
            assert_refused(usage)
            Usage.confirm([usage])
            assert_refused(usage)
            ids = Usage.take_back([Usage(usage.id)])['res_id']
            _, copy = Usage.browse(ids)
            Usage.delete([copy])
            with Transaction().set_context(_skip_warnings=True):
                retire(end_date=dt.date(2024, 3, 3))

    @with_transaction()
    def test_closing_unfinished(self):
        "Test what nobody has finished is named by what closes the resource"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        with self.in_company():
            booking = self._book()
            self._set_now(NOON + DAY)
            with self.assertRaises(BookingHitWarning) as raised:
                self._resource.end_date = dt.date(2024, 3, 3)
                self._resource.save()
            self.assertIn(booking.rec_name, raised.exception.message)
            Booking.call_off([Booking(booking.id)])
            self._resource.end_date = dt.date(2024, 3, 3)
            self._resource.save()

    @with_transaction()
    def test_closed_fee(self):
        "Test who cancels what can not be served owes no fee"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Component = pool.get('coop.commons.tariff.component')
        Resource = pool.get('coop.commons.resource')
        with self.in_company():
            tariff = self._make_document('tariff', components=[Component(
                        name="Cancelled", kind='event', event='cancellation',
                        unit_price=Decimal(15))])
            tariff.approve([tariff])
            resource = tariff.resource
            first = self._book(resource=resource)
            second = self._book(
                resource=resource, start=MORNING + DAY, end=NOON + DAY)
            Booking.cancel([first])
            fee, = Booking(first.id).usages
            self.assertEqual(fee.event, 'cancellation')
            with Transaction().set_context(_skip_warnings=True):
                Resource.write(
                    [Resource(resource.id)], {'end_date': dt.date(2024, 3, 3)})
            Booking.cancel([Booking(second.id)])
            second = Booking(second.id)
            self.assertEqual(
                (second.state, second.usages), ('cancelled', ()))
