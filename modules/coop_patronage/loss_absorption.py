# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from fractions import Fraction
from itertools import groupby

from trytond.modules.coop_membership.rounding import half_up

from .pool_arithmetic import whole_shares


def _key(lot):
    # What was not acquired on a known day came first
    return lot.vintage or 0, lot.acquired_date is not None, lot.acquired_date


def _net(lots):
    "Yield the lots, less what left of their vintage at other days"
    for _, group in groupby(
            sorted(lots, key=_key), key=lambda lot: lot.vintage or 0):
        group = list(group)
        # What bears a loss may be without quantity
        quantity = -sum(lot.quantity for lot in group if lot.quantity < 0)
        amount = -sum(lot.amount for lot in group if lot.quantity <= 0)
        for lot in group:
            if lot.quantity <= 0:
                continue
            less = min(quantity, lot.quantity)
            less_amount = min(amount, lot.amount)
            quantity -= less
            amount -= less_amount
            yield lot._replace(
                quantity=lot.quantity - less, amount=lot.amount - less_amount)


def take_amount(lots, amount, par, digits, unit, newest=False):
    """Return the lots that are worth the amount, and what they leave of it

    The oldest go first, or the newest.  Shares are not divided more than
    their digits allow: what would need it is left.
    """
    taken = []
    for lot in sorted(_net(lots), key=_key, reverse=newest):
        if lot.quantity <= 0 or lot.amount <= 0 or amount <= 0:
            continue
        if amount < lot.amount:
            quantity, value, _ = whole_shares(
                amount, _paid_per_share(lot, par, unit), digits, unit)
            lot = lot._replace(
                quantity=min(quantity, lot.quantity), amount=value)
        if lot.quantity and lot.amount:
            taken.append(lot)
            amount -= lot.amount
    return taken, amount


def _paid_per_share(lot, par, unit):
    "Return what is paid up of a share, of which a loss may have taken"
    if lot.amount == half_up(Fraction(lot.quantity) * Fraction(par), unit):
        return par
    return Fraction(lot.amount) / Fraction(lot.quantity)


def take_loss(lots, amount, par, digits, unit, newest=False):
    """Return the lots that bear the amount, and what they leave of it

    Shares that can be divided are given up.  Those that can not stay with
    less paid up: they are taken with a quantity of zero.
    """
    taken = []
    for lot in sorted(_net(lots), key=_key, reverse=newest):
        part = min(lot.amount, amount)
        if lot.quantity <= 0 or part <= 0:
            continue
        quantity = lot.quantity * 0
        if digits and part == lot.amount:
            quantity = lot.quantity
        elif digits:
            quantity, *_ = whole_shares(
                part, _paid_per_share(lot, par, unit), digits, unit)
        taken.append(lot._replace(
                quantity=min(quantity, lot.quantity), amount=part))
        amount -= part
    return taken, amount


def absorb(losses, lots, par, digits, unit, newest=False):
    """Take the loss of each member from his allocated equity.

    `losses` maps members to positive amounts, and `lots` to what they hold.
    Returns the lots that are taken of each, and what each member's equity
    does not cover; no balance gets below zero.
    """
    taken, uncovered = {}, {}
    for member, loss in losses.items():
        taken[member], left = take_loss(
            lots.get(member, []), loss, par, digits, unit, newest)
        if left:
            uncovered[member] = left
    return taken, uncovered
