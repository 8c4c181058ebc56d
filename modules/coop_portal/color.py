# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Colors that everybody can read, as WCAG 2.2 measures it"""
import re

# Of text, success criterion 1.4.3
READABLE = 4.5
# As in the stylesheet
INK, PAPER = '#1c2321', '#ffffff'
STRONG, SOFT = '#14532d', '#eef3f0'
_COLOR = re.compile('#[0-9a-f]{6}')


def is_color(text):
    "Return whether the text is a color as #rrggbb, in small letters"
    return bool(_COLOR.fullmatch(text))


def luminance(color):
    """Return the relative luminance of the color #rrggbb

    From 0 for black to 1 for white, as WCAG 2.2 defines it for sRGB.
    """
    total = 0
    for i, weight in enumerate([0.2126, 0.7152, 0.0722]):
        value = int(color[1 + 2 * i:3 + 2 * i], 16) / 255
        total += weight * (
            value / 12.92 if value <= 0.04045
            else ((value + 0.055) / 1.055) ** 2.4)
    return total


def contrast(one, other):
    "Return the contrast ratio of two colors #rrggbb, from 1 to 21"
    light, dark = sorted(map(luminance, [one, other]), reverse=True)
    return (light + 0.05) / (dark + 0.05)
