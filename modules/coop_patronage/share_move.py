# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.period import DAY
from trytond.pool import PoolMeta


class ShareMove(metaclass=PoolMeta):
    __name__ = 'coop.share.move'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.patronage.allocation', 'coop.equity.revolvement.line']

    @classmethod
    def leave(cls, lots, date, **values):
        "Return the unsaved rows by which the lots are gone from the date on"
        return [cls(
                quantity=lot.quantity,
                end_date=date - DAY,
                amount=lot.amount,
                vintage=lot.vintage,
                acquired_date=lot.acquired_date,
                **values)
            for lot in lots]
