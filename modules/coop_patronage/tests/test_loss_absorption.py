# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_patronage.loss_absorption import absorb

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
        balances = {(1, 2022): D(40), (1, 2023): D(50), (2, 2023): D(10)}
        self.assertEqual(
            absorb({1: D(60), 2: D(15)}, balances),
            ({(1, 2022): D(40), (1, 2023): D(20), (2, 2023): D(10)},
                {2: D(5)}))
        self.assertEqual(
            absorb({1: D(60)}, balances, newest=True),
            ({(1, 2023): D(50), (1, 2022): D(10)}, {}))

    @given(
        st.dictionaries(st.integers(1, 9), amounts),
        st.dictionaries(
            st.tuples(st.integers(1, 9), st.integers(2020, 2024)), amounts),
        st.booleans())
    def test_never_negative(self, losses, balances, newest):
        "Test no balance gets below zero and nothing is lost"
        taken, uncovered = absorb(losses, balances, newest)
        for key, amount in taken.items():
            self.assertLessEqual(amount, balances[key])
        self.assertEqual(
            sum(taken.values()) + sum(uncovered.values()),
            sum(losses.values()))
