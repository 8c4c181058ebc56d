# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_shares.redemption_apportionment import (
    expected_years, grant)

quantities = st.lists(st.integers(1, 100).map(D), max_size=8)


class RedemptionOrderTestCase(unittest.TestCase):
    "Test how the requests share a budget"

    def test_grant(self):
        "Test the two rules to share a budget"
        requests = [('a', D(8000)), ('b', D(12000))]
        self.assertEqual(
            grant(D(10000), requests), {'a': 8000, 'b': 2000})
        self.assertEqual(
            grant(D(10000), requests, 'pro_rata'), {'a': 4000, 'b': 6000})
        self.assertEqual(
            grant(D(30000), requests, 'pro_rata'), {'a': 8000, 'b': 12000})
        self.assertEqual(grant(D(-1), requests), {'a': 0, 'b': 0})

    @given(
        st.integers(0, 500).map(D), quantities,
        st.sampled_from(['request_date', 'pro_rata']))
    def test_grant_budget(self, budget, quantities, order):
        "Test the budget is used but not exceeded"
        requests = list(enumerate(quantities))
        granted = grant(budget, requests, order)
        self.assertEqual(
            sum(granted.values()), min(budget, sum(quantities)))
        for key, quantity in requests:
            self.assertLessEqual(granted[key], quantity)
            self.assertGreaterEqual(granted[key], 0)

    def test_expected_years(self):
        "Test the number of yearly budgets a request takes"
        for ahead, quantity, budget, years in [
                (0, 100, 100, 1), (1, 100, 100, 2), (250, 50, 100, 3),
                (0, 10, 0, None)]:
            with self.subTest(ahead=ahead, quantity=quantity):
                self.assertEqual(
                    expected_years(D(ahead), D(quantity), D(budget)), years)
