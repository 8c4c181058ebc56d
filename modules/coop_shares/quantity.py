# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The quantities of shares, which each class may divide its own way."""
from decimal import Decimal

# The digits of the quantities of all the classes
QUANTITY_DIGITS = 6


def plain_number(value):
    "Return the number as text without the zeros at its end"
    return f'{Decimal(value).normalize():f}'
