# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""When within a use its quantity was metered, as a text.

Each line has a start and an end, in UTC, and the quantity between them.
"""
import datetime as dt
from decimal import Decimal


def write_profile(parts):
    return '\n'.join(
        f'{start:%Y-%m-%dT%H:%M:%S}/{end:%Y-%m-%dT%H:%M:%S} {quantity:f}'
        for start, end, quantity in parts)


def read_profile(text):
    parts = []
    for line in text.splitlines():
        interval, quantity = line.split(' ')
        start, end = interval.split('/')
        parts.append((
                dt.datetime.fromisoformat(start),
                dt.datetime.fromisoformat(end), Decimal(quantity)))
    return parts
