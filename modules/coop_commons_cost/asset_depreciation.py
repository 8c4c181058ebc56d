# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from dateutil import rrule

from trytond.model import ModelView
from trytond.modules.account_asset.asset import date2datetime, normalized_delta
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool

from . import depreciation


class AssetDepreciation:
    "The depreciation of an asset by its use, and the declining one"
    __slots__ = ()

    def get_use_depreciation(self, units, date):
        """Return what is depreciated on the date since the last estimate
        when so many units are used since"""
        start, expected_units = self.last_estimate
        depreciable = max(
            self.depreciating_value - self.residual_value
            - sum(l.depreciation for l in self.lines if l.date <= start),
            Decimal(0))
        units, expected_units = map(
            lambda q: Decimal(str(q)), [units, expected_units])
        if self.depreciation_method == 'units':
            return depreciation.by_use(depreciable, units, expected_units)
        return depreciation.by_use_or_time(
            depreciable, units, expected_units,
            normalized_delta(start, date).days,
            normalized_delta(start, max(start, self.end_date)).days)

    def compute_use_dates(self, date):
        """Return the dates until the given one at which the use is still to
        be depreciated"""
        pool = Pool()
        Period = pool.get('account.period')
        last = self.last_line_date
        dates = [d for d in self.compute_move_dates() if last < d <= date]
        if dates:
            # What is late enters the first open period
            periods = Period.search([
                    ('company', '=', self.company.id),
                    ('type', '=', 'standard'),
                    ('state', '!=', 'open'),
                    ('start_date', '<=', dates[-1]),
                    ('end_date', '>=', dates[0]),
                    ])
            dates = [
                d for d in dates
                if d == self.end_date
                or not any(p.start_date <= d <= p.end_date for p in periods)]
        return dates

    def depreciate(self, date=None):
        """
        Returns all the depreciation amounts still to be accounted.

        What is depreciated by use has none before the use is known: its
        amounts are those until the date.
        """
        pool = Pool()
        Line = pool.get('account.asset.line')

        if not self.by_use:
            amounts = super().depreciate()
            if self.depreciation_method == 'declining':
                # It may be done before the last date
                amounts = {d: l for d, l in amounts.items() if l.depreciation}
            return amounts

        amounts = {}
        if not date:
            return amounts
        start, _ = self.last_estimate
        counted = sum(l.units or 0 for l in self.lines)
        counted_before = sum(
            l.units or 0 for l in self.lines if l.date <= start)
        posted = sum(
            (l.depreciation for l in self.lines if l.date > start),
            Decimal(0))
        accumulated = self.depreciated_amount + sum(
            l.depreciation for l in self.lines)
        basis = self.value - accumulated - self.residual_value
        dates = self.compute_use_dates(date)
        uses = [self.get_use(d) for d in dates]
        steps = depreciation.instalments([
                self.get_use_depreciation(use - counted_before, d)
                for use, d in zip(uses, dates)],
            posted, self.currency.round)
        for date, use, step in zip(dates, uses, steps):
            accumulated += step
            amounts[date] = Line(
                acquired_value=self.value,
                depreciable_basis=basis,
                units=self.use_unit.round(use - counted),
                depreciation=step,
                accumulated_depreciation=accumulated,
                actual_value=self.value - accumulated,
                )
            counted = use
        return amounts

    def compute_depreciation(self, amount, date, dates):
        if self.depreciation_method == 'declining':
            return self.compute_declining(dates)[date]
        return super().compute_depreciation(amount, date, dates)

    def compute_declining(self, dates):
        "Return the declining depreciation of each of the remaining dates"
        posted = {
            l.date: l.depreciation for l in self.lines
            if l.move and l.move.state == 'posted'}
        ends = self.compute_year_ends()
        last = max(
            posted, default=self.start_date - dt.timedelta(days=1))
        start = max(d for d in ends if d <= last)
        book_value = self.depreciating_value - sum(
            amount for d, amount in posted.items() if d <= start)
        linear = None
        if self.linear_switch == 'cost_over_life':
            linear = ((self.depreciating_value - self.residual_value)
                / sum(self.get_years(ends)))
        ends = [d for d in ends if d >= start]
        amounts = depreciation.declining(
            book_value, self.residual_value, self.declining_rate,
            self.get_years(ends), self.currency.round, linear=linear)

        result = {}
        for start, end, amount in zip(ends, ends[1:], amounts):
            # A year is spread over its days, what is posted is gone
            amount -= sum(a for d, a in posted.items() if start < d <= end)
            start = max(start, last)
            days = normalized_delta(start, end).days
            year_dates = [d for d in dates if start < d <= end]
            steps = depreciation.instalments([
                    depreciation.by_time(
                        amount, normalized_delta(start, d).days, days)
                    for d in year_dates],
                Decimal(0), self.currency.round)
            result.update(zip(year_dates, steps))
        return result

    def compute_year_ends(self):
        """Return the day before the asset starts, and the last day of each
        year of depreciation until it ends"""
        pool = Pool()
        Configuration = pool.get('account.configuration')
        configuration = Configuration(1)
        rule = rrule.rrule(
            rrule.YEARLY, dtstart=self.start_date,
            bymonth=int(configuration.get_multivalue(
                    'asset_bymonth', company=self.company.id)),
            bymonthday=int(configuration.get_multivalue(
                    'asset_bymonthday', company=self.company.id)))
        ends = [self.start_date - dt.timedelta(days=1)]
        ends.extend(
            d.date() for d in rule.between(
                date2datetime(self.start_date),
                date2datetime(self.end_date)))
        ends.append(self.end_date)
        return ends

    @staticmethod
    def get_years(ends):
        "Return the length in years between each of the days"
        return [
            min(Decimal(normalized_delta(start, end).days) / 365, Decimal(1))
            for start, end in zip(ends, ends[1:])]

    @classmethod
    @ModelView.button
    def create_lines(cls, assets):
        super().create_lines([a for a in assets if not a.by_use])

    @classmethod
    @ModelView.button
    def clear_lines(cls, assets):
        # The lines by use are never ahead, a line of 0.00 without move says
        # that its period is done
        super().clear_lines([a for a in assets if not a.by_use])

    @classmethod
    def create_moves(cls, assets, date):
        pool = Pool()
        Line = pool.get('account.asset.line')
        Move = pool.get('account.move')

        by_use = [a for a in assets if a.by_use]
        if by_use:
            claim(by_use)
        super().create_moves([a for a in assets if not a.by_use], date)

        lines = []
        for asset in by_use:
            for line_date, line in asset.depreciate(date).items():
                line.asset = asset
                line.date = line_date
                lines.append(line)
        Line.save(lines)

        lines = [l for l in lines if l.depreciation]
        moves = [l.asset.get_move(l) for l in lines]
        Move.save(moves)
        for move, line in zip(moves, lines):
            line.move = move
        Line.save(lines)
        Move.post(moves)

    def get_move(self, line):
        move = super().get_move(line)
        if line.depreciation < 0:
            # Less use than was depreciated before
            for move_line in move.lines:
                analytic_lines = getattr(move_line, 'analytic_lines', [])
                for record in [move_line, *analytic_lines]:
                    record.debit, record.credit = (
                        -record.credit, -record.debit)
        return move
