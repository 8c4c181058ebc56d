# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta

from .slices import search_slices


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, invoices):
        super().cancel(invoices)
        cancelled = [i for i in invoices if i.state == 'cancelled']
        cls._release_charges(cancelled)
        cls._cancel_packs(cancelled)

    @classmethod
    def _release_charges(cls, invoices):
        "Let the next billing take what is not owed any more"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
        if not invoices:
            return
        CommitmentLine.delete(CommitmentLine.search([
                    ('invoice_line.invoice', 'in', [i.id for i in invoices]),
                    ]))
        for charges in search_slices(Charge, [
                    ('invoice_line.invoice', 'in', [i.id for i in invoices]),
                    ]):
            Charge.set_usage_state(charges, 'charged', 'rated')
            Charge.write(charges, {'billing': None, 'invoice_line': None})

    @classmethod
    def _cancel_packs(cls, invoices):
        "Cancel the packs that are not sold any more"
        pool = Pool()
        Pack = pool.get('coop.commons.pack')
        if invoices:
            Pack.cancel(Pack.search([
                        ('invoice_line.invoice', 'in',
                            [i.id for i in invoices]),
                        ('state', '=', 'sold'),
                        ]))


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.commons.billing', 'coop.commons.pack']

    @classmethod
    def _account_domain(cls, type_):
        domain = super()._account_domain(type_)
        if type_ == 'out':
            domain = domain + [('type.deferred', '=', True)]
        return domain
