# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.report import Report
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .exceptions import LimitError, ShareOfferValidationError
from .quantity import number


class ShareOffer(ModelSQL, ModelView):
    __name__ = 'coop.share.offer'
    __string__ = "Offer of Shares"

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, ondelete='CASCADE')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    start_date = fields.Date(
        "Start Date", required=True,
        domain=[
            If(Eval('end_date', None),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ],
        help="The first day on which the shares are subscribed.")
    end_date = fields.Date(
        "End Date",
        domain=[
            If(Eval('start_date', None) & Eval('end_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ],
        help="The last day on which the shares are subscribed.\n"
        "Leave empty if it is not known.")
    ceiling = Monetary(
        "Ceiling", currency='currency', digits='currency',
        help="The amount of the shares that are subscribed at most in the "
        "offer.\n"
        "Leave empty for no limit.")
    first_end_date = fields.Date(
        "End of the First Period",
        domain=[
            If(Eval('first_end_date', None) & Eval('start_date', None),
                ('first_end_date', '>=', Eval('start_date', None)),
                ()),
            If(Eval('first_end_date', None) & Eval('end_date', None),
                ('first_end_date', '<=', Eval('end_date', None)),
                ()),
            ],
        states={
            'required': Bool(Eval('first_limit', None)),
            },
        help="The last day on which each member subscribes up to a limit of "
        "its own.")
    first_limit = Monetary(
        "Limit in the First Period", currency='currency', digits='currency',
        states={
            'required': Bool(Eval('first_end_date', None)),
            },
        help="The amount of the shares that each member subscribes at most "
        "in the first period.")
    subscribed = fields.Function(
        Monetary(
            "Subscribed", currency='currency', digits='currency',
            help="The amount of the shares that are subscribed in the offer "
            "and confirmed."),
        'get_subscribed')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('share_class')
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates_order',
                Check(t, (t.end_date == Null) | (t.start_date <= t.end_date)),
                'coop_shares.msg_offer_dates'),
            ('first_end_date',
                Check(t, (t.first_end_date == Null)
                    | ((t.start_date <= t.first_end_date)
                        & ((t.end_date == Null)
                            | (t.first_end_date <= t.end_date)))),
                'coop_shares.msg_offer_dates'),
            ('amounts_positive',
                Check(t, ((t.ceiling == Null) | (number(t.ceiling) > 0))
                    & ((t.first_limit == Null)
                        | (number(t.first_limit) > 0))),
                'coop_shares.msg_offer_amounts_positive'),
            ]
        cls._order = [
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @fields.depends('share_class', '_parent_share_class.currency')
    def on_change_with_currency(self, name=None):
        return self.share_class.currency if self.share_class else None

    def get_rec_name(self, name):
        lang = Pool().get('ir.lang').get()
        return (
            f'{self.share_class.rec_name} @ {lang.strftime(self.start_date)}')

    def get_subscribed(self, name):
        return sum(self.subscribed_by(self.end_date).values(), Decimal(0))

    @classmethod
    def validate_fields(cls, offers, field_names):
        super().validate_fields(offers, field_names)
        if field_names and not (
                field_names & {'share_class', 'start_date', 'end_date'}):
            return
        for offer in offers:
            domain = [
                ('share_class', '=', offer.share_class.id),
                ('id', '!=', offer.id),
                ['OR',
                    ('end_date', '=', None),
                    ('end_date', '>=', offer.start_date),
                    ],
                ]
            if offer.end_date:
                domain.append(('start_date', '<=', offer.end_date))
            others = cls.search(domain, limit=1)
            if others:
                raise ShareOfferValidationError(gettext(
                        'coop_shares.msg_offer_overlap',
                        offer=offer.rec_name,
                        other=others[0].rec_name))

    def is_open(self, date):
        "Return whether the shares are offered on the day"
        return (self.start_date <= date
            and (not self.end_date or date <= self.end_date))

    def subscribed_by(self, date, confirming=()):
        """Return by member what is subscribed in the offer until the date

        And confirmed, or being confirmed.
        """
        Subscription = Pool().get('coop.share.subscription')
        table = Subscription.__table__()
        cursor = Transaction().connection.cursor()
        day = Coalesce(table.subscribed_on, table.date)
        where = (
            (table.share_class == self.share_class.id)
            & table.state.in_(['confirmed', 'paid'])
            & ~Coalesce(table.outside_offer, False)
            & (day >= self.start_date))
        if date:
            where &= day <= date
        if confirming:
            where &= ~fields.SQL_OPERATORS['in'](
                table.id, [s.id for s in confirming])
        query = table.select(
            table.member,
            Sum(table.amount + Coalesce(table.premium, 0)).as_('amount'),
            where=where, group_by=table.member)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        amounts = defaultdict(Decimal)
        for member, amount in cursor:
            amounts[member] = self.currency.round(Decimal(amount))
        for subscription in confirming:
            day = subscription.subscribed_on or subscription.date
            if (subscription.share_class == self.share_class
                    and not subscription.outside_offer
                    and self.start_date <= day
                    and (not date or day <= date)):
                amounts[subscription.member.id] += (
                    subscription.amount + (subscription.premium or 0))
        return amounts

    @classmethod
    def check(cls, subscriptions):
        """Check that the shares subscribed are offered

        A class that has no offers is open, and so is each for what a surplus
        pays.  What is entered again is as good as it was.
        """
        lang = Pool().get('ir.lang').get()
        subscriptions = [
            s for s in subscriptions
            if s.share_class.offers and not s.outside_offer]
        if not subscriptions:
            return
        # Each counts what the others subscribe
        cls.lock({o for s in subscriptions for o in s.share_class.offers})
        by_offer = defaultdict(list)
        for subscription in subscriptions:
            day = subscription.subscribed_on or subscription.date
            offer = next((
                    o for o in subscription.share_class.offers
                    if o.is_open(day)), None)
            corrected = subscription.corrects
            if (not offer and corrected
                    and corrected.share_class == subscription.share_class
                    and corrected.quantity >= subscription.quantity):
                continue
            if not offer:
                raise LimitError(gettext(
                        'coop_shares.msg_offer_closed',
                        subscription=subscription.rec_name,
                        share_class=subscription.share_class.rec_name,
                        date=lang.strftime(day)))
            by_offer[offer].append(subscription)
        for offer, confirming in by_offer.items():
            offer._check(confirming)

    def _check(self, confirming):
        lang = Pool().get('ir.lang').get()

        def format_(amount):
            return Report.format_currency(amount, None, self.currency)
        total = sum(self.subscribed_by(
                self.end_date, confirming=confirming).values())
        if self.ceiling is not None and total > self.ceiling:
            raise LimitError(gettext(
                    'coop_shares.msg_offer_ceiling',
                    offer=self.rec_name,
                    amount=format_(total),
                    ceiling=format_(self.ceiling)))
        first = [
            s for s in confirming
            if self.first_end_date
            and (s.subscribed_on or s.date) <= self.first_end_date]
        if not first:
            return
        amounts = self.subscribed_by(
            self.first_end_date, confirming=confirming)
        for subscription in first:
            amount = amounts[subscription.member.id]
            if amount > self.first_limit:
                raise LimitError(gettext(
                        'coop_shares.msg_offer_first_limit',
                        member=subscription.member.rec_name,
                        offer=self.rec_name,
                        date=lang.strftime(self.first_end_date),
                        amount=format_(amount),
                        limit=format_(self.first_limit)))
