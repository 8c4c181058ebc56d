# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.exceptions import (
    AdmissionError, RefusedError)
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.exceptions import PaymentError
from trytond.modules.coop_shares.tests.case import (
    START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

FEBRUARY = dt.date(2024, 2, 15)
MARCH = dt.date(2024, 3, 15)
MONTHS = [dt.date(2024, month, 28) for month in range(1, 13)]


class TakeBackTestCase(SharesTestCase):
    "Test what was entered by mistake is corrected"

    def _check_books(self, company):
        for day in [*MONTHS, FEBRUARY, MARCH, dt.date(2025, 12, 31)]:
            self.assertEqual([
                    (d.description, d.expected, d.found)
                    for d in check_books(company, day)], [], day)

    def _balance(self, account):
        "Return the balance of the account"
        Line = Pool().get('account.move.line')
        return sum(
            l.debit - l.credit for l in Line.search([
                    ('account', '=', account.id)]))

    def _take_back(self, payment, amount=None, date=None):
        "Use the wizard of the button"
        Wizard = Pool().get(
            'coop.share.subscription.payment.take_back', type='wizard')
        with Transaction().set_context(
                active_model=payment.__name__, active_id=payment.id,
                active_ids=[payment.id]):
            session_id, _, _ = Wizard.create()
            wizard = Wizard(session_id)
            values = wizard.default_start(None)
            wizard.start.amount = (
                values['amount'] if amount is None else Decimal(amount))
            wizard.start.date = date or values['date']
            wizard.transition_take_back()

    def _read(self, subscription):
        subscription = subscription.__class__(subscription.id)
        return (
            subscription.state, subscription.paid_amount,
            subscription.amount_to_pay)

    def _classes(self, company):
        unpaid = get_account(company, "Member Shares Subscribed, Not Paid In")
        return [
            create_share_class(company, code='O'),
            create_share_class(company, code='T', account_unpaid=unpaid),
            create_share_class(
                company, code='P', account_unpaid=unpaid,
                effective='payment'),
            ]

    @with_transaction()
    def test_take_back(self):
        """Test a payment is taken back, in part too

        By hand: 100.00 are subscribed, 60.00 and 40.00 paid.  20.00 of the
        first never came, 30.00 of it were reversed a month later.
        """
        company, category, _ = self._set_up()
        with set_company(company):
            cash = get_account(company, "Cash and Cash Equivalents")
            member, = self._admit(company, category)
            for class_ in self._classes(company):
                before = self._balance(cash)
                subscription = self._subscribe(member, class_, 10)
                self._pay(subscription, 60, FEBRUARY)
                subscription = self._pay(subscription, 40, FEBRUARY)
                self.assertEqual(subscription.state, 'paid')
                first, second = subscription.payments
                self._take_back(first, 20)
                self.assertEqual(
                    self._read(subscription),
                    ('confirmed', Decimal(80), Decimal(20)))
                self._check_books(company)
                self.assertEqual(self._balance(cash) - before, Decimal(80))
                with self.assertRaisesRegex(
                        PaymentError, "0.00"), savepoint():
                    first.take_back_part(first, Decimal(1), FEBRUARY)
                rest, = [
                    p for p in subscription.__class__(
                        subscription.id).payments
                    if p.amount == 40 and p != second]
                self._take_back(rest, 30, MARCH)
                self.assertEqual(
                    self._read(subscription),
                    ('confirmed', Decimal(50), Decimal(50)))
                self._check_books(company)
                self._pay(subscription, 50, MARCH)
                self.assertEqual(
                    self._read(subscription),
                    ('paid', Decimal(100), Decimal(0)))
                self.assertEqual(self._balance(cash) - before, Decimal(100))
                # Completely paid is completely reconciled
                self.assertFalse(
                    subscription.__class__(subscription.id).lines_to_pay)
                self._check_books(company)
                self._take_back(second)
                self.assertEqual(
                    self._read(subscription),
                    ('confirmed', Decimal(60), Decimal(40)))
                self._check_books(company)

    @with_transaction()
    def test_unreconcile(self):
        "Test the books agree when what took a payment back is unreconciled"
        pool = Pool()
        Reconciliation = pool.get('account.move.reconciliation')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            subscription = self._subscribe(member, class_, 10)
            subscription = self._pay(subscription, 60, FEBRUARY)
            payment, = subscription.payments
            self._take_back(payment, 60, MARCH)
            line = payment.line.__class__(payment.line.id)
            Reconciliation.delete([line.reconciliation])
            self.assertEqual(
                self._read(subscription),
                ('confirmed', Decimal(0), Decimal(100)))
            self._check_books(company)

    @with_transaction()
    def test_bank(self):
        "Test money of a bank stays, to be assigned to something else"
        pool = Pool()
        Line = pool.get('account.move.line')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            wrong, right = [
                self._subscribe(member, class_, 10) for _ in range(2)]
            money = self._receive(member, class_, 100)
            claim, = wrong.lines_to_pay
            Line.reconcile([claim, money])
            payment, = wrong.__class__(wrong.id).payments
            self._take_back(payment)
            self.assertEqual(
                self._read(wrong), ('confirmed', Decimal(0), Decimal(100)))
            self._check_books(company)
            free, = Line.search([
                    ('account', '=', class_.account_subscribed.id),
                    ('credit', '>', 0),
                    ('reconciliation', '=', None)])
            claim, = right.lines_to_pay
            Line.reconcile([claim, free])
            self.assertEqual(
                self._read(right), ('paid', Decimal(100), Decimal(0)))
            self._check_books(company)

    def _receive(self, member, class_, amount):
        "Post money of the member and return its line"
        pool = Pool()
        Journal = pool.get('account.journal')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        company = member.company
        journal, = Journal.search([('type', '=', 'cash')], limit=1)
        move = Move(
            company=company, journal=journal, date=FEBRUARY,
            period=Period.find(company, date=FEBRUARY),
            lines=[
                Line(
                    account=class_.account_subscribed, party=member.party,
                    debit=Decimal(0), credit=Decimal(amount)),
                Line(
                    account=get_account(company, "Cash and Cash Equivalents"),
                    debit=Decimal(amount), credit=Decimal(0)),
                ])
        move.save()
        Move.post([move])
        line, = [l for l in move.lines if l.credit]
        return line

    @with_transaction()
    def test_set_off(self):
        "Test what another document has paid is taken back there"
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            issue([member], class_)
            subscription = self._subscribe(member, class_, 2)
            redemption = self._redeem(member, class_, 5, set_off=True)
            subscription = subscription.__class__(subscription.id)
            self.assertEqual(subscription.state, 'paid')
            for payment in subscription.payments:
                with self.assertRaisesRegex(
                        PaymentError, redemption.rec_name), savepoint():
                    payment.take_back_part(
                        payment, payment.amount, payment.date)

    @with_transaction()
    def test_deposit(self):
        "Test the deposit of an applicant is taken back before it counts"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, _ = self._set_up()
        with set_company(company):
            cash = get_account(company, "Cash and Cash Equivalents")
            member, = self._admit(company, category)
            for class_ in self._classes(company):
                before = self._balance(cash)
                draft = self._process(
                    'subscription', [], company, member=member.id,
                    share_class=class_.id, quantity=Decimal(10),
                    date=dt.date(2024, 3, 1))
                draft = self._pay(draft, 70, FEBRUARY)
                payment, = draft.payments
                self._take_back(payment, 30, dt.date(2024, 3, 20))
                self.assertEqual(
                    self._read(draft), ('draft', Decimal(40), Decimal(60)))
                self.assertEqual(self._balance(cash) - before, Decimal(40))
                draft = self._pay(draft, 60, MARCH)
                Subscription.confirm([Subscription(draft.id)])
                self.assertEqual(self._read(draft)[1:], (
                        Decimal(100), Decimal(0)))
                self._check_books(company)
            # It is neither deleted nor confirmed, if nothing is left
            draft = self._process(
                'subscription', [], company, member=member.id,
                share_class=class_.id, quantity=Decimal(1), date=START)
            draft = self._pay(draft, 10, FEBRUARY)
            self._take_back(draft.payments[0])
            Subscription.cancel([Subscription(draft.id)])
            self.assertEqual(Subscription(draft.id).state, 'cancelled')
            self._check_books(company)

    @with_transaction()
    def test_correct(self):
        """Test a wrong subscription is entered again with what was paid

        By hand: 10 shares were subscribed instead of 12, and 60.00 paid.
        """
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, _ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            for class_ in self._classes(company):
                for paid in [60, 100, 0]:
                    subscription = self._subscribe(
                        member, class_, 10, date=dt.date(2024, 2, 1))
                    if paid:
                        self._pay(subscription, paid, FEBRUARY)
                    draft, = Subscription.enter_again(
                        [Subscription(subscription.id)])
                    self.assertEqual(
                        self._read(subscription)[:2],
                        ('cancelled', Decimal(0)))
                    self.assertEqual(self._read(draft)[:2], ('draft', paid))
                    self.assertEqual(draft.corrects, subscription)
                    self._check_books(company)
                    draft.quantity = Decimal(12)
                    draft.save()
                    Subscription.confirm([draft])
                    draft = Subscription(draft.id)
                    self.assertEqual(
                        self._read(draft), (
                            'confirmed', Decimal(paid), Decimal(120 - paid)))
                    if paid:
                        self.assertEqual(draft.payments[0].date, FEBRUARY)
                    self._check_books(company)
            with self.assertRaisesRegex(RefusedError, "cancelled"):
                Subscription.enter_again([Subscription(subscription.id)])

    @with_transaction()
    def test_undo_admission(self):
        "Test an admission is taken back with the subscription, and its date"
        pool = Pool()
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, other = create_members(company, category, 2, START)
            draft = self._process(
                'subscription', [], company, member=member.id,
                share_class=class_.id, quantity=Decimal(10), date=START)
            self._pay(draft, 60, FEBRUARY)
            Member.admit([member, other])
            number = member.number
            self.assertEqual(self._read(draft)[0], 'confirmed')
            Member.undo_admission([Member(member.id)])
            member = Member(member.id)
            self.assertEqual(member.state, 'applicant')
            self.assertEqual(self._read(draft)[0], 'cancelled')
            self._check_books(company)
            # A month later
            member.admission_date = dt.date(2024, 2, 1)
            member.save()
            Member.admit([member])
            member = Member(member.id)
            self.assertEqual(member.number, number)
            self.assertEqual(member.admission_date, dt.date(2024, 2, 1))
            subscription, = Subscription.search([
                    ('member', '=', member.id),
                    ('state', '!=', 'cancelled')])
            self.assertEqual(
                self._read(subscription),
                ('confirmed', Decimal(60), Decimal(40)))
            self.assertEqual(subscription.date, dt.date(2024, 2, 1))
            self._check_books(company)
            # What came in another way stays in the way
            issue([other], class_)
            with self.assertRaises(AdmissionError):
                Member.undo_admission([Member(other.id)])
