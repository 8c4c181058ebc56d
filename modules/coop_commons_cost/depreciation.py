# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The methods of depreciation beside linear.

IAS 16.62 names three: linear, diminishing balance and units of production,
whose charge is "based on the expected use or output".  An estimate that is
revised changes only what comes after (IAS 16.51, IAS 8.36), so each amount
here starts from what was depreciated at the last revision.
"""
from decimal import Decimal


def by_use(depreciable, units, expected):
    """Return the part of the depreciable amount that is used up.

    `units` is the use since the last revision and `expected` the use that
    was expected to be left at it.  What is used beyond the expectation costs
    nothing more.
    """
    if expected <= 0:
        raise ValueError("the expected units must be positive")
    return depreciable * min(max(units, 0), expected) / expected


def by_time(depreciable, days, expected):
    "Return the part of the depreciable amount that has passed by"
    if expected <= 0:
        return depreciable
    return depreciable * min(max(days, 0), expected) / expected


def by_use_or_time(depreciable, units, expected_units, days, expected_days):
    """Return the larger of what is used up and of what has passed by.

    A machine that stands still gets older too, and one that runs day and
    night does not last its years (IAS 16.56: usage and wear limit the life
    as well as time does).
    """
    return max(
        by_use(depreciable, units, expected_units),
        by_time(depreciable, days, expected_days))


def declining(
        book_value, residual_value, rate, years, round_, linear=None):
    """Return the depreciation of each of the years to come.

    The amount of a year is the `rate` of its opening book value, until the
    linear amount is larger.  `linear` is this amount for a whole year when
    it stays what it was at the start (cost over life); without it, it is
    what is left over the years that are left, as § 7 (3) of the German
    income tax act has it.  `years` holds the part of each year in which the
    asset is used, 1 for a whole one.
    """
    amounts = []
    left = sum(years)
    for year in years:
        amount = max(book_value - residual_value, Decimal(0))
        if linear is None:
            straight = amount * year / left
        else:
            straight = linear * year
        amount = min(
            round_(max(book_value * rate * year, straight)), amount)
        amounts.append(amount)
        book_value -= amount
        left -= year
    return amounts


def instalments(accumulated, posted, round_):
    """Return the steps that lead through the accumulated amounts.

    The accumulated amounts are rounded, not the steps, so that no difference
    of rounding adds up and a correction of the past is in the next step.
    """
    steps = []
    for amount in accumulated:
        step = round_(amount) - posted
        steps.append(step)
        posted += step
    return steps
