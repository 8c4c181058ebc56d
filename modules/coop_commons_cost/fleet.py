# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport
from trytond.pool import Pool


class FleetReport(CompanyReport):
    __name__ = 'coop.commons.resource.fleet'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Asset = pool.get('account.asset')
        context = super().get_context(records, header, data)
        fleet = {resource.id: (resource, []) for resource in records}
        for asset in Asset.search([
                    ('resource', 'in', list(fleet)),
                    ('state', '=', 'running'),
                    ], order=[('start_date', 'ASC'), ('id', 'ASC')]):
            _, assets = fleet[asset.resource.id]
            assets.append(asset)
        context['fleet'] = list(fleet.values())
        context['total'] = sum(
            a.book_value for _, assets in fleet.values() for a in assets)
        return context
