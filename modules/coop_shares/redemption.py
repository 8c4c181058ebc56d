# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql import Cast
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce
from sql.operators import Concat

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Check, Index, ModelSQL, ModelView, Unique, Workflow, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Date, Eval, If
from trytond.report import Report
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import (
    Button, StateAction, StateTransition, StateView, Wizard)

from .calculation import expected_years, grant
from .debt import close_claims, open_claims, open_debts, pay_debts
from .document import ShareDocumentMixin, lock_members, lock_sequence
from .exceptions import RedemptionError
from .lot import subtract, take

_states = {
    'readonly': Eval('state') != 'requested',
    }
# The states in which the end and the price are still open
_open_states = {
    'readonly': ~Eval('state').in_(['requested', 'approved', 'ended']),
    }
MANDATORY = {'exit', 'death', 'exclusion'}
_settlement_fields = {
    'price', 'deduction', 'deduction_reason', 'set_off', 'settlement_date',
    'payment_date'}


class Redemption(
        ShareDocumentMixin, BooksMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.redemption'
    __string__ = "Share Redemption"
    _initial_state = 'requested'
    _sequence = 'redemption_sequence'
    _modify_internal = frozenset({
            'number', 'state', 'granted', 'split_from', 'amount',
            'unpaid_amount', 'loss', 'premium', 'set_off_amount', 'move',
            'settle_move', 'payable_line', 'lapse_move', 'approved_by',
            'share_moves'})
    _modify_states = {
        'approved': _settlement_fields | {'end_date'},
        'ended': _settlement_fields,
        }
    # How many redemptions are ended in one transaction
    _end_size = 1000

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'requested',
                ('redeemable', '=', True),
                ()),
            ],
        states=_states)
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)), required=True,
        domain=[
            ('quantity', '>', 0),
            ],
        states=_states)
    request_date = fields.Date("Request Date", required=True, states=_states,
        help="The day that decides on the place in the queue.")
    end_date = fields.Date("End Date",
        states={
            'readonly': ~Eval('state').in_(['requested', 'approved']),
            'required': Eval('state').in_(['ended', 'settled', 'paid']),
            },
        help="The last day the member holds the shares.")
    reason = fields.Selection([
            ('partial', "Partial"),
            ('exit', "Exit"),
            ('death', "Death"),
            ('exclusion', "Exclusion"),
            ('hardship', "Hardship"),
            ], "Reason", required=True, sort=False, states=_states,
        help="What leads to the redemption.\n"
        "The exit, death or exclusion of a member can not be refused.")
    granted = fields.Boolean("Granted", readonly=True,
        help="The request has got its part of the budget.")
    split_from = fields.Many2One(
        'coop.share.redemption', "Split from", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('split_from'),
            },
        help="The redemption of which this is the part "
        "that had to wait for another budget.")
    price = Monetary(
        "Price", currency='currency', digits='currency',
        states=_open_states,
        help="The price of a share.\n"
        "Leave empty for the par value less the loss of the year.")
    deduction = Monetary(
        "Deduction", currency='currency', digits='currency',
        domain=['OR',
            ('deduction', '=', None),
            ('deduction', '>=', 0),
            ],
        states=_open_states,
        help="What the cooperative keeps.")
    deduction_reason = fields.Char("Deduction Reason",
        states={
            'readonly': _open_states['readonly'],
            'invisible': ~Eval('deduction'),
            'required': Eval('deduction', 0) > 0,
            },
        help="The rule or damage that justifies the deduction.")
    set_off = fields.Boolean("Set Off", states=_open_states,
        help="Check to pay with it what the member owes "
        "and should have paid.")
    settlement_date = fields.Date("Settlement Date", states=_open_states,
        help="The date of the settlement.\n"
        "Leave empty for today.")
    payment_date = fields.Date("Payment Date", states=_open_states,
        help="The day the redemption is to be paid.\n"
        "Leave empty for the one of the share class.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', readonly=True,
        help="The capital that has ended.")
    unpaid_amount = Monetary(
        "Unpaid Amount", currency='currency', digits='currency',
        readonly=True,
        help="The part of the capital the member had not paid.")
    loss = Monetary(
        "Loss", currency='currency', digits='currency', readonly=True,
        help="The part of the capital the member does not get back.")
    premium = Monetary(
        "Premium", currency='currency', digits='currency', readonly=True,
        states={
            'invisible': ~Eval('premium'),
            },
        help="The part of the premium the member gets back.")
    set_off_amount = Monetary(
        "Set Off Amount", currency='currency', digits='currency',
        readonly=True,
        states={
            'invisible': ~Eval('set_off_amount'),
            },
        help="The part of the claim that pays the debts of the member.")
    net_amount = fields.Function(Monetary(
            "Net Amount", currency='currency', digits='currency',
            help="What is to be paid to the member."),
        'on_change_with_net_amount')
    move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('move'),
            })
    settle_move = fields.Many2One(
        'account.move', "Settlement Move", readonly=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('settle_move'),
            })
    payable_line = fields.Many2One(
        'account.move.line', "Line to Pay", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('payable_line'),
            })
    lapse_move = fields.Many2One(
        'account.move', "Lapse Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('lapse_move'),
            })
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)
    approved_by = employee_field("Approved by", states=[
            'approved', 'ended', 'settled', 'paid', 'refused', 'cancelled'])
    queue_position = fields.Function(fields.Integer("Queue Position",
            states={
                'invisible': ~Eval('queue_position'),
                },
            help="The place among the requests that wait for the budget."),
        'get_queue')
    amount_ahead = fields.Function(Monetary(
            "Amount Ahead", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('queue_position'),
                },
            help="The amount of the requests that come first."),
        'get_queue')
    expected_year = fields.Function(fields.Integer("Expected Year",
            states={
                'invisible': ~Eval('expected_year'),
                },
            help="The year in which the whole request is met, "
            "if each year has the budget of the last one."),
        'get_queue')
    state = fields.Selection([
            ('requested', "Requested"),
            ('approved', "Approved"),
            ('ended', "Ended"),
            ('settled', "Settled"),
            ('paid', "Paid"),
            ('refused', "Refused"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            # A domain would be checked by one query per request date
            ('end_date', Check(t, t.end_date >= t.request_date),
                'coop_shares.msg_redemption_end_before_request'),
            ]
        cls._sql_indexes.update({
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state.in_(
                        ['requested', 'approved', 'ended', 'settled'])),
                Index(t, (t.payable_line, Index.Range())),
                })
        cls._order = [
            ('request_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('requested', 'approved'),
            ('requested', 'refused'),
            ('requested', 'cancelled'),
            ('approved', 'ended'),
            ('approved', 'cancelled'),
            ('ended', 'settled'),
            ('ended', 'cancelled'),
            ('settled', 'cancelled'),
            ('settled', 'paid'),
            ('paid', 'settled'),
            }
        cls._buttons.update({
                'approve': {
                    'invisible': Eval('state') != 'requested',
                    'depends': ['state'],
                    },
                'refuse': {
                    'invisible': Eval('state') != 'requested',
                    'readonly': Eval('reason').in_(sorted(MANDATORY)),
                    'depends': ['state', 'reason'],
                    },
                'end': {
                    'invisible': Eval('state') != 'approved',
                    'readonly': ~Eval('end_date'),
                    'depends': ['state', 'end_date'],
                    },
                'settle': {
                    'invisible': Eval('state') != 'ended',
                    'depends': ['state'],
                    },
                'cancel': {
                    'invisible': ~Eval('state').in_(
                        ['requested', 'approved', 'ended', 'settled']),
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_request_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_reason(cls):
        return 'partial'

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits

    @fields.depends(
        'member', 'share_class', 'request_date', 'reason',
        '_parent_share_class.redemption_cap',
        '_parent_share_class.minimum_capital')
    def on_change_member(self):
        self.end_date = self.first_end_date()

    @fields.depends(methods=['on_change_member'])
    def on_change_share_class(self):
        self.on_change_member()

    @fields.depends(methods=['on_change_member'])
    def on_change_request_date(self):
        self.on_change_member()

    @fields.depends(methods=['on_change_member'])
    def on_change_reason(self):
        self.on_change_member()

    @fields.depends(
        'member', 'share_class', 'request_date', 'reason',
        '_parent_share_class.redemption_cap',
        '_parent_share_class.minimum_capital')
    def first_end_date(self):
        """Return the first day on which the holding may end.

        It follows the rule for the exit of the member, unless the request
        has to wait for a budget.
        """
        Member = Pool().get('coop.member')
        if (not self.member or not self.share_class or not self.request_date
                or self.share_class.redemption_cap is not None
                or self.share_class.minimum_capital is not None):
            return None
        with Transaction().set_context(date=self.request_date):
            member = Member(self.member.id)
            if self.reason in MANDATORY and member.exit_date:
                return member.exit_date
            if self.reason == 'hardship' or not member.category:
                return self.request_date
            return member.exit_date_after(self.request_date)

    @fields.depends(
        'amount', 'unpaid_amount', 'loss', 'premium', 'deduction',
        'set_off_amount')
    def on_change_with_net_amount(self, name=None):
        if self.amount is not None:
            return (
                self.amount - (self.unpaid_amount or 0) - (self.loss or 0)
                + (self.premium or 0)
                - (self.deduction or 0) - (self.set_off_amount or 0))

    @classmethod
    def view_attributes(cls):
        overdue = (
            (Eval('state') == 'settled')
            & (Eval('payment_date', Date()) < Date()))
        waiting = (Eval('state') == 'approved') & ~Eval('end_date')
        return super().view_attributes() + [
            ('/tree', 'visual',
                If(overdue, 'danger',
                    If(waiting, 'warning',
                        If(Eval('state').in_(['refused', 'cancelled']),
                            'muted', ''))),
                ['state', 'payment_date', 'end_date']),
            ]

    @property
    def claim(self):
        return self.amount - (self.unpaid_amount or 0)

    @property
    def queued(self):
        return (
            self.state == 'approved' and self.share_class.budgeted
            and not self.granted)

    @classmethod
    def get_queue(cls, redemptions, names):
        pool = Pool()
        Date = pool.get('ir.date')
        Allocate = pool.get('coop.share.redemption.allocate', type='wizard')
        FiscalYear = pool.get('account.fiscalyear')
        result = {
            name: dict.fromkeys(map(int, redemptions)) for name in names}
        values = {}
        for class_ in {r.share_class for r in redemptions if r.queued}:
            ahead = Decimal(0)
            fiscalyears = FiscalYear.search([
                    ('company', '=', class_.company.id),
                    ('start_date', '<=', Date.today()),
                    ], order=[('start_date', 'DESC')], limit=1)
            budget = None
            if fiscalyears:
                fiscalyear, = fiscalyears
                budget = Allocate.yearly_budget(class_, fiscalyear)
            for position, redemption in enumerate(cls.get_queued(class_), 1):
                amount = redemption.quantity * class_.par_value
                years = None
                if budget:
                    years = expected_years(ahead, amount, budget)
                values[redemption.id] = {
                    'queue_position': position,
                    'amount_ahead': class_.currency.round(ahead),
                    'expected_year': (
                        fiscalyear.end_date.year + years - 1
                        if years else None),
                    }
                ahead += amount
        for id_, value in values.items():
            for name in names:
                if id_ in result[name]:
                    result[name][id_] = value[name]
        return result

    @classmethod
    def get_queued(cls, share_class, date=None):
        "Return the redemptions that wait for a budget in their order"
        domain = [
            ('share_class', '=', share_class.id),
            ('state', '=', 'approved'),
            ('granted', '!=', True),
            ]
        if date:
            domain.append(('request_date', '<=', date))
            domain.append(['OR',
                    ('end_date', '=', None),
                    ('end_date', '<=', date),
                    ])
        return cls.search(
            domain, order=[('request_date', 'ASC'), ('id', 'ASC')])

    @classmethod
    def open_quantities(cls, members, states=('requested', 'approved')):
        "Return the quantity not redeemed yet of the open redemptions"
        quantities = defaultdict(Decimal)
        for sub_members in grouped_slice(members, SLICE):
            for redemption in cls.search([
                        ('member', 'in', [int(m) for m in sub_members]),
                        ('state', 'in', list(states)),
                        ]):
                key = redemption.member.id, redemption.share_class.id
                quantities[key] += redemption.quantity
        return quantities

    @classmethod
    def copy(cls, redemptions, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('end_date')
        default.setdefault('price')
        default.setdefault('settlement_date')
        default.setdefault('payment_date')
        return super().copy(redemptions, default=default)

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, redemptions):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        if not redemptions:
            return
        members = {r.member for r in redemptions}
        lock_members(members)
        cls.set_number(redemptions)
        for company, c_redemptions in cls.by_company(redemptions):
            holdings = ShareMove.holdings_at(
                company, None, members={r.member for r in c_redemptions},
                classes={r.share_class for r in c_redemptions})
            open_ = cls.open_quantities(members)
            approved = cls.open_quantities(members, states=['approved'])
            for redemption in c_redemptions:
                key = redemption.member.id, redemption.share_class.id
                approved[key] += redemption.quantity
                held, _ = holdings.get(key, (Decimal(0), 0))
                if approved[key] > held:
                    raise RedemptionError(gettext(
                            'coop_shares.msg_redemption_more_than_held',
                            redemption=redemption.rec_name,
                            member=redemption.member.rec_name,
                            share_class=redemption.share_class.rec_name,
                            quantity=held))
                redemption.share_class.check_minimum(
                    redemption.member, held - open_[key])
                if not redemption.end_date:
                    redemption.end_date = redemption.first_end_date()
        save_records(redemptions)

    @classmethod
    @ModelView.button
    @Workflow.transition('refused')
    def refuse(cls, redemptions):
        for redemption in redemptions:
            if redemption.reason in MANDATORY:
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_refuse_mandatory',
                        redemption=redemption.rec_name,
                        member=redemption.member.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('ended')
    def end(cls, redemptions):
        pool = Pool()
        AccountMove = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        for redemption in redemptions:
            redemption._check_end()
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

    @classmethod
    @ModelView.button
    @Workflow.transition('settled')
    def settle(cls, redemptions):
        pool = Pool()
        Date = pool.get('ir.date')
        Line = pool.get('account.move.line')
        Valuation = pool.get('coop.share.valuation')
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        to_reconcile, set_off = [], defaultdict(list)
        for company, c_redemptions in cls.by_company(redemptions):
            with Transaction().set_context(company=company.id):
                today = Date.today()
            books = Books(company)
            losses = Valuation.get_losses(c_redemptions)
            open_ = open_debts(
                company, {
                    r.member.party for r in c_redemptions if r.set_off})
            debts = {}
            for redemption in c_redemptions:
                if not redemption.settlement_date:
                    redemption.settlement_date = max(
                        today, redemption.end_date + DAY)
                redemption._set_price(losses.get(redemption))
                debts[redemption] = redemption._get_debts(open_)
                redemption.settle_move = redemption.get_settle_move(
                    books, debts[redemption])
            Books.post([r.settle_move for r in c_redemptions])
            for redemption in c_redemptions:
                to_reconcile.extend(redemption._settle_line(
                        debts[redemption], set_off))
        maturities = []
        for redemption in redemptions:
            line = redemption.payable_line
            if line and line.maturity_date != redemption.payment_date:
                maturities.extend([
                        [line], {'maturity_date': redemption.payment_date}])
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
            lines.append(books.line(
                    class_.get_account('deduction'), -self.deduction))
        lines.extend(
            books.line(line.account, -amount, party=party)
            for line, amount in debts)
        if not lines:
            return
        account = class_.get_account('redemption')
        lines.append(books.line(account, self.claim, party=party))
        net_amount = self.on_change_with_net_amount()
        if net_amount:
            lines.append(books.line(
                    account, -net_amount, party=party,
                    maturity_date=self.payment_date))
        return books.move(self.settlement_date, lines, origin=self)

    def _settle_line(self, debts, set_off):
        """Make the rest the line to pay.

        Return the lists of lines to reconcile and add to `set_off` the lines
        that pay each debt.
        """
        if not self.settle_move:
            return
        claim = self.payable_line
        # In the order of the debts
        lines = sorted(self.settle_move.lines, key=int)
        account = self.share_class.account_redemption
        yield [claim, *(l for l in lines if l.account == account and l.debit)]
        self.payable_line = self._get_payable(self.settle_move)
        credits = [
            l for l in lines
            if l.credit and l.party and l.account != account]
        for (debt, _), credit in zip(debts, credits):
            set_off[debt].append(credit)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, redemptions):
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        Reconciliation = pool.get('account.move.reconciliation')
        ShareMove = pool.get('coop.share.move')
        redemptions = [
            r for r in redemptions if r.state in {'ended', 'settled'}]
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        cls._check_cancel(redemptions)
        reversals = {}
        for company, c_redemptions in cls.by_company(redemptions):
            books = Books(company)
            for redemption in c_redemptions:
                reversals[redemption.move] = books.reversal(
                    redemption.move, redemption.end_date + DAY)
                if redemption.settle_move:
                    reversals[redemption.settle_move] = books.reversal(
                        redemption.settle_move, redemption.settlement_date)
                redemption.payable_line = None
        Books.post(list(reversals.values()))
        save_records(redemptions)
        with Transaction().set_context(keep_share_payments=True):
            Reconciliation.delete(list({
                        l.reconciliation for m in reversals for l in m.lines
                        if l.reconciliation}))
        Payment.take_back(Payment.search([
                    ('line.move', 'in', [m.id for m in reversals]),
                    ]))
        to_reconcile = []
        for redemption in redemptions:
            lines = defaultdict(list)
            for move in [redemption.move, redemption.settle_move]:
                if move:
                    for line in [*move.lines, *reversals[move].lines]:
                        if line.account.reconcile:
                            lines[line.account].append(line)
            to_reconcile.extend(lines.values())
        Line.reconcile(*to_reconcile)
        ShareMove.reverse(
            [
                m for r in redemptions for m in r.share_moves
                if not m.reversal_of],
            account_moves=reversals)

    @classmethod
    def _check_cancel(cls, redemptions):
        "Check that nothing is on the way to be paid"

    @classmethod
    def check_paid(cls, reconciliations, reconciled=True):
        "Follow the reconciliation of the lines to pay with the state"
        redemptions = []
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            redemptions.extend(cls.search([
                        ('payable_line.reconciliation', 'in', [
                                r.id for r in sub_reconciliations]),
                        ('state', '=', 'settled' if reconciled else 'paid'),
                        ]))
        if redemptions:
            if reconciled:
                cls.set_paid(redemptions)
            else:
                cls.set_settled(redemptions)

    @classmethod
    @Workflow.transition('paid')
    def set_paid(cls, redemptions):
        pass

    @classmethod
    @Workflow.transition('settled')
    def set_settled(cls, redemptions):
        pass

    @classmethod
    def check_books(cls, company, date):
        "Compare what is owed for each redemption with its moves"
        pool = Pool()
        AccountMove = pool.get('account.move')
        Line = pool.get('account.move.line')
        ShareClass = pool.get('coop.share.class')
        differences = super().check_books(company, date)
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        class_ = ShareClass.__table__()
        end, settle, lapse, move = (
            AccountMove.__table__() for _ in range(4))
        line, lapsed_line = Line.__table__(), Line.__table__()

        claim = table.amount - Coalesce(table.unpaid_amount, 0)
        kept = (
            Coalesce(table.loss, 0) - Coalesce(table.premium, 0)
            + Coalesce(table.deduction, 0) + Coalesce(table.set_off_amount, 0))
        lapsed = lapsed_line.select(
            Sum(lapsed_line.debit), where=lapsed_line.move == lapse.id)
        query = (table
            .join(end, condition=table.move == end.id)
            .join(settle, 'LEFT', condition=table.settle_move == settle.id)
            .join(lapse, 'LEFT', condition=table.lapse_move == lapse.id)
            .select(
                table.id,
                Case(
                    (lapse.date <= date, claim - kept - lapsed),
                    (settle.date <= date, claim - kept),
                    else_=claim).as_('amount'),
                where=(table.company == company.id)
                & table.state.in_(['ended', 'settled', 'paid'])
                & (end.date <= date)))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        expected = {
            id_: company.currency.round(Decimal(amount))
            for id_, amount in cursor}

        origin = cls.__name__ + ','
        query = (line
            .join(move, condition=line.move == move.id)
            .join(table, condition=(
                    move.origin == Concat(origin, Cast(
                            table.id, fields.Char('id').sql_type().base))))
            .join(class_, condition=(table.share_class == class_.id)
                & (line.account == class_.account_redemption))
            .select(
                table.id,
                Sum(line.credit - line.debit).as_('amount'),
                where=(table.company == company.id)
                & (move.date <= date) & (move.state == 'posted'),
                group_by=table.id))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        found = {
            id_: company.currency.round(Decimal(amount))
            for id_, amount in cursor}
        for id_ in sorted(expected.keys() | found.keys()):
            amounts = [d.get(id_, Decimal(0)) for d in [expected, found]]
            if amounts[0] != amounts[1]:
                redemption = cls(id_)
                differences.append(Difference(
                        redemption,
                        gettext('coop_shares.msg_books_redemption',
                            redemption=redemption.rec_name,
                            account=redemption.share_class
                            .account_redemption.rec_name),
                        *amounts, party=redemption.member.party))
        return differences

    @classmethod
    def end_due(cls, date=None):
        """End the approved redemptions of the company whose day has come.

        If they are many in chunks: what is left of them is still approved
        and ends the next time.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        company = Transaction().context.get('company')
        redemptions = [
            r for r in cls.search([
                    ('company', '=', company),
                    ('state', '=', 'approved'),
                    ('end_date', '<', date or Date.today()),
                    ])
            if not r.queued]
        if len(redemptions) <= cls._end_size:
            cls.end(redemptions)
            return
        with Transaction().set_context(queue_name='coop'):
            for sub_redemptions in grouped_slice(
                    redemptions, cls._end_size):
                cls.__queue__.end(list(sub_redemptions))


class Valuation(Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.valuation'
    __string__ = "Share Valuation"

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': _states['readonly'] | Eval('share_class', False),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="The year at the end of which the shares have the value.")
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    method = fields.Selection([
            ('share', "By Share"),
            ('head', "By Head"),
            ('balance', "By Balance"),
            ], "Method", required=True, sort=False, states=_states,
        help="How the members bear the loss: each share, each member "
        "or each amount of capital the same.")
    equity_per_share = Monetary(
        "Equity per Share", currency='currency', digits='currency',
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'share',
            'required': Eval('method') == 'share',
            },
        help="The equity of the balance sheet per share.")
    loss_per_share = fields.Function(Monetary(
            "Loss per Share", currency='currency', digits='currency',
            states={
                'invisible': Eval('method') != 'share',
                },
            help="What is missing to the par value."),
        'on_change_with_loss_per_share')
    loss_per_member = Monetary(
        "Loss per Member", currency='currency', digits='currency',
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'head',
            'required': Eval('method') == 'head',
            },
        help="The loss that each member bears.")
    loss_percent = fields.Numeric("Loss Percentage", digits=(None, 4),
        domain=['OR',
            ('loss_percent', '=', None),
            [
                ('loss_percent', '>=', 0),
                ('loss_percent', '<=', 100),
                ],
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'balance',
            'required': Eval('method') == 'balance',
            },
        help="The percentage of the capital that is lost.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", states=_states,
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ('result', '=', 'carried'),
            ],
        help="The resolution of the meeting that approved the value.")
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('fiscalyear_class_unique',
                Unique(t, t.fiscalyear, t.share_class),
                'coop_shares.msg_valuation_unique'),
            ('loss_positive', Check(t,
                    (t.loss_per_member >= 0) & (t.equity_per_share >= 0)),
                'coop_shares.msg_valuation_loss_positive'),
            ]
        cls._transitions |= {
            ('draft', 'approved'),
            ('approved', 'draft'),
            }
        cls._buttons.update({
                'approve': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'draft': {
                    'invisible': Eval('state') != 'approved',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_method(cls):
        return 'share'

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends(
        'method', 'share_class', '_parent_share_class.par_value',
        'equity_per_share')
    def on_change_with_loss_per_share(self, name=None):
        # The reserves do not belong to who leaves
        if (self.method == 'share' and self.share_class
                and self.equity_per_share is not None):
            return max(
                self.share_class.par_value - self.equity_per_share,
                Decimal(0))

    def get_rec_name(self, name):
        return f'{self.share_class.rec_name} @ {self.fiscalyear.rec_name}'

    @classmethod
    def check_modification(
            cls, mode, valuations, values=None, external=False):
        super().check_modification(
            mode, valuations, values=values, external=external)
        if external:
            for valuation in valuations:
                if (valuation.state != 'draft'
                        or values and 'state' in values):
                    raise AccessError(gettext(
                            'coop_shares.msg_document_modify',
                            document=valuation.rec_name,
                            **cls.__names__()))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, valuations):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, valuations):
        pass

    @classmethod
    def get_losses(cls, redemptions):
        "Return the loss of each redemption that has a valuation"
        valuations = {}
        for valuation in cls.search([
                    ('state', '=', 'approved'),
                    ('share_class', 'in', [
                            c.id for c in {
                                r.share_class for r in redemptions}]),
                    ]):
            valuations.setdefault(
                valuation.share_class, []).append(valuation)
        losses, held = {}, {}
        for redemption in redemptions:
            for valuation in valuations.get(redemption.share_class, []):
                fiscalyear = valuation.fiscalyear
                if (fiscalyear.start_date <= redemption.end_date
                        <= fiscalyear.end_date):
                    key = valuation, redemption.end_date
                    if valuation.method == 'head' and key not in held:
                        held[key] = valuation.get_held(
                            redemptions, redemption.end_date)
                    losses[redemption] = valuation.get_loss(
                        redemption, held.get(key))
        return losses

    def get_held(self, redemptions, date):
        "Return the capital of the members that redeem shares on the date"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        holdings = ShareMove.holdings_at(
            self.company, date,
            members=[r.member for r in redemptions if r.end_date == date],
            classes=[self.share_class])
        return {member: amount for (member, _), (_, amount)
            in holdings.items()}

    def get_loss(self, redemption, held):
        """Return the loss the redemption bears.

        `held` is the capital of the members, which a loss by head needs.
        """
        round_ = self.currency.round
        if self.method == 'share':
            return round_(redemption.quantity * self.loss_per_share)
        elif self.method == 'balance':
            return round_(redemption.amount * self.loss_percent / 100)
        # The member's loss for the part of the holding that is redeemed
        amount = held.get(redemption.member.id)
        if amount:
            return round_(self.loss_per_member * redemption.amount / amount)
        return Decimal(0)


class RedemptionGrant(ModelSQL):
    __name__ = 'coop.share.redemption.grant'
    __string__ = "Share Redemption Grant"
    # How many redemptions are granted in one transaction
    _chunk_size = 1000

    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", required=True,
        ondelete='CASCADE')
    quantity = fields.Numeric("Quantity", required=True,
        help="The part of the request that is met.")
    end_date = fields.Date("End Date", required=True,
        help="The last day the shares are held.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('redemption')
        cls._sql_constraints += [
            ('redemption_unique', Unique(t, t.redemption),
                'coop_shares.msg_redemption_grant_unique'),
            ]
        cls._order = [('id', 'ASC')]

    def get_rec_name(self, name):
        return self.redemption.rec_name

    @classmethod
    def check_modification(cls, mode, grants, values=None, external=False):
        super().check_modification(
            mode, grants, values=values, external=external)
        if external:
            raise AccessError(gettext(
                    'coop_shares.msg_document_modify',
                    document=grants[0].rec_name,
                    **cls.__names__()))

    @classmethod
    def get_pending(cls, share_class):
        "Return the grants of an allocation that was interrupted"
        return cls.search([
                ('redemption.share_class', '=', share_class.id),
                ])

    @classmethod
    def carry_out(cls, grants):
        """Grant what is planned, in chunks if it is much.

        What an interruption leaves is pending until the next allocation.
        """
        if not grants:
            return
        if len(grants) <= cls._chunk_size:
            cls.grant(grants)
            return
        with Transaction().set_context(queue_name='coop'):
            for sub_grants in grouped_slice(grants, cls._chunk_size):
                cls.__queue__.grant(list(sub_grants))

    @classmethod
    def grant(cls, grants):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        cls.lock(grants)
        # Another allocation may have granted some of them meanwhile
        grants = cls.search([('id', 'in', [g.id for g in grants])])
        actions, rests = defaultdict(list), []
        for planned in grants:
            redemption = planned.redemption
            if redemption.state != 'approved' or redemption.granted:
                continue
            rest = redemption.quantity - planned.quantity
            key = planned.quantity if rest else None, planned.end_date
            actions[key].append(redemption)
            if rest:
                rests.append(Redemption(
                        company=redemption.company,
                        member=redemption.member,
                        share_class=redemption.share_class,
                        quantity=rest,
                        request_date=redemption.request_date,
                        reason=redemption.reason,
                        split_from=redemption,
                        set_off=redemption.set_off,
                        approved_by=redemption.approved_by,
                        state='approved'))
        Redemption.set_number(rests)
        args = []
        for (quantity, end_date), redemptions in actions.items():
            values = {'granted': True, 'end_date': end_date}
            if quantity:
                values['quantity'] = quantity
            args.extend([redemptions, values])
        if args:
            Redemption.write(*args)
        save_records(rests)
        cls.delete(grants)


class AllocateStart(ModelView):
    __name__ = 'coop.share.redemption.allocate.start'
    __string__ = "Allocate Redemptions"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    end_date = fields.Date("End Date", required=True,
        domain=[
            If(Eval('start_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            If(Eval('last_date', None),
                ('end_date', '<=', Eval('last_date', None)),
                ()),
            ],
        help="The last day the shares are held.")
    start_date = fields.Function(
        fields.Date("Start Date"), 'on_change_with_start_date')
    last_date = fields.Function(
        fields.Date("Last Date"), 'on_change_with_last_date')
    share_classes = fields.Many2Many(
        'coop.share.class', None, None, "Share Classes",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('redeemable', '=', True),
            ['OR',
                ('redemption_cap', '!=', None),
                ('minimum_capital', '!=', None),
                ],
            ],
        help="Leave empty for all with a budget.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('fiscalyear')
    def on_change_with_start_date(self, name=None):
        return self.fiscalyear.start_date if self.fiscalyear else None

    @fields.depends('fiscalyear')
    def on_change_with_last_date(self, name=None):
        return self.fiscalyear.end_date if self.fiscalyear else None

    @fields.depends('fiscalyear')
    def on_change_with_end_date(self, name=None):
        return self.fiscalyear.end_date if self.fiscalyear else None


class AllocatePreview(ModelView):
    __name__ = 'coop.share.redemption.allocate.preview'
    __string__ = "Allocate Redemptions"

    lines = fields.One2Many(
        'coop.share.redemption.allocate.line', None, "Lines", readonly=True)


class AllocateLine(ModelView):
    __name__ = 'coop.share.redemption.allocate.line'
    __string__ = "Allocated Redemption"

    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", readonly=True)
    member = fields.Many2One('coop.member', "Member", readonly=True)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", readonly=True)
    request_date = fields.Date("Request Date", readonly=True)
    quantity_digits = fields.Integer("Quantity Digits", readonly=True)
    requested = fields.Numeric(
        "Requested", digits=(None, Eval('quantity_digits', 0)),
        readonly=True)
    granted = fields.Numeric(
        "Granted", digits=(None, Eval('quantity_digits', 0)), readonly=True)


class Allocate(Wizard):
    __name__ = 'coop.share.redemption.allocate'
    __string__ = "Allocate Redemptions"
    start = StateView(
        'coop.share.redemption.allocate.start',
        'coop_shares.redemption_allocate_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Preview", 'preview', 'tryton-forward', default=True),
            ])
    preview = StateView(
        'coop.share.redemption.allocate.preview',
        'coop_shares.redemption_allocate_preview_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Allocate", 'allocate', 'tryton-ok', default=True),
            ])
    allocate = StateAction('coop_shares.act_redemption_form')

    @classmethod
    def yearly_budget(cls, share_class, fiscalyear):
        "Return the amount the class can redeem in the year, if it is limited"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')

        def capital(date):
            _, amount = ShareMove.holdings_at(
                share_class.company, date, classes=[share_class],
                by=('share_class',)).get((share_class.id,), (0, 0))
            return amount

        budgets = []
        if share_class.redemption_cap is not None:
            budgets.append(
                capital(fiscalyear.start_date - DAY)
                * share_class.redemption_cap / 100)
        if share_class.minimum_capital is not None:
            budgets.append(
                capital(fiscalyear.end_date) - share_class.minimum_capital)
        if budgets:
            return share_class.currency.round(max(min(budgets), Decimal(0)))

    @classmethod
    def remaining_budget(cls, share_class, fiscalyear):
        "Return what is not used of the budget of the year"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareMove = pool.get('coop.share.move')
        redemptions = Redemption.search([
                ('share_class', '=', share_class.id),
                ('end_date', '>=', fiscalyear.start_date),
                ('end_date', '<=', fiscalyear.end_date),
                ['OR',
                    ('state', 'in', ['ended', 'settled', 'paid']),
                    [
                        ('state', '=', 'approved'),
                        ('granted', '=', True),
                        ],
                    ],
                ])
        budgets = []
        if share_class.redemption_cap is not None:
            _, opening = ShareMove.holdings_at(
                share_class.company, fiscalyear.start_date - DAY,
                classes=[share_class], by=('share_class',)).get(
                (share_class.id,), (0, Decimal(0)))
            used = sum(
                r.quantity * share_class.par_value for r in redemptions)
            budgets.append(
                opening * share_class.redemption_cap / 100 - used)
        if share_class.minimum_capital is not None:
            _, capital = ShareMove.holdings_at(
                share_class.company, None,
                classes=[share_class], by=('share_class',)).get(
                (share_class.id,), (0, Decimal(0)))
            granted = sum(
                r.quantity * share_class.par_value for r in redemptions
                if r.state == 'approved')
            budgets.append(
                capital - granted - share_class.minimum_capital)
        return max(min(budgets), Decimal(0))

    def _get_classes(self):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        if self.start.share_classes:
            return list(self.start.share_classes)
        return [
            c for c in ShareClass.search([
                    ('company', '=', self.start.company.id),
                    ('redeemable', '=', True),
                    ])
            if c.budgeted]

    def grant(self):
        "Return the redemptions in the queue with what is granted to each"
        pool = Pool()
        Grant = pool.get('coop.share.redemption.grant')
        granted = {}
        for class_ in self._get_classes():
            grants = Grant.get_pending(class_)
            if grants:
                granted.update((g.redemption, g.quantity) for g in grants)
            else:
                granted.update(self._grant(class_))
        return granted

    def _grant(self, class_):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        redemptions = Redemption.get_queued(class_, self.start.end_date)
        budget = self.remaining_budget(class_, self.start.fiscalyear)
        return grant(
            budget / class_.par_value,
            [(r, r.quantity) for r in redemptions],
            order=class_.redemption_order, unit=class_.unit)

    def default_preview(self, fields):
        lines = []
        for redemption, quantity in self.grant().items():
            lines.append({
                    'redemption': redemption.id,
                    'member': redemption.member.id,
                    'share_class': redemption.share_class.id,
                    'request_date': redemption.request_date,
                    'quantity_digits': redemption.quantity_digits,
                    'requested': redemption.quantity,
                    'granted': quantity,
                    })
        return {'lines': lines}

    def do_allocate(self, action):
        pool = Pool()
        Grant = pool.get('coop.share.redemption.grant')
        # The budget of a class is given once
        classes = self._get_classes()
        claim(classes)
        lock_sequence(self.start.company, 'redemption_sequence')
        grants = []
        for class_ in classes:
            pending = Grant.get_pending(class_)
            if not pending:
                pending = [
                    Grant(
                        redemption=redemption, quantity=quantity,
                        end_date=self.start.end_date)
                    for redemption, quantity in self._grant(class_).items()
                    if quantity]
                save_records(pending)
            grants.extend(pending)
        redemptions = [g.redemption.id for g in grants]
        Grant.carry_out(grants)
        return action, {'res_id': redemptions}


class LapseStart(ModelView):
    __name__ = 'coop.share.redemption.lapse.start'
    __string__ = "Lapse Redemptions"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The date of the accounting moves.")
    lapse_years = fields.Integer("Years", required=True,
        domain=[
            ('lapse_years', '>', 0),
            ],
        help="The number of years after which a claim lapses.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @fields.depends('company')
    def on_change_company(self):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        if self.company:
            self.lapse_years = Configuration(1).get_multivalue(
                'lapse_years', company=self.company.id)

    @classmethod
    def default_lapse_years(cls):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        return Configuration(1).get_multivalue(
            'lapse_years', company=cls.default_company())


class LapseList(ModelView):
    __name__ = 'coop.share.redemption.lapse.list'
    __string__ = "Lapse Redemptions"

    company = fields.Many2One('company.company', "Company", readonly=True)
    candidates = fields.Many2Many(
        'coop.share.redemption', None, None, "Candidates", readonly=True)
    redemptions = fields.Many2Many(
        'coop.share.redemption', None, None, "Redemptions",
        domain=[
            ('id', 'in', Eval('candidates', [])),
            ],
        help="The claims that lapse.\n"
        "Remove those that do not.")


class Lapse(Wizard):
    __name__ = 'coop.share.redemption.lapse'
    __string__ = "Lapse Redemptions"
    start = StateView(
        'coop.share.redemption.lapse.start',
        'coop_shares.redemption_lapse_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("List", 'list', 'tryton-forward', default=True),
            ])
    list = StateView(
        'coop.share.redemption.lapse.list',
        'coop_shares.redemption_lapse_list_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Lapse", 'lapse', 'tryton-ok'),
            ])
    lapse = StateTransition()

    def _get_claims(self):
        "Return by redemption what nobody has collected"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        redemptions = Redemption.search([
                ('company', '=', self.start.company.id),
                ('state', '=', 'settled'),
                ('payment_date', '<=', self.start.date - relativedelta(
                        years=self.start.lapse_years)),
                ('payable_line.reconciliation', '=', None),
                ('payable_line', '!=', None),
                ])
        claims = open_claims(r.payable_line for r in redemptions)
        return {
            r: claims[r.payable_line] for r in redemptions
            if claims[r.payable_line]}

    def default_list(self, fields):
        redemptions = [r.id for r in self._get_claims()]
        return {
            'company': self.start.company.id,
            'candidates': redemptions,
            'redemptions': redemptions,
            }

    def transition_lapse(self):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        redemptions = Redemption.browse(self.list.redemptions)
        lock_members(r.member for r in redemptions)
        claims = self._get_claims()
        # Some may have been paid since they were listed
        redemptions = [r for r in redemptions if r in claims]
        if not redemptions:
            return 'end'
        books = Books(self.start.company)
        for redemption in redemptions:
            class_ = redemption.share_class
            line = redemption.payable_line
            amount = claims[redemption]
            redemption.lapse_move = books.move(self.start.date, [
                    books.line(line.account, amount, party=line.party),
                    books.line(class_.get_account('lapsed'), -amount),
                    ], origin=redemption)
        Books.post([r.lapse_move for r in redemptions])
        save_records(redemptions)
        close_claims({
                r.payable_line: next(
                    line for line in r.lapse_move.lines
                    if line.account == r.payable_line.account)
                for r in redemptions})
        return 'end'


class RedemptionPayment(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    @classmethod
    def _check_cancel(cls, redemptions):
        super()._check_cancel(redemptions)
        for redemption in redemptions:
            line = redemption.payable_line
            if line and any(p.state != 'failed' for p in line.payments):
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_payment',
                        redemption=redemption.rec_name))
