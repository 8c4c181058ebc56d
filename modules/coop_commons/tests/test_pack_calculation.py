# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_commons.pack_calculation import release, take

CENT = D('0.01')
quantities = st.decimals(D('0.01'), 1000, places=2)


class PrepaidTestCase(unittest.TestCase):
    "Test prepaid packs"

    def test_take(self):
        "Test the first pack is used up before the second"
        packs = [('first', D(5)), ('empty', D(0)), ('second', D(5))]
        for quantity, taken in [
                (0, []), (3, [('first', 3)]), (5, [('first', 5)]),
                (7, [('first', 5), ('second', 2)]),
                (12, [('first', 5), ('second', 5)])]:
            with self.subTest(quantity=quantity):
                self.assertEqual(take(D(quantity), packs), taken)
        self.assertEqual(take(D(1), []), [])

    def test_release(self):
        "Test three uses of a pack of 100 earn 33.33, 33.34 and 33.33"
        self.assertEqual(
            [release(D(100), D(3), D(i), D(i + 1), CENT) for i in range(3)],
            [D('33.33'), D('33.34'), D('33.33')])
        # What is given back was earned
        self.assertEqual(release(D(100), D(3), D(2), D(1), CENT), D('-33.34'))

    @given(
        st.decimals(0, 1000, places=2),
        st.lists(quantities, min_size=1, max_size=10))
    def test_release_all(self, price, uses):
        "Test all uses of a pack earn its price"
        quantity, before, earned = sum(uses), D(0), D(0)
        for use in uses:
            value = release(price, quantity, before, before + use, CENT)
            self.assertGreaterEqual(value, 0)
            before += use
            earned += value
        self.assertEqual(earned, price)

    @given(quantities, st.lists(st.decimals(0, 1000, places=2), max_size=10))
    def test_take_all(self, quantity, remaining):
        "Test what is taken is no more than there is"
        packs = list(enumerate(remaining))
        taken = dict(take(quantity, packs))
        self.assertEqual(
            sum(taken.values()), min(quantity, sum(remaining)))
        for key, part in taken.items():
            self.assertLessEqual(part, remaining[key])
