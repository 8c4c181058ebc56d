# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from functools import partial

from dateutil.relativedelta import relativedelta
from hypothesis import given, strategies as st

from trytond.modules.coop_membership.exit_date import first_exit_date, year_end

dates = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
months = st.integers(0, 60)
exit_at = st.sampled_from(['any_day', 'month_end', 'fiscal_year_end'])


class ExitDateTestCase(unittest.TestCase):
    "Test the day a membership may end on"

    def test_german_law(self):
        "Test § 65 GenG: three months to the end of the calendar year"
        for notice_date, exit_date in [
                (dt.date(2024, 9, 30), dt.date(2024, 12, 31)),
                (dt.date(2024, 10, 1), dt.date(2025, 12, 31)),
                ]:
            with self.subTest(notice_date=notice_date):
                self.assertEqual(
                    first_exit_date(
                        notice_date, notice_months=3,
                        exit_at='fiscal_year_end'),
                    exit_date)

    def test_exit_at(self):
        "Test the end of the notice"
        for exit_at, exit_date in [
                ('any_day', dt.date(2024, 2, 29)),
                ('month_end', dt.date(2024, 2, 29)),
                ('fiscal_year_end', dt.date(2024, 12, 31)),
                ]:
            with self.subTest(exit_at=exit_at):
                self.assertEqual(
                    first_exit_date(
                        dt.date(2023, 11, 30), notice_months=3,
                        exit_at=exit_at),
                    exit_date)

    def test_minimum_months(self):
        "Test a year of membership is from 1 January to 31 December"
        for admission_date, exit_date in [
                (dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
                (dt.date(2024, 1, 2), dt.date(2025, 12, 31)),
                ]:
            with self.subTest(admission_date=admission_date):
                self.assertEqual(
                    first_exit_date(
                        dt.date(2024, 3, 1), admission_date,
                        minimum_months=12, exit_at='fiscal_year_end'),
                    exit_date)

    def test_not_before(self):
        "Test a later end is wished"
        self.assertEqual(
            first_exit_date(
                dt.date(2024, 3, 1), exit_at='month_end',
                not_before=dt.date(2024, 6, 15)),
            dt.date(2024, 6, 30))

    def test_year_end(self):
        "Test the fiscal years go before the month"
        fiscalyears = [(dt.date(2024, 7, 1), dt.date(2025, 9, 30))]
        for date, end in [
                (dt.date(2024, 7, 1), dt.date(2025, 9, 30)),
                (dt.date(2025, 9, 30), dt.date(2025, 9, 30)),
                (dt.date(2025, 10, 1), dt.date(2026, 6, 30)),
                (dt.date(2024, 6, 30), dt.date(2024, 6, 30)),
                ]:
            with self.subTest(date=date):
                self.assertEqual(
                    year_end(date, fiscalyears=fiscalyears, month=6), end)

    @given(dates, dates, months, months, exit_at, st.integers(1, 12))
    def test_properties(
            self, notice_date, admission_date, notice_months, minimum_months,
            exit_at, month):
        "Test the rule keeps both periods and is the first day that does"
        exit_date = partial(
            first_exit_date, admission_date=admission_date,
            notice_months=notice_months, minimum_months=minimum_months,
            exit_at=exit_at, year_end=partial(year_end, month=month))
        date = exit_date(notice_date)

        self.assertGreaterEqual(
            date, notice_date + relativedelta(months=notice_months))
        self.assertGreaterEqual(date, admission_date)
        self.assertGreaterEqual(
            date + dt.timedelta(days=1),
            admission_date + relativedelta(months=minimum_months))
        # A wish for that day or an earlier one changes nothing
        self.assertEqual(exit_date(notice_date, not_before=date), date)
        # Later notice is never an earlier exit
        self.assertGreaterEqual(
            exit_date(notice_date + dt.timedelta(days=1)), date)
        if exit_at == 'fiscal_year_end':
            self.assertEqual(date.month, month)
        if exit_at != 'any_day':
            self.assertEqual((date + dt.timedelta(days=1)).day, 1)
