# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read the rows of an import: plain text in, values or reasons out.

Neither the database nor the client is needed, so that a script can read a
file by the same rules as the server.  A reason is the id of a message with
its variables: who shows it translates it.
"""
import datetime as dt
import re
from decimal import Decimal
from typing import Any, NamedTuple

from stdnum import iban

_NUMBER = re.compile(r'[+-]?[0-9]+(\.[0-9]+)?')
_DATE = re.compile(r'[0-9]{4}-[0-9]{2}-[0-9]{2}')
_EMAIL = re.compile(r'[^@\s]+@[^@\s.]+(\.[^@\s.]+)+')
_TRUE = {'1', 'true', 'yes', 'y', 'x'}
_FALSE = {'0', 'false', 'no', 'n'}


class CellError(ValueError):

    def __init__(self, message, **variables):
        super().__init__(message)
        self.message = message
        self.variables = variables


class Error(NamedTuple):
    line: int
    column: str
    message: str
    variables: dict


class Text:

    def __init__(self, size=None):
        self.size = size

    def __call__(self, cell):
        if any(not c.isprintable() for c in cell):
            raise CellError('msg_import_unprintable')
        if self.size and len(cell) > self.size:
            raise CellError('msg_import_long', size=self.size)
        return cell


class Email(Text):

    def __call__(self, cell):
        cell = super().__call__(cell)
        if not _EMAIL.fullmatch(cell):
            raise CellError('msg_import_email', value=cell)
        return cell


class IBAN(Text):

    def __call__(self, cell):
        cell = super().__call__(cell)
        if not iban.is_valid(cell):
            raise CellError('msg_import_iban', value=cell)
        return iban.compact(cell)


class Date:

    def __call__(self, cell):
        try:
            # Since Python 3.11 other formats are accepted as well
            if not _DATE.fullmatch(cell):
                raise ValueError
            return dt.date.fromisoformat(cell)
        except ValueError:
            raise CellError('msg_import_date', value=cell) from None


class DateTime:
    """A moment in UTC, or in the local time of what it is about when the
    cell has no offset."""

    def __call__(self, cell):
        # Python 3.10 does not know Z
        text = re.sub(r'[zZ]$', '+00:00', cell)
        try:
            # A day alone is no time
            if not re.search(r'[T ]', text):
                raise ValueError
            return dt.datetime.fromisoformat(text)
        except ValueError:
            raise CellError('msg_import_time', value=cell) from None


class Number:

    def __init__(self, minimum=None, above=None, digits=None):
        self.minimum = minimum
        self.above = above
        self.digits = digits

    def __call__(self, cell):
        if not _NUMBER.fullmatch(cell):
            raise CellError('msg_import_number', value=cell)
        value = Decimal(cell)
        if self.minimum is not None and value < self.minimum:
            raise CellError(
                'msg_import_minimum', value=cell, limit=self.minimum)
        if self.above is not None and value <= self.above:
            raise CellError(
                'msg_import_above', value=cell, limit=self.above)
        if (self.digits is not None
                and value != round(value, self.digits)):
            raise CellError(
                'msg_import_digits', value=cell, digits=self.digits)
        return value


class Integer(Number):

    def __init__(self, minimum=None, above=None):
        super().__init__(minimum=minimum, above=above, digits=0)

    def __call__(self, cell):
        return int(super().__call__(cell))


class Flag:

    def __call__(self, cell):
        value = cell.lower()
        if value in _TRUE:
            return True
        elif value in _FALSE:
            return False
        raise CellError('msg_import_flag', value=cell)


class Choice:

    def __init__(self, *choices):
        self.choices = choices

    def __call__(self, cell):
        if cell not in self.choices:
            raise CellError(
                'msg_import_choice', value=cell,
                choices=", ".join(self.choices))
        return cell


class Column(NamedTuple):
    """What a column contains.

    `many` names the list that the column is a part of, where one record has
    a list of them.  `help` is for the user of the script.
    """
    type: Any
    help: str
    required: bool = False
    many: str = ''


class Item:
    "The values of one line of a list"

    def __init__(self, line, values):
        self.line = line
        self.values = values

    def __getitem__(self, column):
        return self.values.get(column)


class Row:
    """The values of a record with the line that each comes from."""

    def __init__(self, line):
        self.line = line
        self.values = {}
        self.many = {}
        self.lines = [line]
        self.errors = []

    def __getitem__(self, column):
        return self.values.get(column)

    def error(self, column, message, line=None, **variables):
        self.errors.append(
            Error(line or self.line, column, message, variables))

    @property
    def first_errors(self):
        "One error per line and column: the others follow from it"
        errors = {}
        for error in self.errors:
            errors.setdefault((error.line, error.column), error)
        return [errors[key] for key in sorted(errors)]


def is_continuation(cells, columns):
    "Return if the row adds to the lists of the row above it"
    filled = {c for c, cell in cells.items() if c in columns and cell}
    return bool(filled) and all(columns[c].many for c in filled)


def read(rows, columns):
    """Return the list of Row of a list of (line, cells).

    `cells` maps the name of a column to its text; `columns` maps the name
    of a column to its Column.
    """
    result = []
    for line, cells in rows:
        cells = {
            name: (cell or '').strip() for name, cell in cells.items()}
        unknown = [n for n in cells if n not in columns and cells[n]]
        cells = {n: cell for n, cell in cells.items() if n in columns}
        if result and is_continuation(cells, columns):
            row = result[-1]
            row.lines.append(line)
            lists = {''}
        else:
            row = Row(line)
            result.append(row)
            lists = set()
        for name in unknown:
            row.error(name, 'msg_import_column', line=line)
        items = {'': row.values}
        for name, cell in cells.items():
            if not cell:
                continue
            column = columns[name]
            values = items.setdefault(column.many, {})
            # What can not be read is there all the same
            values[name] = None
            try:
                values[name] = column.type(cell)
            except CellError as error:
                row.error(name, error.message, line=line, **error.variables)
        for name, column in columns.items():
            if (column.required
                    and column.many in items.keys() - lists
                    and name not in items[column.many]):
                row.error(name, 'msg_import_missing', line=line)
        del items['']
        for many, values in items.items():
            row.many.setdefault(many, []).append(Item(line, values))
    return result
