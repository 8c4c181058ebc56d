# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.document import PartMixin


class SealedPartMixin(PartMixin):
    "A part that is sealed with its document, for the program too"
    __slots__ = ()

    @classmethod
    def check_modification(cls, mode, parts, values=None, external=False):
        super().check_modification(
            mode, parts, values=values, external=external)
        for part in parts:
            document = part
            while isinstance(document, PartMixin):
                name = document._holding_name()
                document = getattr(document, document._document)
            sealed = document._sealed_states.get(document.state)
            if sealed is not None and name not in sealed:
                document._raise_frozen(document, {name})
