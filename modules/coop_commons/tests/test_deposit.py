# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.coop_commons.exceptions import (
    AdvanceError, BookingRuleWarning, DepositError)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_commons.tests.documents import pay, waive
from trytond.modules.coop_membership.agreement import check_books
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

HOUR = dt.timedelta(hours=1)
START = dt.datetime(2024, 3, 4, 8)
TAKEN = dt.date(2024, 3, 1)
BACK = dt.date(2024, 3, 31)


class DepositTestCase(CommonsTestCase):
    "Test what is given as a security, and given back"

    def _prepare(self):
        self._resource.deposit = Decimal(200)
        self._resource.save()
        self._member = self._members[1]

    def _book(self, start, resource=None):
        Booking = Pool().get('coop.commons.booking')
        with patch.object(
                Booking, '_now', return_value=START - dt.timedelta(days=2)):
            return self.make(
                'booking', 'confirmed', resource=resource or self._resource,
                start=start, end=start + 3 * HOUR, member=self._member)

    def _find(self):
        Deposit = Pool().get('coop.commons.deposit')
        return Deposit.search([
                ('party', '=', self._member.party.id),
                ], order=[('id', 'ASC')])

    def _take(self, deposit, paid=True):
        "Take the deposit, which is no revenue and has no tax"
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Invoice = pool.get('account.invoice')
        deposit.date = TAKEN
        deposit.save()
        Deposit.take([deposit])
        invoice = deposit.invoice_line.invoice
        Invoice.post([invoice])
        self.assertFalse(invoice.taxes)
        if paid:
            pay(invoice, TAKEN)
        self.assertFalse(check_books(self.company, TAKEN))
        return Deposit(deposit.id)

    def _give_back(self, deposit, **values):
        Deposit = Pool().get('coop.commons.deposit')
        Deposit.write([deposit], {'return_date': BACK, **values})
        Deposit.give_back([Deposit(deposit.id)])
        self.assertFalse(check_books(self.company, BACK))
        return Deposit(deposit.id)

    def _bill(self):
        "Return the invoice of the use"
        Billing = Pool().get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=BACK, invoice_date=BACK)
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        invoice, = billing.__class__(billing.id).invoices
        return invoice

    def _get_entries(self, *moves):
        return sorted(
            (l.account.code or l.account.name, l.debit - l.credit)
            for m in moves for l in m.lines)

    @with_transaction()
    def test_booking(self):
        "Test the deposit of a booking, of which a damage is kept"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Invoice = pool.get('account.invoice')
        Member = pool.get('coop.member')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            self._prepare()
            booking = self._book(START)
            deposit, = self._find()
            self.assertEqual(deposit.amount, Decimal(200))
            self.assertEqual(deposit.booking, booking)
            # It holds for the next booking too
            other = self._book(START + 5 * HOUR)
            self.assertEqual(len(self._find()), 1)
            with patch.object(Booking, '_now', return_value=START):
                Booking.cancel([other])
            self.assertEqual(self._find()[0].state, 'draft')

            deposit = self._take(deposit, paid=False)
            with self.assertRaises(BookingRuleWarning) as error:
                Booking.start_use([booking])
            self.assertIn("usd200.00", error.exception.message)
            pay(deposit.invoice_line.invoice, TAKEN)
            Booking.start_use([Booking(booking.id)])
            booking = Booking(booking.id)
            booking.used_from, booking.used_until = START, START + 3 * HOUR
            booking.save()
            Booking.finish([booking])
            Usage.confirm([
                    u for u in Booking(booking.id).usages
                    if u.state == 'draft'])
            # 3 hours are 30, and 50 are kept: 120 are owed to him
            invoice = self._bill()
            self.assertEqual(invoice.amount_to_pay, Decimal(30))
            blockers = Member.exit_blockers([self._member])[self._member]
            self.assertTrue([b for b in blockers if "200.00" in b])
            deposit = self._give_back(
                deposit, kept=Decimal(50), kept_reason="Broken mirror")
            self.assertEqual(deposit.state, 'returned')
            Invoice.process([invoice])
            self.assertEqual(Invoice(invoice.id).state, 'paid')
            receivable, payable = (
                getattr(self._member.party, f'account_{name}_used').code
                for name in ['receivable', 'payable'])
            self.assertEqual(self._get_entries(*deposit.moves), [
                    (receivable, Decimal(-30)),
                    (payable, Decimal(-120)),
                    ('2.2.11', Decimal(30)),
                    ('2.2.11', Decimal(170)),
                    ('4.3.6', Decimal(-50)),
                    ])
            self.assertFalse(
                Member.exit_blockers([self._member])[self._member])

    @with_transaction()
    def test_contract(self):
        "Test the deposit of a contract, which was never paid"
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        Deposit = pool.get('coop.commons.deposit')
        Invoice = pool.get('account.invoice')
        with self.in_company():
            self._prepare()
            contract = self.make(
                'contract', 'confirmed', member=self._member,
                resource=self._create_resource(), deposit=Decimal(900))
            deposit, = self._find()
            self.assertEqual(deposit.contract, contract)
            # What is taken back is asked for anew
            Contract.draft([contract])
            Contract.confirm([Contract(contract.id)])
            cancelled, deposit = self._find()
            self.assertEqual(cancelled.state, 'cancelled')
            deposit = self._take(deposit, paid=False)
            with self.assertRaises(DepositError):
                Deposit.cancel([deposit])
            deposit = self._give_back(deposit)
            invoice = deposit.invoice_line.invoice
            Invoice.process([invoice])
            self.assertEqual(Invoice(invoice.id).state, 'paid')
            self.assertEqual([
                    amount for _, amount in self._get_entries(
                        *deposit.moves)], [Decimal(-900), Decimal(900)])

    @with_transaction()
    def test_cancel(self):
        "Test a deposit that is not asked for any more"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Deposit = pool.get('coop.commons.deposit')
        with self.in_company():
            self._prepare()
            booking = self._book(START)
            with patch.object(Booking, '_now', return_value=START - HOUR):
                Booking.cancel([booking])
            deposit, = self._find()
            self.assertEqual(deposit.state, 'cancelled')
            # A draft invoice goes with it
            self._book(START)
            _, deposit = self._find()
            deposit.date = TAKEN
            deposit.save()
            Deposit.take([deposit])
            with self.assertRaises(DepositError):
                self._give_back(deposit)
            Deposit.cancel([Deposit(deposit.id)])
            deposit = Deposit(deposit.id)
            self.assertEqual(deposit.state, 'cancelled')
            self.assertFalse(deposit.invoice_line)
            self.assertFalse(check_books(self.company, BACK))

    @with_transaction()
    def test_change(self):
        "Test a deposit is asked for the resource that a booking has now"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        with self.in_company():
            self._prepare()
            other = self._create_resource()
            other.deposit = Decimal(50)
            other.save()
            bookings = [self._book(START), self._book(START + 5 * HOUR)]

            def find():
                return [
                    (d.resource, d.amount) for d in self._find()
                    if d.state == 'draft']

            for booking, expected in zip(bookings, [
                        # Another one still needs it
                        [(self._resource, Decimal(200)), (other, Decimal(50))],
                        [(other, Decimal(50))]]):
                with patch.object(
                        Booking, '_now',
                        return_value=START - dt.timedelta(days=2)):
                    Booking.rebook(
                        Booking(booking.id), booking.start, booking.end,
                        other, 1)
                self.assertEqual(find(), expected)

    @with_transaction()
    def test_cancel_invoice(self):
        "Test what is cancelled later was held until then"
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Invoice = pool.get('account.invoice')
        with self.in_company():
            self._prepare()
            self._book(START)
            deposit, = self._find()
            self._take(deposit)
            other = Deposit(
                company=self.company, party=self._member.party,
                resource=self._create_resource(), amount=Decimal(70))
            other = self._take(other, paid=False)
            Invoice.credit(
                [other.invoice_line.invoice], refund=True, invoice_date=BACK)
            self.assertEqual(Deposit(other.id).state, 'cancelled')
            for date in [TAKEN, BACK - dt.timedelta(days=1), BACK]:
                self.assertEqual(check_books(self.company, date), [])

    @with_transaction()
    def test_credit(self):
        "Test what is held is not owed a second time by a credit note"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        with self.in_company():
            self._prepare()
            self._book(START)
            deposit, = self._find()
            deposit = self._take(deposit)
            invoice = deposit.invoice_line.invoice
            with self.assertRaisesRegex(AdvanceError, "Resource"):
                Invoice.credit([invoice], invoice_date=BACK)
            self._give_back(deposit)

    @with_transaction()
    def test_waived(self):
        "Test what was written off instead of paid is not given back"
        Deposit = Pool().get('coop.commons.deposit')
        with self.in_company():
            self._prepare()
            self._book(START)
            deposit, = self._find()
            deposit = self._take(deposit, paid=False)
            waive(deposit.invoice_line.invoice, TAKEN)
            deposit = Deposit(deposit.id)
            self.assertEqual(deposit.invoice_line.invoice.state, 'paid')
            self.assertFalse(deposit.paid)
            with self.assertRaisesRegex(DepositError, "written off"):
                Deposit.give_back([deposit])
            self.assertFalse(check_books(self.company, TAKEN))
