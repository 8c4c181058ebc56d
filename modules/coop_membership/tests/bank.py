# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.modules.coop_membership.claim import open_lines
from trytond.pool import Pool
from trytond.pyson import PYSONDecoder, PYSONEncoder
from trytond.transaction import Transaction


class BankPlayer:
    "The screens of account_payment_clearing and account_statement"
    bank_screens = [
        'payment', 'payment', 'succeed', 'succeed', 'fail', 'proceed',
        'statement']

    def _banked_documents(self):
        "Return what a line of a statement may be related to"
        return []

    def _create_bank(self):
        pool = Pool()
        Account = pool.get('account.account')
        Journal = pool.get('account.journal')
        PaymentJournal = pool.get('account.payment.journal')
        StatementJournal = pool.get('account.statement.journal')
        clearing, = Account.copy([self.cash], default={
                'name': "Bank Clearing",
                'reconcile': True,
                })
        self.payment_journals = PaymentJournal.create([{
                    'name': "Payments",
                    'company': self.company.id,
                    'currency': self.company.currency.id,
                    'process_method': 'manual',
                    **values,
                    } for values in [{}, {
                            'clearing_account': clearing.id,
                            'clearing_journal': self._journal.id,
                            }]])
        statement = Journal(name="Statement", type='statement')
        statement.save()
        self.statement_journal, = StatementJournal.create([{
                    'name': "Bank",
                    'company': self.company.id,
                    'currency': self.company.currency.id,
                    'journal': statement.id,
                    'account': self.cash.id,
                    'validation': 'amount',
                    }])

    def _do_payment(self, first, second):
        pool = Pool()
        Group = pool.get('account.payment.group')
        Payment = pool.get('account.payment')
        for line in self._pick(first, 0):
            amount = line.payment_amount
            if second % 2:
                amount //= 2
            kind = line.payment_kind
            journal = self.payment_journals[second // 2 % 2]
            payment, = Payment.create([{
                        'company': self.company.id,
                        'journal': journal.id,
                        'kind': kind,
                        'party': line.party.id,
                        'line': line.id,
                        'date': self.day,
                        'amount': amount,
                        }])
            Payment.submit([payment])
            if kind == 'payable':
                Payment.approve([payment])
            group, = Group.create([{
                        'company': self.company.id,
                        'journal': journal.id,
                        'kind': kind,
                        }])
            Payment.process([payment], lambda group=group: group)

    def _find_payment(self, first, states):
        Payment = Pool().get('account.payment')
        payments = Payment.search([
                ('state', 'in', states),
                ], order=[('id', 'ASC')])
        return payments[first % len(payments):][:1] if payments else []

    def _find_related(self, document, party, amount):
        "Return what a line of a draft statement may be related to"
        StatementLine = Pool().get('account.statement.line')
        Model = document.__class__
        return Model.search(PYSONDecoder({
                    'company': self.company.id,
                    'party': party.id,
                    'amount': amount,
                    'statement_state': 'draft',
                    }).decode(PYSONEncoder().encode(
                    StatementLine.related_to.domain[Model.__name__])))

    def _pay_delegated(self, document, claim, party):
        "Pay by a statement what the party owes or is owed instead"
        Wizard = Pool().get('account.move.line.delegate', type='wizard')
        amount = claim.debit - claim.credit
        self.assertNotIn(
            document, self._find_related(document, party, amount))
        Wizard.delegate_lines([claim], party, self._journal).post()
        document = document.__class__(document.id)
        for payer in [party, document._bank_member_party]:
            self.assertIn(
                document, self._find_related(document, payer, amount))
        self.assertEqual(document.bank_party, party)
        self.assertIn(party, document.payers)
        self.assertNotIn(
            document, document.search([('payers', '!=', party.id)]))
        self._post_statement(document, amount)
        self.assertFalse(open_lines([claim])[claim])

    def _do_succeed(self, first, second):
        Payment = Pool().get('account.payment')
        with Transaction().set_context(clearing_date=self.day):
            Payment.succeed(
                self._find_payment(first, ['processing', 'failed']))

    def _do_fail(self, first, second):
        Payment = Pool().get('account.payment')
        Payment.fail(self._find_payment(first, ['processing', 'succeeded']))

    def _do_proceed(self, first, second):
        Payment = Pool().get('account.payment')
        Payment.proceed(self._find_payment(first, ['failed', 'succeeded']))

    def _do_statement(self, first, second):
        documents = [
            *self._banked_documents(),
            *self._find_payment(second, ['processing', 'succeeded']),
            ]
        if not documents:
            return
        document = documents[(first + (second > 5)) % len(documents)]
        document = document.__class__(document.id)
        if document.__name__ == 'account.payment':
            amount = document.amount
            if document.kind == 'payable':
                amount = -amount
        else:
            amount = Decimal(10 * (1 + second // 2))
            if second == 1 or getattr(document, '_bank_sign', 1) < 0:
                amount = -amount
        self._post_statement(document, amount)

    def _post_statement(self, document, amount):
        pool = Pool()
        Statement = pool.get('account.statement')
        Line = pool.get('account.statement.line')
        statement = Statement(
            name="Test", company=self.company,
            journal=self.statement_journal, date=self.day,
            total_amount=amount)
        line = Line(date=self.day, amount=amount, number='1')
        line.party, line.account = None, None
        line.statement = statement
        line.related_to = document
        line.on_change_related_to()
        line.statement = None
        statement.lines = [line]
        statement.save()
        Statement.validate_statement([statement])
        Statement.post([statement])
