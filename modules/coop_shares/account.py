# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Index
from trytond.pool import Pool, PoolMeta


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The lines to pay of subscriptions are found by the origin
        cls._sql_indexes.add(Index(t, (t.origin, Index.Equality())))

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.share.subscription',
            'coop.share.transfer',
            'coop.share.redemption',
            'coop.share.dividend',
            ]


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.share.subscription',
            'coop.share.dividend.line',
            ]

    @classmethod
    def get_paid_domain(cls):
        "Return the domain of the lines that are paid"
        return [('reconciliation', '!=', None)]


class MoveLinePayment(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def get_paid_domain(cls):
        # Or about to be
        return ['OR',
            super().get_paid_domain(),
            ('payments', 'where', [('state', '!=', 'failed')]),
            ]


class Reconciliation(metaclass=PoolMeta):
    __name__ = 'account.move.reconciliation'

    @classmethod
    def on_modification(cls, mode, reconciliations, field_names=None):
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        super().on_modification(
            mode, reconciliations, field_names=field_names)
        if mode == 'create':
            Subscription.reconciled(reconciliations)
            Redemption.check_paid(reconciliations)
        elif mode == 'delete':
            Subscription.unreconciled(reconciliations)
            Redemption.check_paid(reconciliations, reconciled=False)
