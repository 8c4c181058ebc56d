# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up

CENT = Decimal('0.01')


def by_vintage(balances, budget, newest=False, until=None, unit=CENT):
    """Return what a budget pays of balances, the oldest vintage first.

    `balances` maps pairs of member and vintage to amounts.  The vintage for
    which the money is short is paid pro rata.  Without a budget everything
    is paid, up to the vintage `until`, which is the oldest one if the newest
    is paid first.
    """
    paid = {}
    keys = sorted(
        (k for k, amount in balances.items()
            if amount > 0 and (until is None
                or (k[1] >= until if newest else k[1] <= until))),
        key=lambda k: k[1], reverse=newest)
    for _, group in groupby(keys, key=lambda k: k[1]):
        held = {k: balances[k] for k in group}
        total = sum(held.values())
        if budget is None or budget >= total:
            paid |= held
        else:
            paid |= _pro_rata(budget, held, unit)
        if budget is not None:
            budget = max(budget - total, budget * 0)
            if not budget:
                break
    return paid


def by_percentage(balances, rate=None, budget=None, unit=CENT):
    "Return the same part of each balance: a rate, or what a budget allows"
    held = {k: amount for k, amount in balances.items() if amount > 0}
    if budget is not None:
        return _pro_rata(min(budget, sum(held.values(), CENT * 0)), held, unit)
    return {
        k: half_up(Fraction(rate) * Fraction(amount), unit)
        for k, amount in held.items()}


def hybrid(balances, budget, rate, unit=CENT):
    "Pay a rate of the budget by vintage and the rest of it by percentage"
    first = half_up(Fraction(rate) * Fraction(budget), unit)
    paid = by_vintage(balances, first, unit=unit)
    left = {k: amount - paid.get(k, 0) for k, amount in balances.items()}
    second = by_percentage(left, budget=budget - first, unit=unit)
    return {
        k: paid.get(k, CENT * 0) + second.get(k, CENT * 0)
        for k in balances if paid.get(k) or second.get(k)}


def base_capital(balances, targets, budget=None, unit=CENT):
    """Return what is paid to those who hold more than their target.

    The oldest vintages of a member are paid first.  If the budget is short,
    all get the same part of what they hold over their target.
    """
    held = {}
    for (member, _), amount in balances.items():
        held[member] = held.get(member, CENT * 0) + amount
    over = {
        member: amount - targets.get(member, 0)
        for member, amount in held.items()
        if amount > targets.get(member, 0)}
    if budget is not None:
        over = _pro_rata(
            min(budget, sum(over.values(), CENT * 0)), over, unit)
    paid = {}
    for member, vintage in sorted(balances, key=lambda k: (k[1], k[0])):
        part = min(over.get(member, 0), balances[member, vintage])
        if part > 0:
            paid[member, vintage] = part
            over[member] -= part
    return paid


def present_value(amount, rate, years, unit=CENT):
    "Return what an amount due in some years is worth today"
    return half_up(
        Fraction(amount) / (1 + Fraction(rate)) ** max(years, 0), unit)


def _pro_rata(budget, held, unit):
    if not budget:
        return {}
    parts = apportion(budget, held, unit)
    # A balance which is not a multiple of the unit is not overdrawn
    excess = budget * 0
    for key in parts:
        if parts[key] > held[key]:
            excess += parts[key] - held[key]
            parts[key] = held[key]
    for key in sorted(held):
        part = min(excess, held[key] - parts[key])
        parts[key] += part
        excess -= part
    return {k: part for k, part in parts.items() if part}
