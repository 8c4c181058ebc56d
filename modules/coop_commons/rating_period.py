# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The periods in which the price of a use depends on other uses."""
import datetime as dt

_DAY = dt.timedelta(days=1)
# What is counted alone and not with the other uses of a period
ALONE = {'use', '24h'}


def widen(periods, first, last):
    "Return the days enlarged to whole periods"
    return (
        min(get_window(p, first) for p in periods),
        max(get_window_end(p, last) for p in periods))


def get_counted(component):
    "Return the periods in which the component adds up what was used"
    counted = []
    for per, counts in [
            (component.tier_per, component.pricing != 'unit'),
            (component.included_per, component.included),
            (component.cap_per, component.cap is not None)]:
        if counts and per not in ALONE and per not in counted:
            counted.append(per)
    return counted


def get_window(per, date):
    "Return the first day of the period in which the date is"
    if per == 'day':
        return date
    elif per == 'week':
        return date - dt.timedelta(days=date.weekday())
    elif per == 'month':
        return date.replace(day=1)
    elif per == 'year':
        return date.replace(month=1, day=1)
    raise ValueError("unknown period %s" % per)


def get_window_end(per, date):
    "Return the last day of the period in which the date is"
    first = get_window(per, date)
    if per == 'day':
        return first
    elif per == 'week':
        return first + 6 * _DAY
    days = 31 if per == 'month' else 366
    return get_window(per, first + days * _DAY) - _DAY
