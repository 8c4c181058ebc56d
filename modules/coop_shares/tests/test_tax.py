# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_shares.tax import STANDARD, Terms, withhold

CENT = D('0.01')
# Germany: 25 % and a solidarity surcharge of 5.5 % of it
GERMANY = D('0.26375')
SURCHARGE = D('0.055')
amounts = st.decimals(0, 10 ** 7, places=2)
rates = st.decimals(0, 1, places=4)


class TaxTestCase(unittest.TestCase):
    "Test what is withheld from an amount"

    def test_allowance(self):
        "Test only what goes beyond the allowance is taxed"
        for gross, allowance, tax in [
                ('100', '0', '26.38'),
                ('100', '40', '15.83'),
                ('40', '40', '0'),
                ('39.99', '40', '0'),
                ]:
            with self.subTest(gross=gross, allowance=allowance):
                self.assertEqual(
                    withhold(D(gross), GERMANY, CENT, D(allowance)),
                    (D(tax), 0, 0))

    def test_year(self):
        "Test the tax on the total of the year"
        # Canada, Income Tax Act s. 135(3): 15 % above 100
        for amount, before, withheld, expected in [
                ('80', '0', '0', '0'),
                ('80', '80', '0', '9.00'),
                ('80', '160', '9.00', '12.00'),
                ]:
            with self.subTest(amount=amount, before=before):
                self.assertEqual(
                    withhold(
                        D(amount), D('0.15'), CENT, D(100),
                        before=D(before), withheld=D(withheld)).tax,
                    D(expected))

    def test_church_tax(self):
        "Test church tax reduces the tax it is a part of"
        # Germany, EStG § 32d (1): the tax on e is e / (4 + k), of which k is
        # church tax and 5.5 % are the surcharge.  Of 1,000.00 with 9 %:
        # 244.4988 + 13.4474 and 22.0049, together 27.9951 %; with 8 %:
        # 245.0980 + 13.4804 and 19.6078, together 27.8186 %
        for church_rate, tax, church_tax in [
                (D('0.09'), '279.95', '22.00'),
                (D('0.08'), '278.19', '19.61'),
                (D(0), '263.75', '0'),
                ]:
            with self.subTest(church_rate=church_rate):
                self.assertEqual(
                    withhold(
                        D(1000), GERMANY, CENT, terms=Terms(
                            church_rate=church_rate, surcharge=SURCHARGE)),
                    (D(tax), D(church_tax), 0))

    def test_exemption(self):
        "Test an exemption is taken once in a year"
        # EStG § 20 (9): 1,000.00 for a single person
        terms = Terms(exemption=D(1000))
        for exempted, tax, exempt in [
                (0, '131.88', 1000),
                (300, '211.00', 700),
                (1000, '395.63', 0),
                (1200, '395.63', 0),
                ]:
            with self.subTest(exempted=exempted):
                self.assertEqual(
                    withhold(
                        D(1500), GERMANY, CENT, terms=terms,
                        exempted=D(exempted)),
                    (D(tax), 0, exempt))
        # What is exempt before is not in the total of the year
        self.assertEqual(
            withhold(
                D(200), D('0.15'), CENT, D(100), Terms(exemption=D(30)),
                exempted=D(10), before=D(90)),
            # 200 - (100 - 90) - 20 = 170
            (D('25.50'), 0, D(20)))

    def test_own_rate(self):
        "Test a rate of one's own is for what is paid while it is in force"
        for rate, expected in [('0', '0'), ('0.15', '15.00')]:
            with self.subTest(rate=rate):
                self.assertEqual(
                    withhold(
                        D(100), GERMANY, CENT, terms=Terms(rate=D(rate)),
                        before=D(1000), withheld=D('263.75')).tax,
                    D(expected))

    @given(amounts, amounts, rates, rates, amounts)
    def test_bounds(self, gross, allowance, rate, church_rate, exemption):
        "Test the tax is neither negative nor more than the gross"
        tax = withhold(gross, rate, CENT, allowance, Terms(
                church_rate=church_rate, exemption=exemption))
        self.assertLessEqual(0, tax.church_tax)
        self.assertLessEqual(tax.church_tax, tax.tax)
        self.assertLessEqual(tax.tax + tax.exempt, gross)

    @given(st.lists(amounts, min_size=1, max_size=5), rates, amounts, amounts)
    def test_parts(self, parts, rate, allowance, exemption):
        "Test the parts of a year are taxed as their sum"
        terms = Terms(exemption=exemption)
        before = withheld = exempted = D(0)
        for part in parts:
            tax = withhold(
                part, rate, CENT, allowance, terms, exempted, before,
                withheld)
            before += part - tax.exempt
            withheld += tax.tax
            exempted += tax.exempt
        total = withhold(sum(parts), rate, CENT, allowance, terms)
        self.assertEqual(exempted, total.exempt)
        self.assertEqual(withheld, total.tax)

    def test_standard(self):
        "Test terms without anything are those of all"
        self.assertEqual(
            withhold(D(100), GERMANY, CENT, terms=Terms()),
            withhold(D(100), GERMANY, CENT, terms=STANDARD))


if __name__ == '__main__':
    unittest.main()
