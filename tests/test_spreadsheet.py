# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import io
import unittest
import zipfile
from decimal import Decimal
from xml.etree import ElementTree

from trytond.modules.coop.audit import get_age
from trytond.modules.coop.datev import pair
from trytond.modules.coop.spreadsheet import Table, write_csv, write_ods

TABLE = Table('names', "Names & Days", ["Name", "Day", "Amount"], [
        ["Ann <\x01A>", dt.date(2025, 12, 31), Decimal('-1.50')],
        ["=1+1", None, 3],
        ["\t=1+1", None, None],
        ])
OFFICE = '{urn:oasis:names:tc:opendocument:xmlns:office:1.0}'
TABLES = '{urn:oasis:names:tc:opendocument:xmlns:table:1.0}'


class SpreadsheetTestCase(unittest.TestCase):
    "Test tables are written as others read them"

    def test_csv(self):
        "Test no cell is taken for a formula, and each value comes back"
        with zipfile.ZipFile(io.BytesIO(write_csv([TABLE]))) as archive:
            self.assertEqual(archive.namelist(), ['names.csv'])
            text = archive.read('names.csv').decode('utf-8-sig')
        self.assertEqual(list(csv.reader(io.StringIO(text))), [
                ["Name", "Day", "Amount"],
                ["Ann <\x01A>", '2025-12-31', '-1.50'],
                ["'=1+1", '', '3'],
                ["'\t=1+1", '', '']])

    def test_ods(self):
        "Test the sheet is well-formed and its values have their types"
        with zipfile.ZipFile(io.BytesIO(write_ods([TABLE]))) as archive:
            first, *_ = archive.infolist()
            # The specification wants it first, and not compressed
            self.assertEqual(first.filename, 'mimetype')
            self.assertEqual(first.compress_type, zipfile.ZIP_STORED)
            root = ElementTree.fromstring(archive.read('content.xml'))
        sheet, = root.iter(f'{TABLES}table')
        self.assertEqual(sheet.get(f'{TABLES}name'), "Names & Days")
        _, row, other, _ = sheet.iter(f'{TABLES}table-row')
        name, date, amount = row
        self.assertEqual(''.join(name.itertext()), "Ann <A>")
        self.assertEqual(date.get(f'{OFFICE}date-value'), '2025-12-31')
        self.assertEqual(amount.get(f'{OFFICE}value'), '-1.50')
        self.assertEqual(other[0].get(f'{OFFICE}value-type'), 'string')

    def test_age(self):
        "Test a day decides the age"
        end = dt.date(2025, 12, 31)
        for maturity, age in [
                (dt.date(2026, 1, 1), 0),
                (end, 0),
                (dt.date(2025, 12, 30), 1),
                (dt.date(2025, 12, 1), 1),
                (dt.date(2025, 11, 30), 2),
                (dt.date(2025, 10, 2), 3),
                (dt.date(2025, 10, 1), 4),
                (None, None)]:
            with self.subTest(maturity=maturity):
                self.assertEqual(get_age(maturity, end), age)

    def test_pair(self):
        "Test a move of many lines is told as postings of two accounts"
        for amounts, pairs in [
                ([('a', 3), ('b', -3)], [('a', 'b', 3)]),
                ([('a', 5), ('b', -3), ('c', -2)],
                    [('a', 'b', 3), ('a', 'c', 2)]),
                ([('a', 2), ('b', 4), ('c', -1), ('d', -5)],
                    [('a', 'c', 1), ('a', 'd', 1), ('b', 'd', 4)]),
                ([('a', 0), ('b', 0)], []),
                ]:
            with self.subTest(amounts=amounts):
                self.assertEqual(list(pair(amounts)), pairs)
