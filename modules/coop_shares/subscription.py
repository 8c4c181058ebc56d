# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.date import LONG_AGO
from trytond.modules.coop_membership.remittance import RequestMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Date, Eval, If
from trytond.report import Report
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .banked import BankedMixin
from .document import ShareDocumentMixin, lock_members, move_field
from .exceptions import SubscriptionError
from .subscription_agreement import SubscriptionAgreement
from .subscription_correction import SubscriptionCorrection
from .subscription_fee import SubscriptionFee
from .subscription_posting import SubscriptionPosting
from .subscription_reconciliation import SubscriptionReconciliation
from .subscription_unpaid import SubscriptionUnpaid


class Subscription(
        SubscriptionUnpaid, SubscriptionPosting, SubscriptionReconciliation,
        SubscriptionAgreement, SubscriptionCorrection, SubscriptionFee,
        BankedMixin, RequestMixin, ShareDocumentMixin,
        Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.subscription'
    __string__ = "Share Subscription"
    _reference_key = 'SUB'
    _bank_keyword = 'subscription'
    _bank_name = 'number'
    _steps = {
        'confirm': (['draft'], 'confirmed'),
        'pay': (['draft', 'confirmed'], None),
        'certify': (['paid'], None),
        'correct': (['confirmed', 'paid'], None),
        # If it can not be deleted any more
        'cancel': (['draft', 'confirmed'], 'cancelled'),
        }
    _sequence = ('coop.share.configuration', 'subscription_sequence')
    _search_names = ('number', 'member.rec_name')
    # What is computed is never what somebody gives
    _internal_given = frozenset({'amount', 'premium'})
    # It is paid once, and kept by a correction
    _not_copied = {'entry_fee'}
    _states_fee = {
        'invisible': ~Eval('entry_fee', None) & ~Eval('class_fee', None),
        }

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'draft',
                ('state', 'in', ['applicant', 'member', 'leaving']),
                ()),
            ])
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'draft',
                ('kind', '!=', 'allocated'),
                ()),
            ])
    date = fields.Date("Date", required=True,
        help="The day from which the shares are subscribed.")
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        help="The price of a share, of which the part above the par value "
        "is premium.")
    payment_term = fields.Many2One(
        'account.invoice.payment_term', "Payment Term", ondelete='RESTRICT',
        help="The instalments of the payment.\n"
        "Leave empty to pay at the date of the subscription.")
    amount = Monetary(
        "Capital", currency='currency', digits='currency', readonly=True,
        help="The par value of the shares.")
    premium = Monetary(
        "Premium", currency='currency', digits='currency', readonly=True,
        help="What is to be paid above the par value.")
    class_fee = fields.Function(Monetary(
            "Entry Fee of the Class", currency='currency',
            digits='currency'),
        'on_change_with_class_fee')
    entry_fee = Monetary(
        "Entry Fee", currency='currency', digits='currency',
        domain=['OR',
            ('entry_fee', '=', None),
            ('entry_fee', '>=', 0),
            ],
        states=_states_fee,
        help="What is paid together with the first shares and not paid "
        "back.")
    total_amount = fields.Function(Monetary(
            "Total Amount", currency='currency', digits='currency',
            help="The capital, the premium and the entry fee."),
        'on_change_with_total_amount')
    payments = fields.One2Many(
        'coop.share.subscription.payment', 'subscription', "Payments",
        readonly=True)
    lines_to_pay = fields.Function(fields.Many2Many(
            'account.move.line', None, None, "Lines to Pay",
            help="The instalments that are not completely paid."),
        'get_lines_to_pay')
    paid_amount = fields.Function(Monetary(
            "Paid Amount", currency='currency', digits='currency'),
        'get_amounts')
    amount_to_pay = fields.Function(Monetary(
            "Amount to Pay", currency='currency', digits='currency'),
        'get_amounts')
    uncalled_amount = fields.Function(Monetary(
            "Not Called", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('uncalled_amount', 0),
                },
            help="What of the amount to pay is due only once it is called."),
        'get_uncalled')
    due_date = fields.Function(fields.Date("Due Date",
            help="The day of the oldest instalment that is not paid."),
        'get_due_date')
    effective = fields.Selection([
            (None, ""),
            ('confirmation', "Confirmation"),
            ('payment', "Payment"),
            ], "Effective on", readonly=True,
        help="When the shares count, as their class said at the "
        "confirmation.")
    effective_date = fields.Date("Effective Date", readonly=True,
        help="The first day the shares are held.")
    move = move_field('move', "Account Move")
    capital_move = move_field('capital_move', "Capital Move",
        help="The move that made capital of the paid subscription.")
    corrects = fields.Many2One(
        'coop.share.subscription', "Corrects", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('corrects'),
            },
        help="The subscription in the place of which this was entered.")
    subscribed_on = fields.Date("Subscribed on", readonly=True,
        states={
            'invisible': ~Eval('subscribed_on'),
            },
        help="The day on which the shares were subscribed, if they are held "
        "from a later one.")
    outside_offer = fields.Boolean("Outside of Offers", readonly=True,
        states={
            'invisible': ~Eval('outside_offer', False),
            },
        help="The shares are paid by a surplus, and belong to no offer.")
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('paid', "Paid"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states_fee

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state.in_(['draft', 'confirmed'])),
                Index(t, (t.company, Index.Range()),
                    (t.date, Index.Range()), (t.id, Index.Range())),
                })
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('confirmed', 'paid'),
            ('paid', 'confirmed'),
            }

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_outside_offer(cls):
        return False

    @classmethod
    def default_share_class(cls):
        "Return the class when there is only one to subscribe"
        ShareClass = Pool().get('coop.share.class')
        classes = ShareClass.search([
                ('company', '=', cls.default_company()),
                ('kind', '!=', 'allocated'),
                ], limit=2)
        return classes[0].id if len(classes) == 1 else None

    @fields.depends(
        'share_class', methods=['_compute_amounts', '_compute_fee'])
    def on_change_share_class(self):
        if self.share_class:
            self.price = self.share_class.par_value
        self._compute_amounts()
        self._compute_fee()

    @fields.depends(methods=['_compute_fee'])
    def on_change_member(self):
        self._compute_fee()

    @fields.depends('share_class')
    def on_change_with_class_fee(self, name=None):
        return self.share_class.entry_fee if self.share_class else None

    @fields.depends('id', 'member', 'share_class')
    def _compute_fee(self):
        self.entry_fee = None
        if self.member and self.share_class and self.share_class.entry_fee:
            self.entry_fee = self.get_entry_fee(
                self.member, self.share_class, but=[self])

    @fields.depends(methods=['_compute_amounts'])
    def on_change_quantity(self):
        self._compute_amounts()

    @fields.depends(methods=['_compute_amounts'])
    def on_change_price(self):
        self._compute_amounts()

    @fields.depends('share_class', 'quantity', 'price')
    def _compute_amounts(self):
        if self.share_class and self.quantity and self.price is not None:
            round_ = self.share_class.currency.round
            self.amount = round_(self.quantity * self.share_class.par_value)
            self.premium = round_(self.quantity * self.price) - self.amount

    @fields.depends(
        'state', 'amount', 'premium', 'entry_fee',
        methods=['_compute_amounts'])
    def on_change_with_total_amount(self, name=None):
        if self.state == 'draft':
            # They change together with it
            self._compute_amounts()
        if self.amount is not None:
            return self.amount + self.extra

    @property
    def extra(self):
        "What is paid beyond the capital, and before it"
        return (self.premium or 0) + (self.entry_fee or 0)

    @classmethod
    def view_attributes(cls):
        return super().view_attributes() + [
            ('/tree', 'visual',
                If(Eval('due_date', Date()) < Date(),
                    If(Eval('due_date', Date()) < LONG_AGO,
                        'danger', 'warning'),
                    If(Eval('state') == 'cancelled', 'muted', '')),
                ['due_date', 'state']),
            ]

    @classmethod
    def preprocess_values(cls, mode, values):
        ShareClass = Pool().get('coop.share.class')
        values = super().preprocess_values(mode, values)
        if (mode == 'create' and values.get('price') is None
                and values.get('share_class')):
            values['price'] = ShareClass(values['share_class']).par_value
        return values

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if (field_names is None
                or {'share_class', 'quantity', 'price'} & field_names):
            share_class = getattr(self, 'share_class', None)
            quantity = getattr(self, 'quantity', None)
            price = getattr(self, 'price', None)
            if share_class and quantity is not None:
                if price is None:
                    # Computed before the default is filled in
                    price = share_class.par_value
                round_ = share_class.currency.round
                amount = round_(quantity * share_class.par_value)
                premium = round_(quantity * price) - amount
                if getattr(self, 'amount', None) != amount:
                    values['amount'] = amount
                if getattr(self, 'premium', None) != premium:
                    values['premium'] = premium
        return values

    @classmethod
    def validate_fields(cls, subscriptions, field_names):
        super().validate_fields(subscriptions, field_names)
        if field_names and not (field_names & {'price', 'share_class'}):
            return
        for subscription in subscriptions:
            class_ = subscription.share_class
            if subscription.state == 'draft' and (
                    subscription.price < class_.par_value):
                raise SubscriptionError(gettext(
                        'coop_shares.msg_subscription_below_par',
                        share_class=class_.rec_name,
                        price=Report.format_currency(
                            subscription.price, None, class_.currency),
                        par_value=Report.format_currency(
                            class_.par_value, None, class_.currency)))

    @classmethod
    def check_deletion(cls, subscriptions):
        super().check_deletion(subscriptions)
        for subscription in subscriptions:
            if subscription.payments:
                raise AccessError(gettext(
                        'coop_shares.msg_subscription_delete_paid',
                        subscription=subscription.rec_name))

    @classmethod
    def bank_open_domain(cls):
        return [('state', 'in', ['draft', 'confirmed'])]

    @classmethod
    def bank_return_domain(cls):
        return [('state', 'in', ['confirmed', 'paid'])]

    @classmethod
    def bank_open(cls, subscriptions):
        return subscriptions

    @classmethod
    def bank_open_lines(cls, subscriptions):
        return cls._open_lines(subscriptions)

    @property
    def bank_account(self):
        # What an applicant pays can be claimed back
        class_ = self.share_class
        if self.state == 'draft':
            return class_.account_redemption
        return class_.account_subscribed

    @classmethod
    def bank_settle(cls, lines):
        "Enter the payments of the subscriptions"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        payments, to_pay, returned = [], {}, {}
        for line in lines:
            subscription = line.related_to
            for move_line in Line.search([
                        ('move', '=', line.move.id),
                        ('origin', '=', str(line)),
                        ('reconciliation', '=', None),
                        ]):
                if move_line.debit:
                    returned[move_line] = subscription
                # Several lines may pay the same subscription
                to_pay.setdefault(subscription, subscription.amount_to_pay)
                amount = min(move_line.credit, to_pay[subscription])
                if amount > 0:
                    to_pay[subscription] -= amount
                    payments.append(Payment(
                            subscription=subscription, date=move_line.date,
                            amount=amount, line=move_line))
        Payment.enter(payments)
        cls.reconcile([
                s for s in {p.subscription for p in payments}
                if s.state != 'draft'])
        cls.give_back(returned)

    def get_lines_to_pay(self, name):
        return [l.id for l in self._open_lines([self])[self]]

    @classmethod
    def get_due_date(cls, subscriptions, name):
        lines = cls._open_lines(subscriptions)
        return {
            s.id: lines[s][0].maturity_date if lines[s] else None
            for s in subscriptions}

    @classmethod
    def get_uncalled(cls, subscriptions, name):
        lines = cls._open_lines(subscriptions)
        return {
            s.id: min(
                sum(
                    (l.debit for l in lines[s] if not l.maturity_date),
                    Decimal(0)),
                max(s.amount_to_pay, Decimal(0)))
            for s in subscriptions}

    @classmethod
    def get_amounts(cls, subscriptions, names):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        payment = Payment.__table__()
        paid = {s.id: Decimal(0) for s in subscriptions}
        for sub_subscriptions in grouped_slice(subscriptions, SLICE):
            query = payment.select(
                payment.subscription,
                Sum(payment.amount).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    payment.subscription, [s.id for s in sub_subscriptions]),
                group_by=payment.subscription)
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            paid.update(cursor)
        result = {'paid_amount': {}, 'amount_to_pay': {}}
        for subscription in subscriptions:
            amount = subscription.currency.round(
                Decimal(paid[subscription.id]))
            result['paid_amount'][subscription.id] = amount
            if subscription.state == 'cancelled':
                amount = subscription.total_amount
            result['amount_to_pay'][subscription.id] = (
                (subscription.total_amount or 0) - amount)
        return {name: result[name] for name in names}

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, subscriptions):
        pool = Pool()
        Offer = pool.get('coop.share.offer')
        ShareClass = pool.get('coop.share.class')
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        Offer.check(subscriptions)
        cls.check_members((s, s.date) for s in subscriptions)
        cls.set_number(subscriptions)
        cls._post_confirmation(subscriptions)
        cls.issue([
                s for s in subscriptions if s.effective == 'confirmation'])
        cls.turn_deposits(subscriptions)
        ShareClass.check_limits([
                (s.member, s.share_class, True, s.date)
                for s in subscriptions], confirming=subscriptions)

    @classmethod
    def check_members(cls, dates):
        """Check that the members are members on the days they subscribe

        As pairs of subscription and day.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        by_date = defaultdict(list)
        for subscription, date in dates:
            by_date[date].append(subscription)
        for date, d_subscriptions in by_date.items():
            categories = Member.categories_at(
                sorted({s.member.id for s in d_subscriptions}), date)
            for subscription in d_subscriptions:
                if not categories.get(subscription.member.id):
                    raise SubscriptionError(gettext(
                            'coop_shares.msg_subscription_not_member',
                            member=subscription.member.rec_name,
                            date=pool.get('ir.lang').get().strftime(date)))

    @classmethod
    @ModelView.button_action('coop_shares.wizard_subscription_pay')
    def pay(cls, subscriptions):
        pass

    @classmethod
    def refusals_pay(cls, subscriptions):
        refused = {}
        coming = cls.on_its_way(subscriptions)
        for subscription in subscriptions:
            if subscription.state == 'cancelled':
                message, last = 'cancelled', subscription
            elif (subscription.state == 'paid'
                    or subscription.amount_to_pay <= 0):
                message = 'paid'
                last = max(subscription.payments, key=int, default=None)
            elif subscription.amount_to_pay <= coming[subscription]:
                message, last = 'coming', None
            else:
                continue
            user = (last.write_uid or last.create_uid) if last else None
            refused[subscription] = gettext(
                f'coop_shares.msg_subscription_pay_{message}',
                subscription=subscription.rec_name,
                user=user.rec_name if user else '')
        return refused

    @classmethod
    @ModelView.button
    def certify(cls, subscriptions):
        pool = Pool()
        Certificate = pool.get('coop.share.certificate')
        Certificate.certify(subscriptions)

    @classmethod
    @ModelView.button_action('coop_shares.wizard_subscription_correct')
    def correct(cls, subscriptions):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, subscriptions):
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        cls.check_step('cancel', subscriptions, error=SubscriptionError)
        cls._post_cancellation([
                s for s in subscriptions if s.state == 'confirmed'])

    @classmethod
    def refusals_cancel(cls, subscriptions):
        refused = {}
        coming = cls.on_its_way(subscriptions)
        for subscription in subscriptions:
            if subscription.paid_amount:
                name = 'paid'
            elif coming[subscription]:
                name = 'coming'
            else:
                continue
            refused[subscription] = gettext(
                f'coop_shares.msg_subscription_cancel_{name}',
                subscription=subscription.rec_name)
        return refused

    @classmethod
    def check_paid(cls, subscriptions):
        "Follow what has been paid with the state and the ledger"
        subscriptions = cls.browse(subscriptions)
        paid = [
            s for s in subscriptions
            if s.state == 'confirmed' and s.amount_to_pay <= 0]
        unpaid = [
            s for s in subscriptions
            if s.state == 'paid' and s.amount_to_pay > 0]
        if paid:
            cls.set_paid(paid)
        if unpaid:
            cls.set_unpaid(unpaid)

    @classmethod
    @Workflow.transition('paid')
    def set_paid(cls, subscriptions):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        subscriptions = [
            s for s in subscriptions if s.effective == 'payment']
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        cls._post_capital(subscriptions)
        dates = [(s, s.effective_date) for s in subscriptions]
        cls.check_members(dates)
        cls.issue(subscriptions)
        # What they allow may have changed since the confirmation
        ShareClass.check_limits([
                (s.member, s.share_class, True, date) for s, date in dates],
            issued=subscriptions)

    @classmethod
    @Workflow.transition('confirmed')
    def set_unpaid(cls, subscriptions):
        subscriptions = [
            s for s in subscriptions if s.effective == 'payment']
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        cls._take_back_capital(subscriptions)
