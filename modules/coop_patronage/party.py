# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class Replace(metaclass=PoolMeta):
    __name__ = 'party.replace'

    @classmethod
    def fields_to_replace(cls):
        return super().fields_to_replace() + [
            ('coop.patronage.entry', 'party'),
            ('coop.patronage.reassignment', 'party'),
            ('coop.patronage.reassignment', 'to_party'),
            ('coop.patronage.allocation', 'party'),
            ('coop.fund', 'payee'),
            ]
