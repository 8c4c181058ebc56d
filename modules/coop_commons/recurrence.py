# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Rules of iCalendar by which something recurs on the local clock"""
import datetime as dt
import re

from dateutil.rrule import rrule, rrulestr

from . import local_time

_UTC = re.compile(r'\d{8}T\d{6}Z')
# Each hour until the year 9999 would be looked at, if it is the 30th of
# February that is wanted.  Some hours of a day are written by BYHOUR.
_FREQUENT = re.compile(r'FREQ=(SECONDLY|MINUTELY|HOURLY)', re.IGNORECASE)
_LAST_YEARS = dt.MAXYEAR - 27
_MONTHS = re.compile(r'FREQ=MONTHLY|BYMONTH=', re.IGNORECASE)
_WEEKDAYS = re.compile(r'BYDAY=([^;]*)', re.IGNORECASE)


def read(recurrence, start, zone):
    """Return the rule of the local times at which it recurs

    `start` is the instant of the first.  The times in UTC are made local
    ones, as the start is one.  What is no rule raises a ValueError.
    """
    def get_local(match):
        instant = dt.datetime.strptime(match[0], '%Y%m%dT%H%M%SZ')
        return local_time.get_local(instant, zone).strftime('%Y%m%dT%H%M%S')

    first = local_time.get_local(start, zone).replace(tzinfo=None, fold=0)
    if _FREQUENT.search(recurrence) or _has_no_weekday(recurrence):
        raise ValueError(recurrence)
    try:
        rule = rrulestr(_UTC.sub(get_local, recurrence), dtstart=first)
        if not isinstance(rule, rrule):
            # Dates and exceptions are no rule
            raise ValueError(recurrence)
        # It begins with the first, whatever it says
        rule = rule.replace(dtstart=first)
        if not _recurs(rule):
            raise ValueError(recurrence)
        return rule
    except (TypeError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(recurrence) from error


def _recurs(rule):
    """Return whether it goes on, and has a time at all

    What has none in the last 28 years of all, in which the weekdays fall on
    each day of the year, has none before: it would be looked for until then.
    """
    last = rule.replace(
        dtstart=rule._dtstart.replace(year=_LAST_YEARS),
        interval=1, count=None, until=None)
    return rule._interval > 0 and next(iter(last), None) is not None


def _has_no_weekday(recurrence):
    "Return whether it counts more weekdays than a month or a year has"
    most = 5 if _MONTHS.search(recurrence) else 53
    return any(
        not 0 < int(number) <= most
        for days in _WEEKDAYS.findall(recurrence)
        for number in re.findall(r'\d+', days))
