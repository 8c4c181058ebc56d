# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens of Tryton on the lines of shares"""
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.claim import open_due, open_lines
from trytond.modules.coop_membership.tests.bank import BankPlayer
from trytond.modules.coop_membership.tests.player import AccountPlayer
from trytond.modules.coop_membership.tests.records import create_members
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

from .case import START, SharesTestCase, get_account


def _create_members(company, category, count):
    "Return admitted members"
    Member = Pool().get('coop.member')
    members = create_members(
        company, category, count, START, application_date=START)
    Member.admit(members)
    return members


class PaidTestCase(BankPlayer, AccountPlayer, SharesTestCase):
    "Test no use of the accounting screens parts shares from the books"
    screens = [
        *AccountPlayer.screens, *BankPlayer.bank_screens,
        'pay', 'take_back', 'take_back', 'correct', 'pay_out', 'leave',
        'leave', 'subscribe', 'redeem']

    @with_transaction(context={'_skip_warnings': True})
    def test_sequence(self):
        "Test random sequences on documents of two members"
        with self._prepare():
            self._create_write_off(
                get_account(self.company, type='expense'),
                get_account(self.company, type='revenue'))
            self._play_sequences()

    @with_transaction(context={'_skip_warnings': True})
    def test_delegated(self):
        "Test another party pays and is paid what was delegated to it"
        pool = Pool()
        Line = pool.get('account.move.line')
        with self._prepare():
            with self._on(self.days[0]):
                self._start()
            with self._on(self.days[1]):
                dividend_line = self.dividends[0].lines[0]
                for document, claim in [
                        (self.subscriptions[2],
                            self.subscriptions[2].lines_to_pay[0]),
                        (self.redemptions[0],
                            self.redemptions[0].payable_lines[0]),
                        (dividend_line,
                            dividend_line.bank_claims(
                                [dividend_line])[dividend_line][0])]:
                    with self.subTest(document=document.__name__):
                        self._pay_delegated(
                            document, Line(claim.id),
                            next(m.party for m in self.members
                                if m != document.member))
                self._check('paid', days=self.month_ends)
                self.assertEqual(
                    self.subscriptions[2].__class__(
                        self.subscriptions[2].id).state, 'paid')

    @contextmanager
    def _prepare(self):
        "Set up a bank and two members who may leave on any day"
        Configuration = Pool().get('coop.share.configuration')
        company, category, class_ = self._set_up()
        category.exit_at = 'any_day'
        category.save()
        with set_company(company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            self._set_company(company, class_)
            self._create_bank()
            self.members = _create_members(company, category, 2)
            yield

    def _set_company(self, company, class_):
        self.company, self.class_ = company, class_
        self.cash = get_account(company, "Cash and Cash Equivalents")
        self.payable = get_account(company, type='payable')
        self.accounts = [
            class_.account_subscribed, class_.account_redemption,
            self.payable]

    @with_transaction()
    def test_draft(self):
        "Test users do not change a move of a document, nor copy it as one"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = _create_members(company, category, 1)
            subscription = Subscription(
                company=company, member=member, share_class=class_,
                quantity=Decimal(1), date=self.days[0])
            subscription.save()
            Subscription.confirm([subscription])
            move, = Move.copy([subscription.move])
            self.assertIsNone(move.origin)
            with check_access():
                Move.write([move], {'date': self.days[0] + dt.timedelta(1)})
            move.origin = subscription
            move.save()
            with check_access():
                with self.assertRaises(AccessError):
                    Move.write([move], {'date': self.days[0]})
                with self.assertRaises(AccessError):
                    Line.write(list(move.lines), {'party': None})
                with self.assertRaises(AccessError):
                    Move.delete([move])

    @with_transaction(context={'_skip_warnings': True})
    def test_counted(self):
        "Test drafts on which documents count are not changed, but named"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        with self._prepare():
            with self._on(self.days[0]):
                self._start()
            redemption, dividend = self.redemptions[0], self.dividends[0]
            whole, part = self.subscriptions[2:]
            for name, line, amount in [
                    ('whole', whole.lines_to_pay[0], whole.total_amount),
                    ('part', part.lines_to_pay[0], 10),
                    ('redemption', redemption.payable_lines[0], 5),
                    ('dividend', dividend.lines[0].bank_claims(
                            dividend.lines)[dividend.lines[0]][0],
                        dividend.lines[0].net)]:
                with self.subTest(name=name), self._on(self.days[1]):
                    move = self._clear(Line(line.id), Decimal(amount))
                    money, = [l for l in move.lines if l.party]
                    with check_access():
                        for records, values in [
                                ([move], {'date': self.days[0]}),
                                ([money], {'account': self.cash.id}),
                                ([money], {'party': self.members[
                                            money.party
                                            == self.members[0].party
                                            ].party.id}),
                                ([money], {
                                        'debit': money.debit / 2,
                                        'credit': money.credit / 2})]:
                            with self.assertRaises(AccessError):
                                records[0].__class__.write(records, values)
                        with self.assertRaises(AccessError):
                            Move.delete([move])
                    self.assertEqual([
                            (d.kind, d.record)
                            for d in check_books(self.company, self.day)],
                        [('pending', move)])
                    Move.post([move])
                    self.assertEqual(check_books(self.company, self.day), [])

    def _clear(self, line, amount):
        "Return the draft move by which a payment of the line is cleared"
        pool = Pool()
        Group = pool.get('account.payment.group')
        Payment = pool.get('account.payment')
        payment, = Payment.create([{
                    'company': self.company.id,
                    'journal': self.payment_journals[1].id,
                    'kind': 'receivable' if line.debit else 'payable',
                    'party': line.party.id,
                    'line': line.id,
                    'date': self.day,
                    'amount': amount,
                    }])
        Payment.submit([payment])
        if payment.kind == 'payable':
            Payment.approve([payment])
        group, = Group.create([{
                    'company': self.company.id,
                    'journal': payment.journal.id,
                    'kind': payment.kind,
                    }])
        Payment.process([payment], lambda: group)
        with Transaction().set_context(clearing_date=self.day):
            Payment.succeed([payment])
        return Payment(payment.id).clearing_move

    @with_transaction(context={'_skip_warnings': True})
    def test_due(self):
        "Test what is open of a document is what is open of its lines"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()

        def get_due():
            cursor = Transaction().connection.cursor()
            cursor.execute(*open_due(Subscription, 'move'))
            return [
                (document, str(date), Decimal(amount))
                for document, date, amount in cursor]

        with set_company(company):
            self._set_company(company, class_)
            self.members = _create_members(company, category, 1) * 2
            self.day = dt.date(2024, 2, 15)
            subscription = Subscription(
                company=company, member=self.members[0], share_class=class_,
                quantity=Decimal(5), date=self.day)
            subscription.save()
            self.assertEqual(get_due(), [])
            Subscription.confirm([subscription])
            self.assertEqual(
                get_due(), [(subscription.id, '2024-02-15', Decimal(50))])
            # In two, after 30 and 60 days
            with self._on(self.day):
                self._do_reschedule(0, 0)
            self.assertEqual(
                get_due(), [(subscription.id, '2024-03-16', Decimal(50))])
            self._pay_first(subscription)
            self.assertEqual(
                get_due(), [(subscription.id, '2024-04-15', Decimal(25))])

    @with_transaction(context={'_skip_warnings': True})
    def test_given_back(self):
        "Test money of nothing is given back, and no more than it"
        company, category, class_ = self._set_up()
        with set_company(company):
            self._set_company(company, class_)
            self.members = _create_members(company, category, 1)
            party = self.members[0].party
            account = class_.account_subscribed
            for amount, found in [(10, []), (-10, []), (-3, [-3])]:
                with self._on(dt.date(2024, 2, 15)):
                    self._money(party, account, Decimal(amount))
                self.assertEqual([
                        d.found - d.expected
                        for d in check_books(company, self.day)], found)

    @with_transaction(context={'_skip_warnings': True})
    def test_bank_gives_back(self):
        """Test what a bank gives back is owed again, also if it is a part

        Or more than what was paid, by mistake.
        """
        with self._prepare():
            with self._on(self.days[0]):
                self._start()
            with self._on(self.days[1]):
                for document in [
                        self.redemptions[2], self.dividends[0].lines[0]]:
                    claim, = document.bank_open_lines([document])[document]
                    whole = claim.credit
                    for amounts in [
                            [-whole],
                            [5, -5],
                            [5, -2, -3],
                            [whole, -whole],
                            [whole + 7, -whole - 7],
                            [8, 3, -11]]:
                        for amount in amounts:
                            self._post_statement(
                                document.__class__(document.id),
                                Decimal(amount))
                            self.assertEqual(
                                bool(open_lines([claim])[claim]),
                                amount != amounts[-1],
                                (document.__name__, amounts, amount))
                            self.assertEqual(
                                check_books(self.company, self.day), [])

    def _pay_first(self, subscription):
        Payment = Pool().get('coop.share.subscription.payment')
        Payment.pay(
            {subscription: Decimal(25)}, self.company,
            SimpleNamespace(journal=self._journal, debit_account=self.cash),
            self.day)

    def _start(self):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        self.subscriptions, self.redemptions = [], []
        for i, member in enumerate(self.members * 2):
            subscription = Subscription(
                company=self.company, member=member,
                share_class=self.class_, quantity=Decimal(5 + i),
                date=self.days[0] + dt.timedelta(i))
            subscription.save()
            self.subscriptions.append(subscription)
        Subscription.confirm(self.subscriptions)
        # What is redeemed was paid
        for subscription in self.subscriptions[:2]:
            self._money(
                subscription.member.party, self.class_.account_subscribed,
                subscription.total_amount)
            self._reconcile(subscription.member.party, 0, 0)
        for i, member in enumerate(self.members * 2):
            redemption = Redemption(
                company=self.company, member=member,
                share_class=self.class_, quantity=Decimal(1 + i // 2),
                request_date=self.days[0] + dt.timedelta(5),
                end_date=self.days[0] + dt.timedelta(5 + i),
                settlement_date=self.days[0] + dt.timedelta(10))
            redemption.save()
            self.redemptions.append(redemption)
        Redemption.approve(self.redemptions)
        Redemption.end(self.redemptions)
        Redemption.settle(self.redemptions)
        self.dividends = [self._pay_dividend(i) for i in range(2)]

    @property
    def documents(self):
        return [self.subscriptions, self.redemptions, self.dividends]

    def _pay_dividend(self, number):
        Dividend = Pool().get('coop.share.dividend')
        dividend = Dividend(
            company=self.company, classes=[self.class_],
            start_date=START + dt.timedelta(number * 100),
            end_date=START + dt.timedelta(number * 100 + 99),
            method='rate', rate=Decimal('0.5'),
            posting_date=self.day, payment_date=self.day, force=True,
            account=get_account(self.company, type='expense'),
            account_payable=self.payable)
        dividend.save()
        for button in ['compute', 'approve', 'post']:
            getattr(Dividend, button)([dividend])
            self._run_tasks()
        return dividend

    def _banked_documents(self):
        return [
            *self.subscriptions, *self.redemptions,
            *(l for d in self.dividends for l in d.lines)]

    def _check_documents(self, step):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        for subscription in Subscription.browse(self.subscriptions):
            if subscription.state == 'cancelled':
                continue
            self.assertEqual(
                subscription.state == 'paid',
                subscription.paid_amount == subscription.total_amount, step)
            self.assertLessEqual(Decimal(0), subscription.paid_amount, step)
            self.assertLessEqual(Decimal(0), subscription.amount_to_pay, step)
        payables = Redemption.get_payables(
            Redemption.browse(self.redemptions))
        open_ = open_lines({l for lines in payables.values() for l in lines})
        for redemption, lines in payables.items():
            if redemption.state == 'paid':
                for line in lines:
                    self.assertFalse(open_[line], step)

    def _do_pay(self, first, second):
        Payment = Pool().get('coop.share.subscription.payment')
        subscription = self.subscriptions[first % 4]
        Payment.pay(
            {subscription: Decimal(10 * (1 + second))}, self.company,
            SimpleNamespace(
                journal=self._journal, debit_account=self.cash),
            self.day)

    def _do_take_back(self, first, second):
        "Take back a payment of any date, in part too"
        subscription = self.subscriptions[first % 4]
        payments = [
            p for p in subscription.__class__(subscription.id).payments
            if p.amount > 0]
        if payments:
            payment = payments[second % len(payments)]
            payment.take_back_part(
                payment, payment.left / (1 + second % 2),
                max(self.day, payment.date) if second > 3 else payment.date)

    def _do_correct(self, first, second):
        Subscription = Pool().get('coop.share.subscription')
        i = first % 4
        drafts = Subscription.enter_again(
            [Subscription(self.subscriptions[i].id)])
        self.subscriptions[i], = drafts
        if second % 2:
            drafts[0].quantity += 1
            drafts[0].save()
        Subscription.confirm(drafts)

    def _do_pay_out(self, first, second):
        Redemption = Pool().get('coop.share.redemption')
        redemption = Redemption(self.redemptions[first % 4].id)
        Redemption.pay_out(
            {redemption: redemption.amount_to_pay / (1 + second % 2)},
            self.company, SimpleNamespace(
                journal=self._journal, credit_account=self.cash), self.day)

    def _do_leave(self, first, second):
        "Let a member give notice, leave or come back"
        pool = Pool()
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        member = Member(self._get_member(first).id)
        if member.state == 'member':
            member.notice_date = self.day
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            Redemption.approve(Redemption.search([
                        ('member', '=', member.id),
                        ('state', '=', 'requested')]))
        elif member.state == 'leaving' and second % 4:
            Member.leave([member])
        elif member.state == 'leaving':
            Member.withdraw_notice([member])
        else:
            member.admission_date = self.day
            member.save()
            Member.readmit([member])

    def _do_subscribe(self, first, second):
        Subscription = Pool().get('coop.share.subscription')
        subscription = Subscription(
            company=self.company, member=self._get_member(first),
            share_class=self.class_, quantity=Decimal(1 + second),
            date=self.day)
        subscription.save()
        Subscription.confirm([subscription])
        self.subscriptions.append(subscription)

    def _do_redeem(self, first, second):
        Redemption = Pool().get('coop.share.redemption')
        redemption = Redemption(
            company=self.company, member=self._get_member(first),
            share_class=self.class_, quantity=Decimal(1),
            request_date=self.day, end_date=self.day,
            settlement_date=self.day + dt.timedelta(1),
            set_off=bool(second % 2))
        redemption.save()
        for button in ['approve', 'end', 'settle']:
            getattr(Redemption, button)([redemption])
        self.redemptions.append(redemption)
