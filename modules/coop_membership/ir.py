# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from contextlib import contextmanager

from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction


@contextmanager
def _in_language():
    """Let what is named depend on the language only

    Tryton keeps names by the whole context, which is another one for each
    record that an assistant is opened on and each member in the portal.
    """
    transaction = Transaction()
    language = transaction.language
    with transaction.reset_context(), \
            transaction.set_context(language=language):
        yield


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


class Model(metaclass=PoolMeta):
    __name__ = 'ir.model'

    @classmethod
    def get_name_items(cls, classes=None):
        with _in_language():
            return super().get_name_items(classes=classes)

    @classmethod
    def get_names(cls, classes=None):
        with _in_language():
            return super().get_names(classes=classes)


class ModelField(metaclass=PoolMeta):
    __name__ = 'ir.model.field'

    @classmethod
    def get_name(cls, model, field):
        with _in_language():
            return super().get_name(model, field)
