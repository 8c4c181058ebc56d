# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.pyson import Eval

from .inputs_check import InputsMixin
from .solvency import SolvencyMixin


class RunMixin(
        InputsMixin, SolvencyMixin, BooksMixin, DocumentMixin, Workflow):
    """A document that is computed as often as wanted, approved and posted

    Its class has the buttons compute, approve, post and cancel.
    """
    __slots__ = ()
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
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('approved', "Approved"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'computed'),
            ('computed', 'draft'),
            ('computed', 'approved'),
            ('approved', 'draft'),
            ('approved', 'posted'),
            ('draft', 'cancelled'),
            ('computed', 'cancelled'),
            ('posted', 'cancelled'),
            }
        for button, states in [
                ('draft', ['computed', 'approved']),
                ('compute', ['draft', 'computed']),
                ('approve', ['computed']),
                ('post', ['approved']),
                ('cancel', ['draft', 'computed', 'posted'])]:
            cls._buttons[button] = {
                'invisible': ~Eval('state').in_(states),
                'depends': ['state'],
                }

    @classmethod
    def copy(cls, documents, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('resolution')
        return super().copy(documents, default=default)

    @classmethod
    def modifiable(cls, state):
        # It is computed as often as wanted
        return super().modifiable('draft' if state == 'computed' else state)

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, documents):
        cls.write(documents, {'input_hash': None, 'input_parts': None})
