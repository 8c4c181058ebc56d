# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from sql import Null
from sql.conditionals import Coalesce

from trytond.i18n import gettext
from trytond.modules.product import price_digits
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .digits import QUANTITY_DIGITS
from .exceptions import BillingError
from .slices import SLICE, search_slices


class _Charge(NamedTuple):
    id: int
    party: int
    currency: int
    resource: int
    sequence: int
    component: int
    audience: str
    usage: int
    start: Any
    kind: str
    band: int
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    date: Any
    corrects: int
    billing: int
    invoice_line: int

    def round(self, amount):
        return Pool().get('currency.currency')(self.currency).round(amount)

    def reduce(self, amount):
        "Return the charge without a part of its amount"
        rest, quantity = self.amount - amount, Decimal(0)
        if self.amount:
            quantity = self.quantity * rest / self.amount
        elif self.kind == 'price' and self.unit_price:
            # It was billed before
            quantity = rest / self.unit_price
        return self._replace(
            quantity=round(quantity, QUANTITY_DIGITS[1]), amount=rest)


class BillingInvoicing:
    "The invoices of a billing"
    __slots__ = ()

    def leave_out(self, *found):
        """Leave out the parties that no invoice can be sent to

        Return why.  The others do not wait for them, whose charges,
        commitments and contracts, which are taken out of the lists, stay for
        a later billing.
        """
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Party = pool.get('party.party')
        parties = self._get_payers() | {
            d.member.party.id for documents in found for d in documents}
        with Transaction().set_context(company=self.company.id):
            parties = [
                p for p in Party.browse(sorted(parties))
                if not p.address_get(type='invoice')]
        for documents in found:
            documents[:] = [
                d for d in documents if d.member.party not in parties]
        for sub_parties in grouped_slice(parties, SLICE):
            sub_parties = [p.id for p in sub_parties]
            for charges in search_slices(Charge, [
                        ('billing', '=', self.id),
                        ['OR',
                            ('usage.member.party', 'in', sub_parties),
                            ('usage.party', 'in', sub_parties),
                            ],
                        ]):
                Charge.write(charges, {'billing': None})
        return [
            gettext('coop_commons.msg_billing_address', party=p.rec_name)
            for p in parties]

    def _get_payers(self):
        "Return the ids of the parties that the charges are for"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Member = pool.get('coop.member')
        Usage = pool.get('coop.commons.usage')
        charge = Charge.__table__()
        member = Member.__table__()
        usage = Usage.__table__()
        cursor = Transaction().connection.cursor()
        payer = Coalesce(member.party, usage.party)
        cursor.execute(*charge
            .join(usage, condition=charge.usage == usage.id)
            .join(member, 'LEFT', condition=usage.member == member.id)
            .select(
                payer,
                where=(charge.billing == self.id)
                & (usage.cost_center == Null),
                group_by=payer))
        return {id_ for id_, in cursor}

    def create_invoices(self):
        """Create an invoice for each payer and currency

        And for each resource where they are grouped so.
        """
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
        ContractLine = pool.get('coop.commons.contract.line')
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')

        grouped = defaultdict(lambda: defaultdict(list))
        for charge in self._get_charges():
            grouped[self._get_invoice_key(
                    charge.party, charge.currency, charge.resource)][
                self._get_line_key(charge)].append(charge)
        billed = defaultdict(list)
        for line in sorted(
                [*self.contract_lines, *self.commitment_lines],
                key=lambda l: l.start):
            document = line.document
            billed[self._get_invoice_key(
                    document.member.party.id, document.currency.id,
                    document.resource and document.resource.id)
                ].append(line)
        roundings = self.get_roundings({
                self.get_charge_key(charges[0]): charges
                for lines in grouped.values() for charges in lines.values()})
        invoices, lines, ids = [], [], []
        for key in sorted(grouped.keys() | billed.keys()):
            party, currency, _ = key
            invoice = self._get_invoice(party, currency)
            lang = invoice.party.lang
            invoice_lines = []
            # The names are in the language of the party
            with Transaction().set_context(
                    language=lang.code if lang else None):
                for line_key in sorted(grouped[key]):
                    charges = grouped[key][line_key]
                    line = self._get_invoice_line(
                        invoice, charges, roundings.get(
                            self.get_charge_key(charges[0])))
                    if line:
                        invoice_lines.append(line)
                        ids.append([c.id for c in charges])
                for billed_line in billed[key]:
                    line = billed_line.get_invoice_line(invoice)
                    billed_line.invoice_line = line
                    invoice_lines.append(line)
                    ids.append([])
            if invoice_lines:
                invoices.append(invoice)
                lines.extend(invoice_lines)
        for sub_invoices in grouped_slice(invoices, SLICE):
            Invoice.save(list(sub_invoices))
        for sub_lines in grouped_slice(lines, SLICE):
            InvoiceLine.save(list(sub_lines))
        Invoice.update_taxes(Invoice.browse(invoices))
        for line, line_ids in zip(lines, ids):
            for sub_ids in grouped_slice(line_ids, SLICE):
                Charge.write(
                    Charge.browse(list(sub_ids)), {'invoice_line': line.id})
        for Line in [ContractLine, CommitmentLine]:
            for sub_lines in grouped_slice([
                        l for ls in billed.values() for l in ls
                        if isinstance(l, Line)], SLICE):
                Line.save(list(sub_lines))

    def _get_charges(self):
        """Return the charges that are invoiced as rows

        They are without what is covered by a pack.
        """
        return self._search_charges(
            lambda charge, usage: charge.billing == self.id)

    def _search_charges(self, get_where):
        "Return what is invoiced of the charges found, but not if it is none"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        PackUse = pool.get('coop.commons.pack.use')
        Component = pool.get('coop.commons.tariff.component')
        Member = pool.get('coop.member')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')

        charge = Charge.__table__()
        component = Component.__table__()
        member = Member.__table__()
        tariff = Tariff.__table__()
        usage = Usage.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*charge
            .join(usage, condition=charge.usage == usage.id)
            .join(component, condition=charge.component == component.id)
            .join(tariff, condition=component.tariff == tariff.id)
            .join(member, 'LEFT', condition=usage.member == member.id)
            .select(
                charge.id, Coalesce(member.party, usage.party),
                tariff.currency, usage.resource,
                Coalesce(component.sequence, 0), charge.component,
                usage.audience, usage.id, usage.start, charge.kind,
                Coalesce(charge.band, -1), charge.quantity,
                charge.unit_price, charge.amount, charge.date,
                usage.corrects, charge.billing, charge.invoice_line,
                where=get_where(charge, usage)
                & (usage.cost_center == Null),
                order_by=charge.id))
        charges = [_Charge(*row) for row in cursor]
        covered = PackUse.get_covered({c.billing for c in charges})
        return [
            c.reduce(covered[c.id]) if c.id in covered else c
            for c in charges if covered.get(c.id) != c.amount]

    def _get_invoice_key(self, party, currency, resource):
        # A commitment can be for any resource
        if self.grouping != 'resource' or not resource:
            resource = 0
        return party, currency, resource

    def _get_line_key(self, charge):
        key = (
            charge.resource, charge.sequence, charge.component,
            charge.audience, charge.kind == 'subsidy')
        if self.detail == 'usage':
            key += (charge.start, charge.usage)
        elif self.detail == 'price':
            key += (charge.kind, charge.band, charge.unit_price)
        return key

    def _get_invoice(self, party, currency):
        pool = Pool()
        Currency = pool.get('currency.currency')
        Invoice = pool.get('account.invoice')
        return Invoice.get_of_use(
            self.company, party, self.invoice_date, Currency(currency),
            accounting_date=self.accounting_date)

    def _get_invoice_line(self, invoice, charges, rounding=None):
        pool = Pool()
        AnalyticEntry = pool.get('analytic.account.entry')
        Component = pool.get('coop.commons.tariff.component')
        Line = pool.get('account.invoice.line')
        Resource = pool.get('coop.commons.resource')

        amount = invoice.currency.round(
            sum(c.amount for c in charges) + (rounding or 0))
        if not amount:
            return
        charge = charges[0]
        component = Component(charge.component)
        resource = Resource(charge.resource)
        product = self._get_product(component, resource, charge.audience)
        line = Line(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            product=product,
            origin=self,
            use_rounding=rounding or None,
            description=self._get_description(resource, component, charges))
        line.on_change_product()
        if charge.kind == 'subsidy':
            line.account = component.subsidy_account
        self._set_price(line, component.unit, charges, amount)
        line.analytic_accounts = []
        if resource.analytic_account:
            line.analytic_accounts = [AnalyticEntry(
                    root=resource.analytic_account.root,
                    account=resource.analytic_account)]
        return line

    def _get_product(self, component, resource, audience):
        product = component.product or resource.product
        if audience == 'non_member':
            product = resource.non_member_product or product
        if not product:
            raise BillingError(gettext(
                    'coop_commons.msg_billing_product',
                    resource=resource.rec_name))
        return product

    def _set_price(self, line, unit, charges, amount):
        "Set quantity and price if they make the amount, or 1 times it"
        quantities = defaultdict(Decimal)
        for charge in charges:
            if charge.kind != 'included':
                quantities[charge.kind, charge.unit_price] += charge.quantity
        # What is priced anew is not charged by its price before
        prices = [k for k, q in quantities.items() if q] or list(quantities)
        quantity = sum(quantities.values())
        (kind, price), *others = prices
        if kind != 'price':
            unit = None
        if unit:
            quantity = Decimal(str(unit.round(float(quantity))))
        if (others
                or round(price, price_digits[1]) != price
                or line.currency.round(quantity * price) != amount):
            quantity, unit, price = Decimal(1), None, amount
        if unit:
            if unit.category != line.unit.category:
                # The product has given the account and the taxes
                line.product = None
            line.unit = unit
        line.quantity = float(quantity)
        line.unit_price = round(price, price_digits[1])

    def _get_description(self, resource, component, charges):
        pool = Pool()
        Band = pool.get('coop.commons.tariff.band')
        Charge = pool.get('coop.commons.usage.charge')
        Lang = pool.get('ir.lang')
        Usage = pool.get('coop.commons.usage')
        lang = Lang.get()
        charge = charges[0]
        parts = [resource.rec_name, component.name]
        if self.detail == 'usage':
            local = resource.get_local(charge.start)
            parts.append('{} {}'.format(
                    lang.strftime(local.date()), local.strftime('%H:%M')))
            person = Usage(charge.usage).person
            if person:
                parts.append(person.rec_name)
        elif self.detail == 'price' and charge.band != -1:
            parts.append(Band(charge.band).name)
        if charge.kind == 'subsidy' or (
                self.detail == 'price' and charge.kind != 'price'):
            parts.append(Charge(charge.id).kind_string)
        quantity = sum(
            c.quantity for c in charges if c.kind in {'price', 'included'})
        if component.unit and quantity:
            digits = max(-quantity.normalize().as_tuple().exponent, 0)
            parts.append(lang.format_number_symbol(
                    quantity, component.unit, digits=min(digits, 2)))
        return ' - '.join(parts)
