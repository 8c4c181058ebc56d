# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields
from trytond.modules.coop_membership.document import PartMixin


class DividendClass(PartMixin, ModelSQL):
    __name__ = 'coop.share.dividend-coop.share.class'
    _document = 'dividend'

    dividend = fields.Many2One(
        'coop.share.dividend', "Share Dividend", required=True,
        ondelete='CASCADE')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('dividend')
