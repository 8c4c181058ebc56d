# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool

from .lot import subtract, take


class RedemptionEnd:
    "The end of the holding, with which the claim of the member arises"
    __slots__ = ()

    @classmethod
    def refusals_end(cls, redemptions):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        refused, ready = {}, []
        for redemption in redemptions:
            if not redemption.end_date:
                refused[redemption] = redemption.get_refusal('end_date', 0)
            elif redemption.queued:
                refused[redemption] = redemption.get_refusal('queued', 0)
            else:
                ready.append(redemption)
        for company, c_redemptions in by_company(ready):
            members = {r.member.id for r in c_redemptions}
            classes = {r.share_class.id for r in c_redemptions}
            lots = ShareMove.lots_at(company, None, members, classes)
            unpaid = Subscription.unpaid_capital(members, classes)
            subscriptions = Subscription.browse(list({
                        s for rows in unpaid.values() for s, _ in rows}))
            coming = Subscription.on_its_way(subscriptions)
            waited = {s: s.amount_to_pay for s in subscriptions}
            left = {
                c: c.capital() - c.minimum_capital
                for c in {r.share_class for r in c_redemptions}
                if c.minimum_capital is not None}
            for redemption in c_redemptions:
                class_ = redemption.share_class
                key = redemption.member.id, class_.id
                taken = redemption.take(lots[key])
                held = sum(l.quantity for l in taken)
                amount = sum(l.amount for l in taken)
                if held == redemption.quantity:
                    # It may have become less since the budget was given
                    # Nothing is paid out for what is forfeited
                    if (class_ in left and amount > left[class_]
                            and redemption.reason != 'forfeiture'):
                        refused[redemption] = redemption.get_refusal(
                            'minimum_capital', held)
                        continue
                    if class_ in left:
                        left[class_] -= amount
                    lots[key] = subtract(lots[key], taken)
                    for subscription, part in redemption._release(
                            unpaid[key], amount,
                            sum(l.amount for l in lots[key])):
                        if part > waited[subscription] - coming[subscription]:
                            refused[redemption] = redemption.get_refusal(
                                'coming', 0)
                else:
                    refused[redemption] = redemption.get_refusal(
                        'lock_in' if redemption.locked else 'more_than_held',
                        held)
        return refused

    @classmethod
    def _post_end(cls, redemptions):
        "Take the shares out of the ledger and post the claims"
        pool = Pool()
        AccountMove = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        share_moves = []
        for company, c_redemptions in by_company(redemptions):
            members = {r.member.id for r in c_redemptions}
            classes = {r.share_class.id for r in c_redemptions}
            lots = ShareMove.lots_at(company, None, members, classes)
            unpaid = Subscription.unpaid_capital(members, classes)
            books = Books(company)
            for redemption in c_redemptions:
                key = redemption.member.id, redemption.share_class.id
                taken = redemption.take(lots[key])
                lots[key] = subtract(lots[key], taken)
                redemption.amount = sum(l.amount for l in taken)
                release = redemption._release(
                    unpaid[key], redemption.amount,
                    sum(l.amount for l in lots[key]))
                redemption.unpaid_amount = sum(a for _, a in release)
                redemption.move = redemption.get_move(books, release)
                share_moves.extend(ShareMove.give(
                        redemption.share_class, taken, redemption.member,
                        redemption.end_date, kind='redemption',
                        origin=redemption))
            Books.post([r.move for r in c_redemptions])
        for share_move in share_moves:
            share_move.account_move = share_move.origin.move
        payments = []
        # To read the lines of all the moves together
        moves = AccountMove.browse([r.move for r in redemptions])
        for redemption, move in zip(redemptions, moves):
            payments.extend(
                Payment(
                    subscription=line.origin,
                    date=redemption.end_date + DAY,
                    amount=line.credit, line=line, redemption=redemption)
                for line in move.lines
                if isinstance(line.origin, Subscription))
        save_records(redemptions)
        ShareMove.do(share_moves)
        if payments:
            Payment.enter(payments)
            Subscription.reconcile(
                list({p.subscription for p in payments}))

    @property
    def first_payment_date(self):
        "The day on which the class pays"
        return self.end_date + relativedelta(
            months=self.share_class.payment_months)

    @property
    def locked(self):
        "Whether the shares have to be held for some time"
        return bool(
            self.share_class.lock_in_months and self.reason == 'partial')

    def free_lots(self, lots):
        "Return the lots that have been held long enough"
        if self.call_line:
            # Those that are not paid
            acquired = self.call_line.subscription.effective_date
            return [l for l in lots if l.acquired_date == acquired]
        if not self.locked or not self.end_date:
            return lots
        delta = relativedelta(months=self.share_class.lock_in_months)
        return [
            l for l in lots
            if l.acquired_date + delta <= self.end_date + DAY
            or l.quantity < 0]

    def take(self, lots):
        "Return the lots that are redeemed"
        return take(
            self.free_lots(lots), self.quantity, round=self.currency.round)

    def _release(self, unpaid, amount, left):
        """Return what does not need to be paid any more.

        As subscription and amount: what is left covers what is unpaid first,
        but for shares that are forfeited nothing is claimed any more.  Others
        of the subscription may be redeemed: what is unpaid of them stays.
        """
        release = max(sum(a for _, a in unpaid) - left, 0)
        forfeited = None
        if self.call_line:
            forfeited = self.call_line.subscription
            release = min(
                sum(a for s, a in unpaid if s == forfeited), amount)
        released = []
        for i, (subscription, rest) in enumerate(unpaid):
            if forfeited not in {None, subscription}:
                continue
            part = min(rest, release)
            if part:
                released.append((subscription, part))
                unpaid[i] = subscription, rest - part
                release -= part
        return released

    def get_move(self, books, release):
        "Return the unsaved accounting move of the end"
        class_ = self.share_class
        party = self.member.party
        capital = self.amount
        lines = []
        if class_.account_unpaid and self.unpaid_amount:
            capital -= self.unpaid_amount
            lines.append(books.line(
                    class_.account_unpaid, self.unpaid_amount, party=party))
        if capital:
            lines.append(
                books.line(class_.account_capital, capital, party=party))
        for subscription, amount in release:
            lines.append(books.line(
                    class_.account_subscribed, -amount, party=party,
                    origin=subscription))
        if self.claim:
            lines.append(books.line(
                    class_.get_account('redemption'), -self.claim,
                    party=party, origin=self,
                    maturity_date=(
                        self.payment_date or self.first_payment_date)))
        return books.move(self.end_date + DAY, lines, origin=self)
