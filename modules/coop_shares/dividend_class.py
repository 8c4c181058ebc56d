# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields


class DividendClass(ModelSQL):
    __name__ = 'coop.share.dividend-coop.share.class'

    dividend = fields.Many2One(
        'coop.share.dividend', "Share Dividend", required=True,
        ondelete='CASCADE')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT')
