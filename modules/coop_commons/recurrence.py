# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Rules of iCalendar by which something recurs on the local clock"""
import datetime as dt
import re

from dateutil.rrule import rrulestr

from . import local_time

_UTC = re.compile(r'\d{8}T\d{6}Z')


def read(recurrence, start, zone):
    """Return the rule of the local times at which it recurs

    `start` is the instant of the first.  The times in UTC are made local
    ones, as the start is one.  What is no rule raises a ValueError.
    """
    def get_local(match):
        instant = dt.datetime.strptime(match[0], '%Y%m%dT%H%M%SZ')
        return local_time.get_local(instant, zone).strftime('%Y%m%dT%H%M%S')

    try:
        return rrulestr(
            _UTC.sub(get_local, recurrence),
            dtstart=local_time.get_local(start, zone).replace(
                tzinfo=None, fold=0))
    except (TypeError, KeyError) as error:
        raise ValueError(recurrence) from error
