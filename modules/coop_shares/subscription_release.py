# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.additional_move import is_document
from trytond.modules.coop_membership.books import Books
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import Transaction

from .document import lock_members
from .exceptions import PaymentError


class SubscriptionRelease:
    """Take back what was entered as paid, in part too

    The line of the money is taken back as a whole, so that it can be
    reconciled, and what stays paid of it is entered again.
    """
    __slots__ = ()

    @property
    def left(self):
        """What is left of the line for the subscription

        The line that takes it back is reconciled with it.
        """
        reconciliation = self.line.reconciliation if self.line else None
        return sum(
            p.amount for p in self.subscription.payments
            if not p.redemption and (
                p.line == self.line
                or p.line and p.line.debit and reconciliation
                and p.line.reconciliation == reconciliation))

    def refuse_release(self):
        "Return why the payment can not be taken back, if it can not"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        if self.redemption:
            document = self.redemption
        elif not self.line:
            return gettext(
                'coop_shares.msg_payment_take_back_line',
                subscription=self.subscription.rec_name)
        elif AdditionalMove.search([
                    ('move', '=', self.line.move.id),
                    ], limit=1):
            return gettext(
                'coop_shares.msg_payment_take_back_move',
                subscription=self.subscription.rec_name,
                move=self.line.move.rec_name)
        else:
            document = self.line.move.origin
        if is_document(document):
            return gettext(
                'coop_shares.msg_payment_take_back_document',
                subscription=self.subscription.rec_name,
                document=document.rec_name)

    @classmethod
    def take_back_part(cls, payment, amount, date):
        "Take back the amount of the payment on the date, with its money"
        lang = Pool().get('ir.lang').get()
        lock_members([payment.subscription.member])
        # As it is now
        payment = cls(payment.id)
        reason = payment.refuse_release()
        if reason:
            raise PaymentError(reason)
        if not 0 < amount <= payment.left:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_take_back_amount',
                    subscription=payment.subscription.rec_name,
                    amount=Report.format_currency(
                        max(payment.left, 0), None, payment.currency)))
        if date < payment.date:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_take_back_date',
                    subscription=payment.subscription.rec_name,
                    date=lang.strftime(date),
                    payment_date=lang.strftime(payment.date)))
        cls._release(payment, amount, date)

    @property
    def _is_entered(self):
        "Whether the money was entered for the subscription, not by a bank"
        return self.line.origin == self.subscription

    def _get_money(self):
        "Return the account and the party of the money"
        sources = {
            (l.account, l.party) for l in self.line.move.lines if l.debit}
        if len(sources) > 1:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_take_back_move',
                    subscription=self.subscription.rec_name,
                    move=self.line.move.rec_name))
        source, = sources
        return source

    @classmethod
    def _release(cls, payment, amount, date, deposit=False):
        """Take the amount of the payment back and return its line

        That is the one of the money that goes back.  What came by a bank
        stays on the account, where it is not assigned.  As a deposit it is
        what the member can claim back.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        Subscription = pool.get('coop.share.subscription')
        subscription, line = payment.subscription, payment.line
        books = Books(subscription.company)
        assigned = defaultdict(Decimal)
        for other in cls.search([('line', '=', line.id)]):
            assigned[other.subscription] += other.amount
        rests = {**assigned, subscription: assigned[subscription] - amount}
        free = line.credit - sum(assigned.values())

        if deposit:
            account = subscription.share_class.get_account('redemption')
            party = subscription.member.party
        elif payment._is_entered:
            account, party = payment._get_money()
        else:
            account, party = line.account, line.party
            amount, free = amount + free, Decimal(0)
        back = books.line(line.account, line.credit, party=line.party)
        released = books.line(
            account, -amount, party=party,
            maturity_date=date if account.type.payable else None)
        # What stays and came by hand is in a move of its own, which says
        # where its money came from
        moves, kept = [], []
        lines = [back, released]
        if free:
            lines.append(books.line(line.account, -free, party=line.party))
        for other, rest in rests.items():
            if not rest:
                continue
            again = books.line(
                line.account, -rest, party=line.party,
                maturity_date=line.maturity_date)
            if payment._is_entered and not deposit:
                again.origin = other
                lines.append(books.line(account, -rest, party=party))
                moves.append(books.move(date, [
                            books.line(account, rest, party=party), again]))
                kept.append((other, len(moves), 1))
            else:
                kept.append((other, 0, len(lines)))
                lines.append(again)
        with Transaction().set_context(language=books._language):
            description = gettext(
                'coop_membership.msg_narration_reversal',
                description=books.narrate(subscription))
        moves.insert(0, books.move(date, lines, description=description))
        for move in moves:
            move.journal = line.move.journal
        reconciled = set()
        if line.reconciliation:
            reconciled = {
                p.subscription for p in cls.search([
                        ('line.reconciliation', '=', line.reconciliation.id),
                        ])}
        with Transaction().set_context(keep_share_payments=True):
            if line.reconciliation:
                Reconciliation.delete([line.reconciliation])
            Books.post(moves)
            # In their order
            lines = [sorted(m.lines, key=int) for m in moves]
            back, released = lines[0][:2]
            Line.reconcile([line, back])
        cls.enter([
                cls(
                    subscription=s, amount=a, line=l,
                    # What is only deposited may be older
                    date=date if s.state == 'draft' else max(date, s.date))
                for s, a, l in [
                    *((s, -a, back) for s, a in assigned.items() if a),
                    *((s, lines[i][j].credit, lines[i][j])
                        for s, i, j in kept)]])
        Subscription.reconcile([
                s for s in Subscription.browse(
                    {*assigned, *reconciled}) if s.state != 'draft'])
        return released

    @classmethod
    def refuse_deposits(cls, subscription):
        "Return why what was paid can not become a deposit, if it can not"
        for payment in subscription.payments:
            if payment.redemption or payment.left > 0:
                reason = payment.refuse_release()
                if reason:
                    return reason

    @classmethod
    def turn_back(cls, subscription, draft):
        "Make what was paid of the subscription deposits of the draft"
        lines = {}
        for payment in subscription.payments:
            if payment.amount > 0 and payment.left > 0:
                lines[payment.line] = payment
        deposits = []
        for payment in lines.values():
            amount = payment.left
            deposits.append(cls(
                    subscription=draft, date=payment.date, amount=amount,
                    line=cls._release(
                        payment, amount, payment.date, deposit=True)))
        cls.enter(deposits)
