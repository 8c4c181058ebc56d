# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView
from trytond.wizard import Button, StateView

from .pay_wizard import PayStartMixin, PayWizard


class PayRedemptionStart(PayStartMixin, ModelView):
    __name__ = 'coop.share.redemption.pay.start'
    __string__ = "Pay Share Redemption"


class PayRedemption(PayWizard):
    __name__ = 'coop.share.redemption.pay'
    __string__ = "Pay Share Redemption"
    start = StateView(
        'coop.share.redemption.pay.start',
        'coop_shares.redemption_pay_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Pay", 'pay', 'tryton-ok', default=True),
            ])

    def _get_open(self):
        return self.model.get_next_amounts(self.records)

    def _pay(self, amounts, *args, **kwargs):
        self.model.pay_out(amounts, *args, **kwargs)
