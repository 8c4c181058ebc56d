# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import Transaction


class RulePrepaid:
    "What must be left of prepaid money once all that is booked is paid"
    __slots__ = ()

    prepaid_minimum = Monetary(
        "Prepaid Money", currency='currency', digits='currency',
        help="What must be left of the money that the user has paid in "
        "advance, once all that he has booked and used is paid of it.\n"
        "0 allows no booking without a balance, less than 0 a credit.")
    prepaid_warning = Monetary(
        "Warn below", currency='currency', digits='currency',
        help="The prepaid money that is left, below which the user is "
        "warned.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def _check_prepaid(self, booking, others):
        if self.prepaid_minimum is None:
            return
        left = self._get_prepaid(booking, others)
        if left < self.prepaid_minimum:
            yield gettext(
                'coop_commons.msg_rule_prepaid',
                **self._get_prepaid_values(booking, left),
                limit=self._format_amount(self.prepaid_minimum))

    def _get_prepaid_warnings(self, booking, others):
        if self.prepaid_warning is None or not booking.payer:
            return
        left = self._get_prepaid(booking, others)
        # Else he is refused, or has been warned of it
        if (self.prepaid_minimum or 0) <= left < self.prepaid_warning:
            yield gettext(
                'coop_commons.msg_rule_prepaid_warning',
                **self._get_prepaid_values(booking, left),
                limit=self._format_amount(self.prepaid_warning))

    def _get_prepaid_values(self, booking, left):
        return {
            'rule': self.rec_name,
            'booking': booking.rec_name,
            'party': booking.payer.rec_name,
            'value': self._format_amount(left),
            }

    def _format_amount(self, amount):
        return Report.format_currency(amount, None, self.currency)

    def _get_prepaid(self, booking, others):
        """Return what is left of the prepaid money of the user

        When all of his that is not paid yet, whatever the resource, is paid.
        """
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Invoice = pool.get('account.invoice')
        Pack = pool.get('coop.commons.pack')
        Usage = pool.get('coop.commons.usage')
        payer = booking.payer
        packs = Pack.find_money(self.company, [payer])
        left = sum((p.balance for p in packs[payer]), Decimal(0))
        left -= sum(
            i.amount_to_pay for i in Invoice.find_open_use(
                self.company, [payer]))
        of_payer = [
            ('company', '=', self.company.id),
            ['OR',
                ('member.party', '=', payer.id),
                ('party', '=', payer.id),
                ],
            ]
        bookings = Booking.search([
                of_payer,
                ('id', 'not in', [booking.id, *(b.id for b in others)]),
                ('state', 'in', ['confirmed', 'running']),
                ])
        for booked in [
                *bookings, booking, *(b for b in others if b.payer == payer)]:
            left -= self._add_taxes(
                booked, booked.on_change_with_estimate() or Decimal(0))
        for usage in Usage.search([
                    of_payer,
                    ('state', 'in', ['draft', 'confirmed', 'rated']),
                    self._get_used_domain(),
                    ]):
            left -= self._add_taxes(
                usage, self._get_usage_amount(usage, billed=False))
        return self.currency.round(left)

    def _get_used_domain(self):
        "Return the domain of the usages that no booking counts for"
        return ['OR',
            ('booking', '=', None),
            ('event', '!=', None),
            ('booking.state', 'in', ['done', 'no_show']),
            ]

    def _get_usage_amount(self, usage, billed=True):
        "Return what the usage costs, or what is not billed of it"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Currency = pool.get('currency.currency')
        amount = Decimal(0)
        if usage.charges:
            for charge in usage.charges:
                if (not billed
                        and charge.billing
                        and charge.billing.state == 'posted'):
                    continue
                amount += Currency.compute(
                    charge.currency, charge.amount, self.currency,
                    round=False)
            return amount
        # It has no price yet
        used = Booking(
            company=usage.company, resource=usage.resource,
            member=usage.member, party=usage.party,
            cost_center=usage.cost_center, start=usage.start)
        plans = used.get_plans()
        return used.get_price([usage.get_rating(plans)], plans) or Decimal(0)

    def _add_taxes(self, use, amount):
        "Return the amount with the taxes that its invoice would have"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Tax = pool.get('account.tax')
        resource = use.resource
        product = resource.product
        if not use.member:
            product = resource.non_member_product or product
        if not product or not amount:
            return amount
        payer = use.member.party if use.member else use.party
        with Transaction().set_context(company=self.company.id):
            line = InvoiceLine(
                invoice=Invoice(
                    company=self.company, type='out', party=payer,
                    currency=self.currency),
                company=self.company, currency=self.currency, type='line',
                product=product.__class__(product.id))
            line.on_change_product()
            taxes = Tax.compute(line.taxes or [], amount, 1, use.date)
        return amount + sum(tax['amount'] for tax in taxes)
