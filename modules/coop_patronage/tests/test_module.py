# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import unittest
from decimal import Decimal as D
from pathlib import Path
from unittest.mock import Mock, patch

from sql import Column

from trytond.model import ModelSQL, ModelView
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import (
    CompanyTestMixin, create_company, set_company)
from trytond.modules.coop_patronage.exceptions import (
    AllocationError, AppropriationError, CancelError, PostError)
from trytond.modules.coop_patronage.surplus import changed_days
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

PURCHASES = Path(__file__).parents[3] / 'demo' / 'data' / 'purchases.csv'


class CoopPatronageTestCase(
        PartyCheckReplaceMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Patronage module"
    module = 'coop_patronage'
    extras = ['account_payment', 'timesheet', 'coop_commons']

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    def _create_fiscalyear(self, company, year):
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        fiscalyear = set_invoice_sequences(get_fiscalyear(
                company, today=dt.date(year, 1, 1)))
        fiscalyear.save()
        FiscalYear.create_period([fiscalyear])
        return fiscalyear

    def _insert(self, Model, vlist):
        table = Model.__table__()
        cursor = Transaction().connection.cursor()
        names = list(vlist[0])
        for values in grouped_slice(vlist, 500):
            cursor.execute(*table.insert(
                    [Column(table, name) for name in names],
                    [[v[name] for name in names] for v in values]))

    def _create_members(self, names):
        "Return the parties of members since 2020, straight in the tables"
        pool = Pool()
        Member = pool.get('coop.member')
        MemberCategory = pool.get('coop.member.category')
        Membership = pool.get('coop.membership')
        Party = pool.get('party.party')
        company_id = Transaction().context['company']
        category = MemberCategory(name="Users")
        category.save()
        parties = Party.create([{'name': name} for name in names])
        self._insert(Member, [{
                    'company': company_id,
                    'party': party.id,
                    'number': party.name,
                    'application_date': dt.date(2020, 1, 1),
                    'state': 'member',
                    } for party in parties])
        self._insert(Membership, [{
                    'member': member.id,
                    'category': category.id,
                    'start_date': dt.date(2020, 1, 1),
                    } for member in Member.search([])])
        return parties

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_plans(self):
        "Test the plans appropriate what their statutes ask for"
        pool = Pool()
        Plan = pool.get('coop.surplus.plan')
        ModelData = pool.get('ir.model.data')
        Surplus = pool.get('coop.surplus')

        # By hand: a result of 100,000.00, of which 80 % is with members
        expected = {
            'generic': [0, 0, 0, 100000],
            # No rate is in the law
            'de': [0, 0, 0, 0, 100000],
            # 30 % and 3 %: art. 2545-quater c.c., art. 11 l. 59/1992
            'it': [30000, 3000, 0, 0, 67000],
            # 15 % and half of the rest, 57.5 %: art. 16 and 19 nonies
            'fr_scic': [15000, 42500, 0, 42500],
            # 15 % and 25 %: loi 78-763 art. 33
            'fr_scop': [15000, 25000, 0, 60000],
            # 20 % and 5 % of 80,000, half of 20,000: ley 27/1999 art. 58
            'es': [16000, 10000, 4000, 0, 0, 70000],
            # The part of the members: 26 USC 1388(a)
            'us': [80000, 20000],
            # 10 %, 5 % and 5 %, 3 %, and 70:30 of 77,000: RA 9520 art. 86
            'ph': [10000, 5000, 5000, 3000, 0, 53900, 23100],
            'id': [0, 0, 0, 0, 100000],
            # Three times 5 %: ley 20.337 art. 42
            'ar': [5000, 5000, 5000, 0, 85000],
            # 10 % and 5 % of 80,000, all of 20,000: lei 5.764 art. 28, 87
            'br': [8000, 4000, 20000, 68000],
            }
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            plans = {
                d.fs_id[len('plan_'):]: Plan(d.db_id)
                for d in ModelData.search([
                        ('module', '=', 'coop_patronage'),
                        ('model', '=', 'coop.surplus.plan'),
                        ])}
            self.assertEqual(plans.keys(), expected.keys())
            for name, plan in plans.items():
                with self.subTest(plan=plan.name):
                    surplus = Surplus(fiscalyear=fiscalyear, plan=plan)
                    surplus.on_change_plan()
                    surplus.member_ratio_basis = 'fixed'
                    surplus.member_ratio = D('0.8')
                    surplus.save()
                    with patch.object(
                            Surplus, 'get_result', return_value=D(100000)):
                        Surplus.compute([surplus])
                    self.assertEqual(
                        [l.computed_amount for l in surplus.lines],
                        expected[name])
                    self.assertTrue(all(l.account for l in surplus.lines))

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_bases(self):
        "Test the part of the members and the ceiling of patronage"
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        Party = pool.get('party.party')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            member, = self._create_members(["Alice"])
            walter = Party(name="Walter")
            walter.save()
            purchases = Category(name="Purchases")
            deliveries = Category(name="Deliveries")
            hours = Category(name="Hours", measure='quantity')
            Category.save([purchases, deliveries, hours])
            # Two thirds, 30 % and three quarters are with members
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, 6, 1),
                        category.measure: D(value)}
                    for category, values in [
                        (purchases, [200, 100]), (deliveries, [30, 70]),
                        (hours, [3, 1])]
                    for party, value in zip([member, walter], values)])

            def compute(lines, result=D(100000), **values):
                surplus = Surplus(fiscalyear=fiscalyear)
                for name, value in values.items():
                    setattr(surplus, name, value)
                surplus.lines = [SurplusLine(
                        name=kind, kind=kind, basis=basis,
                        account=SurplusLine.get_account(kind, company),
                        **{'amount' if isinstance(rate, int) else 'rate':
                            rate})
                    for kind, basis, rate in lines]
                surplus.save()
                with patch.object(
                        Surplus, 'get_result', return_value=result):
                    Surplus.compute([surplus])
                self.assertEqual(
                    sum(l.computed_amount for l in surplus.lines),
                    surplus.total)
                return surplus

            rest = [('carry_forward', 'remainder', None)]
            for values, members in [
                    ({'member_ratio_categories': [purchases]}, '66666.67'),
                    ({'member_ratio_basis': 'purchases',
                        'member_ratio_categories': [deliveries]},
                        '30000.00'),
                    ({'member_ratio_basis': 'hours'}, '75000.00'),
                    ({'member_ratio_basis': 'fixed',
                        'member_ratio': D('0.123456')}, '12345.60'),
                    # 230 of 400
                    ({}, '57500.00'),
                    # Two thirds of what is left without the other result
                    ({'member_ratio_categories': [purchases],
                        'other_result': D(10000)}, '60000.00'),
                    ]:
                with self.subTest(**values):
                    surplus = compute(rest, **values)
                    self.assertEqual(surplus.member_result, D(members))
                    self.assertEqual(
                        surplus.member_result + surplus.non_member_result,
                        100000 - surplus.other_result)

            # 10 % of 100,000; 5 % of 60,000; half of 30,000 and a tenth of
            # that; 107,000 less 29,500 is 77,500, of which 60 % and 40 %
            surplus = compute([
                    ('reserve', 'result', D('0.1')),
                    ('fund', 'member_result', D('0.05')),
                    ('other', 'non_member_result', D('0.5')),
                    ('fund', 'previous_line', D('0.1')),
                    ('share_dividend', 'remainder', D('0.6')),
                    ('patronage', 'remainder', D('0.4')),
                    ],
                member_ratio_categories=[purchases],
                other_result=D(10000),
                brought_forward=D(5000),
                reserve_release=D(2000))
            self.assertEqual(
                [l.computed_amount for l in surplus.lines],
                [10000, 3000, 15000, 1500, 46500, 31000])
            self.assertEqual([
                    surplus.reserves, surplus.funds, surplus.share_dividends,
                    surplus.patronage, surplus.carried_forward],
                [25000, 4500, 46500, 31000, 0])

            # German KStG § 22: two thirds of 100,000.00 is the most
            ceiling = {
                'member_ratio_categories': [purchases],
                'patronage_base': D(100000),
                'patronage_base_reason': "Taxable income",
                }
            compute([('patronage', 'result', 66666), *rest], **ceiling)
            with self.assertRaisesRegex(
                    AppropriationError, '66,667.00.*66,666.67'):
                compute([('patronage', 'result', 66667), *rest], **ceiling)

    def _compute(self, fiscalyear, category, lines, pools, result=D(1000)):
        "Return the computed surplus of lines and pools of the category"
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')
        surplus = Surplus(
            fiscalyear=fiscalyear, posting_date=dt.date(2026, 5, 1))
        surplus.lines = [SurplusLine(
                name=name, kind=kind, basis='remainder', amount=amount,
                account=SurplusLine.get_account(kind, fiscalyear.company))
            for name, kind, amount in lines]
        surplus.pools = [
            Pool_(name=name, categories=[category], **values)
            for name, values in pools]
        surplus.save()
        with patch.object(Surplus, 'get_result', return_value=result):
            Surplus.compute([surplus])
        return surplus

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_pools(self):
        "Test who takes part in a pool and with how much"
        pool = Pool()
        Account = pool.get('account.account')
        Activity = pool.get('coop.patronage.activity')
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        Party = pool.get('party.party')
        Reassignment = pool.get('coop.patronage.reassignment')
        ShareClass = pool.get('coop.share.class')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            accounts = {a.code: a for a in Account.search([])}
            equity = ShareClass(
                name="Equity", code='E', kind='allocated', par_value=D(1),
                quantity_digits=2, account_capital=accounts['3.1.6'],
                account_subscribed=accounts['1.2.4'],
                account_redemption=accounts['2.1.5'])
            equity.save()
            walter = Party(name="Walter")
            walter.save()
            parties = self._create_members(["Alice", "Bob", "Carol"])
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(amount)}
                    for party, amount in zip(
                        [*parties, walter], [600, 300, 100, 1000])])

            lines = [
                ("Refund", 'patronage', D(100)),
                ("Rest", 'carry_forward', None)]
            # By hand, of 100.00 by 600, 300, 100 and, not a member, 1,000
            for values, names, expected, rest in [
                    ({'minimum': D(20)}, ['net', 'kept'],
                        [(60, False), (30, False), (10, True)], 900),
                    ({'minimum': D(20), 'below_minimum': 'equity',
                            'equity_class': equity}, ['cash', 'equity'],
                        [(60, 0), (30, 0), (0, 10)], 900),
                    ({'minimum': D(20), 'below_minimum': 'reserve'},
                        ['cash', 'forfeited'],
                        [(60, 0), (30, 0), (0, 10)], 900),
                    ({'cap_percent': D('0.05')}, ['gross'],
                        [(30,), (15,), (5,)], 950),
                    ({'cap_percent': D('0.12')}, ['gross'],
                        [(60,), (30,), (10,)], 900),
                    ({'minimum_activity': D(200)}, ['gross'],
                        [(D('66.67'),), (D('33.33'),)], 900),
                    ({'rounding': D(20)}, ['gross'],
                        [(60,), (40,), (0,)], 900),
                    ({'method': 'rate', 'rate': D('0.01')}, ['gross'],
                        [(6,), (3,), (1,)], 990),
                    ({'non_members': 'reserve'}, ['gross', 'forfeited'],
                        [(30, 0), (15, 0), (5, 0), (50, 50)], 900),
                    ({'non_members': 'hold'}, ['cash', 'held'],
                        [(30, 0), (15, 0), (5, 0), (0, 50)], 900),
                    ]:
                with self.subTest(**values):
                    surplus = self._compute(
                        fiscalyear, category, lines, [("Pool", values)])
                    self.assertEqual([
                            tuple(getattr(a, n) for n in names)
                            for a in surplus.pools[0].allocations], expected)
                    self.assertEqual(surplus.lines[1].computed_amount, rest)
            with self.assertRaisesRegex(AllocationError, "no activity"):
                self._compute(fiscalyear, category, lines, [
                        ("Pool", {'eligible_on': dt.date(2019, 12, 31)})])

            # Three quarters of what Walter bought count for Alice
            Reassignment.create([{
                        'party': walter.id, 'to_party': party.id,
                        'share': D(share)}
                    for party, share in [
                        (parties[0], '0.75'), (walter, '0.25')]])
            self.assertEqual({
                    (party, bool(member)): amount
                    for party, member, _, _, amount in Activity.get_sums(
                        company, [category], dt.date(2025, 1, 1),
                        dt.date(2025, 12, 31))}, {
                    (parties[0].id, True): 1350, (parties[1].id, True): 300,
                    (parties[2].id, True): 100, (walter.id, False): 250})

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_joined(self):
        """Test what a member did before joining is no business of members

        By hand: of 100.00 by 1,000 of Alice and, of Bob, 500 before and 500
        since he joined.
        """
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        Membership = pool.get('coop.membership')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            alice, bob = self._create_members(["Alice", "Bob"])
            membership, = Membership.search([('member.party', '=', bob.id)])
            table = Membership.__table__()
            Transaction().connection.cursor().execute(*table.update(
                    [table.start_date], [dt.date(2025, 7, 1)],
                    where=table.id == membership.id))
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, month, 1), 'amount': D(amount)}
                    for party, month, amount in [
                        (alice, 6, 1000), (bob, 6, 500), (bob, 7, 500)]])
            for non_members, result, expected in [
                    ('exclude', 1000, [
                            (D('66.67'), D('66.67'), 0, 0),
                            (D('33.33'), D('33.33'), 0, 0)]),
                    ('reserve', 1000, [(50, 50, 0, 0), (50, 25, 0, 25)]),
                    ('hold', 1000, [(50, 50, 0, 0), (50, 25, 25, 0)]),
                    # Without equity nobody can bear a loss
                    ('reserve', -1000, [(-50, 0, 0, -50), (-50, 0, 0, -50)]),
                    ]:
                with self.subTest(non_members=non_members, result=result):
                    sign = 1 if result > 0 else -1
                    surplus = self._compute(
                        fiscalyear, category, [
                            ("Refund", 'patronage', D(100) * sign),
                            ("Rest", 'carry_forward', None)],
                        [("Pool", {'non_members': non_members})],
                        result=D(result))
                    self.assertEqual([(
                                a.gross, a.cash or 0, a.held or 0,
                                a.forfeited or 0)
                            for a in surplus.pools[0].allocations], expected)

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_refusals(self):
        "Test what can not be distributed or posted is refused by name"
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        Move = pool.get('account.move')
        Surplus = pool.get('coop.surplus')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            self._create_fiscalyear(company, 2026)
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            member, = self._create_members(["Alice"])
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': member.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(100)}])

            def compute(lines, pools):
                return self._compute(fiscalyear, category, lines, pools)

            refund = ("Refund", 'patronage', D(50))
            rest = ("Rest", 'carry_forward', None)
            half = {'amount': D(25)}
            for lines, pools, message in [
                    ([refund, ("More", 'patronage', D(50)), rest],
                        [("A", {})], '"A" must name the patronage line'),
                    ([refund, rest], [("A", {}), ("B", {})],
                        'More than one pool of the line "Refund"'),
                    ([refund, rest], [("A", {'amount': D(80)}), ("B", {})],
                        'line "Refund" take more than its .*50'),
                    ([refund, rest], [("A", {'amount': D(80)})],
                        'line "Refund" take more than its .*50'),
                    ([("Refund", 'patronage', None)], [("A", half)],
                        '"A" does not distribute .*975'),
                    ([("Refund", 'patronage', None)],
                        [("A", {'method': 'rate', 'rate': D('0.1')})],
                        '"A" does not distribute .*990'),
                    ]:
                with (self.subTest(message=message),
                        self.assertRaisesRegex(AllocationError, message)):
                    compute(lines, pools)

            # What no pool distributes is carried forward
            surplus = compute(
                [refund, rest], [("A", half), ("B", {'amount': D(15)})])
            self.assertEqual(
                [l.computed_amount for l in surplus.lines], [40, 960])
            self.assertEqual(surplus.patronage_cash, 40)

            with patch.object(
                    Surplus, 'get_result', return_value=D(1000)):
                Surplus.approve([surplus])
                with self.assertRaisesRegex(
                        PostError,
                        '"2025" was closed with .*0.00.* is .*1,000'):
                    Surplus.post([surplus])
                Surplus.draft([surplus])
            self.assertEqual(Move.search([]), [])

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

    @with_transaction()
    def test_usage_end_date(self):
        "Test the usages from before the activation get the date of the end"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        company = create_company()
        with set_company(company):
            resource = Resource(
                name="Press", timezone='Europe/Berlin',
                unit=ModelData.get_id('product', 'uom_hour'))
            resource.save()
            self._insert(Usage, [{
                        'company': company.id,
                        'resource': resource.id,
                        'start': dt.datetime(2024, 12, 31, 8),
                        'end': end,
                        'seats': 1,
                        'state': 'confirmed',
                        } for end in [
                        dt.datetime(2024, 12, 31, 22, 59),
                        dt.datetime(2024, 12, 31, 23), None]])
            Usage._fill_end_date()
            self.assertEqual(
                [u.end_date for u in Usage.search([], order=[('id', 'ASC')])],
                [dt.date(2024, 12, 31), dt.date(2025, 1, 1),
                    dt.date(2024, 12, 31)])

    def test_changed_days(self):
        "Test the days by which two stretches differ"
        first, last = dt.date.min, dt.date.max
        start, end = dt.date(2025, 2, 1), dt.date(2025, 11, 30)
        for old, new, expected in [
                ((start, end), (start, end), []),
                ((start, None), (start, end),
                    [(dt.date(2025, 12, 1), last)]),
                ((None, end), (start, end),
                    [(first, dt.date(2025, 1, 31))]),
                ((start, end), (end, None), [
                        (start, dt.date(2025, 11, 29)),
                        (dt.date(2025, 12, 1), last)]),
                ]:
            with self.subTest(old=old, new=new):
                self.assertEqual(list(changed_days(old, new)), expected)

    @unittest.skipUnless(PURCHASES.exists(), "needs the data of the demo")
    # Each lock would start the long test again
    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_purchases(self):
        "Test real purchases are allocated to the cent"
        pool = Pool()
        Account = pool.get('account.account')
        Activity = pool.get('coop.patronage.activity')
        Allocation = pool.get('coop.patronage.allocation')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        Member = pool.get('coop.member')
        MemberCategory = pool.get('coop.member.category')
        Membership = pool.get('coop.membership')
        Notice = pool.get('coop.patronage.notice', type='report')
        Party = pool.get('party.party')
        Pool_ = pool.get('coop.patronage.pool')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')

        with PURCHASES.open() as file:
            rows = list(csv.DictReader(file))
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 1997)
            self._create_fiscalyear(company, 1998)
            accounts = {a.code: a for a in Account.search([])}
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            member_category = MemberCategory(name="Users")
            member_category.save()
            category = Category(name="Purchases")
            category.save()
            customers = sorted({row['customer'] for row in rows})
            # Straight into the tables, since only what follows is tested
            self._insert(
                Party, [
                    {'name': n, 'code': n, 'active': True}
                    for n in customers])
            parties = {
                p.name: p for p in Party.search([('name', 'in', customers)])}
            self._insert(Member, [{
                        'company': company.id,
                        'party': party.id,
                        'number': party.name,
                        'application_date': dt.date(1997, 1, 1),
                        'state': 'member',
                        } for party in parties.values()])
            self._insert(Membership, [{
                        'member': member.id,
                        'category': member_category.id,
                        'start_date': dt.date(1997, 1, 1),
                        } for member in Member.search([])])
            self._insert(Entry, [{
                        'company': company.id,
                        'party': parties[row['customer']].id,
                        'category': category.id,
                        'date': dt.date.fromisoformat(row['date']),
                        'quantity': D(row['quantity']),
                        'amount': D(row['amount']),
                        } for row in rows])
            equity = ShareClass(
                name="Equity", code='E', kind='allocated', par_value=D(1),
                quantity_digits=2, account_capital=accounts['3.1.6'],
                account_subscribed=accounts['1.2.4'],
                account_redemption=accounts['2.1.5'])
            equity.save()

            sums = Activity.get_sums(
                company, [category], dt.date(1997, 1, 1),
                dt.date(1998, 12, 31))
            self.assertEqual(len(sums), 2357)
            self.assertEqual(sum(row[-1] for row in sums), D('244091.94'))

            surplus = Surplus(
                fiscalyear=fiscalyear, posting_date=dt.date(1998, 5, 1),
                brought_forward=D(20000))
            surplus.lines = [SurplusLine(
                    name="Patronage", kind='patronage', basis='remainder',
                    account=SurplusLine.get_account('patronage', company))]
            surplus.pools = [Pool_(
                    name="Purchases", categories=[category],
                    cash_percent=D('0.2'), cash_floor=D('0.2'),
                    equity_class=equity)]
            surplus.save()
            with patch.object(
                    Activity, 'table_query',
                    wraps=Activity.table_query) as query:
                Surplus.compute([surplus])
                query.assert_called_once()
            Surplus.approve([surplus])
            # What is computed is validated in tests only
            with patch.object(Pool, 'test', False):
                Surplus.post([surplus])

            allocations = Allocation.search([])
            expected = {
                row['customer'] for row in rows
                if row['date'].startswith('1997')}
            self.assertEqual(
                {a.party.name for a in allocations}, expected)
            self.assertEqual(sum(a.gross for a in allocations), D(20000))
            for allocation in allocations:
                self.assertGreaterEqual(
                    5 * allocation.cash, allocation.gross)
                self.assertEqual(
                    allocation.cash + allocation.equity, allocation.gross)
            cash = sum(a.cash for a in allocations)
            self.assertEqual(
                accounts['2.1.6'].credit - accounts['2.1.6'].debit, cash)
            self.assertEqual(
                accounts['3.1.6'].credit - accounts['3.1.6'].debit,
                D(20000) - cash)
            holdings = ShareMove.holdings_at(
                company, dt.date(1998, 5, 1), by=('vintage',))
            self.assertEqual(
                holdings, {(1997,): (D(20000) - cash, D(20000) - cash)})
            self.assertEqual(surplus.check_books(
                    company.id, dt.date(1998, 12, 31)), [])
            extension, content, _, _ = Notice.execute(
                [a.id for a in allocations[:50]], {})
            self.assertEqual(extension, 'odt')


del ModuleTestCase
