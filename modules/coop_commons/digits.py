# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The digits of measures and of exact prices

They are rounded when they are billed.
"""
from decimal import Decimal

from sql import Null

from trytond.model import Check

QUANTITY_DIGITS = (16, 6)
AMOUNT_DIGITS = (16, 8)
QUANTITY = Decimal(10) ** -QUANTITY_DIGITS[1]
AMOUNT = Decimal(10) ** -AMOUNT_DIGITS[1]


def not_negative(table, *names):
    "Return the constraint that none of the columns is below 0"
    expression = None
    for name in names:
        column = getattr(table, name)
        valid = (column == Null) | (column >= 0)
        expression = valid if expression is None else expression & valid
    return Check(table, expression)
