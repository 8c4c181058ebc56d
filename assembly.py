# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from functools import cached_property

from trytond.pool import Pool

from .assembly_accounts import AccountsFigures
from .assembly_capital import CapitalFigures
from .assembly_commons import CommonsFigures
from .assembly_members import MembersFigures
from .assembly_surplus import SurplusFigures
from .bar_chart import bars
from .figures import beside, total
from .formats import write_number

# How many fiscal years the pictures go back
YEARS = 5


class Assembly(
        MembersFigures, CapitalFigures, SurplusFigures, CommonsFigures,
        AccountsFigures):
    """The figures of a fiscal year, as the screens show them"""

    def __init__(self, fiscalyear, meeting=None):
        self.fiscalyear = fiscalyear
        self.meeting = meeting
        self.company = fiscalyear.company
        self.currency = fiscalyear.company.currency
        self.start = fiscalyear.start_date
        self.end = fiscalyear.end_date

    @property
    def provisional(self):
        return self.fiscalyear.state == 'open'

    @cached_property
    def fiscalyears(self):
        "The last fiscal years, the oldest first"
        FiscalYear = Pool().get('account.fiscalyear')
        years = FiscalYear.search([
                ('company', '=', self.company.id),
                ('end_date', '<=', self.end),
                ], order=[('end_date', 'DESC')], limit=YEARS)
        return list(reversed(years))

    @cached_property
    def years(self):
        "The assemblies of the last fiscal years, the oldest first"
        return [
            self if y == self.fiscalyear else Assembly(y)
            for y in self.fiscalyears]

    @cached_property
    def previous(self):
        "The assembly of the year before, if there is one"
        if len(self.years) > 1:
            return self.years[-2]

    def _beside(self, name):
        "Return the rows of the name with those of last year"
        return beside(
            getattr(self, name),
            getattr(self.previous, name) if self.previous else [])

    def _total(self, name, *names):
        "Return the sums of the rows of the name with those of last year"
        row = total(getattr(self, name), *names)
        row.previous = (
            total(getattr(self.previous, name), *names)
            if self.previous and getattr(self.previous, name) else None)
        return row

    def _chart_rows(self, rows, get_name, value):
        "Return the picture of a value of the rows over the years"
        series = {}
        for i, year in enumerate(self.years):
            for row in getattr(year, rows):
                values = series.setdefault(
                    row.key, (get_name(row), [0] * len(self.years)))[1]
                values[i] = getattr(row, value)
        return self._chart(list(series.values()), stacked=True)

    def _chart(self, series, **kwargs):
        lang = Pool().get('ir.lang').get()
        picture = bars(
            [y.name for y in self.fiscalyears], series,
            number=lambda n: write_number(lang, n), **kwargs)
        return picture, 'image/svg+xml'

    # Meeting

    @property
    def held(self):
        return self.meeting and self.meeting.state == 'closed'

    @property
    def agenda(self):
        "What the meeting is to decide on, before it does"
        return self.meeting.items if self.meeting and not self.held else []

    @property
    def items(self):
        return [i for i in self.meeting.items if i.kind != 'information']
