# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import LedgerMixin, SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .document import lock_members
from .exceptions import PaymentError
from .instalment import capital_part, instalment_parts
from .subscription_release import SubscriptionRelease


class SubscriptionPayment(
        SubscriptionRelease, SearchMixin, LedgerMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.subscription.payment'
    __string__ = "Share Subscription Payment"
    _search_names = ('subscription.rec_name',)
    # What an applicant has paid becomes a payment at the confirmation
    _linked = frozenset({'date', 'capital_amount', 'line', 'account_move'})

    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", required=True,
        ondelete='RESTRICT', readonly=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    date = fields.Date("Date", required=True, readonly=True,
        help="The day of the payment.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True)
    capital_amount = Monetary(
        "Capital", currency='currency', digits='currency', required=True,
        readonly=True,
        help="The part of the amount that is not premium.")
    line = fields.Many2One(
        'account.move.line', "Line", readonly=True, ondelete='SET NULL',
        help="The accounting line of the payment.")
    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", readonly=True,
        ondelete='RESTRICT',
        help="The redemption that released the member from paying.")
    account_move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT',
        help="The move that made capital of what was paid.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('subscription')
        cls._order = [
            ('date', 'ASC'),
            ('id', 'ASC'),
            ]
        cls._buttons.update({
                'take_back': {
                    'invisible': (
                        (Eval('amount', 0) <= 0) | Bool(Eval('redemption'))),
                    'depends': ['amount', 'redemption'],
                    },
                })

    @fields.depends('subscription', '_parent_subscription.company')
    def on_change_with_currency(self, name=None):
        if self.subscription and self.subscription.company:
            return self.subscription.company.currency

    @classmethod
    def validate_fields(cls, payments, field_names):
        super().validate_fields(payments, field_names)
        lang = Pool().get('ir.lang').get()
        for payment in payments:
            subscription = payment.subscription
            # What an applicant has paid before is a deposit until then
            if (subscription.state != 'draft' and payment.amount > 0
                    and payment.date < subscription.date):
                raise PaymentError(gettext(
                        'coop_shares.msg_payment_before_subscription',
                        subscription=subscription.rec_name,
                        date=lang.strftime(subscription.date),
                        payment_date=lang.strftime(payment.date)))

    @classmethod
    def enter(cls, payments):
        "Save the payments with what they do to the capital"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        if not payments:
            return
        subscriptions = list({p.subscription for p in payments})
        entered = {p.id for p in payments}
        paid = {
            s: sum(
                p.amount for p in s.payments
                if not p.redemption and p.id not in entered)
            for s in Subscription.browse(subscriptions)}
        books, moves = {}, []
        for payment in payments:
            subscription = payment.subscription
            if getattr(payment, 'redemption', None):
                # The member does not pay any more: no premium, no capital
                payment.capital_amount = payment.amount
                continue
            payment.capital_amount = capital_part(
                paid[subscription], payment.amount, subscription.extra)
            paid[subscription] += payment.amount
            if (payment.capital_amount
                    and subscription.share_class.account_unpaid
                    and subscription.effective == 'confirmation'):
                company = subscription.company
                if company not in books:
                    books[company] = Books(company)
                payment.account_move = subscription.get_capital_move(
                    books[company], max(payment.date, subscription.date),
                    payment.capital_amount)
                moves.append(payment.account_move)
        Books.post(moves)
        save_records(payments)
        Subscription.check_paid(subscriptions)

    @classmethod
    @ModelView.button_action(
        'coop_shares.wizard_subscription_payment_take_back')
    def take_back(cls, payments):
        pass

    @classmethod
    def enter_opposite(cls, payments):
        "Enter the opposite of the payments on the same days"
        amounts = defaultdict(Decimal)
        dates = {}
        for payment in payments:
            key = payment.subscription, payment.line, payment.redemption
            amounts[key] += payment.amount
            dates[key] = payment.date
        cls.enter([
                cls(
                    subscription=subscription, date=dates[key],
                    amount=-amount, line=line, redemption=redemption)
                for key, amount in amounts.items() if amount
                for subscription, line, redemption in [key]])

    @classmethod
    def pay(cls, amounts, company, method, date, description=None):
        """Post one move of the payments and enter them.

        `amounts` maps the subscriptions to what is paid of each.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Period = pool.get('account.period')
        Subscription = pool.get('coop.share.subscription')

        coming = Subscription.on_its_way(list(amounts))
        for subscription, amount in amounts.items():
            if amount > subscription.amount_to_pay - coming[subscription]:
                lang = pool.get('ir.lang').get()
                name = 'coming' if coming[subscription] else 'too_much'
                raise PaymentError(gettext(
                        f'coop_shares.msg_payment_{name}',
                        subscription=subscription.rec_name,
                        amount=lang.currency(
                            subscription.amount_to_pay - coming[subscription],
                            subscription.currency),
                        coming=lang.currency(
                            coming[subscription], subscription.currency)))
        amounts = {s: amount for s, amount in amounts.items() if amount}
        if not amounts:
            return
        lock_members(s.member for s in amounts)
        books = Books(company)
        move = AccountMove(
            company=company,
            journal=method.journal,
            date=date,
            period=Period.find(company, date=date),
            description=description)
        move.save()

        open_lines = Subscription._open_lines(list(amounts))
        lines, payments = [], []
        for subscription, amount in amounts.items():
            class_ = subscription.share_class
            party = subscription.member.party
            if subscription.state == 'draft':
                # What an applicant pays can be claimed back
                account = class_.get_account('redemption')
                parts = [amount]
            else:
                # Another one may have to pay it, or on another account
                owed = {(l.account, l.party) for l in open_lines[subscription]}
                if len(owed) == 1:
                    (account, party), = owed
                else:
                    account = class_.account_subscribed
                parts = instalment_parts(
                    [l.debit for l in open_lines[subscription]],
                    sum(p.amount for p in subscription.payments
                        if p.line and not p.line.reconciliation),
                    amount)
            for part in parts:
                line = books.line(
                    account, -part, party=party, move=move,
                    origin=subscription)
                if subscription.state == 'draft':
                    line.maturity_date = date
                lines.append(line)
                payments.append(cls(
                        subscription=subscription, date=date,
                        amount=part, line=line))
        save_records(lines)
        save_records([books.line(
                    method.debit_account, sum(amounts.values()),
                    move=move)])
        AccountMove.post([move])
        cls.enter(payments)
        Subscription.reconcile([
                s for s in amounts if s.state != 'draft'])
