# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the wizards that pay one or many documents share"""
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.wizard import StateTransition

from .exceptions import PaymentError


class PayStartMixin:
    __slots__ = ()

    company = fields.Many2One('company.company', "Company", readonly=True)
    currency = fields.Many2One('currency.currency', "Currency", readonly=True)
    date = fields.Date("Date", required=True)
    payment_method = fields.Many2One(
        'account.invoice.payment.method', "Payment Method", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The cash or the bank account of the cooperative.")
    single = fields.Boolean("Single", readonly=True)
    total = Monetary(
        "Total", currency='currency', digits='currency', readonly=True,
        states={
            'invisible': Eval('single', False),
            })
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


class PayWizard(CheckedWizard):
    pay = StateTransition()

    def default_start(self, fields):
        pool = Pool()
        Date = pool.get('ir.date')
        PaymentMethod = pool.get('account.invoice.payment.method')
        company = self._company
        amounts = self._get_open()
        values = {
            'company': company.id,
            'currency': company.currency.id,
            'date': Date.today(),
            'single': len(self.records) == 1,
            'total': sum(amounts.values()),
            }
        if values['single']:
            values['amount'] = values['total']
        methods = PaymentMethod.search([
                ('company', '=', company.id),
                ], limit=2)
        if len(methods) == 1:
            values['payment_method'] = methods[0].id
        return values

    @property
    def _company(self):
        companies = {r.company for r in self.records}
        if len(companies) != 1:
            raise PaymentError(gettext('coop_shares.msg_payment_companies'))
        company, = companies
        return company

    def _get_open(self):
        "Return what is open of each, but for what is on its way"
        raise NotImplementedError

    @property
    def _amounts(self):
        if len(self.records) == 1:
            return {self.record: self.start.amount}
        return self._get_open()

    def transition_pay(self):
        # Somebody else may have been faster
        self.model.check_step('pay', self.records)
        company, method = self._company, self.start.payment_method
        if method.company != company:
            raise PaymentError(gettext('coop_shares.msg_payment_companies'))
        self._pay(
            self._amounts, company, method, self.start.date,
            description=self.start.description)
        return 'end'

    def _pay(self, amounts, company, method, date, description=None):
        raise NotImplementedError
