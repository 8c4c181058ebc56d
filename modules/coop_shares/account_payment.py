# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, dualmethod, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.additional_move import get_document
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .debt import open_claims, reconcile_open
from .exceptions import PaymentError, RedemptionError
from .subscription_reconciliation import FAILING


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def get_paid_domain(cls):
        # Or about to be
        return ['OR',
            super().get_paid_domain(),
            ('payments', 'where', [('state', '!=', 'failed')]),
            ]

    @classmethod
    def get_payment_amount(cls, lines, name):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        # Tryton calculates it line by line
        get_amount = super().get_payment_amount
        amounts = {line.id: get_amount(line, name) for line in lines}
        open_ = [
            l for l in lines
            if amounts[l.id] is not None and not l.reconciliation]
        for line, amount in Subscription.open_amounts(
                [l for l in open_ if l.debit > 0]).items():
            amounts[line.id] = amount
        for line, amount in open_claims([
                    l for l in open_
                    if l.debit <= 0
                    and isinstance(get_document(l), Redemption)]).items():
            amounts[line.id] = amount
        return amounts

    @classmethod
    def on_its_way(cls, lines):
        pool = Pool()
        Payment = pool.get('account.payment')
        amounts = super().on_its_way(lines)
        for sub_lines in grouped_slice({l.id for l in lines}, SLICE):
            payments = Payment.search([
                    ('line', 'in', list(sub_lines)),
                    ('line.reconciliation', '=', None),
                    ('state', '!=', 'failed'),
                    ])
            booked = defaultdict(Decimal)
            for line, payment in Payment.money_lines(payments).items():
                if line.move.state == 'posted':
                    booked[payment] += abs(line.debit - line.credit)
            for payment in payments:
                amounts[payment.line] += max(
                    payment.amount - booked[payment], Decimal(0))
        return amounts


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def counted_drafts(cls, moves):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Payment = pool.get('account.payment')
        documents = super().counted_drafts(moves)
        # A part is neither reconciled nor assigned
        paying = {
            m: m.origin.line for m in moves
            if m.state == 'draft' and isinstance(m.origin, Payment)
            and m.origin.line}
        claims = AdditionalMove.get_claims(set(paying.values()))
        for move, line in paying.items():
            document = AdditionalMove.get_claimant(line, claims)
            if document:
                documents.setdefault(move, document)
        return documents

    @dualmethod
    @ModelView.button
    def post(cls, moves):
        pool = Pool()
        Payment = pool.get('account.payment')
        super().post(moves)
        Payment.collect(moves)


class Payment(metaclass=PoolMeta):
    __name__ = 'account.payment'

    @classmethod
    def money_lines(cls, payments):
        """Return the lines that are the money of the payments, by line

        On the accounts of the lines they pay.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        of_statements = 'account.statement.line' in dict(Line.get_origin())
        lines = {}
        for sub_payments in grouped_slice(payments, SLICE):
            origins = {str(p): p for p in sub_payments if p.line}
            domain = [('move.origin', 'in', list(origins))]
            if of_statements:
                domain = ['OR', domain, [
                        ('origin.related_to', 'in', list(origins),
                            'account.statement.line'),
                        ]]
            for line in Line.search(domain, order=[('id', 'ASC')]):
                payment = origins.get(
                    str(line.move.origin)
                    if isinstance(line.move.origin, cls)
                    else str(line.origin.related_to))
                if (payment
                        and line.account == payment.line.account
                        and line.party == payment.line.party
                        and bool(line.debit) != bool(payment.line.debit)):
                    lines[line] = payment
        return lines

    @classmethod
    def collect(cls, moves):
        "Assign the money in the moves to what the payments pay"
        pool = Pool()
        Line = pool.get('account.move.line')
        Subscription = pool.get('coop.share.subscription')
        payments = set()
        for sub_moves in grouped_slice(moves, SLICE):
            for line in Line.search([
                        ('move', 'in', [m.id for m in sub_moves]),
                        ('reconciliation', '=', None),
                        ('party', '!=', None),
                        ['OR',
                            ('move.origin', 'like', cls.__name__ + ',%'),
                            ('origin', 'like', 'account.statement.line,%'),
                            ],
                        ]):
                payment = line.move.origin
                if not isinstance(payment, cls):
                    payment = getattr(line.origin, 'payment', None)
                if payment and payment.line:
                    payments.add(payment)
        if not payments:
            return
        collected, paid = {}, set()
        for line, payment in cls.money_lines(payments).items():
            if line.reconciliation:
                continue
            if line.credit:
                collected[line] = payment.line
            elif get_document(payment.line):
                paid.add(payment.line)
        Subscription.collect(collected)
        cls._reconcile_paid(Line.browse(paid))

    @classmethod
    def _reconcile_paid(cls, lines):
        "Reconcile what several payments have paid out completely"
        pool = Pool()
        Line = pool.get('account.move.line')
        lines = {l for l in lines if not l.reconciliation}
        if not lines:
            return
        money = defaultdict(list)
        for line, payment in cls.money_lines({
                    p for l in lines for p in l.payments
                    if p.state != 'failed'}).items():
            if not line.reconciliation and line.move.state == 'posted':
                money[payment.line].append(line)
        whole = {
            line for line in lines
            if sum(m.debit for m in money[line]) == line.credit}
        Line.reconcile(*([line, *money[line]] for line in whole))
        # Another way may have paid some of it
        reconcile_open(lines - whole)

    @classmethod
    @ModelView.button
    @Workflow.transition('processing')
    def proceed(cls, payments):
        with Transaction().set_context(**{
                    FAILING: [l.id for l in cls.money_lines(payments)]}):
            super().proceed(payments)

    @classmethod
    @ModelView.button
    @Workflow.transition('failed')
    def fail(cls, payments):
        with Transaction().set_context(**{
                    FAILING: [l.id for l in cls.money_lines(payments)]}):
            super().fail(payments)


class AdditionalMove(metaclass=PoolMeta):
    __name__ = 'coop.document.move'

    @classmethod
    def check_lines(cls, lines):
        pool = Pool()
        Line = pool.get('account.move.line')
        super().check_lines(lines)
        claims = cls.get_claims(lines)
        for line, amount in Line.on_its_way(list(claims)).items():
            if amount:
                raise AccessError(gettext(
                        'coop_shares.msg_line_replace_payment',
                        document=get_document(claims[line][0]).rec_name))


class Redemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    @classmethod
    def _check_cancel(cls, redemptions):
        super()._check_cancel(redemptions)
        for redemption, lines in cls._standing(redemptions).items():
            if any(p.state != 'failed' for l in lines for p in l.payments):
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_payment',
                        redemption=redemption.rec_name))

    @classmethod
    def create_payments(cls, amounts, journal, date):
        "Return drafts of the payments of the redemptions"
        pool = Pool()
        Payment = pool.get('account.payment')
        cls.check_payout(amounts, date)
        payments = [
            Payment(
                company=line.company, journal=journal, kind='payable',
                party=line.party, date=date, amount=part, line=line,
                reference=reference)
            for line, (part, reference) in cls._get_payouts(amounts).items()]
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
