# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.model.exceptions import SQLConstraintError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.tests.case import (
    START, SharesTestCase, create_share_class, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class RedemptionTestCase(SharesTestCase):
    "Test the redemptions up to their end"

    @with_transaction()
    def test_allocate_queries(self):
        "Test the queries of an allocation do not depend on the requests"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, _ = self._set_up()
        with set_company(company):
            counts = []
            for order in ['request_date', 'pro_rata']:
                for count in [2, 20, 60]:
                    class_ = create_share_class(
                        company, code=f'{order} {count}',
                        redemption_cap=Decimal(25), redemption_order=order)
                    members = create_members(company, category, count, START)
                    issue(members, class_)
                    redemptions = self._request(company, members, class_, 5)
                    with count_queries() as queries:
                        ids = self._allocate(class_)
                    granted = Redemption.browse(ids)
                    self.assertEqual(
                        sum(r.quantity for r in granted),
                        count * 10 * Decimal('.25'))
                    self.assertTrue({*granted} <= {*redemptions})
                    with count_queries() as end_queries:
                        Redemption.end(granted)
                    self.assertEqual(
                        {r.state for r in Redemption.browse(ids)}, {'ended'})
                    counts.append((queries, end_queries))
            for few, many in [counts[1:3], counts[4:6]]:
                self.assertSameQueries(few[0], many[0])
                self.assertSameQueries(few[1], many[1], updates=False)

    @with_transaction()
    def test_end_before_request(self):
        "Test a redemption can not end before it is requested"
        Redemption = Pool().get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 1, START)
            issue(members, class_)
            redemption, = self._request(company, members, class_, 5)
            Redemption.write([redemption], {'end_date': START})
            with self.assertRaisesRegex(
                    SQLConstraintError, "before the day it is requested"):
                Redemption.write([redemption], {
                        'end_date': START - dt.timedelta(1)})

    @with_transaction()
    def test_end_due(self):
        "Test ending goes on where it was killed"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Task = pool.get('ir.queue')
        company, category, class_ = self._set_up(redemption_cap=Decimal(100))
        with set_company(company), patch.object(Redemption, '_end_size', 2):
            members = create_members(company, category, 5, START)
            issue(members, class_)
            self._request(company, members, class_, 5)
            redemptions = Redemption.browse(self._allocate(class_))
            after = dt.date(2025, 7, 1)

            def due():
                "Return the chunks that are queued"
                before = Task.search([])
                Redemption.end_due(after)
                return [
                    Redemption.browse(t.data['instances'])
                    for t in Task.search([
                            ('id', 'not in', [t.id for t in before]),
                            ], order=[('id', 'ASC')])]

            chunks = due()
            self.assertEqual([len(c) for c in chunks], [2, 2, 1])
            Redemption.end(chunks[0])
            rest = due()
            self.assertEqual([len(c) for c in rest], [2, 1])
            self.assertEqual(
                {r for c in rest for r in c}, {*chunks[1], *chunks[2]})
            # What is queued twice is done once
            for chunk in chunks + rest:
                Redemption.end(chunk)
            redemptions = Redemption.browse(redemptions)
            self.assertEqual({r.state for r in redemptions}, {'ended'})
            self.assertEqual(
                [len(r.share_moves) for r in redemptions], [1] * 5)

    @with_transaction()
    def test_release(self):
        """Test who leaves does not owe what was not paid of the shares

        By hand: 60.00 and 40.00 are subscribed and not paid.
        """
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = create_members(company, category, 1, START)
            pool = Pool()
            Line = pool.get('account.move.line')
            pool.get('coop.member').admit([member])
            subscriptions = [
                self._subscribe(member, class_, quantity)
                for quantity in [6, 4]]
            redemption = self._redeem(member, class_, 10)
            self.assertEqual(redemption.net_amount, Decimal(0))
            for subscription in subscriptions:
                subscription = subscription.__class__(subscription.id)
                self.assertEqual(subscription.state, 'paid')
                self.assertTrue(all(
                        l.reconciliation for l in subscription.lines_to_pay))
                for payment in subscription.payments:
                    self.assertEqual(payment.line.credit, payment.amount)
            self.assertFalse(Line.search([
                        ('party', '=', member.party.id),
                        ('account', '=', class_.account_subscribed.id),
                        ('reconciliation', '=', None),
                        ]))
