# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields

from .member_party import MemberPartyMixin


class Representative(MemberPartyMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.representative'
    __string__ = "Member Representative"
    _once = False

    role = fields.Selection([
            ('legal_representative', "Legal Representative"),
            ('guardian', "Guardian"),
            ('heir', "Heir"),
            ('agent', "Agent"),
            ('contact', "Contact"),
            ], "Role", required=True, sort=False)
    role_string = role.translated('role')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('start_date', 'DESC NULLS LAST'),
            ('id', 'ASC'),
            ]

    @property
    def is_legal(self):
        return self.role in {'legal_representative', 'guardian'}
