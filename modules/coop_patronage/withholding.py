# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta


class Withholding(metaclass=PoolMeta):
    __name__ = 'coop.withholding'

    @classmethod
    def get_fund(cls, company):
        "Return the fund of the authority that gets what is withheld, if any"
        Configuration = Pool().get('coop.patronage.configuration')
        return Configuration(1).get_multivalue(
            'withholding_fund', company=company.id)

    @classmethod
    def needs_account(cls, company):
        return super().needs_account(company) and not cls.get_fund(company)

    @classmethod
    def get_line(cls, books, account, amount, date, **values):
        fund = cls.get_fund(books.company)
        if fund:
            return fund.get_line(books, -amount, date=date, **values)
        return super().get_line(books, account, amount, date, **values)
