# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_membership.claim import is_money
from trytond.modules.coop_membership.document import by_company
from trytond.pool import Pool
from trytond.report import Report
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, inactive_records

from .exceptions import PaymentError
from .instalment import complete_sets

# The key of the context that tells which lines are money that is given back
FAILING = 'coop_failing_lines'


class SubscriptionReconciliation:
    "Which money pays which instalment"
    __slots__ = ()

    @classmethod
    def _open_lines(cls, subscriptions):
        """Return the lines that are not reconciled, the oldest first

        Of the moves of the subscriptions and of those that replaced them.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        result = {s: [] for s in subscriptions}
        for sub_subscriptions in grouped_slice(subscriptions, SLICE):
            origins = [str(s) for s in sub_subscriptions]
            lines = defaultdict(set)
            for line in Line.search([
                        ('move.origin', 'in', origins),
                        ('reconciliation', '=', None),
                        ('debit', '>', 0),
                        ]):
                subscription = line.move.origin
                if line.account == subscription.share_class.account_subscribed:
                    lines[subscription].add(line)
            for row in AdditionalMove.search([
                        ('document', 'in', origins),
                        ('line.reconciliation', '=', None),
                        ('line.debit', '>', 0),
                        ]):
                lines[row.document].add(row.line)
            for subscription, s_lines in lines.items():
                result[subscription] = sorted(s_lines, key=lambda l: (
                        # What is not called yet comes last
                        l.maturity_date or dt.date.max, l.id))
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
            credits = defaultdict(lambda: defaultdict(Decimal))
            for payment in subscription.payments:
                line = payment.line
                if line and not line.reconciliation:
                    credits[line.account, line.party][line] += payment.amount
            # Who is to pay it may be another one
            debits = defaultdict(list)
            for line in lines[subscription]:
                debits[line.account, line.party].append(line)
            for key, d_lines in debits.items():
                to_reconcile.extend(complete_sets(
                        [(l, l.debit) for l in d_lines],
                        [(l, l.credit) for l, amount in credits[key].items()
                            if amount and amount == l.credit]))
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
        cls._date_taken_back(subscriptions)
        moves, to_reconcile, payments = [], [], []
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                class_ = subscription.share_class
                party = subscription.member.party
                for payment in subscription.payments:
                    if payment.line.reconciliation:
                        continue
                    # Neither before it is subscribed nor before it is paid
                    payment.date = max(payment.date, subscription.date)
                    moves.append((payment, books.move(payment.date, [
                                    books.line(
                                        class_.account_redemption,
                                        payment.amount, party=party),
                                    books.line(
                                        class_.account_subscribed,
                                        -payment.amount, party=party,
                                        origin=subscription)])))
        Books.post([move for _, move in moves])
        for payment, move in moves:
            debit, = [l for l in move.lines if l.debit]
            credit, = [l for l in move.lines if l.credit]
            to_reconcile.append([payment.line, debit])
            payment.line = credit
            payments.append(payment)
        with Transaction().set_context(keep_share_payments=True):
            Line.reconcile(*to_reconcile)
        Payment.enter(payments)
        cls.reconcile(subscriptions)

    @classmethod
    def _date_taken_back(cls, subscriptions):
        "Let the deposits that were taken back be nothing on each day"
        taken_back = []
        for subscription in subscriptions:
            payments = [
                p for p in subscription.payments if p.line.reconciliation]
            dates = {subscription.date, *(p.date for p in payments)}
            for payment in payments:
                payment.date = max(dates)
                payment.capital_amount = Decimal(0)
            taken_back.extend(payments)
        save_records(taken_back)

    @classmethod
    def reconciled(cls, reconciliations):
        """Enter the payments the reconciliations make

        And take back those of money that is reconciled with something else.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        ShareClass = pool.get('coop.share.class')
        if Transaction().context.get('keep_share_payments'):
            return
        with inactive_records():
            accounts = {
                c.account_subscribed.id for c in ShareClass.search([])}
        if not accounts:
            return
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            ids = [r.id for r in sub_reconciliations]
            of_shares = {
                l.reconciliation.id for l in Line.search([
                        ('reconciliation', 'in', ids),
                        ('account', 'in', list(accounts)),
                        ])}
            of_shares |= {
                r.line.reconciliation.id for r in AdditionalMove.search([
                        ('line.reconciliation', 'in', ids),
                        ('document', 'like', cls.__name__ + ',%'),
                        ])}
            of_shares |= {
                p.line.reconciliation.id for p in Payment.search([
                        ('line.reconciliation', 'in', ids),
                        ])}
            if not of_shares:
                continue
            by_reconciliation = defaultdict(list)
            lines = Line.search([('reconciliation', 'in', list(of_shares))])
            for line in lines:
                by_reconciliation[line.reconciliation].append(line)
            claims = AdditionalMove.get_claims([l for l in lines if l.debit])
            additional = {
                r.move for r in AdditionalMove.search([
                        ('move', 'in', list({l.move.id for l in lines})),
                        ])}
            entered = defaultdict(lambda: defaultdict(Decimal))
            for payment in Payment.search([
                        ('line', 'in', [l.id for l in lines if l.credit]),
                        ]):
                if not payment.redemption:
                    entered[payment.line][payment.subscription] += (
                        payment.amount)
                elif payment.line not in entered:
                    # Redemptions take back themselves what they released
                    entered[payment.line] = None
            left = cls._get_left(claims)
            payments = []
            for r_lines in by_reconciliation.values():
                payments.extend(cls._get_payments(
                        r_lines, claims, additional, entered, left))
            Payment.enter(payments)

    @classmethod
    def _get_left(cls, claims):
        "Return what is to be paid of the subscriptions of the claims"
        ids = {
            c.move.origin.id for l_claims in claims.values() for c in l_claims
            if isinstance(c.move.origin, cls)}
        return {s: s.amount_to_pay for s in cls.browse(sorted(ids))}

    @classmethod
    def _get_payments(cls, lines, claims, additional, entered, left):
        """Return the payments the lines of a reconciliation make.

        `claims` are what the debits claim, `additional` the moves that only
        replace claims, `entered` is what has been entered already of each
        line by subscription and `left` what is to be paid of each.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        owed, credits = [], []
        cancelled = Decimal(0)
        for line in lines:
            if line.debit:
                documents = list(dict.fromkeys(
                        c.move.origin for c in claims.get(line, [])
                        if isinstance(c.move.origin, cls)))
                if documents:
                    owed.append([
                            line.maturity_date or line.date, line.id,
                            line.debit, documents])
            elif isinstance(line.move.origin, cls) or line.move in additional:
                # It takes back or replaces a claim
                cancelled += line.credit
            elif (entered.get(line, {}) is not None
                    and is_money(line, additional)):
                credits.append(line)
        owed.sort(key=lambda o: o[:2])
        for claim in owed:
            part = min(cancelled, claim[2])
            claim[2] -= part
            cancelled -= part
        amounts = defaultdict(Decimal)
        rests = {}
        for line in sorted(credits, key=lambda l: (l.date, l.id)):
            rest = line.credit
            for subscription, amount in entered.get(line, {}).items():
                kept = Decimal(0)
                for claim in owed:
                    if subscription in claim[3]:
                        part = min(amount - kept, claim[2])
                        claim[2] -= part
                        kept += part
                rest -= kept
                if amount != kept:
                    amounts[line, subscription] += kept - amount
                    if subscription in left:
                        left[subscription] += amount - kept
            rests[line] = rest
        for line, rest in rests.items():
            for claim in owed:
                for subscription in claim[3]:
                    amount = min(rest, claim[2], left[subscription])
                    if amount > 0:
                        amounts[line, subscription] += amount
                        left[subscription] -= amount
                        claim[2] -= amount
                        rest -= amount
        return [
            Payment(
                subscription=subscription,
                date=max(line.date, subscription.date), amount=amount,
                line=line, redemption=cls._get_release(line))
            for (line, subscription), amount in amounts.items() if amount]

    @classmethod
    def _get_release(cls, line):
        "Return the redemption of which the line releases from paying"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        origin = line.move.origin
        if isinstance(origin, Redemption) and origin.move == line.move:
            return origin

    @classmethod
    def set_off(cls, move, lines):
        """Enter what the credits among the lines pay of the other ones

        They were put together by the move, which has a line against each.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        lines = Line.browse(lines)
        debits = [l for l in lines if l.debit]
        credits = [l for l in lines if l.credit]
        if not debits or not credits:
            return
        claims = {
            line: [c for c in l_claims if isinstance(c.move.origin, cls)]
            for line, l_claims in AdditionalMove.get_claims(debits).items()}
        amount = sum(l.credit for l in credits) - sum(
            p.amount for p in Payment.search([
                    ('line', 'in', [l.id for l in credits])]))
        counterparts = {l.origin: l for l in move.lines if l.origin}
        left, payments = cls._get_left(claims), []
        for line in sorted(
                debits, key=lambda l: (l.maturity_date or l.date, l.id)):
            counterpart = counterparts.get(line)
            if not counterpart:
                continue
            rest = line.debit
            for claim in claims.get(line, []):
                subscription = claim.move.origin
                part = min(amount, rest, left[subscription])
                if part > 0:
                    payments.append(Payment(
                            subscription=subscription, date=move.date,
                            amount=part, line=counterpart))
                    left[subscription] -= part
                    rest -= part
                    amount -= part
        Payment.enter(payments)

    @classmethod
    def collect(cls, collected):
        """Enter what was collected of lines, which may be a part of each

        `collected` maps the lines of the money to those they pay.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Payment = pool.get('coop.share.subscription.payment')
        if not collected:
            return
        entered = {
            p.line for p in Payment.search([
                    ('line', 'in', [l.id for l in collected])])}
        claims = AdditionalMove.get_claims(list(collected.values()))
        left, payments = cls._get_left(claims), []
        for line, debt in collected.items():
            if line in entered:
                continue
            rest = line.credit
            for claim in claims.get(debt, []):
                subscription = claim.move.origin
                if not isinstance(subscription, cls):
                    continue
                amount = min(rest, left[subscription])
                if amount > 0:
                    payments.append(Payment(
                            subscription=subscription,
                            date=max(line.date, subscription.date),
                            amount=amount, line=line))
                    left[subscription] -= amount
                    rest -= amount
        Payment.enter(payments)
        cls.reconcile(list({p.subscription for p in payments}))

    @classmethod
    def give_back(cls, returned):
        """Take back the payments of the money that is given back

        `returned` maps the lines that give it back to the subscriptions.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        for line, subscription in returned.items():
            paid = defaultdict(Decimal)
            for payment in subscription.payments:
                if payment.line and not payment.redemption:
                    paid[payment.line] += payment.amount
            for money in sorted(
                    paid, key=lambda l: (l.date, l.id), reverse=True):
                if (paid[money] == money.credit == line.debit
                        and money.account == line.account
                        and money.party == line.party):
                    with Transaction().set_context(**{FAILING: [money.id]}):
                        if money.reconciliation:
                            Reconciliation.delete([money.reconciliation])
                        Line.reconcile([money, line])
                    break
            else:
                raise PaymentError(gettext(
                        'coop_shares.msg_payment_give_back',
                        subscription=subscription.rec_name,
                        amount=Report.format_currency(
                            line.debit, None, subscription.currency)))

    @classmethod
    def on_its_way(cls, subscriptions):
        "Return how much of each is about to be paid"
        pool = Pool()
        MoveLine = pool.get('account.move.line')
        lines = cls._open_lines(subscriptions)
        amounts = MoveLine.on_its_way([l for ls in lines.values() for l in ls])
        if not any(amounts.values()):
            return dict.fromkeys(subscriptions, Decimal(0))
        result = {}
        for subscription in subscriptions:
            # What is to be posted is entered already
            entered = sum(
                p.amount for p in subscription.payments
                if p.line and not p.line.reconciliation
                and p.line.move.state == 'draft')
            result[subscription] = min(
                max(sum(amounts[l] for l in lines[subscription]) - entered,
                    Decimal(0)),
                max(subscription.amount_to_pay, Decimal(0)))
        return result

    @classmethod
    def open_amounts(cls, lines):
        """Return how much of the lines is to be paid, if they are of shares

        What was paid in parts pays the oldest lines, and what is about to
        come is not asked for again.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        claims = AdditionalMove.get_claims(lines) if lines else {}
        of_lines = {
            line: list(dict.fromkeys(
                    c.move.origin for c in claims.get(line, [])
                    if isinstance(c.move.origin, cls)))
            for line in lines}
        of_lines = {l: s for l, s in of_lines.items() if s}
        if not of_lines:
            return {}
        subscriptions = cls.browse(list({
                    s for group in of_lines.values() for s in group}))
        by_id = {s.id: s for s in subscriptions}
        open_lines = cls._open_lines(subscriptions)
        coming = Line.on_its_way(list(of_lines))
        grouped = [
            by_id[s.id] for group in of_lines.values() if len(group) > 1
            for s in group]
        coming_of = cls.on_its_way(grouped) if grouped else {}
        amounts = {}
        for line, group in of_lines.items():
            if len(group) > 1:
                amounts[line] = min(line.debit, sum(
                        by_id[s.id].amount_to_pay - coming_of[s]
                        for s in group))
                continue
            subscription = by_id[group[0].id]
            paid, part = sum(
                p.amount for p in subscription.payments
                if p.line and not p.line.reconciliation
                and p.line.move.state == 'posted'), Decimal(0)
            for other in open_lines[subscription]:
                part = min(other.debit, paid)
                if other == line:
                    break
                paid -= part
            amounts[line] = max(
                line.debit - part - coming[line], Decimal(0))
        return amounts

    @classmethod
    def unreconciled(cls, reconciliations):
        """Take back the payments the reconciliations made

        When some money is given back, the other one has still paid.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        context = Transaction().context
        if context.get('keep_share_payments'):
            return
        domain = []
        if context.get(FAILING):
            domain = [('line', 'in', context[FAILING])]
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            Payment.enter_opposite(Payment.search([
                        ('line.reconciliation', 'in', [
                                r.id for r in sub_reconciliations]),
                        domain,
                        ]))
