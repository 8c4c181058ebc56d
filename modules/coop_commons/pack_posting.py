# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool

from .control_account import get_differences


class PackPosting:
    "What a pack posts in the books beside its invoice"
    __slots__ = ()

    def get_expiry_move(self):
        books = Books(self.company)
        return books.move(self.end_date + dt.timedelta(days=1), [
                books.line(
                    self.offer.deferred_account, self.balance,
                    party=self.party),
                books.line(self.offer.expiry_account, -self.balance),
                ],
            origin=self)

    @property
    def account_party(self):
        if self.offer.deferred_account.party_required:
            return self.party

    @classmethod
    def check_books(cls, company, date):
        """The deferred revenue is what was paid for packs that are neither
        used nor expired"""
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Move = pool.get('account.move')
        Offer = pool.get('coop.commons.pack.offer')
        Use = pool.get('coop.commons.pack.use')
        differences = super().check_books(company, date)
        table = cls.__table__()
        invoice = Invoice.__table__()
        invoice_line = InvoiceLine.__table__()
        move = Move.__table__()
        cancel_move = Move.__table__()
        offer = Offer.__table__()
        use = Use.__table__()
        posted = (move.state == 'posted') & (move.date <= date)

        def get_amounts(query):
            return defaultdict(Decimal, fetch_sums(query))

        packs = table.join(offer, condition=table.offer == offer.id)
        where = posted & (table.company == company.id)
        expected = get_amounts(packs
            .join(invoice_line,
                condition=table.invoice_line == invoice_line.id)
            .join(invoice, condition=invoice_line.invoice == invoice.id)
            .join(move, condition=invoice.move == move.id)
            .join(cancel_move, 'LEFT',
                condition=invoice.cancel_move == cancel_move.id)
            .select(
                offer.deferred_account, Sum(table.price).as_('amount'),
                # What is cancelled was sold until its invoice was
                where=where & (
                    (table.state == 'sold') | (cancel_move.date > date)),
                group_by=offer.deferred_account))
        released = get_amounts(packs
            .join(use, condition=use.pack == table.id)
            .join(move, condition=use.move == move.id)
            .select(
                offer.deferred_account, Sum(use.value).as_('amount'),
                where=where,
                group_by=offer.deferred_account))
        for account in expected:
            expected[account] -= released[account]
        differences.extend(get_differences(
                company, date, expected, 'coop_commons.msg_books_pack'))
        return differences
