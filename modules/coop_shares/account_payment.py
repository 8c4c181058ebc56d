# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, dualmethod, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.claim import standing_lines
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval
from trytond.tools import grouped_slice

from .exceptions import PaymentError, RedemptionError


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def get_paid_domain(cls):
        # Or about to be
        return ['OR',
            super().get_paid_domain(),
            ('payments', 'where', [('state', '!=', 'failed')]),
            ]

    def get_payment_amount(self, name):
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        amount = super().get_payment_amount(name)
        if amount and self.debit > 0 and not self.reconciliation:
            open_ = Subscription.open_amount(self)
            if open_ is not None:
                amount = min(amount, open_)
        return amount


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @dualmethod
    @ModelView.button
    def post(cls, moves):
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        super().post(moves)
        Subscription.collect(cls._collected(moves))

    @classmethod
    def _collected(cls, moves):
        "Return the lines that are the money of payments, and what they pay"
        pool = Pool()
        Line = pool.get('account.move.line')
        collected = {}
        for sub_moves in grouped_slice(moves, SLICE):
            for line in Line.search([
                        ('move', 'in', [m.id for m in sub_moves]),
                        ('reconciliation', '=', None),
                        ('credit', '>', 0),
                        ('party', '!=', None),
                        ['OR',
                            ('move.origin', 'like', 'account.payment,%'),
                            ('origin', 'like', 'account.statement.line,%'),
                            ],
                        ]):
                payment = line.move.origin
                if getattr(payment, '__name__', None) != 'account.payment':
                    payment = getattr(line.origin, 'payment', None)
                debt = payment.line if payment else None
                if (debt and not debt.reconciliation
                        and debt.account == line.account
                        and debt.party == line.party):
                    collected[line] = debt
        return collected


class Redemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    @classmethod
    def _check_cancel(cls, redemptions):
        super()._check_cancel(redemptions)
        standing = standing_lines({
                r.payable_line for r in redemptions if r.payable_line})
        for redemption in redemptions:
            if any(
                    p.state != 'failed'
                    for line in standing.get(redemption.payable_line, [])
                    for p in line.payments):
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_payment',
                        redemption=redemption.rec_name))

    @classmethod
    def create_payments(cls, amounts, journal, date):
        "Return drafts of the payments of the redemptions"
        pool = Pool()
        Payment = pool.get('account.payment')
        cls.check_payout(amounts, date)
        parts = cls._open_parts(list(amounts))
        payments = []
        for redemption, amount in amounts.items():
            for line, open_amount in parts[redemption]:
                part = min(open_amount, amount)
                if part:
                    amount -= part
                    payments.append(Payment(
                            company=redemption.company, journal=journal,
                            kind='payable', party=line.party, date=date,
                            amount=part, line=line,
                            reference=redemption.payout_reference))
        Payment.save(payments)
        return payments


class PayRedemptionStart(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption.pay.start'

    payment_journal = fields.Many2One(
        'account.payment.journal', "Payment Journal",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('currency', '=', Eval('currency', -1)),
            ],
        help="The journal that pays it, as a draft of a payment for each "
        "member.\n"
        "Leave empty to enter what is paid already.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.payment_method.required = False
        cls.payment_method.states.update({
                'required': ~Eval('payment_journal'),
                'invisible': Bool(Eval('payment_journal')),
                })


class PayRedemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption.pay'

    def transition_pay(self):
        journal = self.start.payment_journal
        if not journal:
            return super().transition_pay()
        if journal.company != self._company:
            raise PaymentError(gettext('coop_shares.msg_payment_companies'))
        self.model.check_step('pay', self.records)
        self.model.create_payments(self._amounts, journal, self.start.date)
        return 'end'
