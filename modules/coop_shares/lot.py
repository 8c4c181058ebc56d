# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The lots of a holding: what leaves first."""
from decimal import Decimal
from typing import Any, NamedTuple

from trytond.modules.coop_membership.apportionment import apportion


class Lot(NamedTuple):
    "Shares of one vintage acquired on one day"
    vintage: Any
    acquired_date: Any
    quantity: Decimal
    amount: Decimal


def _key(lot):
    return lot.vintage or 0, lot.acquired_date


def take(lots, quantity, round=lambda amount: amount):
    """Return the lots of the quantity that leaves first.

    The oldest vintage goes first and within it what was acquired first.  A
    lot that is negative, because more left later than was there at the time,
    takes the oldest shares too.  Part of a lot has its part of the amount.
    """
    taken = []
    missing = -sum((lot.quantity for lot in lots if lot.quantity < 0), 0)
    for lot in sorted(lots, key=_key):
        if lot.quantity <= 0:
            continue
        skipped = min(missing, lot.quantity)
        missing -= skipped
        part = min(lot.quantity - skipped, quantity)
        if part <= 0:
            continue
        quantity -= part
        if part == lot.quantity:
            amount = lot.amount
        else:
            amount = round(lot.amount * part / lot.quantity)
        taken.append(lot._replace(quantity=part, amount=amount))
        if not quantity:
            break
    return taken


def take_each(lots, quantity, unit, round=lambda amount: amount):
    """Return the same part of each of the lots, to the unit of the shares

    What it takes more than that to make the quantity is of the lots that
    the rounding has changed most.
    """
    held = take(lots, sum(lot.quantity for lot in lots), round)
    quantity = min(quantity, sum(lot.quantity for lot in held))
    if not quantity:
        return []
    parts = apportion(
        quantity, {i: lot.quantity for i, lot in enumerate(held)}, unit)
    return [
        taken for i, lot in enumerate(held)
        for taken in take([lot], parts[i], round)]


def subtract(lots, taken):
    "Return the lots without what has been taken of them"
    rest = {_key(lot): lot for lot in lots}
    for lot in taken:
        left = rest[_key(lot)]
        rest[_key(lot)] = left._replace(
            quantity=left.quantity - lot.quantity,
            amount=left.amount - lot.amount)
    return list(rest.values())
