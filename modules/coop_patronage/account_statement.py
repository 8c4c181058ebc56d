# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta


class StatementLine(metaclass=PoolMeta):
    __name__ = 'account.statement.line'

    @classmethod
    def banked_documents(cls):
        return super().banked_documents() + [
            'coop.patronage.allocation',
            'coop.equity.revolvement.line',
            ]
