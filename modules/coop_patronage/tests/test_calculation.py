# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D
from fractions import Fraction

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_patronage.absorption import absorb
from trytond.modules.coop_patronage.allocation import (
    by_rate, distribute, elect, set_off, split_cash, whole_shares, withhold)
from trytond.modules.coop_patronage.revolvement import (
    base_capital, by_percentage, by_vintage, capital_targets, hybrid,
    present_value)
from trytond.modules.coop_patronage.waterfall import (
    Rule, RuleError, appropriate, target_room)

CENT = D('0.01')
units = st.sampled_from([CENT, D('0.05'), D(1), D(5)])
amounts = st.decimals(min_value=0, max_value=10 ** 7, places=2)
weights = st.dictionaries(
    st.integers(1, 10 ** 4),
    st.decimals(min_value=0, max_value=10 ** 6, places=2),
    min_size=1, max_size=40).filter(lambda w: any(w.values()))


def rates(values):
    return {k: D(v) / 100 if v is not None else None
        for k, v in values.items()}


class WaterfallTestCase(unittest.TestCase):
    "Test the appropriation of a surplus"

    def philippine(self, reserve=10, education=5, refund=30):
        return [
            Rule('reserve', rate=D(reserve) / 100, minimum_rate=D('0.10')),
            Rule('education', rate=D(education) / 100,
                maximum_rate=D('0.05')),
            Rule('federation', 'previous_line', rate=D(1)),
            Rule('community', rate=D('0.03'), minimum_rate=D('0.03')),
            Rule('optional', rate=D('0.07'), maximum_rate=D('0.07')),
            Rule('interest', 'remainder', rate=1 - D(refund) / 100),
            Rule('refund', 'remainder', rate=D(refund) / 100,
                minimum_rate=D('0.30')),
            ]

    def test_funds(self):
        "Test the funds of a Philippine cooperative"
        # Tested plan PCMPC, after Philippine Republic Act 9520 art. 86
        total = D(1000000)
        self.assertEqual(
            appropriate(total, self.philippine(), {'result': total}), {
                'reserve': D(100000),
                'education': D(50000),
                'federation': D(50000),
                'community': D(30000),
                'optional': D(70000),
                'interest': D(490000),
                'refund': D(210000),
                })

    def test_floors_and_caps(self):
        "Test the floors and caps refuse by name"
        total = D(1000000)
        for values, reason, key, amount, limit in [
                ({'reserve': 8}, 'minimum', 'reserve', 80000, 100000),
                ({'education': 6}, 'maximum', 'education', 60000, 50000),
                ({'refund': 20}, 'minimum', 'refund', 140000, 210000),
                ]:
            with self.subTest(**values):
                with self.assertRaises(RuleError) as cm:
                    appropriate(
                        total, self.philippine(**values), {'result': total})
                self.assertEqual(
                    (cm.exception.reason, cm.exception.key,
                        cm.exception.amount, cm.exception.limit),
                    (reason, key, amount, limit))

    def test_nested(self):
        "Test floors and caps of lines on the bases of other lines"
        # By hand: 20 % of 90,000; half of 30,000; 5 % of 90,000 and half of
        # that; 40 % and 60 % of the 80,250 that are left
        bases = {
            'result': D(120000), 'member_result': D(90000),
            'non_member_result': D(30000)}

        def rules(member='0.2', fund='0.5', interest='0.4'):
            return [
                Rule('member', 'member_result', D(member),
                    minimum_rate=D('0.2')),
                Rule('other', 'non_member_result', D('0.5'),
                    minimum_rate=D('0.5')),
                Rule('fund', 'member_result', D('0.05')),
                Rule('union', 'previous_line', D(fund),
                    maximum_rate=D('0.5')),
                Rule('interest', 'remainder', D(interest),
                    maximum_rate=D('0.4')),
                Rule('patronage', 'remainder'),
                ]

        self.assertEqual(appropriate(D(120000), rules(), bases), {
                'member': D(18000), 'other': D(15000), 'fund': D(4500),
                'union': D(2250), 'interest': D(32100),
                'patronage': D(48150)})
        for values, reason, key, amount, limit in [
                ({'member': '0.19'}, 'minimum', 'member', 17100, 18000),
                ({'fund': '0.6'}, 'maximum', 'union', 2700, 2250),
                ({'interest': '0.5'}, 'maximum', 'interest', 40125, 32100),
                ]:
            with self.subTest(**values):
                with self.assertRaises(RuleError) as cm:
                    appropriate(D(120000), rules(**values), bases)
                error = cm.exception
                self.assertEqual(
                    (error.reason, error.key, error.amount, error.limit),
                    (reason, key, amount, limit))

    def test_target(self):
        "Test a fund stops at its target"
        # Rhode Island 7-8-26: until the fund is 50 % of the paid-up capital
        room = target_room(D(38500), D('0.5'), D(80000))
        self.assertEqual(room, D(1500))
        self.assertEqual(
            appropriate(D(30000), [
                    Rule('reserve', rate=D('0.1'), minimum_rate=D('0.1'),
                        room=room),
                    Rule('rest', 'remainder'),
                    ], {'result': D(30000)}),
            {'reserve': D(1500), 'rest': D(28500)})
        self.assertEqual(target_room(D(50000), D('0.5'), D(80000)), 0)

    def test_unrounded_remainder(self):
        "Test the remainder is not rounded"
        # French SCIC: 15 % and half of the rest are 57.5 %
        total = D('1000.01')
        result = appropriate(total, [
                Rule('legal', rate=D('0.15')),
                Rule('statutory', 'remainder', rate=D('0.5')),
                Rule('rest', 'remainder'),
                ], {'result': total})
        self.assertEqual(result['legal'], D('150.00'))
        # 425.00425, where half of the rounded rest were 425.005
        self.assertEqual(result['statutory'], D('425.00'))
        self.assertEqual(sum(result.values()), total)

    def test_loss(self):
        "Test a loss year"
        # Hypha bylaws 6.4: 80 % of a loss to the reserve as far as it goes
        self.assertEqual(
            appropriate(D(-50000), [
                    Rule('reserve', rate=D('0.8'), room=D(30000)),
                    Rule('members', 'remainder'),
                    ], {'result': D(-50000)}),
            {'reserve': D(-30000), 'members': D(-20000)})

    def test_refused(self):
        "Test lines that do not sum to the surplus"
        total = D(1000)
        for rules, reason, amount in [
                ([Rule(1, rate=D('0.6')), Rule(2, rate=D('0.5'))],
                    'exceeded', 100),
                ([Rule(1, rate=D('0.6')), Rule(2, rate=D('0.3'))],
                    'left', 100),
                ([Rule(1, amount=D(1200)), Rule(2, 'remainder')],
                    'exceeded', 200),
                ([Rule(1, rate=D('0.9')), Rule(2, rate=D('0.3')),
                        Rule(3, 'remainder', rate=D('0.7')),
                        Rule(4, 'remainder')],
                    'exceeded', 200),
                ([Rule(1, 'remainder', rate=D('0.7')),
                        Rule(2, 'remainder', rate=D('0.2'))],
                    'left', 100),
                ]:
            with self.subTest(rules=rules):
                with self.assertRaises(RuleError) as cm:
                    appropriate(total, rules, {'result': total})
                self.assertEqual(cm.exception.reason, reason)
                self.assertEqual(cm.exception.amount, amount)

    @given(
        st.decimals(min_value=-10 ** 7, max_value=10 ** 7, places=2),
        st.lists(st.tuples(
                st.sampled_from(['result', 'remainder', 'previous_line']),
                st.integers(0, 20)), max_size=5))
    def test_sum(self, total, lines):
        "Test the lines sum to the result"
        rules = [
            Rule(i, basis, rate=D(rate) / 100)
            for i, (basis, rate) in enumerate(lines)]
        rules.append(Rule('break', rate=D(0)))
        rules.append(Rule('rest', 'remainder'))
        # Some cents may round to more than there is
        try:
            result = appropriate(total, rules, {'result': total})
        except RuleError:
            self.assertLess(abs(total), 1)
        else:
            self.assertEqual(sum(result.values()), total)
            self.assertEqual(list(result), [r.key for r in rules])


class AllocationTestCase(unittest.TestCase):
    "Test the allocation of a pool"

    def test_rates(self):
        "Test the pools of a Philippine cooperative"
        # PCMPC: interest over average share months, refund over patronage
        self.assertEqual(
            by_rate(D('0.1'), {1: D(12000), 2: D(9000)}, CENT),
            {1: D(1200), 2: D(900)})
        self.assertEqual(
            distribute(D(2100), {1: D(12000), 2: D(9000)}, CENT),
            ({1: D(1200), 2: D(900)}, 0))
        self.assertEqual(
            distribute(D(4000), {1: D(10000), 2: D(30000)}, CENT),
            ({1: D(1000), 2: D(3000)}, 0))

    def test_money_floor(self):
        "Test nobody gets less than a fifth in money"
        # United States 26 USC 1388(c)(1)
        gross = dict(enumerate(map(D, ['0.07', '10.01', '33.33', '100.00'])))
        self.assertEqual(
            list(split_cash(gross, D('0.2'), D('0.2')).values()),
            list(map(D, ['0.02', '2.01', '6.67', '20.00'])))

    def test_equal_members(self):
        "Test three equal members"
        gross, left = distribute(
            D('100.00'), {1: D(1), 2: D(1), 3: D(1)}, CENT)
        cash = split_cash(gross, D('0.2'), D('0.2'))
        self.assertEqual(left, 0)
        self.assertEqual(
            list(gross.values()), [D('33.34'), D('33.33'), D('33.33')])
        self.assertEqual(list(cash.values()), [D('6.67')] * 3)
        self.assertEqual(
            [gross[k] - cash[k] for k in gross],
            [D('26.67'), D('26.66'), D('26.66')])

    def test_cash_without_floor(self):
        "Test without floor the money is apportioned"
        gross = {1: D('33.34'), 2: D('33.33'), 3: D('33.33')}
        cash = split_cash(gross, D('0.2'))
        self.assertEqual(sum(cash.values()), D('20.00'))

    def test_caps(self):
        "Test what a cap cuts off goes to the others"
        self.assertEqual(
            distribute(D(100), {1: 8, 2: 1, 3: 1}, CENT, {1: D(30)}),
            ({1: D(30), 2: D(35), 3: D(35)}, 0))
        self.assertEqual(
            distribute(D(100), {1: 8, 2: 1}, CENT, {1: D(30), 2: D(5)}),
            ({1: D(30), 2: D(5)}, D(65)))
        self.assertEqual(
            by_rate(D('0.1'), {1: D(100), 2: D(5)}, CENT, {1: D(4)}),
            {1: D(4), 2: D('0.5')})

    def test_whole_shares(self):
        "Test shares of a par value"
        self.assertEqual(
            whole_shares(D('26.67'), D(25), 0),
            (D(1), D(25), D('1.67')))
        self.assertEqual(
            whole_shares(D('26.67'), D(1), 2),
            (D('26.67'), D('26.67'), D(0)))
        self.assertEqual(
            whole_shares(D('24.99'), D(25), 0), (D(0), D(0), D('24.99')))
        # Dinars have 1,000 fils
        self.assertEqual(
            whole_shares(D('2.500'), D('1.234'), 0, D('0.001')),
            (D(2), D('2.468'), D('0.032')))

    def test_withholding(self):
        "Test the tax on the total of the year"
        # Canada, Income Tax Act s. 135(3): 15 % above 100
        for amount, before, withheld, expected in [
                ('80', '0', '0', '0'),
                ('80', '80', '0', '9.00'),
                ('80', '160', '9.00', '12.00'),
                ]:
            with self.subTest(amount=amount, before=before):
                self.assertEqual(
                    withhold(
                        D(amount), D(before), D(withheld), D('0.15'),
                        D(100), CENT),
                    D(expected))

    def test_elections_and_set_off(self):
        "Test an arrear is paid first"
        # PCMPC: gross 2,200, half capitalised; gross 3,900 with 500 due
        self.assertEqual(
            elect(
                D(2200), {'capitalise': D('0.5'), 'savings': D('0.5')}, CENT),
            {'capitalise': D(1100), 'savings': D(1100), 'cash': D(0)})
        paid = set_off(D(3900), {'loan': D(500)})
        self.assertEqual(paid, {'loan': D(500)})
        self.assertEqual(
            set_off(D(600), {1: D(500), 2: D(500), 3: D(1)}),
            {1: D(500), 2: D(100)})

    def test_election_limits(self):
        "Test what an election may capitalise"
        half = {'capitalise': D('0.5'), 'donate': D('0.2')}
        for values, expected in [
                # The rest is paid out
                ({}, {'capitalise': 50, 'donate': 20, 'cash': 30}),
                # Up to the target holding
                ({'room': D(15)},
                    {'capitalise': 15, 'donate': 20, 'cash': 65}),
                # United States 26 USC 1388(c)(1): a fifth of 400 in money
                ({'least': D(80)},
                    {'capitalise': 20, 'donate': 20, 'cash': 60}),
                ]:
            with self.subTest(**values):
                self.assertEqual(
                    elect(D(100), half, CENT, **values), expected)

    @given(amounts, units, st.integers(0, 100), st.integers(0, 100),
        st.integers(0, 100), st.one_of(st.none(), amounts))
    def test_election_sum(
            self, cash, unit, capital, savings, floor, room):
        "Test an election loses nothing and leaves the legal floor in money"
        shares = {
            'capitalise': D(capital) / 200, 'savings': D(savings) / 200}
        least = half_up(Fraction(cash) * floor / 100, CENT)
        parts = elect(cash, shares, unit, least, room)
        self.assertEqual(sum(parts.values()), cash)
        self.assertGreaterEqual(min(parts.values()), 0)
        self.assertGreaterEqual(cash - parts['capitalise'], least)
        if room is not None:
            self.assertLessEqual(parts['capitalise'], room)

    @given(
        st.decimals(min_value=-10 ** 7, max_value=10 ** 7, places=2),
        weights, units, st.integers(0, 100), st.integers(1, 100),
        st.randoms(use_true_random=False))
    def test_properties(self, total, weights, unit, percent, floor, rng):
        "Test any pool, negative ones too, is distributed to the cent"
        items = list(weights.items())
        rng.shuffle(items)
        gross, left = distribute(total, dict(items), unit)
        self.assertEqual(sum(gross.values()) + left, total)
        self.assertEqual(gross, distribute(total, weights, unit)[0])
        cash = split_cash(gross, D(percent) / 100, D(floor) / 100, unit)
        self.assertEqual(
            cash, split_cash(
                dict(sorted(gross.items())), D(percent) / 100,
                D(floor) / 100, unit))
        for key, part in gross.items():
            self.assertLessEqual(part * total, total * total)
            self.assertGreaterEqual(
                100 * cash[key], floor * max(part, D(0)))
            self.assertLessEqual(cash[key], max(part, D(0)))
            for other in gross:
                if weights[other] == weights[key]:
                    self.assertLessEqual(abs(gross[other] - part), unit)

    @given(amounts, weights, units)
    def test_sums(self, total, weights, unit):
        "Test the parts sum to the pool and nobody is below the floor"
        gross, left = distribute(total, weights, unit)
        self.assertEqual(sum(gross.values()) + left, total)
        cash = split_cash(gross, D('0.2'), D('0.2'), unit)
        for key in gross:
            self.assertGreaterEqual(5 * cash[key], gross[key])
            self.assertLessEqual(cash[key], gross[key])
        cash = split_cash(gross, D('0.2'), unit=unit)
        self.assertEqual(
            sum(cash.values()),
            half_up(Fraction(total) / 5, unit))

    @given(amounts, weights, units, st.randoms(use_true_random=False))
    def test_order(self, total, weights, unit, rng):
        "Test the order of the members decides nothing"
        caps = {
            k: D(rng.randrange(10 ** 6)) for k in sorted(weights) if k % 2}
        items = list(weights.items())
        rng.shuffle(items)
        parts, left = distribute(total, dict(items), unit, caps)
        self.assertEqual(
            (parts, left), distribute(total, weights, unit, caps))
        self.assertEqual(sum(parts.values()) + left, total)
        self.assertFalse([k for k in caps if parts[k] > caps[k]])

    @given(amounts, st.integers(1, 99), units)
    def test_equal(self, total, count, unit):
        "Test equal members differ by a unit at most"
        parts, _ = distribute(total, dict.fromkeys(range(count), D(3)), unit)
        self.assertLessEqual(
            max(parts.values()) - min(parts.values()), unit)


class AbsorptionTestCase(unittest.TestCase):
    "Test the absorption of losses"

    def test_published(self):
        "Test the part of the members in a loss"
        # Hypha bylaws 6.4: by hours
        self.assertEqual(
            apportion(D(-20000), {1: 1800, 2: 1200, 3: 1000}),
            {1: D(-9000), 2: D(-6000), 3: D(-5000)})

    def test_order(self):
        "Test the order of the vintages"
        balances = {(1, 2022): D(40), (1, 2023): D(50), (2, 2023): D(10)}
        self.assertEqual(
            absorb({1: D(60), 2: D(15)}, balances),
            ({(1, 2022): D(40), (1, 2023): D(20), (2, 2023): D(10)},
                {2: D(5)}))
        self.assertEqual(
            absorb({1: D(60)}, balances, newest=True),
            ({(1, 2023): D(50), (1, 2022): D(10)}, {}))

    @given(
        st.dictionaries(st.integers(1, 9), amounts),
        st.dictionaries(
            st.tuples(st.integers(1, 9), st.integers(2020, 2024)), amounts),
        st.booleans())
    def test_never_negative(self, losses, balances, newest):
        "Test no balance gets below zero and nothing is lost"
        taken, uncovered = absorb(losses, balances, newest)
        for key, amount in taken.items():
            self.assertLessEqual(amount, balances[key])
        self.assertEqual(
            sum(taken.values()) + sum(uncovered.values()),
            sum(losses.values()))


class RevolvementTestCase(unittest.TestCase):
    "Test the revolvement of allocated equity"
    balances = {
        ('A', 2023): D(300), ('B', 2023): D(100),
        ('A', 2024): D(200), ('B', 2024): D(200),
        }

    def totals(self, paid):
        result = {}
        for (member, _), amount in paid.items():
            result[member] = result.get(member, 0) + amount
        return result

    def test_fifo(self):
        "Test the oldest first, the last pro rata"
        # Bylaws of a worker cooperative, 9.6
        paid = by_vintage(self.balances, D(500))
        self.assertEqual(self.totals(paid), {'A': D(350), 'B': D(150)})
        self.assertEqual(paid['A', 2024], D(50))

    def test_lifo(self):
        "Test the newest first"
        paid = by_vintage(self.balances, D(500), newest=True)
        self.assertEqual(paid['A', 2023], D(75))
        self.assertEqual(paid['B', 2023], D(25))

    def test_until(self):
        "Test everything up to a vintage"
        self.assertEqual(
            by_vintage(self.balances, None, newest=True, until=2024),
            {('A', 2024): D(200), ('B', 2024): D(200)})
        paid = by_vintage(self.balances, None, until=2023)
        self.assertEqual(paid, {('A', 2023): D(300), ('B', 2023): D(100)})

    def test_percentage(self):
        "Test the same part of all"
        self.assertEqual(
            by_percentage(dict(enumerate(
                        map(D, ['4312.40', '877.15', '61.03']))), D('0.125')),
            dict(enumerate(map(D, ['539.05', '109.64', '7.63']))))
        self.assertEqual(
            self.totals(by_percentage(self.balances, budget=D(80))),
            {'A': D(50), 'B': D(30)})

    def test_hybrid(self):
        "Test a part by vintage and a part by percentage"
        paid = hybrid(self.balances, D(400), D('0.5'))
        # 200 of 2023 pro rata, then a third of each balance that is left
        self.assertEqual(paid, {
                ('A', 2023): D(200), ('B', 2023): D('66.67'),
                ('A', 2024): D('66.67'), ('B', 2024): D('66.66')})

    def test_base_capital(self):
        "Test the over-invested are paid"
        targets = capital_targets(D(600), {'A': 1, 'B': 1})
        self.assertEqual(targets, {'A': D(300), 'B': D(300)})
        self.assertEqual(
            base_capital(self.balances, targets), {('A', 2023): D(200)})
        self.assertEqual(
            base_capital(self.balances, targets, D(60)),
            {('A', 2023): D(60)})
        self.assertEqual(capital_targets(D(600), {}), {})
        # There is no part of a yen
        self.assertEqual(
            capital_targets(D(1000), {'A': 1, 'B': 2}, D(1)),
            {'A': D(333), 'B': D(667)})

    def test_estate(self):
        "Test the present value"
        self.assertEqual(present_value(D(1000), D('0.05'), 3), D('863.84'))
        self.assertEqual(present_value(D(1000), D('0.05'), -1), D(1000))

    @given(
        st.dictionaries(
            st.tuples(st.integers(1, 9), st.integers(2020, 2024)),
            amounts, min_size=1),
        amounts, st.booleans(), units)
    def test_never_overdrawn(self, balances, budget, newest, unit):
        "Test the budget is used up and no balance overdrawn"
        expected = min(budget, sum(balances.values()))
        for paid in [
                by_vintage(balances, budget, newest, unit=unit),
                by_percentage(balances, budget=budget, unit=unit),
                hybrid(balances, budget, D('0.4'), unit),
                base_capital(balances, {}, budget, unit),
                ]:
            self.assertEqual(sum(paid.values()), expected)
            for key, amount in paid.items():
                self.assertLessEqual(amount, balances[key])
