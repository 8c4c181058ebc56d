# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The rows of a file in blocks: a row with those that add to it.

The file is read in one way by the scripts and by the wizard, without the
database.  What is wrong is told as the id of a message with its variables.
"""
import csv
import datetime as dt
import io
import re
from contextlib import suppress

from trytond.modules.coop_commons import local_time

from .number import AmbiguousNumber, find_mark, to_plain
from .rows import IBAN, Date, DateTime, Error, Number, is_continuation
from .text import (
    Record, find_delimiter, find_encoding, find_separator, read_records,
    split_lines)
from .workbook import Exact, WorkbookError, read_workbook, write_workbook

REJECTS = ['line', 'column', 'reason']
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_MIDNIGHT = re.compile(r'[ T]0?0:00(:00(\.0+)?)?$')
_OLD_EXCEL = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'


class FileError(Exception):
    "The file as a whole can not be imported"

    def __init__(self, message, **variables):
        super().__init__(message)
        self.message = message
        self.variables = variables


class Table:
    """The rows of a file

    `columns` maps the names of the columns that can be stored to what they
    contain; `unique` is a list of tuples of names whose cells no two rows
    have in common: where the first of them is the same, or where it is empty
    the first of the tuples in `alike` whose last name is filled, rows that
    only add to lists are one block.
    `mapping` maps a header of the file to a name, and `known` one that it may
    have, if to nothing it is not imported; `constants` maps a name to the
    text that all the rows have and `values` a name to what its texts stand
    for.  What has something in a column with a header in `empty` is refused,
    and so is what has another text than those that `only` has by header: the
    file has one of these columns at least.
    """

    def __init__(
            self, columns, unique=(), alike=(), mapping=None, known=None,
            constants=None, values=None, empty=(), only=None, delimiter=None,
            encoding=None, sheet=None, date_format=None, decimal_mark=None):
        self.columns = columns
        self.unique = list(unique)
        self.alike = list(alike)
        self.mapping, self.known = (
            {' '.join(header.split()): name for header, name in names.items()}
            for names in [mapping or {}, known or {}])
        self.empty = {' '.join(header.split()) for header in empty}
        self.only = {
            ' '.join(header.split()): set(texts)
            for header, texts in (only or {}).items()}
        self.constants = constants or {}
        self.values = values or {}
        self.delimiter = delimiter
        self.encoding = encoding
        self.sheet = sheet
        self.date_format = date_format
        self.decimal_mark = decimal_mark
        self.is_workbook = False
        self.other_sheets = []
        self.header = []
        self.names = []
        self.is_rejects = False
        self.records = {}
        self.blocks = []
        self.errors = []

    def load(self, data):
        "Read the bytes of the file"
        if data.startswith(b'PK\x03\x04'):
            records = self._load_workbook(data)
        elif data.startswith(_OLD_EXCEL):
            raise FileError('msg_import_file_xls')
        else:
            records = self._load_text(data)
        records = (
            r for r in records
            if r.raw.strip() or any(c.strip() for c in r.cells))
        self._load_header(next(records, None))
        self.records = {record.line: record for record in records}
        self._find_mark()
        self._load_blocks()

    def _load_workbook(self, data):
        self.is_workbook = True
        try:
            records, self.sheet, self.other_sheets = read_workbook(
                data, self.sheet)
        except WorkbookError as error:
            raise FileError(
                'msg_import_file_workbook', reason=error) from None
        return iter(records)

    def _load_text(self, data):
        if not self.encoding:
            self.encoding = find_encoding(data)
        try:
            text = data.decode(self.encoding, 'surrogateescape')
        except (LookupError, UnicodeError):
            raise FileError(
                'msg_import_file_encoding',
                encoding=self.encoding) from None
        lines = split_lines(text.removeprefix('\ufeff'))
        start = 0
        separator = find_separator(lines[0]) if lines else None
        if separator:
            start = 1
            self.delimiter = self.delimiter or separator
        if not self.delimiter:
            header = next((l for l in lines[start:] if l.strip()), '')
            self.delimiter = find_delimiter(header.strip(), {
                    name.lower() for name in [
                        *self.columns, *self.mapping, *self.known]})
        try:
            csv.reader([], delimiter=self.delimiter)
        except (TypeError, ValueError):
            raise FileError(
                'msg_import_file_delimiter',
                delimiter=self.delimiter) from None
        return read_records(lines, self.delimiter, start)

    def _load_header(self, record):
        if record is None:
            raise FileError('msg_import_file_empty')
        if record.problem:
            raise FileError(
                'msg_import_file_header', reason=record.problem)
        self.header = [' '.join(cell.split()) for cell in record.cells]
        while self.header and not self.header[-1]:
            self.header.pop()
        self.is_rejects = self.header[-len(REJECTS):] == REJECTS
        header = self.header
        if self.is_rejects:
            header = header[:-len(REJECTS)]
        self.names = [self._get_name(cell) for cell in header]
        for name in sorted(self.mapping.keys() - set(self.header)):
            raise FileError('msg_import_file_no_column', column=name)
        if self.only and not self.only.keys() & set(self.header):
            raise FileError(
                'msg_import_file_only', columns=", ".join(self.only))
        names = [*self.names, *self.constants]
        for name, column in self.columns.items():
            if names.count(name) > 1:
                raise FileError('msg_import_file_twice', column=name)
            if (column.required and not column.many
                    and not {name, *column.instead} & set(names)):
                raise FileError(
                    'msg_import_file_missing', column=name,
                    header=", ".join(filter(None, header)))
        for name in [
                *self.mapping.values(), *self.known.values(),
                *self.constants, *self.values]:
            if name and name not in self.columns:
                raise FileError('msg_import_file_set', column=name)

    def _get_name(self, header):
        for mapping in [self.mapping, self.known]:
            if header in mapping:
                return mapping[header]
        name = header.lower().replace(' ', '_')
        return name if name in self.columns else header

    @property
    def ignored(self):
        "The headers of the columns that are not imported"
        filled = set()
        for record in self.records.values():
            filled.update(i for i, c in enumerate(record.cells) if c.strip())
        return [
            header or f"#{i + 1}" for i, (header, name) in enumerate(
                zip(self.header, self.names))
            if name not in self.columns and i in filled
            and header not in self.empty and header not in self.only]

    @property
    def has_guessed(self):
        "Return if the text could be read in other encodings too"
        return not (
            self.is_workbook or self.encoding.startswith('utf')
            or self.sample is None)

    @property
    def sample(self):
        "The line with the first cell that the encoding matters for"
        for record in self.records.values():
            for cell in record.cells:
                if not cell.isascii() and not _is_broken(cell):
                    return record.line, cell.strip()

    def _find_mark(self):
        if self.decimal_mark:
            return
        indices = [
            i for i, name in enumerate(self.names)
            if name in self.columns
            and isinstance(self.columns[name].type, Number)]
        self.decimal_mark = find_mark(
            record.cells[i].strip() for record in self.records.values()
            for i in indices
            if i < len(record.cells)
            and not isinstance(record.cells[i], Exact))

    def _check(self, record):
        "Return why the record can not be read"
        if record.problem and self.is_workbook:
            return 'msg_import_formula', {'cell': record.problem}
        elif _is_broken(record.raw, *record.cells):
            return 'msg_import_encoding', {'encoding': self.encoding}
        elif record.problem:
            return 'msg_import_row', {'reason': record.problem}
        elif (len(record.cells) < len(self.header)
                or any(c.strip() for c in record.cells[len(self.header):])):
            return 'msg_import_cells', {
                'count': len(record.cells), 'expected': len(self.header)}
        for header, cell in zip(self.header, record.cells):
            if header in self.empty and cell.strip():
                return 'msg_import_not_empty', {
                    'header': header, 'value': cell.strip()}
            if header in self.only and cell.strip() not in self.only[header]:
                return 'msg_import_only', {
                    'header': header, 'value': cell.strip(),
                    'texts': ", ".join(sorted(self.only[header]))}

    def _load_blocks(self):
        seen, blocks, block = {}, {}, None
        for line, record in self.records.items():
            problem = self._check(record)
            if problem:
                self._error(line, '', problem[0], **problem[1])
                block = [(line, {})]
                self.blocks.append(block)
                continue
            row = {}
            for name, cell in zip(self.names, record.cells):
                if name in self.columns:
                    row[name] = self._convert(line, name, cell)
            if block and is_continuation(row, self.columns):
                self._set_constants(record, row, lists_only=True)
                block.append((line, row))
                continue
            self._set_constants(record, row)
            same = self._find_same(row, blocks)
            if same:
                block = same
                block.append((line, {
                            name: cell for name, cell in row.items()
                            if self.columns[name].many}))
                continue
            block = [(line, row)]
            self.blocks.append(block)
            identity = self._identify(row)
            if identity:
                blocks.setdefault(identity, block)
            for names, key in self._get_keys(row):
                other = seen.setdefault((names, key), line)
                if other != line:
                    self._error(
                        line, names[-1], 'msg_import_twice',
                        value=key[-1], other=other)

    def _get_keys(self, row):
        "Yield the names, and their cells, that no other row has"
        for names in self.unique:
            key = tuple(row.get(name, '') for name in names)
            if key[-1]:
                yield names, key
        identity = self._identify(row)
        if identity and identity[0] in self.alike:
            yield identity

    def _identify(self, row):
        "Return what tells which block the row is of, if anything does"
        for names in self.unique[:1]:
            key = tuple(row.get(name, '') for name in names)
            if key[-1]:
                return names, key
        for names in self.alike:
            # As it is compared with who is there
            key = tuple(
                ('' if isinstance(self.columns[name].type, IBAN) else ' '
                    ).join(row.get(name, '').casefold().split())
                for name in names)
            if key[-1]:
                return names, key

    def _find_same(self, row, blocks):
        "Return the block that the row only adds to the lists of"
        identity = self._identify(row)
        block = blocks.get(identity)
        if not block:
            return
        _, first = block[0]
        adds = False
        for name, cell in row.items():
            if self.columns[name].many:
                adds |= bool(cell)
            elif (cell and cell != first.get(name)
                    and name not in identity[0]):
                return
        if adds:
            return block

    def _set_constants(self, record, row, lists_only=False):
        line = record.line
        if self.is_rejects:
            # The line of the file that the row comes from
            line = record.cells[len(self.names)] or line
        lists = {self.columns[n].many for n, cell in row.items() if cell}
        for name, text in self.constants.items():
            many = self.columns[name].many
            if many in lists and (many or not lists_only):
                row[name] = text.replace('{line}', str(line))

    def _convert(self, line, name, cell):
        # What does not fit the format is left for the server to refuse
        type_ = self.columns[name].type
        if isinstance(cell, Exact):
            return self.values.get(name, {}).get(cell, str(cell))
        cell = cell.strip()
        formula = _FORMULA.fullmatch(cell)
        if formula:
            cell = formula[1].replace('""', '"').strip()
        cell = self.values.get(name, {}).get(cell, cell)
        if isinstance(type_, DateTime) and self.date_format:
            with suppress(ValueError):
                cell = local_time.to_iso(cell, self.date_format)
        elif isinstance(type_, Date) and self.date_format:
            with suppress(ValueError):
                cell = dt.datetime.strptime(
                    _MIDNIGHT.sub('', cell),
                    self.date_format).date().isoformat()
        elif isinstance(type_, Number):
            try:
                cell = to_plain(cell, self.decimal_mark)
            except AmbiguousNumber as error:
                first, second = error.values
                self._error(
                    line, name, 'msg_import_ambiguous', value=cell,
                    first=format(first, 'f'), second=format(second, 'f'))
        return cell

    def _error(self, line, column, message, **variables):
        self.errors.append(Error(line, column, message, variables))

    def get_rejects(self, reasons):
        """Return the bytes of a file with the rows as they were

        `reasons` maps the number of a line to a list of columns and texts.
        The file is read with the same options as this one.
        """
        rows = [[
                *self.header[:len(self.names)], *REJECTS]]
        for block in self.blocks:
            for line, _ in block:
                if line in reasons:
                    rows.append(self._get_reject(
                            self.records[line], reasons[line]))
        if self.is_workbook:
            return write_workbook(rows)
        output = io.StringIO()
        writer = csv.writer(output, delimiter=self.delimiter)
        for row in rows:
            if isinstance(row, Record):
                # As it can not be read, it is not written in another way
                output.write(row.raw)
                if not self.is_rejects:
                    output.write(self.delimiter)
                    writer.writerow(row.cells)
                else:
                    output.write('\r\n')
            else:
                writer.writerow(row)
        return self._encode(output.getvalue())

    def _get_reject(self, record, reasons):
        line, cells = record.line, list(record.cells)
        while len(cells) > len(self.header) and not cells[-1].strip():
            cells.pop()
        if self.is_rejects and len(cells) >= len(REJECTS):
            line = cells[-len(REJECTS)] or line
            del cells[-len(REJECTS):]
        end = [
            str(line),
            "; ".join(column for column, _ in reasons if column),
            "; ".join(self._encodable(text) for _, text in reasons)]
        if record.raw:
            return record._replace(cells=end)
        return [*cells, *end]

    def _encodable(self, text):
        if self.is_workbook:
            return text
        return text.encode(self.encoding, 'replace').decode(self.encoding)

    def _encode(self, text):
        if self.encoding.startswith(('utf-16', 'utf-32')):
            return text.encode(self.encoding, 'surrogatepass')
        return text.encode(self.encoding, 'surrogateescape')


def _is_broken(*cells):
    "Return if there is a byte that is not of the encoding"
    return any('\udc80' <= c <= '\udcff' for cell in cells for c in cell)
