# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta


class Cron(metaclass=PoolMeta):
    __name__ = 'ir.cron'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.method.selection.extend([
                ('coop.member|leave_due',
                    "Let go Members after their Exit Date"),
                ('coop.member|suspend_arrears',
                    "Suspend Members in Arrears"),
                ])


class Company(metaclass=PoolMeta):
    __name__ = 'company.company'

    @classmethod
    def on_modification(cls, mode, companies, field_names=None):
        super().on_modification(mode, companies, field_names=field_names)
        if mode == 'create':
            cls._schedule(companies)

    @classmethod
    def _schedule(cls, companies):
        "Let the tasks of the cooperative serve the new companies too"
        Cron = Pool().get('ir.cron')
        crons = Cron.search([('method', 'like', 'coop.%')])
        Cron.write(crons, {
                'companies': [('add', [c.id for c in companies])],
                })
