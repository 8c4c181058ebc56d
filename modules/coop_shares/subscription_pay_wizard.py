# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.model import ModelView
from trytond.pool import Pool
from trytond.wizard import Button, StateView

from .pay_wizard import PayStartMixin, PayWizard


class PayStart(PayStartMixin, ModelView):
    __name__ = 'coop.share.subscription.pay.start'
    __string__ = "Pay Share Subscription"


class Pay(PayWizard):
    __name__ = 'coop.share.subscription.pay'
    __string__ = "Pay Share Subscription"
    start = StateView(
        'coop.share.subscription.pay.start',
        'coop_shares.subscription_pay_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Pay", 'pay', 'tryton-ok', default=True),
            ])

    def _get_open(self):
        coming = self.model.on_its_way(list(self.records))
        open_ = {s: s.amount_to_pay - coming[s] for s in self.records}
        due = {
            s: max(amount - s.uncalled_amount, Decimal(0))
            for s, amount in open_.items()}
        # What is not called is only paid in advance if somebody says so
        if len(due) == 1 and not any(due.values()):
            return open_
        return due

    def _pay(self, amounts, *args, **kwargs):
        Payment = Pool().get('coop.share.subscription.payment')
        Payment.pay(amounts, *args, **kwargs)
