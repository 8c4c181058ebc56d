# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import random
import unittest
from decimal import Decimal as D
from fractions import Fraction

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.apportionment import apportion

cents = st.decimals(
    min_value=-10 ** 9, max_value=10 ** 9, places=2)
units = st.sampled_from([D('0.01'), D('0.05'), D(1), D(5), D('0.001')])
weights = st.dictionaries(
    st.integers(1, 10 ** 6),
    st.decimals(min_value=0, max_value=10 ** 7, places=4),
    min_size=1, max_size=60).filter(lambda w: any(w.values()))


class ApportionmentTestCase(unittest.TestCase):
    "Test the apportionment"

    def test_published(self):
        "Test the figures of published apportionments"
        for total, unit, parts, expected in [
                # Philippine PCMPC plan: exact sum over equal members
                ('100.00', '0.01', '1 1 1', '33.34 33.33 33.33'),
                # ... and the refund pool of the same plan
                ('4000', '0.01', '10000 30000', '1000 3000'),
                # Communis demo data: surplus 18,400, 80 % qualified
                ('18400', '0.01', '1640 1580 1720 1490 1550',
                    '3781.45 3643.11 3965.91 3435.59 3573.94'),
                # Farm Credit Act: participation certificates of 5
                ('1000', '5', '617 251 132', '620 250 130'),
                # Hypha bylaws 6.4: the members' part of a loss
                ('-20000', '0.01', '1800 1200 1000',
                    '-9000 -6000 -5000'),
                # Two requests of redemption within one budget
                ('10000', '1', '8000 12000', '4000 6000'),
                ]:
            with self.subTest(total=total, weights=parts):
                result = apportion(
                    D(total), dict(enumerate(map(D, parts.split()))), D(unit))
                self.assertEqual(
                    list(result.values()), list(map(D, expected.split())))

    def test_rest_below_unit(self):
        "Test a total that is not a multiple of the unit"
        result = apportion(D('1003'), {'a': 1, 'b': 1}, D(5))
        self.assertEqual(result, {'a': D(503), 'b': D(500)})

    def test_nothing(self):
        "Test nothing to split needs no weight"
        self.assertEqual(apportion(D(0), {'a': 0, 'b': 1}), {'a': 0, 'b': 0})
        self.assertEqual(apportion(D(0), {}), {})

    def test_refused(self):
        "Test what can not be split"
        for total, parts, unit, message in [
                (D(1), {}, D('0.01'), "no weight"),
                (D(1), {'a': 0}, D('0.01'), "no weight"),
                (D(1), {'a': 2, 'b': -1}, D('0.01'), "negative"),
                (D(1), {'a': 1}, D(0), "positive"),
                ]:
            with self.subTest(weights=parts, unit=unit), \
                    self.assertRaisesRegex(ValueError, message):
                apportion(total, parts, unit)

    @given(cents, weights, units)
    def test_sum(self, total, weights, unit):
        "Test the parts sum to the total"
        parts = apportion(total, weights, unit)
        self.assertEqual(sum(parts.values()), total)
        self.assertEqual(parts.keys(), weights.keys())

    @given(cents, weights, units)
    def test_deviation(self, total, weights, unit):
        "Test no part deviates from its quota by a unit"
        whole = sum(map(Fraction, weights.values()))
        for key, part in apportion(total, weights, unit).items():
            quota = Fraction(total) * Fraction(weights[key]) / whole
            self.assertLess(abs(Fraction(part) - quota), Fraction(unit))
            self.assertGreaterEqual(part * total, 0)

    @given(cents, weights, units, st.randoms(use_true_random=False))
    def test_order(self, total, weights, unit, rng):
        "Test the order of the input does not decide who gets what"
        items = list(weights.items())
        rng.shuffle(items)
        self.assertEqual(
            apportion(total, dict(items), unit),
            apportion(total, weights, unit))

    @given(cents, weights, units)
    def test_sign(self, total, weights, unit):
        "Test a loss is split as a surplus"
        parts = apportion(total, weights, unit)
        self.assertEqual(
            apportion(-total, weights, unit),
            {key: -part for key, part in parts.items()})

    @given(
        st.decimals(min_value=0, max_value=10 ** 7, places=2),
        st.integers(1, 200))
    def test_equal(self, total, count):
        "Test equal members differ by a cent at most"
        parts = apportion(total, dict.fromkeys(range(count), D('12.5')))
        self.assertLessEqual(
            max(parts.values()) - min(parts.values()), D('0.01'))

    def test_exact(self):
        "Test weights beyond the precision of decimals"
        rng = random.Random(1997)
        weights = {
            i: D(rng.randrange(10 ** 30)) / 10 ** 9 for i in range(1000)}
        parts = apportion(D('123456789012.34'), weights)
        self.assertEqual(sum(parts.values()), D('123456789012.34'))
