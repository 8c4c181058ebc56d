# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields


class ShareClassCategory(ModelSQL):
    __name__ = 'coop.share.class-coop.member.category'

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('share_class')
