# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import Transaction

from .debt import open_debts, pay_debts
from .exceptions import RedemptionError


class RedemptionSettlement:
    "How much of the claim is paid out: price, deduction and set-off"
    __slots__ = ()

    @classmethod
    def _post_settlement(cls, redemptions):
        "Fix what is paid out and post what is not"
        pool = Pool()
        Date = pool.get('ir.date')
        Line = pool.get('account.move.line')
        Valuation = pool.get('coop.share.valuation')
        to_reconcile, set_off = [], defaultdict(list)
        for company, c_redemptions in by_company(redemptions):
            with Transaction().set_context(company=company.id):
                today = Date.today()
            books = Books(company)
            losses = Valuation.get_losses(c_redemptions)
            open_ = open_debts(
                company, {
                    r.member.party for r in c_redemptions if r.set_off})
            for redemption in c_redemptions:
                if not redemption.settlement_date:
                    redemption.settlement_date = max(
                        today, redemption.end_date + DAY)
                if not redemption.payment_date:
                    redemption.payment_date = max(
                        redemption.first_payment_date,
                        redemption.settlement_date)
                redemption._set_price(losses.get(redemption))
                redemption.settle_move = redemption.get_settle_move(
                    books, redemption._get_debts(open_))
            Books.post([r.settle_move for r in c_redemptions])
            for redemption in c_redemptions:
                to_reconcile.extend(redemption._settle_line(set_off))
        maturities = []
        for redemption, lines in cls.get_payables(redemptions).items():
            for line in lines:
                if (line.move == redemption.move
                        and line.maturity_date != redemption.payment_date):
                    maturities.extend([
                            [line],
                            {'maturity_date': redemption.payment_date}])
        if maturities:
            Line.write(*maturities)
        save_records(redemptions)
        if to_reconcile:
            Line.reconcile(*to_reconcile)
        pay_debts(set_off)

    def _set_price(self, loss):
        """Set the part of the capital the member does not get back

        And the part of the premium that the member does.
        """
        if self.reason == 'forfeiture':
            # All that was paid is kept
            self.price = self.loss = self.premium = Decimal(0)
            self.deduction = self.claim
            return
        round_ = self.currency.round
        if self.price is not None:
            loss = self.amount - round_(self.quantity * self.price)
        elif loss is None:
            loss = Decimal(0)
        if loss < 0:
            raise RedemptionError(gettext(
                    'coop_shares.msg_redemption_above_par',
                    redemption=self.rec_name,
                    price=Report.format_currency(
                        self.price, None, self.currency)))
        # The loss takes the claim at most, nobody has to pay more
        self.loss = min(loss, self.claim)
        if self.price is None:
            self.price = round_((self.amount - self.loss) / self.quantity)
        repaid = self.share_class.repaid_premium or 0
        # Who has not paid the shares has not paid their premium
        self.premium = (
            round_(self.quantity * repaid) if self.claim else Decimal(0))
        due = self.claim - self.loss + self.premium
        if (self.deduction or 0) > due:
            raise RedemptionError(gettext(
                    'coop_shares.msg_redemption_deduction',
                    redemption=self.rec_name,
                    deduction=Report.format_currency(
                        self.deduction, None, self.currency),
                    amount=Report.format_currency(due, None, self.currency)))

    def _get_debts(self, open_):
        """Return the receivable lines that are set off with the amount.

        Which is then not open any more.
        """
        self.set_off_amount = Decimal(0)
        if not self.set_off:
            return []
        rest = (
            self.claim - self.loss + self.premium - (self.deduction or 0))
        debts = []
        for debt in open_[self.member.party]:
            line, open_amount = debt
            if line.maturity_date > self.settlement_date:
                break
            amount = min(open_amount, rest)
            if amount:
                debts.append((line, amount))
                debt[1] -= amount
                rest -= amount
        self.set_off_amount = sum(a for _, a in debts)
        return debts

    def get_settle_move(self, books, debts):
        "Return the unsaved accounting move of what is not paid out, if any"
        class_ = self.share_class
        party = self.member.party
        lines = []
        if self.loss:
            lines.append(books.line(class_.get_account('loss'), -self.loss))
        if self.premium:
            lines.append(books.line(
                    class_.get_account('premium'), self.premium))
        if self.deduction:
            name = ('forfeited' if self.reason == 'forfeiture'
                else 'deduction')
            lines.append(books.line(
                    class_.get_account(name), -self.deduction))
        lines.extend(
            books.line(line.account, -amount, party=party, origin=line)
            for line, amount in debts)
        if not lines and not self.payment_term:
            return
        account = class_.get_account('redemption')
        lines.append(books.line(account, self.claim, party=party))
        net_amount = self.on_change_with_net_amount()
        if net_amount:
            lines.extend(
                books.line(
                    account, -amount, party=party, maturity_date=date,
                    origin=self)
                for date, amount in self._get_terms(net_amount))
        return books.move(self.settlement_date, lines, origin=self)

    def _get_terms(self, amount):
        "Return when which part of the amount is to be paid"
        if self.payment_term:
            return self.payment_term.compute(
                amount, self.currency, self.payment_date)
        return [(self.payment_date, amount)]

    def _settle_line(self, set_off):
        """Let the rest take the place of the claim.

        Return the lists of lines to reconcile and add to `set_off` the lines
        that pay each debt.
        """
        if not self.settle_move:
            return
        lines = self.settle_move.lines
        account = self.share_class.account_redemption
        yield [
            *(l for l in self.move.lines if l.origin == self),
            *(l for l in lines if l.account == account and l.debit)]
        for line in lines:
            if line.origin and line.origin != self:
                set_off[line.origin].append(line)
