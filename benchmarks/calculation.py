#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the pure calculations, against a bare loop over their input."""
import datetime as dt
import random
from decimal import Decimal
from fractions import Fraction

from common import END, START, get_sizes, measure, print_header, print_row

from trytond.modules.coop_commons.rating import (
    Band, Component, Tariff, Usage, get_amount, rate)
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_shares.share_days import capital_years, share_days

CENT = Decimal('0.01')


def bench_apportionment(size):
    draw = random.Random(size)
    weights = {
        i: Decimal(draw.randrange(1, 100_000)) / 100 for i in range(size)}
    total = Decimal(size * 10)

    def bare():
        weight_sum = sum(weights.values())
        return {
            k: (total * w / weight_sum).quantize(CENT)
            for k, w in weights.items()}

    baseline, _ = measure(bare)
    seconds, parts = measure(apportion, total, weights, CENT)
    assert sum(parts.values()) == total
    print_row(
        "apportion an amount, against parts that are only rounded", size,
        seconds, baseline, database=False)


def bench_share_days(size):
    draw = random.Random(size)
    holdings = [
        [
            (START + dt.timedelta(draw.randrange(-500, 365)),
                Decimal(draw.randrange(1, 100) * 50))
            for _ in range(draw.randrange(1, 4))]
        for _ in range(size)]

    def bare():
        return [sum(a for _, a in changes) for changes in holdings]

    def work():
        return [
            (share_days(changes, START, END),
                half_up(
                    Fraction(3, 100)
                    * capital_years(changes, START, END, 'actual'), CENT))
            for changes in holdings]

    baseline, _ = measure(bare)
    seconds, _ = measure(work)
    print_row(
        "share-days and dividend per member, against adding up", size,
        seconds, baseline, database=False)


def bench_rating(size):
    draw = random.Random(size)
    tariff = Tariff('machine', (
            Component(
                'time', 'time', unit_price=Decimal('2.50'),
                bands=(
                    Band('day', frozenset(range(5)), dt.time(9), dt.time(17)),
                    Band('night', start=dt.time(17), end=dt.time(9),
                        factor=Decimal('0.5')))),
            Component(
                'distance', 'metered', 'km', unit_price=Decimal('0.28')),
            Component('fixed', 'fixed', unit_price=Decimal('1.50')),
            ))
    usages = []
    for _ in range(size):
        start = dt.datetime(2025, 1, 1) + dt.timedelta(
            minutes=draw.randrange(365 * 24 * 60))
        usages.append(Usage(
                start, start + dt.timedelta(minutes=draw.randrange(10, 240)),
                {'km': Decimal(draw.randrange(1, 100))}))

    def work():
        return sum(get_amount(rate(usage, tariff)) for usage in usages)

    seconds, _ = measure(work)
    print_row(
        "rate usages by time with two bands, distance and a fixed part "
        f"({size / seconds:,.0f} a second)", size, seconds,
        aim="≥ 20,000 a second", database=False)


def main():
    sizes = get_sizes(10_000, 30_000, 100_000)
    print_header()
    for bench in [bench_apportionment, bench_share_days]:
        for size in sizes:
            bench(size)
    for size in [5_944, 18_239, 54_717]:
        bench_rating(size)


if __name__ == '__main__':
    main()
