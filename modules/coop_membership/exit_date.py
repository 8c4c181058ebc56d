# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta


def year_end(date, fiscalyears=(), month=12):
    """Return the last day of the year the date is in.

    `fiscalyears` are pairs of first and last day.  Where none contains the
    date the year ends with the month.
    """
    for start, end in fiscalyears:
        if start <= date <= end:
            return end
    years = 1 if date.month > month else 0
    return date + relativedelta(years=years, month=month, day=31)


def first_exit_date(
        notice_date, admission_date=None, notice_months=0, minimum_months=0,
        exit_at='any_day', year_end=year_end, not_before=None):
    """Return the first day a membership may end on, which is its last day.

    Notice is given at least `notice_months` before the end, and the
    membership lasts at least `minimum_months` from the admission, and until
    `not_before` if a later end is wished.  The first day that fulfils all is
    moved forward to the end of its month or year according to `exit_at`,
    where `year_end` maps a date to the end of its year.

    A period of months that starts with the notice ends on the day with the
    same number (or the last day of a shorter month) and one that starts with
    the admission on the day before it.

    This is the rule of the German Genossenschaftsgesetz, § 65 (2), together
    with §§ 187 and 188 of the Bürgerliches Gesetzbuch: with three months to
    the end of the calendar year, a notice of 30 September is in time and one
    of 1 October takes effect a year later.
    """
    date = notice_date + relativedelta(months=notice_months)
    if admission_date:
        date = max(
            date, admission_date,
            admission_date + relativedelta(months=minimum_months, days=-1))
    if not_before:
        date = max(date, not_before)
    if exit_at == 'month_end':
        date += relativedelta(day=31)
    elif exit_at == 'fiscal_year_end':
        date = year_end(date)
    return date
