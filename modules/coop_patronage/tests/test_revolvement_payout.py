# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_patronage.base_capital import capital_targets
from trytond.modules.coop_patronage.revolvement_payout import (
    base_capital, by_percentage, by_vintage, hybrid, present_value)

CENT = D('0.01')
units = st.sampled_from([CENT, D('0.05'), D(1), D(5)])
amounts = st.decimals(min_value=0, max_value=10 ** 7, places=2)


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
