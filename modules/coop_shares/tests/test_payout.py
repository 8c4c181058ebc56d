# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
from decimal import Decimal
from io import StringIO

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.exceptions import RefusedError
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_shares.exceptions import PaymentError
from trytond.modules.coop_shares.tests.case import (
    SharesTestCase, create_payment_method, get_account)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

MARCH = dt.date(2025, 3, 31)


class PayoutTestCase(SharesTestCase):
    "Test redemptions are paid"

    def _settle(self, company, category, class_):
        "Return settled redemptions of 30.00 and 50.00"
        ann, bob = self._admit(company, category, 2)
        for member in [ann, bob]:
            self._pay(
                self._subscribe(member, class_, 10), 100,
                dt.date(2024, 2, 1))
        return [
            self._redeem(member, class_, quantity)
            for member, quantity in [(ann, 3), (bob, 5)]]

    def _wizard(self, redemptions):
        Wizard = Pool().get('coop.share.redemption.pay', type='wizard')
        session_id, _, _ = Wizard.create()
        wizard = Wizard(session_id)
        for name, value in wizard.default_start(None).items():
            setattr(wizard.start, name, value)
        wizard.start.date = MARCH
        wizard.start.payment_journal = None
        wizard.start.description = None
        return wizard

    def _on(self, redemptions):
        return Transaction().set_context(
            active_model='coop.share.redemption',
            active_id=redemptions[0].id,
            active_ids=[r.id for r in redemptions])

    def _read(self, redemptions):
        Redemption = Pool().get('coop.share.redemption')
        return [
            (r.state, r.amount_to_pay)
            for r in Redemption.browse([r.id for r in redemptions])]

    def _paid_out(self, cash):
        Line = Pool().get('account.move.line')
        return sum(
            l.credit - l.debit for l in Line.search([
                    ('account', '=', cash.id)]))

    @with_transaction()
    def test_pay(self):
        """Test one is paid in parts, and several at once

        By hand: 30.00 and 50.00 are due, 20.00 of the second are paid first.
        """
        company, category, class_ = self._set_up()
        with set_company(company):
            create_payment_method(company)
            cash = get_account(company, "Cash and Cash Equivalents")
            redemptions = self._settle(company, category, class_)
            before = self._paid_out(cash)
            self.assertEqual(self._read(redemptions), [
                    ('settled', Decimal(30)), ('settled', Decimal(50))])
            with self._on(redemptions[1:]):
                wizard = self._wizard(redemptions[1:])
                self.assertEqual(wizard.start.amount, Decimal(50))
                wizard.start.amount = Decimal(51)
                with self.assertRaisesRegex(PaymentError, "50"), savepoint():
                    wizard.transition_pay()
                wizard.start.amount = Decimal(20)
                wizard.start.date = dt.date(2024, 12, 31)
                with self.assertRaisesRegex(
                        PaymentError, "12/31/2024"), savepoint():
                    wizard.transition_pay()
                wizard.start.date = MARCH
                wizard.transition_pay()
            self.assertEqual(self._read(redemptions), [
                    ('settled', Decimal(30)), ('settled', Decimal(30))])
            with self._on(redemptions):
                wizard = self._wizard(redemptions)
                self.assertEqual(wizard.start.total, Decimal(60))
                wizard.transition_pay()
            self.assertEqual(self._read(redemptions), [
                    ('paid', Decimal(0)), ('paid', Decimal(0))])
            for redemption in redemptions:
                line, = redemption.__class__(redemption.id).payable_lines
                self.assertTrue(line.reconciliation)
            self.assertEqual(self._paid_out(cash) - before, Decimal(80))
            self.assertEqual(check_books(company, MARCH), [])
            with self._on(redemptions[:1]), self.assertRaisesRegex(
                    RefusedError, "not settled"):
                self._wizard(redemptions).transition_pay()

    @with_transaction()
    def test_payments(self):
        "Test payments are made by a journal, and count as on their way"
        pool = Pool()
        Journal = pool.get('account.payment.journal')
        Payment = pool.get('account.payment')
        company, category, class_ = self._set_up()
        with set_company(company):
            journal = Journal(
                name="Bank", company=company, currency=company.currency,
                process_method='manual')
            journal.save()
            redemptions = self._settle(company, category, class_)
            with self._on(redemptions):
                wizard = self._wizard(redemptions)
                wizard.start.payment_journal = journal
                wizard.transition_pay()
            payments = Payment.search([])
            self.assertEqual(
                {(p.party, p.amount, p.kind, p.date) for p in payments}, {
                    (r.member.party, r.net_amount, 'payable', MARCH)
                    for r in redemptions})
            for payment in payments:
                self.assertIn(company.rec_name, payment.reference)
            self.assertEqual(self._read(redemptions), [
                    ('settled', Decimal(0)), ('settled', Decimal(0))])
            with self._on(redemptions[:1]), self.assertRaisesRegex(
                    RefusedError, "on its way"):
                self._wizard(redemptions).transition_pay()

    @with_transaction()
    def test_payout_list(self):
        "Test the list of what is to be paid out, as table for a spreadsheet"
        pool = Pool()
        Account = pool.get('bank.account')
        Report = pool.get('coop.share.redemption.payout', type='report')
        company, category, class_ = self._set_up()
        with set_company(company):
            ann, bob = self._settle(company, category, class_)
            Account.create([{
                        'owners': [('add', [ann.member.party.id])],
                        'numbers': [('create', [{
                                        'type': 'other',
                                        'number': "12-345",
                                        }])],
                        }])
            extension, content, _, _ = Report.execute([ann.id, bob.id], {
                    'model': 'coop.share.redemption',
                    'ids': [ann.id, bob.id],
                    })
            self.assertEqual(extension, 'csv')
            if isinstance(content, bytes):
                content = content.decode()
            _, first, second = csv.reader(StringIO(content))
            self.assertEqual(first[1:3], [ann.member.party.name, "12-345"])
            self.assertIn(ann.number, first[3])
            self.assertEqual(Decimal(first[5]), Decimal(30))
            self.assertEqual(second[2], "")
            self.assertEqual(Decimal(second[5]), Decimal(50))
