# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .usage import SLICE


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, invoices):
        super().cancel(invoices)
        cls._release_charges(
            [i for i in invoices if i.state == 'cancelled'])

    @classmethod
    def _release_charges(cls, invoices):
        "Let the next billing take what is not owed any more"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Usage = pool.get('coop.commons.usage')
        if not invoices:
            return
        charges = Charge.search([
                ('invoice_line.invoice', 'in', [i.id for i in invoices]),
                ])
        for sub_charges in grouped_slice(charges, SLICE):
            sub_charges = Charge.browse(list(sub_charges))
            usages = {c.usage for c in sub_charges}
            Usage.unset_charged(list(usages))
            Charge.write(
                sub_charges, {'billing': None, 'invoice_line': None})


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.commons.billing', 'coop.commons.settlement.line',
            'coop.commons.engagement.billing.line']
