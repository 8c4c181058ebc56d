# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.conditionals import Case, Coalesce

from trytond.pool import Pool, PoolMeta


class Withheld(metaclass=PoolMeta):
    __name__ = 'coop.withheld'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['coop.surplus']

    @classmethod
    def _get_queries(cls, states):
        pool = Pool()
        allocation = pool.get('coop.patronage.allocation').__table__()
        pool_ = pool.get('coop.patronage.pool').__table__()
        surplus = pool.get('coop.surplus').__table__()
        fiscalyear = pool.get('account.fiscalyear').__table__()
        return super()._get_queries(states) + [
            cls._select(
                'coop.surplus', surplus, allocation, allocation
                .join(pool_, condition=allocation.pool == pool_.id)
                .join(surplus, condition=pool_.surplus == surplus.id)
                .join(fiscalyear,
                    condition=surplus.fiscalyear == fiscalyear.id),
                Coalesce(surplus.posting_date, fiscalyear.end_date),
                allocation.party,
                Case((pool_.withholding_base == 'gross', allocation.gross),
                    else_=allocation.cash),
                where=surplus.state.in_(states)),
            ]
