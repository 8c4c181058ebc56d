# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class BillingTestCase(CommonsTestCase):
    "Test what a billing takes and what it leaves"

    @with_transaction()
    def test_no_address(self):
        "Test a party without an address does not stop the others"
        pool = Pool()
        Address = pool.get('party.address')
        Billing = pool.get('coop.commons.billing')

        def bill():
            billing = Billing(
                company=self.company, end=dt.date(2024, 12, 1),
                invoice_date=dt.date(2024, 12, 2))
            billing.save()
            billing.compute([billing])
            return Billing(billing.id)

        with self.in_company():
            lost, found = self._members
            Address.write(list(lost.party.addresses), {'active': False})
            usages = [
                self.make('usage', 'confirmed', member=m)
                for m in self._members]
            self.make('commitment', 'confirmed', member=lost)
            billing = bill()
            self.assertEqual(billing.state, 'computed')
            self.assertIn(lost.party.name, billing.problems)
            self.assertEqual(
                [i.party for i in billing.invoices], [found.party])
            self.assertFalse(billing.commitment_lines)
            billing.post([billing])
            self.assertEqual(
                [u.__class__(u.id).state for u in usages],
                ['rated', 'charged'])

            Address.create([{'party': lost.party.id, 'city': "Town"}])
            billing = bill()
            self.assertFalse(billing.problems)
            self.assertEqual(
                [i.party for i in billing.invoices], [lost.party])

    @with_transaction()
    def test_no_address_no_use(self):
        "Test who owes without any use is named, in the list and at the exit"
        pool = Pool()
        Address = pool.get('party.address')
        Billing = pool.get('coop.commons.billing')
        Member = pool.get('coop.member')
        Problem = pool.get('coop.commons.problem')
        first = dt.date(2024, 1, 1)
        with self.in_company():
            found, lost = self._members
            lost.notice_date = dt.date(2024, 1, 2)
            lost.requested_exit_date = dt.date(2024, 6, 30)
            lost.exit_reason = 'death'
            lost.save()
            with Transaction().set_context(_skip_warnings=True):
                lost.give_notice([lost])
            Address.write(list(lost.party.addresses), {'active': False})
            self.make('contract', 'confirmed', member=found)

            def bill():
                billing = Billing(
                    company=self.company, end=dt.date(2024, 12, 1),
                    invoice_date=dt.date(2024, 12, 2))
                billing.save()
                billing.compute([billing])
                billing.post([billing])
                billing = Billing(billing.id)
                return billing.problems, {
                    i.party: i.untaxed_amount for i in billing.invoices}

            def get_problems():
                return [
                    (p.kind, p.record, p.date) for p in Problem.search([])]

            def get_blockers():
                return ' '.join(
                    Member.exit_blockers([Member(lost.id)])[lost])

            named = 'address', lost.party
            # 5 months of 310 and one of 300 days, and half of 366
            for name, values, amount, date in [
                    ('contract', {}, '1860.00', first),
                    ('commitment', {'minimum': Decimal(366),
                            'period': 'year'}, '182.00',
                        dt.date(2024, 6, 30))]:
                document = self.make(name, 'confirmed', **values, member=lost)
                self.assertEqual(get_problems(), [(*named, date)])
                self.assertIn(document.rec_name, get_blockers())
                problems, invoiced = bill()
                self.assertIn(lost.party.name, problems)
                self.assertNotIn(lost.party, invoiced)
                self.assertEqual(found.party in invoiced, name == 'contract')
                self.assertEqual(get_problems(), [(*named, date)])
                self.assertIn(document.rec_name, get_blockers())

                address, = Address.create(
                    [{'party': lost.party.id, 'city': "Town"}])
                self.assertFalse(get_problems())
                problems, invoiced = bill()
                self.assertFalse(problems)
                self.assertEqual(invoiced, {lost.party: Decimal(amount)})
                self.assertNotIn(document.rec_name, get_blockers())
                # He owes nothing more
                Address.write([address], {'active': False})
                self.assertFalse(get_problems())

    @with_transaction()
    def test_due(self):
        "Test invoices and credit notes fall due from their own date"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Configuration = pool.get('account.configuration')
        Invoice = pool.get('account.invoice')
        PaymentTerm = pool.get('account.invoice.payment_term')

        def bill(member, end):
            self.make('usage', 'confirmed', member=member)
            billing = Billing(
                company=self.company, end=end,
                invoice_date=end + dt.timedelta(1))
            billing.save()
            billing.compute([billing])
            billing = Billing(billing.id)
            billing.post([billing])
            invoice, = billing.invoices
            return Invoice(invoice.id)

        def due(invoice):
            line, = [
                l for l in invoice.move.lines if l.account == invoice.account]
            return line.maturity_date

        with self.in_company():
            member = self._members[0]
            invoice = bill(member, dt.date(2024, 11, 30))
            self.assertEqual(due(invoice), dt.date(2024, 12, 1))

            term = PaymentTerm(name="30 days", lines=[{
                        'type': 'remainder',
                        'relativedeltas': [{'days': 30}],
                        }])
            term.save()
            configuration = Configuration(1)
            configuration.default_customer_payment_term = term
            configuration.save()
            invoice = bill(member, dt.date(2024, 12, 1))
            self.assertEqual(due(invoice), dt.date(2025, 1, 1))
            credit_note, = Invoice.credit(
                [invoice], invoice_date=dt.date(2024, 12, 10))
            credit_note.payment_term = None
            Invoice.post([credit_note])
            self.assertEqual(due(credit_note), dt.date(2024, 12, 10))
