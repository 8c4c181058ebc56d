# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.assembly import Assembly
from trytond.modules.coop.assembly_equity import COLUMNS
from trytond.modules.coop.rich_text import read_paragraphs
from trytond.modules.coop.tests.roles import as_role
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.tests.case import (
    create_payment_method, create_share_class, get_account)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class AnnualReportTestCase(DatabaseTestCase):
    "Test the annual report says what the ledgers say"
    module = 'coop'
    extras = EXTRAS

    def _create_years(self, company):
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Sequence = pool.get('ir.sequence.strict')
        # Else each one that is used would start the test over
        Sequence.lock(Sequence.search([]))
        years = {}
        for year in [2024, 2025, 2026]:
            fiscalyear = set_invoice_sequences(get_fiscalyear(
                    company, start_date=dt.date(year, 1, 1),
                    end_date=dt.date(year, 12, 31)))
            fiscalyear.name = str(year)
            fiscalyear.save()
            FiscalYear.create_period([fiscalyear])
            years[year] = fiscalyear
        return years

    def _found(self, company):
        """Found a cooperative of three members

        They subscribe 10, 20 and 30 shares of 10.00, of which the last pays
        100.00 only.
        """
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        configuration = Configuration(1)
        configuration.resolution_required = False
        configuration.save()
        method = create_payment_method(company)
        share_class = create_share_class(company)
        members = create_members(
            company, create_category(company), 3, dt.date(2024, 1, 1))
        Member.admit(members)
        for member, quantity, paid in zip(
                members, [10, 20, 30], [100, 200, 100]):
            subscription, = Subscription.create([{
                        'company': company.id,
                        'member': member.id,
                        'share_class': share_class.id,
                        'quantity': Decimal(quantity),
                        'date': dt.date(2024, 1, 1),
                        }])
            Subscription.confirm([subscription])
            Payment.pay(
                {subscription: Decimal(paid)}, company, method,
                dt.date(2024, 2, 1))
        return members, share_class

    def _earn(self, company, date, amount):
        "Post a result, which is paid at once"
        books = Books(company)
        cash = get_account(company, "Cash and Cash Equivalents")
        other = get_account(
            company, type='revenue' if amount > 0 else 'expense')
        books.post([books.move(date, [
                        books.line(cash, Decimal(amount)),
                        books.line(other, Decimal(-amount))])])

    def _balance(self, accounts, date):
        "Return the credit of the accounts in the ledger"
        Line = Pool().get('account.move.line')
        return sum((
                l.credit - l.debit for l in Line.search([
                        ('account', 'in', [a.id for a in accounts]),
                        ('move.state', '=', 'posted'),
                        ('move.date', '<=', date),
                        ])), Decimal(0))

    def _accounts(self, company, *domain):
        Account = Pool().get('account.account')
        return Account.search([('company', '=', company.id), *domain])

    def _appropriate(self, company, fiscalyear, *kinds):
        "Close the year, and do with its result what the lines say"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Surplus = pool.get('coop.surplus')
        books = Books(company)
        surplus = Surplus(
            company=company, fiscalyear=fiscalyear,
            posting_date=fiscalyear.end_date + dt.timedelta(days=120))
        surplus.lines = [
            Line(
                name=kind, kind=kind, basis='remainder', rate=rate,
                account=Line.get_account(kind, company))
            for kind, rate in kinds]
        surplus.save()
        lines = []
        for account in self._accounts(
                company, ('type.statement', '=', 'income')):
            balance = self._balance([account], fiscalyear.end_date)
            if balance:
                lines.append(books.line(account, balance))
                lines.append(books.line(surplus.account_surplus, -balance))
        books.post([books.move(
                    fiscalyear.end_date, lines, origin=fiscalyear)])
        Surplus.compute([surplus])
        Surplus.approve([surplus])
        Surplus.post([surplus])
        return surplus

    def _leave(self, member, share_class):
        "Redeem all the shares of the member at the end of 2025"
        Redemption = Pool().get('coop.share.redemption')
        with Transaction().set_context(_skip_warnings=True):
            redemption, = Redemption.create([{
                        'company': member.company.id,
                        'member': member.id,
                        'share_class': share_class.id,
                        'quantity': Decimal(10),
                        'request_date': dt.date(2025, 3, 1),
                        'end_date': dt.date(2025, 12, 31),
                        'settlement_date': dt.date(2026, 1, 1),
                        }])
            for button in ['approve', 'end']:
                getattr(Redemption, button)([redemption])
        return redemption

    def _check(self, report, company, share_class):
        "Compare each figure with the ledger and those that stand twice"
        ShareMove = Pool().get('coop.share.move')
        end = report.end
        before = report.start - dt.timedelta(days=1)
        self.assertEqual(check_books(company, end), [])

        # Both sides of the balance sheet are equal and those of the ledger
        total = self._balance(self._accounts(company, ['OR',
                    ('type', 'child_of', [
                        t.id for t in self._roots(company, "Assets")],
                        'parent'),
                    ]), end)
        self.assertEqual(report.sides[True].amount, -total)
        self.assertEqual(report.sides[False].amount, -total)

        # The equity is that of the balance sheet and of the accounts
        equity = sum(
            r.amount for r in report.balance_sheet
            if not r.depth and r.name in {
                "Equity / capital", "Result of the year"})
        self.assertEqual(report.equity_total.closing, equity)
        self.assertEqual(
            report.equity_total.closing,
            self._balance(self._accounts(company, ['OR',
                        ('type', 'child_of', [
                            t.id for t in self._roots(
                                company, "Equity / capital")],
                            'parent'),
                        ('type.statement', '=', 'income')]), end))
        for row in [*report.equity, report.equity_total]:
            self.assertEqual(
                row.closing, sum(getattr(row, n) for n in COLUMNS[:-1]))
        if report.previous:
            closing = {
                r.key: r.closing for r in report.previous.equity if r.closing}
            self.assertEqual(
                {r.key: r.opening for r in report.equity if r.opening},
                closing)

        # The shares are those of the register and of their account
        capital, = [r for r in report.equity if r.key == share_class]
        for date, amount in [
                (before, capital.opening), (end, capital.closing)]:
            held = ShareMove.holdings_at(company, date, by=('share_class',))
            self.assertEqual(
                held.get((share_class.id,), (0, 0))[1], amount)
            self.assertEqual(
                self._balance([share_class.account_capital], date), amount)
        self.assertFalse([
                r for r in report.equity
                if r.key == share_class.account_capital])
        self.assertEqual(
            sum(r.amount for r in report.holdings), capital.closing)
        self.assertEqual(
            sum(r.unpaid for r in report.holdings),
            -self._balance([share_class.account_subscribed], end))

        # The cash flow ends with the liquid funds
        cash = [get_account(company, "Cash and Cash Equivalents")]
        flow = sum(vars(report.cash_flow).values())
        self.assertEqual(report.liquid_funds.closing,
            -self._balance(cash, end))
        self.assertEqual(report.liquid_funds.opening,
            -self._balance(cash, before))
        self.assertEqual(
            flow, report.liquid_funds.closing - report.liquid_funds.opening)
        self.assertEqual(report.cash_flow.result, report.result)

        # The key figures stand elsewhere too
        key = report.key_figures
        self.assertEqual(
            (key.members, key.members, key.result, key.capital, key.equity,
                key.balance),
            (report.members_total.closing, report.holders.members,
                report.result, capital.closing, equity, -total))

        # The notes are on the accounts of the balance sheet
        for note in report.notes:
            for table in note.tables:
                self.assertTrue(list(table.rows))
                self.assertTrue(table.columns)
        # A first year has nothing beside it, and no column is empty
        names = {
            n for n in dir(type(report))
            if n.endswith('_table') and not n.startswith('_')}
        names.remove('items_table')
        if not report.surplus:
            names.remove('appropriation_table')
        for name in names:
            table = getattr(report, name)
            rows = list(table.rows)
            with self.subTest(table=name):
                for i, _ in enumerate(table.columns):
                    self.assertTrue(any(
                            r.cells[i].strip('-0., %') for r in rows))
                if not report.previous:
                    self.assertNotIn(
                        "Last Year", [r.label for r in rows])

    def _roots(self, company, name):
        Type = Pool().get('account.account.type')
        return Type.search([
                ('company', '=', company.id), ('name', '=', name)])

    @with_transaction()
    def test_years(self):
        "Test a first year, a profit and a loss"
        pool = Pool()
        Office = pool.get('coop.member.office')
        Redemption = pool.get('coop.share.redemption')
        company = create_company()
        with set_company(company):
            create_chart(company)
            years = self._create_years(company)
            members, share_class = self._found(company)
            Office.create([{
                        'company': company.id,
                        'party': members[0].party.id,
                        'role': 'chair',
                        'start_date': dt.date(2024, 1, 1),
                        }])
            self._earn(company, dt.date(2024, 6, 30), 500)

            # It is not closed yet
            report = Assembly(years[2024])
            self._check(report, company, share_class)
            self.assertEqual(
                [(r.name, r.subscribed, r.result, r.closing)
                    for r in report.equity], [
                    ("Share", 600, 0, 600),
                    ("Result of the year", 0, 500, 500)])

            # 100.00 of it is a reserve, and 400.00 is carried forward
            self._appropriate(company, years[2024],
                ('reserve', Decimal('0.2')), ('carry_forward', None))
            report = Assembly(years[2024])
            self._check(report, company, share_class)
            flow = report.cash_flow
            self.assertEqual(
                (flow.result, flow.paid_in, report.liquid_funds.closing),
                (500, 400, 900))
            self.assertEqual(report.equity_total.closing, 1100)

            # A loss of 150.00, and the first member leaves with 100.00
            self._earn(company, dt.date(2025, 6, 30), -150)
            redemption = self._leave(members[0], share_class)
            self._appropriate(company, years[2025],
                ('loss_cover', None), ('carry_forward', None))
            report = Assembly(years[2025])
            self._check(report, company, share_class)
            self.assertTrue(report.is_loss)
            total = report.equity_total
            self.assertEqual(
                (total.opening, total.result, total.closing),
                (1100, -150, 950))
            rows = {r.name: r for r in report.equity}
            self.assertEqual(
                (rows["Share"].opening, rows["Share"].closing), (600, 600))
            note, = [
                n for n in report.notes
                if n.title == "Claims of former members"]
            self.assertIn("100.00", note.texts[0])

            # The reserve bears what it holds and the rest is carried forward,
            # and what the leaver gets is a debt
            Redemption.settle([redemption])
            report = Assembly(years[2026])
            self._check(report, company, share_class)
            rows = {r.name: r for r in report.equity}
            self.assertEqual(
                (rows["Surplus Carried Forward"].opening,
                    rows["Surplus Carried Forward"].appropriated,
                    rows["Surplus Carried Forward"].closing),
                (400, -50, 350))
            self.assertEqual(
                (rows["Legal Reserve"].appropriated,
                    rows["Legal Reserve"].closing), (-100, 0))
            self.assertFalse(report.equity_total.result)
            self.assertEqual(rows["Share"].redeemed, -100)
            note, = [
                n for n in report.notes
                if n.title == "Claims of former members"]
            table, = note.tables
            self.assertEqual(
                [r.cells for r in table.rows], [["100.00"]])
            self.assertEqual(
                self._balance(
                    [share_class.account_redemption], report.end), 100)

            # Those who may print it can
            Report = pool.get('coop.assembly.report', type='report')
            for role in ['director', 'accountant']:
                with self.subTest(role=role), as_role(role, company):
                    extension, *_ = Report.execute([years[2025].id], {
                            'model': 'account.fiscalyear',
                            'ids': [years[2025].id],
                            })
                    self.assertEqual(extension, 'odt')

    @with_transaction()
    def test_formats(self):
        "Test what is written with formats is printed with them"
        def read(text):
            return [
                [(part.text, *part.style.values()) for part in paragraph]
                for paragraph in read_paragraphs(text)]
        self.assertEqual(
            read('<div align="left">Dear <b>mem<i>b</i>ers</b>,</div>'
                '<div><br/></div>we &amp;\nyou'), [
                [("Dear ", 'Text'), ("mem", 'TextBold'),
                    ("b", 'TextBoldItalic'), ("ers", 'TextBold'),
                    (",", 'Text')],
                [("we & you", 'Text')]])
        self.assertEqual(
            read("One\n\nTwo"), [[("One", 'Text')], [("Two", 'Text')]])
        self.assertEqual(read(None), [])
