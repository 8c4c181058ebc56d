# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"The tables that the annual report prints"
from trytond.i18n import gettext

from .figures import Row

_STYLE = '{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}style-name'


def title(name):
    "Return the heading of a column"
    return gettext(f'coop.msg_assembly_column_{name}')


def text(value):
    "Write what is text already"
    return value or ''


def _style(kind, name):
    return {_STYLE % kind: name}


# The paragraph of the label and of the figures by the style of a row
_STYLES = {
    'normal': ('Cell', 'CellR'),
    'indent': ('CellI', 'CellR'),
    'indent2': ('CellI2', 'CellR'),
    'last': ('Last', 'LastR'),
    'total': ('Total', 'TotalR'),
    }


class Table:
    """Rows with a label and the figures of the columns

    A column is the name of the figure with the function that writes it, and
    is left out where no row has such a figure.
    """

    def __init__(self, columns, label=''):
        self.label = label
        self._columns = [
            (name, write, heading[0] if heading else title(name))
            for name, write, *heading in columns]
        self._rows = []

    def add(self, label, row, style='normal', note=None):
        self._rows.append((label, row, style, note))

    def add_years(self, label, row, style='normal', note=None):
        "Add the row with the one of last year below"
        self.add(label, row, style, note)
        if getattr(row, 'previous', None):
            self.add(
                gettext('coop.msg_assembly_last_year'), row.previous, 'last')

    def _value(self, row, name):
        return getattr(row, name, None)

    @property
    def _shown(self):
        return [
            column for column in self._columns
            if any(self._value(r, column[0]) for _, r, _, _ in self._rows)]

    @property
    def columns(self):
        return [heading for *_, heading in self._shown]

    @property
    def rows(self):
        shown = self._shown
        for label, row, style, note in self._rows:
            label_style, figure_style = _STYLES[style]
            cell = 'CellTotal' if style == 'total' else 'Cell'
            yield Row(
                label=label,
                note=note,
                cells=[
                    write(self._value(row, name))
                    for name, write, _ in shown],
                cell=_style('table', cell),
                text=_style('text', label_style),
                figure=_style('text', figure_style))

    def __bool__(self):
        return bool(self._rows and self._shown)
