# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The split of what a commons makes, as the power of a solar roof."""
import datetime as dt
from fractions import Fraction

from trytond.modules.coop_commons.local_time import get_midnight
from trytond.modules.coop_membership.apportionment import apportion


def share_out(output, weights, unit=1, carried=None, most=None):
    """Split the output of an interval by weights into whole units.

    What the rounding gives somebody too little or too much is carried to the
    next interval: `carried` is what the previous one returned.  `most` is
    the most that each can take, in whole units, and the output in all that
    can be taken.

    Returns the parts, which sum to the output, or to what can be taken of
    it, and what is carried.  An interval without any weight has no parts and
    carries on what was carried.
    """
    carried = dict(carried or {})
    if most is not None:
        output = min(output, sum(most.values()))
    total = sum(weights.values())
    if not total or not output:
        return dict.fromkeys(weights, 0), carried
    due = {
        key: (Fraction(output) * Fraction(weight) / Fraction(total)
            + carried.get(key, 0))
        for key, weight in weights.items()}
    # Who had a unit too much before can not give it back out of nothing
    claims = {key: max(amount, 0) for key, amount in due.items()}
    if most is not None:
        claims = {
            key: min(claim, Fraction(most[key]))
            for key, claim in claims.items()}
        if sum(claims.values()) < output:
            claims = most
    parts = apportion(output, claims, unit)
    for key, part in parts.items():
        # Rounded, or the denominators grow with each interval
        carried[key] = round(due[key] - Fraction(part), 9)
    return parts, carried


def share_used(output, consumption, unit=1, carried=None):
    """Split the output of an interval by what each consumes in it.

    Nobody gets more than his consumption, what nobody consumes is in no
    part.
    """
    return share_out(output, consumption, unit, carried, most=consumption)


def share_capped(output, weights, consumption, unit=1, carried=None):
    """Split the output of an interval by weights, up to what each consumes.

    What somebody does not consume of his part goes to none of the others.
    """
    carried = dict(carried or {})
    total = sum(weights.values())
    if not total or not output:
        return dict.fromkeys(weights, 0), carried
    due = {
        key: (Fraction(output) * Fraction(weight) / Fraction(total)
            + carried.get(key, 0))
        for key, weight in weights.items()}
    claims = {
        key: min(max(amount, 0), Fraction(consumption.get(key, 0)))
        for key, amount in due.items()}
    shared = min(
        Fraction(output),
        sum(claims.values()) // Fraction(unit) * Fraction(unit))
    parts = dict.fromkeys(weights, 0)
    if shared:
        parts = apportion(_number(shared, unit), claims, unit)
    for key, part in parts.items():
        # Who does not consume more has no right to it later
        right = claims[key] if due[key] > 0 else due[key]
        carried[key] = round(right - Fraction(part), 9)
    return parts, carried


def share_in_turn(output, groups, share, carried=None):
    """Split the output of an interval between groups, one after the other.

    `share` splits what the groups before have left to a group, and returns
    the parts and what is carried.
    """
    parts, carried = {}, dict(carried or {})
    for group in groups:
        group_parts, carried = share(output, group, carried)
        parts.update(group_parts)
        output -= sum(group_parts.values())
    return parts, carried


def _number(fraction, unit):
    "Return the fraction, of whole units, as a number like the unit"
    return int(fraction / Fraction(unit)) * unit


def intervals(day, timezone, length=dt.timedelta(hours=1)):
    """Return the start of each interval of the local day, in UTC.

    There are 23 or 25 hours on the days the clock is changed.
    """
    instant, end = (
        get_midnight(d, timezone).replace(tzinfo=dt.timezone.utc)
        for d in (day, day + dt.timedelta(days=1)))
    result = []
    while instant < end:
        result.append(instant)
        instant += length
    return result
