# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
import xml.etree.ElementTree as ET
from decimal import Decimal

from trytond.modules.coop.bar_chart import bars, ticks

SVG = '{http://www.w3.org/2000/svg}'


class ChartTestCase(unittest.TestCase):
    "Test the charts"

    def test_ticks(self):
        "Test an axis has round numbers and covers the values"
        for low, high, expected in [
                (0, 10, [0, 2, 4, 6, 8, 10]),
                (0, 2357, [0, 500, 1000, 1500, 2000, 2500]),
                (-30, 90, [-50, -25, 0, 25, 50, 75, 100]),
                (0, 0, [0, .2, .4, .6, .8, 1]),
                (5, 8, [0, 2, 4, 6, 8]),
                (-7, -3, [-8, -6, -4, -2, 0]),
                ]:
            with self.subTest(low=low, high=high):
                self.assertEqual(
                    [round(t, 6) for t in ticks(low, high)], expected)

    def test_bars(self):
        "Test the height of the bars is in proportion to the values"
        for stacked in [False, True]:
            with self.subTest(stacked=stacked):
                root = ET.fromstring(bars(
                        ['1996', '1997'],
                        [("A & B", [10, 20]), ("C", [Decimal('-5'), None])],
                        stacked=stacked, number=lambda n: f'{n:.0f}'))
                rects = [
                    r for r in root.iter(f'{SVG}rect')
                    if r.get('width') != '10']
                heights = [float(r.get('height')) for r in rects]
                self.assertEqual(len(heights), 4)
                first, third, second, none = heights
                self.assertAlmostEqual(second / first, 2, places=1)
                self.assertAlmostEqual(first / third, 2, places=1)
                self.assertEqual(none, 0)
                texts = [t.text for t in root.iter(f'{SVG}text')]
                self.assertIn("A & B", texts)
                self.assertIn("1997", texts)

    def test_empty(self):
        "Test a chart without anything"
        ET.fromstring(bars([], []))
