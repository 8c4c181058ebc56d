# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read the rows of an import: plain text in, values or reasons out.

Neither the database nor the client is needed, so that a script can read a
file by the same rules as the server.  A reason is the id of a message with
its variables: who shows it translates it.
"""
import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from stdnum import iban

from trytond.modules.coop_commons import local_time

_NUMBER = re.compile(r'[+-]?[0-9]+(\.[0-9]+)?')
_DATE = re.compile(
    r'([0-9]{4}-[0-9]{2}-[0-9]{2})([ T]00:00(:00(\.0+)?)?)?')
_AMOUNT = re.compile(
    r'(?P<before>[^0-9+-]*)(?P<number>[+-]?[0-9]+(\.[0-9]+)?)'
    r'(?P<after>[^0-9]*)')
# What a spreadsheet makes of a code that it takes for a number
_SPREADSHEET = re.compile(r'[0-9]+[.,]0+|[0-9]([.,][0-9]+)?E\+[0-9]+')
_JOINERS = '\u200c\u200d'
# Nothing is counted so far, nor calculated exactly
MAXIMUM = Decimal(10) ** 15
# The oldest cooperatives of today are younger
FIRST_DAY = dt.date(1800, 1, 1)
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

    def __init__(self, size=None, lines=False):
        self.size = size
        self.lines = lines

    def __call__(self, cell):
        if self.lines:
            cell = cell.replace('\r\n', '\n').replace('\r', '\n')
        # Spaces that do not break, and other wide and narrow ones
        cell = ''.join(
            ' ' if unicodedata.category(c) == 'Zs' else c
            for c in cell).strip()
        for position, c in enumerate(cell, 1):
            if not (c.isprintable() or c in _JOINERS
                    or (self.lines and c == '\n')):
                raise CellError(
                    'msg_import_unprintable', character=_describe(c),
                    position=position)
        if self.size and len(cell) > self.size:
            raise CellError('msg_import_long', size=self.size)
        return cell


def _describe(character):
    name = {'\n': "LINE FEED", '\r': "CARRIAGE RETURN", '\t': "TAB"}.get(
        character) or unicodedata.name(character, '')
    return f"U+{ord(character):04X} {name}".rstrip()


class Code(Text):
    "What identifies something and is no number, even if it has only digits"

    def __call__(self, cell):
        cell = super().__call__(cell)
        if _SPREADSHEET.fullmatch(cell):
            raise CellError('msg_import_spreadsheet', value=cell)
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
    """A day that can be

    `years` is how many it may be in the future.
    """

    def __init__(self, years=0):
        self.years = years

    def __call__(self, cell):
        match = _DATE.fullmatch(cell)
        try:
            # Since Python 3.11 other formats are accepted as well
            if not match:
                raise ValueError
            date = dt.date.fromisoformat(match[1])
        except ValueError:
            raise CellError('msg_import_date', value=cell) from None
        self._check(date, cell)
        return date

    def _check(self, date, cell):
        # It may be tomorrow elsewhere
        last = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=14)
            + relativedelta(years=self.years)).date()
        if date > last:
            raise CellError('msg_import_future', value=cell)
        elif date < FIRST_DAY:
            raise CellError('msg_import_past', value=cell)


class DateTime(Date):
    """A moment in UTC, or in the local time of what it is about when the
    cell has no offset."""

    def __call__(self, cell):
        try:
            time = local_time.parse(cell)
        except local_time.TimeError as error:
            message = 'time' if error.reason == 'format' else error.reason
            raise CellError(f'msg_import_{message}', value=cell) from None
        self._check(time.date(), cell)
        return time


class Number:

    def __init__(self, minimum=None, above=None, digits=None):
        self.minimum = minimum
        self.above = above
        self.digits = digits

    def __call__(self, cell):
        if not _NUMBER.fullmatch(cell):
            raise CellError('msg_import_number', value=cell)
        value = Decimal(cell)
        if abs(value) >= MAXIMUM:
            raise CellError('msg_import_number', value=cell)
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


class Money(Decimal):
    "An amount with the sign of the currency that is written beside it"
    sign = ''


class Amount(Number):

    def __call__(self, cell):
        parts = _AMOUNT.fullmatch(cell)
        signs = [
            sign for sign in (parts['before'], parts['after'])
            if sign.strip()] if parts else []
        if not parts or len(signs) > 1:
            raise CellError('msg_import_number', value=cell)
        amount = Money(super().__call__(parts['number']))
        amount.sign = ''.join(signs).strip()
        return amount


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
    a list of them.  `instead` are the names of columns of which one may be
    filled for a required one.  `help` is for the user of the script.
    """
    type: Any
    help: str
    required: bool = False
    many: str = ''
    instead: tuple = ()


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
        self.warnings = []

    def __getitem__(self, column):
        return self.values.get(column)

    def error(self, column, message, line=None, **variables):
        self.errors.append(
            Error(line or self.line, column, message, variables))

    def warn(self, column, message, **variables):
        self.warnings.append(Error(self.line, column, message, variables))

    def clear(self):
        "Forget all but the errors"
        for name in vars(self).keys() - {
                'line', 'lines', 'errors', 'warnings'}:
            delattr(self, name)
        self.values, self.many = {}, {}

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
                    and not {name, *column.instead} & set(
                        items[column.many])):
                row.error(name, 'msg_import_missing', line=line)
        del items['']
        for many, values in items.items():
            row.many.setdefault(many, []).append(Item(line, values))
    return result
