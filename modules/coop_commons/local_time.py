# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The clock and the calendar at the place of a resource.

Instants are naive and in UTC, as the database stores them; a local time is
what the clock shows in a time zone.  Hours are real hours.  Days, weeks and
months are those of the calendar: from a clock time to the same clock time,
however many hours are in between.

When the clock is set back, some local times exist twice; when it is set
forward, some do not exist.
"""
import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
# The first day of year 1 was a Monday
_MONDAY = dt.datetime.min
# Nothing is used earlier, nor that long ahead
FIRST_YEAR = 1900
AHEAD = relativedelta(years=1)
_TIME = re.compile(
    r'(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d?)(:|\.|h)(?P<minute>\d\d)'
    r'((:|\.)(?P<second>\d\d)([.,]\d+)?)?\s*(?P<half>[AaPp][Mm])?'
    r'\s*(?P<offset>[Zz]|[+-]\d\d(:?\d\d)?)?')


class TimeError(ValueError):
    """A time that can not be taken

    `reason` is 'format', 'past', 'future' or 'missing', for a local time
    that the clock never shows.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def get_local(instant, zone):
    "Return what the clock shows at the instant"
    return zone.fromutc(instant.replace(tzinfo=zone))


def get_instants(local, zone):
    "Return the instants at which the clock shows the time: none, 1 or 2"
    instants = []
    for fold in range(2):
        instant = _get_instant(local, zone, fold)
        if (instant not in instants
                and get_local(instant, zone).replace(tzinfo=None)
                == local.replace(tzinfo=None)):
            instants.append(instant)
    return instants


def get_first(local, zone):
    """Return the first instant at which the clock shows the time

    Or jumps over it.
    """
    instant = _get_instant(local, zone, 0)
    earlier = _get_instant(local, zone, 1)
    if earlier < instant:
        return get_change(earlier, instant, zone) or instant
    return instant


def get_last(local, zone):
    "Return the last instant at which the clock shows the time"
    return max(
        get_instants(local, zone), default=get_first(local, zone))


def get_midnight(date, zone):
    "Return the first instant of the day"
    return get_first(dt.datetime.combine(date, dt.time()), zone)


def get_change(left, right, zone):
    "Return the instant in between at which the clock is changed, if any"
    before = get_local(left, zone).utcoffset()
    if before == get_local(right, zone).utcoffset():
        return None
    while right - left > SECOND:
        middle = left + (right - left) // (2 * SECOND) * SECOND
        if middle == left:
            middle += SECOND
        if get_local(middle, zone).utcoffset() == before:
            left = middle
        else:
            right = middle
    return right


def add(instant, delta, zone):
    """Return the instant that is later by the length, or earlier

    Its whole days are those of the calendar, what is over are real hours.
    """
    sign = -1 if delta < dt.timedelta() else 1
    delta = abs(delta)
    if delta.days:
        instant = _move(
            instant, dt.timedelta(days=sign * delta.days), zone)
    return instant + sign * (delta - dt.timedelta(days=delta.days))


def count_days(start, end, zone):
    "Return the days of the calendar in between, with their part"
    first, last = (get_local(i, zone).date() for i in (start, end))
    return _count(start, end, zone, _get_days, (last - first).days)


def count_months(start, end, zone):
    "Return the months of the calendar in between, with their part"
    first, last = (get_local(i, zone).date() for i in (start, end))
    return _count(
        start, end, zone, _get_months,
        (last.year - first.year) * 12 + last.month - first.month)


def add_days(start, days, zone):
    "Return the instant until which the days, or parts of them, last"
    return _add(start, days, zone, _get_days)


def add_months(start, months, zone):
    "Return the instant until which the months, or parts of them, last"
    return _add(start, months, zone, _get_months)


def floor(instant, step, zone):
    "Return the last instant at which the clock showed a multiple of the step"
    local = get_local(instant, zone).replace(tzinfo=None, fold=0)
    local -= (local - _MONDAY) % step
    return max(
        (i for i in get_instants(local, zone) if i <= instant),
        default=min(get_first(local, zone), instant))


def ceil(instant, step, zone):
    "Return the next instant at which the clock shows a multiple of the step"
    local = get_local(instant, zone).replace(tzinfo=None, fold=0)
    local += -(local - _MONDAY) % step
    return min(
        (i for i in get_instants(local, zone) if i >= instant),
        default=max(get_first(local, zone), instant))


def get_days(start, end, zone):
    "Return the days of the calendar on which there is something of the time"
    first = get_local(start, zone).date()
    last = get_local(max(start, end - SECOND), zone).date()
    return [
        first + dt.timedelta(days=i) for i in range((last - first).days + 1)]


def get_overlap(start, end, first, last, zone):
    "Return how much of the time is on the days from the first to the last"
    return max(
        min(end, get_midnight(last + DAY, zone))
        - max(start, get_midnight(first, zone)),
        dt.timedelta())


def parse(text):
    """Return the time that is written as 2026-01-05T08:00

    It has a time zone if it is written with an offset.  The hour 24 is the
    end of the day.  A day alone is no time.
    """
    match = isinstance(text, str) and _TIME.fullmatch(text.strip())
    if not match:
        raise TimeError('format')
    hour = int(match['hour'])
    half = (match['half'] or '').lower()
    if half:
        if not 1 <= hour <= 12:
            raise TimeError('format')
        hour = hour % 12 + (12 if half == 'pm' else 0)
    minute, second = int(match['minute']), int(match['second'] or 0)
    try:
        time = dt.datetime.fromisoformat(match['day'])
        if hour == 24 and not (minute or second):
            time += DAY
        else:
            time = time.replace(hour=hour, minute=minute, second=second)
        if match['offset']:
            time = time.replace(tzinfo=_get_offset(match['offset']))
    except (OverflowError, ValueError):
        raise TimeError('format') from None
    if time.year < FIRST_YEAR:
        raise TimeError('past')
    # It may be tomorrow elsewhere
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    if time.replace(tzinfo=None) > now + dt.timedelta(hours=14) + AHEAD:
        raise TimeError('future')
    return time


def to_iso(text, date_format):
    "Return the time with its day written in the format as `parse` takes it"
    for separator in re.finditer('[ T]', text):
        day, time = text[:separator.start()], text[separator.end():]
        try:
            date = dt.datetime.strptime(day.strip(), date_format).date()
        except ValueError:
            continue
        return f'{date.isoformat()}T{time.strip()}'
    return dt.datetime.strptime(text, date_format).isoformat()


def to_instant(time):
    "Return the instant of a time with an offset"
    return time.astimezone(dt.timezone.utc).replace(tzinfo=None)


class Clock:
    """The instants of the times of one list, in its order

    Of a local time that exists twice the list has the first before the
    second: a time that would be before the one above it is the second.
    """

    def __init__(self, zone):
        self.zone = zone
        self._last = None

    def read(self, time, known=None):
        """Return the instant of the next time

        That is what is known already if it can be that.
        """
        instants = read(time, self.zone)
        instant = instants[0]
        if known in instants:
            instant = known
        elif (len(instants) > 1 and self._last is not None
                and instant <= self._last < instants[1]):
            instant = instants[1]
        self._last = instant
        return instant


def read(time, zone):
    "Return the instants that the time may be"
    if time.tzinfo:
        return [to_instant(time)]
    instants = get_instants(time, zone)
    if not instants:
        raise TimeError('missing')
    return instants


class Stretch(NamedTuple):
    """A time as it is written in a list, its end may be missing

    Those with the same key follow each other.  `known` are the instants of
    the start and of the end if it was taken before.
    """
    key: Any
    zone: ZoneInfo
    start: dt.datetime
    end: dt.datetime | None = None
    known: tuple = (None, None)


def read_stretches(stretches):
    """Return for each stretch of a list its start and its end

    Each is an instant, None or the reason why it can not be taken.
    """
    result = [[None, None] for _ in stretches]
    clocks, keys = {}, defaultdict(list)
    for stretch, instants in zip(stretches, result):
        clock = clocks.setdefault(stretch.key, Clock(stretch.zone))
        try:
            instants[0] = clock.read(stretch.start, stretch.known[0])
        except TimeError as error:
            instants[0] = error
        else:
            keys[stretch.key].append((stretch, instants))
    for items in keys.values():
        for (stretch, instants), following in zip(items, [*items[1:], None]):
            if stretch.end is None:
                continue
            try:
                instants[1] = _read_end(
                    instants[0], stretch,
                    following[1][0] if following else None)
            except TimeError as error:
                instants[1] = error
    return result


def _read_end(start, stretch, following):
    "Return the first instant of the end after the start"
    end, zone = stretch.end, stretch.zone
    if end.tzinfo:
        return to_instant(end)
    # As if the clock were not changed in between
    straight = end - get_local(start, zone).utcoffset()
    instants = get_instants(end, zone)
    if not instants:
        if straight == get_first(end, zone):
            # From then on the clock does not show it
            return straight
        raise TimeError('missing')
    if stretch.known[1] in [*instants, straight]:
        return stretch.known[1]
    instant = next((i for i in instants if i >= start), instants[-1])
    if (following is not None
            and start <= straight <= following < instant):
        return straight
    return instant


def _get_instant(local, zone, fold):
    return to_instant(local.replace(tzinfo=zone, fold=fold))


def _get_offset(text):
    if text in 'Zz':
        return dt.timezone.utc
    digits = text[1:].replace(':', '')
    offset = dt.timedelta(
        hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return dt.timezone(-offset if text[0] == '-' else offset)


def _get_days(number):
    return dt.timedelta(days=number)


def _get_months(number):
    return relativedelta(months=number)


def _move(instant, delta, zone):
    "Return the instant at the same clock time of another day"
    local = get_local(instant, zone).replace(tzinfo=None, fold=0)
    return get_first(local + delta, zone)


def _count(start, end, zone, get_delta, guess):
    # The clock may be changed
    for number in count(max(guess - 1, 0)):
        left = _move(start, get_delta(number), zone) if number else start
        right = _move(start, get_delta(number + 1), zone)
        if end < right:
            break
    length = (right - left) // SECOND
    return number + Decimal((end - left) // SECOND) / length


def _add(start, quantity, zone, get_delta):
    number = int(quantity)
    left = _move(start, get_delta(number), zone) if number else start
    part = quantity - number
    if not part:
        return left
    right = _move(start, get_delta(number + 1), zone)
    return left + SECOND * round(part * ((right - left) // SECOND))
