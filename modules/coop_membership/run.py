# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow, fields

from .document import DocumentMixin

__all__ = ['ApprovedRunMixin', 'ComputedMixin', 'RunMixin']


class ComputedMixin(DocumentMixin, Workflow):
    """A document whose lines are computed, and taken back while it is a draft

    Its class has the method get_lines, or a button compute of its own.
    """
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, documents):
        Line = cls._fields['lines'].get_target()
        Line.delete([l for d in documents for l in d.lines])

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, documents):
        Line = cls._fields['lines'].get_target()
        Line.save([l for d in documents for l in d.get_lines()])


class RunMixin(ComputedMixin):
    "A document that is computed, and then posted by its button"
    __slots__ = ()
    _steps = {
        'draft': (['computed'], 'draft'),
        'compute': (['draft'], 'computed'),
        'post': (['computed'], 'posted'),
        }

    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('posted', "Posted"),
            ], "State", required=True, readonly=True, sort=False)


class ApprovedRunMixin(ComputedMixin):
    """A document that somebody approves between computing and posting

    Its class has the buttons approve, post and cancel.
    """
    __slots__ = ()
    _steps = {
        'draft': (['computed', 'approved'], 'draft'),
        'compute': (['draft', 'computed'], 'computed'),
        'approve': (['computed'], 'approved'),
        'post': (['approved'], 'posted'),
        'cancel': (['draft', 'computed', 'posted'], 'cancelled'),
        }

    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('approved', "Approved"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)
