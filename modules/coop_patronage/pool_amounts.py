# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.apportionment import apportion


def net(amounts, unit):
    """Return the amounts after those of the other sign were netted

    What they take is borne by the others pro rata.
    """
    sign = 1 if sum(amounts.values()) >= 0 else -1
    weights = {k: a * sign for k, a in amounts.items() if a * sign > 0}
    against = sum(a for a in amounts.values() if a * sign < 0)
    if not against or not weights:
        return amounts
    parts = apportion(against, weights, unit)
    return {
        k: a + parts[k] if k in parts else a * 0 for k, a in amounts.items()}


def pool_amounts(total, amounts, unit, net_losses=False):
    """Return what the pools of a line distribute, and what they leave of it

    Of `amounts` one may be None: the pool that takes what the others leave.
    """
    amounts = dict(amounts)
    left = total - sum(a for a in amounts.values() if a is not None)
    for key, amount in amounts.items():
        if amount is None:
            amounts[key] = left
            left = total * 0
    if net_losses:
        amounts = net(amounts, unit)
    if any(a and a * total <= 0 for a in [left, *amounts.values()]):
        raise ValueError("the pools take more than their line")
    return amounts, left
