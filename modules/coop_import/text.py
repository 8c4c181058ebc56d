# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Find out how a text file is written, and split it in its rows.

Whatever is wrong in a row spoils that row only.
"""
import codecs
import csv
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

DELIMITERS = ';,\t|'
# In the order in which they are preferred when nothing tells them apart
ENCODINGS = [
    'cp1252', 'cp1250', 'cp1251', 'cp1253', 'cp1254', 'cp1257', 'mac_roman',
    'cp850']
_MARKS = [
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
    ]
_LINE = re.compile(r'[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+')
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Record(NamedTuple):
    """A row of a file

    `raw` is its line as it is if it can not be split in cells, and
    `problem` the reason.
    """
    line: int
    cells: list
    raw: str = ''
    problem: str = ''


def find_encoding(data):
    "Return the name of the encoding that the bytes are most likely in"
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    for start, encoding in [(0, 'utf-16-be'), (1, 'utf-16-le')]:
        half = data[start::2]
        if half.count(0) > len(half) / 2:
            return encoding
    foreign, utf8 = set(), False
    for line in data.splitlines():
        if not line.isascii():
            try:
                line.decode('utf-8')
            except UnicodeDecodeError:
                foreign.add(line)
            else:
                utf8 = True
    # By chance nothing else is in UTF-8, so that only some rows are broken
    if utf8 or not foreign:
        return 'utf-8'
    matches = from_bytes(
        b'\n'.join(sorted(foreign)[:1000]), cp_isolation=ENCODINGS)
    likely = [
        (match.chaos, -match.coherence, ENCODINGS.index(encoding), encoding)
        for match in matches for encoding in match.could_be_from_charset
        if encoding in ENCODINGS]
    return min(likely)[-1] if likely else ENCODINGS[0]


def split_lines(text):
    "Return the lines of the text with their ends, whatever these are"
    return _LINE.findall(text)


def find_delimiter(line, names):
    "Return what is between the cells of the line, which has the names"
    def score(delimiter):
        cells, = csv.reader([line], delimiter=delimiter) if line else [[]]
        return len({c.strip().lower() for c in cells} & names), len(cells)

    return max(DELIMITERS, key=score)


def find_separator(line):
    "Return the delimiter that the first line of a spreadsheet's file names"
    match = _SEPARATOR.fullmatch(line)
    return match[1] if match else None


class _Feed:
    "The lines from any on"

    def __init__(self, lines, position):
        self.lines = lines
        self.position = position

    def __iter__(self):
        return self

    def __next__(self):
        if self.position >= len(self.lines):
            raise StopIteration
        self.position += 1
        return self.lines[self.position - 1]


def read_records(lines, delimiter, start=0):
    """Yield the records of the lines

    A line that can not be read is a record of its own: what follows a quote
    that is never closed is read for itself.
    """
    feed, reader = None, None
    while True:
        if reader is None:
            feed = _Feed(lines, start)
            reader = csv.reader(feed, strict=True, delimiter=delimiter)
        start = feed.position
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raw = lines[start].rstrip('\r\n')
            yield Record(start + 1, [], raw, str(error))
            start, reader = start + 1, None
        else:
            yield Record(start + 1, cells)
