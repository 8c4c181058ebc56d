# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Simple interest on what is paid in parts, at rates that change by day."""
from fractions import Fraction

__all__ = ['fill', 'rate_days', 'simple_interest']

DAYS = 365


def rate_days(rates, start, end):
    """Return the sum of the rates of the days after start up to end.

    `rates` is the list of the first day of each rate and the rate.
    """
    total = Fraction(0)
    rates = sorted(rates)
    for i, (first, rate) in enumerate(rates):
        # The day before, as start is not counted
        since = max(start.toordinal(), first.toordinal() - 1)
        until = end.toordinal()
        if i + 1 < len(rates):
            until = min(until, rates[i + 1][0].toordinal() - 1)
        if until > since:
            total += Fraction(rate) * (until - since)
    return total


def simple_interest(amount, payments, start, end, rates):
    """Return the exact interest of the amount from start to end.

    Each of the payments, as date and amount, bears it until its day.
    """
    total = Fraction(0)
    for date, part in payments:
        part = min(part, amount)
        amount -= part
        total += Fraction(part) * rate_days(rates, start, min(date, end))
    total += Fraction(amount) * rate_days(rates, start, end)
    return total / DAYS


def fill(claims, payments):
    """Return by claim the dates and amounts of what pays it.

    Claims are pairs of key and amount, payments of date and amount, both in
    the order in which they meet.
    """
    filled = {key: [] for key, _ in claims}
    payments = [[date, amount] for date, amount in payments]
    for key, amount in claims:
        for payment in payments:
            part = min(payment[1], amount)
            if part > 0:
                filled[key].append((payment[0], part))
                payment[1] -= part
                amount -= part
    return filled
