# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_shares.share_days import (
    capital_years, counting_dates, first_day, holding, maximum_amount,
    monthly_mean, share_days)

CENT = Decimal('0.01')
DAY = dt.timedelta(days=1)
START, END = dt.date(2016, 7, 1), dt.date(2017, 6, 30)

dates = st.dates(dt.date(2015, 1, 1), dt.date(2018, 12, 31))
amounts = st.decimals(0, 100_000, places=2)
changes_ = st.lists(
    st.tuples(dates, st.decimals(-5_000, 5_000, places=2)), max_size=8)
year_lengths = st.sampled_from(['period', '365', 'actual'])


def compensation(changes, rate, start=START, end=END, year_length='period'):
    return half_up(
        Fraction(rate) * capital_years(changes, start, end, year_length),
        CENT)


def each_day(start, end):
    while start <= end:
        yield start
        start += DAY


class ShareDaysTestCase(unittest.TestCase):
    "Test the calculation of the compensation on capital"

    def test_fiscal_year(self):
        "Test by days, as CORE-POS computes it (FY 2016-07-01 to 2017-06-30)"
        for date, days, amount in [
                (dt.date(2010, 1, 1), 365, '15.00'),
                (START, 365, '15.00'),
                (dt.date(2016, 12, 31), 182, '7.48'),
                (dt.date(2017, 6, 30), 1, '0.04'),
                (dt.date(2017, 7, 1), 0, '0.00'),
                ]:
            with self.subTest(date=date):
                changes = [(date, Decimal(500))]
                self.assertEqual(
                    share_days(changes, START, END), 500 * days)
                self.assertEqual(
                    compensation(changes, Decimal('0.03')), Decimal(amount))

    def test_first_day(self):
        "Test the day of the acquisition counts or not"
        for counts, days in [(True, 182), (False, 181)]:
            with self.subTest(counts=counts):
                day = first_day(
                    dt.date(2016, 12, 31), first_day_counts=counts)
                self.assertEqual(
                    share_days([(day, Decimal(1))], START, END), days)
        self.assertEqual(
            first_day(START, acquired=False, first_day_counts=False), START)

    def test_leaver(self):
        "Test who leaves has the days held, the last one included"
        changes = [
            (dt.date(2012, 1, 1), Decimal(500)),
            (dt.date(2016, 12, 31) + DAY, Decimal(-500)),
            ]
        self.assertEqual(share_days(changes, START, END), 500 * 184)
        # 500 * 3 % * 184 / 365 = 7.5616
        self.assertEqual(
            compensation(changes, Decimal('0.03')), Decimal('7.56'))

    def test_year_length(self):
        "Test the length of the year"
        changes = [(dt.date(2020, 1, 1), Decimal(1000))]
        for start, end, year_length, amount in [
                # 366 days
                (dt.date(2024, 1, 1), dt.date(2024, 12, 31), 'period', 50),
                (dt.date(2024, 1, 1), dt.date(2024, 12, 31), 'actual', 50),
                (dt.date(2024, 1, 1), dt.date(2024, 12, 31), '365', '50.14'),
                # 184 days of 2023 and 182 of 2024
                (dt.date(2023, 7, 1), dt.date(2024, 6, 30), 'period', 50),
                (dt.date(2023, 7, 1), dt.date(2024, 6, 30), 'actual', '50.07'),
                (dt.date(2023, 7, 1), dt.date(2024, 6, 30), '365', '50.14'),
                # 181 days
                (dt.date(2023, 1, 1), dt.date(2023, 6, 30), 'period', 50),
                (dt.date(2023, 1, 1), dt.date(2023, 6, 30), 'actual', '24.79'),
                (dt.date(2023, 1, 1), dt.date(2023, 6, 30), '365', '24.79'),
                ]:
            with self.subTest(start=start, end=end, year_length=year_length):
                self.assertEqual(
                    compensation(
                        changes, Decimal('0.05'), start, end, year_length),
                    Decimal(amount))
        with self.assertRaises(ValueError):
            capital_years(changes, START, END, '360')

    def test_monthly_mean(self):
        "Test the mean of the months with a cut-off"
        start, end = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
        self.assertEqual(
            counting_dates(start, end)[:3],
            [dt.date(2024, 1, 31), dt.date(2024, 2, 29),
                dt.date(2024, 3, 31)])
        middle = counting_dates(start, end, cutoff_day=15)
        self.assertEqual(len(middle), 12)
        for date, mean in [
                (dt.date(2024, 1, 15), 1200),
                (dt.date(2024, 1, 16), 1100),
                (dt.date(2024, 12, 15), 100),
                (dt.date(2024, 12, 16), 0),
                ]:
            with self.subTest(date=date):
                self.assertEqual(
                    monthly_mean([(date, Decimal(1200))], middle), mean)
        self.assertEqual(
            counting_dates(dt.date(2024, 1, 16), dt.date(2024, 2, 14), 15),
            [])

    def test_pot(self):
        "Test a pot by average share months, as PCMPC distributes it"
        start, end = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
        dates = counting_dates(start, end)
        means = {
            1: monthly_mean([(dt.date(2023, 5, 1), Decimal(12000))], dates),
            2: monthly_mean([
                    (dt.date(2023, 5, 1), Decimal(6000)),
                    (dt.date(2024, 7, 1), Decimal(6000)),
                    ], dates),
            }
        self.assertEqual(means, {1: 12000, 2: 9000})
        self.assertEqual(
            apportion(Decimal(2100), means, CENT), {1: 1200, 2: 900})

    def test_rate_cap(self):
        "Test the French cap, mean rate plus two points, is not rounded"
        cap = Decimal('0.012267') + Decimal('0.02')
        self.assertEqual(
            maximum_amount(Decimal(1000), cap, CENT), Decimal('32.27'))
        self.assertEqual(
            half_up(cap * 1000, CENT), Decimal('32.27'))

    def test_half_up(self):
        "Test half a unit is rounded away from zero"
        for value, unit, result in [
                ('0.005', '0.01', '0.01'),
                ('0.0049999999999999999999999999999999', '0.01', '0'),
                ('2.675', '0.01', '2.68'),
                ('-2.675', '0.01', '-2.68'),
                ('2.5', '1', '3'),
                ('7.5', '5', '10'),
                ]:
            with self.subTest(value=value, unit=unit):
                self.assertEqual(
                    half_up(Decimal(value), Decimal(unit)), Decimal(result))

    @given(changes_)
    def test_replay(self, changes):
        "Test the share-days are the sum of the holdings of each day"
        start, end = dt.date(2016, 11, 20), dt.date(2017, 2, 10)
        self.assertEqual(
            share_days(changes, start, end),
            sum(holding(changes, d) for d in each_day(start, end)))

    @given(changes_, st.lists(dates, min_size=3, max_size=3))
    def test_split(self, changes, bounds):
        "Test the parts of a period sum up to it"
        start, middle, end = sorted(bounds)
        self.assertEqual(
            share_days(changes, start, middle)
            + share_days(changes, middle + DAY, end),
            share_days(changes, start, end))
        for year_length in ['365', 'actual']:
            self.assertEqual(
                capital_years(changes, start, middle, year_length)
                + capital_years(changes, middle + DAY, end, year_length),
                capital_years(changes, start, end, year_length))

    @given(changes_, changes_, dates, dates, year_lengths)
    def test_sum(self, changes, others, day1, day2, year_length):
        "Test together members have what their parts are"
        start, end = sorted([day1, day2])
        self.assertEqual(
            capital_years(changes, start, end, year_length)
            + capital_years(others, start, end, year_length),
            capital_years(changes + others, start, end, year_length))

    @given(amounts, dates, dates, dates)
    def test_transfer(self, amount, day1, day2, transfer):
        "Test a transfer neither loses nor doubles a day"
        start, end = sorted([day1, day2])
        giver = [(dt.date(2010, 1, 1), amount), (transfer + DAY, -amount)]
        receiver = [(transfer + DAY, amount)]
        self.assertEqual(
            share_days(giver, start, end) + share_days(receiver, start, end),
            amount * ((end - start).days + 1))

    @given(amounts, year_lengths, st.integers(1, 31))
    def test_constant(self, amount, year_length, cutoff_day):
        "Test who holds the same all the period gets the rate on it"
        changes = [(dt.date(2010, 1, 1), amount)]
        start, end = dt.date(2017, 1, 1), dt.date(2017, 12, 31)
        self.assertEqual(
            capital_years(changes, start, end, year_length), amount)
        self.assertEqual(
            monthly_mean(
                changes, counting_dates(start, end, cutoff_day)), amount)

    @given(
        st.fractions(-1_000_000, 1_000_000),
        st.sampled_from([Decimal(u) for u in ['0.001', '0.01', '1', '5']]))
    def test_rounding(self, value, unit):
        "Test an amount is rounded to the closest"
        rounded = half_up(value, unit)
        self.assertEqual(rounded % unit, 0)
        self.assertLessEqual(abs(Fraction(rounded) - value) * 2, unit)


if __name__ == '__main__':
    unittest.main()
