# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.rounding import half_up

from .pool_arithmetic import whole_shares


def retain(inputs):
    """Return the rows of what is retained of the members, of its inputs alone

    What does not make a share that can be held is not retained.
    """
    settings = inputs.settings
    bases = {}
    for _, member, _, quantity, amount in inputs.activity:
        if member:
            value = quantity if settings.method == 'unit' else amount
            bases[member] = bases.get(member, Decimal(0)) + value
    rows = []
    for member, basis in sorted(bases.items()):
        if basis <= 0:
            continue
        amount = half_up(
            Fraction(settings.rate) * Fraction(basis), settings.unit)
        quantity, amount, _ = whole_shares(
            amount, settings.par_value, settings.quantity_digits,
            settings.unit)
        if amount:
            rows.append({
                    'member': member,
                    'basis': basis,
                    'quantity': quantity,
                    'amount': amount,
                    })
    return rows
