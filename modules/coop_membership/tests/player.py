# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens of Tryton on the lines of documents

COOP_SEQUENCES sets how many sequences are played.
"""
import datetime as dt
import os
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from trytond.exceptions import UserError
from trytond.model import Model
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.records import run_tasks
from trytond.pool import Pool
from trytond.transaction import Transaction

SEQUENCES = int(os.environ.get('COOP_SEQUENCES', 5))


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


class _Undo(Exception):
    pass


class AccountPlayer:
    """The screens of account

    The tests set `company`, `members`, of whom there are two, the `cash` and
    the `accounts` in which the documents claim and owe.
    """
    # What is drawn from, what is there twice as often
    screens = [
        'receive', 'reconcile', 'reconcile', 'unreconcile', 'reschedule',
        'delegate', 'group', 'cancel_move', 'close_period', 'close_year',
        'post', 'write_off', 'cancel_document']
    year = 2024

    @property
    def documents(self):
        "What is cancelled, a list of records of each kind"
        raise NotImplementedError

    @property
    def days(self):
        return [
            *(dt.date(self.year, month, 15) for month in range(2, 12, 2)),
            # After the year
            dt.date(self.year + 1, 2, 15)]

    @property
    def month_ends(self):
        return [
            dt.date(
                self.year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)
            for month in range(1, 13)]

    def _start(self):
        "Make the documents on the first day"
        raise NotImplementedError

    def _check_documents(self, step):
        "Check the documents say what became of their lines"

    def _play_sequences(self):
        choices = st.integers(0, 7)
        self.played = self.refused = 0
        with self._on(self.days[0]):
            self._start()
        self._check('start', days=self.month_ends)
        # Each sequence begins with what was there then
        started = {
            name: value for name, value in vars(self).items()
            if isinstance(value, list) and value
            and all(isinstance(v, Model) for v in value)}

        @settings(
            max_examples=SEQUENCES, deadline=None, derandomize=True,
            database=None, suppress_health_check=list(HealthCheck),
            # A sequence is short, and playing many takes long
            phases=[Phase.generate])
        @given(st.lists(
                st.tuples(
                    st.sampled_from(self.screens), st.sampled_from(self.days),
                    choices, choices),
                min_size=3, max_size=10))
        def play(steps):
            for name, records in started.items():
                setattr(self, name, [r.__class__(r.id) for r in records])
            try:
                with savepoint():
                    self._play(steps)
                    raise _Undo
            except _Undo:
                pass
        play()
        self.assertGreater(self.played, self.refused)

    def _play(self, steps):
        for step in steps:
            name, day, first, second = step
            try:
                with savepoint(), self._on(day):
                    getattr(self, f'_do_{name}')(first, second)
                    run_tasks()
            except UserError:
                Transaction().tasks.clear()
                self.refused += 1
            else:
                self.played += 1
            self._check(step, days=[day, self.month_ends[-1], self.days[-1]])
        self._check(steps, days=self.month_ends)

    @contextmanager
    def _on(self, day):
        Date = Pool().get('ir.date')
        self.day = day
        with patch.object(Date, 'today', lambda timezone=None: day):
            yield

    def _check(self, step, days):
        for day in days:
            # What is pending or later by a closed period is said so
            self.assertEqual([
                    (d.description, d.expected, d.found)
                    for d in check_books(self.company, day)
                    if d.kind == 'error'], [],
                (step, day))
        self._check_documents(step)

    @property
    def _journal(self):
        Journal = Pool().get('account.journal')
        return Journal.search([('type', '=', 'general')], limit=1)[0]

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
                Line(account=self.cash, debit=credit, credit=debit),
                ])
        move.save()
        Move.post([move])

    def _open(self, party):
        "Return by account the open lines of the party"
        Line = Pool().get('account.move.line')
        return [
            Line.search([
                    ('account', '=', account.id),
                    ('party', '=', party.id),
                    ('reconciliation', '=', None),
                    ], order=[('id', 'ASC')])
            for account in self.accounts]

    def _get_member(self, first):
        return self.members[first % 2]

    def _get_account(self, first):
        return first // 2 % len(self.accounts)

    def _pick(self, first, second):
        "Return some open lines of a member on an account"
        lines = self._open(self._get_member(first).party)[
            self._get_account(first)]
        return lines[:1 + second % 3] if first < 4 else lines[-1 - second % 3:]

    def _do_receive(self, first, second):
        "Receive or pay out, mostly what makes a whole"
        party, account = self._get_member(first).party, self._get_account(
            first)
        # To give back money by hand would be a claim of no document
        amounts = [
            l.debit - l.credit for l in self._open(party)[account]
            if l.maturity_date
            ] or [Decimal(10)]
        self._money(
            party, self.accounts[account], amounts[second % len(amounts)])

    def _do_reconcile(self, first, second):
        self._reconcile(
            self._get_member(first).party, self._get_account(first), second)

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
                lines, self._get_member(first + 1).party,
                self._journal).post()

    def _do_group(self, first, second):
        Wizard = Pool().get('account.move.line.group', type='wizard')
        lines = self._pick(first, second)
        if second > 5:
            lines = [
                line for lines in self._open(self._get_member(first).party)
                for line in lines]
        if len(lines) > 1:
            move, _ = Wizard.group_lines(lines, self._journal)
            move.post()

    def _do_cancel_move(self, first, second):
        pool = Pool()
        Move = pool.get('account.move')
        Wizard = pool.get('account.move.cancel', type='wizard')
        # What was there before is not of the documents
        moves = Move.search([
                ('date', '>=', dt.date(self.year, 1, 1)),
                ], order=[('id', 'DESC')], limit=first + 1)
        move = moves[-1]
        with Transaction().set_context(
                active_model='account.move',
                active_id=move.id, active_ids=[move.id]):
            session_id, _, _ = Wizard.create()
            wizard = Wizard(session_id)
            wizard.default.description = None
            wizard.default.reversal = bool(second % 2)
            wizard.transition_cancel()

    def _do_post(self, first, second):
        "Post what is still a draft, as the moves of clearing are"
        Move = Pool().get('account.move')
        moves = Move.search([
                ('state', '=', 'draft'),
                ], order=[('id', 'ASC')])
        Move.post(moves[:1 + first])

    def _do_write_off(self, first, second):
        Line = Pool().get('account.move.line')
        Line.reconcile(
            self._pick(first, 0), date=self.day, writeoff=self.write_off)

    def _do_close_period(self, first, second):
        "Close the period of the day, or open it again"
        Period = Pool().get('account.period')
        period = Period.find(
            self.company, date=self.day, test_state=False)
        if period.state == 'open':
            Period.close([period])
        else:
            Period.reopen([period])

    def _do_close_year(self, first, second):
        "Close what is open of the year, as who ends it does"
        Period = Pool().get('account.period')
        Period.close(Period.search([
                    ('company', '=', self.company.id),
                    ('state', '=', 'open'),
                    ('end_date', '<=', self.month_ends[-1]),
                    ]))

    def _do_cancel_document(self, first, second):
        kind = self.documents[second % len(self.documents)]
        document = kind[first % len(kind)]
        document = document.__class__(document.id)
        document.__class__.cancel([document])

    def _create_write_off(self, expense, revenue):
        pool = Pool()
        Journal = pool.get('account.journal')
        WriteOff = pool.get('account.move.reconcile.write_off')
        journal = Journal(name="Write-off", type='write-off')
        journal.save()
        self.write_off = WriteOff(
            name="Waiver", company=self.company, journal=journal,
            debit_account=expense, credit_account=revenue)
        self.write_off.save()
