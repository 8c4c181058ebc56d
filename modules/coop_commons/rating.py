# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Price a use of a resource by a tariff.

Everything here works on plain values: times are naive and in UTC, as the
database stores them, and the time zone of the resource decides on which day
and in which band an instant falls.  Amounts are exact: they are rounded once,
on the line of the invoice that sums them, so that a thousand small uses cost
as much as one of the same length.
"""
import datetime as dt
from collections import ChainMap
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from . import local_time
from .local_time import get_local as _get_local
from .rating_period import ALONE, get_counted, get_window, widen
from .rating_time import get_pieces, round_time

ZERO = Decimal(0)


class Tier(NamedTuple):
    "A price up to a quantity, `up_to` is None on the last tier"
    up_to: Decimal | None
    unit_price: Decimal
    flat: Decimal = ZERO


class Band(NamedTuple):
    """Hours of the week with their own price

    It reaches from `start` to `end`, over midnight if the end is not later
    than the start, and starts on the `weekdays` (Monday is 0).  The price is
    `unit_price` or, when it is None, the price of the component times
    `factor`.
    """
    key: Any
    weekdays: frozenset = frozenset(range(7))
    start: dt.time = dt.time()
    end: dt.time = dt.time()
    factor: Decimal = Decimal(1)
    unit_price: Decimal | None = None

    def match(self, local):
        "Return if the local time is in the band"
        time, weekday = local.time(), local.weekday()
        if self.start < self.end:
            return (
                weekday in self.weekdays and self.start <= time < self.end)
        return (
            (time >= self.start and weekday in self.weekdays)
            or (time < self.end and (weekday - 1) % 7 in self.weekdays))

    def price(self, price):
        if self.unit_price is not None:
            return self.unit_price
        return price * self.factor


class Component(NamedTuple):
    """A part of a tariff

    `kind` is 'time', 'metered' or 'fixed' and `unit` the key of the quantity
    that is metered.  A component of time counts in units of `seconds` or
    `months`: whole days and months are those of the calendar, from a clock
    time to the same clock time, anything else is real time.
    `pricing` is 'unit', 'graduated', 'volume' or 'package'.

    `per` tells what it is charged for: each 'item' of the use, as if each
    were used alone, or the 'booking' as a whole, whatever it has.

    `rounding` is 'none', 'up' to the `step` unless no more than `grace`
    seconds are over, or 'clock': the start goes down and the end up to the
    step on the local clock.

    `tier_per`, `included_per` and `cap_per` tell what is counted together:
    one 'use' or all uses of a 'day', 'week', 'month' or 'year'.  A cap can
    also be per '24h' from the start of the use.

    A component of the kind 'event' is charged on its `event`, if that comes
    with less `notice` and lasts at least the `duration`: the price and the
    share of what the time costs.
    """
    key: Any
    kind: str
    unit: Any = None
    seconds: int = 3600
    months: int = 0
    per: str = 'item'
    pricing: str = 'unit'
    unit_price: Decimal = ZERO
    package: Decimal = Decimal(1)
    tiers: tuple = ()
    tier_per: str = 'use'
    bands: tuple = ()
    rounding: str = 'none'
    step: Decimal = ZERO
    grace: int = 0
    minimum: Decimal = ZERO
    cap: Decimal | None = None
    cap_per: str = 'use'
    included: Decimal = ZERO
    included_per: str = 'use'
    subsidy: Decimal = ZERO
    event: str | None = None
    notice: dt.timedelta | None = None
    duration: dt.timedelta = dt.timedelta()
    time_share: Decimal = ZERO


class Tariff(NamedTuple):
    key: Any
    components: tuple
    zone: ZoneInfo = ZoneInfo('UTC')
    mode: str = 'usage'


class Usage(NamedTuple):
    """What was used and, if it was, booked

    The `quantities` are those of all `seats` together.  `profile` tells for
    some of them when they were metered, by a start, an end and a weight.
    `sign` is -1 for the row that takes back a use.  With an `event`, it is
    not a use but what happened to a booking and was known since `noticed`.
    """
    start: dt.datetime | None
    end: dt.datetime | None
    quantities: Mapping = {}
    booked: tuple | None = None
    seats: int = 1
    sign: int = 1
    event: str | None = None
    noticed: dt.datetime | None = None
    profile: Mapping = {}


class Charge(NamedTuple):
    """A line of the price

    `kind` is 'price', 'flat' (of a tier), 'included' (the quantity that is
    free), 'minimum' (what lacks to it), 'cap' (what is above it) or
    'subsidy' or 'event'.  `date` is the local day.
    """
    component: Any
    kind: str
    date: dt.date
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    band: Any = None
    tier: int | None = None


def rate(usage, tariff, counters=None):
    """Return the charges of the usage by the tariff.

    `counters` holds what the payer has been charged in the same periods, as
    `count` makes it.
    """
    if counters is None:
        counters = {}
    if usage.event:
        return _rate_event(usage, tariff)
    intervals = get_intervals(usage, tariff.mode)
    charges = []
    for component in tariff.components:
        if component.kind != 'event':
            charges.extend(_rate_component(
                    usage, tariff, component, intervals, counters))
    return charges


def lowest(usage, tariffs, counters=None):
    "Return the tariff by which the usage costs least and its charges"
    rated = [(t, rate(usage, t, counters)) for t in tariffs]
    return min(rated, key=lambda r: usage.sign * get_amount(r[1]))


def get_amount(charges):
    "Return the exact amount of the charges"
    return sum((c.amount for c in charges), ZERO)


def count(counters, component, charge):
    "Add the charge to the counters of the periods of its component"
    def add(name, per, value):
        if per not in ALONE:
            key = component.key, name, get_window(per, charge.date)
            counters[key] = counters.get(key, ZERO) + value

    if charge.kind in {'price', 'included'}:
        add('included', component.included_per, charge.quantity)
    if charge.kind == 'price':
        add('tier', component.tier_per, charge.quantity)
    if charge.kind in {'price', 'flat', 'minimum'}:
        add('cap', component.cap_per, charge.amount)


def get_span(usage, tariff):
    """Return the first and last day of the periods that the usage is in

    Nothing if its price depends on no other.
    """
    components = [c for c in tariff.components if get_counted(c)]
    if not components:
        return None
    days = set()
    intervals = get_intervals(usage, tariff.mode)
    for component in components:
        rounded = intervals
        if component.kind == 'time':
            rounded = round_time(component, intervals, tariff.zone)
        days |= {
            _get_local(i, tariff.zone).date()
            for interval in rounded for i in interval}
    return widen(
        {p for c in components for p in get_counted(c)}, min(days),
        max(days))


def get_intervals(usage, mode):
    "Return the (start, end) that count as time of the usage"
    used = (usage.start, usage.end) if usage.start and usage.end else None
    booked = usage.booked
    if not used or not booked:
        return [i for i in [used or booked] if i]
    if mode == 'reservation':
        return [booked]
    elif mode == 'usage':
        return [used]
    elif mode == 'greater':
        return [max(booked, used, key=lambda i: i[1] - i[0])]
    elif mode == 'overage':
        if used[0] > booked[1] or used[1] < booked[0]:
            return sorted([booked, used])
        return [(min(used[0], booked[0]), max(used[1], booked[1]))]
    raise ValueError("unknown charge mode %s" % mode)


def true_up(charged, minimum=None, maximum=None, part=1):
    """Return what to charge more, or less, at the end of a period.

    `part` is the part of the period that counts: a member who joined at half
    of it owes half of the minimum.
    """
    if minimum is not None and charged < minimum * part:
        return minimum * part - charged
    if maximum is not None and charged > maximum * part:
        return maximum * part - charged
    return ZERO


def _rate_event(usage, tariff):
    """Return the charge of the event

    Of the components for it the one for the shortest notice counts, and of
    those the one for the longest duration.
    """
    def later(instant, delta):
        return local_time.add(instant, delta, tariff.zone)

    components = [
        c for c in tariff.components
        if c.kind == 'event' and c.event == usage.event
        and usage.end >= later(usage.start, c.duration)
        and (c.notice is None or usage.noticed is None
            or usage.start < later(usage.noticed, c.notice))]
    if not components:
        return []
    component = min(components, key=lambda c: (
            c.notice is None, c.notice, -c.duration))
    price = component.unit_price * _get_items(usage, component)
    if component.time_share:
        time = rate(usage._replace(event=None, sign=1), tariff._replace(
                components=tuple(
                    c for c in tariff.components if c.kind == 'time')))
        price += component.time_share * get_amount(time)
    return [Charge(
            component.key, 'event',
            _get_local(usage.start, tariff.zone).date(), Decimal(usage.sign),
            price, usage.sign * price)]


def _get_items(usage, component):
    "Return how many times the component is charged"
    return usage.seats if component.per == 'item' else 1


def _rate_component(usage, tariff, component, intervals, counters):
    items = _get_items(usage, component)
    pieces = get_pieces(usage, tariff, component, intervals, items)
    if pieces is None:
        return []
    if items > 1 and get_counted(component):
        if len(pieces) > 1 or _is_each(component):
            return _charge_each(
                component, pieces, usage.sign, counters, items)
        # A single piece of all is what those of each are one after the other
        pieces = [p._replace(quantity=p.quantity * items) for p in pieces]
        items = 1
    charges = _charge(component, pieces, usage.sign, counters)
    if items > 1:
        charges = [
            c._replace(quantity=c.quantity * items, amount=c.amount * items)
            for c in charges]
    return charges


def _is_each(component):
    "Return if something is counted for each item"
    return bool(
        component.minimum
        or (component.pricing != 'unit' and component.tier_per == 'use')
        or (component.included and component.included_per == 'use')
        or (component.cap is not None
            and component.cap_per in {'use', '24h'}))


def _charge_each(component, pieces, sign, counters, items):
    "Return the charges of the items, each counts for the next ones"
    counters, charges = ChainMap({}, counters), {}
    for _ in range(items):
        for charge in _charge(component, pieces, sign, counters):
            count(counters, component, charge)
            key = charge._replace(quantity=None, amount=None)
            same = charges.get(key)
            charges[key] = charge if same is None else same._replace(
                quantity=same.quantity + charge.quantity,
                amount=same.amount + charge.amount)
    return list(charges.values())


def _charge(component, pieces, sign, counters):
    "Return the charges of the pieces of an item"
    date = pieces[0].date
    charges = []
    days = []  # of the 24 hours of each charge

    def add(kind, date, day, quantity, unit_price, amount, band=None,
            tier=None):
        charges.append(Charge(
                component.key, kind, date, quantity, unit_price, amount,
                band.key if band else None, tier))
        days.append(day)

    pieces = _take_included(component, pieces, sign, counters, add)
    if component.pricing == 'unit':
        for piece in pieces:
            price = component.unit_price
            if piece.band:
                price = piece.band.price(price)
            quantity = sign * piece.quantity
            add('price', piece.date, piece.day, quantity, price,
                quantity * price, piece.band)
    elif component.tier_per == 'use':
        _add_tiers(component, pieces, sign, add)
    else:
        _add_period_tiers(component, pieces, sign, counters, add)

    if component.minimum:
        lack = component.minimum - sign * get_amount(charges)
        if lack > 0:
            add('minimum', date, 0, Decimal(sign), lack, sign * lack)
    if component.cap is not None:
        _add_caps(component, charges, days, counters, add)
    if component.subsidy:
        net = get_amount(charges)
        if net:
            add('subsidy', date, 0, Decimal(sign), -component.subsidy,
                -net * component.subsidy)
    return charges


def _take_included(component, pieces, sign, counters, add):
    "Return the pieces without what is included"
    if not component.included:
        return pieces
    result = []
    total = {}
    for piece in pieces:
        quantity = piece.quantity
        if component.included_per == 'use':
            window, before = None, ZERO
        else:
            window = get_window(component.included_per, piece.date)
            before = counters.get(
                (component.key, 'included', window), ZERO)
        before += total.get(window, ZERO)
        # Taking back a use gives back the last ones first
        step = quantity
        if sign < 0 and window is not None:
            step = -quantity
        total[window] = total.get(window, ZERO) + step
        free = abs(
            min(max(before + step, ZERO), component.included)
            - min(max(before, ZERO), component.included))
        if free:
            add('included', piece.date, piece.day, sign * free, ZERO, ZERO,
                piece.band)
        if free < quantity or not quantity:
            result.append(piece._replace(quantity=quantity - free))
    return result


def _add_tiers(component, pieces, sign, add):
    "Add the charges of a use that is priced by itself"
    if not pieces:
        return
    total = sum((p.quantity for p in pieces), ZERO)
    first = pieces[0]
    if component.pricing == 'package':
        add('price', first.date, first.day, sign * total,
            component.unit_price,
            sign * _get_packages(component, total) * component.unit_price)
    elif component.pricing == 'volume':
        index = _find_tier(component, total)
        tier = component.tiers[index]
        for piece in pieces:
            price = tier.unit_price
            if piece.band:
                price = piece.band.price(price)
            quantity = sign * piece.quantity
            add('price', piece.date, piece.day, quantity, price,
                quantity * price, piece.band, index)
        if tier.flat:
            add('flat', first.date, first.day, Decimal(sign), tier.flat,
                sign * tier.flat, tier=index)
    else:
        before = None
        for piece in pieces:
            before = _add_graduated(
                component, piece, before, piece.quantity, sign, add)


def _add_period_tiers(component, pieces, sign, counters, add):
    """Add the charges of a use that is priced together with those before.

    A charge is the difference that the use makes to the price of the period,
    so the charges of a period always sum to the price of its quantity.
    """
    totals = {}
    for piece in pieces:
        quantity = sign * piece.quantity
        if not quantity:
            continue
        window = get_window(component.tier_per, piece.date)
        if window not in totals:
            totals[window] = counters.get(
                (component.key, 'tier', window), ZERO)
        before = totals[window]
        totals[window] = after = max(before + quantity, ZERO)
        if component.pricing == 'graduated':
            _add_graduated(
                component, piece, min(before, after) or None, piece.quantity,
                sign, add)
        else:
            index, price = None, component.unit_price
            if component.pricing == 'volume':
                index = _find_tier(component, after)
                price = component.tiers[index].unit_price
            difference = (
                _get_period_amount(component, after)
                - _get_period_amount(component, before))
            add('price', piece.date, piece.day, quantity, price, difference,
                piece.band, index)


def _add_graduated(component, piece, before, quantity, sign, add):
    """Add the charges between two quantities of graduated tiers.

    `before` is None when nothing was used yet: then the flat amount of the
    first tier is due, also on a quantity of 0.
    """
    start = before or ZERO
    end = start + quantity
    lower = ZERO
    for i, tier in enumerate(component.tiers):
        upper = tier.up_to
        part = (end if upper is None else min(end, upper)) - max(start, lower)
        if part > 0:
            price = tier.unit_price
            if piece.band:
                price = piece.band.price(price)
            add('price', piece.date, piece.day, sign * part, price,
                sign * part * price, piece.band, i)
        if tier.flat and (start <= lower < end if i else before is None):
            add('flat', piece.date, piece.day, Decimal(sign), tier.flat,
                sign * tier.flat, tier=i)
        if upper is None or end <= upper:
            break
        lower = upper
    return end


def _get_period_amount(component, quantity):
    "Return the price of the quantity of a period"
    if not quantity:
        return ZERO
    if component.pricing == 'package':
        return _get_packages(component, quantity) * component.unit_price
    tier = component.tiers[_find_tier(component, quantity)]
    return quantity * tier.unit_price + tier.flat


def _get_packages(component, quantity):
    packages, rest = divmod(quantity, component.package)
    return packages + bool(rest)


def _find_tier(component, quantity):
    for i, tier in enumerate(component.tiers):
        if tier.up_to is None or quantity <= tier.up_to:
            return i
    return len(component.tiers) - 1


def _add_caps(component, charges, days, counters, add):
    cap, per = component.cap, component.cap_per
    sums = {}
    for charge, day in zip(charges, days):
        if per == 'use':
            window = None
        elif per == '24h':
            window = day
        else:
            window = get_window(per, charge.date)
        date, total, _ = sums.get(window, (charge.date, ZERO, None))
        sums[window] = date, total + charge.amount, day
    for window, (date, total, day) in sums.items():
        if per in {'use', '24h'}:
            over = max(abs(total) - cap, ZERO).copy_sign(total)
        else:
            before = counters.get((component.key, 'cap', window), ZERO)
            over = total - (min(before + total, cap) - min(before, cap))
        if over:
            add('cap', date, day, Decimal(1).copy_sign(over), -abs(over),
                -over)
