# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model.exceptions import AccessError, ValidationError
from trytond.modules.coop_commons.intake import receive
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class BookingTestCase(CommonsTestCase):
    "Test who books what, and what of it stays"

    def _get_values(self, member):
        values = self._get_booking()
        return {
            'company': self.company.id,
            'resource': values['resource'].id,
            'member': member.id,
            'start': values['start'],
            'end': values['end'],
            }

    @with_transaction()
    def test_own(self):
        "Test an employee books for himself, not for another member"
        Booking = Pool().get('coop.commons.booking')
        with self.in_company():
            own, other = self._members
            with self.as_employee(own.party):
                with self.assertRaises(AccessError):
                    Booking.create([self._get_values(other)])
                with self.assertRaises(AccessError):
                    Booking.create([{
                                **self._get_values(own), 'member': None,
                                'party': other.party.id,
                                }])
                booking, = Booking.create([self._get_values(own)])
                with self.assertRaises(AccessError):
                    Booking.write([booking], {'member': other.id})
                Booking.confirm([booking])
                Booking.cancel([booking])
                self.assertEqual(Booking(booking.id).state, 'cancelled')

    @with_transaction()
    def test_overwrite(self):
        "Test an employee can not overwrite what his booking is charged by"
        Booking = Pool().get('coop.commons.booking')
        with self.in_company():
            own, other = self._members
            taken = self.make('booking', 'confirmed', member=other)
            with self.as_employee(own.party):
                values = {
                    **self._get_values(own),
                    'start': taken.start, 'end': taken.end}
                booking, = Booking.create([values])
                for state in ['confirmed', 'cancelled', 'done']:
                    with self.subTest(state=state), \
                            self.assertRaises(AccessError):
                        Booking.write([booking], {'state': state})
                Booking.write([booking], {
                        'start': taken.end,
                        'end': taken.end + dt.timedelta(hours=4),
                        })
                Booking.confirm([booking])
                with self.assertRaises(AccessError):
                    Booking.write([booking], {
                            'start': taken.start, 'end': taken.end})
                Booking.finish([booking])
                with self.assertRaises(AccessError):
                    Booking.write([booking], {
                            'end': booking.start + dt.timedelta(hours=1)})

    @with_transaction()
    def test_late_fee(self):
        "Test who cancels late pays for it"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Component = pool.get('coop.commons.tariff.component')
        with self.in_company():
            tariff = self.make('tariff', 'draft')
            tariff.components = [*tariff.components, Component(
                    name="Late", kind='event', event='cancellation',
                    unit_price=Decimal(2))]
            tariff.save()
            tariff.approve([tariff])
            own, _ = self._members
            values = {
                **self._get_values(own), 'resource': tariff.resource.id}
            with self.as_employee(own.party):
                booking, = Booking.create([values])
                Booking.confirm([booking])
                with self.assertRaises(AccessError):
                    Booking.write([booking], {'state': 'cancelled'})
                Booking.cancel([booking])
            fee, = Booking(booking.id).usages
            self.assertEqual(fee.event, 'cancellation')
            self.assertEqual(fee.state, 'confirmed')

    @with_transaction()
    def test_search(self):
        "Test bookings and usages are found by who uses, and not without"
        pool = Pool()
        with self.in_company():
            for name, state in [('booking', 'confirmed'), ('usage', 'draft')]:
                Model = pool.get(f'coop.commons.{name}')
                first, second = (
                    self.make(name, state, member=m) for m in self._members)
                text = self._members[0].party.name
                with self.subTest(model=name):
                    self.assertEqual(
                        Model.search([('rec_name', 'ilike', f'%{text}')]),
                        [first])
                    self.assertEqual(
                        Model.search([('rec_name', 'not ilike', f'%{text}')]),
                        [second])

    @with_transaction()
    def test_one_user(self):
        "Test a booking or usage has one user"
        with self.in_company():
            member, _ = self._members
            for name in ['booking', 'usage']:
                for users in [
                        {'member': None},
                        {'member': member, 'party': member.party}]:
                    with self.subTest(model=name, users=users), \
                            self.assertRaises(ValidationError), savepoint():
                        self.make(name, 'draft', **users)

    @with_transaction()
    def test_closer_rule(self):
        """Test what a rule of the resource says takes the place of what one
        of its category says about the same, wider or narrower"""
        pool = Pool()
        Category = pool.get('coop.commons.category')
        Rule = pool.get('coop.commons.rule')
        hour = dt.timedelta(hours=1)
        with self.in_company():
            category = Category(name="Machines", company=self.company)
            category.save()
            wide, narrow, plain = resources = [
                self._create_resource() for _ in range(3)]
            for resource in resources:
                resource.category = category
                resource.save()
            member, _ = self._members
            start = dt.datetime(2040, 1, 2, 8)
            Rule.create([{
                        'name': "All", 'company': self.company.id,
                        'category': category.id,
                        'maximum_duration': 4 * hour,
                        'minimum_duration': 2 * hour,
                        }, {
                        'name': "Wide", 'company': self.company.id,
                        'resource': wide.id,
                        'maximum_duration': 8 * hour,
                        }, {
                        'name': "Narrow", 'company': self.company.id,
                        'resource': narrow.id,
                        'maximum_duration': 3 * hour,
                        'minimum_duration': dt.timedelta(),
                        }])
            for resource, allowed in [
                    (wide, [2, 8]), (narrow, [1, 3]), (plain, [2, 4])]:
                for hours in range(1, 10):
                    start += dt.timedelta(days=1)
                    booking = self._make_document(
                        'booking', resource=resource, member=member,
                        start=start, end=start + hours * hour)
                    refusals = list(booking.get_refusals(
                            Rule.find(booking), dt.datetime(2024, 1, 1)))
                    with self.subTest(
                            resource=resource.name, hours=hours):
                        self.assertEqual(
                            not refusals,
                            allowed[0] <= hours <= allowed[1])
            # The rules stay what they are
            self.assertEqual(
                [r.maximum_duration for r in Rule.search(
                        [], order=[('id', 'ASC')])],
                [4 * hour, 8 * hour, 3 * hour])

    @with_transaction()
    def test_person(self):
        "Test who drove is known, found and listed, and the member is billed"
        pool = Pool()
        Annex = pool.get('coop.commons.billing.annex', type='report')
        Billing = pool.get('coop.commons.billing')
        Booking = pool.get('coop.commons.booking')
        Party = pool.get('party.party')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            member, _ = self._members
            driver = Party(name="Driver")
            driver.save()
            start = dt.datetime(2024, 2, 5, 8)
            resource = self._resource
            resource.other_units = []
            resource.save()
            booking = self._make_document(
                'booking', start=start, end=start + dt.timedelta(hours=2),
                person=driver)
            with Transaction().set_context(_skip_warnings=True):
                Booking.confirm([booking])
                booking.used_from, booking.used_until = (
                    booking.start, booking.end)
                booking.save()
                Booking.finish([booking])
            usage, = Booking(booking.id).usages
            self.assertEqual(usage.person, driver)
            self.assertEqual(
                Usage.search([('rec_name', 'ilike', '%driver%')]), [usage])
            self.assertEqual(
                Booking.search([('rec_name', 'ilike', '%driver%')]),
                [booking])
            with self.assertRaises(AccessError):
                Usage.write([usage], {'person': None})
            # A correction is of the same person
            ids = Usage.take_back([usage])['res_id']
            _, copy = Usage.browse(ids)
            self.assertEqual(copy.person, driver)
            Usage.confirm([copy])
            billing = Billing(
                company=self.company, end=dt.date(2024, 12, 30),
                invoice_date=dt.date(2024, 12, 31))
            billing.save()
            billing.compute([billing])
            billing.post([billing])
            invoice, = Billing(billing.id).invoices
            # 2 hours of 10
            self.assertEqual(
                (invoice.party, invoice.untaxed_amount),
                (member.party, Decimal('20.00')))
            page, = Annex.get_pages(Billing(billing.id))
            self.assertEqual(
                {r.usage.person for r in page.rows}, {driver})

    @with_transaction()
    def test_person_event(self):
        "Test an event tells who drove, and stands by it"
        pool = Pool()
        Party = pool.get('party.party')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            member, _ = self._members
            first, second = Party.create(
                [{'name': name} for name in ["First", "Second"]])
            resource = self._create_resource()
            resource.code = 'CAR'
            resource.save()

            def send(person):
                result, = receive(self.company, [{
                            'external_id': '1', 'resource': 'CAR',
                            'member': member.number, 'person': person,
                            'start': '2024-02-05T08:00',
                            'end': '2024-02-05T09:00'}], 'door')
                return result['status']

            self.assertEqual(send('nobody'), 'error')
            self.assertEqual(send(first.code), 'created')
            self.assertEqual(send(first.code), 'exists')
            self.assertEqual(send(second.code), 'error')
            usage, = Usage.search([('external_id', '=', '1')])
            self.assertEqual(usage.person, first)

    @with_transaction()
    def test_person_again(self):
        "Test an event is known when its booking has got a person since"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Party = pool.get('party.party')
        with self.in_company():
            driver = Party(name="Driver")
            driver.save()
            booking = self._make_document(
                'booking', start=dt.datetime(2024, 2, 5, 8),
                end=dt.datetime(2024, 2, 5, 10))
            with Transaction().set_context(_skip_warnings=True):
                Booking.confirm([booking])

            def send():
                result, = receive(self.company, [{
                            'external_id': '1', 'booking': booking.number,
                            'start': '2024-02-05T08:00',
                            'end': '2024-02-05T09:00'}], 'door')
                return result['status']

            self.assertEqual(send(), 'created')
            Booking.write([booking], {'person': driver.id})
            self.assertEqual(send(), 'exists')
