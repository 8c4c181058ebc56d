# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from functools import cached_property

from babel.dates import format_date
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.pool import Pool

from .assembly_accounts import AccountsFigures
from .assembly_capital import CapitalFigures
from .assembly_cash import CashFigures
from .assembly_commons import CommonsFigures
from .assembly_equity import EquityFigures
from .assembly_key import KeyFigures
from .assembly_members import MembersFigures
from .assembly_notes import NotesFigures
from .assembly_surplus import SurplusFigures
from .assembly_table import Table, text, title
from .bar_chart import bars
from .figures import Row, beside, total
from .formats import get_formats, write_number
from .rich_text import read_paragraphs

# How many fiscal years the pictures go back
YEARS = 5


class Assembly(
        MembersFigures, CapitalFigures, SurplusFigures, CommonsFigures,
        AccountsFigures, EquityFigures, CashFigures, KeyFigures,
        NotesFigures):
    """The figures of a fiscal year, as the screens show them"""

    def __init__(self, fiscalyear, meeting=None):
        self.fiscalyear = fiscalyear
        self.meeting = meeting
        self.company = fiscalyear.company
        self.currency = fiscalyear.company.currency
        self.start = fiscalyear.start_date
        self.end = fiscalyear.end_date

    @cached_property
    def formats(self):
        "The functions by which the tables write their figures"
        Report = Pool().get('coop.assembly.report', type='report')
        formats = get_formats(Report, self.currency)
        number, percent = formats['number'], formats['percent']
        return {
            **formats,
            'count': lambda value: number(value, 0),
            'tenth': lambda value: number(value, 1),
            'percent1': lambda value: percent(value, 1),
            'percent3': lambda value: percent(value, 3),
            }

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

    def _chart(self, series, labels=None, **kwargs):
        lang = Pool().get('ir.lang').get()
        picture = bars(
            labels or [y.name for y in self.fiscalyears], series,
            number=lambda n: write_number(lang, n), **kwargs)
        return picture, 'image/svg+xml'

    @cached_property
    def months(self):
        "The label with the year and month of each month of the fiscal year"
        lang = Pool().get('ir.lang').get()
        months = []
        date = self.start.replace(day=1)
        while date <= self.end:
            months.append((
                    # Tryton has no short names of the months in Italian
                    format_date(date, 'MMM', locale=lang.code),
                    (date.year, date.month)))
            date += relativedelta(months=1)
        return months

    # Meeting

    @cached_property
    def offices(self):
        "Who holds an office at the end of the year"
        Office = Pool().get('coop.member.office')
        return Office.at_date(self.company, self.end)

    @property
    def offices_table(self):
        date = self.formats['date']
        table = Table([
                ('role', text),
                ('since', date),
                ('until', date),
                ], label=title('name'))
        for office in self.offices:
            table.add(office.party.rec_name, Row(
                    role=office.name, since=office.start_date,
                    until=office.end_date))
        return table

    @property
    def address(self):
        "The lines of the address of the cooperative"
        address = self.company.party.address_get()
        return address.full_address.splitlines() if address else []

    @property
    def auditors(self):
        return [o for o in self.offices if o.role == 'auditor']

    @property
    def signers(self):
        "The board, who signs the report"
        return [
            o for o in self.offices if o.role in {
                'chair', 'vice_chair', 'board', 'manager', 'liquidator'}]

    @property
    def letter(self):
        return read_paragraphs(self.meeting and self.meeting.letter)

    @property
    def commentary(self):
        return read_paragraphs(self.meeting and self.meeting.commentary)

    @property
    def held(self):
        return self.meeting and self.meeting.state == 'closed'

    @property
    def agenda(self):
        "What the meeting is to decide on, before it does"
        return self.meeting.items if self.meeting and not self.held else []

    @property
    def attendance_text(self):
        count = self.formats['count']
        return gettext('coop.msg_assembly_attendance_text', **{
                name: count(getattr(self.meeting, name)) for name in [
                    'eligible_members', 'eligible_votes', 'present_members',
                    'present_votes']})

    @property
    def items_table(self):
        count = self.formats['count']
        table = Table([
                ('votes_for', count),
                ('votes_against', count),
                ('votes_abstain', count),
                ('result_string', text, title('outcome')),
                ], label=title('item'))
        for item in self.meeting.items:
            if item.kind != 'information':
                table.add(item.subject, item)
        return table
