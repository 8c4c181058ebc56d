# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields, sequence_ordered
from trytond.pyson import Eval

from .document import PartMixin


class Annex(PartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.meeting.annex'
    __string__ = "Annex of the Minutes"
    _document = 'meeting'

    meeting = fields.Many2One(
        'coop.meeting', "Meeting", required=True, ondelete='CASCADE')
    name = fields.Char("Name", required=True,
        help="What the minutes call the annex.")
    attachment = fields.Many2One(
        'ir.attachment', "Attachment", ondelete='SET NULL',
        domain=[
            ('resource.id', '=', Eval('meeting', -1), 'coop.meeting'),
            ],
        help="The file, which is attached to the meeting.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('meeting')
