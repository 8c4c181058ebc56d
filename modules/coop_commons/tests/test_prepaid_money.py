# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.coop_commons.exceptions import (
    AdvanceError, BookingQuotaWarning, BookingRuleWarning, PackError)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_commons.tests.documents import pay, waive
from trytond.modules.coop_membership.agreement import check_books
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
START = dt.datetime(2024, 3, 4, 8)
PAID_IN = dt.date(2024, 3, 1)
END = dt.date(2024, 3, 31)


class PrepaidMoneyTestCase(CommonsTestCase):
    "Test money that is paid in advance"

    def _prepare(self):
        "A tax of 10 %, and no use without a balance"
        pool = Pool()
        Account = pool.get('account.account')
        Rule = pool.get('coop.commons.rule')
        Tax = pool.get('account.tax')
        account, = Account.search([
                ('company', '=', self.company.id),
                ('type.receivable', '=', False),
                ('type.statement', '=', 'balance'),
                ('type.assets', '=', False),
                ('type.payable', '=', False),
                ], limit=1)
        tax = Tax(
            name="10 %", description="10 %", type='percentage',
            rate=Decimal('.1'), invoice_account=account,
            credit_note_account=account, company=self.company)
        tax.save()
        category = self._product.account_category
        category.customer_taxes = [tax]
        category.save()
        self._rule = Rule(
            name="Prepaid", company=self.company, resource=self._resource,
            prepaid_minimum=Decimal(0), prepaid_warning=Decimal(40))
        self._rule.save()
        self._member = self._members[1]

    def _pay_in(self, amount, date=PAID_IN, paid=True):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Offer = pool.get('coop.commons.pack.offer')
        Pack = pool.get('coop.commons.pack')
        account = self._get_pack()['offer'].deferred_account
        offers = Offer.search([('kind', '=', 'money')])
        if offers:
            offer, = offers
        else:
            offer = Offer(
                name="Wallet", company=self.company, kind='money',
                price=Decimal(100), deferred_account=account)
            offer.save()
        pack = Pack(
            company=self.company, party=self._member.party, offer=offer,
            date=date, price=Decimal(amount))
        pack.save()
        Pack.sell([pack])
        invoice = pack.invoice_line.invoice
        self.assertEqual(invoice.tax_amount, Decimal(0))
        Invoice.post([invoice])
        if paid:
            pay(invoice, date)
        return Pack(pack.id)

    def _book(self, start, hours, **values):
        Booking = Pool().get('coop.commons.booking')
        with patch.object(Booking, '_now', return_value=START - 2 * DAY):
            return self.make('booking', 'confirmed', **{
                    'resource': self._resource, 'start': start,
                    'end': start + hours * HOUR, 'member': self._member,
                    **values})

    def _accept(self, error):
        Warning = Pool().get('res.user.warning')
        Warning(
            user=Transaction().user, name=error.exception.name,
            always=True).save()

    def _finish(self, booking):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')
        Booking.write([booking], {
                'used_from': booking.start, 'used_until': booking.end})
        Booking.finish([Booking(booking.id)])
        usages = Booking(booking.id).usages
        # Nothing was driven
        Usage.confirm([u for u in usages if u.state == 'draft'])

    def _bill(self, end=END, invoice_date=END):
        Billing = Pool().get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end, invoice_date=invoice_date)
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        self.assertFalse(check_books(self.company, invoice_date))
        return self._process(*billing.__class__(billing.id).invoices)

    def _process(self, *invoices):
        "Do what the queue does otherwise, and return the invoices"
        Invoice = Pool().get('account.invoice')
        Invoice.process(list(invoices))
        return Invoice.browse(list(invoices))

    def _get_balance(self, account):
        "Return the balance of today, of all that is posted"
        Line = Pool().get('account.move.line')
        return sum(
            l.debit - l.credit for l in Line.search([
                    ('account', '=', account.id),
                    ('move.state', '=', 'posted'),
                    ]))

    @with_transaction()
    def test_use(self):
        "Test money from paying it in to the refund of what is left"
        pool = Pool()
        Date = pool.get('ir.date')
        Line = pool.get('account.move.line')
        Member = pool.get('coop.member')
        Pack = pool.get('coop.commons.pack')
        with self.in_company():
            self._prepare()
            # 10 an hour and the tax: nothing without a balance
            with self.assertRaises(BookingRuleWarning) as error:
                self._book(START, 1)
            self.assertIn("-usd11.00", error.exception.message)
            pack = self._pay_in(100)
            account = pack.offer.deferred_account
            self.assertEqual(self._get_balance(account), Decimal(-100))
            # 5 hours are 55, and leave 45
            booking = self._book(START, 5)
            # An hour more leaves 34, which is less than 40
            with self.assertRaises(BookingQuotaWarning) as error:
                self._book(START + DAY, 1)
            self.assertIn("usd34.00", error.exception.message)
            self._accept(error)
            other = self._book(START + DAY, 1)
            # 4 hours of 44 would leave -10
            with self.assertRaises(BookingRuleWarning) as error:
                self._book(START + 2 * DAY, 4)
            self.assertIn("-usd10.00", error.exception.message)
            self._finish(booking)
            self._finish(other)

            # 60 and 6 of tax are owed by the use, and paid of the money
            invoice, = self._bill()
            self.assertEqual(invoice.untaxed_amount, Decimal(60))
            self.assertEqual(invoice.tax_amount, Decimal(6))
            self.assertEqual(invoice.state, 'paid')
            pack = Pack(pack.id)
            self.assertEqual(pack.balance, Decimal(34))
            self.assertEqual(self._get_balance(account), Decimal(-34))
            use, = pack.uses
            self.assertEqual(use.invoice, invoice)
            self.assertIn(invoice.number, use.move.description)

            # 4 hours that nobody booked: 34 of 44 are paid
            later = START + 9 * DAY
            self.make(
                'usage', 'confirmed', member=self._member, start=later,
                end=later + 4 * HOUR, quantities=[])
            invoice, = self._bill()
            self.assertEqual(invoice.state, 'posted')
            self.assertEqual(invoice.amount_to_pay, Decimal(10))
            with self.assertRaises(BookingRuleWarning) as error:
                self._book(START + 2 * DAY, 1)
            self.assertIn("-usd21.00", error.exception.message)
            # The next 50 pay the 10
            with patch.object(Date, 'today', return_value=END):
                pack = self._pay_in(50, date=END)
                Pack.settle([pack])
            invoice, = self._process(invoice)
            self.assertEqual(invoice.state, 'paid')
            pack = Pack(pack.id)
            self.assertEqual(pack.balance, Decimal(40))

            # Who leaves gets back 40
            blockers = Member.exit_blockers([self._member])[self._member]
            self.assertTrue([b for b in blockers if "usd40.00" in b])
            with patch.object(Date, 'today', return_value=END):
                Pack.refund([pack])
            self.assertEqual(Pack(pack.id).balance, Decimal(0))
            self.assertEqual(self._get_balance(account), Decimal(0))
            line, = Line.search([
                    ('account.type.payable', '=', True),
                    ('party', '=', self._member.party.id),
                    ('reconciliation', '=', None),
                    ])
            self.assertEqual(line.credit, Decimal(40))
            # But for the bookings that were refused
            blockers = Member.exit_blockers([self._member])[self._member]
            self.assertFalse([b for b in blockers if "usd" in b])
            self.assertFalse(check_books(self.company, END))

    @with_transaction()
    def test_oldest_first(self):
        "Test the money that came first pays first, and gets back last"
        pool = Pool()
        Pack = pool.get('coop.commons.pack')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            self._prepare()
            first, second = self._pay_in(50), self._pay_in(50)
            usage = self.make(
                'usage', 'confirmed', member=self._member, start=START,
                end=START + 6 * HOUR, quantities=[])
            self._bill()
            self.assertEqual(
                [p.balance for p in Pack.browse([first, second])],
                [Decimal(0), Decimal(34)])
            # The 6 hours were not used: 66 go back, the last 16 first
            Usage.take_back([Usage(usage.id)])
            invoice, = self._bill()
            self.assertEqual(invoice.total_amount, Decimal(-66))
            self.assertEqual(invoice.state, 'paid')
            self.assertEqual(
                [p.balance for p in Pack.browse([first, second])],
                [Decimal(50), Decimal(50)])

    @with_transaction()
    def test_never_paid(self):
        "Test money that never came neither pays nor is given back"
        pool = Pool()
        Date = pool.get('ir.date')
        Line = pool.get('account.move.line')
        Pack = pool.get('coop.commons.pack')
        with self.in_company():
            self._prepare()
            pack = self._pay_in(100, paid=False)
            self.make(
                'usage', 'confirmed', member=self._member, start=START,
                end=START + HOUR, quantities=[])
            invoice, = self._bill()
            self.assertEqual(invoice.amount_to_pay, Decimal(11))
            with patch.object(Date, 'today', return_value=END):
                Pack.refund([pack])
            own, = self._process(pack.invoice_line.invoice)
            self.assertEqual(own.state, 'paid')
            self.assertEqual(Pack(pack.id).balance, Decimal(0))
            self.assertFalse(Line.search([
                        ('account.type.payable', '=', True),
                        ('party', '=', self._member.party.id),
                        ]))
            self.assertFalse(check_books(self.company, END))

    @with_transaction()
    def test_cancel(self):
        "Test an invoice that is cancelled gives back what was paid of it"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Pack = pool.get('coop.commons.pack')
        with self.in_company():
            self._prepare()
            self.company.cancel_invoice_out = True
            self.company.save()
            pack = self._pay_in(20)
            self.make(
                'usage', 'confirmed', member=self._member, start=START,
                end=START + 6 * HOUR, quantities=[])
            invoice, = self._bill()
            self.assertEqual(invoice.amount_to_pay, Decimal(46))
            Invoice.cancel([Invoice(invoice.id)])
            self.assertEqual(Pack(pack.id).balance, Decimal(20))
            self.assertFalse(check_books(self.company, dt.date.today()))
            # It is billed again
            invoice, = self._bill()
            self.assertEqual(invoice.amount_to_pay, Decimal(46))

    @with_transaction()
    def test_metered(self):
        "Test who has driven what he may books nothing more"
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Rule = pool.get('coop.commons.rule')
        Uom = pool.get('product.uom')
        with self.in_company():
            self._member = self._members[1]
            meter, = Uom.search([('name', '=', "Meter")])
            Rule(
                name="Distance", company=self.company,
                resource=self._resource, quota_per='month',
                quota_quantity=Decimal(100), quota_unit=self._km,
                quota_warning=Decimal('0.8')).save()

            def drive(day, quantity, unit=self._km):
                self.make(
                    'usage', 'confirmed', member=self._member,
                    start=START + day * DAY, end=START + day * DAY + HOUR,
                    quantities=[Quantity(unit=unit, quantity=quantity)])
            drive(0, Decimal(79))
            self._book(START + 5 * DAY, 1)
            # 1,000 m make it 80 km
            drive(1, Decimal(1000), meter)
            with self.assertRaises(BookingQuotaWarning) as error:
                self._book(START + 6 * DAY, 1)
            self.assertIn("80", error.exception.message)
            drive(2, Decimal(20))
            with self.assertRaises(BookingRuleWarning) as error:
                self._book(START + 6 * DAY, 1)
            self.assertIn("100", error.exception.message)
            # In April, and another member
            self._book(START + 30 * DAY, 1)
            self._book(START + 6 * DAY, 1, member=self._members[0])

    @with_transaction()
    def test_cancel_invoice(self):
        "Test what is cancelled later was owed until then"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Pack = pool.get('coop.commons.pack')
        with self.in_company():
            self._prepare()
            self._pay_in(100)
            other = self._pay_in(70, paid=False)
            Invoice.credit(
                [other.invoice_line.invoice], refund=True, invoice_date=END)
            self.assertEqual(Pack(other.id).state, 'cancelled')
            for date in [PAID_IN, END - DAY, END]:
                self.assertEqual(check_books(self.company, date), [])

    @with_transaction()
    def test_credit(self):
        "Test what is left is not owed a second time by a credit note"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        with self.in_company():
            self._prepare()
            pack = self._pay_in(100)
            with self.assertRaisesRegex(AdvanceError, "Wallet"):
                Invoice.credit(
                    [pack.invoice_line.invoice], invoice_date=END)
            self.assertEqual(check_books(self.company, END), [])

    @with_transaction()
    def test_waived(self):
        "Test what was written off instead of paid in pays nothing"
        Pack = Pool().get('coop.commons.pack')
        with self.in_company():
            self._prepare()
            pack = self._pay_in(100, paid=False)
            waive(pack.invoice_line.invoice, PAID_IN)
            pack = Pack(pack.id)
            self.assertFalse(Pack.find_money(self.company, [pack.party]))
            with self.assertRaisesRegex(PackError, "written off"):
                Pack.refund([pack])
            self.assertFalse(check_books(self.company, PAID_IN))
