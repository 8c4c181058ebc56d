# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.company import CompanyReport
from trytond.modules.coop_membership.document import (
    LedgerMixin, SearchMixin, set_numbers)
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .exceptions import CertificateError
from .quantity import QuantityMixin


class Certificate(
        QuantityMixin, SearchMixin, LedgerMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.certificate'
    __string__ = "Share Certificate"
    _sequence = ('coop.share.configuration', 'certificate_sequence')
    _rec_name = 'number'
    _search_names = ('number', 'member.rec_name')
    _sequence = ('coop.share.configuration', 'certificate_sequence')

    number = fields.Char("Number", required=True, readonly=True)
    company = fields.Many2One(
        'company.company', "Company", required=True, readonly=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    date = fields.Date("Date", required=True, readonly=True)
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", required=True,
        readonly=True, ondelete='RESTRICT')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, readonly=True,
        ondelete='RESTRICT')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)),
        required=True, readonly=True)
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True)
    held_since = fields.Date("Held since", required=True, readonly=True,
        help="The first day of the shares.")
    replaces = fields.Many2One(
        'coop.share.certificate', "Replaces", readonly=True,
        ondelete='RESTRICT',
        help="The certificate that was lost.")

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('number_unique', Unique(t, t.company, t.number),
                'coop_membership.msg_document_number_unique'),
            ('replaces_unique', Unique(t, t.replaces),
                'coop_shares.msg_certificate_replaced'),
            ]
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._buttons.update({
                'issue_again': {},
                })

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def issue(cls, certificates):
        "Number and save the certificates"
        set_numbers(certificates, cls._sequence)
        cls.save(certificates)

    @classmethod
    @ModelView.button
    def issue_again(cls, certificates):
        pool = Pool()
        Date = pool.get('ir.date')
        copies = []
        for certificate in certificates:
            with Transaction().set_context(company=certificate.company.id):
                today = Date.today()
            copies.append(cls(
                    company=certificate.company,
                    date=today,
                    subscription=certificate.subscription,
                    member=certificate.member,
                    share_class=certificate.share_class,
                    quantity=certificate.quantity,
                    par_value=certificate.par_value,
                    amount=certificate.amount,
                    held_since=certificate.held_since,
                    replaces=certificate))
        cls.issue(copies)

    @classmethod
    def certify(cls, subscriptions):
        "Issue the certificates of the paid subscriptions that have none"
        pool = Pool()
        Date = pool.get('ir.date')
        certified = {
            c.subscription for c in cls.search([
                    ('subscription', 'in', [s.id for s in subscriptions]),
                    ])}
        certificates = []
        for subscription in subscriptions:
            if subscription.state != 'paid':
                raise CertificateError(gettext(
                        'coop_shares.msg_certificate_paid',
                        subscription=subscription.rec_name))
            if subscription in certified:
                continue
            released = defaultdict(Decimal)
            for payment in subscription.payments:
                if payment.redemption:
                    released[payment.redemption] += payment.amount
            for redemption, amount in released.items():
                if amount:
                    raise CertificateError(gettext(
                            'coop_shares.msg_subscription_certify_released',
                            subscription=subscription.rec_name,
                            redemption=redemption.rec_name))
            with Transaction().set_context(company=subscription.company.id):
                today = Date.today()
            certificates.append(cls(
                    company=subscription.company,
                    date=today,
                    subscription=subscription,
                    member=subscription.member,
                    share_class=subscription.share_class,
                    quantity=subscription.quantity,
                    par_value=subscription.share_class.par_value,
                    amount=subscription.amount,
                    held_since=subscription.effective_date))
        cls.issue(certificates)


class CertificateReport(CompanyReport):
    __name__ = 'coop.share.certificate'
