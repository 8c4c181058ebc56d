# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from dateutil import rrule

from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.account_asset.asset import date2datetime, normalized_delta
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval, If

from . import depreciation

# The methods that wait for the use before there is anything to depreciate
USE_METHODS = ['units', 'hybrid']


class Asset(metaclass=PoolMeta):
    __name__ = 'account.asset'

    _states = {
        'readonly': Eval('lines', [0]) | (Eval('state') != 'draft'),
        'required': Eval('depreciation_method').in_(USE_METHODS),
        'invisible': ~Eval('depreciation_method').in_(USE_METHODS),
        }
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': Eval('state') == 'closed',
            'required': Eval('depreciation_method').in_(USE_METHODS),
            },
        help="The resource that is used with the asset.\n"
        "The asset is charged to its analytic account.")
    use_unit = fields.Many2One(
        'product.uom', "Unit of Use", ondelete='RESTRICT', states=_states,
        help="The unit in which the use is counted.")
    expected_units = fields.Float(
        "Expected Units", digits='use_unit', states=_states,
        domain=[
            If(Eval('depreciation_method').in_(USE_METHODS),
                ('expected_units', '>', 0),
                ()),
            ],
        help="The use expected from the start to the end of the asset.")
    used_units = fields.Function(fields.Float(
            "Used Units", digits='use_unit',
            states={
                'invisible': _states['invisible'],
                },
            help="The confirmed use, depreciated or not."),
        'get_used_units')
    book_value = fields.Function(Monetary(
            "Book Value", currency='currency', digits='currency',
            help="The value less what is depreciated."),
        'get_book_value')
    declining_rate = fields.Numeric(
        "Declining Rate", digits=(None, 6),
        domain=[
            If(Eval('depreciation_method') == 'declining',
                [
                    ('declining_rate', '>', 0),
                    ('declining_rate', '<=', 1),
                    ],
                ()),
            ],
        states={
            'readonly': _states['readonly'],
            'required': Eval('depreciation_method') == 'declining',
            'invisible': Eval('depreciation_method') != 'declining',
            },
        help="The part of the book value that is depreciated in a year.")
    linear_switch = fields.Selection([
            (None, ""),
            ('cost_over_life', "Cost over Life"),
            ('remaining_over_remaining_life',
                "Remaining Value over Remaining Life"),
            ], "Switch to Linear", sort=False,
        states={
            'readonly': _states['readonly'],
            'required': Eval('depreciation_method') == 'declining',
            'invisible': Eval('depreciation_method') != 'declining',
            },
        help="The linear depreciation of a year that is taken as soon as it "
        "is larger than the declining one.")
    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.depreciation_method.selection += [
            ('units', "Units of Production"),
            ('hybrid', "Units of Production or Linear, if Larger"),
            ('declining', "Declining Balance"),
            ]
        by_use = Eval('depreciation_method').in_(USE_METHODS)
        for button in ['create_lines', 'clear_lines']:
            cls._buttons[button]['invisible'] |= by_use
            cls._buttons[button]['depends'].append('depreciation_method')

    @classmethod
    def default_linear_switch(cls):
        return 'remaining_over_remaining_life'

    @fields.depends('resource', 'use_unit', '_parent_resource.unit')
    def on_change_resource(self):
        if self.resource and not self.use_unit:
            self.use_unit = self.resource.unit

    @classmethod
    def get_used_units(cls, assets, name):
        return {
            a.id: a.get_use() if a.resource and a.use_unit else None
            for a in assets}

    @classmethod
    def get_book_value(cls, assets, name):
        return {
            a.id: a.depreciating_value - a.get_depreciated_amount()
            if a.state != 'closed' else Decimal(0)
            for a in assets}

    def get_use(self, date=None):
        "Return the confirmed use in the unit of use until the date"
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        Uom = pool.get('product.uom')
        quantities = Usage.sum_quantities(self.resource, date=date)
        return sum(
            Uom.compute_qty(unit, quantity, self.use_unit, round=False)
            for unit, quantity in quantities.items()
            if unit.category == self.use_unit.category)

    @property
    def by_use(self):
        return self.depreciation_method in USE_METHODS

    @property
    def last_line_date(self):
        "The day until which the asset is depreciated"
        return max(
            [l.date for l in self.lines],
            default=self.start_date - dt.timedelta(days=1))

    @property
    def last_estimate(self):
        """Return the day from which the last estimate holds, and the units
        that were expected to be left on it"""
        revisions = [r for r in self.revisions if r.date]
        if revisions:
            revision = max(revisions, key=lambda r: (r.date, r.id))
            return revision.date, revision.expected_units
        return self.start_date - dt.timedelta(days=1), self.expected_units

    def get_expected_units_left(self):
        date, expected = self.last_estimate
        return max(
            expected - sum(l.units or 0 for l in self.lines if l.date > date),
            0)

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

    @classmethod
    def on_modification(cls, mode, assets, field_names=None):
        super().on_modification(mode, assets, field_names=field_names)
        if (mode in {'create', 'write'}
                and (field_names is None or 'resource' in field_names)):
            cls.set_resource_analytic([a for a in assets if a.resource])

    @classmethod
    def set_resource_analytic(cls, assets):
        "Charge the assets to the analytic account of their resource"
        pool = Pool()
        Entry = pool.get('analytic.account.entry')
        to_save = []
        for asset in assets:
            account = asset.resource.analytic_account
            if not account:
                continue
            for entry in asset.analytic_accounts:
                if entry.root == account.root:
                    break
            else:
                entry = Entry(origin=asset, root=account.root)
            entry.account = account
            to_save.append(entry)
        Entry.save(to_save)


class AssetLine(metaclass=PoolMeta):
    __name__ = 'account.asset.line'

    units = fields.Float(
        "Units", digits='use_unit', readonly=True,
        states={
            'invisible': ~Eval('use_unit'),
            },
        help="The use since the previous line.")
    use_unit = fields.Function(
        fields.Many2One('product.uom', "Unit of Use"),
        'on_change_with_use_unit')

    @fields.depends('asset', '_parent_asset.use_unit')
    def on_change_with_use_unit(self, name=None):
        return self.asset.use_unit if self.asset else None


class AssetRevision(metaclass=PoolMeta):
    __name__ = 'account.asset.revision'

    date = fields.Date(
        "From Date", readonly=True,
        states={
            'invisible': ~Eval('by_use'),
            },
        help="The day at the end of which the estimate changed.")
    expected_units = fields.Float(
        "Expected Units Left", digits='use_unit',
        domain=[
            If(Bool(Eval('by_use')), ('expected_units', '>', 0), ()),
            ],
        states={
            'required': Bool(Eval('by_use')),
            'invisible': ~Eval('by_use'),
            },
        help="The use expected from then to the end of the asset.")
    by_use = fields.Function(
        fields.Boolean("By Use"), 'on_change_with_by_use')
    use_unit = fields.Function(
        fields.Many2One('product.uom', "Unit of Use"),
        'on_change_with_use_unit')

    @fields.depends('asset', '_parent_asset.depreciation_method')
    def on_change_with_by_use(self, name=None):
        return bool(self.asset and self.asset.by_use)

    @fields.depends('asset', '_parent_asset.use_unit')
    def on_change_with_use_unit(self, name=None):
        return self.asset.use_unit if self.asset else None


class UpdateAsset(metaclass=PoolMeta):
    __name__ = 'account.asset.update'

    def default_start(self, fields):
        values = super().default_start(fields)
        if self.record.by_use:
            values.update(
                date=self.record.last_line_date,
                expected_units=self.record.get_expected_units_left(),
                by_use=True,
                use_unit=self.record.use_unit.id)
        return values

    def get_latest_move_date(self, asset):
        date = super().get_latest_move_date(asset)
        if asset.by_use:
            date = max(date, asset.last_line_date)
        return date

    def get_next_depreciation_date(self, asset):
        if asset.by_use:
            return min(
                (d for d in asset.compute_move_dates()
                    if d > asset.last_line_date),
                default=dt.date.max)
        return super().get_next_depreciation_date(asset)


class Period(metaclass=PoolMeta):
    __name__ = 'account.period'

    def check_asset_line_running(self):
        # Not that of account_asset, for which a line without move, as that
        # of a period without use, is one still to be posted
        pool = Pool()
        Asset = pool.get('account.asset')
        running = [
            ('state', '=', 'running'),
            ('company', '=', self.company.id),
            ]
        assets = Asset.search(running + [
                ('depreciation_method', 'not in', USE_METHODS),
                ('lines', 'where', [
                        ('date', '>=', self.start_date),
                        ('date', '<=', self.end_date),
                        ('move', '=', None),
                        ]),
                ], limit=6)
        assets.extend(
            asset for asset in Asset.search(running + [
                    ('depreciation_method', 'in', USE_METHODS),
                    ('start_date', '<=', self.end_date),
                    ])
            if asset.compute_use_dates(self.end_date))
        if assets:
            names = ', '.join(a.rec_name for a in assets[:5])
            if len(assets) > 5:
                names += '...'
            raise AccessError(gettext(
                    'account_asset.msg_asset_running_close_period',
                    period=self.rec_name,
                    assets=names))
