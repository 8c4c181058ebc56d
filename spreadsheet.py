# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Write tables as files that everybody can open"""
import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_MIMETYPE = 'application/vnd.oasis.opendocument.spreadsheet'
_NAMESPACES = ' '.join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in [
        ('office', 'office'),
        ('table', 'table'),
        ('text', 'text'),
        ('style', 'style'),
        ('fo', 'xsl-fo-compatible'),
        ('number', 'datastyle'),
        ])
_STYLES = (
    '<office:automatic-styles>'
    '<number:date-style style:name="day"><number:year number:style="long"/>'
    '<number:text>-</number:text><number:month number:style="long"/>'
    '<number:text>-</number:text><number:day number:style="long"/>'
    '</number:date-style>'
    '<style:style style:name="date" style:family="table-cell"'
    ' style:data-style-name="day"/>'
    '<style:style style:name="head" style:family="table-cell">'
    '<style:text-properties fo:font-weight="bold"/></style:style>'
    '</office:automatic-styles>')
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<manifest:manifest'
    ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    ' manifest:version="1.2">'
    f'<manifest:file-entry manifest:full-path="/"'
    f' manifest:media-type="{_MIMETYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml"'
    ' manifest:media-type="text/xml"/>'
    '</manifest:manifest>')


class Table(NamedTuple):
    """A table: the name of its file, its title, its columns and its rows

    A cell is a text, a number, a date or None.
    """
    name: str
    title: str
    columns: list
    rows: list


def write_csv(tables):
    "Return the archive of a file of comma-separated values for each table"
    result = io.BytesIO()
    with zipfile.ZipFile(result, 'w', zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            with archive.open(f'{table.name}.csv', 'w') as file, \
                    io.TextIOWrapper(
                        file, encoding='utf-8-sig', newline='') as text:
                writer = csv.writer(text)
                writer.writerow(table.columns)
                writer.writerows(
                    [_text(value) for value in row] for row in table.rows)
    return result.getvalue()


def _text(value):
    if value is None:
        return ''
    elif isinstance(value, Decimal):
        return f'{value:f}'
    text = str(value)
    if isinstance(value, str) and text.lstrip()[:1] in {'=', '+', '-', '@'}:
        # Else a spreadsheet takes what somebody wrote for a formula
        text = f"'{text}"
    return text


def write_ods(tables):
    "Return the spreadsheet with a sheet for each table"
    result = io.BytesIO()
    with zipfile.ZipFile(result, 'w', zipfile.ZIP_DEFLATED) as archive:
        # The first, and as it is
        archive.writestr(
            zipfile.ZipInfo('mimetype'), _MIMETYPE, zipfile.ZIP_STORED)
        archive.writestr('META-INF/manifest.xml', _MANIFEST)
        with archive.open('content.xml', 'w') as file:
            for text in _content(tables):
                file.write(text.encode('utf-8'))
    return result.getvalue()


def _content(tables):
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<office:document-content {_NAMESPACES} office:version="1.2">'
        f'{_STYLES}<office:body><office:spreadsheet>')
    for table in tables:
        yield f'<table:table table:name={quoteattr(table.title)}>'
        yield '<table:table-row>'
        for column in table.columns:
            yield _cell(column, ' table:style-name="head"')
        yield '</table:table-row>'
        for row in table.rows:
            cells = ''.join(map(_cell, row))
            yield f'<table:table-row>{cells}</table:table-row>'
        yield '</table:table>'
    yield (
        '</office:spreadsheet></office:body></office:document-content>')


def _cell(value, style=''):
    if value is None or value == '':
        return '<table:table-cell/>'
    elif isinstance(value, dt.datetime):
        value = str(value)
    elif isinstance(value, dt.date):
        return (
            '<table:table-cell table:style-name="date"'
            f' office:value-type="date" office:date-value="{value}">'
            f'<text:p>{value}</text:p></table:table-cell>')
    elif isinstance(value, (int, Decimal)):
        return (
            '<table:table-cell office:value-type="float"'
            f' office:value="{value:f}"><text:p>{value:f}</text:p>'
            '</table:table-cell>')
    text = ''.join(c for c in str(value) if c >= ' ' or c == '\t')
    return (
        f'<table:table-cell office:value-type="string"{style}>'
        f'<text:p>{escape(text)}</text:p></table:table-cell>')
