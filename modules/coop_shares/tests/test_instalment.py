# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_shares.instalment import (
    capital_part, complete_sets, instalment_parts, paid_on)

quantities = st.lists(st.integers(1, 100).map(D), max_size=8)


class InstalmentTestCase(unittest.TestCase):
    "Test what each payment pays"

    def test_capital_part(self):
        "Test the payments fill the premium first"
        for paid, amount, part in [
                (0, 10, 0), (0, 15, 0), (0, 35, 20), (10, 10, 5),
                (20, 30, 30), (35, -35, -20), (20, -10, -5)]:
            with self.subTest(paid=paid, amount=amount):
                self.assertEqual(capital_part(D(paid), D(amount), 15), part)

    def test_instalment_parts(self):
        "Test the oldest instalments are paid first"
        for paid, amount, parts in [
                (0, 20, [20]), (0, 25, [25]), (0, 40, [25, 15]),
                (15, 10, [10]), (15, 40, [10, 25, 5]), (0, 100, [25, 25, 50])]:
            with self.subTest(paid=paid, amount=amount):
                self.assertEqual(
                    instalment_parts(
                        [D(25), D(25), D(50)], D(paid), D(amount)), parts)

    def test_paid_on(self):
        "Test the day since which all is paid"
        days = [dt.date(2022, 6, i) for i in range(1, 6)]
        for amounts, day in [
                ([20, 30], days[1]),
                ([20, 30, -30, 30], days[3]),
                ([50, -50], days[0]),
                ([20], None)]:
            with self.subTest(amounts=amounts):
                self.assertEqual(paid_on(list(zip(days, amounts)), 50), day)

    def test_complete_sets(self):
        "Test the sets of debits and credits that are equal"
        for debits, credits, sets in [
                ([50], [20, 30], [['d0', 'c0', 'c1']]),
                ([25, 25, 50], [25, 15], [['d0', 'c0']]),
                ([25, 25, 50], [50], [['d0', 'c0', 'd1']]),
                ([25], [30], []),
                ([10, 20], [10, 5, 15], [
                        ['d0', 'c0'], ['d1', 'c1', 'c2']]),
                ([], [10], []),
                ]:
            with self.subTest(debits=debits, credits=credits):
                self.assertEqual(
                    complete_sets(
                        [(f'd{i}', d) for i, d in enumerate(debits)],
                        [(f'c{i}', c) for i, c in enumerate(credits)]), sets)

    @given(quantities, quantities)
    def test_complete_sets_balance(self, debits, credits):
        "Test each set is balanced"
        keys = complete_sets(
            list(enumerate(debits)),
            [(-1 - i, c) for i, c in enumerate(credits)])
        for set_ in keys:
            self.assertEqual(
                sum(debits[k] for k in set_ if k >= 0),
                sum(credits[-1 - k] for k in set_ if k < 0))
