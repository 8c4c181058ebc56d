# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Charts for printed reports, as SVG.

The pictures are plain text that any version of LibreOffice draws, so that a
report needs no library to draw them.
"""
from decimal import Decimal
from math import floor, log10
from xml.sax.saxutils import escape

COLORS = ['#2b5c8a', '#e08e2b', '#5a9a68', '#a8456b', '#7a7f87', '#c9b037']
GRID = '#d5d9de'
INK = '#333a42'
FONT = 'Liberation Sans, Arial, sans-serif'
# The size of a letter relative to the size of the font, on average
LETTER = 0.56


def ticks(low, high, count=5):
    """Return the list of round numbers that an axis from low to high has"""
    low, high = min(0, low), max(0, high)
    if low == high:
        high = 1
    raw = (high - low) / count
    base = 10 ** floor(log10(raw))
    step = next(
        factor * base for factor in [1, 2, 2.5, 5, 10]
        if factor * base >= raw * (1 - 1e-9))
    first = floor(low / step + 1e-9)
    last = -floor(-high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


class _Picture:

    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.parts = []

    def add(self, tag, text=None, **attributes):
        attributes = ''.join(
            f' {name.rstrip("_").replace("_", "-")}="{self._value(value)}"'
            for name, value in attributes.items())
        if text is None:
            self.parts.append(f'<{tag}{attributes}/>')
        else:
            self.parts.append(f'<{tag}{attributes}>{escape(text)}</{tag}>')

    @staticmethod
    def _value(value):
        if isinstance(value, (float, Decimal)):
            return f'{float(value):.2f}'
        return escape(str(value), {'"': '&quot;'})

    def text(self, x, y, text, anchor='start', size=11, **attributes):
        self.add(
            'text', text, x=float(x), y=float(y), text_anchor=anchor,
            font_size=size, font_family=FONT, fill=INK, **attributes)

    def __bytes__(self):
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            f'width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}">'
            + ''.join(self.parts) + '</svg>').encode()


def _legend(names, left, width):
    "Return the list of the position and line of each name"
    result = []
    x, line = left, 0
    for name in names:
        size = 36 + len(name) * 11 * LETTER
        if x > left and x + size > width:
            x, line = left, line + 1
        result.append((x, line))
        x += size
    return result


def bars(labels, series, stacked=False, width=640, height=260, number=str):
    """Return the picture of a bar for each label and series

    `labels` is the list of the names below the bars and `series` the list
    of a name with the values for the labels.  `number` makes the text of a
    number on the axis.
    """
    names = [name for name, _ in series]
    columns = [
        [float(values[i] or 0) for _, values in series]
        for i in range(len(labels))]
    if stacked:
        lows = [sum(v for v in column if v < 0) for column in columns]
        highs = [sum(v for v in column if v > 0) for column in columns]
    else:
        lows = highs = [v for column in columns for v in column]
    axis = ticks(min(lows, default=0), max(highs, default=0))
    texts = [number(value) for value in axis]
    picture = _Picture(width, height)
    left = 12 + max(map(len, texts)) * 11 * LETTER
    legend = _legend(names, left, width) if len(names) > 1 else []
    top = 10 + 16 * len({line for _, line in legend})
    bottom = height - 22

    def position(value):
        return bottom - (value - axis[0]) / (axis[-1] - axis[0]) * (
            bottom - top)

    for i, (name, (x, line)) in enumerate(zip(names, legend)):
        picture.add(
            'rect', x=float(x), y=3 + 16 * line, width=10, height=10,
            fill=COLORS[i % len(COLORS)])
        picture.text(x + 15, 12 + 16 * line, name)
    for value, text in zip(axis, texts):
        y = position(value)
        picture.add(
            'line', x1=float(left), x2=float(width - 4), y1=y, y2=y,
            stroke=INK if not value else GRID, stroke_width=1)
        picture.text(left - 6, y + 4, text, anchor='end')
    step = (width - 4 - left) / max(len(labels), 1)
    for i, (label, column) in enumerate(zip(labels, columns)):
        middle = left + step * (i + 0.5)
        picture.text(middle, height - 6, label, anchor='middle')
        count = 1 if stacked else len(column)
        bar = min(step * 0.7 / max(count, 1), 60)
        start = middle - bar * count / 2
        above = below = 0
        for j, value in enumerate(column):
            if stacked and value < 0:
                origin = below
                below += value
            elif stacked:
                origin = above
                above += value
            else:
                origin = 0
            ends = sorted([position(origin), position(origin + value)])
            picture.add(
                'rect', x=start + (0 if stacked else j * bar), y=ends[0],
                width=bar * 0.94, height=ends[1] - ends[0],
                fill=COLORS[j % len(COLORS)])
    return bytes(picture)
