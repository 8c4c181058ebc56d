# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from .pool_arithmetic import whole_shares


def _key(lot):
    # What was not acquired on a known day came first
    return lot.vintage or 0, lot.acquired_date is not None, lot.acquired_date


def _net(lots):
    "Yield the lots, less what left of their vintage at other days"
    for _, group in groupby(
            sorted(lots, key=_key), key=lambda lot: lot.vintage or 0):
        group = list(group)
        quantity = -sum(lot.quantity for lot in group if lot.quantity < 0)
        amount = -sum(lot.amount for lot in group if lot.quantity < 0)
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
            quantity, value, _ = whole_shares(amount, par, digits, unit)
            lot = lot._replace(
                quantity=min(quantity, lot.quantity), amount=value)
        if lot.quantity and lot.amount:
            taken.append(lot)
            amount -= lot.amount
    return taken, amount


def absorb(losses, lots, par, digits, unit, newest=False):
    """Take the loss of each member from his allocated equity.

    `losses` maps members to positive amounts, and `lots` to what they hold.
    Returns the lots that are taken of each, and what each member's equity
    does not cover; no balance gets below zero.
    """
    taken, uncovered = {}, {}
    for member, loss in losses.items():
        taken[member], left = take_amount(
            lots.get(member, []), loss, par, digits, unit, newest)
        if left:
            uncovered[member] = left
    return taken, uncovered
