# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest

from trytond.modules.coop_membership.stay import stays


class StayTestCase(unittest.TestCase):
    "Test the stays of memberships"

    def test_stays(self):
        "Test memberships without a gap are one stay"
        def date(day):
            return dt.date(2024, 1, day) if day else None
        for rows, expected in [
                ([], []),
                ([(1, 1, None)], [1]),
                ([(1, 1, 5), (1, 6, None)], [2]),
                ([(1, 1, 5), (1, 7, None)], [1, 1]),
                ([(1, 1, 5), (2, 6, None)], [1, 1]),
                ([(1, 1, 5), (1, 6, 9), (1, 11, 12), (1, 13, 14)], [2, 2]),
                ]:
            with self.subTest(rows=rows):
                self.assertEqual(
                    [len(s) for s in stays(
                            (m, date(s), date(e)) for m, s, e in rows)],
                    expected)
