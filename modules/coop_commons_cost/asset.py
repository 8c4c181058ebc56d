# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from .asset_depreciation import AssetDepreciation

# The methods that wait for the use before there is anything to depreciate
USE_METHODS = ['units', 'hybrid']


class Asset(AssetDepreciation, metaclass=PoolMeta):
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
    placements = fields.One2Many(
        'account.asset.resource', 'asset', "Resources",
        states={
            'invisible': ~Eval('placements', [-1]),
            },
        help="When the asset was moved to which resource: the use counts "
        "from the day on which it joined to the one before it left.")
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
        use = 0
        for resource, start, end in self.get_stays():
            if date:
                end = min(end or date, date)
            quantities = Usage.sum_quantities(
                resource, start=start, end=end)
            use += sum(
                Uom.compute_qty(unit, quantity, self.use_unit, round=False)
                for unit, quantity in quantities.items()
                if unit.category == self.use_unit.category)
        return use

    def get_stays(self):
        "Yield the resources with the first and the last day of the asset"
        moves = sorted((r.date, r.resource) for r in self.placements)
        if not moves:
            moves = [(self.start_date, self.resource)]
        starts = [self.start_date, *(
                max(date, self.start_date) for date, _ in moves[1:])]
        ends = [s - dt.timedelta(days=1) for s in starts[1:]] + [None]
        for (_, resource), start, end in zip(moves, starts, ends):
            if resource and (not end or start <= end):
                yield resource, start, end

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

    @classmethod
    def on_write(cls, assets, values):
        callables = super().on_write(assets, values)
        if 'resource' in values:
            before = [
                (a, a.resource) for a in assets
                if a.state != 'draft' and a.resource
                and a.resource.id != values['resource']]
            callables.append(lambda: cls.add_resources(before))
        return callables

    @classmethod
    def add_resources(cls, before):
        "Note from when on the assets are with another resource than before"
        pool = Pool()
        AssetResource = pool.get('account.asset.resource')
        Date = pool.get('ir.date')
        rows = []
        for asset, resource in before:
            asset = cls(asset.id)
            with Transaction().set_context(company=asset.company.id):
                today = Date.today()
            if not asset.placements and asset.start_date >= today:
                continue
            if not asset.placements:
                rows.append(AssetResource(
                        asset=asset, date=asset.start_date,
                        resource=resource))
            row, = [r for r in asset.placements if r.date == today] or [
                AssetResource(asset=asset, date=today)]
            row.resource = asset.resource
            rows.append(row)
        AssetResource.save(rows)

    @classmethod
    def copy(cls, assets, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('placements')
        return super().copy(assets, default=default)

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
