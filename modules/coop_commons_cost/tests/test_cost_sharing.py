# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_commons_cost.cost_sharing import (
    engage, idle, rate, settle, settle_own, shortfall)

CENT = D('0.01')


class PoolRateTestCase(unittest.TestCase):
    "Test the rate and the settlement of a cost pool"

    def test_rate(self):
        "Test the rate covers the cost and what was carried"
        cost = D(2700) + D(600) + D(300)
        self.assertEqual(rate(cost, D(1200)), D('3.00'))
        self.assertEqual(rate(cost, D(1200), carried=D(240)), D('2.80'))
        self.assertEqual(rate(cost, D(1200), carried=D(-240)), D('3.20'))
        self.assertEqual(rate(cost, D(1200), carried=D(4000)), 0)
        with self.assertRaisesRegex(ValueError, "expected"):
            rate(cost, D(0))

    def test_idle(self):
        "Test idle capacity"
        self.assertEqual(idle(D(2000), D(1250)), D('0.375'))
        self.assertEqual(idle(D(1000), D(1250)), 0)
        self.assertIsNone(idle(D(0), D(1250)))

    def test_settle(self):
        "Test the surplus goes back by use, and by charge"
        use = {'a': D(500), 'b': D(400), 'c': D(350)}
        charged = {key: units * 3 for key, units in use.items()}
        for weights in [use, charged]:
            self.assertEqual(
                settle(D(3750) - D(3350), weights, CENT),
                {'a': D(160), 'b': D(128), 'c': D(112)})
            self.assertEqual(
                settle(D(-400), weights, CENT),
                {'a': D(-160), 'b': D(-128), 'c': D(-112)})

    def test_settle_own(self):
        "Test each is settled against the cost of his own use"
        use = {'a': D(10), 'b': D(10)}
        # A cost of 2,000 for advances of 1,000 and 500
        self.assertEqual(
            settle_own(D(-500), use, {'a': D(1000), 'b': D(500)}, CENT),
            {'a': D(0), 'b': D(-500)})
        # What they were charged together is the cost, but not of each
        self.assertEqual(
            settle_own(D(0), use, {'a': D(1200), 'b': D(800)}, CENT),
            {'a': D(200), 'b': D(-200)})
        # Who did not use gets all back, who was not charged pays all
        self.assertEqual(
            settle_own(
                D(-700), {'a': D(1), 'b': D(3)}, {'a': D(600), 'c': D(300)},
                CENT),
            {'a': D(200), 'b': D(-1200), 'c': D(300)})
        # 100 of the 2,000 are earned from nobody in particular
        self.assertEqual(
            settle_own(D(-400), use, {'a': D(1000), 'b': D(500)}, CENT),
            {'a': D(50), 'b': D(-450)})
        self.assertEqual(settle_own(
                D(0), use, {'a': D(1050), 'b': D(950)}, CENT, D(50)), {})
        self.assertEqual(settle_own(D(9), {}, {'a': D(9)}, CENT), {})

    def test_settle_keys(self):
        "Test each cost is shared by its own key"
        # Of 2,000 the heating is 1,400, by meter 3 to 1, and the lift 600,
        # by shares 1 to 2: 1,050 and 200, 350 and 400
        meter, shares = {'a': D(3), 'b': D(1)}, {'a': D(1), 'b': D(2)}
        charges = {'a': D(1000), 'b': D(500)}
        expected = {'a': D(-250), 'b': D(-250)}
        self.assertEqual(
            settle_own(
                D(-500), meter, charges, CENT, keyed=[(D(600), shares)]),
            expected)
        keyed = [(D(1400), meter), (D(600), shares)]
        self.assertEqual(
            settle_own(D(-500), {}, charges, CENT, keyed=keyed), expected)
        # What nobody has used by its key is borne by the others' one
        self.assertEqual(
            settle_own(
                D(-500), meter, charges, CENT, keyed=[(D(600), {})]),
            {'a': D(-500), 'b': D(0)})

    @given(
        st.decimals(-9999, 9999, places=2),
        st.lists(st.integers(0, 999), min_size=1, max_size=9),
        st.lists(st.decimals(-999, 999, places=2), max_size=9))
    def test_settle_own_sum(self, difference, weights, charges):
        "Test the amounts sum up to the difference"
        amounts = settle_own(
            difference, dict(enumerate(map(D, weights))),
            dict(enumerate(charges)), CENT)
        if amounts:
            self.assertEqual(sum(amounts.values()), difference)

    def test_settle_nothing(self):
        "Test what is not settled"
        use = {'a': D(500), 'b': D(-3)}
        self.assertEqual(settle(D(50), use, CENT, threshold=D(50)), {})
        self.assertEqual(settle(D(-50), use, CENT, threshold=D(50)), {})
        self.assertEqual(settle(D(51), use, CENT, D(50)), {'a': D(51)})
        self.assertEqual(settle(D(51), {'b': D(-3)}, CENT), {})

    def test_engage(self):
        "Test the fixed cost goes by engagement, the variable one by use"
        engaged = {'a': D(40), 'b': D(30), 'c': D(30)}
        used = {'a': D(40), 'b': D(15), 'c': D(30)}
        self.assertEqual(
            engage(D(6000), engaged, CENT),
            {'a': D(2400), 'b': D(1800), 'c': D(1800)})
        self.assertEqual(
            [D(20) * units for units in used.values()], [800, 300, 600])
        self.assertEqual(
            [shortfall(engaged[key], used[key]) for key in used], [0, 15, 0])

    @given(
        st.decimals(-10 ** 6, 10 ** 6, places=2),
        st.dictionaries(
            st.integers(1, 100), st.decimals(-10, 10 ** 4, places=1),
            max_size=20),
        st.decimals(0, 100, places=2))
    def test_settle_properties(self, difference, weights, threshold):
        "Test the parts are the whole difference, or nothing is settled"
        parts = settle(difference, weights, CENT, threshold)
        if parts:
            self.assertEqual(sum(parts.values()), difference)
            self.assertGreater(abs(difference), threshold)
        else:
            self.assertTrue(
                abs(difference) <= threshold
                or all(weight <= 0 for weight in weights.values()))
