# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal as D
from unittest.mock import Mock, patch

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class RevolvementTestCase(PatronageDocuments, PatronageTestCase):
    "Test what a revolvement does to the rest of the equity"

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_survivor(self):
        "Test half of each vintage goes to the surviving spouse"
        pool = Pool()
        Line = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        Statement = pool.get('coop.equity.statement')
        Transfer = pool.get('coop.share.transfer')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            alice, bob = self._members
            ShareMove.do([ShareMove(
                        company=self.company, share_class=self._equity,
                        kind='allocation', quantity=D('50.50'),
                        to_member=alice, start_date=dt.date(2020, 3, 1),
                        par_value=D(1), amount=D('50.50'), vintage=2020)])
            transfer = Transfer(
                company=self.company, reason='inheritance',
                from_member=alice, to_member=bob, share_class=self._equity,
                quantity=D('525.25'), of_each_vintage=True,
                date=dt.date(2020, 6, 30))
            transfer.save()
            Transfer.do([transfer])
            # 1,000.00 of 2019 and 50.50 of 2020
            with Transaction().set_context(
                    company=self.company.id, from_date=dt.date(2020, 7, 1),
                    to_date=dt.date(2020, 12, 31)):
                self.assertEqual({
                        (s.member, s.vintage): (s.transferred, s.closing)
                        for s in Statement.search([])}, {
                        (alice, 2019): (D(-500), D(500)),
                        (alice, 2020): (D('-25.25'), D('25.25')),
                        (bob, 2019): (D(500), D(1500)),
                        (bob, 2020): (D('25.25'), D('25.25')),
                        })
            self.assertEqual(
                {l.party: l.credit - l.debit for l in Line.search([
                            ('move', '=', transfer.move.id)])},
                {alice.party: D('-525.25'), bob.party: D('525.25')})

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_leaver(self):
        "Test who leaves asks for what is left, which can then be ended"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Revolvement = pool.get('coop.equity.revolvement')
        ShareMove = pool.get('coop.share.move')

        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            alice, bob = self._members
            request, = Redemption.create([{
                        'company': self.company.id,
                        'member': alice.id,
                        'share_class': self._equity.id,
                        'quantity': D(1000),
                        'reason': 'exit',
                        'request_date': dt.date(2020, 4, 1),
                        'end_date': dt.date(2020, 6, 30),
                        }])

            def revolve(rate):
                revolvement = Revolvement(
                    company=self.company, method='percentage',
                    classes=[self._equity], rate=D(rate),
                    posting_date=dt.date(2020, 5, 1))
                revolvement.save()
                for button in ['compute', 'approve', 'post']:
                    getattr(Revolvement, button)([revolvement])
                return revolvement

            def asked():
                return Redemption(request.id).quantity

            revolvement = revolve('0.1')
            self.assertEqual(revolvement.amount, D(200))
            self.assertEqual(
                {m.acquired_date for l in revolvement.lines
                    for m in l.share_moves}, {dt.date(2020, 1, 1)})
            self.assertEqual(asked(), D(900))
            Revolvement.cancel([revolvement])
            self.assertEqual(asked(), D(1000))
            revolve('0.1')
            self.assertEqual(asked(), D(900))

            Redemption.approve([request])
            Redemption.end([Redemption(request.id)])
            self.assertEqual(Redemption(request.id).amount, D(900))
            self.assertEqual(
                ShareMove.holdings_at(
                    self.company, None, classes=[self._equity]),
                {(bob.id, self._equity.id): (D(900), D(900))})

            # What is asked for is paid already
            request, = Redemption.copy([request], {
                    'member': bob.id, 'quantity': D(900)})
            revolve('1')
            self.assertEqual(Redemption(request.id).state, 'cancelled')

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_unclaimed(self):
        "Test equity that was paid out and that nobody collects"
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        Revolvement = pool.get('coop.equity.revolvement')

        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            revolvement = self.make(Revolvement, 'posted')
            for year, expected in [(2024, 0), (2025, D(10))]:
                claims = Line.search_unclaimed(
                    self.company, dt.date(year, 5, 1), 5)
                self.assertEqual(
                    sum(sum(c.values()) for c in claims.values()), expected)
            self.assertEqual(claims.keys(), set(revolvement.lines))
