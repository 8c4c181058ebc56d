# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The time of a use, and what of it falls into which band and period."""
import datetime as dt
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from . import local_time
from .local_time import get_local as _get_local
from .rating_period import get_counted, get_window

ZERO = Decimal(0)
_DAY = dt.timedelta(days=1)
_DAY_SECONDS = 86400


class Stretch(NamedTuple):
    "Time within one local day and one band"
    start: dt.datetime
    end: dt.datetime
    date: dt.date
    band: Any
    day: int = 0  # the number of the 24 hours since the start of the use


class Piece(NamedTuple):
    "A part of the use within one band and one window"
    quantity: Decimal
    date: dt.date
    band: Any
    day: int = 0  # as of the stretch


def get_pieces(usage, tariff, component, intervals, items):
    "Return the pieces of an item, or None if it has none of the component"
    kind, zone, profile = component.kind, tariff.zone, None
    if kind == 'time':
        if not intervals:
            return None
        intervals = round_time(component, intervals, zone)
        quantity = measure(component, intervals, zone)
    elif kind == 'metered':
        quantity = usage.quantities.get(component.unit)
        if quantity is None:
            return None
        if items > 1:
            quantity /= items
        if component.rounding == 'up':
            quantity = _round_up(quantity, component.step)
        if not intervals:
            intervals = [(usage.start or usage.end,) * 2]
        profile = usage.profile.get(component.unit)
    else:
        quantity = Decimal(1)
        intervals = intervals or [(usage.start or usage.end,) * 2]
        intervals = [(intervals[0][0],) * 2]
    start = intervals[0][0]
    daily = component.cap is not None and component.cap_per == '24h'
    if not (component.bands or daily):
        date = _get_local(start, zone).date()
        if (not get_counted(component)
                or _get_local(intervals[-1][1], zone).date() == date):
            return [Piece(quantity, date, None)]
    if profile:
        return _split_profile(
            component, profile, quantity, zone, start)
    return _split(component, intervals, quantity, zone, start)


def _split_profile(component, profile, quantity, zone, start):
    "Split the quantity by the weights of the times it was metered in"
    total = sum((weight for *_, weight in profile), ZERO)
    if not total:
        profile, total = [(start, start, 1)], 1
    parts = {}
    for begin, end, weight in profile:
        for piece in _split(
                component, [(begin, end)], quantity * weight / total, zone,
                start):
            key = piece[1:]
            parts[key] = parts.get(key, ZERO) + piece.quantity
    return [Piece(quantity, *key) for key, quantity in parts.items()]


def _split(component, intervals, quantity, zone, start):
    "Split the quantity evenly over the time of a use since the start"
    stretches = [
        stretch for begin, end in intervals
        for stretch in _get_stretches(component, begin, end, zone)]
    if component.cap is not None and component.cap_per == '24h':
        stretches = _cut_days(stretches, start)
    counted = get_counted(component)
    if not counted and len(stretches) > 1:
        # One piece for each band, on the day of the start
        date = _get_local(start, zone).date()
        stretches = [s._replace(date=date) for s in stretches]
    elif counted and len(stretches) > 1 and 'day' not in counted:
        # One for each period
        dates = {}
        stretches = [
            s._replace(date=dates.setdefault(
                    tuple(get_window(p, s.date) for p in counted), s.date))
            for s in stretches]
    if len(stretches) == 1:
        (*_, date, band, day), = stretches
        return [Piece(quantity, date, band, day)]
    total, parts = 0, {}
    for stretch in stretches:
        seconds = _get_seconds(stretch.start, stretch.end)
        key = stretch.date, stretch.band, stretch.day
        parts[key] = parts.get(key, 0) + seconds
        total += seconds
    if not total:
        (date, band, day), *_ = parts
        return [Piece(quantity, date, band, day)]
    return [
        Piece(quantity * seconds / total, *key)
        for key, seconds in parts.items()]


def _get_stretches(component, begin, end, zone):
    "Yield the stretches of the time, one if it has no length"
    day = _get_local(begin, zone).date()
    while True:
        for stretch in _get_day(zone, component.bands, day):
            if stretch.end > begin:
                yield stretch._replace(
                    start=max(stretch.start, begin),
                    end=min(stretch.end, end))
                if stretch.end >= end:
                    return
        day += _DAY


def _cut_days(stretches, start):
    "Return the stretches cut at each 24 hours since the start"
    result = []
    for stretch in stretches:
        left = stretch.start
        while True:
            day = (left - start) // _DAY
            right = min(stretch.end, start + (day + 1) * _DAY)
            result.append(stretch._replace(start=left, end=right, day=day))
            if right >= stretch.end:
                break
            left = right
    return result


@lru_cache(maxsize=4096)
def _get_day(zone, bands, day):
    "Return the stretches of the local day"
    first, last = (
        local_time.get_midnight(d, zone) for d in (day, day + _DAY))
    borders = {first, last}
    for time in {t for b in bands for t in (b.start, b.end)}:
        borders.update(
            i for i in local_time.get_instants(
                dt.datetime.combine(day, time), zone)
            if first < i < last)
    # The clock jumps over some times: they all fall on this instant
    change = local_time.get_change(first, last, zone)
    if change:
        borders.add(change)
    stretches = []
    for left, right in pairwise(sorted(borders)):
        local = _get_local(left, zone)
        band = next((b for b in bands if b.match(local)), None)
        stretches.append(Stretch(left, right, local.date(), band))
    return tuple(stretches)


def _get_seconds(start, end):
    delta = end - start
    return delta.days * 86400 + delta.seconds


def _round_up(quantity, step, grace=0):
    count, rest = divmod(quantity, step)
    if rest > grace or (rest and not count):
        count += 1
    return count * step


def _is_calendar(component):
    "Return if the component counts days or months of the calendar"
    return component.months or not component.seconds % _DAY_SECONDS


def measure(component, intervals, zone):
    "Return the quantity of the time"
    if component.months:
        return sum(
            (local_time.count_months(s, e, zone) for s, e in intervals),
            ZERO) / component.months
    elif _is_calendar(component):
        return sum(
            (local_time.count_days(s, e, zone) for s, e in intervals),
            ZERO) / (component.seconds // _DAY_SECONDS)
    return Decimal(
        sum(_get_seconds(s, e) for s, e in intervals)) / component.seconds


def extend(component, start, quantity, zone):
    "Return the instant until which the quantity of time lasts"
    if component.months:
        return local_time.add_months(
            start, quantity * component.months, zone)
    elif _is_calendar(component):
        return local_time.add_days(
            start, quantity * (component.seconds // _DAY_SECONDS), zone)
    return start + dt.timedelta(seconds=round(quantity * component.seconds))


def round_time(component, intervals, zone):
    "Return the intervals as the component rounds them"
    if component.rounding == 'none':
        return intervals
    if component.rounding == 'clock':
        step = dt.timedelta(seconds=int(component.step * component.seconds))
        return [(
                local_time.floor(s, step, zone),
                local_time.ceil(e, step, zone))
            for s, e in intervals]
    start, end = intervals[-1]
    if _is_calendar(component):
        before = measure(component, intervals[:-1], zone)
        quantity = before + measure(component, [(start, end)], zone)
        steps = quantity // component.step * component.step
        reached = extend(component, start, max(steps - before, ZERO), zone)
        over = _get_seconds(reached, end)
        if over > component.grace or (over and not steps):
            reached = extend(
                component, start, steps + component.step - before, zone)
        return [*intervals[:-1], (start, reached)]
    step = int(component.step * component.seconds)
    seconds = sum(_get_seconds(s, e) for s, e in intervals)
    change = _round_up(seconds, step, component.grace) - seconds
    end = max(start, end + dt.timedelta(seconds=change))
    return [*intervals[:-1], (start, end)]
