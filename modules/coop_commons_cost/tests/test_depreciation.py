# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D
from itertools import accumulate

from hypothesis import given, strategies as st

from trytond.modules.coop_commons_cost.depreciation import (
    by_time, by_use, by_use_or_time, declining, instalments)


def cents(amount):
    return amount.quantize(D('0.01'))


def decimals(text):
    return list(map(D, text.split()))


def amounts(maximum=10 ** 7):
    return st.decimals(min_value=0, max_value=maximum, places=2)


uses = st.lists(amounts(10 ** 5), min_size=1, max_size=30)


def use_up(depreciable, expected, uses):
    return instalments(
        [by_use(depreciable, units, expected) for units in accumulate(uses)],
        D(0), cents)


class DepreciationTestCase(unittest.TestCase):
    "Test the methods of depreciation"

    def test_by_use(self):
        "Test published exercises of units of production"
        for value, residual, expected, uses, depreciations in [
                # A van of 250,000 that lasts 1,000,000 km
                ('250000', '0', '1000000', '350000 140000 300000',
                    '87500 35000 75000'),
                # A machine of 72,000 that makes 500,000 units
                ('72000', '6000', '500000', '90000 82000 94000',
                    '11880 10824 12408'),
                # The last year makes more than what is left
                ('60000', '5000', '220000', '36000 44000 52000 60000 32000',
                    '9000 11000 13000 15000 7000'),
                ]:
            with self.subTest(value=value):
                self.assertEqual(
                    use_up(
                        D(value) - D(residual), D(expected), decimals(uses)),
                    decimals(depreciations))

    def test_by_use_book_value(self):
        "Test the book values of the same exercise"
        steps = use_up(
            D(66000), D(500000), decimals('90000 82000 94000'))
        self.assertEqual(
            [72000 - total for total in accumulate(steps)],
            decimals('60120 49296 36888'))

    def test_by_use_expected(self):
        "Test use without expectation is refused"
        for expected in [D(0), D(-1)]:
            with self.assertRaisesRegex(ValueError, "expected"):
                by_use(D(1000), D(1), expected)

    def test_by_use_rounding(self):
        "Test rounding does not add up"
        self.assertEqual(
            use_up(D(100), D(3), [D(1)] * 3), decimals('33.33 33.34 33.33'))

    def test_by_use_revision(self):
        "Test a revision changes only what comes after"
        steps = use_up(D(90000), D(300000), decimals('60000 60000'))
        self.assertEqual(steps, decimals('18000 18000'))
        # 54,000 are left for 120,000 units instead of 180,000
        steps = use_up(
            D(90000) - sum(steps), D(120000), decimals('60000 70000'))
        self.assertEqual(steps, decimals('27000 27000'))

    def test_by_use_correction(self):
        "Test a correction of the past is in the next step"
        self.assertEqual(
            use_up(D(1000), D(100), decimals('10 -4 0 20')),
            decimals('100 -40 0 200'))

    def test_by_use_or_time(self):
        "Test the larger of time and use counts, as accumulated"
        used = list(accumulate(decimals('100 500 0 0 400')))
        self.assertEqual(
            instalments([
                    by_use_or_time(D(1000), units, D(1000), years, D(5))
                    for years, units in enumerate(used, start=1)],
                D(0), cents),
            # 200 by time, then 600 by use, which time overtakes
            decimals('200 400 0 200 200'))

    def test_declining(self):
        "Test the switch rules of OCA account_asset_management"
        for linear, expected in [
                (D(200), '400 240 200 160 0'),
                (None, '400 240 144 108 108'),
                ]:
            with self.subTest(linear=linear):
                self.assertEqual(
                    instalments(
                        accumulate(declining(
                                D(1000), D(0), D('0.4'), [D(1)] * 5, cents,
                                linear)),
                        D(0), cents),
                    decimals(expected))

    def test_declining_residual(self):
        "Test the residual value stays"
        # Double declining: 13,000, residual 1,000, 5 years
        self.assertEqual(
            list(map(cents, declining(
                        D(13000), D(1000), D('0.4'), [D(1)] * 5, cents,
                        linear=D(0)))),
            decimals('5200 3120 1872 1123.20 673.92'))
        self.assertEqual(
            declining(D(500), D(1000), D('0.4'), [D(1)] * 2, cents), [0, 0])

    def test_declining_part(self):
        "Test a year that starts late counts for its part"
        self.assertEqual(
            list(map(cents, declining(
                        D(1200), D(0), D('0.5'),
                        [D('0.25'), D(1), D('0.75')], cents))),
            decimals('150 600 450'))

    @given(amounts(), amounts(10 ** 6).filter(bool), uses)
    def test_by_use_properties(self, depreciable, expected, uses):
        "Test use depreciates step by step to the whole and no further"
        steps = use_up(depreciable, expected, uses)
        self.assertTrue(all(step >= 0 for step in steps))
        self.assertLessEqual(sum(steps), depreciable)
        if sum(uses) >= expected:
            self.assertEqual(sum(steps), depreciable)
        # The order and the split of the use do not matter
        self.assertEqual(
            sum(use_up(depreciable, expected, [sum(uses)])), sum(steps))

    @given(
        amounts(), amounts(10 ** 5), amounts(10 ** 5).filter(bool),
        st.integers(0, 4000), st.integers(1, 3650))
    def test_by_use_or_time_properties(
            self, depreciable, units, expected, days, life):
        "Test the hybrid method never falls behind either of its parts"
        amount = by_use_or_time(depreciable, units, expected, days, life)
        self.assertGreaterEqual(amount, by_use(depreciable, units, expected))
        self.assertGreaterEqual(amount, by_time(depreciable, days, life))
        self.assertLessEqual(amount, depreciable)

    @given(
        amounts(), amounts(), st.decimals(0, 1, places=2),
        st.integers(1, 20), st.booleans())
    def test_declining_properties(
            self, value, residual, rate, life, fixed):
        "Test declining ends at the residual value and never grows"
        linear = max(value - residual, D(0)) / life if fixed else None
        depreciations = declining(
            value, residual, rate, [D(1)] * life, cents, linear)
        self.assertEqual(len(depreciations), life)
        # Only the cents of the rounding are left
        self.assertLess(
            abs(sum(depreciations) - max(value - residual, D(0))),
            D('0.01') * life)
        for before, after in zip(depreciations, depreciations[1:]):
            self.assertGreaterEqual(before - after, D('-0.01'))
