# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import PoolMeta
from trytond.pyson import Eval


class Resource(metaclass=PoolMeta):
    __name__ = 'coop.commons.resource'

    assets = fields.One2Many(
        'account.asset', 'resource', "Assets",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])

    @classmethod
    def copy(cls, resources, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('assets')
        return super().copy(resources, default=default)
