# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model.exceptions import AccessError
from trytond.pool import Pool, PoolMeta

from .asset import USE_METHODS


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
