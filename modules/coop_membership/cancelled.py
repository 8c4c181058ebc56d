# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pyson import Eval, If


class CancelledMixin:
    "Show the cancelled records of a list as muted"
    __slots__ = ()

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('state') == 'cancelled', 'muted', ''), ['state']),
            ]
