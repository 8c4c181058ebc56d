# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import doctest
import unittest

from trytond.modules.coop_membership import remittance
from trytond.modules.coop_membership.remittance import (
    creditor_reference, find_references)


class CreditorReferenceTestCase(unittest.TestCase):
    "Test the structured creditor reference"

    def test_published(self):
        "Test the published examples"
        for text, reference in [
                # Wikipedia, "Creditor Reference", and the Swiss
                # implementation guidelines of the QR-bill
                ('539007547034', 'RF18539007547034'),
                # mobilefish.com, "RF creditor reference"
                ('5000056789012345', 'RF485000056789012345'),
                ('G72UUR', 'RF45G72UUR'),
                # xmldation.com, "RF creditor reference" of an RBS transfer
                ('2348231', 'RF712348231'),
                ]:
            with self.subTest(reference=reference):
                self.assertEqual(creditor_reference(text), reference)

    def test_text(self):
        "Test only letters and digits count, the last ones"
        self.assertEqual(creditor_reference('g72 uu-r'), 'RF45G72UUR')
        self.assertEqual(creditor_reference('Ä-'), None)
        self.assertEqual(len(creditor_reference('1' * 30)), 25)

    def test_find(self):
        "Test the references are found however they are written"
        for text, references in [
                ("RF18 5390 0754 7034", ['RF18539007547034']),
                ("Shares rf18539007547034, thanks", ['RF18539007547034']),
                ("Ref:RF18 5390 0754 7034.", ['RF18539007547034']),
                ("RF45 G72U UR and RF71 2348 231",
                    ['RF45G72UUR', 'RF712348231']),
                # One digit is wrong
                ("RF18 5390 0754 7035", []),
                ("", []),
                ]:
            with self.subTest(text=text):
                self.assertEqual(find_references(text), references)

    def test_doc(self):
        "Test the example of the documentation"
        self.assertEqual(doctest.testmod(remittance), (0, 1))
