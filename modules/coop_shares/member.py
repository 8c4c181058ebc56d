# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_membership.books import SLICE, save_records
from trytond.modules.coop_membership.exceptions import AdmissionError
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, inactive_records

from .document import lock_members


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    holdings = fields.Function(fields.Many2Many(
            'coop.share.holding', None, None, "Holdings"),
        'get_holdings')
    share_quantity = fields.Function(fields.Numeric("Shares",
            help="The shares of all classes that the member holds."),
        'get_shares')
    share_amount = fields.Function(Monetary(
            "Share Capital", currency='currency', digits='currency',
            help="The capital of the shares that the member holds."),
        'get_shares')

    liability = fields.Function(Monetary(
            "Liability", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('liability', 0),
                },
            help="What the member is liable for beyond the shares."),
        'get_liability')

    dividend_choice = fields.Selection([
            ('pay', "Pay Out"),
            ('fill', "Fill Unpaid Shares"),
            ('shares', "New Shares"),
            ], "Use of Dividends", sort=False,
        states={
            'invisible': ~Eval('chooses_dividend', False),
            },
        help="Pay Out: share dividends are paid out.\n"
        "Fill Unpaid Shares: they pay what is unpaid of the shares first.\n"
        "New Shares: what is left buys new shares then.")
    chooses_dividend = fields.Function(
        fields.Boolean("Chooses the Use of Dividends"),
        'on_change_with_chooses_dividend')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._modify_states = {
            state: names | {'dividend_choice'}
            if state in {'applicant', 'member', 'leaving'} else names
            for state, names in cls._modify_states.items()}

    @classmethod
    def default_dividend_choice(cls):
        return 'pay'

    @fields.depends('company')
    def on_change_with_chooses_dividend(self, name=None):
        ShareClass = Pool().get('coop.share.class')
        return bool(self.company and ShareClass.search([
                    ('company', '=', self.company.id),
                    ('dividend_use', '=', 'choice'),
                    ], limit=1))

    @classmethod
    def get_liability(cls, members, name):
        pool = Pool()
        Date = pool.get('ir.date')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        result = dict.fromkeys(map(int, members), 0)
        with inactive_records():
            classes = {
                c.id: c for c in ShareClass.search([
                        ('liability_sum', '!=', None)])}
        for company in {m.company for m in members}:
            for (member, class_), (quantity, _) in ShareMove.holdings_at(
                    company, Date.today(),
                    members=[m for m in members if m.company == company],
                    classes=classes.values()).items():
                result[member] += classes[class_].liability(quantity)
        return result

    @classmethod
    def get_holdings(cls, members, name):
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        holdings = {m.id: [] for m in members}
        for company in {m.company for m in members}:
            with Transaction().set_context(company=company.id):
                for holding in Holding.search([
                            ('member', 'in', [m.id for m in members]),
                            ]):
                    holdings[holding.member.id].append(holding.id)
        return holdings

    @classmethod
    def get_shares(cls, members, names):
        pool = Pool()
        Date = pool.get('ir.date')
        ShareMove = pool.get('coop.share.move')
        result = {name: dict.fromkeys(map(int, members), 0) for name in names}
        for company in {m.company for m in members}:
            holdings = ShareMove.holdings_at(
                company, Date.today(),
                members=[m for m in members if m.company == company],
                by=('member',))
            for (member,), held in holdings.items():
                values = dict(zip(['share_quantity', 'share_amount'], held))
                for name in names:
                    result[name][member] = values[name]
        return result

    @classmethod
    def _admit(cls, members):
        super()._admit(members)
        cls._admit_shares(members)

    @classmethod
    def _admit_shares(cls, members):
        """Confirm what the new members have subscribed as applicants.

        And let them have the shares that are transferred to them.
        """
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        Transfer = pool.get('coop.share.transfer')
        subscriptions, transfers = [], []
        for sub_members in grouped_slice(members, SLICE):
            ids = [m.id for m in sub_members]
            subscriptions.extend(Subscription.search([
                        ('member', 'in', ids),
                        ('state', '=', 'draft'),
                        ]))
            transfers.extend(Transfer.search([
                        ('to_member', 'in', ids),
                        ('state', '=', 'draft'),
                        ]))
        for subscription in subscriptions:
            start_date = subscription.member.memberships[-1].start_date
            if subscription.date < start_date:
                # An offer asks for the day on which it was subscribed
                subscription.subscribed_on = (
                    subscription.subscribed_on or subscription.date)
                subscription.date = start_date
        for transfer in transfers:
            transfer.date = max(
                transfer.date,
                transfer.to_member.memberships[-1].start_date - DAY)
        save_records(subscriptions)
        save_records(transfers)
        Subscription.confirm(subscriptions)
        Transfer.do(transfers)

    def exit_date_after(self, date):
        "Return the first day the rule of the category allows after a notice"
        member = self.__class__(self.id)
        member.notice_date = date
        member.exit_reason = None
        return member._first_exit_date(
            self._fiscalyears(self.company, date))

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def give_notice(cls, members):
        super().give_notice(members)
        cls._redeem(members)

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def exclude(cls, members):
        super().exclude(members)
        cls._redeem(members)

    @classmethod
    def _redeem(cls, members):
        "Request the redemption of all the leaving members hold"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        reasons = {'death': 'death', 'exclusion': 'exclusion'}
        redemptions = []
        by_company = defaultdict(list)
        for member in cls.browse(members):
            # Who transfers the shares does not get them redeemed
            if member.exit_reason != 'transfer':
                by_company[member.company].append(member)
        for company, c_members in by_company.items():
            classes = ShareClass.search([
                    ('company', '=', company.id),
                    ('redeemable', '=', True),
                    ])
            holdings = ShareMove.holdings_at(
                company, None, members=c_members, classes=classes)
            open_ = Redemption.open_quantities(c_members)
            for member in c_members:
                for class_ in classes:
                    key = member.id, class_.id
                    quantity, _ = holdings.get(key, (0, 0))
                    quantity -= open_[key]
                    if quantity <= 0:
                        continue
                    reason = reasons.get(member.exit_reason, 'exit')
                    request_date = member.notice_date
                    if reason == 'exit':
                        # The others may be recorded after their day
                        request_date = min(
                            request_date, member.memberships[-1].end_date)
                    redemptions.append(Redemption(
                            company=company,
                            member=member,
                            share_class=class_,
                            quantity=quantity,
                            request_date=request_date,
                            end_date=member.memberships[-1].end_date,
                            reason=reason))
        save_records(redemptions)

    @classmethod
    @ModelView.button
    @Workflow.transition('member')
    def withdraw_notice(cls, members):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        super().withdraw_notice(members)
        Redemption.cancel(Redemption.search([
                    ('member', 'in', [m.id for m in members]),
                    ('reason', 'in', ['exit', 'death', 'exclusion']),
                    ('state', 'in', ['requested', 'approved']),
                    ]))

    @classmethod
    @ModelView.button
    @Workflow.transition('left')
    def leave(cls, members):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        lock_members(members)
        dates = {m.id: m.memberships[-1].end_date for m in members}
        Redemption.end([
                r for r in Redemption.search([
                        ('member', 'in', list(dates)),
                        ('state', '=', 'approved'),
                        ('end_date', '!=', None),
                        ])
                if not r.queued and r.end_date <= dates[r.member.id]])
        super().leave(members)

    @classmethod
    def exit_blockers(cls, members):
        blockers = super().exit_blockers(members)
        for find in [
                cls._subscription_blockers, cls._transfer_blockers,
                cls._redemption_blockers, cls._holding_blockers]:
            for member, text in find(members):
                blockers[member].append(text)
        return blockers

    @classmethod
    def _subscription_blockers(cls, members):
        "Yield the members with their open subscriptions, and what to do"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        lang = pool.get('ir.lang').get()
        for sub_members in grouped_slice(members, SLICE):
            exit_dates = {
                m.id: m.memberships[-1].end_date for m in sub_members}
            for subscription in Subscription.search([
                        ('member', 'in', list(exit_dates)),
                        ('state', 'in', ['draft', 'confirmed', 'paid']),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                exit_date = exit_dates[subscription.member.id]
                if (subscription.state == 'draft'
                        or (subscription.state == 'confirmed'
                            and subscription.effective == 'payment')
                        or (exit_date and subscription.date > exit_date)):
                    yield subscription.member, gettext(
                        'coop_shares.msg_member_leave_subscription',
                        subscription=subscription.rec_name,
                        date=lang.strftime(subscription.date))

    @classmethod
    def _transfer_blockers(cls, members):
        "Yield the members with their open transfers, and what to do"
        Transfer = Pool().get('coop.share.transfer')
        for sub_members in grouped_slice(members, SLICE):
            ids = {m.id for m in sub_members}
            for transfer in Transfer.search([
                        ('state', '=', 'draft'),
                        ['OR',
                            ('from_member', 'in', list(ids)),
                            ('to_member', 'in', list(ids)),
                            ],
                        ], order=[('id', 'ASC')]):
                for member in {transfer.from_member, transfer.to_member}:
                    if member.id in ids:
                        yield member, gettext(
                            'coop_shares.msg_member_leave_transfer',
                            transfer=transfer.rec_name)

    @classmethod
    def _redemption_blockers(cls, members):
        "Yield the members with redemptions that do not end with them"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        lang = pool.get('ir.lang').get()
        due = []
        for sub_members in grouped_slice(members, SLICE):
            exit_dates = {
                m.id: m.memberships[-1].end_date for m in sub_members}
            for redemption in Redemption.search([
                        ('member', 'in', list(exit_dates)),
                        ('state', '=', 'approved'),
                        ('end_date', '!=', None),
                        ], order=[('end_date', 'ASC'), ('id', 'ASC')]):
                exit_date = exit_dates[redemption.member.id]
                if redemption.queued or not exit_date:
                    continue
                elif redemption.end_date > exit_date:
                    yield redemption.member, gettext(
                        'coop_shares.msg_member_leave_redemption',
                        redemption=redemption.rec_name,
                        date=lang.strftime(redemption.end_date))
                else:
                    due.append(redemption)
        # The others end with the membership
        for redemption, text in Redemption.refusals('end', due).items():
            yield redemption.member, text

    @classmethod
    def _holding_blockers(cls, members):
        "Yield the members with the shares that nobody takes over"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        by_date = defaultdict(list)
        for member in members:
            by_date[member.company, member.memberships[-1].end_date].append(
                member)
        waiting = Redemption.open_quantities(members, states=['approved'])
        for (company, date), d_members in by_date.items():
            holdings = ShareMove.holdings_at(
                company, date + DAY if date else None, members=d_members)
            for (member, class_), (quantity, _) in holdings.items():
                share_class = ShareClass(class_)
                left = quantity - waiting[member, class_]
                if share_class.kind == 'membership' and left > 0:
                    yield cls(member), gettext(
                        'coop_shares.msg_member_leave_shares',
                        quantity=left,
                        share_class=share_class.rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('applicant')
    def undo_admission(cls, members):
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        cls.check_step('undo_admission', members, error=AdmissionError)
        # Applicants have subscribed and paid, which counts from an admission
        Subscription.enter_again(cls._get_subscriptions(members))
        super().undo_admission(members)

    @classmethod
    def _get_subscriptions(cls, members):
        "Return the subscriptions of the members that count"
        Subscription = Pool().get('coop.share.subscription')
        subscriptions = []
        for sub_members in grouped_slice(members, SLICE):
            subscriptions.extend(Subscription.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['confirmed', 'paid']),
                        ]))
        return subscriptions

    @classmethod
    def refusals_undo_admission(cls, members):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        refused = super().refusals_undo_admission(members)
        subscriptions = cls._get_subscriptions(members)
        subscribed = defaultdict(int)
        for subscription in subscriptions:
            if subscription.effective_date:
                subscribed[subscription.member.id] += subscription.quantity
        others = set(Redemption.open_quantities(members))
        for company in {m.company for m in members}:
            for (member,), (quantity, _) in ShareMove.holdings_at(
                    company, None, members=[
                        m for m in members if m.company == company],
                    by=('member',)).items():
                if quantity != subscribed.pop(member, 0):
                    others.add((member, None))
        # What was subscribed is not held any more
        others.update((member, None) for member in subscribed)
        for member, _ in others:
            refused[cls(member)] = gettext(
                'coop_shares.msg_member_undo_shares',
                member=cls(member).rec_name)
        for subscription, reason in Subscription.refusals(
                'correct', subscriptions).items():
            refused[subscription.member] = gettext(
                'coop_shares.msg_member_undo_subscription',
                member=subscription.member.rec_name,
                subscription=subscription.rec_name,
                reason=reason)
        return refused
