# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model.modelsql import SQLConstraintError
from trytond.modules.coop_commons.exceptions import BillingError, ContractError
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

INVOICED = dt.date(2024, 12, 31)


class ContractTestCase(CommonsTestCase):
    "Test what a member pays for having a resource"

    def _compute(self, end, **values):
        Billing = Pool().get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end, invoice_date=INVOICED, **values)
        billing.save()
        billing.compute([billing])
        return Billing(billing.id)

    def _bill(self, end, **values):
        billing = self._compute(end, **values)
        billing.post([billing])
        self.assertFalse(check_books(self.company, INVOICED))
        return billing.__class__(billing.id)

    def _get_lines(self, billing):
        return [
            (l.start, l.end, l.amount) for l in billing.contract_lines]

    def _leave(self, member, date):
        member.notice_date = member.requested_exit_date = date
        member.exit_reason = 'death'
        member.save()
        with Transaction().set_context(_skip_warnings=True):
            member.give_notice([member])
        return member.__class__(member.id)

    @with_transaction()
    def test_month(self):
        "Test a month is charged by its days, once, with what is used"
        Invoice = Pool().get('account.invoice')
        with self.in_company():
            member = self._members[1]
            # 310.00 a month from the 11th of February 2024 to the 15th of
            # April
            self.make(
                'contract', 'confirmed', valid_from=dt.date(2024, 2, 11),
                valid_until=dt.date(2024, 4, 15), amount=Decimal(310))
            # An hour of 10.00 and 5 km
            self.make('usage', 'confirmed', member=member)
            # 10 of the 29 days of February: 310 * 10 / 29 = 106.897
            billing = self._bill(dt.date(2024, 2, 20))
            self.assertEqual(self._get_lines(billing), [
                    (dt.date(2024, 2, 11), dt.date(2024, 2, 20),
                        Decimal('106.90')),
                    ])
            invoice, = billing.invoices
            invoice = Invoice(invoice.id)
            self.assertEqual(invoice.state, 'posted')
            self.assertEqual(invoice.party, member.party)
            self.assertEqual(
                sorted(l.amount for l in invoice.lines),
                [Decimal('5.00'), Decimal('10.00'), Decimal('106.90')])
            self.assertEqual(invoice.untaxed_amount, Decimal('121.90'))
            # The 19 days are 310 * 19 / 29 = 203.103, of which the cent that
            # rounding took before is not charged again
            billing = self._bill(dt.date(2024, 3, 31))
            self.assertEqual(self._get_lines(billing), [
                    (dt.date(2024, 3, 1), dt.date(2024, 3, 31),
                        Decimal('310.00')),
                    (dt.date(2024, 2, 21), dt.date(2024, 2, 29),
                        Decimal('96.20')),
                    ])
            # 15 of 30 days
            billing = self._bill(dt.date(2024, 6, 30))
            self.assertEqual(self._get_lines(billing), [
                    (dt.date(2024, 4, 1), dt.date(2024, 4, 15),
                        Decimal('155.00')),
                    ])
            for end in [dt.date(2024, 3, 15), dt.date(2024, 12, 31)]:
                self.assertFalse(self._bill(end).invoices)

    @with_transaction()
    def test_day(self):
        "Test the standing charge of a day"
        with self.in_company():
            self.make(
                'contract', 'confirmed', valid_from=dt.date(2024, 2, 28),
                amount=Decimal('0.35'), period='day')
            # 2 days of February, 10 of March
            billing = self._bill(dt.date(2024, 3, 10))
            invoice, = billing.invoices
            self.assertEqual(
                [l.amount for l in invoice.lines],
                [Decimal('0.70'), Decimal('3.50')])

    @with_transaction()
    def test_advance(self):
        "Test what was charged in advance is given back"
        Contract = Pool().get('coop.commons.contract')
        with self.in_company():
            contract = self.make(
                'contract', 'confirmed', valid_from=dt.date(2024, 4, 1),
                amount=Decimal(300))
            self._bill(dt.date(2024, 5, 31))
            # 10 of the 30 days of April stay, May goes back
            contract.valid_until = dt.date(2024, 4, 10)
            contract.save()
            billing = self._bill(dt.date(2024, 4, 30))
            self.assertEqual(self._get_lines(billing), [
                    (dt.date(2024, 5, 1), dt.date(2024, 5, 31),
                        Decimal('-300.00')),
                    (dt.date(2024, 4, 11), dt.date(2024, 4, 30),
                        Decimal('-200.00')),
                    ])
            invoice, = billing.invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('-500.00'))
            # It runs longer again
            contract = Contract(contract.id)
            contract.valid_until = dt.date(2024, 4, 20)
            contract.save()
            self.assertEqual(self._get_lines(
                    self._bill(dt.date(2024, 5, 31))), [
                    (dt.date(2024, 4, 11), dt.date(2024, 4, 20),
                        Decimal('100.00')),
                    ])

    @with_transaction()
    def test_again(self):
        "Test a billing taken back, and an invoice cancelled, is billed again"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Invoice = pool.get('account.invoice')
        end = dt.date(2024, 1, 31)
        with self.in_company():
            contract = self.make('contract', 'confirmed')
            billing = self._compute(end)
            self.assertEqual(len(billing.contract_lines), 1)
            billing.draft([billing])
            self.assertFalse(Billing(billing.id).contract_lines)
            billing = self._bill(
                end, for_resources=[contract.resource],
                for_parties=[contract.member.party])
            invoice, = billing.invoices
            self.company.cancel_invoice_out = True
            self.company.save()
            with Transaction().set_context(_skip_warnings=True):
                Invoice.cancel([Invoice(invoice.id)])
            billing = self._bill(end)
            self.assertEqual(
                [i.untaxed_amount for i in billing.invoices],
                [Decimal('310.00')])

    @with_transaction()
    def test_draft(self):
        "Test what is billed is not agreed anew for somebody else"
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        with self.in_company():
            contract = self.make('contract', 'confirmed')
            Contract.draft([contract])
            Contract.confirm([contract])
            self._compute(dt.date(2024, 1, 31))
            with self.assertRaises(BillingError):
                Contract.draft([Contract(contract.id)])

    @with_transaction()
    def test_exclusive(self):
        "Test a flat is one member's on a day, a standing charge everybody's"
        with self.in_company():
            contract = self.make(
                'contract', 'confirmed', exclusive=True,
                valid_until=dt.date(2024, 3, 31))
            values = {
                'member': self._members[0], 'resource': contract.resource}
            with savepoint(), self.assertRaises(SQLConstraintError):
                self.make(
                    'contract', 'confirmed', exclusive=True,
                    valid_from=dt.date(2024, 3, 31), **values)
            self.make(
                'contract', 'confirmed', exclusive=False,
                valid_from=dt.date(2024, 3, 31), **values)
            self.make(
                'contract', 'confirmed', exclusive=True,
                valid_from=dt.date(2024, 4, 1), **values)
            with savepoint(), self.assertRaises(SQLConstraintError):
                contract.valid_until = None
                contract.save()

    @with_transaction()
    def test_exit(self):
        "Test the exit names what is not billed, and ends the contract"
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        Member = pool.get('coop.member')
        with self.in_company():
            contract = self.make('contract', 'confirmed')
            later = self.make(
                'contract', 'confirmed', valid_from=dt.date(2024, 9, 1))
            draft = self.make('contract', 'draft')
            self._bill(dt.date(2024, 9, 30))
            member = self._leave(contract.member, dt.date(2024, 6, 15))

            def get_blockers():
                blockers = Member.exit_blockers([Member(member.id)])
                return [
                    c for c in [contract, later]
                    if any(c.rec_name in b for b in blockers[member])]

            self.assertEqual(get_blockers(), [contract, later])
            # 15 of the 30 days of June, the three months after it and the
            # month of the other contract
            billing = self._bill(dt.date(2024, 9, 30))
            invoice, = billing.invoices
            self.assertEqual(
                sorted(l.amount for l in invoice.lines),
                [Decimal('-310.00')] * 4 + [Decimal('-155.00')])
            self.assertFalse(get_blockers())
            with self.assertRaises(ContractError):
                self.make(
                    'contract', 'confirmed', valid_from=dt.date(2024, 6, 16))
            Contract.end_with_exit([Member(member.id)])
            self.assertEqual([
                    (c.state, c.valid_until) for c in Contract.browse(
                        [contract, later, draft])], [
                    ('confirmed', dt.date(2024, 6, 15)),
                    ('cancelled', None),
                    ('cancelled', None)])
