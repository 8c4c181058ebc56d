# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

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


class Reconciliation(metaclass=PoolMeta):
    __name__ = 'account.move.reconciliation'

    @classmethod
    def create(cls, vlist):
        vlist = [values.copy() for values in vlist]
        cls._set_numbers([v for v in vlist if not v.get('number')])
        return super().create(vlist)

    @classmethod
    def _set_numbers(cls, vlist):
        "Take the numbers of what a run reconciles at once"
        pool = Pool()
        Configuration = pool.get('account.configuration')
        by_company = defaultdict(list)
        for values in vlist:
            by_company[values.get('company', cls.default_company())].append(
                values)
        for company, c_values in by_company.items():
            if company is None:
                continue
            sequence = Configuration(1).get_multivalue(
                'reconciliation_sequence', company=company)
            if sequence:
                for values, number in zip(
                        c_values, sequence.get_many(len(c_values))):
                    values['number'] = number

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
