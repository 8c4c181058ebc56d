# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.modules.coop_membership.claim import standing_lines
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
        standing = standing_lines({
                r.payable_line for r in redemptions if r.payable_line})
        for redemption in redemptions:
            if any(
                    p.state != 'failed'
                    for line in standing.get(redemption.payable_line, [])
                    for p in line.payments):
                raise RedemptionError(gettext(
                        'coop_shares.msg_redemption_cancel_payment',
                        redemption=redemption.rec_name))
