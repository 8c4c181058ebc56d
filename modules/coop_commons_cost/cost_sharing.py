# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the use of a commons costs, and who bears it.

The rate is set before the year from what is expected, the settlement after
it gives back or asks for the difference to what was.  Amounts are never
made here that are not in the total: each split is the one apportionment.
"""
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_membership.apportionment import apportion


def rate(cost, units, carried=Decimal(0)):
    """Return the price of a unit that covers the cost.

    `carried` is what was recovered too much before (positive), or too little
    (negative).
    """
    if units <= 0:
        raise ValueError("the expected units must be positive")
    return max(cost - carried, Decimal(0)) / units


def idle(capacity, units):
    "Return the part of the capacity that nobody used, between 0 and 1"
    if capacity <= 0:
        return None
    return max(capacity - units, Decimal(0)) / capacity


def settle(difference, weights, unit, threshold=Decimal(0)):
    """Return what each user gets back, or pays more when negative.

    `difference` is what was charged less what it cost and `weights` the use
    of each user, or what he was charged.  A user of a negative weight, whose
    use was corrected beyond the year, takes no part.  Nobody gets anything
    when the difference is within the threshold or nobody can take part.
    """
    weights = _positive(weights)
    if abs(difference) <= threshold or not weights:
        return {}
    return apportion(difference, weights, unit)


def settle_own(
        difference, weights, charges, unit, threshold=Decimal(0), keyed=()):
    """Return what each user was charged beyond his part of the cost.

    Who was charged less pays more: the result is negative.  The cost is
    borne by the use alone, so that who has paid his part is not asked for
    what others have not.  `keyed` are the amounts of the cost that have
    weights of their own.  What the pool earned from nobody in particular,
    such as what lines were rounded to, lowers the cost of all.  Nobody gets
    or pays anything when all of it is within the threshold.
    """
    costs = defaultdict(Decimal)
    rest = sum(charges.values()) - difference
    for amount, key_weights in keyed:
        key_weights = _positive(key_weights)
        if key_weights:
            rest -= amount
            for key, part in apportion(amount, key_weights, unit).items():
                costs[key] += part
    # What has no use of its own follows the cost that has
    weights = _positive(weights) or _positive(costs)
    if not weights:
        return {}
    for key, part in apportion(rest, weights, unit).items():
        costs[key] += part
    amounts = {
        key: charges.get(key, Decimal(0)) - costs.get(key, Decimal(0))
        for key in charges.keys() | costs.keys()}
    if all(abs(amount) <= threshold for amount in amounts.values()):
        return {}
    return amounts


def _positive(weights):
    return {key: weight for key, weight in weights.items() if weight > 0}


def engage(fixed_cost, engaged, unit):
    """Return the part of the fixed cost of each who engaged.

    The rule of the French machinery cooperatives (CUMA): the fixed cost is
    borne by what was engaged, whether it was used or not, so that one who
    does not use does not make it dearer for the others.
    """
    return apportion(fixed_cost, engaged, unit)


def shortfall(engaged, used):
    "Return what was engaged and not used"
    return max(engaged - used, Decimal(0))
