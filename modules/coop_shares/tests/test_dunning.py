# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from trytond.modules.company.tests import set_company
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

from .case import SharesTestCase, get_account

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
