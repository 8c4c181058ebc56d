# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal as D
from unittest.mock import Mock, patch

from trytond.modules.account.tests import create_chart
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_patronage.exceptions import CancelError, PostError
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class CreditNoteTestCase(PatronageTestCase):
    "Test the credit notes that pay out a pool"

    def _sell(self, account, date, sales):
        """Return the posted invoices of the sales

        They are by party pairs of an amount and its taxes."""
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        company = account.company
        invoices = []
        for party, lines in sales.items():
            invoice = Invoice(
                company=company, type='out', party=party,
                currency=company.currency, invoice_date=date)
            invoice.on_change_type()
            invoice.payment_term = None
            invoice.payment_term_date = date
            invoice.lines = [InvoiceLine(
                    company=company, currency=company.currency,
                    type='line', quantity=1, unit_price=D(price),
                    account=account, taxes=taxes)
                for price, taxes in lines]
            invoices.append(invoice)
        Invoice.save(invoices)
        invoices = Invoice.browse(invoices)
        Invoice.update_taxes(invoices)
        Invoice.post(invoices)
        return Invoice.browse(invoices)

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction(context={'_skip_warnings': True})
    def test_credit_notes(self):
        "Test the tax shrinks with the price of what members bought"
        pool = Pool()
        Account = pool.get('account.account')
        Activity = pool.get('coop.patronage.activity')
        Address = pool.get('party.address')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        Period = pool.get('account.period')
        Pool_ = pool.get('coop.patronage.pool')
        Reconciliation = pool.get('account.move.reconciliation')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')
        Tax = pool.get('account.tax')

        company = create_company()
        with set_company(company):
            create_chart(company, tax=True)
            fiscalyear = self._create_fiscalyear(company, 2025)
            self._create_fiscalyear(company, 2026)
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            # 20 %
            tax, = Tax.search([])
            revenue, = Account.search([
                    ('type.revenue', '=', True),
                    ('closed', '!=', True),
                    ('company', '=', company.id),
                    ], limit=1)
            cash, = Account.search([
                    ('code', '=', '1.1.1'), ('company', '=', company.id)])
            alice, bob = self._create_members(["Alice", "Bob"])
            Address.create([{'party': p.id} for p in [alice, bob]])
            sales = Category(name="Sales", source='customer_invoice')
            sales.save()
            self._sell(revenue, dt.date(2025, 6, 1), {
                    alice: [(1000, [tax]), (500, [])],
                    bob: [(500, [tax])],
                    })

            surplus = Surplus(
                fiscalyear=fiscalyear, posting_date=dt.date(2026, 5, 1),
                recognition='revenue_reduction')
            surplus.lines = [SurplusLine(
                    name=kind, kind=kind, basis='remainder', amount=amount,
                    account=SurplusLine.get_account(kind, company))
                for kind, amount in [
                    ('patronage', D(100)), ('carry_forward', None)]]
            surplus.pools = [Pool_(name="Refund", categories=[sales])]
            surplus.save()
            Surplus.compute([surplus])
            self.assertEqual(surplus.result, D(2000))
            Surplus.accrue([surplus])
            self.assertEqual(surplus.result, D(1900))
            with self.assertRaisesRegex(PostError, "accrued only once"):
                Surplus.accrue([surplus])
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            with patch.object(Surplus, '_check_closed'):
                Surplus.post([surplus])

            def balance(account):
                return sum(
                    a.credit - a.debit for a in Account.search([
                            ('id', '=', account.id)]))

            def configured(name):
                return Configuration.get_account(name, company)

            # By hand: 5 % of 1,000.00 and 500.00 with 20 % tax, of 500.00
            # without
            pool_, = surplus.pools
            allocations = {a.party.name: a for a in pool_.allocations}
            self.assertEqual({
                    name: (
                        a.net, a.credit_note.untaxed_amount,
                        a.credit_note.tax_amount, a.credit_note.state,
                        a.account_move_line.credit, a.state)
                    for name, a in allocations.items()}, {
                    'Alice': (75, -75, -10, 'posted', 85, 'posted'),
                    'Bob': (25, -25, -5, 'posted', 30, 'posted')})
            self.assertEqual(
                balance(configured('account_patronage_accrued')), 0)
            self.assertEqual(
                balance(configured('account_patronage_payable')), 0)
            self.assertEqual(balance(tax.invoice_account), 300 - 15)
            self.assertEqual(
                balance(configured('account_patronage_reduction')), -100)
            # It is no activity of the next year
            year = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
            self.assertEqual(Activity.get_sums(company, [sales], *year), [])

            # Once a credit note is paid nothing is taken back
            due = allocations['Bob'].account_move_line
            payment = Move(
                company=company, journal=due.move.journal,
                date=dt.date(2026, 6, 1),
                period=Period.find(company, date=dt.date(2026, 6, 1)))
            payment.lines = [
                MoveLine(
                    account=due.account, party=due.party, debit=due.credit,
                    credit=D(0)),
                MoveLine(account=cash, debit=D(0), credit=due.credit)]
            payment.save()
            Move.post([payment])
            reconciliations = MoveLine.reconcile(
                [due, next(l for l in payment.lines if l.party)])
            count = Move.search([], count=True)
            with self.assertRaisesRegex(CancelError, "Bob"):
                Surplus.cancel([surplus])
            self.assertEqual(Move.search([], count=True), count)
            Reconciliation.delete(reconciliations)

            surplus = Surplus(surplus.id)
            Surplus.cancel([surplus])
            self.assertEqual(
                {a.credit_note.state for a in allocations.values()},
                {'cancelled'})
            self.assertEqual(balance(tax.invoice_account), 300)
            self.assertEqual(
                balance(configured('account_patronage_accrued')), 0)
            self.assertEqual(
                balance(configured('account_patronage_reduction')), 0)
            self.assertEqual(Activity.get_sums(company, [sales], *year), [])

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction(context={'_skip_warnings': True})
    def test_credit_note_kept(self):
        "Test what is kept reduces the price once it is paid"
        pool = Pool()
        Account = pool.get('account.account')
        Address = pool.get('party.address')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')
        Tax = pool.get('account.tax')

        company = create_company()
        with set_company(company):
            create_chart(company, tax=True)
            fiscalyears = [
                self._create_fiscalyear(company, year)
                for year in [2025, 2026, 2027]]
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            # 20 %
            tax, = Tax.search([])
            revenue, = Account.search([
                    ('type.revenue', '=', True),
                    ('closed', '!=', True),
                    ('company', '=', company.id),
                    ], limit=1)
            alice, bob = self._create_members(["Alice", "Bob"])
            Address.create([{'party': p.id} for p in [alice, bob]])
            category = Category(name="Sales", source='customer_invoice')
            category.save()

            def get_balances():
                return [
                    account.credit - account.debit for account in
                    Account.browse([
                            Configuration.get_account(name, company).id
                            for name in [
                                'account_patronage_accrued',
                                'account_patronage_payable',
                                'account_patronage_reduction']]
                        + [tax.invoice_account.id])]

            surpluses = []
            # Alice buys for 1,500 and Bob for 500, then both for 1,000;
            # Bob's is taxed in the first year only
            for fiscalyear, taxes, prices in zip(
                    fiscalyears, [[tax], []], [(1500, 500), (1000, 1000)]):
                year = fiscalyear.start_date.year
                self._sell(revenue, dt.date(year, 6, 1), {
                        alice: [(prices[0], [])],
                        bob: [(prices[1], taxes)],
                        })
                surplus = Surplus(
                    fiscalyear=fiscalyear,
                    posting_date=dt.date(year + 1, 5, 1),
                    recognition='revenue_reduction')
                surplus.lines = [SurplusLine(
                        name=kind, kind=kind, basis='remainder',
                        amount=amount,
                        account=SurplusLine.get_account(kind, company))
                    for kind, amount in [
                        ('patronage', D(100)), ('carry_forward', None)]]
                surplus.pools = [Pool_(
                        name="Refund", categories=[category],
                        minimum=D(50))]
                surplus.save()
                Surplus.compute([surplus])
                Surplus.accrue([surplus])
                Surplus.compute([surplus])
                Surplus.approve([surplus])
                with patch.object(Surplus, '_check_closed'):
                    Surplus.post([surplus])
                surpluses.append(Surplus(surplus.id))
                if len(surpluses) == 1:
                    # 75 for Alice without tax, and 25 for Bob are too little
                    self.assertEqual(
                        get_balances(), [D(0), D(100), D(-100), D(100)])

            kept, = [
                a for a in surpluses[0].pools[0].allocations
                if a.party == bob]
            self.assertTrue(kept.kept)
            self.assertEqual(
                (kept.credit_note.untaxed_amount, kept.credit_note.tax_amount,
                    kept.credit_note.invoice_date,
                    kept.account_move_line.credit),
                (D(-25), D(-5), dt.date(2027, 5, 1), D(30)))
            # Alice's 75 and 50 and Bob's 50 are payable
            self.assertEqual(
                get_balances(), [D(0), D(175), D(-200), D(95)])

            for surplus in reversed(surpluses):
                Surplus.cancel([surplus])
            self.assertEqual(get_balances(), [D(0), D(0), D(0), D(100)])
