# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, fields
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pyson import Eval

from .exceptions import ResolutionError
from .quantity import QuantityMixin, number, plain_number


def lock_members(members):
    "Lock the members, who stand for all that they hold"
    claim(members)


def move_field(name, string, **values):
    "Return the field of a move that a document has posted"
    return fields.Many2One(
        'account.move', string, readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval(name),
            },
        **values)


class ShareDocumentMixin(QuantityMixin, NumberedMixin):
    "A document about a quantity of shares of a class"
    __slots__ = ()

    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)), required=True,
        domain=[
            ('quantity', '>', 0),
            ])
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)

    @property
    def narration(self):
        return gettext(
            'coop_shares.msg_narration_shares',
            document=super().narration,
            quantity=plain_number(self.quantity),
            share_class=self.share_class.code)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        cls._sql_constraints.append((
                'quantity_positive', Check(t, number(t.quantity) > 0),
                'coop_shares.msg_document_quantity_positive'))


def check_resolution(documents, required=False):
    "Check that the resolutions of the documents were carried"
    for document in documents:
        resolution = document.resolution
        if not resolution:
            if required:
                raise ResolutionError(gettext(
                        'coop_shares.msg_document_resolution_missing',
                        document=document.rec_name))
        elif (resolution.result != 'carried'
                or resolution.meeting.state != 'closed'):
            raise ResolutionError(gettext(
                    'coop_shares.msg_document_resolution_carried',
                    document=document.rec_name,
                    resolution=resolution.rec_name))
