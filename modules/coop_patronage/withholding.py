# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.pool import Pool, PoolMeta


class Withholding(metaclass=PoolMeta):
    __name__ = 'coop.withholding'

    @classmethod
    def _get_exempt(cls, company, start_date, end_date, excluded):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        allocation = pool.get('coop.patronage.allocation').__table__()
        pool_ = pool.get('coop.patronage.pool').__table__()
        surplus = Surplus.__table__()
        where = (
            surplus.state.in_(['approved', 'posted'])
            & (surplus.company == company.id)
            & (surplus.posting_date >= start_date)
            & (surplus.posting_date <= end_date)
            & (allocation.exempt != Null))
        if isinstance(excluded, Surplus):
            where &= surplus.id != excluded.id
        return super()._get_exempt(
            company, start_date, end_date, excluded) + [
            (allocation
                .join(pool_, condition=allocation.pool == pool_.id)
                .join(surplus, condition=pool_.surplus == surplus.id)
                .select(
                    allocation.party.as_('party'),
                    allocation.exempt.as_('exempt'), where=where)),
            ]
