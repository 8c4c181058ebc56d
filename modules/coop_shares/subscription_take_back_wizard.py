# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.currency.fields import Monetary
from trytond.pyson import Eval
from trytond.wizard import Button, StateTransition, StateView

from .exceptions import PaymentError


class TakeBackStart(ModelView):
    __name__ = 'coop.share.subscription.payment.take_back.start'
    __string__ = "Take Back Share Subscription Payment"

    currency = fields.Many2One('currency.currency', "Currency", readonly=True)
    left = Monetary(
        "Paid", currency='currency', digits='currency', readonly=True,
        help="What has not been taken back of the payment.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        domain=[
            ('amount', '>', 0),
            ('amount', '<=', Eval('left', 0)),
            ],
        help="The part of the payment that is taken back.\n"
        "To correct a payment, take it back and enter the right one.")
    date = fields.Date("Date", required=True,
        help="The day from which on it is not paid any more.\n"
        "Keep the day of the payment if it never came.")


class TakeBack(CheckedWizard):
    __name__ = 'coop.share.subscription.payment.take_back'
    __string__ = "Take Back Share Subscription Payment"
    start = StateView(
        'coop.share.subscription.payment.take_back.start',
        'coop_shares.subscription_payment_take_back_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Take Back", 'take_back', 'tryton-ok', default=True),
            ])
    take_back = StateTransition()

    def default_start(self, fields):
        reason = self.record.refuse_release()
        if reason:
            raise PaymentError(reason)
        return {
            'currency': self.record.currency.id,
            'left': self.record.left,
            'amount': self.record.left,
            'date': self.record.date,
            }

    def transition_take_back(self):
        self.model.take_back_part(
            self.record, self.start.amount, self.start.date)
        return 'end'
