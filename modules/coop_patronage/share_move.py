# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class ShareMove(metaclass=PoolMeta):
    __name__ = 'coop.share.move'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.patronage.allocation', 'coop.equity.retain.line',
            'coop.equity.revolvement.line']
