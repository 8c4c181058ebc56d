# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the scripts that import a CSV file have in common.

The server checks and stores a batch of rows in one call, which is one
transaction: a script that was stopped half-way is started again, and what is
stored already does not change.
"""
import csv
import datetime as dt
import getpass
import io
import os
import re
import sys
from argparse import (
    ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter)
from contextlib import suppress
from itertools import chain
from typing import NamedTuple
from xmlrpc.client import Fault

try:
    import argcomplete
except ImportError:
    argcomplete = None

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None

try:
    from proteus import Model, config
except ImportError:
    prog = os.path.basename(sys.argv[0])
    sys.exit("proteus must be installed to use %s" % prog)

from trytond.exceptions import UserError, UserWarning
from trytond.modules.coop_import.rows import Date, Number, is_continuation

DELIMITERS = ',;\t|'
REJECTS = ['line', 'column', 'reason']
# The reasons that fit on a screen: the file of the rejects has them all
SHOWN = 50


class FileError(Exception):
    "The file as a whole can not be imported"


class Reason(NamedTuple):
    line: int
    column: str
    text: str

    def __str__(self):
        if self.column:
            return "line %s, column %s: %s" % self
        return "line %s: %s" % (self.line, self.text)


class CSVFile:
    """The rows of a CSV file in blocks of a row and those that continue it.

    `columns` maps the names of the columns that the server knows to what
    they contain; `unique` is a list of tuples of names whose cells no two
    rows have in common; `mapping` maps a header of the file to a name and
    `constants` a name to the text that all the rows have.
    """

    def __init__(
            self, columns, unique=(), mapping=None, constants=None,
            delimiter=None, date_format=None, decimal_mark='.'):
        self.columns = columns
        self.unique = unique
        self.mapping = mapping or {}
        self.constants = constants or {}
        self.delimiter = delimiter
        self.date_format = date_format
        self.decimal_mark = decimal_mark
        self.header = []
        self.names = []
        self.cells = {}
        self.blocks = []
        self.reasons = []

    def load(self, data):
        "Read the bytes of the file"
        # A row that is not in UTF-8 does not spoil the others
        text = data.decode('utf-8-sig', 'surrogateescape')
        reader = csv.reader(
            io.StringIO(text, newline=''), strict=True,
            delimiter=self.delimiter or self._find_delimiter(text))
        try:
            self._load_header(next(reader, []))
        except csv.Error as error:
            raise FileError(
                "The first line can not be read: %s." % error) from None
        seen = {}
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                cells, = csv.reader(text.splitlines()[line - 1:line])
                reason = "can not be read: %s" % error
            else:
                reason = self._check_cells(cells)
            if not any(cell.strip() for cell in cells):
                continue
            self.cells[line] = cells
            if reason:
                self.reasons.append(Reason(line, '', reason))
                self.blocks.append([(line, {})])
            else:
                self._load_row(line, cells, seen)

    def _find_delimiter(self, text):
        # Only the header: there are commas in the texts
        header = text.partition('\n')[0]
        return max(DELIMITERS, key=header.count)

    def _load_header(self, header):
        self.header = [name.strip() for name in header]
        self.names = [self.mapping.get(name, name) for name in self.header]
        if not any(self.names):
            raise FileError("The file is empty.")
        for name in sorted(self.mapping.keys() - set(self.header)):
            raise FileError("The file has no column %s." % name)
        names = [*self.names, *self.constants]
        for name, column in self.columns.items():
            if names.count(name) > 1:
                raise FileError("There is more than one column %s." % name)
            if column.required and not column.many and name not in names:
                raise FileError(
                    "The column %(name)s is missing.\n"
                    "The file has the columns: %(header)s.\n"
                    "Use --map COLUMN=%(name)s or --set %(name)s=VALUE." % {
                        'name': name,
                        'header': ", ".join(self.header),
                        })

    @property
    def ignored(self):
        return [
            header for header, name in zip(self.header, self.names)
            if header and name not in self.columns and name not in REJECTS]

    def _check_cells(self, cells):
        if any('\udc80' <= c <= '\udcff' for c in chain(*cells)):
            return "is not in UTF-8"
        elif len(cells) != len(self.header):
            return "has %s cells instead of %s" % (
                len(cells), len(self.header))

    def _load_row(self, line, cells, seen):
        row = {
            name: self._convert(name, cell.strip())
            for name, cell in zip(self.names, cells) if name in self.columns}
        if self.blocks and is_continuation(row, self.columns):
            self.blocks[-1].append((line, row))
            return
        lists = {self.columns[name].many for name, cell in row.items() if cell}
        for name, text in self.constants.items():
            if name in self.columns and self.columns[name].many in lists:
                row[name] = text.replace('{line}', str(line))
        self.blocks.append([(line, row)])
        for names in self.unique:
            key = tuple(row.get(name, '') for name in names)
            if key[-1] and seen.setdefault((names, key), line) != line:
                self.reasons.append(Reason(
                        line, names[-1], '"%s" is on line %s already'
                        % (key[-1], seen[names, key])))

    def _convert(self, name, cell):
        # What does not fit the format is left for the server to refuse
        type_ = self.columns[name].type
        if self.date_format and isinstance(type_, Date):
            with suppress(ValueError):
                cell = dt.datetime.strptime(
                    cell, self.date_format).date().isoformat()
        elif (self.decimal_mark == ','
                and isinstance(type_, Number)
                and re.fullmatch(r'-?[0-9.]*(,[0-9]+)?', cell)):
            cell = cell.replace('.', '').replace(',', '.')
        return cell

    def write_rejects(self, filename, reasons):
        "Write the rows as they were of each block that has a reason"
        by_line = {}
        for reason in reasons:
            by_line.setdefault(reason.line, []).append(reason)
        keep = [i for i, name in enumerate(self.header) if name not in REJECTS]
        with open(
                filename, 'w', encoding='utf-8', newline='',
                errors='surrogateescape') as file:
            writer = csv.writer(file)
            writer.writerow([*(self.header[i] for i in keep), *REJECTS])
            for block in self.blocks:
                lines = [line for line, _ in block]
                if by_line.keys().isdisjoint(lines):
                    continue
                for line in lines:
                    cells = dict(enumerate(self.cells[line]))
                    row_reasons = by_line.get(line, [
                            Reason(line, '', "belongs to a refused row")])
                    writer.writerow([
                            *(cells.get(i, '') for i in keep), line,
                            "; ".join(
                                r.column for r in row_reasons if r.column),
                            "; ".join(r.text for r in row_reasons),
                            ])


class Result:
    "What came of an import"

    def __init__(self, reasons=()):
        self.created = 0
        self.updated = 0
        self.unchanged = 0
        self.reasons = list(reasons)
        self.rejects = None

    def add(self, answer):
        self.created += answer['created']
        self.updated += answer['updated']
        self.unchanged += answer['unchanged']
        self.reasons.extend(Reason(*reason) for reason in answer['errors'])

    def __str__(self):
        return "%s new, %s changed, %s unchanged" % (
            self.created, self.updated, self.unchanged)


class Import:
    """An import of a file into a model

    With `on_error` 'stop' all the rows are checked before any is stored and
    nothing is stored if one is refused, with 'skip' the good ones are stored.
    """

    def __init__(
            self, model, file, on_error='stop', dry_run=False, size=500,
            options=None):
        self.model = model
        self.file = file
        self.on_error = on_error
        self.dry_run = dry_run
        self.size = size
        self.options = options or {}

    def run(self):
        result = Result(self.file.reasons)
        refused = {reason.line for reason in result.reasons}
        blocks = [
            block for block in self.file.blocks
            if refused.isdisjoint(line for line, _ in block)]
        if self.dry_run:
            self._send(self._try, "Check", blocks, result)
        elif self.on_error == 'skip':
            self._send(self._store_good, "Import", blocks, result)
        else:
            check = Result(result.reasons)
            self._send(self._check, "Check", blocks, check)
            if check.reasons:
                result.reasons = check.reasons
            else:
                self._send(self._store_all, "Import", blocks, result)
        result.reasons.sort()
        return result

    def _send(self, method, description, blocks, result):
        with _progress(len(blocks), description) as progress:
            for i in range(0, len(blocks), self.size):
                batch = blocks[i:i + self.size]
                for answer in method(batch):
                    result.add(answer)
                if method == self._store_all and result.reasons:
                    break
                progress.update(len(batch))

    def _check(self, blocks):
        return [self._call('check_rows', blocks)]

    def _try(self, blocks):
        return self._divide(blocks, True)

    def _store_good(self, blocks):
        return self._divide(blocks, False)

    def _store_all(self, blocks):
        try:
            return [self._call('import_rows', blocks, 'stop', False)]
        except RefusedError as error:
            # Only to find out which row it is about
            answers = [
                dict(answer, created=0, updated=0, unchanged=0)
                for answer in self._divide(blocks, True)]
            if not any(answer['errors'] for answer in answers):
                answers = [error.get_answer(blocks)]
            return answers

    def _divide(self, blocks, dry_run):
        "Store what can be when the server refuses a batch as a whole"
        try:
            return [self._call('import_rows', blocks, 'skip', dry_run)]
        except RefusedError as error:
            if len(blocks) == 1:
                return [error.get_answer(blocks)]
            middle = len(blocks) // 2
            return (self._divide(blocks[:middle], dry_run)
                + self._divide(blocks[middle:], dry_run))

    def _call(self, method, blocks, *args):
        rows = [[line, row] for line, row in chain(*blocks)]
        try:
            return getattr(Model.get(self.model)._proxy, method)(
                rows, *args, self.options, config.get_config().context)
        except (UserError, UserWarning) as error:
            raise RefusedError(error.message) from error
        except Fault as fault:
            # The codes of UserError and UserWarning
            if fault.faultCode not in {1, 2}:
                raise
            raise RefusedError(
                fault.faultString.removesuffix(" - ")) from fault


class RefusedError(Exception):
    "The server refuses a batch by a rule that only storing shows"

    def get_answer(self, blocks):
        line, _ = blocks[0][0]
        return {
            'created': 0,
            'updated': 0,
            'unchanged': 0,
            'errors': [(line, '', str(self))],
            }


class _NoProgress:

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

    def update(self, count):
        pass


def _progress(total, description):
    if tqdm:
        return tqdm(total=total, desc=description, unit=" rows", disable=None)
    else:
        return _NoProgress()


def _assignment(text):
    left, equal, right = text.partition('=')
    if not (left and equal):
        raise ArgumentTypeError('"%s" has no left side and =' % text)
    return left.strip(), right.strip()


def get_parser(description, columns):
    "Return the parser of the arguments that all the imports have"
    width = max(map(len, columns))
    parser = ArgumentParser(
        description=description, formatter_class=RawDescriptionHelpFormatter,
        epilog="columns of the file (* is required):\n" + '\n'.join(
            "  %s%s  %s" % (
                name.ljust(width),
                '*' if column.required and not column.many else ' ',
                column.help)
            for name, column in columns.items()))
    parser.add_argument('file', help="the CSV file in UTF-8")
    server = parser.add_argument_group("where to import to")
    server.add_argument('-d', '--database', help="the name of the database")
    server.add_argument('-c', '--config', dest='config_file',
        help="the trytond config file")
    server.add_argument('--url',
        help="import to the server at the URL, as https://host/database/, "
        "instead of the database")
    server.add_argument('-u', '--user', default='admin',
        help="the login of the user who imports (default: %(default)s)")
    server.add_argument('--company',
        help="the name of the company, if it is not the user's current one")
    reading = parser.add_argument_group("how to read the file")
    reading.add_argument('--map', action='append', default=[],
        type=_assignment, metavar='HEADER=COLUMN',
        help="the column that a header of the file stands for")
    reading.add_argument('--set', action='append', default=[],
        type=_assignment, metavar='COLUMN=TEXT',
        help="the same text for all the rows, where {line} stands for the "
        "number of the line")
    reading.add_argument('--delimiter',
        help="what is between the cells (default: found out)")
    reading.add_argument('--date-format', metavar='FORMAT',
        help="how dates are written, as %%d.%%m.%%Y "
        "(default: %%Y-%%m-%%d)")
    reading.add_argument('--decimal-mark', choices=['.', ','], default='.',
        help="what is before the decimals (default: %(default)s)")
    errors = parser.add_argument_group("what to do")
    errors.add_argument('--dry-run', action='store_true',
        help="try everything, report and store nothing")
    errors.add_argument('--on-error', choices=['stop', 'skip'],
        default='stop',
        help="store nothing if a row is refused or store the others "
        "(default: %(default)s)")
    errors.add_argument('--rejects', metavar='FILE',
        help="where the refused rows are written to "
        "(default: FILE.rejects.csv)")
    errors.add_argument('--batch', type=int, default=500, metavar='ROWS',
        help="how many rows are stored at once (default: %(default)s)")
    return parser


def _set_company(name):
    current = config.get_config()
    Company = Model.get('company.company')
    companies = Company.find([
            ('party.name', '=', name),
            ('id', 'in', current.context.get('companies', [])),
            ], limit=2)
    if len(companies) != 1:
        raise FileError("There is no company %s of the user." % name)
    current.set_context(company=companies[0].id)


def load(filename, model, columns, unique=(), rejects=None, on_error='stop',
        dry_run=False, batch=500, options=None, **reading):
    """Import a file through the current configuration of proteus

    Returns the result with the reasons of what was refused.
    """
    file = CSVFile(columns, unique=unique, **reading)
    with open(filename, 'rb') as data:
        file.load(data.read())
    if file.ignored:
        print("Ignored columns: %s" % ", ".join(file.ignored),
            file=sys.stderr)
    result = Import(
        model, file, on_error=on_error, dry_run=dry_run, size=batch,
        options=options).run()
    if result.reasons:
        rejects = rejects or filename + '.rejects.csv'
        file.write_rejects(rejects, result.reasons)
        result.rejects = rejects
    return result


def report(result, dry_run=False):
    "Print the result for the user"
    for reason in result.reasons[:SHOWN]:
        print(reason)
    if len(result.reasons) > SHOWN:
        print("... and %s more" % (len(result.reasons) - SHOWN))
    if result.reasons:
        print("The refused rows are in %s" % result.rejects)
    print("%s%s" % ("Dry run: " if dry_run else "", result))


def run(description, columns, do_import, get_parser=get_parser):
    """Run a script with the arguments of the command line

    `do_import` is called with the name of the file and the arguments.
    """
    parser = get_parser(description, columns)
    if argcomplete:
        argcomplete.autocomplete(parser)
    args = parser.parse_args()
    if bool(args.database) == bool(args.url):
        parser.error("either the database or the URL is required")
    elif args.batch < 1:
        parser.error("the batch must be positive")

    names = vars(args).copy()
    database, url, user, config_file, company = map(
        names.pop, ['database', 'url', 'user', 'config_file', 'company'])
    filename = names.pop('file')
    names['mapping'] = dict(names.pop('map'))
    names['constants'] = dict(names.pop('set'))

    def import_():
        try:
            if company:
                _set_company(company)
            return do_import(filename, **names)
        except (FileError, OSError) as error:
            sys.exit(str(error))

    if url:
        url = url.rstrip('/').removesuffix('/rpc') + '/rpc/'
        password = os.environ.get('TRYTON_PASSWORD') or getpass.getpass()
        with config.set_xmlrpc_session(url, user, password):
            result = import_()
    else:
        config.set_trytond(database, user=user, config_file=config_file)
        result = import_()
    report(result, args.dry_run)
    sys.exit(1 if result.reasons else 0)
