# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.wizard import Button, StateTransition, StateView

from .exceptions import PaymentError


class PayStart(ModelView):
    __name__ = 'coop.share.subscription.pay.start'
    __string__ = "Pay Share Subscription"

    company = fields.Many2One('company.company', "Company", readonly=True)
    currency = fields.Many2One('currency.currency', "Currency", readonly=True)
    date = fields.Date("Date", required=True)
    payment_method = fields.Many2One(
        'account.invoice.payment.method', "Payment Method", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    single = fields.Boolean("Single", readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        domain=[
            If(Eval('single', False), ('amount', '>', 0), ()),
            ],
        states={
            'invisible': ~Eval('single', False),
            'required': Eval('single', False),
            })
    description = fields.Char("Description")


class Pay(CheckedWizard):
    __name__ = 'coop.share.subscription.pay'
    __string__ = "Pay Share Subscription"
    start = StateView(
        'coop.share.subscription.pay.start',
        'coop_shares.subscription_pay_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Pay", 'pay', 'tryton-ok', default=True),
            ])
    pay = StateTransition()

    def default_start(self, fields):
        pool = Pool()
        Date = pool.get('ir.date')
        PaymentMethod = pool.get('account.invoice.payment.method')
        companies = {s.company for s in self.records}
        if len(companies) > 1:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_companies'))
        company = next(iter(companies))
        values = {
            'company': company.id,
            'currency': company.currency.id,
            'date': Date.today(),
            'single': len(self.records) == 1,
            }
        if values['single']:
            values['amount'] = self.record.amount_to_pay
        methods = PaymentMethod.search([
                ('company', '=', company.id),
                ], limit=2)
        if len(methods) == 1:
            values['payment_method'] = methods[0].id
        return values

    def transition_pay(self):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        company, = {s.company for s in self.records}
        method = self.start.payment_method
        if method.company != company:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_companies'))
        # Somebody else may have been faster
        self.model.check_step('pay', self.records)
        amounts = {}
        for subscription in self.records:
            if len(self.records) == 1:
                amounts[subscription] = self.start.amount
            else:
                amounts[subscription] = subscription.amount_to_pay
        Payment.pay(
            amounts, company, method, self.start.date,
            description=self.start.description)
        return 'end'
