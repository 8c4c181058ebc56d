# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The quantities of shares, which each class may divide its own way."""
from decimal import Decimal
from fractions import Fraction

from sql import Cast

from trytond.model import fields

# The digits of the quantities of all the classes
QUANTITY_DIGITS = 6


class QuantityMixin:
    "Show the quantity in the digits of the share class"
    __slots__ = ()

    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits


def number(column):
    "Return the column as number, which SQLite keeps as text"
    return Cast(column, 'NUMERIC')


def plain_number(value):
    "Return the number as text without the zeros at its end"
    return f'{Decimal(value).normalize():f}'


def part(percent, digits=4):
    """Return the exact part that the percentage stands for

    33.3333 % is a third, because it is what a third is rounded to.
    """
    percent = Fraction(percent)
    simple = (percent / 100).limit_denominator(100)
    if round(simple * 100, digits) == percent:
        return simple
    return percent / 100
