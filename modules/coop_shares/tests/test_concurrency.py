# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal

from proteus import Model, Wizard

from trytond import backend
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.coop_membership.tests.concurrency import Processes, meet
from trytond.modules.coop_membership.tests.tools import (
    check_books, create_category)
from trytond.modules.coop_shares.tests.tools import (
    create_payment_method, create_share_class, holdings)
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, drop_db
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction
from trytond.worker import run_task

START = dt.date(2022, 1, 1)
DATE = dt.date(2022, 6, 30)
AFTER = dt.date(2022, 7, 1)


def redeem(company, member, share_class, quantity):
    Redemption = Pool().get('coop.share.redemption')
    redemption, = Redemption.create([{
                'company': company,
                'member': member,
                'share_class': share_class,
                'quantity': Decimal(quantity),
                'request_date': DATE,
                'end_date': DATE,
                }])
    Redemption.approve([redemption])
    Redemption.end([redemption])


def transfer(company, from_member, to_member, share_class, quantity):
    Transfer = Pool().get('coop.share.transfer')
    transfer, = Transfer.create([{
                'company': company,
                'from_member': from_member,
                'to_member': to_member,
                'share_class': share_class,
                'quantity': Decimal(quantity),
                'date': DATE,
                }])
    # It may be the last share
    with Transaction().set_context(_skip_warnings=True):
        Transfer.do([transfer])


def create_chunk(dividend, rows, count):
    Dividend = Pool().get('coop.share.dividend')
    Dividend.create_lines(Dividend(dividend), rows, count)
    # While the lines of the other one are not committed
    meet()


class ConcurrencyTestCase(unittest.TestCase):
    "Test two processes that dispose of the same shares at once"

    @classmethod
    def setUpClass(cls):
        drop_db()
        cls.config = activate_modules(
            'coop_shares', create_company, create_chart)
        fiscalyear = set_fiscalyear_invoice_sequences(create_fiscalyear(
                today=(START, dt.date(2022, 12, 31))))
        fiscalyear.click('create_period')
        cls.category = create_category("Users")
        cls.share_class = create_share_class('A', Decimal(10))
        cls.context = {
            'company': get_company().id,
            'companies': [get_company().id],
            }
        cls.processes = Processes(2)

    @classmethod
    def tearDownClass(cls):
        cls.processes.close()
        drop_db()

    def create_members(self, count, holders=None):
        "Create members, of which the first ones have paid for 3 shares"
        Member = Model.get('coop.member')
        Party = Model.get('party.party')
        Subscription = Model.get('coop.share.subscription')
        parties = [Party(name=f"Member {i}") for i in range(count)]
        Party.save(parties)
        members = [
            Member(
                party=party, category=self.category,
                application_date=START, admission_date=START)
            for party in parties]
        Member.save(members)
        Member.click(members, 'admit')
        subscriptions = []
        for member in members[:holders]:
            subscription = Subscription(
                member=member, share_class=self.share_class, date=START)
            subscription.quantity = Decimal(3)
            subscriptions.append(subscription)
        Subscription.save(subscriptions)
        Subscription.click(subscriptions, 'confirm')
        payment = Wizard('coop.share.subscription.pay', subscriptions)
        payment.form.date = START
        payment.form.payment_method = create_payment_method()
        payment.execute('pay')
        return members

    def at_once(self, *calls):
        "Return whether each is done, who is not is told what is held"
        errors = self.processes.at_once(*calls, context=self.context)
        for error in errors:
            if error:
                self.assertIn(self.share_class.rec_name, error)
        return [not error for error in errors]

    def redeem(self, member, quantity):
        return (
            redeem, self.context['company'], member.id, self.share_class.id,
            quantity)

    def transfer(self, from_member, to_member, quantity):
        return (
            transfer, self.context['company'], from_member.id, to_member.id,
            self.share_class.id, quantity)

    def assertHeld(self, member, quantity):
        held, *_ = holdings(member, AFTER).get('A', (Decimal(0),))
        self.assertEqual(held, quantity)

    def test_same_shares(self):
        "Test only one of two gets the same shares"
        *members, other = self.create_members(31)
        transferred = 3
        for i, member in enumerate(members):
            calls = [self.redeem(member, 2), self.redeem(member, 2)]
            if i % 2:
                calls[1] = self.transfer(member, other, 2)
            done = self.at_once(*calls)
            self.assertEqual(sum(done), 1)
            self.assertHeld(member, 1)
            if i % 2 and done[1]:
                transferred += 2
        self.assertHeld(other, transferred)
        self.assertEqual(check_books(AFTER), [])

    def test_transfer(self):
        "Test the same shares are transferred to one of two only"
        holder, *others = self.create_members(3, holders=1)
        for _ in range(70):
            done = self.at_once(
                *(self.transfer(holder, m, 3) for m in others))
            self.assertEqual(sum(done), 1)
            self.assertHeld(holder, 0)
            i = done.index(True)
            holder, others[i] = others[i], holder
            self.assertHeld(holder, 3)
        self.assertEqual(check_books(AFTER), [])

    def test_opposite(self):
        "Test transfers in both directions do not block each other"
        ann, bob = self.create_members(2)
        for _ in range(5):
            self.assertEqual(
                self.at_once(
                    self.transfer(ann, bob, 3), self.transfer(bob, ann, 3)),
                [True, True])
        self.assertHeld(ann, 3)
        self.assertHeld(bob, 3)

    def test_dividend_chunks(self):
        "Test two workers create the lines of a dividend side by side"
        Dividend = Model.get('coop.share.dividend')
        members = self.create_members(4)
        dividend = Dividend(
            start_date=START, end_date=DATE, rate=Decimal('0.05'))
        dividend.classes.append(self.share_class)
        dividend.save()
        # Half a year of 5 % of 3 shares of 10 each
        rows = [
            (m.id, '30', Decimal('0.75'), Decimal(0), None, None)
            for m in members]
        errors = self.processes.at_once(
            (create_chunk, dividend.id, rows[:2], 4),
            (create_chunk, dividend.id, rows[2:], 4),
            context=self.context)
        self.assertEqual(errors, [None, None])
        self.assertEqual(len(Dividend(dividend.id).lines), 4)
        self.assertEqual(dividend.state, 'draft')
        # Each has asked for it, the second one finds nothing more to do
        with Transaction().start(DB_NAME, 1, readonly=True):
            tasks = [
                t.id for t in Pool().get('ir.queue').search([])
                if t.data['method'] == 'close_lines' and not t.finished_at]
        self.assertEqual(len(tasks), 2)
        for task in tasks:
            run_task(DB_NAME, task)
        dividend.reload()
        self.assertEqual(dividend.state, 'computed')


if backend.name != 'postgresql':
    # The other databases have one writer at a time
    del ConcurrencyTestCase
