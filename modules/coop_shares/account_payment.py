# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import PoolMeta

from .exceptions import RedemptionError


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def get_paid_domain(cls):
        # Or about to be
        return ['OR',
            super().get_paid_domain(),
            ('payments', 'where', [('state', '!=', 'failed')]),
            ]


class Redemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    @classmethod
    def _check_cancel(cls, redemptions):
        super()._check_cancel(redemptions)
        for redemption in redemptions:
            line = redemption.payable_line
            if line and any(p.state != 'failed' for p in line.payments):
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_payment',
                        redemption=redemption.rec_name))
