# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""How long somebody is there, of the dates of his employments or memberships

`periods` are pairs of the first and the last day, which is None if it goes on.
"""
import datetime as dt

from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.period import DAY


def _span(periods, start_date, end_date):
    """Return the first day and the one after the last of the time served

    As if it was without a break up to the last day.  A day of two of the
    periods is one day.
    """
    days, last = 0, None
    for start, end in sorted(periods, key=lambda p: p[0]):
        start, end = max(start, start_date), min(end or end_date, end_date)
        if last:
            start = max(start, last + DAY)
        if start <= end:
            days += (end - start).days + 1
            last = end
    if last:
        return last + DAY - dt.timedelta(days), last + DAY


def full_years(periods, date):
    "Return the full years up to the date"
    span = _span(periods, dt.date.min, date)
    return relativedelta(span[1], span[0]).years if span else 0


def is_present(
        periods, start_date, end_date, presence_months, seniority_months):
    """Return whether somebody was there long enough

    Some months between the dates, or some months in all of who is still there
    on the last day.
    """
    def lasts(span, months):
        return bool(
            span and span[0] + relativedelta(months=months or 0) <= span[1])

    presence = _span(periods, start_date, end_date)
    if not presence:
        return False
    seniority = _span(periods, dt.date.min, end_date)
    return (
        lasts(presence, presence_months)
        or seniority[1] > end_date and lasts(seniority, seniority_months))
