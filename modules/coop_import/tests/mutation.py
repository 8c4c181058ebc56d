# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Files in which something is wrong, for the tests of all the imports."""
import csv
import io

from hypothesis import strategies as st

SNIPPETS = [
    '"', ';', ',', '\n', '\r\n', '\r', '\0', '\t', '=', '\xa0', 'ß', '\ufeff',
    '\u2028', '0', '.', ' ', "'", '1.250', '2E+11', '=""1""', '\ud800',
    'sep=,', '\U0001f600', '9' * 400, '-', 'NaN']


def write(rows, delimiter=';'):
    output = io.StringIO()
    csv.writer(output, delimiter=delimiter).writerows(rows)
    return output.getvalue()


@st.composite
def mutated(draw, rows):
    "Draw the bytes of a file with the rows in which something is wrong"
    data = write(rows).encode(draw(st.sampled_from(
                ['utf-8', 'utf-8-sig', 'cp1252', 'utf-16', 'utf-16-le'])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(['insert', 'delete', 'replace', 'repeat']))
        if kind == 'insert':
            snippet = draw(st.sampled_from(SNIPPETS))
            data = (data[:at] + snippet.encode('utf-8', 'surrogatepass')
                + data[at:])
        elif kind == 'delete':
            data = data[:at] + data[at + draw(st.integers(1, 60)):]
        elif kind == 'replace':
            data = data[:at] + draw(st.binary(max_size=3)) + data[at + 2:]
        else:
            data = data[:at] + data[at // 2:]
    return data
