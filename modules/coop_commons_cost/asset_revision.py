# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.model import fields
from trytond.pool import PoolMeta
from trytond.pyson import Bool, Eval, If


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
