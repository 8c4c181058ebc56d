# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.books import Books
from trytond.pool import Pool
from trytond.transaction import Transaction

from .balance import get_balances
from .exceptions import CancelError, PostError


def is_debt(line):
    "Return whether the line is what a fund owes to its payee"
    return bool(line.party and line.account.reconcile)


class SurplusPosting:
    "Accrue, post and cancel an appropriation"
    __slots__ = ()

    @classmethod
    @ModelView.button
    def accrue(cls, surpluses):
        "Post what is owed for patronage at the end of the year"
        cls.lock(surpluses)
        for surplus in surpluses:
            if surplus.accrual_move or surplus.state != 'computed':
                raise PostError(gettext(
                        'coop_patronage.msg_surplus_accrued',
                        surplus=surplus.rec_name))
            surplus.check_inputs(PostError)
            books = Books(surplus.company)
            lines = surplus._get_due_accruals(books)
            if lines:
                surplus.accrual_move = books.move(
                    surplus.fiscalyear.end_date, lines,
                    origin=surplus, description=surplus.description)
        Books.post([s.accrual_move for s in surpluses])
        for surplus in surpluses:
            surplus.result = surplus.get_result()
        cls.save(surpluses)

    def _get_due_accruals(self, books):
        "Return the lines of what the result bears and is not accrued yet"
        lines = []
        for fund, amount in self._get_borne().items():
            amount -= self._get_fund_accrued(fund)
            if not amount:
                continue
            elif fund:
                # It is due from the day that the surplus is decided on
                lines.append(books.line(
                        fund.expense_account, amount, description=fund.name))
                lines.append(fund.get_line(
                        books, -amount, self.posting_date,
                        description=fund.name))
            else:
                lines.extend(self._get_accrual_lines(books, amount))
        return lines

    def _get_borne(self):
        "Return by fund what the result bears, of patronage under None"
        borne = defaultdict(Decimal)
        if self.recognition != 'appropriation':
            borne[None] = self._get_patronage()
        for line in self.lines:
            if line.given_fund and line.fund.kind == 'expense':
                borne[line.fund] += line.computed_amount
        return borne

    def _get_fund_accrued(self, fund):
        "Return what is accrued of the fund, of patronage if it is None"
        lines = self.accrual_move.lines if self.accrual_move else []
        funds = {
            (l.fund.account, l.fund.payee) for l in self.lines
            if l.given_fund and l.fund.kind == 'expense'}
        return sum((
                l.credit - l.debit for l in lines
                if (l.account == fund.account and l.party == fund.payee
                    if fund else
                    l.account.type.statement == 'balance'
                    and (l.account, l.party) not in funds)), Decimal(0))

    def _get_accrual_lines(self, books, amount):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        account = Configuration.get_account(
            'account_patronage_expense' if self.recognition == 'expense'
            else 'account_patronage_reduction', self.company)
        accrued = Configuration.get_account(
            'account_patronage_accrued', self.company)
        return [books.line(account, amount), books.line(accrued, -amount)]

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, surpluses):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        cls.lock(surpluses)
        Pool_.lock_patrons([p for s in surpluses for p in s.pools])
        for surplus in surpluses:
            surplus._check_post()
            surplus.move = surplus.get_move()
        Books.post([s.move for s in surpluses])
        cls.save(surpluses)
        Pool_.post([p for s in surpluses for p in s.pools])

    def _check_post(self):
        if self.posting_date <= self.fiscalyear.end_date:
            raise PostError(gettext(
                    'coop_patronage.msg_surplus_posting_date_year',
                    surplus=self.rec_name,
                    date=self.posting_date,
                    fiscalyear=self.fiscalyear.rec_name))
        self.check_inputs(PostError)
        self._check_closed()

    def _check_closed(self):
        "Check that the income statement is closed to the surplus account"
        pool = Pool()
        Account = pool.get('account.account')
        with Transaction().set_context(
                fiscalyear=self.fiscalyear.id, date=None, cumulate=False):
            accounts = Account.search([
                    ('company', '=', self.company.id),
                    ('deferral', '=', False),
                    ('type', '!=', None),
                    ('closed', '!=', True),
                    ])
            for account in accounts:
                balance = account.debit - account.credit
                if not self.currency.is_zero(balance):
                    raise PostError(gettext(
                            'coop_patronage.msg_surplus_not_closed',
                            fiscalyear=self.fiscalyear.rec_name,
                            account=account.rec_name,
                            balance=self.format_currency(balance)))
        closed = get_balances(
            self.company, [self.account_surplus],
            lambda move: (move.origin == str(self.fiscalyear))
            & (move.state == 'posted'))[self.account_surplus.id]
        if closed != self.result:
            raise PostError(gettext(
                    'coop_patronage.msg_surplus_closing_amount',
                    fiscalyear=self.fiscalyear.rec_name,
                    account=self.account_surplus.rec_name,
                    closed=self.format_currency(closed),
                    result=self.format_currency(self.result)))

    def get_move(self):
        "Return the unsaved move that appropriates the surplus"
        books = Books(self.company)
        lines = []

        def transfer(account, amount, **values):
            if amount:
                lines.append(books.line(
                        self.account_surplus, amount, **values))
                lines.append(books.line(account, -amount, **values))

        transfer(self.account_brought_forward, -self.brought_forward)
        transfer(self.account_reserve_release, -self.reserve_release)
        borne = self._get_borne()
        for line in self.lines:
            fund = line.given_fund
            if (line.kind == 'patronage' and None in borne
                    or fund and fund in borne):
                continue
            elif fund and line.computed_amount:
                lines.append(books.line(
                        self.account_surplus, line.computed_amount,
                        description=line.name))
                lines.append(fund.get_line(
                        books, -line.computed_amount, self.posting_date,
                        description=line.name))
            elif not fund:
                transfer(
                    line.account, line.computed_amount,
                    description=line.name)
        # What was not accrued is borne by the current year
        differences = self._get_due_accruals(books)
        if differences:
            lines.extend(differences)
            difference = sum(borne.values()) - self.accrued
            line = self.get_carry_forward_line()
            if not line:
                raise PostError(gettext(
                        'coop_patronage.msg_surplus_carry_forward',
                        surplus=self.rec_name))
            transfer(
                line.account, difference, description=line.name)
        if lines:
            return books.move(
                self.posting_date, lines, origin=self,
                description=self.description)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, surpluses):
        pool = Pool()
        Line = pool.get('account.move.line')
        Pool_ = pool.get('coop.patronage.pool')
        cls.lock(surpluses)
        posted = [s for s in surpluses if s.state == 'posted']
        cls._check_dividends(posted)
        cls._check_funds(surpluses)
        Pool_.cancel([p for s in posted for p in s.pools])
        reversals = []
        for surplus in posted:
            books = Books(surplus.company)
            if surplus.move:
                reversals.append(books.reversal(
                        surplus.move, surplus.posting_date))
        for surplus in surpluses:
            if surplus.accrual_move:
                books = Books(surplus.company)
                reversals.append(books.reversal(
                        surplus.accrual_move, surplus.accrual_move.date))
        Books.post(reversals)
        # What funds are owed no more is nothing that is open
        Line.reconcile(*(
                [line.origin, line] for move in reversals
                for line in move.lines if is_debt(line)))

    @classmethod
    def _check_funds(cls, surpluses):
        "Check that nothing is paid or used of what would be taken back"
        taken = defaultdict(Decimal)
        for surplus in surpluses:
            funds = {l.given_fund for l in surplus.lines} - {None}
            for move in [surplus.move, surplus.accrual_move]:
                for line in move.lines if move else []:
                    if is_debt(line) and line.reconciliation:
                        raise CancelError(gettext(
                                'coop_patronage.msg_surplus_cancel_fund',
                                surplus=surplus.rec_name,
                                payee=line.party.rec_name))
                    for fund in funds:
                        if fund.holds(line):
                            taken[fund] += line.credit - line.debit
            for fund in funds:
                # A part that is paid does not reconcile the whole
                if taken[fund] > max(fund.get_balance_at(), 0):
                    raise CancelError(gettext(
                            'coop_patronage.msg_surplus_cancel_fund_used',
                            surplus=surplus.rec_name,
                            fund=fund.rec_name))

    @classmethod
    def _check_dividends(cls, surpluses):
        "Check that no dividend on shares has taken what would be taken back"
        taken = defaultdict(Decimal)
        for surplus in surpluses:
            lines = [l for l in surplus.lines if l.kind == 'share_dividend']
            held = get_balances(
                surplus.company, [l.account for l in lines],
                lambda move: move.state == 'posted')
            for line in lines:
                taken[line.account] += line.computed_amount
                if held[line.account.id] < taken[line.account]:
                    raise CancelError(gettext(
                            'coop_patronage.msg_surplus_cancel_dividend',
                            surplus=surplus.rec_name,
                            account=line.account.rec_name))
