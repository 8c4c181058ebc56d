# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import logging
from collections import defaultdict
from decimal import Decimal

from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_membership.claim import standing_lines, take_back
from trytond.modules.coop_membership.date import LONG_AGO
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Date, Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .banked import BankedMixin
from .document import ShareDocumentMixin, lock_members, move_field
from .exceptions import RedemptionError
from .redemption_agreement import RedemptionAgreement
from .redemption_approval import MANDATORY, RedemptionApproval
from .redemption_end import RedemptionEnd
from .redemption_interest import RedemptionInterest
from .redemption_lapse import RedemptionLapse
from .redemption_payable import CANCELLING, RedemptionPayable
from .redemption_payout import RedemptionPayout
from .redemption_queue import RedemptionQueue
from .redemption_settlement import RedemptionSettlement

logger = logging.getLogger(__name__)
_settlement_fields = {
    'price', 'deduction', 'deduction_reason', 'set_off', 'settlement_date',
    'payment_date', 'payment_term'}


class Redemption(
        RedemptionQueue, RedemptionApproval, RedemptionEnd,
        RedemptionSettlement, RedemptionPayable, RedemptionInterest,
        RedemptionPayout, RedemptionLapse, RedemptionAgreement, BankedMixin,
        ShareDocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.redemption'
    __string__ = "Share Redemption"
    _bank_keyword = 'redemption'
    _bank_name = 'number'
    _bank_sign = -1
    _steps = {
        'approve': (['requested'], 'approved'),
        'refuse': (['requested'], 'refused'),
        'end': (['approved'], 'ended'),
        'settle': (['ended'], 'settled'),
        'pay': (['settled'], None),
        'cancel': (
            ['requested', 'approved', 'ended', 'settled', 'paid'],
            'cancelled'),
        }
    _pending = {'approved': 'end_date'}
    _initial_state = 'requested'
    _sequence = ('coop.share.configuration', 'redemption_sequence')
    _search_names = ('number', 'member.rec_name')
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
            ])
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If((Eval('state') == 'requested')
                & (Eval('reason') != 'forfeiture'),
                ('redeemable', '=', True),
                ()),
            ])
    request_date = fields.Date("Request Date", required=True,
        help="The day that decides on the place in the queue.")
    end_date = fields.Date("End Date",
        states={
            'required': Eval('state').in_(['ended', 'settled', 'paid']),
            },
        help="The last day the member holds the shares.")
    reason = fields.Selection([
            ('partial', "Partial"),
            ('exit', "Exit"),
            ('death', "Death"),
            ('exclusion', "Exclusion"),
            ('hardship', "Hardship"),
            ('forfeiture', "Forfeiture"),
            ], "Reason", required=True, sort=False,
        help="What leads to the redemption.\n"
        "The exit, death or exclusion of a member can not be refused.\n"
        "Shares are forfeited from the call that is not paid.")
    reason_string = reason.translated('reason')
    call_line = fields.Many2One(
        'coop.share.call.line', "Unpaid Call", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('call_line'),
            },
        help="The call for which the shares are forfeited.")
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
        domain=['OR',
            ('price', '=', None),
            ('price', '>=', 0),
            ],
        help="The price of a share.\n"
        "Leave empty for the par value less the loss of the year.")
    deduction = Monetary(
        "Deduction", currency='currency', digits='currency',
        domain=['OR',
            ('deduction', '=', None),
            ('deduction', '>=', 0),
            ],
        help="What the cooperative keeps.")
    deduction_reason = fields.Char("Deduction Reason",
        states={
            'invisible': ~Eval('deduction'),
            'required': Eval('deduction', 0) > 0,
            },
        help="The rule or damage that justifies the deduction.")
    set_off = fields.Boolean("Set Off",
        help="Check to pay with it what the member owes "
        "and should have paid.")
    settlement_date = fields.Date("Settlement Date",
        help="The date of the settlement.\n"
        "Leave empty for today.")
    payment_date = fields.Date("Payment Date",
        help="The day the redemption is to be paid.\n"
        "Leave empty for the one of the share class.")
    payment_term = fields.Many2One(
        'account.invoice.payment_term', "Payment Term", ondelete='RESTRICT',
        states={
            'invisible': (
                ~Eval('in_instalments', False) & ~Eval('payment_term')),
            },
        help="The instalments in which the redemption is paid, from the "
        "payment date on.\n"
        "Leave empty to pay it at once.")
    in_instalments = fields.Function(
        fields.Boolean("In Instalments"), 'on_change_with_in_instalments')
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
    move = move_field('move', "Account Move")
    settle_move = move_field('settle_move', "Settlement Move")
    lapse_move = move_field('lapse_move', "Lapse Move")
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
            ('end_date', Check(t, (t.end_date >= t.request_date)
                    # They may only be recorded after their day
                    | t.reason.in_(['death', 'exclusion'])),
                'coop_shares.msg_redemption_end_before_request'),
            ('forfeiture', Check(t,
                    (t.reason == 'forfeiture') == (t.call_line != Null)),
                'coop_shares.msg_redemption_forfeiture'),
            ('settlement_date', Check(t, t.settlement_date > t.end_date),
                'coop_shares.msg_redemption_settlement_before_claim'),
            ('payment_date', Check(t, t.payment_date >= t.settlement_date),
                'coop_shares.msg_redemption_payment_before_settlement'),
            ]
        cls._sql_indexes.update({
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state.in_(
                        ['requested', 'approved', 'ended', 'settled'])),
                Index(t, (t.company, Index.Range()),
                    (t.request_date, Index.Range()), (t.id, Index.Range())),
                })
        cls._order = [
            ('request_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('settled', 'paid'),
            ('paid', 'settled'),
            }
        cls._buttons['refuse']['readonly'] = Eval('reason').in_(
            sorted(MANDATORY))
        cls._buttons['refuse']['depends'].append('reason')
        cls._buttons['end']['readonly'] = ~Eval('end_date')
        cls._buttons['end']['depends'].append('end_date')
        # If nothing was left to pay
        cls._buttons['cancel']['invisible'] |= (
            (Eval('state') == 'paid') & (Eval('net_amount', 0) != 0))
        cls._buttons['cancel']['depends'].append('net_amount')

    @classmethod
    def default_request_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_reason(cls):
        return 'partial'

    @fields.depends(
        'member', 'share_class', 'request_date', 'reason',
        '_parent_share_class.redemption_cap',
        '_parent_share_class.minimum_capital')
    def on_change_member(self):
        self.end_date = self.first_end_date()

    @fields.depends(
        'share_class', '_parent_share_class.payment_term',
        methods=['on_change_member'])
    def on_change_share_class(self):
        self.on_change_member()
        self.payment_term = (
            self.share_class.payment_term if self.share_class else None)

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

    @fields.depends('company')
    def on_change_with_in_instalments(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'redemption_instalments', company=self.company.id)

    @property
    def own_moves(self):
        "The moves of the claim and of its interest"
        return [
            m for m in [
                self.move, self.settle_move,
                *(r.account_move for r in self.interests)]
            if m]

    @classmethod
    def view_attributes(cls):
        overdue = (
            (Eval('state') == 'settled')
            & (Eval('payment_date', Date()) < Date()))
        waiting = (Eval('state') == 'approved') & ~Eval('end_date')
        return super().view_attributes() + [
            ('/tree', 'visual',
                If(overdue,
                    If(Eval('payment_date', Date()) < LONG_AGO,
                        'danger', 'warning'),
                    If(waiting, 'warning',
                        If(Eval('state').in_(['refused', 'cancelled']),
                            'muted', ''))),
                ['state', 'payment_date', 'end_date']),
            ]

    @property
    def claim(self):
        return self.amount - (self.unpaid_amount or 0)

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
        # A copy is a request of its own, with its own rank in the queue
        default.setdefault('request_date', cls.default_request_date())
        for name in ['end_date', *_settlement_fields]:
            default.setdefault(name)
        return super().copy(redemptions, default=default)

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, redemptions):
        if not redemptions:
            return
        members = {r.member for r in redemptions}
        lock_members(members)
        cls.set_number(redemptions)
        for redemption in redemptions:
            if not redemption.end_date:
                redemption.end_date = redemption.first_end_date()
            if not redemption.payment_term:
                redemption.payment_term = redemption.share_class.payment_term
        cls.check_step('approve', redemptions)
        cls._warn_last_share(redemptions)
        cls._warn_minimum_capital(redemptions)
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
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        cls.check_step('end', redemptions)
        cls._post_end(redemptions)

    @classmethod
    def end_ready(cls, redemptions):
        "End those that can, and return the reasons of the others"
        refused = cls.run_step(
            'end', [r for r in redemptions if r.state == 'approved'])
        for reason in refused.values():
            logger.warning(reason)
        return refused

    @classmethod
    def end_due(cls, date=None):
        """End the approved redemptions of the company whose day has come.

        If they are many in chunks: what is left of them is still approved
        and ends the next time.  Return the reasons of those that can not.
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
            return cls.end_ready(redemptions)
        with Transaction().set_context(queue_name='coop'):
            for sub_redemptions in grouped_slice(
                    redemptions, cls._end_size):
                cls.__queue__.end_ready(list(sub_redemptions))

    @classmethod
    @ModelView.button
    def settle(cls, redemptions):
        cls._settle(redemptions)
        # Nothing has to come for those of which nothing is left
        cls.set_paid([
                r for r in cls.browse(redemptions)
                if r.state == 'settled' and not r.net_amount])

    @classmethod
    @Workflow.transition('settled')
    def _settle(cls, redemptions):
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        cls._post_settlement(redemptions)

    @classmethod
    @ModelView.button_action('coop_shares.wizard_redemption_pay')
    def pay(cls, redemptions):
        pass

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
            r for r in redemptions if r.state in {'ended', 'settled', 'paid'}]
        if not redemptions:
            return
        lock_members(r.member for r in redemptions)
        cls._check_cancel(redemptions)
        for redemption, lines in cls.get_payables(redemptions).items():
            if lines:
                take_back(lines, redemption.end_date + DAY)
        reversals = {}
        for company, c_redemptions in by_company(redemptions):
            books = Books(company)
            for redemption in c_redemptions:
                reversals[redemption.move] = books.reversal(
                    redemption.move, redemption.end_date + DAY)
                if redemption.settle_move:
                    reversals[redemption.settle_move] = books.reversal(
                        redemption.settle_move, redemption.settlement_date)
                for row in redemption.interests:
                    reversals[row.account_move] = books.reversal(
                        row.account_move, row.date)
        Books.post(list(reversals.values()))
        save_records(redemptions)
        cancelling = {CANCELLING: [r.id for r in redemptions]}
        with Transaction().set_context(
                keep_share_payments=True, **cancelling):
            Reconciliation.delete(list({
                        l.reconciliation for m in reversals for l in m.lines
                        if l.reconciliation}))
        Payment.enter_opposite(Payment.search([
                    ('line.move', 'in', [m.id for m in reversals]),
                    ]))
        to_reconcile = []
        for redemption in redemptions:
            lines = defaultdict(list)
            for move in redemption.own_moves:
                for line in [*move.lines, *reversals[move].lines]:
                    if line.account.reconcile:
                        lines[line.account].append(line)
            to_reconcile.extend(lines.values())
        with Transaction().set_context(**cancelling):
            Line.reconcile(*to_reconcile)
        ShareMove.reverse(
            [
                m for r in redemptions for m in r.share_moves
                if not m.reversal_of],
            account_moves=reversals)

    @classmethod
    def _check_cancel(cls, redemptions):
        "Check that nothing is paid, or waived, or on the way to be paid"
        payables = cls.get_payables(redemptions)
        standing = standing_lines({
                l for lines in payables.values() for l in lines})
        for redemption in redemptions:
            if redemption.state == 'paid' and redemption.net_amount:
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_paid',
                        redemption=redemption.rec_name))
            for line in payables[redemption]:
                if line.reconciliation and line in standing[line]:
                    raise RedemptionError(gettext(
                            'coop_shares.msg_redemption_cancel_reconciled',
                            redemption=redemption.rec_name))
