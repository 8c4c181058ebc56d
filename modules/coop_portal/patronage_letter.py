# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .letter import PortalLetter


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.portal.configuration'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.letters.selection.append(('patronage', "Allocation Notice"))


class Surplus(metaclass=PoolMeta):
    __name__ = 'coop.surplus'

    @classmethod
    @ModelView.button
    def post(cls, surpluses):
        super().post(surpluses)
        cls._trigger_allocations(surpluses)

    @classmethod
    def _trigger_allocations(cls, surpluses):
        "Trigger what waits for the allocations, which are written by SQL"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Trigger = pool.get('ir.trigger')
        triggers = Trigger.get_triggers(Allocation.__name__, 'write')
        if not triggers:
            return
        allocations = Allocation.search([
                ('pool.surplus', 'in', [s.id for s in surpluses]),
                ('member', '!=', None),
                ])
        for trigger in triggers:
            for sub_allocations in grouped_slice(allocations, SLICE):
                trigger.queue_trigger_action(list(sub_allocations))


class AllocationLetter(PortalLetter):
    __name__ = 'coop.patronage.allocation.letter'
    _kind = 'patronage'

    @classmethod
    def get_paragraphs(cls, allocation):
        return [gettext(
                'coop_portal.msg_letter_patronage',
                company=allocation.company.party.name,
                fiscalyear=allocation.surplus.fiscalyear.rec_name)]

    @classmethod
    def get_rows(cls, allocation):
        return [
            (cls.label(allocation, name),
                cls.money(getattr(allocation, name), allocation))
            for name in ['gross', 'equity', 'withholding', 'net']
            if getattr(allocation, name)]
