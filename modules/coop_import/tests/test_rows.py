# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_import.columns import (
    MEMBER, PATRONAGE, READING, SHARES, USAGE)
from trytond.modules.coop_import.rows import (
    IBAN, Amount, CellError, Choice, Code, Column, Date, DateTime, Email, Flag,
    Integer, Number, Text, read)

COLUMNS = {
    'number': Column(Text(), "", True),
    'name': Column(Text(), "", True),
    'date': Column(Date(), ""),
    'class': Column(Text(), "", True, 'shares'),
    'quantity': Column(Number(above=0), "", True, 'shares'),
    }


class RowsTestCase(unittest.TestCase):
    "Test the rows of an import"

    def test_cell(self):
        "Test cells that can be read"
        utc = dt.timezone.utc
        for type_, cell, expected in [
                (Text(), "Zoë's", "Zoë's"),
                (Text(4), "1234", "1234"),
                (Text(), "A\xa0B\u202fC ", "A B C"),
                (Text(), "\u06a9\u200c\u06af", "\u06a9\u200c\u06af"),
                (Text(lines=True), "Yard 2\r\nMain St 1",
                    "Yard 2\nMain St 1"),
                (Code(), '0008', '0008'),
                (Code(), '12E4', '12E4'),
                (Date(), '1997-02-28 00:00:00', dt.date(1997, 2, 28)),
                (Date(), '1997-02-28T00:00:00.000', dt.date(1997, 2, 28)),
                (Email(), 'a.b@example.org', 'a.b@example.org'),
                (IBAN(), 'DE89 3704 0044 0532 0130 00',
                    'DE89370400440532013000'),
                (Date(), '1997-02-28', dt.date(1997, 2, 28)),
                (Date(), '1996-02-29', dt.date(1996, 2, 29)),
                (DateTime(), '1993-10-01T07:00:03Z',
                    dt.datetime(1993, 10, 1, 7, 0, 3, tzinfo=utc)),
                (DateTime(), '1993-10-01 07:00',
                    dt.datetime(1993, 10, 1, 7, 0)),
                (Number(), '-12.50', D('-12.50')),
                (Number(minimum=0), '0', D(0)),
                (Number(digits=2), '1.100', D('1.100')),
                (Integer(), '1997', 1997),
                (Flag(), 'Yes', True),
                (Flag(), '0', False),
                (Choice('a', 'b'), 'b', 'b'),
                ]:
            with self.subTest(cell=cell):
                value = type_(cell)
                self.assertEqual(value, expected)
                self.assertIs(type(value), type(expected))

    def test_cell_error(self):
        "Test cells that can not be read"
        for type_, cell, message in [
                (Text(), "a\0b", 'unprintable'),
                (Text(), "a\nb", 'unprintable'),
                (Text(), "a\u200bb", 'unprintable'),
                (Text(lines=True), "a\tb", 'unprintable'),
                (Code(), '2E+11', 'spreadsheet'),
                (Code(), '2,35E+11', 'spreadsheet'),
                (Code(), '120.0', 'spreadsheet'),
                (Code(), '120,00', 'spreadsheet'),
                (Date(), '2052-01-01', 'future'),
                (Date(years=1), '2052-01-01', 'future'),
                (Date(), '0097-01-01', 'past'),
                (Date(), '1997-01-01 08:00', 'date'),
                (DateTime(), '2952-01-01T08:00', 'future'),
                (Amount(), '€ 50 EUR', 'number'),
                (Amount(above=0), '-50 €', 'above'),
                (Amount(), '50 60', 'number'),
                (Number(), '50 €', 'number'),
                (Text(3), "1234", 'long'),
                (Email(), 'a.b@example', 'email'),
                (Email(), 'a b@example.org', 'email'),
                (IBAN(), 'DE88 3704 0044 0532 0130 00', 'iban'),
                (Date(), '1997-02-29', 'date'),
                (Date(), '31.12.1997', 'date'),
                (Date(), '19970101', 'date'),
                (Date(), '97-01-01', 'date'),
                (DateTime(), '1993-10-01', 'time'),
                (DateTime(), '1993-10-01T25:00', 'time'),
                (Number(), '1,5', 'number'),
                (Number(), '1e5', 'number'),
                (Number(), '9' * 400, 'number'),
                (Integer(), '9' * 5000, 'number'),
                (Number(), 'NaN', 'number'),
                (Number(), '٣', 'number'),
                (Number(minimum=0), '-0.01', 'minimum'),
                (Number(above=0), '0', 'above'),
                (Number(digits=2), '0.001', 'digits'),
                (Integer(), '1997.5', 'digits'),
                (Flag(), 'maybe', 'flag'),
                (Choice('a', 'b'), 'c', 'choice'),
                ]:
            with self.subTest(cell=cell):
                with self.assertRaises(CellError) as cm:
                    type_(cell)
                self.assertEqual(
                    cm.exception.message, f'msg_import_{message}')

    def test_amount(self):
        "Test an amount with the sign of its currency"
        for cell, sign in [
                ('12.50', ''), ('12.50 €', '€'), ('CHF 12.50', 'CHF'),
                ('$12.50', '$')]:
            with self.subTest(cell=cell):
                amount = Amount(above=0)(cell)
                self.assertEqual(amount, D('12.50'))
                self.assertEqual(amount.sign, sign)

    def test_unprintable(self):
        "Test what can not be stored is named"
        with self.assertRaises(CellError) as cm:
            Text()("Zo\u200be")
        self.assertEqual(cm.exception.variables, {
                'character': "U+200B ZERO WIDTH SPACE", 'position': 3})

    @given(st.text(max_size=12))
    def test_cell_any(self, cell):
        "Test any text is read or refused"
        for type_ in [
                Text(5), Email(), IBAN(), Date(), DateTime(), Number(0, 0, 2),
                Integer(1, 2), Flag(), Choice('a')]:
            try:
                type_(cell)
            except CellError as error:
                self.assertTrue(error.message)

    def test_read(self):
        "Test rows with lists"
        rows = read([
                (2, {'number': '1', 'name': ' Ann ', 'date': '1997-01-01',
                        'class': 'A', 'quantity': '5'}),
                (3, {'number': '', 'name': '', 'class': 'B',
                        'quantity': '2.5', 'other': ''}),
                (4, {'number': '2', 'name': 'Bob', 'date': ''}),
                ], COLUMNS)
        self.assertEqual([r.line for r in rows], [2, 4])
        ann, bob = rows
        self.assertEqual(ann.lines, [2, 3])
        self.assertEqual(ann.values, {
                'number': '1', 'name': 'Ann', 'date': dt.date(1997, 1, 1)})
        self.assertEqual([
                (item.line, item.values) for item in ann.many['shares']], [
                (2, {'class': 'A', 'quantity': D(5)}),
                (3, {'class': 'B', 'quantity': D('2.5')}),
                ])
        self.assertEqual(bob.values, {'number': '2', 'name': 'Bob'})
        self.assertFalse(ann.errors or bob.errors)

    def test_read_error(self):
        "Test the reasons name line and column"
        for cells, expected in [
                ([{'number': '1'}], [(2, 'name', 'missing')]),
                ([{'name': 'Ann', 'date': 'x'}],
                    [(2, 'date', 'date'), (2, 'number', 'missing')]),
                ([{'number': '1', 'name': 'Ann', 'class': 'A'}],
                    [(2, 'quantity', 'missing')]),
                ([{'number': '1', 'name': 'Ann'},
                        {'class': 'A', 'quantity': '-1'}],
                    [(3, 'quantity', 'above')]),
                ([{'number': '1', 'name': 'Ann'}, {'quantity': '1'}],
                    [(3, 'class', 'missing')]),
                # Nobody knows what it is
                ([{'number': '1', 'name': 'Ann', 'other': 'x'}],
                    [(2, 'other', 'column')]),
                # Nothing to continue
                ([{'class': 'A', 'quantity': '1'}],
                    [(2, 'name', 'missing'), (2, 'number', 'missing')]),
                ]:
            with self.subTest(cells=cells):
                row, = read(enumerate(cells, 2), COLUMNS)
                self.assertEqual([
                        (e.line, e.column,
                            e.message.removeprefix('msg_import_'))
                        for e in row.first_errors], expected)

    def test_columns(self):
        "Test the columns of the models are told to the user"
        for columns in [MEMBER, SHARES, PATRONAGE, USAGE, READING]:
            for name, column in columns.items():
                with self.subTest(name=name):
                    self.assertTrue(column.help)
