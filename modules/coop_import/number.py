# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read numbers as people write them, and refuse those read in two ways.

A mark is what is before the decimals: a point or a comma.  The other one may
group digits by three, as may spaces and apostrophes.  ``1.250`` is 1.25 or
1250: only the mark, or other numbers of the file that prove it, tell which.
"""
import re
from decimal import Decimal, InvalidOperation

from babel.numbers import NumberFormatError, parse_decimal

# Babel's locales that write so
LOCALES = {'.': 'en', ',': 'de'}
_PARTS = re.compile(
    r"(?P<before>[^0-9+\-\u2212.,]*)"
    r"(?P<sign>[+\-\u2212]?)"
    r"(?P<digits>[0-9](?:[0-9.,'\u2019\s]*[0-9])?)"
    r"(?P<after>[^0-9.,]*)")


class AmbiguousNumber(ValueError):
    "The text is one number or another"

    def __init__(self, values):
        super().__init__(values)
        self.values = values


def _parse(digits, mark):
    "Return the number that the digits are with the mark, if they are one"
    point, = LOCALES.keys() - {mark}
    groups = {c for c in digits if not c.isdigit() and c != mark}
    if len(groups) > 1:
        return
    for group in groups:
        digits = digits.replace(group, point)
    try:
        return parse_decimal(digits, locale=LOCALES[mark], strict=True)
    except (NumberFormatError, InvalidOperation):
        return


def _values(text):
    "Return the number that the text is with each mark that is possible"
    parts = _PARTS.fullmatch(text)
    if not parts:
        return {}
    values = {mark: _parse(parts['digits'], mark) for mark in LOCALES}
    return {m: v for m, v in values.items() if v is not None}


def find_mark(texts):
    "Return the mark that the numbers of a file prove, if they agree"
    marks = set()
    for text in texts:
        values = _values(text)
        if len(values) == 1:
            marks.update(values)
    if len(marks) == 1:
        return marks.pop()


def to_plain(text, mark=None):
    """Return the text with its number as 1234.56

    What is beside the number, as the sign of a currency, stays.  A text that
    is no number is returned as it is.
    """
    values = _values(text)
    if mark:
        values = {m: v for m, v in values.items() if m == mark}
    numbers = sorted(set(values.values()))
    if not numbers:
        return text
    if len(numbers) > 1:
        raise AmbiguousNumber(numbers)
    parts = _PARTS.fullmatch(text)
    number = format(numbers[0], 'f')
    if parts['sign'] in {'-', '\u2212'} and numbers[0] != Decimal(0):
        number = '-' + number
    return parts['before'] + number + parts['after']
