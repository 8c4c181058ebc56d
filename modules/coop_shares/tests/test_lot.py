# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_shares.lot import Lot, subtract, take, take_each

quantities = st.lists(st.integers(1, 100).map(D), max_size=8)


def lots(*quantities, par=10):
    return [
        Lot(None, dt.date(2020, 1, i), D(q), D(q) * par)
        for i, q in enumerate(quantities, 1)]


class LotTestCase(unittest.TestCase):
    "Test which shares leave first"

    def test_take(self):
        "Test the oldest shares leave first"
        taken = take(lots(3, 2, 5), D(4))
        self.assertEqual([t.quantity for t in taken], [3, 1])
        self.assertEqual([t.amount for t in taken], [30, 10])
        self.assertEqual(
            sum(l.quantity for l in subtract(lots(3, 2, 5), taken)), 6)

    def test_take_vintage(self):
        "Test the oldest vintage leaves first"
        first = Lot(2019, dt.date(2021, 1, 1), D(5), D(5))
        second = Lot(2020, dt.date(2020, 1, 1), D(5), D(5))
        self.assertEqual(take([second, first], D(5)), [first])

    def test_take_each(self):
        "Test half of each vintage"
        held = [
            Lot(vintage, dt.date(2021, 1, 1), D(quantity), D(amount))
            for vintage, quantity, amount in [
                (2018, '100', '100'), (2019, '50.50', '50.50'),
                # A loss has taken a part of what is paid up
                (2020, '40', '30')]]
        taken = take_each(held, D('95.25'), D('0.01'))
        self.assertEqual(
            [(t.vintage, t.quantity, t.amount) for t in taken], [
                (2018, 50, 50), (2019, D('25.25'), D('25.25')),
                (2020, 20, 15)])
        # Whole shares: two of five, and one that is left over
        self.assertEqual(
            [t.quantity for t in take_each(lots(2, 3), D(3), D(1))], [1, 2])
        # What left since takes the oldest
        self.assertEqual(
            [t.quantity for t in take_each(lots(4, -2, 6), D(4), D(1))],
            [1, 3])
        self.assertEqual(
            sum(t.quantity for t in take_each(lots(3, 2), D(9), D(1))), 5)

    def test_take_negative(self):
        "Test a negative lot takes the oldest shares too"
        taken = take(lots(3, -2, 5), D(4))
        self.assertEqual([t.quantity for t in taken], [1, 3])

    def test_take_too_much(self):
        "Test what is not held can not be taken"
        self.assertEqual(
            sum(t.quantity for t in take(lots(3, 2), D(9))), 5)

    @given(quantities, st.integers(1, 1000).map(D))
    def test_take_all(self, held, quantity):
        "Test no more is taken than held and the rest is left"
        held = lots(*held)
        taken = take(held, quantity)
        total = sum(l.quantity for l in held)
        self.assertEqual(
            sum(t.quantity for t in taken), min(quantity, total))
        self.assertEqual(
            sum(l.amount for l in subtract(held, taken))
            + sum(t.amount for t in taken), total * 10)
