# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction
from math import lcm


def apportion(total, weights, unit=Decimal('0.01')):
    """Split an amount by weights so that the parts sum to it exactly.

    `total` is the amount to split, which may be negative, and `unit` the
    smallest step of a part (0.01 for cents, 1 or 5 for whole units), both in
    the same currency or measure.  `weights` is a mapping of a sortable key
    to its weight, a number that is not negative.

    Returns a mapping of each key to its part, in the order of the keys.  The
    method is the largest remainder (Hamilton): each key gets its quota
    rounded down to the unit, and the units that are left go to the largest
    remainders, equal remainders in the order of the keys.  A rest of the
    total smaller than the unit goes to the key that comes next.  So no part
    deviates from its quota by a whole unit, and neither the order of the
    input nor the sign of the total decides who gets what.

    Raises ValueError if the unit is not positive, a weight is negative or
    there is an amount to split and no weight to split it by.
    """
    if unit <= 0:
        raise ValueError("the unit must be positive")
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("a weight can not be negative")
    keys = sorted(weights)
    if not total:
        return {key: unit * 0 for key in keys}

    # Integers are exact where the precision of decimals ends
    exact = [Fraction(weights[key]) for key in keys]
    scale = lcm(*(weight.denominator for weight in exact))
    exact = [int(weight * scale) for weight in exact]
    weight_sum = sum(exact)
    if not weight_sum:
        raise ValueError("there is no weight to split the amount by")

    units = Fraction(abs(total)) / Fraction(unit)
    quotas = [
        divmod(units.numerator * weight, units.denominator * weight_sum)
        for weight in exact]
    order = sorted(range(len(keys)), key=lambda i: -quotas[i][1])
    parts = [quota * unit for quota, _ in quotas]
    left, rest = divmod(abs(total) - sum(parts), unit)
    for i in order[:int(left)]:
        parts[i] += unit
    if rest:
        parts[order[int(left)]] += rest
    if total < 0:
        parts = [-part for part in parts]
    return dict(zip(keys, parts))
