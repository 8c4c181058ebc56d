# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens of Tryton on the lines of shares

COOP_SEQUENCES sets how many sequences are played.
"""
import datetime as dt
import os
from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from trytond.exceptions import UserError
from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.claim import open_due, open_lines
from trytond.modules.coop_membership.tests.records import create_members
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

from .bank import BankScreens
from .case import END, START, SharesTestCase, get_account

DAYS = [dt.date(2024, month, 15) for month in range(2, 12, 2)]
MONTH_ENDS = [
    dt.date(2024 + month // 12, month % 12 + 1, 1) - dt.timedelta(1)
    for month in range(1, 13)]
SEQUENCES = int(os.environ.get('COOP_SEQUENCES', 5))

choices = st.integers(0, 7)
steps = st.lists(
    st.tuples(
        st.sampled_from([
                'pay', 'receive', 'reconcile', 'reconcile', 'unreconcile',
                'reschedule', 'delegate', 'group', 'cancel_move',
                'cancel_document', 'take_back', 'take_back', 'correct',
                'pay_out', 'leave', 'leave', 'close_period', 'payment',
                'payment', 'succeed', 'succeed', 'post', 'fail', 'proceed',
                'statement', 'write_off', 'subscribe', 'redeem']),
        st.sampled_from(DAYS), choices, choices),
    min_size=3, max_size=10)


@contextmanager
def savepoint():
    "Take back what is written if it is refused"
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    cursor.execute('SAVEPOINT step')
    try:
        yield
    except BaseException:
        cursor.execute('ROLLBACK TO SAVEPOINT step')
        transaction.counter += 1
        for cache in transaction.cache.values():
            cache.clear()
        raise
    finally:
        # Else it would stand before the one around it
        cursor.execute('RELEASE SAVEPOINT step')


def _create_members(company, category, count):
    "Return admitted members"
    Member = Pool().get('coop.member')
    members = create_members(
        company, category, count, START, application_date=START)
    Member.admit(members)
    return members


class _Undo(Exception):
    pass


class PaidTestCase(BankScreens, SharesTestCase):
    "Test no use of the accounting screens parts shares from the books"

    @with_transaction(context={'_skip_warnings': True})
    def test_sequence(self):
        "Test random sequences on documents of two members"
        company, category, class_ = self._set_up()
        class_.effective = 'confirmation'
        class_.save()
        category.exit_at = 'any_day'
        category.save()
        with set_company(company):
            self.company = company
            self.cash = get_account(company, "Cash and Cash Equivalents")
            self.class_ = class_
            self._create_journals()
            self.members = _create_members(company, category, 2)
            self.played = self.refused = 0

            @settings(
                max_examples=SEQUENCES, deadline=None, derandomize=True,
                database=None, suppress_health_check=list(HealthCheck),
                # A sequence is short, and playing many takes long
                phases=[Phase.generate])
            @given(steps)
            def play(steps):
                try:
                    with savepoint():
                        self._play(steps)
                        raise _Undo
                except _Undo:
                    pass
            play()
        self.assertGreater(self.played, self.refused)

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
                quantity=Decimal(1), date=DAYS[0])
            subscription.save()
            Subscription.confirm([subscription])
            move, = Move.copy([subscription.move])
            self.assertIsNone(move.origin)
            with check_access():
                Move.write([move], {'date': DAYS[0] + dt.timedelta(1)})
            move.origin = subscription
            move.save()
            with check_access():
                with self.assertRaises(AccessError):
                    Move.write([move], {'date': DAYS[0]})
                with self.assertRaises(AccessError):
                    Line.write(list(move.lines), {'party': None})
                with self.assertRaises(AccessError):
                    Move.delete([move])

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
            self.company, self.class_ = company, class_
            self.cash = get_account(company, "Cash and Cash Equivalents")
            self.payable = get_account(company, type='payable')
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

    def _pay_first(self, subscription):
        Payment = Pool().get('coop.share.subscription.payment')
        Payment.pay(
            {subscription: Decimal(25)}, self.company,
            SimpleNamespace(journal=self._journal, debit_account=self.cash),
            self.day)

    def _play(self, steps):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        self.subscriptions, self.redemptions = [], []
        with self._on(DAYS[0]):
            for i, member in enumerate(self.members * 2):
                subscription = Subscription(
                    company=self.company, member=member,
                    share_class=self.class_, quantity=Decimal(5 + i),
                    date=DAYS[0] + dt.timedelta(i))
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
                    request_date=DAYS[0] + dt.timedelta(5),
                    end_date=DAYS[0] + dt.timedelta(5 + i),
                    settlement_date=DAYS[0] + dt.timedelta(10))
                redemption.save()
                self.redemptions.append(redemption)
            Redemption.approve(self.redemptions)
            Redemption.end(self.redemptions)
            Redemption.settle(self.redemptions)
            self.dividends = [self._pay_dividend(i) for i in range(2)]
        self._check('start', days=MONTH_ENDS)
        for step in steps:
            name, day, first, second = step
            try:
                with savepoint(), self._on(day):
                    getattr(self, f'_do_{name}')(first, second)
                    self._run_tasks()
            except UserError:
                Transaction().tasks.clear()
                self.refused += 1
            else:
                self.played += 1
            self._check(step, days=[day, END])
        self._check(steps, days=MONTH_ENDS)

    @contextmanager
    def _on(self, day):
        Date = Pool().get('ir.date')
        self.day = day
        with patch.object(Date, 'today', lambda timezone=None: day):
            yield

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

    def _check(self, step, days):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        for day in days:
            # What is pending or later by a closed period is said so
            self.assertEqual([
                    (d.description, d.expected, d.found)
                    for d in check_books(self.company, day)
                    if d.kind == 'error'], [],
                (step, day))
        for subscription in Subscription.browse(self.subscriptions):
            if subscription.state == 'cancelled':
                continue
            self.assertEqual(
                subscription.state == 'paid',
                subscription.paid_amount == subscription.total_amount, step)
            self.assertLessEqual(Decimal(0), subscription.paid_amount, step)
            self.assertLessEqual(Decimal(0), subscription.amount_to_pay, step)
        redemptions = [
            r for r in Redemption.browse(self.redemptions)
            if r.payable_line]
        open_ = open_lines({r.payable_line for r in redemptions})
        for redemption in redemptions:
            if redemption.state == 'paid':
                self.assertFalse(open_[redemption.payable_line], step)

    def _money(self, party, account, amount):
        "Receive money, or pay it if negative"
        pool = Pool()
        Journal = pool.get('account.journal')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        journal, = Journal.search([('type', '=', 'cash')], limit=1)
        debit, credit = max(-amount, Decimal(0)), max(amount, Decimal(0))
        move = Move(
            company=self.company, journal=journal, date=self.day,
            period=Period.find(self.company, date=self.day),
            lines=[
                Line(account=account, party=party, debit=debit,
                    credit=credit),
                Line(account=self.cash, debit=credit,
                    credit=debit),
                ])
        move.save()
        Move.post([move])

    def _open(self, party):
        "Return by account the open lines of the party"
        Line = Pool().get('account.move.line')
        accounts = [
            self.class_.account_subscribed, self.class_.account_redemption,
            self.payable]
        lines = defaultdict(list)
        for line in Line.search([
                    ('account', 'in', accounts),
                    ('party', '=', party),
                    ('reconciliation', '=', None),
                    ], order=[('id', 'ASC')]):
            lines[line.account].append(line)
        return [lines[a] for a in accounts]

    def _pick(self, first, second):
        "Return some open lines of a member on an account"
        member = self.members[first % 2]
        lines = self._open(member.party)[first // 2 % 3]
        return lines[:1 + second % 3] if first < 4 else lines[-1 - second % 3:]

    @property
    def _journal(self):
        Journal = Pool().get('account.journal')
        return Journal.search([('type', '=', 'general')], limit=1)[0]

    def _do_pay(self, first, second):
        Payment = Pool().get('coop.share.subscription.payment')
        subscription = self.subscriptions[first % 4]
        Payment.pay(
            {subscription: Decimal(10 * (1 + second))}, self.company,
            SimpleNamespace(
                journal=self._journal, debit_account=self.cash),
            self.day)

    def _do_receive(self, first, second):
        member = self.members[first % 2]
        account, sign = [
            (self.class_.account_subscribed, 1),
            (self.class_.account_redemption, -1),
            (self.payable, -1)][first // 2 % 3]
        # Mostly what makes a whole
        amounts = [
            abs(l.debit - l.credit)
            for l in self._open(member.party)[first // 2 % 3]] or [Decimal(10)]
        self._money(
            member.party, account, sign * amounts[second % len(amounts)])

    def _do_reconcile(self, first, second):
        self._reconcile(
            self.members[first % 2].party, first // 2 % 3, second)

    def _reconcile(self, party, account, choice):
        "Reconcile one of the pairs or threes that are equal"
        Line = Pool().get('account.move.line')
        lines = self._open(party)[account]
        sets = [
            [a, b] for a in lines for b in lines
            if a.debit and a.debit == b.credit]
        sets += [
            [a, b, c] for a in lines for b in lines for c in lines
            if b.id < c.id
            and (a.debit and a.debit == b.credit + c.credit
                and b.credit and c.credit
                or a.credit and a.credit == b.debit + c.debit
                and b.debit and c.debit)]
        if sets:
            Line.reconcile(sets[choice % len(sets)])

    def _do_unreconcile(self, first, second):
        Reconciliation = Pool().get('account.move.reconciliation')
        reconciliations = Reconciliation.search([], order=[('id', 'DESC')])
        if reconciliations:
            Reconciliation.delete(
                [reconciliations[first % len(reconciliations)]])

    def _do_reschedule(self, first, second):
        Wizard = Pool().get('account.move.line.reschedule', type='wizard')
        lines = self._pick(first, second)[:1]
        if not lines:
            return
        amount = sum(abs(l.debit - l.credit) for l in lines)
        terms = [
            SimpleNamespace(amount=part, date=self.day + dt.timedelta(days))
            for days, part in [
                (30, amount // 2), (60, amount - amount // 2)]]
        origin = lines[0].move.origin
        move, _ = Wizard.reschedule_lines(
            lines, self._journal,
            terms if lines[0].debit else [
                SimpleNamespace(amount=-t.amount, date=t.date)
                for t in terms])
        # As the wizard does
        move.origin = origin
        move.save()
        move.post()

    def _do_delegate(self, first, second):
        Wizard = Pool().get('account.move.line.delegate', type='wizard')
        lines = self._pick(first, 0)
        if lines:
            Wizard.delegate_lines(
                lines, self.members[(first + 1) % 2].party,
                self._journal).post()

    def _do_group(self, first, second):
        Wizard = Pool().get('account.move.line.group', type='wizard')
        lines = self._pick(first, second)
        if second > 5:
            lines = [
                line for lines in self._open(self.members[first % 2].party)
                for line in lines]
        if len(lines) > 1:
            move, _ = Wizard.group_lines(lines, self._journal)
            move.post()

    def _do_cancel_move(self, first, second):
        pool = Pool()
        Move = pool.get('account.move')
        Wizard = pool.get('account.move.cancel', type='wizard')
        moves = Move.search([], order=[('id', 'DESC')])
        with Transaction().set_context(
                active_model='account.move',
                active_id=moves[first].id, active_ids=[moves[first].id]):
            session_id, _, _ = Wizard.create()
            wizard = Wizard(session_id)
            wizard.default.description = None
            wizard.default.reversal = bool(second % 2)
            wizard.transition_cancel()

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
        member = Member(self.members[first % 2].id)
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

    def _do_close_period(self, first, second):
        "Close the period of the day, or open it again"
        Period = Pool().get('account.period')
        period = Period.find(
            self.company, date=self.day, test_state=False)
        if period.state == 'open':
            Period.close([period])
        else:
            Period.reopen([period])

    def _do_cancel_document(self, first, second):
        documents = [self.subscriptions, self.redemptions, self.dividends][
            second % 3]
        document = documents[first % len(documents)]
        document = document.__class__(document.id)
        document.__class__.cancel([document])

    def _do_subscribe(self, first, second):
        Subscription = Pool().get('coop.share.subscription')
        subscription = Subscription(
            company=self.company, member=self.members[first % 2],
            share_class=self.class_, quantity=Decimal(1 + second),
            date=self.day)
        subscription.save()
        Subscription.confirm([subscription])
        self.subscriptions.append(subscription)

    def _do_redeem(self, first, second):
        Redemption = Pool().get('coop.share.redemption')
        redemption = Redemption(
            company=self.company, member=self.members[first % 2],
            share_class=self.class_, quantity=Decimal(1),
            request_date=self.day, end_date=self.day,
            settlement_date=self.day + dt.timedelta(1),
            set_off=bool(second % 2))
        redemption.save()
        for button in ['approve', 'end', 'settle']:
            getattr(Redemption, button)([redemption])
        self.redemptions.append(redemption)
