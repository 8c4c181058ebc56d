# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.apportionment import apportion
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .exceptions import SettlementError


class SettlementPosting:
    "What a settlement posts in the books beside its invoices"
    __slots__ = ()

    def get_move(self, figures):
        "Return the accrual of the settled year"
        pool = Pool()
        Period = pool.get('account.period')

        date = self.fiscalyear.end_date
        if self.next_year:
            period, date = Period.find_open(self.company, date)
        else:
            period = Period.find(self.company, date=date, test_state=False)
            if period.state != 'open':
                raise SettlementError(gettext(
                        'coop_commons_cost.msg_settlement_closed',
                        settlement=self.rec_name,
                        period=period.rec_name))
        with Transaction().set_context(
                company=self.company.id, date=date):
            amounts = defaultdict(Decimal)
            if not self.next_year:
                if self.treatment == 'carry':
                    amounts[self.get_revenue_account()] += self.difference
                for line in self.lines:
                    if line.payer:
                        amounts[line.revenue_account] += line.amount
            accrued = sum(amounts.values())
            internal = [
                l for l in self.lines if l.cost_center and l.amount]
            if internal:
                account = self.cost_pool.internal_account
                if not account:
                    raise SettlementError(gettext(
                            'coop_commons_cost.msg_settlement_internal_account',
                            settlement=self.rec_name))
                amounts[account] += sum(l.amount for l in internal)
            amounts = {a: amount for a, amount in amounts.items() if amount}
            if not amounts:
                return
            lines = self.get_recovery_lines(amounts, figures, date)
            for line in internal:
                move_line = self.get_move_line(account, -line.amount)
                move_line.analytic_lines = [
                    self.get_analytic_line(
                        line.cost_center.id, -line.amount, date)]
                lines.append(move_line)
            if accrued:
                lines.append(self.get_move_line(
                        self.get_settlement_account(), -accrued))
            return self._get_move(period, date, lines)

    def get_recovery_lines(self, amounts, figures, date):
        """Return the lines that take the amounts from what was recovered

        Each cost centre bears what it has recovered too much, so that it
        closes.
        """
        centers = self.get_centers(figures)
        weights = {c: abs(amount) for c, amount in centers.items()}
        lines = []
        *firsts, last = sorted(amounts.items(), key=lambda a: a[0].id)
        for account, amount in firsts:
            parts = apportion(amount, weights, self.currency.rounding)
            for center, part in parts.items():
                centers[center] -= part
            lines.append((account, amount, parts))
        lines.append((*last, _fill(centers, last[1])))
        result = []
        for account, amount, parts in lines:
            line = self.get_move_line(account, amount)
            line.analytic_lines = [
                self.get_analytic_line(center, part, date)
                for center, part in parts.items() if part]
            result.append(line)
        return result

    def get_centers(self, figures):
        "Return what each cost centre has recovered too much"
        costs, centers = {}, {}
        for center in self.cost_pool.cost_centers:
            costs[center.id] = abs(
                figures.fixed[center.id] + figures.variable[center.id])
            centers[center.id] = figures.charged[center.id] - (
                figures.fixed[center.id] + figures.variable[center.id])
        if figures.overhead:
            if not any(costs.values()):
                costs = dict.fromkeys(costs, 1)
            overhead = apportion(
                figures.overhead, costs, self.currency.rounding)
            for center, amount in overhead.items():
                centers[center] -= amount
        return centers

    def get_settlement_account(self):
        account = self.cost_pool.settlement_account
        if not account:
            raise SettlementError(gettext(
                    'coop_commons_cost.msg_settlement_account',
                    settlement=self.rec_name,
                    cost_pool=self.cost_pool.rec_name))
        return account

    def get_product(self, member=True):
        cost_pool = self.cost_pool
        product = cost_pool.product
        if not member and cost_pool.non_member_product:
            product = cost_pool.non_member_product
        if not product:
            raise SettlementError(gettext(
                    'coop_commons_cost.msg_cost_pool_product',
                    cost_pool=cost_pool.rec_name))
        return product

    def get_revenue_account(self, member=True):
        return self.get_product(member).account_revenue_used

    def get_release_move(self, date):
        """Return the move that uses up the accrual

        It bears the amounts of the credit notes, which are those of the
        accrual.
        """
        pool = Pool()
        Period = pool.get('account.period')
        period, date = Period.find_open(self.company, date)
        account = self.cost_pool.settlement_account
        lines = []
        for line in self.move.lines:
            if line.account == account:
                amount = line.debit - line.credit
                lines.append(self.get_move_line(account, -amount))
            elif line.account != self.cost_pool.internal_account:
                amount = line.debit - line.credit
                move_line = self.get_move_line(line.account, -amount)
                move_line.analytic_lines = [
                    self.get_analytic_line(
                        l.account.id, l.credit - l.debit, date)
                    for l in line.analytic_lines]
                lines.append(move_line)
        return self._get_move(period, date, lines)

    def _get_move(self, period, date, lines):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Move = pool.get('account.move')
        return Move(
            company=self.company,
            origin=self,
            journal=Configuration(1).get_multivalue(
                'journal', company=self.company.id),
            period=period,
            date=date,
            lines=lines)

    def get_move_line(self, account, amount):
        "Return the line that debits the amount"
        pool = Pool()
        Line = pool.get('account.move.line')
        return Line(
            account=account,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)))

    def get_analytic_line(self, center, amount, date):
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        return AnalyticLine(
            account=center,
            date=date,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)))

    @property
    def accrued(self):
        account = self.cost_pool.settlement_account
        return sum((
                l.credit - l.debit for l in self.move.lines
                if l.account == account), Decimal(0))

    @classmethod
    def check_books(cls, company, date):
        "Compare what is to be returned or called with its account"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        cursor = Transaction().connection.cursor()
        differences = super().check_books(company, date)

        expected, records = defaultdict(Decimal), {}
        for settlement in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('move.date', '<=', date),
                    ]):
            account = settlement.cost_pool.settlement_account
            records[account] = settlement
            release = settlement.release_move
            if not release or release.date > date:
                expected[account] += settlement.accrued

        accounts = list(records)
        found = dict.fromkeys((a.id for a in accounts), Decimal(0))
        if accounts:
            line, move = Line.__table__(), Move.__table__()
            query = line.join(move, condition=line.move == move.id).select(
                line.account, Sum(line.credit - line.debit).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    line.account, [a.id for a in accounts])
                & (move.state == 'posted')
                & (move.date <= date),
                group_by=line.account)
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            found.update(cursor)
        for account in accounts:
            amount = account.company.currency.round(found[account.id])
            if amount != expected[account]:
                differences.append(Difference(
                        records[account],
                        gettext('coop_commons_cost.msg_check_settlement',
                            account=account.rec_name),
                        expected[account], amount))
        return differences

    @classmethod
    def excluded_moves(cls, cost_pool):
        """Return the queries of the moves that settle the cost pool

        What is settled is not the recovery that it is computed from, but
        what was carried into a year is.
        """
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Line = pool.get('coop.commons.settlement.line')
        table, line = cls.__table__(), Line.__table__()
        invoice, invoice_line = Invoice.__table__(), InvoiceLine.__table__()
        of_pool = table.cost_pool == cost_pool
        yield table.select(
            table.move, where=of_pool & (table.move != Null))
        yield table.select(
            table.release_move,
            where=of_pool & (table.treatment == 'settle')
            & (table.release_move != Null))
        yield (table
            .join(line, condition=line.settlement == table.id)
            .join(invoice_line,
                condition=line.invoice_line == invoice_line.id)
            .join(invoice, condition=invoice_line.invoice == invoice.id)
            .select(invoice.move,
                where=of_pool & (invoice.move != Null)))


def _fill(centers, amount):
    "Return the parts of the cost centres, of which the first takes the rest"
    parts = dict(centers)
    rest = amount - sum(parts.values())
    if rest:
        parts[min(parts)] += rest
    return parts
