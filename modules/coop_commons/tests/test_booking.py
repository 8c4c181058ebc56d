# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model.exceptions import AccessError, ValidationError
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


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
