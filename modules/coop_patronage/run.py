# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.run import ApprovedRunMixin
from trytond.pyson import Eval

from .inputs_check import InputsMixin
from .solvency import SolvencyMixin


class PatronageRunMixin(
        InputsMixin, SolvencyMixin, BooksMixin, ApprovedRunMixin):
    "A run that is computed as often as wanted, of what it is computed from"
    __slots__ = ()
    _not_copied = {'resolution'}
    _work = (
        ('computed', 'approve', 'posting_date'),
        ('approved', 'post', 'posting_date'))
    _pending = {'approved': 'posting_date'}
    _sealed_states = {
        'posted': {'state'},
        'cancelled': set(),
        }

    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ],
        help="The decision of the general meeting.")
    moves = fields.One2Many('account.move', 'origin', "Moves", readonly=True)

    @classmethod
    def modifiable(cls, state):
        # It is computed as often as wanted
        return super().modifiable('draft' if state == 'computed' else state)

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, documents):
        cls.write(documents, {'input_hash': None, 'input_parts': None})
