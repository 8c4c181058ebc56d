# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import ROUND_DOWN, Decimal

from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .document import lock_members
from .instalment import instalment_parts


class DividendShares:
    """Pay shares with a dividend: what is unpaid of them, or new ones

    Before anything is paid out where the class says so, or by the choice of
    the member where it leaves it.
    """
    __slots__ = ()

    def _get_fills(self, lines):
        """Return by line what it pays of which subscriptions

        Those that members choose are subscribed.
        """
        Subscription = Pool().get('coop.share.subscription')
        classes = {use: [] for use in ['pay', 'fill', 'choice']}
        for class_ in self.classes:
            classes[class_.dividend_use].append(class_)
        by_member = {
            line.member: line for line in lines
            if line.net and (
                classes['fill']
                or (classes['choice']
                    and line.member.dividend_choice in {'fill', 'shares'}))}
        if not by_member:
            return {}
        lock_members(by_member)

        def fills(subscription):
            class_ = subscription.share_class
            return (class_ in classes['fill']
                or subscription.member.dividend_choice in {'fill', 'shares'})
        subscriptions = []
        for sub_members in grouped_slice(by_member, SLICE):
            subscriptions.extend(filter(fills, Subscription.search([
                            ('company', '=', self.company.id),
                            ('member', 'in', [m.id for m in sub_members]),
                            ('share_class', 'in', [
                                    c.id for c in classes['fill']
                                    + classes['choice']]),
                            ('state', '=', 'confirmed'),
                            ('date', '<=', self.posting_date),
                            ], order=[('date', 'ASC'), ('id', 'ASC')])))
        coming = Subscription.on_its_way(subscriptions)
        left = {m: line.net for m, line in by_member.items()}
        parts = {}
        for subscription in subscriptions:
            parts[subscription] = min(
                subscription.amount_to_pay - coming[subscription],
                left[subscription.member])
            left[subscription.member] -= parts[subscription]
        for subscription in self._subscribe(
                by_member, left, classes['choice']):
            parts[subscription] = subscription.amount_to_pay
        result = defaultdict(list)
        for subscription, part in parts.items():
            if part > 0:
                result[by_member[subscription.member]].append(
                    (subscription, part))
        return result

    def _subscribe(self, by_member, left, classes):
        "Subscribe the shares that members buy with what is left for them"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareClass = pool.get('coop.share.class')
        Subscription = pool.get('coop.share.subscription')
        members = [
            m for m in by_member
            if classes and m.dividend_choice == 'shares' and left[m] > 0]
        if not members:
            return []
        class_ = min(classes, key=lambda c: c.code)
        categories = Member.categories_at(members, self.posting_date)
        subscriptions = []
        for member in members:
            price = class_.par_value * class_.unit
            quantity = class_.unit * (left[member] / price).to_integral_value(
                rounding=ROUND_DOWN)
            if quantity and categories.get(member.id):
                subscriptions.append(Subscription(
                        company=self.company, member=member,
                        share_class=class_, quantity=quantity,
                        date=self.posting_date, entry_fee=None,
                        outside_offer=True))
        if subscriptions:
            Subscription.save(subscriptions)
            # Who must not hold more is paid out
            allowed = ShareClass.find_allowed(subscriptions)
            Subscription.delete(
                [s for s in subscriptions if s not in allowed])
            subscriptions = allowed
            Subscription.confirm(subscriptions)
            for subscription in subscriptions:
                by_member[subscription.member].subscription = subscription
        return Subscription.browse(subscriptions)

    @classmethod
    def _get_credits(cls, books, move, fills):
        "Return the unsaved lines and the payments of what is filled"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        open_lines = Subscription._open_lines(
            [s for parts in fills.values() for s, _ in parts])
        lines, payments = [], []
        for parts in fills.values():
            for subscription, part in parts:
                owed = open_lines[subscription]
                account = subscription.share_class.account_subscribed
                party = subscription.member.party
                # Another one may have to pay it, or on another account
                if len({(l.account, l.party) for l in owed}) == 1:
                    account, party = owed[0].account, owed[0].party
                paid = sum(
                    p.amount for p in subscription.payments
                    if p.line and not p.line.reconciliation)
                for amount in instalment_parts(
                        [l.debit for l in owed], paid, part):
                    credit = books.line(
                        account, -amount, party=party, move=move,
                        origin=subscription)
                    lines.append(credit)
                    payments.append(Payment(
                            subscription=subscription, date=move.date,
                            amount=amount, line=credit))
        return lines, payments

    @classmethod
    def _enter_payments(cls, payments):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        if payments:
            Payment.enter(payments)
            Subscription.reconcile(list({p.subscription for p in payments}))

    def _release_shares(self, moves):
        "Take back what the moves have paid of shares, and return those"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        Reconciliation = pool.get('account.move.reconciliation')
        payments = Payment.search([
                ('line.move', 'in', [m.id for m in moves]),
                ])
        with Transaction().set_context(keep_share_payments=True):
            Reconciliation.delete(list({
                        p.line.reconciliation for p in payments
                        if p.line.reconciliation}))
        Payment.enter_opposite(payments)
        return list({p.subscription for p in payments})

    def _cancel_shares(self, subscriptions):
        "Settle what is left of the shares that are not paid any more"
        Line = Pool().get('coop.share.dividend.line')
        Subscription = Pool().get('coop.share.subscription')
        bought = {
            l.subscription for l in Line.search([
                    ('dividend', '=', self.id),
                    ('subscription', '!=', None),
                    ])}
        Subscription.reconcile([s for s in subscriptions if s not in bought])
        Subscription.cancel(Subscription.browse(list(bought)))


def filled(parts):
    return sum((amount for _, amount in parts), Decimal(0))
