# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

from .case import SharesTestCase, create_payment_method, get_account

DAY = dt.date(2024, 2, 15)


class DunningTestCase(SharesTestCase):
    "Test members are dunned for what is open of their subscriptions"

    @with_transaction(context={'_skip_warnings': True})
    def test_subscription(self):
        "Test parts that are paid or on their way are not dunned"
        pool = Pool()
        Date = pool.get('ir.date')
        Dunning = pool.get('account.dunning')
        Journal = pool.get('account.journal')
        Level = pool.get('account.dunning.level')
        Payment = pool.get('coop.share.subscription.payment')
        Procedure = pool.get('account.dunning.procedure')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        procedure = Procedure(
            name="Reminders", levels=[Level(overdue=dt.timedelta(10))])
        procedure.save()
        with set_company(company):
            members = self._admit(company, category, 2)
            for member in members:
                member.party.dunning_procedure = procedure
                member.party.save()
            ann, bob = Subscription.create([{
                        'company': company.id,
                        'member': member.id,
                        'share_class': class_.id,
                        'quantity': Decimal(5),
                        'date': DAY,
                        } for member in members])
            Subscription.confirm([ann, bob])
            self.assertEqual(ann.total_amount, Decimal(50))
            journal, = Journal.search([('type', '=', 'cash')], limit=1)
            method = SimpleNamespace(
                journal=journal,
                debit_account=get_account(
                    company, "Cash and Cash Equivalents"))

            def pay(subscription, amount):
                Payment.pay(
                    {Subscription(subscription.id): Decimal(amount)},
                    company, method, DAY)

            def dun(days):
                date = DAY + dt.timedelta(days)
                with patch.object(Date, 'today', lambda timezone=None: date):
                    Dunning.generate_dunnings(date=date)
                    dunnings = Dunning.search([('state', '=', 'draft')])
                    result = [
                        (d.party, d.amount, d.line.description_used)
                        for d in dunnings]
                    Dunning.process(dunnings)
                return result

            pay(ann, 20)
            collected = self._collect(bob)
            self.assertEqual(dun(9), [])
            self.assertEqual(dun(10), [
                    (ann.member.party, Decimal(30), ann.narration)])
            # It failed
            collected.__class__.fail([collected])
            self.assertEqual(dun(11), [
                    (bob.member.party, Decimal(50), bob.narration)])
            pay(ann, 30)
            self.assertEqual(
                [(d.party, d.amount) for d in Dunning.search([])],
                [(bob.member.party, Decimal(50))])
            pay(bob, 10)
            dunning, = Dunning.search([])
            self.assertEqual(dunning.amount, Decimal(40))

    @with_transaction(context={'_skip_warnings': True})
    def test_year(self):
        """Test ages, reminders and set-off follow the due dates over new year

        100.00 are to be paid in two parts, on 20 December and 20 January.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Dunning = pool.get('account.dunning')
        Level = pool.get('account.dunning.level')
        Payment = pool.get('coop.share.subscription.payment')
        Period = pool.get('account.period')
        Procedure = pool.get('account.dunning.procedure')
        Redemption = pool.get('coop.share.redemption')
        Reschedule = pool.get('account.move.line.reschedule', type='wizard')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        category.exit_at = 'any_day'
        category.save()
        procedure = Procedure(
            name="Reminders", levels=[Level(overdue=dt.timedelta(10))])
        procedure.save()
        with set_company(company):
            member, = self._admit(company, category)
            member.party.dunning_procedure = procedure
            member.party.save()
            first, second = Subscription.create([{
                        'company': company.id,
                        'member': member.id,
                        'share_class': class_.id,
                        'quantity': quantity,
                        'date': date,
                        } for quantity, date in [
                        (Decimal(5), DAY),
                        (Decimal(10), dt.date(2024, 12, 10))]])
            Subscription.confirm([first, second])
            method = create_payment_method(company)
            Payment.pay({first: Decimal(50)}, company, method, DAY)
            line, = second.lines_to_pay
            with patch.object(
                    Date, 'today',
                    lambda timezone=None: dt.date(2024, 12, 10)):
                move, _ = Reschedule.reschedule_lines(
                    [line], method.journal, [
                        SimpleNamespace(amount=Decimal(50), date=date)
                        for date in [
                            dt.date(2024, 12, 20), dt.date(2025, 1, 20)]])
                move.post()
            redemption = Redemption(
                company=company, member=member, share_class=class_,
                quantity=Decimal(5), request_date=dt.date(2024, 12, 15),
                end_date=dt.date(2024, 12, 31),
                settlement_date=dt.date(2025, 1, 10), set_off=True)
            redemption.save()
            for button in ['approve', 'end']:
                getattr(Redemption, button)([redemption])

            def dun(date):
                Dunning.generate_dunnings(date=date)
                return sorted(
                    (d.line.maturity_date, d.amount)
                    for d in Dunning.search([]))

            # Overdue for some days, and not due yet
            self.assertEqual(
                self._get_ages(company, dt.date(2024, 12, 31)),
                (Decimal(100), Decimal(50), Decimal(0)))
            self.assertEqual(dun(dt.date(2024, 12, 29)), [])
            self.assertEqual(
                dun(dt.date(2024, 12, 30)),
                [(dt.date(2024, 12, 20), Decimal(50))])
            Period.close(Period.search([
                        ('company', '=', company.id),
                        ('end_date', '<=', dt.date(2024, 12, 31))]))
            self.assertEqual(
                self._get_ages(company, dt.date(2025, 1, 31)),
                (Decimal(100), Decimal(50), Decimal(50)))

            # The redemption pays what was due first
            Redemption.settle([redemption])
            self.assertEqual(
                (redemption.state, redemption.set_off_amount),
                ('paid', Decimal(50)))
            self.assertEqual(second.amount_to_pay, Decimal(50))
            self.assertEqual(
                self._get_ages(company, dt.date(2025, 1, 31)),
                (Decimal(50), Decimal(50), Decimal(0)))
            self.assertEqual(dun(dt.date(2025, 1, 29)), [])
            self.assertEqual(
                dun(dt.date(2025, 1, 30)),
                [(dt.date(2025, 1, 20), Decimal(50))])
            for date in [
                    dt.date(2024, 12, 31), dt.date(2025, 1, 9),
                    dt.date(2025, 1, 31)]:
                self.assertEqual(check_books(company, date), [])

    def _get_ages(self, company, date):
        "Return what is open of all, since up to 30 days and since up to 60"
        AgedBalance = Pool().get('account.aged_balance')
        with Transaction().set_context(
                company=company.id, type='customer', date=date, posted=True,
                unit='day', term1=30, term2=60, term3=90):
            balance, = AgedBalance.search([])
            return balance.balance, balance.term0, balance.term1

    def _collect(self, subscription):
        "Ask for the payment of the subscription, which is on its way"
        pool = Pool()
        Group = pool.get('account.payment.group')
        Line = pool.get('account.move.line')
        Payment = pool.get('account.payment')
        PaymentJournal = pool.get('account.payment.journal')
        company = subscription.company
        journal = PaymentJournal(
            name="Direct Debit", company=company, currency=company.currency,
            process_method='manual')
        journal.save()
        line, = Line.search([
                ('move.origin', '=', str(subscription)),
                ('maturity_date', '!=', None),
                ])
        values = {'company': company, 'journal': journal, 'kind': 'receivable'}
        payment = Payment(
            party=line.party, line=line, date=DAY,
            amount=line.payment_amount, **values)
        payment.save()
        Payment.submit([payment])
        group = Group(**values)
        group.save()
        Payment.process([payment], lambda: group)
        return payment
