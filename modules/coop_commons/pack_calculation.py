# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What prepaid packs cover, on plain values."""
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.rounding import half_up


def take(quantity, packs):
    """Return what each pack covers of the quantity, the first ones first.

    `packs` is a list of a key and the quantity that remains.  What is
    returned is a list of a key and the quantity above 0 that is covered.
    """
    taken = []
    for key, remaining in packs:
        part = min(quantity, remaining)
        if part > 0:
            taken.append((key, part))
            quantity -= part
    return taken


def release(price, quantity, before, after, unit):
    """Return the part of the price that a use earns.

    The pack of the quantity was used up to `before` and now up to `after`.
    What is earned in total is rounded to the unit, so that all uses of a pack
    earn exactly its price.
    """
    if not quantity:
        return Decimal(0)
    earned, more = (
        half_up(Fraction(price) * Fraction(used) / Fraction(quantity), unit)
        for used in (before, after))
    return more - earned
