# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from fractions import Fraction


def half_up(value, unit):
    """Round a number to the nearest multiple of the unit, half a unit away
    from zero.

    `value` may be any exact number, also a fraction that no decimal is equal
    to; the result is of the type of `unit`, in which both are measured.
    """
    units = int(abs(Fraction(value)) / Fraction(unit) + Fraction(1, 2))
    return unit * (units if value >= 0 else -units)
