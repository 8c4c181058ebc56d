# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.rounding import half_up

CENT = Decimal('0.01')


def capital_targets(required, use, unit=CENT):
    "Return the capital each member should hold by its share of the use"
    whole = sum(use.values())
    return {
        member: half_up(
            Fraction(required) * Fraction(part) / Fraction(whole), unit)
        for member, part in use.items()} if whole else {}
