# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta


class Dunning(metaclass=PoolMeta):
    __name__ = 'account.dunning'

    def get_amount(self, name):
        "Return what is open: parts may be paid, or about to be"
        Subscription = Pool().get('coop.share.subscription')
        return Subscription.open_amounts([self.line]).get(
            self.line, super().get_amount(name))

    @classmethod
    def _get_dunning(cls, line, date):
        Subscription = Pool().get('coop.share.subscription')
        if Subscription.open_amounts([line]).get(line) != 0:
            return super()._get_dunning(line, date)
