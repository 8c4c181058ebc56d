# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta


def post_invoices(Line, invoices):
    "Post the new invoices of the lines, and link the lines to theirs"
    Invoice = Pool().get('account.invoice')
    Invoice.save(invoices)
    lines = []
    for invoice in invoices:
        for invoice_line in invoice.lines:
            line = invoice_line.origin
            line.invoice_line = invoice_line
            lines.append(line)
    Line.save(lines)
    Invoice.post(invoices)


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.commons.settlement.line',
            'coop.commons.engagement.billing.line']
