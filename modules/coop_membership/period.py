# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from sql.conditionals import Case

from trytond.sql.functions import DateRange

DAY = dt.timedelta(days=1)


def period_range(table):
    "Return the range of the days from start to end of the rows"
    # PostgreSQL has no ranges that end before they start, and that they
    # do not is validated later
    end_date = Case(
        (table.end_date < table.start_date, table.start_date),
        else_=table.end_date)
    return DateRange(table.start_date, end_date, '[]')
