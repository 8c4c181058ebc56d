# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import without_check_access
from trytond.wizard import Button, StateTransition, StateView

from . import rating
from .booking_availability import BLOCKING
from .booking_change import NAMES


class ChangeStart(ModelView):
    __name__ = 'coop.commons.booking.change.start'
    __string__ = "Change Booking"

    company = fields.Many2One('company.company', "Company", readonly=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    booking = fields.Many2One(
        'coop.commons.booking', "Booking", readonly=True, required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    begun = fields.Boolean("Has begun", readonly=True)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('bookable', '=', True),
            ],
        states={
            'readonly': Eval('begun', False),
            })
    quantity = fields.Integer(
        "Seats", required=True,
        domain=[
            ('quantity', '>', 0),
            ],
        states={
            'readonly': Eval('begun', False),
            })
    start = fields.DateTime(
        "Start", required=True,
        states={
            'readonly': Eval('begun', False),
            })
    end = fields.DateTime(
        "End", required=True,
        domain=[
            If(Eval('start') & Eval('end'),
                ('end', '>', Eval('start')),
                ()),
            ])
    price = Monetary(
        "Price until now", currency='currency', digits='currency',
        readonly=True,
        help="The estimate of the booking as it is, with what is booked "
        "together.")
    new_price = fields.Function(Monetary(
            "New Price", currency='currency', digits='currency',
            help="The estimate if the resource is used as booked then, "
            "without what is metered."),
        'on_change_with_new_price')
    fee = fields.Function(Monetary(
            "Fee", currency='currency', digits='currency',
            help="What the tariff charges for what is given back, or for "
            "being late."),
        'on_change_with_fee')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @property
    def _is_complete(self):
        return bool(
            self.booking and self.resource and self.quantity
            and self.start and self.end and self.start < self.end)

    @fields.depends('booking', *NAMES)
    def on_change_with_new_price(self, name=None):
        Booking = Pool().get('coop.commons.booking')
        if not self._is_complete:
            return
        with without_check_access():
            booking = Booking(self.booking.id)
            return sum_prices(
                Booking(
                    company=one.company, member=one.member,
                    party=one.party, cost_center=one.cost_center,
                    **dict(zip(NAMES, change))).on_change_with_estimate()
                for one, change in self.get_changes(booking).items())

    @fields.depends('booking', *NAMES)
    def on_change_with_fee(self, name=None):
        Booking = Pool().get('coop.commons.booking')
        if not self._is_complete:
            return
        with without_check_access():
            booking = Booking(self.booking.id)
            now = Booking._now()
            return sum_prices(
                one.get_price([
                        rating.Usage(
                            u.start, u.end, seats=u.seats, event=u.event,
                            noticed=u.received_at)
                        for u in one.get_change_events(*change, now)])
                for one, change in self.get_changes(booking).items())

    def get_changes(self, booking):
        return booking.get_changes(*(getattr(self, n) for n in NAMES))


def sum_prices(prices):
    "Return the sum of the prices, if there is any"
    prices = [p for p in prices if p is not None]
    return sum(prices) if prices else None


class Change(CheckedWizard):
    __name__ = 'coop.commons.booking.change'
    __string__ = "Change Booking"
    start = StateView(
        'coop.commons.booking.change.start',
        'coop_commons.booking_change_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Change", 'change', 'tryton-ok', default=True),
            ])
    change = StateTransition()

    def default_start(self, fields):
        booking = self.record
        return {
            'company': booking.company.id,
            'booking': booking.id,
            'begun': booking.has_begun(booking._now()),
            'price': sum_prices(
                b.estimate for b in booking.all_together([booking])
                if b.state in BLOCKING),
            'resource': booking.resource.id,
            'quantity': booking.quantity,
            'start': booking.start,
            'end': booking.end,
            }

    def transition_change(self):
        Booking = Pool().get('coop.commons.booking')
        Booking.rebook(
            Booking(self.record.id),
            **{n: getattr(self.start, n) for n in NAMES})
        return 'end'
