# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond import backend
from trytond.model.exceptions import AccessError
from trytond.modules.coop_commons.exceptions import (
    ReadingError, TariffError, UsageError)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access


class UsageTestCase(CommonsTestCase):
    "Test what of usages and tariffs stays"

    @with_transaction()
    def test_copy(self):
        "Test a copy does not belong to the booking, a correction does"
        with self.in_company():
            booking = self.make('booking', 'done')
            usage, = booking.usages
            usage.confirm([usage])
            copy, = usage.copy([usage])
            self.assertIsNone(copy.booking)
            self.assertEqual(copy.state, 'draft')
            ids = usage.take_back([usage])['res_id']
            negative, right = usage.browse(ids)
            self.assertEqual(negative.booking, booking)
            self.assertEqual(negative.corrects, usage)
            self.assertEqual(right.booking, booking)
            self.assertIsNone(right.corrects)

    @with_transaction()
    def test_quantity(self):
        "Test a quantity is not below 0 and does not enter what is confirmed"
        Quantity = Pool().get('coop.commons.usage.quantity')
        with self.in_company():
            draft = self.make('usage', 'draft')
            confirmed = self.make('usage', 'confirmed')
            line, = draft.quantities
            with self.assertRaises(UsageError):
                Quantity.write([line], {'quantity': Decimal(-1)})
            line = Quantity(line.id)
            for check in [True, False]:
                with self.subTest(check_access=check), \
                        Transaction().set_context(_check_access=check), \
                        self.assertRaises(AccessError):
                    Quantity.write([confirmed.quantities[0]], {
                            'quantity': Decimal(1)})
            with check_access(), self.assertRaises(AccessError):
                Quantity.write([line], {'usage': confirmed.id})

    @with_transaction()
    def test_tier(self):
        "Test no component and no tier enters an approved tariff"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Tier = pool.get('coop.commons.tariff.tier')
        with self.in_company():
            draft = self.make('tariff', 'draft')
            approved = self.make('tariff', 'approved')
            component, tiered = approved.components
            with check_access():
                with self.assertRaises(AccessError):
                    Component.write(
                        [draft.components[0]], {'tariff': approved.id})
                with self.assertRaises(AccessError):
                    Tier.write(
                        [draft.components[1].tiers[0]],
                        {'component': tiered.id})
                with self.assertRaises(AccessError):
                    Tier.create([{
                                'component': tiered.id,
                                'unit_price': Decimal(1),
                                }])
                with self.assertRaises(AccessError):
                    approved.write([approved], {'state': 'draft'})
            with self.assertRaises(AccessError):
                Component.write([component], {'unit_price': Decimal(99)})

    @with_transaction()
    def test_tariffs_together(self):
        "Test each version of a tariff ends the one approved with it"
        with self.in_company():
            resource = self._create_resource()
            tariffs = [
                self._make_document(
                    'tariff', resource=resource, valid_from=date)
                for date in [dt.date(2024, 7, 1), dt.date(2024, 1, 1)]]
            Tariff = tariffs[0].__class__
            Tariff.approve(Tariff.browse(tariffs))
            self.assertEqual(
                [t.valid_until for t in Tariff.browse(tariffs)],
                [None, dt.date(2024, 6, 30)])
            again = [
                Tariff.copy(
                    tariffs[:1], default={'valid_from': dt.date(2025, 1, 1)}
                    )[0] for _ in range(2)]
            with self.assertRaises(TariffError):
                Tariff.approve(again)

    @with_transaction()
    def test_corrected_twice(self):
        "Test a reading is corrected once, whatever else was proposed"
        with self.in_company():
            wrong = self.make('reading', 'done')
            Reading = wrong.__class__
            corrections = [
                Reading(Reading.correct([wrong])['res_id'][0])
                for _ in range(2)]
            with self.assertRaises(ReadingError):
                Reading.do(Reading.browse(corrections))
            right, _ = corrections
            right.value = Decimal(50)
            right.save()
            Reading.do([right])
            # It counts instead of the wrong one, of 100
            following = Reading(
                company=self.company, meter=wrong.meter,
                value=Decimal(120),
                time=wrong.time + dt.timedelta(hours=1))
            following.save()
            Reading.do([following])
            self.assertEqual(following.previous, right)
            self.assertEqual(following.difference, 70)

    @with_transaction()
    def test_database(self):
        "Test the database refuses a second user too"
        with self.in_company():
            usage = self.make('usage', 'draft')
            table = usage.__table__()
            cursor = Transaction().connection.cursor()
            with self.assertRaises(backend.DatabaseIntegrityError):
                cursor.execute(*table.update(
                        [table.party], [usage.member.party.id],
                        where=table.id == usage.id))


if backend.name != 'postgresql':
    # The other databases have no constraints but of uniqueness
    del UsageTestCase.test_database
