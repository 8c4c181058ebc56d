# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D
from fractions import Fraction

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_patronage.pool_arithmetic import (
    by_rate, distribute, elect, set_off, split_cash, whole_shares)

CENT = D('0.01')
units = st.sampled_from([CENT, D('0.05'), D(1), D(5)])
amounts = st.decimals(min_value=0, max_value=10 ** 7, places=2)
weights = st.dictionaries(
    st.integers(1, 10 ** 4),
    st.decimals(min_value=0, max_value=10 ** 6, places=2),
    min_size=1, max_size=40).filter(lambda w: any(w.values()))


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
