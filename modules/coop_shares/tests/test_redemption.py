# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.model.exceptions import SQLConstraintError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.exceptions import RefusedError
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


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

    @with_transaction()
    def test_end_stuck(self):
        "Test a redemption that can not end does not stop the others"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 3, START)
            issue(members, class_)
            redemptions = [
                self._redeem(member, class_, 5, buttons=['approve'])
                for member in members]
            # Shares are locked in later
            stuck = redemptions[1]
            locked = create_share_class(company, code='L', lock_in_months=6)
            issue([stuck.member], locked)
            other = self._redeem(
                stuck.member, locked, 5, buttons=['approve'])
            locked.lock_in_months = 24
            locked.save()
            with self.assertLogs(
                    'trytond.modules.coop_shares.redemption') as logs:
                refused = Redemption.end_due(dt.date(2025, 1, 1))
            self.assertEqual(list(refused), [other])
            self.assertIn("held long enough", refused[other])
            self.assertIn(refused[other], logs.output[0])
            self.assertEqual(
                [r.state for r in Redemption.browse([*redemptions, other])],
                ['ended', 'ended', 'ended', 'approved'])
            with self.assertRaisesRegex(RefusedError, "held long enough"):
                Redemption.end([other])

    @with_transaction()
    def test_copy(self):
        "Test a copy is a new request at the end of the queue"
        pool = Pool()
        Date = pool.get('ir.date')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 1, START)
            issue(members, class_)
            redemption = self._redeem(
                members[0], class_, 5, price=Decimal(10))
            copy, = redemption.copy([redemption])
            self.assertEqual(copy.request_date, Date.today())
            self.assertEqual(copy.state, 'requested')
            for name in [
                    'number', 'end_date', 'price', 'settlement_date',
                    'payment_date', 'move', 'amount']:
                self.assertIsNone(getattr(copy, name), msg=name)
            self.assertFalse(copy.payable_lines)

    @with_transaction()
    def test_dates(self):
        "Test the settlement is after the claim, and before the payment"
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 1, START)
            issue(members, class_)
            with savepoint(), self.assertRaisesRegex(
                    SQLConstraintError, "when the claim arises"):
                self._redeem(members[0], class_, 1, settlement_date=END)
            with savepoint(), self.assertRaisesRegex(
                    SQLConstraintError, "before the day it is settled"):
                self._redeem(
                    members[0], class_, 1,
                    settlement_date=dt.date(2025, 3, 1),
                    payment_date=dt.date(2025, 2, 28))
            # What nobody has decided is not before it either
            redemption = self._redeem(
                members[0], class_, 1, settlement_date=dt.date(2025, 3, 1))
            self.assertEqual(redemption.payment_date, dt.date(2025, 3, 1))
            line, = redemption.payable_lines
            self.assertEqual(line.maturity_date, dt.date(2025, 3, 1))

    @with_transaction()
    def test_exit_blockers(self):
        "Test all that is open is named when a member leaves"
        pool = Pool()
        Member = pool.get('coop.member')
        company, category, class_ = self._set_up()
        with set_company(company):
            on_payment = create_share_class(
                company, code='P', effective='payment',
                account_unpaid=get_account(
                    company, "Member Shares Subscribed, Not Paid In"))
            member, other = self._admit(company, category, 2)
            issue([member], class_)
            later = self._redeem(
                member, class_, 4, buttons=['approve'],
                end_date=dt.date(2025, 6, 30), settlement_date=None)
            member.notice_date = START
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            member = Member(member.id)
            exit_date = member.memberships[-1].end_date
            self.assertLess(exit_date, later.end_date)
            documents = [
                self._subscribe(member, on_payment, 1),
                self._subscribe(
                    member, class_, 1, date=exit_date),
                ]
            blockers = '\n'.join(
                Member.exit_blockers([Member(member.id)])[member])
            for word in [
                    documents[0].rec_name, later.rec_name, class_.rec_name]:
                self.assertIn(word, blockers)
            self.assertEqual(
                len(Member.exit_blockers([Member(member.id)])[member]), 3)

    @with_transaction()
    def test_exit_invoice(self):
        "Test an unpaid invoice keeps the file of a member open"
        pool = Pool()
        Address = pool.get('party.address')
        Invoice = pool.get('account.invoice')
        Journal = pool.get('account.journal')
        Member = pool.get('coop.member')
        company, category, _ = self._set_up()
        with set_company(company):
            member, other = self._admit(company, category, 2)
            Address.create([{'party': member.party.id}])
            journal, = Journal.search([('type', '=', 'revenue')], limit=1)
            invoice = Invoice(
                company=company, type='out', party=member.party,
                journal=journal, invoice_date=START, currency=company.currency)
            invoice.on_change_party()
            invoice.lines = [{
                    'type': 'line',
                    'account': get_account(company, type='revenue').id,
                    'quantity': 1,
                    'unit_price': Decimal(60),
                    }]
            invoice.save()
            with Transaction().set_context(_skip_warnings=True):
                Invoice.post([invoice])
            blockers = Member.exit_blockers([member, other])
            self.assertEqual(len(blockers[member]), 1)
            self.assertIn(invoice.number, blockers[member][0])
            self.assertFalse(blockers[other])
