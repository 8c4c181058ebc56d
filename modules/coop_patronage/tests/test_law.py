# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D
from unittest.mock import Mock, patch

from trytond.modules.account.tests import create_chart
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_patronage.exceptions import AppropriationError
from trytond.modules.coop_patronage.inputs import RuleInputs
from trytond.modules.coop_patronage.pool_allocation import Refused
from trytond.modules.coop_patronage.surplus_allocation import allocate
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.modules.coop_patronage.tests.test_surplus_allocation import (
    inputs, line, pool)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


def rule(kind, line_kind='patronage', **values):
    return RuleInputs(**{
            'key': 1, 'kind': kind, 'line_kind': line_kind,
            'has_reference': False} | dict.fromkeys([
                'other_kind', 'rate', 'reference_rate', 'months', 'days',
                'years', 'seniority_months']) | values)


class RuleTestCase(unittest.TestCase):
    "Test the rules of law refuse what they forbid and nothing else"

    def _check(self, refused, rule, result, lines, *args, **values):
        "Check the reason, and the limit if it has one"
        def allocate_():
            allocate(inputs(result, lines, *args, rules=(rule,), **values))
        if not refused:
            allocate_()
            return
        with self.assertRaises(Refused) as cm:
            allocate_()
        error = cm.exception
        self.assertEqual(
            (error.reason, *map(D, error.amounts.values()))
            if 'limit' in error.amounts else (error.reason,), refused)
        self.assertEqual(error.rule, 1)

    def test_capital(self):
        "Test interest is limited by a reference rate of the paid capital"
        # By hand: 3 % and 2.5 points of 50,000 are 2,750
        for interest, values, settings, refused in [
                (2750, {}, {}, None),
                (2751, {}, {}, ('rule_above', 2751, 2750)),
                (2750, {'reference_rate': None}, {}, ('rule_reference',)),
                (2750, {}, {'paid_capital': None}, ('rule_capital',)),
                # Nothing is asked for who pays nothing
                (0, {'reference_rate': None}, {'paid_capital': None}, None),
                # Brazil: 12 % of 50,000 without a reference
                (6000, {'has_reference': False, 'rate': D('0.12')}, {}, None),
                (6001, {'has_reference': False, 'rate': D('0.12')}, {},
                    ('rule_above', 6001, 6000)),
                ]:
            with self.subTest(interest=interest, **values, **settings):
                self._check(
                    refused, rule('capital', 'share_dividend', **{
                            'rate': D('0.025'), 'has_reference': True,
                            'reference_rate': D('0.03')} | values),
                    100000, [
                        line(1, 'share_dividend', amount=D(interest)),
                        line(2, 'carry_forward')],
                    settings={'paid_capital': D(50000)} | settings)

    def test_rates(self):
        "Test a refund of at most twice the rate of interest"
        # Interest 2,100 of 21,000 is 10 %: a refund of 20 % of 40,000
        for refund, refused in [
                (8000, None), (8001, ('rule_above', 8001, 8000))]:
            with self.subTest(refund=refund):
                self._check(
                    refused, rule('rates', rate=D(2)), 100000, [
                        line(1, 'share_dividend', amount=D(2100)),
                        line(2, 'patronage', amount=D(refund)),
                        line(3, 'carry_forward')],
                    [pool(1, 2)], {1: 10000, 2: 30000},
                    settings={'paid_capital': D(21000)})
        # Two pools pay the same activity, of which each pays less
        self._check(
            ('rule_above', 8001, 8000), rule('rates', rate=D(2)), 100000, [
                line(1, 'share_dividend', amount=D(2100)),
                line(2, 'patronage', amount=D(8001)),
                line(3, 'carry_forward')],
            [pool(1, 2, amount=D(4000)), pool(2, 2)],
            {1: 10000, 2: 30000}, settings={'paid_capital': D(21000)})

    def test_lines(self):
        "Test interest of at most what the reserves get"
        for interest, refused in [
                (25000, None), (25001, ('rule_above', 25001, 25000))]:
            with self.subTest(interest=interest):
                self._check(
                    refused, rule(
                        'lines', 'share_dividend', other_kind='reserves',
                        rate=D(1)), 100000, [
                        line(1, 'reserve', amount=D(15000)),
                        line(2, 'other', amount=D(10000)),
                        line(3, 'share_dividend', amount=D(interest)),
                        line(4, 'carry_forward')])

    def test_member_result(self):
        "Test patronage within the result with members"
        for refund, refused in [
                (80000, None), (80001, ('rule_above', 80001, 80000))]:
            with self.subTest(refund=refund):
                self._check(
                    refused, rule('member_result', rate=D(1)), 100000, [
                        line(1, 'patronage', amount=D(refund)),
                        line(2, 'carry_forward')],
                    [pool(1, 1)], {1: 100},
                    settings={'fixed_ratio': D('0.8')})

    def test_first_years(self):
        "Test the half for the reserve in the first five years"
        for registered, reserve, refused in [
                (dt.date(2020, 1, 2), 50000, None),
                (dt.date(2020, 1, 2), 49999, ('rule_below', 49999, 50000)),
                # The year begins on the fifth anniversary
                (dt.date(2020, 1, 1), 10000, None),
                (None, 50000, ('rule_registration',))]:
            with self.subTest(registered=registered, reserve=reserve):
                self._check(
                    refused, rule(
                        'first_years', 'reserve', rate=D('0.5'), years=5),
                    100000, [
                        line(1, 'reserve', amount=D(reserve)),
                        line(2, 'carry_forward')],
                    settings={'registration_date': registered})
        self._check(
            None, rule('first_years', 'reserve', rate=D('0.5'), years=5),
            -1000, [line(1, 'carry_forward')])

    def test_cash(self):
        "Test the money of each who is taxed on the equity"
        # 26 USC 1388(c)(1): 20 % of 33.33 is 6.666
        for percent, qualified, refused in [
                (D('0.2'), True, ('rule_cash', D('6.66'), D('6.67'))),
                (D('0.21'), True, None),
                (D('0.2'), False, None)]:
            with self.subTest(percent=percent, qualified=qualified):
                self._check(
                    refused, rule('cash', rate=D('0.2')), 100,
                    [line(1, 'patronage')],
                    [pool(1, 1, cash_percent=percent, qualified=qualified,
                            bylaw_consent=True)],
                    {1: 100, 2: 100, 3: 100})

    def test_deadline(self):
        "Test the time of payment after the end of the year"
        # 26 USC 1382(d): the 15th day of the ninth month after the year
        for end_date, date, refused in [
                (dt.date(2025, 12, 31), dt.date(2026, 9, 15), None),
                (dt.date(2025, 12, 31), dt.date(2026, 9, 16),
                    ('rule_deadline',)),
                (dt.date(2025, 6, 30), dt.date(2026, 3, 15), None),
                (dt.date(2025, 6, 30), dt.date(2026, 3, 16),
                    ('rule_deadline',)),
                (dt.date(2025, 2, 28), dt.date(2025, 11, 15), None),
                ]:
            with self.subTest(date=date):
                self._check(
                    refused, rule('deadline', months=8, days=15), 100,
                    [line(1, 'patronage')], [pool(1, 1, payment_date=date)],
                    {1: 100}, settings={'end_date': end_date})

    def test_employees(self):
        "Test all employees must be paid who were there long enough"
        # Loi 78-763 art. 33
        law = rule(
            'employees', rate=D(2), months=3, seniority_months=6)
        values = {
            'employees': True, 'non_members': 'pay', 'presence_months': 3,
            'seniority_months': 6}
        for changes, refused in [
                ({}, None),
                ({'measure': 'equal'}, None),
                ({'presence_months': 1}, None),
                ({'seniority_rate': D('0.1'), 'seniority_maximum': D(2)},
                    None),
                ({'employees': False}, ('rule_employees',)),
                ({'non_members': 'exclude'}, ('rule_employees',)),
                ({'minimum_activity': D(10)}, ('rule_employees',)),
                ({'measure': 'tenure'}, ('rule_employees',)),
                ({'presence_months': 4}, ('rule_presence',)),
                ({'seniority_months': 7}, ('rule_presence',)),
                ({'seniority_rate': D('0.1'),
                        'seniority_maximum': D('2.1')},
                    ('rule_seniority',)),
                ]:
            with self.subTest(changes=changes):
                self._check(
                    refused, law, 100, [line(1, 'patronage')],
                    [pool(1, 1, **values | changes)], {1: 100, 2: 100},
                    seniority={1: {1: (1, 1), 2: (1, None)}})
        # By the hours of who has none
        self._check(
            ('rule_employee',), law, 100, [line(1, 'patronage')],
            [pool(1, 1, **values)], {1: 100},
            seniority={1: {1: (1, 1), 2: (1, None)}})

    def test_non_members(self):
        "Test who is no member must be paid"
        for non_members, refused in [
                ('pay', None), ('exclude', ('rule_non_members',))]:
            with self.subTest(non_members=non_members):
                self._check(
                    refused, rule('non_members'), 100,
                    [line(1, 'patronage')],
                    [pool(1, 1, non_members=non_members)], {1: 100})


class PresetTestCase(PatronageTestCase):
    "Test the plans refuse what their law forbids, by name and source"

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_presets(self):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        ModelData = pool.get('ir.model.data')
        Plan = pool.get('coop.surplus.plan')
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            member, = self._create_members(["Alice"])
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': member.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(10000)}])
            configuration = Configuration(1)

            def compute(
                    plan, amounts, registered=None, reference=None,
                    pool=None, **values):
                configuration.registration_date = registered
                configuration.save()
                surplus = Surplus(
                    fiscalyear=fiscalyear,
                    plan=Plan(ModelData.get_id(
                            'coop_patronage', f'plan_{plan}')),
                    posting_date=dt.date(2026, 5, 1))
                surplus.on_change_plan()
                surplus.member_ratio_basis = 'fixed'
                surplus.member_ratio = D('0.8')
                for name, value in values.items():
                    setattr(surplus, name, value)
                lines = {l.kind: l for l in surplus.lines}
                for kind, amount in amounts.items():
                    lines[kind].rate = None
                    lines[kind].amount = D(amount)
                for rule in surplus.rules:
                    if rule.reference and reference:
                        rule.reference_rate = D(reference)
                        rule.reference_date = dt.date(2025, 12, 31)
                        rule.reference_source = "Gazette"
                if amounts.get('patronage'):
                    surplus.pools = [Pool_(
                            name="Pool", categories=[category],
                            **pool or {})]
                surplus.save()
                with patch.object(
                        Surplus, 'get_result', return_value=D(100000)):
                    Surplus.compute([surplus])

            old = {'registered': dt.date(2001, 1, 1)}
            capital = {'paid_capital': D(50000)}
            # By hand, of a result of 100,000.00 and a capital of 50,000.00
            for plan, amounts, values, allowed in [
                    # 3 % and 2.5 points
                    ('it', {'share_dividend': 2751},
                        capital | {'reference': '0.03'},
                        'Codice civile art. 2514, .*2,750'),
                    ('it', {'share_dividend': 1}, capital,
                        'Highest interest of postal bonds'),
                    ('it', {'share_dividend': 1}, {'reference': '0.03'},
                        'needs the paid capital.*art. 2514'),
                    # 2 % and 2 points
                    ('fr_scic', {'share_dividend': 2001},
                        capital | {'reference': '0.02'},
                        'Loi 47-1775 art. 14, .*2,000'),
                    ('fr_scop', {'share_dividend': 25001},
                        {'pool': {'non_members': 'pay'}},
                        'maximum of .*25,000.*Loi 78-763 art. 33'),
                    ('fr_scop', {'patronage': 25000}, {},
                        'for all employees, members.*Loi 78-763 art. 33'),
                    ('fr_scop', {'patronage': 24999}, {},
                        'below its minimum of .*25,000.*Loi 78-763'),
                    # 3.25 % and 6 points
                    ('es', {'share_dividend': 4626},
                        capital | {'reference': '0.0325'},
                        'Ley 27/1999 art. 48, .*4,625'),
                    # Half of the 20,000.00 that are not with members
                    ('es', {'reserve': 9999}, {},
                        'minimum of .*10,000.*Ley 27/1999 art. 58'),
                    ('br', {'share_dividend': 6001}, capital,
                        'Lei 5.764/1971 art. 24 .*6,000'),
                    ('ph', {}, {}, 'registration date.*Act 9520 art. 86'),
                    ('ph', {}, {'registered': dt.date(2022, 1, 1)},
                        'first five years.*Act 9520 art. 86.*50,000'),
                    # 2 % of the capital is interest, 4 % of 10,000 refund
                    ('ph', {'share_dividend': 1000, 'patronage': 76000},
                        capital | old, 'CDA Memorandum Circular 2019-09.*400'),
                    ('ar', {'reserve': 3999}, {},
                        'below its minimum of .*4,000.*Ley 20.337 art. 42'),
                    ('de', {'patronage': 80001}, {},
                        'Körperschaftsteuergesetz § 22.*80,000'),
                    ('de', {'patronage': 80000},
                        {'pool': {'payment_deadline': dt.date(2027, 1, 1)}},
                        'paid by 12/31/2026.*Körperschaftsteuer-Richtlinien'),
                    ('de_marketing', {'patronage': 80001}, {},
                        'Körperschaftsteuergesetz § 22.*80,000'),
                    ('at', {'patronage': 80001}, {},
                        'Körperschaftsteuerrichtlinien 2013 Rz 1404'),
                    ('uk', {'share_dividend': 2501},
                        capital | {'reference': '0.05'},
                        'Benefit Societies Act 2014 s. 2.*2,500'),
                    ('uk', {'share_dividend': 1}, capital,
                        'needed to obtain and retain the capital'),
                    ('us', {'patronage': 80000},
                        {'pool': {'payment_deadline': dt.date(2026, 9, 16)}},
                        r'paid by 09/15/2026.*26 USC 1382\(d\)'),
                    ]:
                with (self.subTest(plan=plan, amounts=amounts),
                        self.assertRaisesRegex(AppropriationError, allowed)):
                    compute(plan, amounts, **values)

            # What is just allowed
            for plan, amounts, values in [
                    ('it', {'share_dividend': 2750},
                        capital | {'reference': '0.03'}),
                    ('fr_scic', {'share_dividend': 2000},
                        capital | {'reference': '0.02'}),
                    ('es', {'share_dividend': 4625},
                        capital | {'reference': '0.0325'}),
                    ('br', {'share_dividend': 6000}, capital),
                    ('de', {'patronage': 80000},
                        {'pool': {'payment_deadline': dt.date(2026, 12, 31)}}),
                    ('us', {'patronage': 80000},
                        {'pool': {'payment_deadline': dt.date(2026, 9, 15)}}),
                    ('uk', {'share_dividend': 2500},
                        capital | {'reference': '0.05'}),
                    ]:
                with self.subTest(plan=plan, amounts=amounts):
                    compute(plan, amounts, **values)

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_scop(self):
        "Test the part of all employees of a SCOP, to what they are owed"
        pool = Pool()
        Account = pool.get('account.account')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Employee = pool.get('company.employee')
        Entry = pool.get('coop.patronage.entry')
        ModelData = pool.get('ir.model.data')
        Party = pool.get('party.party')
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
            anna, = self._create_members(["Anna"])
            ben, cleo, dora = Party.create([
                    {'name': name} for name in ["Ben", "Cleo", "Dora"]])
            pay = Category(name="Pay")
            pay.save()
            # Cleo is not yet there for three months, Dora was
            for party, start, end, amount in [
                    (anna, dt.date(2015, 1, 1), None, 30000),
                    (ben, dt.date(2025, 8, 1), None, 10000),
                    (cleo, dt.date(2025, 11, 1), None, 4000),
                    (dora, dt.date(2025, 1, 1), dt.date(2025, 3, 31), 6000)]:
                Employee(
                    company=company, party=party, start_date=start,
                    end_date=end).save()
                Entry(
                    category=pay, party=party, date=dt.date(2025, 3, 1),
                    amount=D(amount)).save()
            surplus = Surplus(
                fiscalyear=fiscalyear, posting_date=dt.date(2026, 5, 1),
                plan=Plan(ModelData.get_id('coop_patronage', 'plan_fr_scop')))
            surplus.on_change_plan()
            surplus.member_ratio_basis = 'fixed'
            surplus.member_ratio = D(1)
            values = {
                'categories': [pay], 'non_members': 'pay',
                'employees': True, 'presence_months': 3,
                'seniority_months': 6}
            surplus.pools = [
                Pool_(
                    name="By pay", part=D('0.6'), seniority_rate=D('0.1'),
                    seniority_maximum=D(2), **values),
                Pool_(name="In equal parts", measure='equal', **values)]
            surplus.save()
            books = Books(company)
            revenue, = Account.search([
                    ('company', '=', company.id), ('closed', '!=', True),
                    ('type.revenue', '=', True)], limit=1)
            cash, = Account.search([
                    ('company', '=', company.id),
                    ('name', '=', "Cash and Cash Equivalents")])
            books.post([books.move(dt.date(2025, 6, 1), [
                            books.line(revenue, D(-100000)),
                            books.line(cash, D(100000))])])

            for name, value, law in [
                    ('presence_months', 4,
                        'By pay.*more months.*Loi 78-763 art. 33'),
                    ('seniority_maximum', D('2.5'),
                        'By pay.*maximum of the seniority.*78-763 art. 33'),
                    ('non_members', 'exclude',
                        'By pay.*all employees.*Loi 78-763 art. 33')]:
                pool_ = surplus.pools[0]
                before = getattr(pool_, name)
                Pool_.write([pool_], {name: value})
                with self.subTest(name=name), \
                        self.assertRaisesRegex(AppropriationError, law):
                    Surplus.compute([Surplus(surplus.id)])
                Pool_.write([pool_], {name: before})

            surplus = Surplus(surplus.id)
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            books.post([books.move(fiscalyear.end_date, [
                            books.line(revenue, D(100000)),
                            books.line(surplus.account_surplus, D(-100000)),
                            ], origin=fiscalyear)])
            Surplus.post([surplus])
            self.assertEqual(
                [(l.kind, l.computed_amount) for l in surplus.lines], [
                    ('reserve', D(15000)), ('patronage', D(25000)),
                    ('share_dividend', D(0)), ('other', D(60000))])
            # By hand: of 15,000 by the pay, Anna's twice as of eleven years,
            # of 60,000, 10,000 and 6,000, and of 10,000 in three parts
            self.assertEqual(
                [(p.name, a.party.name, a.gross)
                    for p in surplus.pools
                    for a in sorted(p.allocations, key=int)], [
                    ("By pay", "Anna", D('11842.11')),
                    ("By pay", "Ben", D('1973.68')),
                    ("By pay", "Dora", D('1184.21')),
                    ("In equal parts", "Anna", D('3333.34')),
                    ("In equal parts", "Ben", D('3333.33')),
                    ("In equal parts", "Dora", D('3333.33')),
                    ])
            self.assertEqual({
                    p.name: p.payable for p in [anna, ben, cleo, dora]}, {
                    "Anna": D('-15175.45'), "Ben": D('-5307.01'),
                    "Cleo": D(0), "Dora": D('-4517.54')})
            self.assertEqual(
                Surplus.check_books(company, dt.date(2026, 12, 31)), [])
