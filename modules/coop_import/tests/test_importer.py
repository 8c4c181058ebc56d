# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import os
import tempfile
import unittest

from trytond.modules.coop_import.rows import Column, Date, Number, Text
from trytond.modules.coop_import.scripts.importer import (
    CSVFile, FileError, Import, RefusedError, get_parser)

COLUMNS = {
    'number': Column(Text(), "number", True),
    'name': Column(Text(), "name", True),
    'date': Column(Date(), "date"),
    'class': Column(Text(), "class", True, 'shares'),
    'quantity': Column(Number(), "quantity", True, 'shares'),
    }


def load(text, **kwargs):
    file = CSVFile(COLUMNS, unique=[('number',)], **kwargs)
    file.load(text.encode('utf-8') if isinstance(text, str) else text)
    return file


class FakeImport(Import):
    "Import that a server refuses as a whole for a name"

    def __init__(self, *args, refused=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.refused = refused
        self.stored = []

    def _call(self, method, blocks, *args):
        names = [block[0][1]['name'] for block in blocks]
        answer = dict.fromkeys(['created', 'updated', 'unchanged'], 0)
        answer['errors'] = []
        if method == 'import_rows':
            if set(names) & set(self.refused):
                raise RefusedError("refused")
            _, dry_run = args
            answer['created'] = len(blocks)
            if not dry_run:
                self.stored += names
        return answer


class ImporterTestCase(unittest.TestCase):
    "Test the scripts that import"

    def test_file(self):
        "Test a file is read whatever its delimiter"
        for text in [
                'number,name,date\n1,"Ann, B.",1997-01-01\n',
                'number;name;date\r\n1;"Ann, B.";1997-01-01\r\n',
                '\ufeffnumber\tname\tdate\n1\tAnn, B.\t1997-01-01',
                'number|name|date\n\n1| Ann, B. |1997-01-01\n,,\n',
                ]:
            with self.subTest(text=text):
                file = load(text)
                (_, row), = file.blocks[0]
                self.assertEqual(row, {
                        'number': '1', 'name': 'Ann, B.',
                        'date': '1997-01-01'})

    def test_mapping(self):
        "Test headers are mapped and constants set"
        file = load(
            'no;who;since;x;quantity\n1;Ann;31.12.1997;y;1.000,5\n'
            '2;Bob;tomorrow;;\n',
            mapping={'no': 'number', 'who': 'name', 'since': 'date'},
            constants={'class': 'A{line}'}, date_format='%d.%m.%Y',
            decimal_mark=',')
        self.assertEqual([block[0] for block in file.blocks], [
                (2, {'number': '1', 'name': 'Ann', 'date': '1997-12-31',
                        'class': 'A2', 'quantity': '1000.5'}),
                # No quantity, no class
                (3, {'number': '2', 'name': 'Bob', 'date': 'tomorrow',
                        'quantity': ''}),
                ])
        self.assertEqual(file.ignored, ['x'])

    def test_continuation(self):
        "Test rows that continue stay with theirs"
        file = load(
            'number,name,class,quantity\n'
            '1,Ann,A,1\n,,B,2\n2,Bob\n,,B,3\n3,Cy,,\n')
        self.assertEqual(
            [[line for line, _ in block] for block in file.blocks],
            [[2, 3], [4, 5], [6]])
        self.assertEqual(
            list(map(str, file.reasons)),
            ["line 4: has 2 cells instead of 4"])

    def test_file_error(self):
        "Test files that can not be imported"
        for text, kwargs, message in [
                ('', {}, "empty"),
                ('\n', {}, "empty"),
                ('number\n1\n', {}, "column name is missing"),
                ('number,name,name\n', {}, "more than one column name"),
                ('number,name\n', {'constants': {'name': 'x'}},
                    "more than one column name"),
                ('number,name\n', {'mapping': {'no': 'number'}},
                    "no column no"),
                ('"number,name\n1,2\n', {}, "first line"),
                ]:
            with (self.subTest(text=text),
                    self.assertRaisesRegex(FileError, message)):
                load(text, **kwargs)

    def test_row_error(self):
        "Test rows that can not be read do not spoil the others"
        file = load(
            b'number,name\n1,Ann\n2,Zo\xeb\n3,"C"y\n1,Dan\n4\n\n'
            b'5,"a\nb"\n6,Eve\n7,"Fay\n8,Gil\n')
        self.assertEqual(list(map(str, file.reasons)), [
                "line 3: is not in UTF-8",
                "line 4: can not be read: ',' expected after '\"'",
                "line 5, column number: \"1\" is on line 2 already",
                "line 6: has 1 cells instead of 2",
                "line 11: can not be read: unexpected end of data",
                ])
        self.assertEqual(
            [b[0][0] for b in file.blocks], [2, 3, 4, 5, 6, 8, 10, 11])

    def test_rejects(self):
        "Test the file of the rejects has the rows as they were"
        file = load(
            b'number,name,class,quantity,line\n1,Ann,,,2\n'
            b'2,Zo\xeb,A,1,3\n,,B,1,4\n3\n')
        with tempfile.TemporaryDirectory() as directory:
            filename = os.path.join(directory, 'rejects.csv')
            file.write_rejects(filename, file.reasons)
            with open(filename, encoding='latin-1', newline='') as rejects:
                rows = list(csv.reader(rejects))
        self.assertEqual(rows, [
                ['number', 'name', 'class', 'quantity', 'line', 'column',
                    'reason'],
                ['2', "Zoë", 'A', '1', '3', '', "is not in UTF-8"],
                ['', '', 'B', '1', '4', '', "belongs to a refused row"],
                ['3', '', '', '', '5', '', "has 1 cells instead of 5"],
                ])

    def test_refused(self):
        "Test the row of a refused batch is found"
        text = 'number,name\n' + ''.join(f'{i},{i}\n' for i in range(10))
        good = [str(i) for i in range(10) if i not in {3, 8}]
        for on_error, dry_run, stored, lines in [
                ('skip', False, good, [5, 10]),
                ('skip', True, [], [5, 10]),
                ('stop', True, [], [5, 10]),
                # The batch before was good
                ('stop', False, ['0', '1', '2'], [5]),
                ]:
            with self.subTest(on_error=on_error, dry_run=dry_run):
                import_ = FakeImport(
                    'model', load(text), on_error=on_error, dry_run=dry_run,
                    size=3, refused={'3', '8'})
                result = import_.run()
                self.assertEqual(import_.stored, stored)
                self.assertEqual([r.line for r in result.reasons], lines)
                self.assertEqual(
                    result.created, len(good if dry_run else stored))

    def test_stop(self):
        "Test nothing is stored if the file has an error"
        import_ = FakeImport('model', load('number,name\n1,a\n2\n'))
        result = import_.run()
        self.assertEqual(import_.stored, [])
        self.assertEqual([r.line for r in result.reasons], [3])

    def test_parser(self):
        "Test the arguments"
        parser = get_parser("Import", COLUMNS)
        args = parser.parse_args([
                'file.csv', '-d', 'coop', '--map', 'a=number',
                '--set', 'name=b=c'])
        self.assertEqual(args.map, [('a', 'number')])
        self.assertEqual(args.set, [('name', 'b=c')])
        self.assertIn('class', parser.format_help())
