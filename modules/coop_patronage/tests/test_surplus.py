# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal as D
from unittest.mock import Mock, patch

from trytond.modules.account.tests import create_chart
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_patronage.exceptions import (
    AppropriationError, PostError)
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class SurplusTestCase(PatronageTestCase):
    "Test the appropriation of a surplus"

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_plans(self):
        "Test the plans appropriate what their statutes ask for"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
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
            # Three times 5 % of 80,000, all of 20,000: ley 20.337 art. 42
            'ar': [4000, 4000, 4000, 20000, 0, 68000],
            # 10 % and 5 % of 80,000, all of 20,000: lei 5.764 art. 28, 87
            'br': [8000, 4000, 20000, 0, 68000],
            # No rate is in the law
            'de_marketing': [0, 0, 0, 0, 100000],
            'at': [0, 0, 0, 100000],
            'uk': [0, 0, 0, 0, 100000],
            }
        company = create_company()
        with set_company(company):
            create_chart(company)
            configuration = Configuration(1)
            configuration.registration_date = dt.date(2001, 1, 1)
            configuration.save()
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

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_loss(self):
        "Test a loss is covered in the usual order, unless lines tell another"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Plan = pool.get('coop.surplus.plan')
        Surplus = pool.get('coop.surplus')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            reserve, other = (
                Line.get_account(kind, company) for kind in [
                    'reserve', 'other'])
            plan, = Plan.search([('name', '=', "Philippines, RA 9520")])
            balances = {reserve.id: D(1000), other.id: D(600)}
            # Free profit, free reserves, the reserve of the law, carried
            for result, brought_forward, expected in [
                    ('-2139.87', '5159', ['3019.13']),
                    ('-500', '0', ['-500', '0', '0']),
                    ('-1700', '50', ['-600', '-1000', '-50'])]:
                with self.subTest(result=result):
                    surplus = Surplus(fiscalyear=fiscalyear, plan=plan)
                    surplus.on_change_plan()
                    surplus.brought_forward = D(brought_forward)
                    surplus.save()
                    usual = len(surplus.lines)
                    with patch.object(
                            Surplus, 'get_result', return_value=D(result)), \
                            patch.object(
                                Surplus, '_get_balances',
                                return_value=balances):
                        Surplus.compute([surplus])
                    surplus = Surplus(surplus.id)
                    added = [
                        l for l in surplus.lines
                        if l.kind in {'loss_cover', 'carry_forward'}]
                    self.assertEqual(
                        [l.computed_amount for l in added],
                        list(map(D, expected)))
                    self.assertEqual(
                        len(surplus.lines), usual + len(expected))
                    self.assertEqual(
                        sum(l.computed_amount for l in surplus.lines),
                        surplus.total)

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_sections(self):
        "Test the sections of the business, to what is posted"
        pool = Pool()
        Account = pool.get('account.account')
        Analytic = pool.get('analytic_account.account')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        Line = pool.get('coop.surplus.line')
        Plan = pool.get('coop.surplus.plan')
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            self._create_fiscalyear(company, 2026)
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            books = Books(company)

            def analytic(name, type, parent):
                account = Analytic(
                    name=name, type=type, company=company, state='opened')
                if parent:
                    account.parent = parent
                    account.root = parent.root or parent
                account.save()
                return account

            root = analytic("Business", 'root', None)
            grain = analytic("Grain", 'view', root)
            silo, mill = (
                analytic(name, 'normal', grain) for name in ["Silo", "Mill"])
            electric = analytic("Electric", 'normal', root)
            revenue, expense, cash = (
                Account.search([
                        ('company', '=', company.id), ('closed', '!=', True),
                        *domain], limit=1)[0]
                for domain in [
                    [('type.revenue', '=', True)],
                    [('type.expense', '=', True)],
                    [('name', '=', "Cash and Cash Equivalents")]])

            def earn(amount, section=None, state='posted'):
                income = books.line(
                    revenue if amount > 0 else expense, D(-amount))
                if section:
                    income.analytic_lines = [{
                            'account': section, 'date': dt.date(2025, 6, 1),
                            'debit': income.debit, 'credit': income.credit}]
                move = books.move(dt.date(2025, 6, 1), [
                        income, books.line(cash, D(amount))])
                if state == 'posted':
                    books.post([move])
                else:
                    move.save()
                return move

            # By hand: 12,000 - 2,000, 1,000 - 5,000, and 1,000 of neither
            earn(12000, silo)
            earn(-2000, mill)
            earn(1000, electric)
            earn(-5000, electric)
            earn(1000)
            draft = earn(700, silo, 'draft')

            alice, bob = self._create_members(["Alice", "Bob"])
            stranger = pool.get('party.party')(name="Carol")
            stranger.save()
            bushels, supplies = (
                Category(name=name) for name in ["Bushels", "Supplies"])
            Category.save([bushels, supplies])
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(amount),
                        } for category, party, amount in [
                        (bushels, alice, 300), (bushels, bob, 100),
                        (supplies, stranger, 400)]])
            plan = Plan(name="Sections")
            plan.save()
            for sequence, (kind, basis, rate, section) in enumerate([
                        ('reserve', 'member_result', D('0.2'), grain),
                        ('patronage', 'remainder', None, grain),
                        ('other', 'remainder', None, None)], 1):
                line = pool.get('coop.surplus.plan.line')(
                    plan=plan, sequence=sequence, name=kind, kind=kind,
                    basis=basis, rate=rate)
                line.section = section
                line.save()

            def compute(net_sections):
                surplus = Surplus(
                    fiscalyear=fiscalyear, plan=Plan(plan.id),
                    posting_date=dt.date(2026, 5, 1),
                    net_sections=net_sections)
                surplus.on_change_plan()
                surplus.save()
                # What is of the section that lost is told by its line
                Line(surplus=surplus, sequence=9, name="Electric",
                    kind='reserve', basis='result', section=electric,
                    account=Line.get_account('reserve', company)).save()
                Pool_(surplus=surplus, name="Grain",
                    categories=[bushels]).save()
                Surplus.compute([surplus])
                return Surplus(surplus.id)

            def amounts(surplus):
                return [(l.kind, l.section, l.section_result,
                        l.computed_amount) for l in surplus.lines]

            # The sections with a profit bear the loss: of 4,000.00 by 10 to 1
            # 3,636.36 and 363.64
            surplus = compute(True)
            self.assertEqual(amounts(surplus), [
                    ('reserve', grain, D('6363.64'), D('1272.73')),
                    ('patronage', grain, D('6363.64'), D('5090.91')),
                    ('other', None, None, D('636.36')),
                    ('reserve', electric, D(0), D(0)),
                    ])

            # Else the loss is carried forward, and all is the result
            surplus = compute(False)
            self.assertEqual(surplus.result, D(7000))
            # All of the grain is with members, and half of the rest
            self.assertEqual(surplus.member_ratio, D('0.5'))
            self.assertEqual(surplus.member_result, D(10000 - 2000 + 500))
            self.assertEqual(surplus.non_member_result, D(-1500))
            self.assertEqual(amounts(surplus), [
                    ('reserve', grain, D(10000), D(2000)),
                    ('patronage', grain, D(10000), D(8000)),
                    ('other', None, None, D(1000)),
                    ('reserve', electric, D(-4000), D(0)),
                    ('carry_forward', electric, D(-4000), D(-4000)),
                    ])
            Surplus.approve([surplus])

            # What is moved between sections leaves the result as it was
            books.post([books.move(fiscalyear.end_date, [
                            books.line(revenue, D(-1), analytic_lines=[{
                                        'account': silo, 'credit': D(1),
                                        'debit': D(0),
                                        'date': fiscalyear.end_date}]),
                            books.line(revenue, D(1))])])
            with self.assertRaisesRegex(
                    PostError, "the results of the sections"):
                Surplus.post([surplus])
            Surplus.draft([surplus])
            earn(-1, silo)
            earn(1)
            Surplus.compute([surplus])
            Surplus.approve([surplus])

            draft.__class__.delete([draft])
            books.post([books.move(fiscalyear.end_date, [
                            books.line(revenue, D(14001)),
                            books.line(expense, D(-7001)),
                            books.line(surplus.account_surplus, D(-7000)),
                            ], origin=fiscalyear)])
            Surplus.post([surplus])
            self.assertCountEqual(
                [(l.description, l.debit, l.credit)
                    for l in surplus.move.lines
                    if l.account != surplus.account_surplus], [
                    ("reserve", D(0), D(2000)),
                    ("patronage", D(0), D(8000)),
                    ("other", D(0), D(1000)),
                    ("Loss of Electric carried forward", D(4000), D(0)),
                    ])
            self.assertEqual(
                [(a.party.name, a.gross) for a in
                    surplus.pools[0].allocations if a.gross],
                [("Alice", D(6000)), ("Bob", D(2000))])
            self.assertEqual(
                Surplus.check_books(company, dt.date(2026, 12, 31)), [])

            # One account must not be of two sections
            surplus = compute(False)
            surplus.lines[3].section = silo
            surplus.save()
            with self.assertRaisesRegex(
                    AppropriationError, "Silo.*Grain|Grain.*Silo"):
                Surplus.compute([surplus])
