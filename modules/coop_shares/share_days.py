# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""How much capital was held for how long, and what is paid on it.

The holding of a member is given by its changes: pairs of the first day on
which a change counts and the amount that is added, or taken away if it is
negative.  Periods are two dates, both included.
"""
import datetime as dt
from calendar import isleap, monthrange
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.rounding import half_up

__all__ = [
    'capital_years', 'counting_dates', 'first_day', 'holding',
    'maximum_amount', 'monthly_mean', 'share_days']

_day = dt.timedelta(days=1)


def first_day(start_date, acquired=True, first_day_counts=True):
    """Return the first day that counts of what is held from start_date.

    Only what is newly acquired may lose its first day: shares that come from
    another member are held without interruption.
    """
    if acquired and not first_day_counts:
        start_date += _day
    return start_date


def holding(changes, date):
    "Return the amount that counts on the date"
    return sum(
        (amount for day, amount in changes if day <= date), Decimal(0))


def share_days(changes, start_date, end_date):
    "Return the sum over the days of the period of the amount held"
    return sum(
        (amount * ((end_date - max(day, start_date)).days + 1)
            for day, amount in changes if day <= end_date),
        Decimal(0))


def counting_dates(start_date, end_date, cutoff_day=31):
    """Return the day of each month of the period whose holding counts.

    It is the last day of the months that are shorter.
    """
    dates = []
    year, month = start_date.year, start_date.month
    while (year, month) <= (end_date.year, end_date.month):
        day = min(cutoff_day, monthrange(year, month)[1])
        date = dt.date(year, month, day)
        if start_date <= date <= end_date:
            dates.append(date)
        year, month = year + month // 12, month % 12 + 1
    return dates


def monthly_mean(changes, dates):
    "Return the mean of the amounts held on the dates"
    total = sum(
        (amount * sum(day <= date for date in dates)
            for day, amount in changes),
        Decimal(0))
    return Fraction(total) / len(dates)


def _stretches(start_date, end_date, year_length):
    "Yield the stretches of the period with the length of their year"
    if year_length == 'period':
        yield start_date, end_date, (end_date - start_date).days + 1
    elif year_length == '365':
        yield start_date, end_date, 365
    elif year_length == 'actual':
        for year in range(start_date.year, end_date.year + 1):
            yield (
                max(start_date, dt.date(year, 1, 1)),
                min(end_date, dt.date(year, 12, 31)),
                366 if isleap(year) else 365)
    else:
        raise ValueError(f"unknown length of the year: {year_length!r}")


def capital_years(changes, start_date, end_date, year_length='period'):
    """Return the capital that, held for a whole year, earns as much as the
    changes do in the period.

    A year is the period itself ('period'), 365 days ('365') or has the days
    of the calendar year of each day ('actual').
    """
    return sum(
        (Fraction(share_days(changes, start, end)) / length
            for start, end, length in _stretches(
                start_date, end_date, year_length)),
        Fraction(0))


def maximum_amount(capital, rate_cap, unit):
    """Return the highest amount that may be paid on the capital.

    The rate itself is not rounded, only the amount is.
    """
    return half_up(Fraction(rate_cap) * Fraction(capital), unit)
