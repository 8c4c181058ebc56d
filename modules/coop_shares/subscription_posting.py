# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.claim import take_back
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.rounding import half_up
from trytond.pool import Pool

from .instalment import paid_on
from .quantity import part


class SubscriptionPosting:
    "How subscriptions enter the books and the share ledger"
    __slots__ = ()

    @classmethod
    def _post_confirmation(cls, subscriptions):
        "Post what is subscribed"
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                subscription.effective = subscription.share_class.effective
                if subscription.effective == 'confirmation':
                    subscription.effective_date = subscription.date
                subscription.move = subscription.get_move(books)
            Books.post([s.move for s in c_subscriptions])
        save_records(subscriptions)

    def get_move(self, books):
        "Return the unsaved accounting move of the confirmation"
        class_ = self.share_class
        party = self.member.party
        uncalled = self.get_uncalled_amount()
        due = self.total_amount - uncalled
        if not due:
            terms = []
        elif self.payment_term:
            terms = self.payment_term.compute(due, self.currency, self.date)
        else:
            terms = [(self.date, due)]
        if uncalled:
            # Nobody has to pay it, nor is reminded, until it is called
            terms.append((None, uncalled))
        lines = [
            books.line(
                class_.account_subscribed, amount, party=party,
                maturity_date=date)
            for date, amount in terms]
        lines.append(books.line(
                class_.account_unpaid or class_.account_capital,
                -self.amount, party=party))
        if self.premium:
            lines.append(books.line(
                    class_.get_account('premium'), -self.premium))
        if self.entry_fee:
            lines.append(books.line(
                    class_.get_account('entry_fee'), -self.entry_fee))
        return books.move(self.date, lines, origin=self)

    def get_uncalled_amount(self):
        "Return what of the capital is due only once it is called"
        percent = self.share_class.due_percent
        if percent is None or self.share_class.effective != 'confirmation':
            return Decimal(0)
        return self.amount - half_up(
            Fraction(self.amount) * part(percent), self.currency.rounding)

    @classmethod
    def issue(cls, subscriptions):
        "Enter the shares in the ledger"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        if subscriptions:
            ShareMove.do([
                    ShareMove.acquire(
                        s.share_class, s.quantity, s.member,
                        s.effective_date, kind='issue', amount=s.amount,
                        premium=s.premium, origin=s,
                        account_move=s.capital_move or s.move)
                    for s in subscriptions])

    @classmethod
    def _post_cancellation(cls, subscriptions):
        "Take back what was posted and issued"
        pool = Pool()
        Line = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        reversals = {}
        for subscription in subscriptions:
            take_back([
                    l for l in subscription.move.lines
                    if l.account == subscription.share_class.account_subscribed
                    and l.debit], subscription.date)
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                reversals[subscription.move] = books.reversal(
                    subscription.move, subscription.date)
        Books.post(list(reversals.values()))
        to_reconcile = []
        for subscription in subscriptions:
            account = subscription.share_class.account_subscribed
            to_reconcile.append([
                    *cls._open_lines([subscription])[subscription],
                    *(l for l in reversals[subscription.move].lines
                        if l.account == account)])
        Line.reconcile(*to_reconcile)
        ShareMove.reverse(
            cls._effective_moves(subscriptions), account_moves=reversals)

    @classmethod
    def _effective_moves(cls, subscriptions):
        "Return the share moves that are not reversed"
        reversed_ = {
            m.reversal_of for s in subscriptions for m in s.share_moves}
        return [
            m for s in subscriptions for m in s.share_moves
            if not m.reversal_of and m not in reversed_]

    @classmethod
    def _post_capital(cls, subscriptions):
        "Make capital of what is paid"
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                subscription.effective_date = max(
                    subscription.date,
                    paid_on(
                        [(p.date, p.amount) for p in subscription.payments],
                        subscription.total_amount))
                subscription.capital_move = subscription.get_capital_move(
                    books, subscription.effective_date, subscription.amount)
            Books.post([s.capital_move for s in c_subscriptions])
        save_records(subscriptions)

    @classmethod
    def _take_back_capital(cls, subscriptions):
        "Take back the capital, which is not completely paid any more"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        reversals = {}
        for company, c_subscriptions in by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                reversals[subscription.capital_move] = books.reversal(
                    subscription.capital_move, subscription.effective_date)
                subscription.effective_date = None
                subscription.capital_move = None
        Books.post(list(reversals.values()))
        ShareMove.reverse(
            cls._effective_moves(subscriptions), account_moves=reversals)
        save_records(subscriptions)

    def get_capital_move(self, books, date, amount):
        "Return the unsaved move that makes paid capital of unpaid one"
        party = self.member.party
        return books.move(date, [
                books.line(
                    self.share_class.account_unpaid, amount, party=party),
                books.line(
                    self.share_class.account_capital, -amount, party=party),
                ], origin=self)
