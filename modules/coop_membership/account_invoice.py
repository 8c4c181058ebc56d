# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta

from .remittance import find_member


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @property
    def subject(self):
        "What payments and letters say that it is about, if it is of a member"
        if (self.type == 'out' and self.number
                and find_member(self.company, self.party)):
            return ' '.join([self.__names__()['model'], self.number])


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['coop.member.fee.run']
