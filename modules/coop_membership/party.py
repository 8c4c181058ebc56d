# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import PoolMeta
from trytond.pyson import Eval


class Party(metaclass=PoolMeta):
    __name__ = 'party.party'

    legal_entity = fields.Boolean("Legal Entity",
        help="Check if the party is not a natural person.")
    birth_date = fields.Date("Birth Date",
        states={
            'invisible': Eval('legal_entity', False),
            })
    members = fields.One2Many(
        'coop.member', 'party', "Memberships", readonly=True)

    @classmethod
    def default_legal_entity(cls):
        return False

    @classmethod
    def copy(cls, parties, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('members', None)
        return super().copy(parties, default=default)
