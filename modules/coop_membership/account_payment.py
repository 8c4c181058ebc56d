# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta

from .remittance import remittance


class Payment(metaclass=PoolMeta):
    __name__ = 'account.payment'

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if (not values.get('reference')
                and not values.get('reference_type')
                and (mode == 'create'
                    or values.get('line') and 'reference' not in values)):
            reference = cls._get_remittance(values)
            if reference:
                values['reference'] = reference
        return values

    @classmethod
    def _get_remittance(cls, values):
        "Return what the payment of the values is about"
        pool = Pool()
        Company = pool.get('company.company')
        Line = pool.get('account.move.line')
        Party = pool.get('party.party')
        if values.get('line'):
            line = Line(values['line'])
            return remittance(line.company, line.party, line=line)
        company = values.get('company', cls.default_company())
        # What collects a balance pays no line
        if (company and values.get('party')
                and values.get('kind') == 'receivable'):
            return remittance(Company(company), Party(values['party']))
