# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.surplus', 'coop.patronage.pool',
            'coop.patronage.allocation', 'coop.equity.retain',
            'coop.equity.revolvement', 'coop.equity.revolvement.line',
            'coop.fund.use']


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.patronage.allocation', 'coop.equity.retain.line',
            'coop.equity.revolvement.line']
