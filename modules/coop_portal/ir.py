# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import PoolMeta
from trytond.transaction import Transaction

# Whom the portal acts for: a web user, members and their parties
_NAMES = ['portal_user', 'portal_members', 'portal_parties']


class Cron(metaclass=PoolMeta):
    __name__ = 'ir.cron'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.method.selection.append(
            ('web.user|purge_unconfirmed',
                "Delete Web Users without a confirmed E-mail"))


class Rule(metaclass=PoolMeta):
    __name__ = 'ir.rule'

    @classmethod
    def _get_context(cls, model_name):
        context = super()._get_context(model_name)
        for name in _NAMES:
            if name in Transaction().context:
                context[name] = Transaction().context[name]
        return context

    @classmethod
    def _get_cache_key(cls, model_names):
        return (*super()._get_cache_key(model_names), *(
                str(Transaction().context.get(name)) for name in _NAMES))
