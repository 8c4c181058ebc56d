# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import unittest
from io import BytesIO

from openpyxl import Workbook, load_workbook

from trytond.modules.coop_import.number import (
    AmbiguousNumber, find_mark, to_plain)
from trytond.modules.coop_import.process import Process, RefusedError
from trytond.modules.coop_import.profile import ProfileError, read_profile
from trytond.modules.coop_import.rows import (
    IBAN, Amount, Code, Column, Date, Number, Text, read)
from trytond.modules.coop_import.scripts.importer import get_parser, translate
from trytond.modules.coop_import.table import FileError, Table

COLUMNS = {
    'number': Column(Code(), "number", True),
    'name': Column(Text(), "name", True),
    'date': Column(Date(), "date"),
    'class': Column(Text(), "class", True, 'shares'),
    'quantity': Column(Number(), "quantity", True, 'shares'),
    'amount': Column(Amount(), "amount", False, 'shares'),
    }


def load(text, **kwargs):
    table = Table(COLUMNS, unique=[('number',)], **kwargs)
    table.load(text.encode('utf-8') if isinstance(text, str) else text)
    return table


def explain(table):
    return [
        f"{error.line} {error.column}: {translate(error)}"
        for error in table.errors]


class Server:
    "Server that refuses names as a whole, and two together"

    def __init__(self, refused=(), together=()):
        self.refused = set(refused)
        self.together = set(together)
        self.stored = []

    def __call__(self, lines, on_error, dry_run):
        rows = read(lines, COLUMNS)
        names = {row['name'] for row in rows}
        answer = {
            'created': 0, 'updated': 0, 'unchanged': 0, 'warnings': [],
            'errors': [
                [e.line, e.column, translate(e)]
                for row in rows for e in row.first_errors]}
        good = [row for row in rows if not row.errors]
        if on_error == 'stop' and len(good) < len(rows):
            return answer
        if names & self.refused or (
                self.together and self.together <= names):
            raise RefusedError("refused")
        answer['created'] = sum(len(row.lines) for row in good)
        if not dry_run:
            self.stored += [row['name'] for row in good]
        return answer


class NumberTestCase(unittest.TestCase):
    "Test the numbers that people write"

    def test_plain(self):
        "Test numbers that are read in one way"
        for text, expected in [
                ('1250', '1250'),
                ('-5', '-5'),
                ('\u22123,5', '-3.5'),
                ('0.125', '0.125'),
                ('12,5', '12.5'),
                ('1 250,00', '1250.00'),
                ('1\xa0250,5', '1250.5'),
                ('1\u202f250,5', '1250.5'),
                ("1'250.50", '1250.50'),
                ('1\u2019250', '1250'),
                ('1.234.567', '1234567'),
                ('1,234,567.8', '1234567.8'),
                ("1'250,000", '1250.000'),
                ('12.50 €', '12.50 €'),
                ('CHF 1\u2019250.50', 'CHF 1250.50'),
                ('$1,250.00', '$1250.00'),
                # No number
                ('1.23.45', '1.23.45'),
                ('1 2', '1 2'),
                ('1,2,3', '1,2,3'),
                ('1.250.00', '1.250.00'),
                ('1e5', '1e5'),
                ('٣', '٣'),
                ('', ''),
                ]:
            with self.subTest(text=text):
                self.assertEqual(to_plain(text), expected)

    def test_ambiguous(self):
        "Test a number that is read in two ways is refused"
        for text in ['1.250', '1,250', '-1.250', '1.250 €']:
            with (self.subTest(text=text),
                    self.assertRaises(AmbiguousNumber)):
                to_plain(text)
        self.assertEqual(to_plain('1.250', '.'), '1.250')
        self.assertEqual(to_plain('1.250', ','), '1250')
        # With this mark the groups are wrong
        self.assertEqual(to_plain('12.50', ','), '12.50')

    def test_mark(self):
        "Test the mark that the numbers of a file prove"
        for texts, mark in [
                (['1.250', '12,50'], ','),
                (['1,250', '12.50'], '.'),
                (['1.250', '1.250.000'], ','),
                (['1.250', '7'], None),
                (['12.50', '12,50'], None),
                ([], None),
                ]:
            with self.subTest(texts=texts):
                self.assertEqual(find_mark(texts), mark)


class TableTestCase(unittest.TestCase):
    "Test the rows of a file"

    def test_file(self):
        "Test a file is read however it is written"
        text = 'number,name,date\r\n1,"Änn, B.",1997-01-01\r\n'
        semicolon = 'number;name;date\n1;"Änn, B.";1997-01-01\n'
        for data in [
                text.encode(),
                text.encode('utf-8-sig'),
                text.encode('utf-16'),
                text.encode('utf-16-le'),
                text.encode('utf-16-be'),
                text.encode('utf-32'),
                text.encode('cp1252'),
                text.replace('\r\n', '\n').encode(),
                text.replace('\r\n', '\r').encode(),
                text.replace('\n', '\n\r\n').encode(),
                text.replace('01\r\n', '01,,\r\n,,,,\r\n').encode(),
                semicolon.encode(),
                ('sep=;\r\n' + semicolon).encode(),
                ('"sep=;"\r\n' + semicolon).encode('utf-16'),
                b'number\tname\tdate\n1\t\xc3\x84nn, B.\t1997-01-01',
                b'number|name|date\n\n1| \xc3\x84nn, B. |1997-01-01\n||\n',
                semicolon.replace('date', 'Date').encode(),
                ]:
            with self.subTest(data=data):
                table = load(data)
                self.assertEqual(explain(table), [])
                (_, row), = table.blocks[0]
                self.assertEqual(row, {
                        'number': '1', 'name': "Änn, B.",
                        'date': '1997-01-01'})

    def test_encoding(self):
        "Test the encoding is found out, or given, and told"
        for text, encoding in [
                ("number;name\n1;Zoë Müller\n2;Straße 5 €\n", 'cp1252'),
                ("number;name\n1;Иван Петров\n2;Мария Иванова\n", 'cp1251'),
                ]:
            with self.subTest(encoding=encoding):
                table = load(text.encode(encoding))
                self.assertEqual(table.encoding, encoding)
                line, name = table.sample
                self.assertEqual(line, 2)
                self.assertIn(name, text)
        table = load("number;name\n1;Łukasz\n".encode('cp1250'),
            encoding='cp1250')
        self.assertEqual(table.blocks[0][0][1]['name'], "Łukasz")

    def test_mapping(self):
        "Test headers are mapped and constants set"
        table = load(
            'no;who;since;x;quantity;\n1;Ann;31.12.1997;y;1.000,5;\n'
            '2;Bob;tomorrow;;;\n;;;;3;\n',
            mapping={'no': 'number', 'who': 'name', 'since': 'date'},
            constants={'class': 'A{line}'}, date_format='%d.%m.%Y')
        self.assertEqual(table.blocks, [
                [(2, {'number': '1', 'name': 'Ann', 'date': '1997-12-31',
                            'class': 'A2', 'quantity': '1000.5'})],
                # No quantity, no class
                [(3, {'number': '2', 'name': 'Bob', 'date': 'tomorrow',
                            'quantity': ''}),
                    (4, {'number': '', 'name': '', 'date': '',
                            'class': 'A4', 'quantity': '3'})],
                ])
        self.assertEqual(table.ignored, ['x'])

    def test_ignored(self):
        "Test also columns without a header are told of"
        table = load('number,name,,x\n1,Ann,lost,\n')
        self.assertEqual(table.ignored, ['#3'])

    def test_date(self):
        "Test a day with midnight is a day"
        for cell, date_format in [
                ('31.12.1997', '%d.%m.%Y'),
                ('31.12.1997 00:00', '%d.%m.%Y'),
                ('31.12.1997 0:00:00', '%d.%m.%Y'),
                ('12/31/97', '%m/%d/%y'),
                ]:
            with self.subTest(cell=cell):
                table = load(
                    f'number,name,date\n1,Ann,{cell}\n',
                    date_format=date_format)
                self.assertEqual(
                    table.blocks[0][0][1]['date'], '1997-12-31')
        # Not in silence
        table = load(
            'number,name,date\n1,Ann,31.12.1997 08:00\n2,Bob,31.12.52\n',
            date_format='%d.%m.%y')
        rows = read([r for block in table.blocks for r in block], COLUMNS)
        self.assertEqual([e.message for row in rows for e in row.errors], [
                'msg_import_date', 'msg_import_future'])

    def test_number(self):
        "Test a number that is read in two ways is refused"
        header = 'number;name;class;quantity;amount\n'
        table = load(header + '1;Ann;A;25;1.250\n')
        self.assertEqual(explain(table), [
                '2 amount: "1.250" is 1.250 or 1250: '
                'choose the decimal mark of the file.'])
        # Another number proves what is meant
        table = load(header + '1;Ann;A;25;1.250\n2;Bob;A;1;50,00\n')
        self.assertEqual(explain(table), [])
        self.assertEqual(table.blocks[0][0][1]['amount'], '1250')
        table = load(header + '1;Ann;A;25;1.250\n', decimal_mark=',')
        self.assertEqual(table.blocks[0][0][1]['amount'], '1250')

    def test_spreadsheet_formula(self):
        "Test text that spreadsheets keep as a formula"
        for cell in ['"=""0008"""', '="0008"']:
            with self.subTest(cell=cell):
                table = load(f'number,name\n{cell},Ann\n')
                self.assertEqual(table.blocks[0][0][1]['number'], '0008')

    def test_continuation(self):
        "Test rows that continue stay with theirs"
        table = load(
            'number,name,class,quantity\n'
            '1,Ann,A,1\n,,B,2\n2,Bob\n,,B,3\n3,Cy,,\n')
        self.assertEqual(
            [[line for line, _ in block] for block in table.blocks],
            [[2, 3], [4, 5], [6]])
        self.assertEqual(
            explain(table), ["4 : The row has 2 cells instead of 4."])

    def test_repeated(self):
        "Test rows that repeat what they are about add to it"
        table = load(
            'number,name,date,class,quantity\n'
            '1,Ann,1997-01-01,A,1\n2,Bob,,A,1\n'
            '1,Ann,1997-01-01,A,1\n,,,B,1\n1,Ann,,A,2\n'
            '1,Eve,,A,1\n2,Bob,,,\n')
        self.assertEqual(
            [[line for line, _ in block] for block in table.blocks],
            [[2, 4, 5, 6], [3], [7], [8]])
        self.assertEqual(explain(table), [
                '7 number: "1" is on line 2 already.',
                '8 number: "2" is on line 3 already.'])
        rows = read([r for block in table.blocks for r in block], COLUMNS)
        self.assertEqual(
            [item.values for item in rows[0].many['shares']],
            [{'class': c, 'quantity': q} for c, q in [
                    ('A', 1), ('A', 1), ('B', 1), ('A', 2)]])

    def test_alike(self):
        "Test who has no number is there once, however the address is written"
        columns = {
            **COLUMNS,
            'number': Column(
                Code(), "number", True, instead=('email', 'iban')),
            'email': Column(Text(), "e-mail"),
            'iban': Column(IBAN(), "account"),
            }
        for rows, blocks, errors in [
                (['Ann,a@example.org,,', 'Ann,A@Example.org,,'],
                    [[2], [3]], [
                        '3 email: "a@example.org" is on line 2 already.']),
                (['Ann,a@example.org,,', 'Ann,A@Example.org,A,2'],
                    [[2, 3]], []),
                (['Ann,a@example.org,,', 'Ben,a@example.org,,'],
                    [[2], [3]], []),
                (['Ann,,,,BE71 0961 2345 6769', 'Ann,,,,be71096123456769'],
                    [[2], [3]], [
                        '3 iban: "be71096123456769" is on line 2 already.']),
                (['Ann,,,,BE71 0961 2345 6769', 'Ann,,A,2,BE71096123456769'],
                    [[2, 3]], []),
                (['Ann,,,,BE71096123456769', 'Ben,,,,BE71096123456769'],
                    [[2], [3]], []),
                ]:
            with self.subTest(rows=rows):
                table = Table(
                    columns, unique=[('number',)],
                    alike=[('name', 'email'), ('name', 'iban')])
                table.load('\n'.join(
                        ['name,email,class,quantity,iban', *(
                                row + ',' * (4 - row.count(','))
                                for row in rows)]).encode())
                self.assertEqual(
                    [[line for line, _ in block] for block in table.blocks],
                    blocks)
                self.assertEqual(explain(table), errors)

    def test_file_error(self):
        "Test files that can not be imported"
        for text, kwargs, message in [
                ('', {}, "empty"),
                ('\n', {}, "empty"),
                (b'\xff\xfe', {}, "empty"),
                ('number\n1\n', {}, "column name is missing"),
                ('number,name,name\n', {}, "more than one column name"),
                ('number,name\n', {'constants': {'name': 'x'}},
                    "more than one column name"),
                ('number,name\n', {'mapping': {'no': 'number'}},
                    'no column "no"'),
                ('number,name,x\n', {'mapping': {'x': 'nmae'}},
                    "into a column nmae"),
                ('number,name\n', {'constants': {'nmae': 'x'}},
                    "into a column nmae"),
                ('"number,name\n1,2\n', {}, "first line"),
                ('number,name\n', {'encoding': 'utf-99'}, "utf-99"),
                (b'number,name\n1', {'encoding': 'utf-16'}, "utf-16"),
                ('number,name\n', {'delimiter': ';;'}, ";;"),
                (b'PK\x03\x04', {}, "Excel file"),
                (b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', {}, "old Excel"),
                ]:
            with (self.subTest(text=text),
                    self.assertRaises(FileError) as cm):
                load(text, **kwargs)
            self.assertIn(message, translate(cm.exception))

    def test_row_error(self):
        "Test rows that can not be read do not spoil the others"
        table = load(
            'number,name\n1,Änn\n2,Zo'.encode() + b'\xeb\n3,"C"y\n1,Dan\n4\n\n'
            b'5,"a\nb"\n6,Eve\n7,"Fay\n8,Gil\n9,"Hal"\n10,Ida,x\n')
        self.assertEqual(explain(table), [
                "3 : The row is not in the encoding utf-8.",
                "4 : The row can not be read: ',' expected after '\"'.",
                '5 number: "1" is on line 2 already.',
                "6 : The row has 1 cells instead of 2.",
                "11 : The row can not be read: ',' expected after '\"'.",
                "14 : The row has 3 cells instead of 2.",
                ])
        self.assertEqual(
            [b[0][0] for b in table.blocks],
            [2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14])

    def test_rejects(self):
        "Test the file of the rejects has the rows as they were"
        data = (
            b'number;name;class;quantity;line\r\n1;\xc3\x84nn;;;2\r\n'
            b'2;Zo\xeb;A;1,5;3\r\n;;B;1;4\r\n3\r\n4;"D"an;;;\r\n'
            b'5;Eve;;;x;y\r\n6;"Fay;A;1;\r\n')
        table = load(data)
        server = Server()
        process = Process(table, server, translate, on_error='skip')
        result = process.run()
        self.assertEqual(server.stored, ["Änn"])
        self.assertEqual(
            str(result),
            "7 rows: 1 new, 0 changed, 0 unchanged, 6 rejected")
        rejects = process.get_rejects(result)
        self.assertEqual(rejects.decode('latin-1').split('\r\n'), [
                'number;name;class;quantity;line;line;column;reason',
                '2;Zoë;A;1,5;3;3;;The row is not in the encoding utf-8.',
                ';;B;1;4;4;;It belongs to a refused row.',
                '3;5;;The row has 1 cells instead of 5.',
                '4;"D"an;;;;6;;"The row can not be read: \';\' expected after '
                '\'""\'."',
                '5;Eve;;;x;y;7;;The row has 6 cells instead of 5.',
                '6;"Fay;A;1;;8;;The row can not be read: '
                'unexpected end of data.',
                ''])

        # They are read with the same options and refused again
        table = load(rejects, encoding='utf-8')
        self.assertEqual(
            [line for block in table.blocks for line, _ in block],
            [2, 3, 4, 5, 6, 7])
        process = Process(table, server, translate, on_error='skip')
        result = process.run()
        self.assertEqual(
            str(result),
            "6 rows: 0 new, 0 changed, 0 unchanged, 6 rejected")
        again = process.get_rejects(result).decode('latin-1').split('\r\n')
        first = rejects.decode('latin-1').split('\r\n')
        self.assertEqual(
            [row.partition(';;')[0] for row in again],
            [row.partition(';;')[0] for row in first])

        # Once mended they are stored
        mended = rejects.decode('latin-1').replace('"D"an', "Dan")
        table = load(mended, constants={'date': '1997-01-0{line}'})
        process = Process(table, server, translate, on_error='skip')
        self.assertEqual(process.run().created, 3)
        # It is the line of the first file
        self.assertEqual(table.blocks[0][0][1]['date'], '1997-01-03')

    def test_rejects_encoding(self):
        "Test the rejects are in the encoding of the file"
        for encoding in [
                'utf-8', 'utf-8-sig', 'cp1252', 'utf-16', 'utf-16-le']:
            with self.subTest(encoding=encoding):
                table = load('number\tname\n1\tZoë\n2\t\n'.encode(encoding))
                process = Process(table, Server(), translate)
                result = process.run()
                rejects = process.get_rejects(result)
                self.assertIn("Zoë", rejects.decode(encoding))
                again = load(rejects)
                self.assertEqual(again.blocks, table.blocks)

    def test_workbook(self):
        "Test an Excel file is read like a text"
        workbook = Workbook()
        sheet = workbook.active
        for row in [
                ['Number', 'name', 'date', 'class', 'quantity'],
                [8, "Ann\nB.", dt.datetime(1997, 1, 1), 'A', 1.5],
                ['0009', "1.250", '1997-01-01', 'A', '1,5'],
                [None, None, None, 'B', 2],
                [None],
                [10, None, dt.datetime(1997, 1, 1, 8), 'A', 1250.125],
                [11, '=A2', None, None, None],
                ]:
            sheet.append(row)
        sheet['A2'].number_format = '0000'
        workbook.create_sheet("Other").append(["x"])
        data = BytesIO()
        workbook.save(data)
        table = load(data.getvalue())
        self.assertEqual(table.other_sheets, ["Other"])
        self.assertEqual(table.blocks, [
                [(2, {'number': '0008', 'name': "Ann\nB.",
                            'date': '1997-01-01', 'class': 'A',
                            'quantity': '1.5'})],
                [(3, {'number': '0009', 'name': "1.250",
                            'date': '1997-01-01', 'class': 'A',
                            'quantity': '1.5'}),
                    (4, {'number': '', 'name': '', 'date': '', 'class': 'B',
                            'quantity': '2'})],
                [(6, {'number': '10', 'name': '',
                            'date': '1997-01-01T08:00:00', 'class': 'A',
                            'quantity': '1250.125'})],
                [(7, {})],
                ])
        self.assertEqual(explain(table), [
                "7 : The cell B7 has no value: open the file in the "
                "spreadsheet and save it again."])

        process = Process(table, Server(), translate, on_error='skip')
        result = process.run()
        self.assertEqual(
            str(result),
            "5 rows: 2 new, 0 changed, 0 unchanged, 3 rejected")
        rejects = process.get_rejects(result)
        sheet = load_workbook(BytesIO(rejects)).active
        self.assertEqual([cell.value for cell in sheet[3]][:6], [
                10, None, dt.datetime(1997, 1, 1, 8), 'A', 1250.125, '6'])
        self.assertEqual(sheet['A2'].number_format, '0000')
        self.assertEqual(sheet['B4'].value, '=A2')
        again = load(rejects)
        self.assertEqual(
            [row for (_, row), in again.blocks],
            [row for (_, row), in [table.blocks[0], *table.blocks[2:]]])
        self.assertEqual(len(again.errors), 1)

    def test_refused(self):
        "Test the rows that the server refuses as a whole are found"
        text = 'number,name\n' + ''.join(f'{i},{i}\n' for i in range(10))
        good = [str(i) for i in range(10) if i not in {3, 8}]
        for on_error, dry_run, stored, created in [
                ('skip', False, good, 8),
                ('skip', True, [], 8),
                ('stop', True, [], 8),
                ('stop', False, [], 0),
                ]:
            with self.subTest(on_error=on_error, dry_run=dry_run):
                server = Server(refused={'3', '8'})
                process = Process(
                    load(text), server, translate, on_error=on_error,
                    dry_run=dry_run)
                result = process.run()
                self.assertEqual(server.stored, stored)
                self.assertEqual([l for l, *_ in result.reasons], [5, 10])
                self.assertEqual(result.created, created)
                self.assertEqual(result.rejected, 10 - created)

    def test_refused_together(self):
        "Test the row that is refused only after another is found"
        text = 'number,name\n' + ''.join(f'{i},{i}\n' for i in range(1000))
        for on_error, stored in [('skip', 999), ('stop', 0)]:
            with self.subTest(on_error=on_error):
                server = Server(together={'3', '800'})
                result = Process(
                    load(text), server, translate, on_error=on_error).run()
                self.assertEqual(result.reasons, [(802, '', "refused")])
                self.assertEqual(len(server.stored), stored)

    def test_stop(self):
        "Test nothing is stored if a row has an error, and all are rejected"
        server = Server()
        process = Process(
            load('number,name\n1,a\n2,\n3,c\n4\n'), server, translate)
        result = process.run()
        self.assertEqual(server.stored, [])
        self.assertEqual([line for line, *_ in result.reasons], [3, 5])
        self.assertEqual(
            str(result),
            "4 rows: 0 new, 0 changed, 0 unchanged, 4 rejected")
        rows = list(csv.DictReader(
                process.get_rejects(result).decode().splitlines()))
        self.assertEqual([row['reason'] for row in rows[:3]], [
                "It is held because other rows are refused.",
                "It is missing.",
                "It is held because other rows are refused."])

    def test_profile(self):
        "Test a profile tells how a file is written"
        arguments = read_profile("""
# The export of our former program
[file]
delimiter = tab
date_format = %d.%m.%Y
decimal_mark = ,

[columns]
Member: No. = number
Surname = name
Since = date

[set]
class = A{line}

[values name]
N.N. = Nobody
""")
        table = load('Member: No.\tSurname\tSince\tquantity\n'
            '1\tN.N.\t31.12.1997\t1.250\n', **arguments)
        self.assertEqual(table.blocks, [[(2, {
                            'number': '1', 'name': "Nobody",
                            'date': '1997-12-31', 'quantity': '1250',
                            'class': 'A2'})]])
        for text in [
                'name = x', '[file]\nx = y', '[x]\ny = z',
                '[file]\ndecimal_mark = ;', '[set]\na = b\na = c']:
            with self.subTest(text=text), self.assertRaises(ProfileError):
                read_profile(text)

    def test_profile_rows(self):
        "Test a profile tells which rows and columns are not imported"
        arguments = read_profile("""
[columns]
Member = number
Who = name
number =

[only Kind of Row]
member
new member

[only kind]
1

[empty]
Left on
""")
        header = 'number;Member;Who;Kind of Row;Left on\n'
        table = load(header
            + '7;1;Ann;member;\n8;2;Bob;sold;\n9;3;Cy;new member;1997\n'
            '10;4;Dee;;\n', **arguments)
        self.assertEqual(
            table.blocks[0], [(2, {'number': '1', 'name': "Ann"})])
        self.assertEqual(explain(table), [
                '3 : Only rows with member, new member in "Kind of Row" are '
                'imported, not "sold".',
                '4 : Rows with something in "Left on" are not imported: '
                '1997.',
                '5 : Only rows with member, new member in "Kind of Row" are '
                'imported, not "".'])
        self.assertEqual(table.ignored, ['number'])
        # What tells the rows apart can not be left out of the file
        with self.assertRaises(FileError) as cm:
            load('Member;Who\n1;Ann\n', **arguments)
        self.assertIn("Kind of Row, kind", translate(cm.exception))

    def test_parser(self):
        "Test the arguments"
        parser = get_parser("Import", COLUMNS)
        args = parser.parse_args([
                'file.csv', '-d', 'coop', '--map', 'a=number',
                '--set', 'name=b=c'])
        self.assertEqual(args.map, [('a', 'number')])
        self.assertEqual(args.set, [('name', 'b=c')])
        self.assertIn('class', parser.format_help())
