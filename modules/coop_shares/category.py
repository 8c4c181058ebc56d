# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval


class Category(metaclass=PoolMeta):
    __name__ = 'coop.member.category'

    obligatory_class = fields.Many2One(
        'coop.share.class', "Obligatory Shares", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'allocated'),
            ],
        help="The class of which each member must hold the minimum, or one "
        "share where it has none.")
    obligatory_shares = fields.Selection([
            ('warn', "Warn"),
            ('wait', "Wait"),
            ], "Admission without Shares", required=True, sort=False,
        states={
            'invisible': ~Eval('obligatory_class'),
            },
        help="Whether an admission warns when the obligatory shares are not "
        "subscribed, or waits for them.")
    member_limited = fields.Function(
        fields.Boolean("Limit per Member"), 'on_change_with_member_limited')
    limit_exempt = fields.Boolean("No Limit per Member",
        states={
            'invisible': ~Eval('member_limited', False),
            },
        help="Check if the limit of the shares of all classes does not "
        "concern the members, as legal entities by some laws.")

    @classmethod
    def default_obligatory_shares(cls):
        return 'warn'

    @classmethod
    def default_limit_exempt(cls):
        return False

    @fields.depends('company')
    def on_change_with_member_limited(self, name=None):
        Configuration = Pool().get('coop.share.configuration')
        if self.company:
            return Configuration(1).has_member_limit(self.company)
