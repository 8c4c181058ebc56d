# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest

from trytond.modules.coop_patronage.allocated_year import changed_days


class AllocatedYearTestCase(unittest.TestCase):
    "Test the lock of the years that are allocated"

    def test_changed_days(self):
        "Test the days by which two stretches differ"
        first, last = dt.date.min, dt.date.max
        start, end = dt.date(2025, 2, 1), dt.date(2025, 11, 30)
        for old, new, expected in [
                ((start, end), (start, end), []),
                ((start, None), (start, end),
                    [(dt.date(2025, 12, 1), last)]),
                ((None, end), (start, end),
                    [(first, dt.date(2025, 1, 31))]),
                ((start, end), (end, None), [
                        (start, dt.date(2025, 11, 29)),
                        (dt.date(2025, 12, 1), last)]),
                ]:
            with self.subTest(old=old, new=new):
                self.assertEqual(list(changed_days(old, new)), expected)
