# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up


def distribute(total, weights, unit, caps=None):
    """Split a pool by weights, nobody above his cap.

    What the caps cut off goes to the others by their weights.  Returns the
    parts and what nobody may take, which is only left if all are capped.
    """
    caps = caps or {}
    weights = dict(weights)
    parts, left = {}, total
    while any(weights.values()):
        shares = apportion(left, weights, unit)
        over = [k for k, part in shares.items()
            if k in caps and part > caps[k]]
        if not over:
            return parts | shares, total * 0
        for key in over:
            parts[key] = caps[key] // unit * unit
            left -= parts[key]
            del weights[key]
    return parts | dict.fromkeys(weights, total * 0), left


def by_rate(rate, weights, unit, caps=None):
    "Return the parts of a pool that pays a rate of the weights"
    caps = caps or {}
    parts = {}
    for key, weight in weights.items():
        part = half_up(Fraction(rate) * Fraction(weight), unit)
        if key in caps and part > caps[key]:
            part = caps[key] // unit * unit
        parts[key] = part
    return parts


def ceil(value, unit):
    return -(-Fraction(value) // Fraction(unit)) * unit


def split_cash(gross, percent, floor=None, unit=Decimal('0.01')):
    """Return the part in money of each gross amount.

    `percent` and `floor` are fractions.  A floor is a legal minimum for each
    patron: his part is rounded up to the unit, so that nobody is below it.
    Without it the money is the same part of the whole, apportioned.
    """
    gross = {k: max(amount, amount * 0) for k, amount in gross.items()}
    if floor:
        fraction = max(Fraction(percent), Fraction(floor))
        return {
            k: min(ceil(fraction * Fraction(amount), unit), amount)
            for k, amount in gross.items()}
    if percent >= 1:
        return gross
    total = sum(gross.values(), unit * 0)
    cash = half_up(Fraction(percent) * Fraction(total), unit)
    return apportion(min(cash, total), gross, unit)


def elect(cash, shares, unit, least=Decimal(0), room=None):
    """Return what becomes of an amount of money by the uses of an election.

    `shares` are the fractions by use, and what they leave is paid out.  As
    much as `least` stays money, and no more than `room` is capitalised.
    """
    rest = 1 - sum(shares.values())
    uses = {use: share for use, share in shares.items() if use != 'cash'}
    uses['cash'] = rest + shares.get('cash', 0)
    parts = apportion(cash, uses, unit)
    limits = [parts.get('capitalise', cash * 0), cash - least]
    if room is not None:
        limits.append(room)
    capital = max(min(limits), cash * 0)
    parts['cash'] += parts.get('capitalise', 0) - capital
    parts['capitalise'] = capital
    return parts


def whole_shares(amount, par, digits, unit=Decimal('0.01')):
    """Return the quantity of shares that an amount takes, their value and
    what is left, to the unit of the currency.
    """
    step = Decimal(1).scaleb(-digits)
    quantity = Decimal(Fraction(amount) / Fraction(par) // Fraction(step)) * (
        step)
    # The amount of a part of a share may not be a round one
    value = half_up(Fraction(quantity) * Fraction(par), unit)
    return quantity, min(value, amount), max(amount - value, amount * 0)


def set_off(net, debts):
    "Return how much of each debt, in order, the net amount pays"
    paid = {}
    for key, debt in debts.items():
        part = min(net, debt)
        if part <= 0:
            break
        paid[key] = part
        net -= part
    return paid
