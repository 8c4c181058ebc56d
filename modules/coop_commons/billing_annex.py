# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .slices import SLICE


class Row(NamedTuple):
    usage: Any
    start: Any
    amount: Decimal
    covered: Decimal


class Page(NamedTuple):
    document: Any
    party: Any
    currency: Any
    rows: list

    @property
    def amount(self):
        return sum((r.amount for r in self.rows), Decimal(0))

    @property
    def covered(self):
        return sum((r.covered for r in self.rows), Decimal(0))


class BillingAnnex(CompanyReport):
    "List every use that a billing charges, by payer"
    __name__ = 'coop.commons.billing.annex'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        context['pages'] = [
            page for record in records
            for page in cls.get_pages(record)]
        return context

    @classmethod
    def get_pages(cls, billing):
        return cls._get_pages(billing, billing)

    @classmethod
    def _get_pages(cls, document, billing, party=None):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        PackUse = pool.get('coop.commons.pack.use')
        domain = [
            ('billing', '=', billing.id),
            ('usage.cost_center', '=', None),
            ]
        if party:
            domain.append(['OR',
                    ('usage.member.party', '=', party.id),
                    ('usage.party', '=', party.id),
                    ])
        ids = [c.id for c in Charge.search(domain, order=[])]
        covered = PackUse.get_covered([billing])
        pages = defaultdict(lambda: defaultdict(lambda: [Decimal(0)] * 2))
        for sub_ids in grouped_slice(ids, SLICE):
            for charge in Charge.browse(list(sub_ids)):
                usage = charge.usage
                amounts = pages[usage.payer, charge.currency][usage]
                amounts[0] += charge.amount
                amounts[1] += covered.get(charge.id, Decimal(0))
        return [
            Page(document, payer, currency, [
                    Row(usage, usage.resource.get_local(usage.start),
                        *amounts)
                    for usage, amounts in sorted(
                        usages.items(),
                        key=lambda item: (item[0].start, item[0].id))])
            for (payer, currency), usages in sorted(
                pages.items(),
                key=lambda item: (item[0][0].id, item[0][1].id))]


class InvoiceAnnex(BillingAnnex):
    __name__ = 'coop.commons.invoice.annex'

    @classmethod
    def get_pages(cls, invoice):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billings = {
            line.origin for line in invoice.lines
            if isinstance(line.origin, Billing)}
        return [
            page for billing in sorted(billings, key=lambda b: b.id)
            for page in cls._get_pages(invoice, billing, invoice.party)]
