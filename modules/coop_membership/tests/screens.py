# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Tryton's accounting screens, walked over the claims of documents.

Each screen is a generator that yields after every step a user takes on the
line of a claim, which the cooperative owes or is owed.
"""
import datetime as dt
from decimal import Decimal

from proteus import Model, Wizard

from trytond.exceptions import UserError
from trytond.modules.coop_membership.tests.tools import check_books


def create_journals(cash):
    "Return a journal of statements, and one of payments cleared later"
    Journal = Model.get('account.journal')
    PaymentJournal = Model.get('account.payment.journal')
    StatementJournal = Model.get('account.statement.journal')

    journal = Journal(name="Statement", type='statement')
    journal.save()
    statement_journal = StatementJournal(
        name="Bank", journal=journal, account=cash, validation='amount')
    statement_journal.save()
    clearing, = cash.duplicate()
    clearing.name = "Bank Clearing"
    clearing.code = '1.1.9'
    clearing.reconcile = True
    clearing.save()
    general, = Journal.find([('type', '=', 'general')], limit=1)
    payment_journal = PaymentJournal(
        name="Cleared", process_method='manual', clearing_account=clearing,
        clearing_journal=general)
    payment_journal.save()
    return statement_journal, payment_journal


class Screens:
    # What part of the claim is open after each step
    expected = {
        'reschedule': [1, '0.5', 0],
        'delegate': [1, 1, 1, 0],
        'group': ['0.5', '0.5', 0],
        'cancel': [0, 1, 0],
        'part': ['0.75', 0, 0, 0],
        'payment': [1, 0, 1, 0, 0, 1],
        'statement': [0, 1, 0],
        'write_off': [0, 1, 0],
        }
    # No law lets what is unpaid of capital be waived in silence
    not_waived = ['coop.share.subscription']

    def __init__(self, cash, heir, accounts):
        Journal = Model.get('account.journal')
        self.cash = cash
        self.heir = heir
        self.today = dt.date.today()
        self.journal, = Journal.find([('type', '=', 'cash')], limit=1)
        self.statement_journal, self.payment_journal = create_journals(cash)
        self.waiver = self._create_waiver(accounts)

    def _create_waiver(self, accounts):
        Journal = Model.get('account.journal')
        WriteOff = Model.get('account.move.reconcile.write_off')
        journal = Journal(name="Write-off", type='write-off')
        journal.save()
        waiver = WriteOff(name="Waiver", journal=journal)
        waiver.credit_account = accounts['revenue']
        waiver.debit_account = accounts['expense']
        waiver.save()
        return waiver

    def expect(self, name, document):
        "Return what part is to be open after each step"
        parts = self.expected[name]
        if name == 'write_off' and _name(document) in self.not_waived:
            parts = [1, *parts[1:]]
        elif name == 'statement' and _name(document) == 'account.invoice':
            # Of an invoice that is paid a bank gives back nothing
            parts = parts[:1]
        return list(map(Decimal, parts))

    def walk(self, name, document, line):
        """Walk over the screen of the name

        Return whether the document says it is paid after the last step, the
        parts that are open after each and the kinds of what the check of the
        books has found on the way.
        """
        whole = line.debit - line.credit
        rest = self._get_open(line) - whole
        parts, kinds = [], set()
        for _ in getattr(self, name)(document, line):
            parts.append((self._get_open(line) - rest) / whole)
            kinds |= {text.split()[0] for text in check_books(self.today)}
        document.reload()
        return _is_paid(document), parts, kinds

    def _get_open(self, line):
        "Return what is open of the party of the line and of the heir"
        Line = Model.get('account.move.line')
        return sum(l.debit - l.credit for l in Line.find([
                    ('account', '=', line.account.id),
                    ('party', 'in', [line.party.id, self.heir.id]),
                    ('reconciliation', '=', None),
                    ]))

    def _run(self, name, lines, **values):
        "Run the wizard on the lines and return the move it has made"
        wizard = Wizard(f'account.move.line.{name}', lines)
        for key, value in values.items():
            setattr(wizard.form, key, value)
        if name == 'reschedule':
            wizard.execute('preview')
        wizard.form.journal = self.journal
        wizard.execute(name)
        move, = wizard.actions[0]
        return move

    def _enter(self, line, amount):
        "Enter the money by hand, and return its line"
        Move = Model.get('account.move')
        move = Move(journal=self.journal, date=self.today)
        for account, party, value in [
                (line.account, line.party, -amount),
                (self.cash, None, amount)]:
            entry = move.lines.new(account=account)
            if party:
                entry.party = party
            entry.debit = max(value, Decimal(0))
            entry.credit = max(-value, Decimal(0))
        move.click('post')
        entry, = [l for l in move.lines if l.account == line.account]
        return entry

    def _reconcile(self, *lines):
        Line = Model.get('account.move.line')
        Wizard('account.move.reconcile_lines', [Line(l.id) for l in lines])

    def _pay(self, line):
        entry = self._enter(line, line.debit - line.credit)
        self._reconcile(line, entry)
        return entry.move

    def _cancel(self, move):
        Wizard('account.move.cancel', [move]).execute('cancel')

    def _open_lines(self, move, line):
        "Return the lines of the move that are open on the side of the line"
        return [
            l for l in move.lines
            if (l.account == line.account and not l.reconciliation
                and bool(l.debit) == bool(line.debit))]

    def reschedule(self, document, line):
        "In two parts, and paid one after the other"
        move = self._run(
            'reschedule', [line], start_date=self.today, frequency='other',
            interval=12, number=2)
        yield
        for part in self._open_lines(move, line):
            self._pay(part)
            yield

    def delegate(self, document, line):
        "To the heir, back, and to him again, who pays or is paid"
        move = self._run('delegate', [line], party=self.heir)
        yield
        self._cancel(move)
        yield
        line.reload()
        move = self._run('delegate', [line], party=self.heir)
        yield
        part, = self._open_lines(move, line)
        self._pay(part)
        yield

    def group(self, document, line):
        "With a part that was paid without reconciling"
        part = self._enter(line, (line.debit - line.credit) / 2)
        yield
        move = self._run('group', [line, part])
        yield
        part, = self._open_lines(move, line)
        self._pay(part)
        yield

    def cancel(self, document, line):
        "Paid, taken back, and paid"
        move = self._pay(line)
        yield
        self._cancel(move)
        yield
        line.reload()
        self._pay(line)
        yield

    def part(self, document, line):
        "Paid in two parts, taken apart and put together again"
        amount = line.debit - line.credit
        first = self._enter(line, amount / 4)
        yield
        second = self._enter(line, amount * 3 / 4)
        self._reconcile(line, first, second)
        yield
        Wizard('account.move.unreconcile_lines', [line])
        yield
        self._reconcile(line, first, second)
        yield

    def payment(self, document, line):
        """A payment that fails before its move is posted, and after it

        Meanwhile the draft is not edited.
        """
        Payment = Model.get('account.payment')
        payment = Payment(journal=self.payment_journal, date=self.today)
        payment.kind = 'receivable' if line.debit else 'payable'
        payment.party = line.party
        payment.line = line
        payment.account = None
        payment.amount = abs(line.debit - line.credit)
        payment.click('submit')
        if line.credit:
            payment.click('approve')
        payment.click('process_wizard')
        yield
        for posted in [False, True]:
            Wizard('account.payment.succeed', [payment]).execute('succeed')
            payment.reload()
            yield
            self._edit(payment.clearing_move)
            if posted:
                payment.clearing_move.click('post')
                yield
                payment.reload()
            payment.click('fail')
            yield

    def statement(self, document, line):
        "Paid by a line of the bank, which gives it back, and paid again"
        Statement = Model.get('account.statement')
        whole = line.debit - line.credit
        amounts = [whole, -whole, whole]
        for amount, _ in zip(amounts, self.expect('statement', document)):
            statement = Statement(
                name="Test", journal=self.statement_journal, date=self.today,
                total_amount=amount)
            entry = statement.lines.new()
            entry.date = self.today
            entry.amount = amount
            entry.related_to = document
            statement.click('validate_statement')
            statement.click('post')
            yield

    def write_off(self, document, line):
        "Waived, which is no payment, taken back, and paid"
        Line = Model.get('account.move.line')
        wizard = Wizard('account.move.reconcile_lines', [Line(line.id)])
        wizard.form.writeoff = self.waiver
        if _name(document) in self.not_waived:
            _refuse(wizard.execute, 'reconcile')
            yield
        else:
            wizard.execute('reconcile')
            yield
            document.reload()
            # What is not open any more is not paid, but as Tryton has it
            if _name(document) != 'account.invoice' and not hasattr(
                    document, 'is_open'):
                assert not _is_paid(document)
            line.reload()
            waiver, = [l for l in line.reconciliation.lines if l != line]
            Wizard('account.move.unreconcile_lines', [line])
            self._cancel(waiver.move)
        yield
        line.reload()
        self._pay(line)
        yield

    def _edit(self, move):
        "Try to edit the draft by which a document counts"
        Line = Model.get('account.move.line')
        Move = Model.get('account.move')
        _refuse(Move.write, [move.id], {
                'date': move.date - dt.timedelta(days=1)}, {})
        _refuse(Move.delete, [move])
        for line in move.lines:
            if line.reconciliation or line.party:
                for values in [
                        {'account': self.cash.id}, {'party': self.heir.id},
                        {'debit': line.debit / 2, 'credit': line.credit / 2}]:
                    _refuse(Line.write, [line.id], values, {})


def _name(document):
    return document.__class__.__name__


def _refuse(function, *args):
    try:
        function(*args)
    except UserError:
        return
    raise AssertionError(f"{args} is not refused")


def _is_paid(document):
    "Return whether the document says it is paid, or nothing"
    if hasattr(document, 'is_paid'):
        return document.is_paid
    elif hasattr(document, 'is_open'):
        return not document.is_open
    elif hasattr(document, 'state'):
        return document.state == 'paid'
