# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal as D
from unittest.mock import Mock, patch

from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_patronage.exceptions import CancelError, FundError
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.modules.coop_shares.exceptions import DividendError
from trytond.modules.coop_shares.tests.case import (
    END, START, create_payment_method, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class FundTestCase(PatronageDocuments, PatronageTestCase):
    "Test what a surplus gives to funds is owed, due, used and paid"

    @contextmanager
    def in_company(self):
        Party = Pool().get('party.party')
        self.company = create_company()
        with set_company(self.company), \
                patch.object(Transaction, 'lock_table', Mock()), \
                patch.object(Transaction, 'lock_records', Mock()):
            self.prepare_documents(self.company)
            self.payee, = Party.create([{'name': "Federation"}])
            yield

    def _check(self, date):
        "Return the differences, but for the equity that nobody paid"
        return [
            d for d in check_books(self.company, date)
            if d.record != self._equity.account_capital]

    def _create_fund(self, kind, **values):
        Fund = Pool().get('coop.fund')
        fund = Fund(
            company=self.company, name="Mutual Fund", kind=kind,
            account=get_account(self.company, "Funds Owed"),
            payee=self.payee, **values)
        fund.save()
        return fund

    def _create_surplus(self, *lines, **values):
        "Return a draft of lines of kind, basis, rate and fund"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        surplus = self._make_surplus()
        surplus.pools = []
        surplus.rules = []
        surplus.save()
        surplus.lines = [
            Line(
                name=kind, kind=kind, basis=basis, rate=rate, fund=fund,
                account=None if fund
                else Line.get_account(kind, self.company))
            for kind, basis, rate, fund in lines]
        for name, value in values.items():
            setattr(surplus, name, value)
        surplus.save()
        return surplus

    def _use(self, fund, date, amount, **values):
        FundUse = Pool().get('coop.fund.use')
        use = FundUse(
            company=self.company, fund=fund, date=date, amount=amount,
            purpose="As resolved", **values)
        use.save()
        return use

    def _debts(self, fund):
        "Return what the payee was given, the oldest first"
        Line = Pool().get('account.move.line')
        return Line.search([
                ('account', '=', fund.account.id),
                ('party', '=', fund.payee.id),
                ('credit', '>', 0),
                ], order=[('id', 'ASC')])

    @with_transaction()
    def test_liability(self):
        "Test the 3 % of a mutual fund are owed to it until they are paid"
        pool = Pool()
        Fund = pool.get('coop.fund')
        FundUse = pool.get('coop.fund.use')
        Surplus = pool.get('coop.surplus')
        with self.in_company():
            method = create_payment_method(self.company)
            fund = self._create_fund('liability', due_months=6)
            # 100.00 brought forward, of which 3 %: l. 59/1992 art. 11
            surplus = self._create_surplus(
                ('fund', 'remainder', D('0.03'), fund),
                ('carry_forward', 'remainder', None, None))
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            Surplus.post([surplus])
            date = surplus.posting_date
            debt, = self._debts(fund)
            self.assertEqual(
                (debt.credit, debt.party, debt.date, debt.maturity_date),
                (D('3.00'), self.payee, date, dt.date(date.year, 11, 1)))
            self.assertEqual(Fund(fund.id).balance, D('3.00'))
            self.assertEqual(self._check(date), [])

            # It gives no more than it has, also not in two parts or before
            for amounts, day in [
                    (['3.01'], date), (['2.00', '1.01'], date),
                    (['3.00'], date - dt.timedelta(days=1))]:
                uses = [
                    self._use(fund, day, D(a), payment_method=method)
                    for a in amounts]
                with self.subTest(amounts=amounts, day=day), \
                        self.assertRaises(FundError):
                    FundUse.post(uses)
                FundUse.delete(uses)

            # A part that is paid is not taken back either
            use = self._use(fund, date, D('1.00'), payment_method=method)
            FundUse.post([use])
            with self.assertRaisesRegex(CancelError, "Mutual Fund"):
                Surplus.cancel([Surplus(surplus.id)])
            FundUse.cancel([use])

            # What it is owed stays where it is
            for name, value in [
                    ('payee', self.company.party),
                    ('kind', 'expense')]:
                with self.subTest(name=name), self.assertRaises(AccessError):
                    Fund.write([fund], {name: value})
            Fund.write([fund], {'name': fund.name, 'kind': fund.kind})

            use = self._use(fund, date, D('3.00'), payment_method=method)
            FundUse.post([use])
            self.assertTrue(debt.__class__(debt.id).reconciliation)
            self.assertEqual(use.move.journal, method.journal)
            self.assertEqual(
                {l.description_used or l.move_description_used
                    for l in use.move.lines}, {"Mutual Fund As resolved"})
            self.assertEqual(Fund(fund.id).balance, 0)
            with self.assertRaisesRegex(CancelError, "Federation"):
                Surplus.cancel([Surplus(surplus.id)])

            # What was paid by mistake is owed again
            FundUse.cancel([FundUse(use.id)])
            self.assertFalse(debt.__class__(debt.id).reconciliation)
            self.assertEqual(Fund(fund.id).balance, D('3.00'))
            Surplus.cancel([Surplus(surplus.id)])
            self.assertTrue(debt.__class__(debt.id).reconciliation)
            self.assertEqual(Fund(fund.id).balance, 0)
            self.assertEqual(self._check(date), [])

    @with_transaction()
    def test_withholding(self):
        "Test the tax withheld is owed to its authority, due and paid"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        FundUse = pool.get('coop.fund.use')
        Surplus = pool.get('coop.surplus')
        with self.in_company():
            method = create_payment_method(self.company)
            # Until the 10th of the month that follows
            fund = self._create_fund('liability', due_months=1, due_day=10)
            configuration = Configuration(1)
            configuration.withholding_fund = fund
            configuration.save()
            surplus = self._make_surplus()
            pool_, = surplus.pools
            # 80.00 for two, of each 20.00 in money, of which 25 %
            pool_.withholding_rate = D('0.25')
            pool_.withholding_base = 'cash'
            pool_.save()
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            Surplus.post([surplus])
            date = surplus.posting_date
            debt, = self._debts(fund)
            self.assertEqual(
                (debt.credit, debt.party, debt.maturity_date),
                (D('10.00'), self.payee, dt.date(date.year, 6, 10)))
            self.assertEqual(self._check(date), [])
            use = self._use(
                fund, debt.maturity_date, D('10.00'), payment_method=method)
            FundUse.post([use])
            self.assertTrue(debt.__class__(debt.id).reconciliation)
            with self.assertRaisesRegex(CancelError, "Federation"):
                Surplus.cancel([Surplus(surplus.id)])
            FundUse.cancel([FundUse(use.id)])
            Surplus.cancel([Surplus(surplus.id)])
            self.assertTrue(debt.__class__(debt.id).reconciliation)
            self.assertEqual(fund.__class__(fund.id).balance, 0)

    @with_transaction()
    def test_tax_of_dividend(self):
        "Test the tax on share dividends and on patronage is owed and listed"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Dividend = pool.get('coop.share.dividend')
        FundUse = pool.get('coop.fund.use')
        ShareConfiguration = pool.get('coop.share.configuration')
        Surplus = pool.get('coop.surplus')
        Withheld = pool.get('coop.withheld')
        Withholding = pool.get('coop.withholding')
        with self.in_company():
            method = create_payment_method(self.company)
            fund = self._create_fund('liability', due_months=1, due_day=10)
            configuration = Configuration(1)
            configuration.withholding_fund = fund
            configuration.save()
            configuration = ShareConfiguration(1)
            configuration.dividend_resolution = False
            configuration.save()
            class_ = create_share_class(self.company, code='D')
            alice, bob = self._members[:2]
            issue([alice, bob], class_, 100)
            surplus = self._make_surplus()
            date = surplus.posting_date
            # Of a year of Alice 45.00 are exempt
            Withholding.create([{
                        'company': self.company.id, 'party': alice.party.id,
                        'start_date': date.replace(month=1, day=1),
                        'exemption': D(45)}])
            # 4 % of 1,000.00 for each, of which 25 %
            dividend, = Dividend.create([{
                        'company': self.company.id,
                        'classes': [('add', [class_.id])],
                        'start_date': START, 'end_date': END,
                        'year_length': 'period',
                        'rate': D('0.04'), 'withholding_rate': D('0.25'),
                        'posting_date': date, 'payment_date': date,
                        'account': get_account(
                            self.company, type='expense').id,
                        'account_payable': get_account(
                            self.company, type='payable').id,
                        }])
            for button in ['compute', 'approve', 'post']:
                getattr(Dividend, button)([Dividend(dividend.id)])
            debt, = self._debts(fund)
            self.assertEqual(
                (debt.credit, debt.party, debt.maturity_date),
                (D('10.00'), self.payee, dt.date(date.year, 6, 10)))
            # 20.00 of money for each, of which 25 %
            pool_, = surplus.pools
            pool_.withholding_rate = D('0.25')
            pool_.withholding_base = 'cash'
            pool_.save()
            for button in ['compute', 'approve', 'post']:
                getattr(Surplus, button)([Surplus(surplus.id)])
            self.assertEqual({
                    (w.origin.__name__, w.party): (
                        w.amount, w.exempt or 0, w.withholding)
                    for w in Withheld.search([])}, {
                    ('coop.share.dividend', alice.party): (40, 40, 0),
                    ('coop.share.dividend', bob.party): (40, 0, 10),
                    ('coop.surplus', alice.party): (20, 5, D('3.75')),
                    ('coop.surplus', bob.party): (20, 0, 5),
                    })
            self.assertEqual(fund.__class__(fund.id).balance, D('18.75'))
            self.assertEqual(self._check(date), [])
            # What the authority has got is not taken back
            use = self._use(
                fund, debt.maturity_date, D('10.00'), payment_method=method)
            FundUse.post([use])
            with self.assertRaisesRegex(DividendError, "Federation"):
                Dividend.cancel([Dividend(dividend.id)])
            FundUse.cancel([FundUse(use.id)])
            Dividend.cancel([Dividend(dividend.id)])
            self.assertEqual(fund.__class__(fund.id).balance, D('8.75'))

    @with_transaction()
    def test_reserve(self):
        "Test a reserve bears a cost without any money"
        pool = Pool()
        Fund = pool.get('coop.fund')
        FundUse = pool.get('coop.fund.use')
        Surplus = pool.get('coop.surplus')
        with self.in_company():
            account = get_account(self.company, "Education and Community Fund")
            fund = Fund(
                company=self.company, name="Education", kind='reserve',
                account=account)
            fund.save()
            surplus = self._create_surplus(
                ('fund', 'remainder', D('0.1'), fund),
                ('carry_forward', 'remainder', None, None))
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            Surplus.post([surplus])
            self.assertEqual(Fund(fund.id).balance, D('10.00'))
            use = self._use(
                fund, surplus.posting_date, D('4.00'),
                account=get_account(self.company, "Legal Reserve"))
            FundUse.post([use])
            self.assertEqual(Fund(fund.id).balance, D('6.00'))
            with self.assertRaisesRegex(CancelError, "Education"):
                Surplus.cancel([Surplus(surplus.id)])
            FundUse.cancel([use])
            Surplus.cancel([Surplus(surplus.id)])
            self.assertEqual(Fund(fund.id).balance, 0)

    @with_transaction()
    def test_expense(self):
        "Test the result bears a fund before it is closed"
        pool = Pool()
        Account = pool.get('account.account')
        Balance = pool.get(
            'account.fiscalyear.balance_non_deferral', type='wizard')
        Journal = pool.get('account.journal')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        Surplus = pool.get('coop.surplus')
        with self.in_company():
            expense = get_account(self.company, "Patronage Dividends")
            fund = self._create_fund(
                'expense', expense_account=expense, due_months=1, due_day=10)
            # 5 % for education: Spain, ley 27/1999 art. 58, of 1,000.00
            surplus = self._create_surplus(
                ('fund', 'result', D('0.05'), fund),
                ('reserve', 'result', D('0.2'), None),
                ('carry_forward', 'remainder', None, None),
                brought_forward=D(0))
            fiscalyear = surplus.fiscalyear
            books = Books(self.company)
            revenue, = Account.search([
                    ('company', '=', self.company.id),
                    ('type.revenue', '=', True),
                    ('closed', '!=', True),
                    ], limit=1)
            cash = get_account(self.company, "Cash and Cash Equivalents")
            books.post([books.move(fiscalyear.end_date, [
                            books.line(cash, D(1000)),
                            books.line(revenue, D(-1000))],
                        description="Sales")])
            Surplus.compute([surplus])
            self.assertTrue(Surplus(surplus.id).accrues)
            Surplus.accrue([Surplus(surplus.id)])
            surplus = Surplus(surplus.id)
            self.assertEqual(
                (surplus.result, surplus.accrued, surplus.total),
                (D('950.00'), D('50.00'), D('1000.00')))
            debt, = self._debts(fund)
            self.assertEqual(
                (debt.credit, debt.date, debt.maturity_date),
                (D('50.00'), fiscalyear.end_date,
                    dt.date(surplus.posting_date.year, 6, 10)))
            cost, = [
                l for l in surplus.accrual_move.lines if l.account == expense]
            self.assertEqual(cost.debit, D('50.00'))

            # It is the same when it is computed again
            Surplus.compute([surplus])
            self.assertEqual(
                [l.computed_amount for l in Surplus(surplus.id).lines],
                [D('50.00'), D('200.00'), D('750.00')])
            journal, = Journal.create([
                    {'name': "Closing", 'type': 'situation'}])
            period, = Period.create([{
                        'name': "Closing", 'type': 'adjustment',
                        'fiscalyear': fiscalyear.id,
                        'start_date': fiscalyear.end_date,
                        'end_date': fiscalyear.end_date,
                        }])
            session, *_ = Balance.create()
            balance = Balance(session)
            balance.start.fiscalyear = fiscalyear
            balance.start.journal = journal
            balance.start.period = period
            balance.start.credit_account = surplus.account_surplus
            balance.start.debit_account = surplus.account_surplus
            Move.post([balance.create_move()])
            Surplus.approve([Surplus(surplus.id)])
            Surplus.post([Surplus(surplus.id)])
            surplus = Surplus(surplus.id)
            # The surplus is gone, and the fund is owed once
            self.assertEqual(
                sum(l.debit for l in surplus.move.lines
                    if l.account == surplus.account_surplus), D('950.00'))
            self.assertEqual(self._debts(fund), [debt])
            self.assertEqual(self._check(surplus.posting_date), [])
            Surplus.cancel([surplus])
            self.assertTrue(debt.__class__(debt.id).reconciliation)
            self.assertEqual(fund.__class__(fund.id).balance, 0)
