# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool

from .exceptions import RedemptionError
from .lot import subtract, take


class RedemptionEnd:
    "The end of the holding, with which the claim of the member arises"
    __slots__ = ()

    def _check_end(self):
        if not self.end_date:
            raise RedemptionError(gettext(
                    'coop_shares.msg_redemption_end_date',
                    redemption=self.rec_name))
        if self.queued:
            raise RedemptionError(gettext(
                    'coop_shares.msg_redemption_queued',
                    redemption=self.rec_name,
                    share_class=self.share_class.rec_name))

    @classmethod
    def _post_end(cls, redemptions):
        "Take the shares out of the ledger and post the claims"
        pool = Pool()
        AccountMove = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        share_moves, releases = [], {}
        for company, c_redemptions in cls.by_company(redemptions):
            members = {r.member.id for r in c_redemptions}
            classes = {r.share_class.id for r in c_redemptions}
            lots = ShareMove.lots_at(company, None, members, classes)
            unpaid = Subscription.unpaid_capital(members, classes)
            books = Books(company)
            for redemption in c_redemptions:
                key = redemption.member.id, redemption.share_class.id
                taken = redemption._take(lots[key])
                lots[key] = subtract(lots[key], taken)
                redemption.amount = sum(l.amount for l in taken)
                releases[redemption] = release = redemption._release(
                    unpaid[key], sum(l.amount for l in lots[key]))
                redemption.unpaid_amount = sum(a for _, a in release)
                if not redemption.payment_date:
                    redemption.payment_date = (
                        redemption.end_date + relativedelta(
                            months=redemption.share_class.payment_months))
                redemption.move = redemption.get_move(books, release)
                for lot in taken:
                    share_moves.append(ShareMove(
                            company=company,
                            share_class=redemption.share_class,
                            kind='redemption',
                            quantity=lot.quantity,
                            from_member=redemption.member,
                            end_date=redemption.end_date,
                            par_value=redemption.share_class.par_value,
                            amount=lot.amount,
                            vintage=lot.vintage,
                            acquired_date=lot.acquired_date,
                            origin=redemption))
            Books.post([r.move for r in c_redemptions])
        for share_move in share_moves:
            share_move.account_move = share_move.origin.move
        payments = []
        # To read the lines of all the moves together
        moves = AccountMove.browse([r.move for r in redemptions])
        for redemption, move in zip(redemptions, moves):
            class_ = redemption.share_class
            redemption.payable_line = redemption._get_payable(move)
            # In the order of the releases
            lines = sorted((
                    l for l in move.lines
                    if l.account == class_.account_subscribed), key=int)
            for line, (subscription, amount) in zip(
                    lines, releases[redemption]):
                payments.append(Payment(
                        subscription=subscription,
                        date=redemption.end_date + DAY,
                        amount=amount, line=line, redemption=redemption))
        save_records(redemptions)
        ShareMove.do(share_moves)
        if payments:
            Payment.enter(payments)
            Subscription.reconcile(
                list({p.subscription for p in payments}))

    def _take(self, lots):
        "Return the lots that are redeemed"
        class_ = self.share_class
        if class_.lock_in_months and self.reason == 'partial':
            delta = relativedelta(months=class_.lock_in_months)
            lots = [
                l for l in lots if l.acquired_date + delta
                <= self.end_date + DAY or l.quantity < 0]
        taken = take(lots, self.quantity, round=self.currency.round)
        missing = self.quantity - sum(l.quantity for l in taken)
        if missing:
            message = 'msg_redemption_more_than_held'
            if class_.lock_in_months and self.reason == 'partial':
                message = 'msg_redemption_lock_in'
            raise RedemptionError(gettext(
                    f'coop_shares.{message}',
                    redemption=self.rec_name,
                    member=self.member.rec_name,
                    share_class=class_.rec_name,
                    quantity=self.quantity - missing))
        return taken

    @classmethod
    def _release(cls, unpaid, left):
        """Return what does not need to be paid any more.

        As subscription and amount: what is left covers what is unpaid first.
        """
        release = max(sum(a for _, a in unpaid) - left, 0)
        released = []
        for i, (subscription, amount) in enumerate(unpaid):
            part = min(amount, release)
            if part:
                released.append((subscription, part))
                unpaid[i] = subscription, amount - part
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
        for _, amount in release:
            lines.append(books.line(
                    class_.account_subscribed, -amount, party=party))
        if self.claim:
            lines.append(books.line(
                    class_.get_account('redemption'), -self.claim,
                    party=party, maturity_date=self.payment_date))
        return books.move(self.end_date + DAY, lines, origin=self)

    def _get_payable(self, move):
        for line in move.lines:
            if (line.account == self.share_class.account_redemption
                    and line.credit):
                return line
