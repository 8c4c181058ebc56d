# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read the sheet of an Excel file as rows of text, and write one."""
import datetime as dt
import re
from decimal import Decimal
from io import BytesIO
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .text import Record

_ZEROS = re.compile(r'0{2,}')


class WorkbookError(Exception):
    pass


class Exact(str):
    "The text of a value that can only be read in one way"
    value = None
    number_format = None


def _read(cell):
    text = _get_text(cell)
    if isinstance(text, Exact):
        text.value, text.number_format = cell.value, cell.number_format
    return text


def _get_text(cell):
    value = cell.value
    if value is None:
        return ''
    if isinstance(value, bool):
        return Exact('yes' if value else 'no')
    if isinstance(value, (int, float)):
        if value == int(value):
            text = str(int(value))
            if _ZEROS.fullmatch(cell.number_format or ''):
                text = text.zfill(len(cell.number_format))
            return Exact(text)
        return Exact(format(Decimal(repr(value)), 'f'))
    if isinstance(value, (dt.datetime, dt.date)):
        text = value.isoformat()
        return Exact(text.removesuffix('T00:00:00'))
    if isinstance(value, dt.time):
        return Exact(value.isoformat())
    return str(value)


def read_workbook(data, sheet=None):
    "Return the records of a sheet, its name and those of the others"
    try:
        values = load_workbook(BytesIO(data), data_only=True)
        formulas = load_workbook(BytesIO(data))
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError,
            TypeError, SyntaxError) as error:
        raise WorkbookError(str(error)) from error
    names = [
        w.title for w in values.worksheets
        if w.max_row > 1 or w['A1'].value is not None]
    if sheet is None and names:
        sheet = names[0]
    if sheet not in names:
        raise WorkbookError(sheet or '')
    records = []
    for line, (row, formula_row) in enumerate(
            zip(values[sheet].iter_rows(), formulas[sheet].iter_rows()), 1):
        cells, problem = [], ''
        for cell, formula in zip(row, formula_row):
            cells.append(_read(cell))
            # A formula without its value, or one that has failed
            if cell.data_type == 'e' or (
                    cell.value is None and formula.value is not None):
                cells[-1] = Exact(formula.value)
                cells[-1].value = formula.value
                cells[-1].number_format = formula.number_format
                problem = formula.coordinate
        records.append(Record(line, cells, '', problem))
    return records, sheet, [n for n in names if n != sheet]


def write_workbook(rows):
    "Return the Excel file with the rows"
    workbook = Workbook()
    sheet = workbook.active
    for line, row in enumerate(rows, 1):
        for i, text in enumerate(row, 1):
            if not text:
                continue
            cell = sheet.cell(line, i)
            if isinstance(text, Exact):
                cell.value = text.value
                cell.number_format = text.number_format
            else:
                # Also what looks like a number or a formula
                cell.number_format = '@'
                cell.data_type = 's'
                cell._value = text
    data = BytesIO()
    workbook.save(data)
    return data.getvalue()
