# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_membership.document import by_company
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, inactive_records

from .instalment import complete_sets


class SubscriptionReconciliation:
    "Which money pays which instalment"
    __slots__ = ()

    @classmethod
    def _open_lines(cls, subscriptions):
        "Return the lines that are not reconciled, the oldest first"
        pool = Pool()
        Line = pool.get('account.move.line')
        result = {s: [] for s in subscriptions}
        for sub_subscriptions in grouped_slice(subscriptions, SLICE):
            lines = Line.search([
                    ('move.origin', 'in', [
                            str(s) for s in sub_subscriptions]),
                    ('reconciliation', '=', None),
                    ('debit', '>', 0),
                    ], order=[
                    ('maturity_date', 'ASC NULLS FIRST'),
                    ('id', 'ASC'),
                    ])
            for line in lines:
                subscription = line.move.origin
                if line.account == subscription.share_class.account_subscribed:
                    result[subscription].append(line)
        return result

    @classmethod
    def reconcile(cls, subscriptions):
        "Reconcile the instalments that are completely paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        lines = cls._open_lines(subscriptions)
        to_reconcile = []
        # The payments may be new
        for subscription in cls.browse(subscriptions):
            account = subscription.share_class.account_subscribed
            credits = {}
            for payment in subscription.payments:
                line = payment.line
                if (line and not line.reconciliation
                        and line.account == account):
                    credits.setdefault(line, Decimal(0))
                    credits[line] += payment.amount
            to_reconcile.extend(complete_sets(
                    [(l, l.debit) for l in lines[subscription]],
                    [(l, l.credit) for l, amount in credits.items()
                        if amount == l.credit]))
        for sets in grouped_slice(to_reconcile, SLICE):
            Line.reconcile(*sets)

    @classmethod
    def turn_deposits(cls, subscriptions):
        "Pay the confirmed subscriptions with what applicants have paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        subscriptions = [s for s in subscriptions if s.payments]
        if not subscriptions:
            return
        moves, to_reconcile, payments = [], [], []
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                class_ = subscription.share_class
                party = subscription.member.party
                by_date = defaultdict(list)
                for payment in subscription.payments:
                    # Neither before it is subscribed nor before it is paid
                    payment.date = max(payment.date, subscription.date)
                    by_date[payment.date].append(payment)
                for date, deposits in by_date.items():
                    lines = []
                    for payment in deposits:
                        lines.append(books.line(
                                class_.account_redemption, payment.amount,
                                party=party))
                        lines.append(books.line(
                                class_.account_subscribed, -payment.amount,
                                party=party, origin=subscription))
                    moves.append((deposits, books.move(date, lines)))
        Books.post([move for _, move in moves])
        for deposits, move in moves:
            lines = sorted(move.lines, key=int)
            debits = [l for l in lines if l.debit]
            credits = [l for l in lines if l.credit]
            for deposit, debit, credit in zip(deposits, debits, credits):
                to_reconcile.append([deposit.line, debit])
                deposit.line = credit
                payments.append(deposit)
        Line.reconcile(*to_reconcile)
        Payment.enter(payments)
        cls.reconcile(subscriptions)

    @classmethod
    def reconciled(cls, reconciliations):
        "Enter the payments the reconciliations make"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        ShareClass = pool.get('coop.share.class')
        with inactive_records():
            accounts = {
                c.account_subscribed.id for c in ShareClass.search([])}
        if not accounts:
            return
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            lines = Line.search([
                    ('reconciliation', 'in', [
                            r.id for r in sub_reconciliations]),
                    ('account', 'in', list(accounts)),
                    ])
            by_reconciliation = defaultdict(list)
            for line in lines:
                by_reconciliation[line.reconciliation].append(line)
            entered = defaultdict(Decimal)
            for payment in Payment.search([
                        ('line', 'in', [l.id for l in lines if l.credit]),
                        ]):
                line = payment.line
                entered[line] += payment.amount
                key = line.reconciliation, payment.subscription
                entered[key] += payment.amount
            payments = []
            for reconciliation, r_lines in by_reconciliation.items():
                payments.extend(cls._get_payments(
                        reconciliation, r_lines, entered))
            Payment.enter(payments)

    @classmethod
    def _get_payments(cls, reconciliation, lines, entered):
        """Return the payments the lines of a reconciliation make.

        `entered` is what has been entered already of each line, and of each
        subscription in each reconciliation.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        Redemption = pool.get('coop.share.redemption')
        owed = defaultdict(Decimal)
        credits = []
        for line in lines:
            # Moves of the subscription itself cancel or reschedule it
            if isinstance(line.move.origin, cls):
                owed[line.move.origin] += line.debit - line.credit
            elif line.credit:
                credits.append(line)
        subscriptions = sorted(owed, key=lambda s: (s.date, s.id))
        for subscription in subscriptions:
            owed[subscription] -= entered[reconciliation, subscription]
        payments = []
        for line in sorted(credits, key=lambda l: (l.date, l.id)):
            rest = line.credit - entered[line]
            for subscription in subscriptions:
                amount = min(rest, owed[subscription])
                if amount <= 0:
                    continue
                origin = line.move.origin
                payments.append(Payment(
                        subscription=subscription,
                        date=line.date, amount=amount, line=line,
                        redemption=(
                            origin if isinstance(origin, Redemption)
                            and origin.move == line.move else None)))
                owed[subscription] -= amount
                rest -= amount
        return payments

    @classmethod
    def unreconciled(cls, reconciliations):
        "Take back the payments the reconciliations made"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        if Transaction().context.get('keep_share_payments'):
            return
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            Payment.take_back(Payment.search([
                        ('line.reconciliation', 'in', [
                                r.id for r in sub_reconciliations]),
                        ]))
