# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.transaction import Transaction

from .control_account import get_differences
from .exceptions import DepositError
from .paying import pay_invoices


class DepositPosting:
    "The invoice that asks for a deposit, and the moves that give it back"
    __slots__ = ()

    def get_account(self, name):
        pool = Pool()
        Configuration = pool.get('coop.commons.configuration')
        account = Configuration(1).get_multivalue(
            name, company=self.company.id)
        if not account:
            raise DepositError(gettext(
                    f'coop_commons.msg_{name}',
                    company=self.company.rec_name))
        return account

    def get_invoice(self):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        return Invoice.get_addressed(
            self.company, self.party, self.date, self.currency)

    def get_invoice_line(self, invoice):
        pool = Pool()
        Lang = pool.get('ir.lang')
        Line = pool.get('account.invoice.line')
        lang = invoice.party.lang or Lang.get()
        with Transaction().set_context(language=lang.code):
            description = gettext(
                'coop_commons.msg_deposit_line',
                resource=self.resource.__class__(self.resource.id).rec_name)
        # It is no revenue, and there is no tax on it
        return Line(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            origin=self,
            description=description,
            account=self.account,
            quantity=1,
            unit_price=self.amount)

    @property
    def account_party(self):
        return self.party if self.account.party_required else None

    def post_return(self):
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        Date = pool.get('ir.date')
        Invoice = pool.get('account.invoice')
        company = self.company
        with Transaction().set_context(company=company.id):
            date = self.return_date or Date.today()
            party = self.party.__class__(self.party.id)
        books = Books(company)
        kept = self.kept or Decimal(0)
        rest = self.amount - kept
        # Its own invoice, if it was never paid, and those of the use
        invoices = [
            i for i in [self.invoice_line.invoice] if i.state == 'posted']
        invoices += [
            i for i in Invoice.find_open_use(company, [party])
            if i.amount_to_pay > 0]
        payments = {}
        for invoice in invoices:
            part = min(rest, invoice.amount_to_pay)
            if part > 0:
                payments[invoice] = [(self, part)]
                rest -= part
        moves = pay_invoices(books, date, payments)
        lines = []
        if kept:
            line = books.line(
                self.get_account('deposit_kept_account'), -kept,
                description=self.kept_reason)
            center = self.resource.analytic_account
            line.analytic_lines = []
            if center:
                line.analytic_lines = [AnalyticLine(
                        account=center, date=date, debit=line.debit,
                        credit=line.credit)]
            lines.append(line)
        if rest:
            lines.append(books.line(
                    party.account_payable_used, -rest, party=party,
                    maturity_date=date))
        if lines:
            lines.insert(0, books.line(
                    self.account, kept + rest, party=self.account_party))
            move = books.move(date, lines, origin=self)
            books.post([move])
            moves.append(move)
        self.return_date = moves[0].date

    @property
    def money_account(self):
        return self.account

    @classmethod
    def check_books(cls, company, date):
        "The account of the deposits is what is taken and not given back"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Move = pool.get('account.move')
        differences = super().check_books(company, date)
        table = cls.__table__()
        invoice = Invoice.__table__()
        invoice_line = InvoiceLine.__table__()
        move = Move.__table__()
        cancel_move = Move.__table__()
        taken = (table
            .join(invoice_line,
                condition=table.invoice_line == invoice_line.id)
            .join(invoice, condition=invoice_line.invoice == invoice.id)
            .join(move, condition=invoice.move == move.id)
            .join(cancel_move, 'LEFT',
                condition=invoice.cancel_move == cancel_move.id))
        where = (
            (table.company == company.id)
            # What is cancelled was held until its invoice was
            & (table.state.in_(['taken', 'returned'])
                | (cancel_move.date > date))
            & (move.state == 'posted') & (move.date <= date))
        expected = defaultdict(Decimal, fetch_sums(taken.select(
                    table.account, Sum(table.amount).as_('amount'),
                    where=where, group_by=table.account)))
        for account, amount in fetch_sums(taken.select(
                    table.account, Sum(table.amount).as_('amount'),
                    where=where & (table.state == 'returned')
                    & (table.return_date <= date),
                    group_by=table.account)):
            expected[account] -= amount
        differences.extend(get_differences(
                company, date, expected, 'coop_commons.msg_books_deposit'))
        return differences
