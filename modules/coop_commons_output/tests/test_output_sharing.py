# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from trytond.modules.coop_commons_output.output_sharing import (
    intervals, share_capped, share_in_turn, share_out, share_used)


class OutputTestCase(unittest.TestCase):
    "Test the split of what a commons makes"

    def share_out(self, output, weights):
        carried, result = None, []
        for amount, interval_weights in zip(output, weights):
            parts, carried = share_out(
                amount, interval_weights, carried=carried)
            result.append(parts)
        return result, carried

    def test_remainder(self):
        "Test remainders are carried, as Som Energia's Generation kWh"
        shares = {share: 1 for share in range(8)}
        result, carried = self.share_out([500] * 25, [shares] * 25)
        self.assertEqual(
            [parts[7] for parts in result], [62, 63] * 12 + [62])
        self.assertEqual(carried[7], D('0.5'))
        for parts in result:
            self.assertEqual(sum(parts.values()), 500)

    def test_many_shares(self):
        "Test less than a unit for each adds up"
        result, _ = self.share_out(
            [1000] * 24 + [0], [dict.fromkeys(range(2000), 1)] * 25)
        self.assertEqual(
            [parts[1999] for parts in result], [0, 1] * 12 + [0])

    def test_no_share(self):
        "Test nothing is shared out, nor carried, without shares"
        result, carried = self.share_out(
            [1000] * 25, [{}] * 10 + [{'a': 1}] * 15)
        self.assertEqual(
            [parts.get('a', 0) for parts in result], [0] * 10 + [1000] * 15)
        self.assertEqual(carried, {'a': 0})

    def test_coefficients(self):
        "Test static coefficients"
        coefficients = {'a': D('0.5'), 'b': D('0.3'), 'c': D('0.2')}
        result, _ = self.share_out([7] * 10, [coefficients] * 10)
        self.assertEqual(
            [sum(parts[key] for parts in result) for key in 'abc'],
            [35, 21, 14])

    def test_used(self):
        "Test dynamic coefficients by consumption"
        parts, _ = share_used(10, {'a': 30, 'b': 10, 'c': 0})
        self.assertEqual(parts, {'a': 8, 'b': 2, 'c': 0})
        parts, _ = share_used(100, {'a': 30, 'b': 10, 'c': 0})
        self.assertEqual(parts, {'a': 30, 'b': 10, 'c': 0})
        parts, _ = share_used(100, {'a': 0})
        self.assertEqual(parts, {'a': 0})

    def test_capped(self):
        "Test static coefficients up to what each consumes"
        weights = {'a': D('0.5'), 'b': D('0.3'), 'c': D('0.2')}
        # Of 100 they have 50, 30 and 20
        parts, carried = share_capped(
            100, weights, {'a': 30, 'b': 40, 'c': 10})
        self.assertEqual(parts, {'a': 30, 'b': 30, 'c': 10})
        self.assertEqual(set(carried.values()), {0})
        # Of 5 it is 2.5, 1.5 and 1, which rounding carries on
        parts, carried = share_capped(
            5, weights, dict.fromkeys(weights, 100))
        self.assertEqual(parts, {'a': 3, 'b': 1, 'c': 1})
        parts, carried = share_capped(
            5, weights, dict.fromkeys(weights, 100), carried=carried)
        self.assertEqual(parts, {'a': 2, 'b': 2, 'c': 1})
        self.assertEqual(set(carried.values()), {0})

    def test_priorities(self):
        "Test the first group is served first, the rest goes to the next"
        consumption = {'a': 20, 'b': 60, 'c': 50, 'd': 5}
        groups = [
            {'a': D('0.5'), 'b': D('0.5')}, {'c': D('0.6'), 'd': D('0.4')}]

        def capped(output, weights, carried):
            return share_capped(
                output, weights, consumption, carried=carried)
        # Of 100 a takes 20 and b 50, of the 30 left c takes 18 and d 5 of 12
        parts, _ = share_in_turn(100, groups, capped)
        self.assertEqual(parts, {'a': 20, 'b': 50, 'c': 18, 'd': 5})

        def used(output, weights, carried):
            return share_used(
                output, {k: consumption[k] for k in weights}, carried=carried)
        # The first two take all of their 80, the 20 left are for 50 and 5
        parts, _ = share_in_turn(100, groups, used)
        self.assertEqual(parts, {'a': 20, 'b': 60, 'c': 18, 'd': 2})
        parts, _ = share_in_turn(40, groups, used)
        self.assertEqual(parts, {'a': 10, 'b': 30, 'c': 0, 'd': 0})

    def test_hours(self):
        "Test days of 23 and 25 hours"
        madrid = ZoneInfo('Europe/Madrid')
        for day, count in [
                (dt.date(2026, 3, 28), 24),
                (dt.date(2026, 3, 29), 23),
                (dt.date(2026, 10, 25), 25),
                ]:
            with self.subTest(day=day):
                result = intervals(day, madrid)
                self.assertEqual(len(result), count)
                self.assertEqual(len(set(result)), count)
                self.assertEqual(
                    len(intervals(
                            day, madrid, dt.timedelta(minutes=15))),
                    count * 4)
        self.assertEqual(
            intervals(dt.date(2026, 10, 25), madrid)[0],
            dt.datetime(2026, 10, 24, 22, tzinfo=dt.timezone.utc))

    @given(
        st.lists(st.integers(0, 10 ** 5), min_size=1, max_size=48),
        st.dictionaries(
            st.integers(1, 50), st.integers(1, 1000),
            min_size=1, max_size=12))
    def test_properties(self, output, weights):
        "Test all is shared out and the rest stays within the rounding"
        result, carried = self.share_out(output, [weights] * len(output))
        for amount, parts in zip(output, result):
            self.assertEqual(sum(parts.values()), amount)
            self.assertTrue(all(part >= 0 for part in parts.values()))
        self.assertAlmostEqual(sum(carried.values()), 0, places=6)
        for amount in carried.values():
            self.assertLess(abs(amount), 2)

    @given(st.lists(
            st.tuples(
                st.integers(0, 1000),
                st.lists(st.integers(0, 200), min_size=3, max_size=3)),
            min_size=1, max_size=48))
    def test_capped_properties(self, intervals):
        "Test nobody gets more than he consumes, nor all more than there is"
        weights = {0: D('0.5'), 1: D('0.3'), 2: D('0.2')}
        carried = None
        for output, consumption in intervals:
            consumption = dict(enumerate(consumption))
            parts, carried = share_capped(
                output, weights, consumption, carried=carried)
            self.assertLessEqual(sum(parts.values()), output)
            for key, part in parts.items():
                self.assertGreaterEqual(part, 0)
                self.assertLessEqual(part, consumption[key])
                self.assertLess(abs(carried.get(key, 0)), 3)

    @given(st.lists(
            st.tuples(
                st.integers(0, 1000),
                st.lists(st.integers(0, 200), min_size=5, max_size=5)),
            min_size=1, max_size=48))
    def test_used_properties(self, intervals):
        "Test nobody gets more than he consumes"
        carried = None
        for output, consumption in intervals:
            consumption = dict(enumerate(consumption))
            parts, carried = share_used(output, consumption, carried=carried)
            self.assertEqual(
                sum(parts.values()), min(output, sum(consumption.values())))
            for key, part in parts.items():
                self.assertLessEqual(part, consumption[key])
