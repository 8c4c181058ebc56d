# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.report import Report

from .debt import close_claims
from .document import lock_members
from .exceptions import PaymentError


class RedemptionPayout:
    "What is paid out for redemptions: to whom, how much and what it is about"
    __slots__ = ()

    amount_to_pay = fields.Function(Monetary(
            "Amount to Pay", currency='currency', digits='currency',
            help="What is settled, and neither paid nor on its way."),
        'get_amount_to_pay')
    payout_account = fields.Function(fields.Char("Account",
            help="The bank account of the member."), 'get_payout_account')
    payout_reference = fields.Function(fields.Char("Reference",
            help="What the payment is about."), 'get_payout_reference')

    @classmethod
    def get_amount_to_pay(cls, redemptions, name):
        parts = cls._open_parts(redemptions)
        return {
            r.id: sum((a for _, a in parts[r]), Decimal(0))
            for r in redemptions}

    @classmethod
    def get_next_amounts(cls, redemptions):
        """Return by redemption how much is to be paid next

        Of what is paid in instalments those that are due, or the next one.
        """
        today = Pool().get('ir.date').today()
        amounts = {}
        for redemption, parts in cls._open_parts(redemptions).items():
            if redemption.payment_term and parts:
                until = max(
                    today, min(l.maturity_date for l, _ in parts))
                parts = [p for p in parts if p[0].maturity_date <= until]
            amounts[redemption] = sum((a for _, a in parts), Decimal(0))
        return amounts

    @property
    def payout_parts(self):
        "When how much is to be paid out"
        if not self.payment_term:
            return [(self.payment_date, self.amount_to_pay)]
        parts = defaultdict(Decimal)
        for line, amount in self._open_parts([self])[self]:
            parts[line.maturity_date] += amount
        return sorted(parts.items())

    def get_payout_account(self, name):
        "Only with bank accounts of parties"

    def get_payout_reference(self, name):
        return f'{self.narration}, {self.company.rec_name}'

    @classmethod
    def refusals_pay(cls, redemptions):
        refused = {}
        parts = cls._open_parts(redemptions)
        for redemption in redemptions:
            if redemption.state != 'settled':
                refused[redemption] = gettext(
                    'coop_shares.msg_redemption_pay_state',
                    redemption=redemption.rec_name)
            elif not parts[redemption]:
                refused[redemption] = gettext(
                    'coop_shares.msg_redemption_pay_nothing',
                    redemption=redemption.rec_name)
        return refused

    @classmethod
    def check_payout(cls, amounts, date):
        "Check that the amounts of the redemptions can be paid on the date"
        lang = Pool().get('ir.lang').get()
        parts = cls._open_parts(list(amounts))
        for redemption, amount in amounts.items():
            open_amount = sum((a for _, a in parts[redemption]), Decimal(0))
            if not 0 < amount <= open_amount:
                raise PaymentError(gettext(
                        'coop_shares.msg_redemption_pay_amount',
                        redemption=redemption.rec_name,
                        amount=Report.format_currency(
                            open_amount, None, redemption.currency)))
            if date < redemption.settlement_date:
                raise PaymentError(gettext(
                        'coop_shares.msg_redemption_pay_date',
                        redemption=redemption.rec_name,
                        date=lang.strftime(date),
                        settlement_date=lang.strftime(
                            redemption.settlement_date)))

    @classmethod
    def _get_payouts(cls, amounts):
        "Return by line to pay how much the amounts pay of it, and for what"
        payouts = defaultdict(lambda: (Decimal(0), []))
        parts = cls._open_parts(list(amounts))
        for redemption, amount in amounts.items():
            for line, open_amount in parts[redemption]:
                part = min(open_amount, amount)
                if part:
                    amount -= part
                    # Redemptions may be put together in one line
                    paid, references = payouts[line]
                    payouts[line] = (
                        paid + part,
                        [*references, redemption.payout_reference])
        return {
            line: (part, ', '.join(dict.fromkeys(references)))
            for line, (part, references) in payouts.items()}

    @classmethod
    def pay_out(cls, amounts, company, method, date, description=None):
        """Post one move that pays the amounts of the redemptions

        What is paid of each line is reconciled with it.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Period = pool.get('account.period')
        lock_members(r.member for r in amounts)
        cls.check_payout(amounts, date)
        books = Books(company)
        move = AccountMove(
            company=company,
            journal=method.journal,
            date=date,
            period=Period.find(company, date=date),
            description=description)
        move.save()
        counterparts = {
            line: books.line(
                line.account, part, party=line.party, move=move,
                description=reference)
            for line, (part, reference) in cls._get_payouts(amounts).items()}
        save_records(list(counterparts.values()))
        save_records([books.line(
                    method.credit_account, -sum(amounts.values()),
                    move=move, description=description)])
        AccountMove.post([move])
        close_claims(counterparts)
