# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool, PoolMeta


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @classmethod
    def set_number(cls, invoices):
        cls._set_date_not_allocated(invoices)
        super().set_number(invoices)

    @classmethod
    def _set_date_not_allocated(cls, invoices):
        "Let the credit notes of an allocated year count in the next one"
        pool = Pool()
        Date = pool.get('ir.date')
        Surplus = pool.get('coop.surplus')
        credit_notes = sorted((
                i for i in invoices
                if not i.move and i.untaxed_amount < 0),
            key=lambda i: i.company.id)
        for company, c_invoices in groupby(
                credit_notes, key=lambda i: i.company):
            fiscalyears = sorted(
                Surplus.get_allocated([company])[company],
                key=lambda f: f.start_date)
            for invoice in c_invoices:
                date = moved = (
                    invoice.accounting_date or invoice.invoice_date
                    or Date.today())
                for fiscalyear in fiscalyears:
                    if fiscalyear.start_date <= moved <= fiscalyear.end_date:
                        moved = fiscalyear.end_date + DAY
                if moved != date:
                    invoice.accounting_date = moved


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['coop.patronage.allocation']
