# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_patronage.loss_absorption import (
    absorb, take_amount, take_loss)
from trytond.modules.coop_shares.lot import Lot

CENT = D('0.01')
amounts = st.decimals(min_value=0, max_value=10 ** 7, places=2)


class AbsorptionTestCase(unittest.TestCase):
    "Test the absorption of losses"

    def test_published(self):
        "Test the part of the members in a loss"
        # Hypha bylaws 6.4: by hours
        self.assertEqual(
            apportion(D(-20000), {1: 1800, 2: 1200, 3: 1000}),
            {1: D(-9000), 2: D(-6000), 3: D(-5000)})

    def test_order(self):
        "Test the order of the vintages"
        lots = _lots({(1, 2022): D(40), (1, 2023): D(50), (2, 2023): D(10)})
        self.assertEqual(
            _absorb({1: D(60), 2: D(15)}, lots),
            ({(1, 2022): D(40), (1, 2023): D(20), (2, 2023): D(10)},
                {2: D(5)}))
        self.assertEqual(
            _absorb({1: D(60)}, lots, newest=True),
            ({(1, 2023): D(50), (1, 2022): D(10)}, {}))

    def test_undividable(self):
        "Test a payout takes whole shares and tells what it leaves"
        share = Lot(2023, dt.date(2024, 5, 1), D(3), D(150))
        for amount, taken, left in [
                ('37', [], '37'),
                ('87', [(1, 50)], '37'),
                ('150', [(3, 150)], '0'),
                ('160', [(3, 150)], '10')]:
            with self.subTest(amount=amount):
                lots, rest = take_amount([share], D(amount), D(50), 0, CENT)
                self.assertEqual(
                    [(l.quantity, l.amount) for l in lots], taken)
                self.assertEqual(rest, D(left))
        # Of shares that bore a loss of 87 each is worth 21
        bore = [share, share._replace(quantity=D(0), amount=D(-87))]
        lots, rest = take_amount(bore, D(50), D(50), 0, CENT)
        self.assertEqual([(l.quantity, l.amount) for l in lots], [(2, 42)])
        self.assertEqual(rest, D(8))
        # A third of a cent can not be taken
        lots, rest = take_amount(
            [Lot(2023, None, D(1), D(3))], D(1), D(3), 2, CENT)
        self.assertEqual(
            [(l.quantity, l.amount) for l in lots], [(D('0.33'), D('0.99'))])
        self.assertEqual(rest, CENT)

    def test_loss_of_undividable(self):
        "Test shares that can not be divided stay, with less paid up"
        share = Lot(2023, dt.date(2024, 5, 1), D(3), D(150))
        for loss, taken, left in [
                ('37', 37, '0'), ('87', 87, '0'), ('160', 150, '10')]:
            with self.subTest(loss=loss):
                lots, rest = take_loss([share], D(loss), D(50), 0, CENT)
                self.assertEqual(
                    [(l.quantity, l.amount) for l in lots], [(0, taken)])
                self.assertEqual(rest, D(left))
        # What was borne before is not there any more
        lots, rest = take_loss(
            [share, share._replace(quantity=D(0), amount=D(-100))],
            D(87), D(50), 0, CENT)
        self.assertEqual([l.amount for l in lots], [50])
        self.assertEqual(rest, D(37))

    def test_left_on_another_day(self):
        "Test what left of a vintage is not taken again"
        lots = [
            Lot(2023, dt.date(2024, 5, 1), D(100), D(100)),
            Lot(2023, None, D(-10), D(-10))]
        taken, rest = take_amount(lots, D(100), D(1), 2, CENT)
        self.assertEqual([l.amount for l in taken], [D(90)])
        self.assertEqual(rest, D(10))

    @given(
        st.dictionaries(st.integers(1, 9), amounts),
        st.dictionaries(
            st.tuples(st.integers(1, 9), st.integers(2020, 2024)), amounts),
        st.booleans())
    def test_never_negative(self, losses, balances, newest):
        "Test no balance gets below zero and nothing is lost"
        taken, uncovered = _absorb(losses, _lots(balances), newest)
        for key, amount in taken.items():
            self.assertLessEqual(amount, balances[key])
        self.assertEqual(
            sum(taken.values()) + sum(uncovered.values()),
            sum(losses.values()))


def _lots(balances):
    lots = {}
    for (member, vintage), amount in balances.items():
        lots.setdefault(member, []).append(
            Lot(vintage, dt.date(vintage + 1, 5, 1), amount, amount))
    return lots


def _absorb(losses, lots, newest=False):
    taken, uncovered = absorb(losses, lots, D(1), 2, CENT, newest)
    return {
        (member, lot.vintage): lot.amount
        for member, group in taken.items() for lot in group}, uncovered
