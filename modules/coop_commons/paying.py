# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Pay invoices of the money that the cooperative holds of their party."""
from trytond.i18n import gettext
from trytond.pool import Pool

__all__ = ['get_receivable', 'pay_invoices']


def pay_invoices(books, date, payments):
    """Post a move for each invoice, reconcile those paid, return the moves

    `payments` are by invoice the documents that hold the money, each with
    the amount that it pays, or gets back of a credit note.
    """
    pool = Pool()
    Invoice = pool.get('account.invoice')
    Line = pool.get('account.move.line')

    def describe(invoice, document):
        return books.translate(lambda: gettext(
                'coop_commons.msg_paid_of',
                invoice=invoice.number,
                document=document.__class__(document.id).subject))

    moves = []
    for invoice, parts in payments.items():
        amount = sum(part for _, part in parts)
        origin = parts[0][0]
        moves.append(books.move(date, [
                    books.line(
                        invoice.account, -amount, party=invoice.party),
                    *(books.line(
                            document.money_account, part,
                            party=document.account_party)
                        for document, part in parts)],
                origin=origin, description=describe(invoice, origin)))
    books.post(moves)
    Invoice.add_payment_lines({
            invoice: [get_receivable(move, invoice)]
            for invoice, move in zip(payments, moves)})
    groups = []
    for invoice in Invoice.browse(payments):
        lines = [
            l for l in [*invoice.lines_to_pay, *invoice.payment_lines]
            if not l.reconciliation]
        if not sum(l.debit - l.credit for l in lines):
            groups.append(lines)
    Line.reconcile(*groups)
    return moves


def get_receivable(move, invoice):
    "Return the line of the move that pays the invoice"
    line, = [l for l in move.lines if l.account == invoice.account]
    return line
