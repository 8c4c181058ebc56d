# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null

from trytond.model import (
    Check, ModelSQL, ModelView, Unique, fields, sequence_ordered)
from trytond.pool import Pool
from trytond.pyson import Eval, If

from .cost_pool_scope import CostPoolMixin


class CostPoolKey(CostPoolMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool.key'
    __string__ = "Cost Pool Key"

    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    name = fields.Char("Name", required=True, translate=True)
    accounts = fields.Many2Many(
        'coop.commons.cost_pool.key-account.account', 'key', 'account',
        "Accounts", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'income'),
            ],
        help="The accounts of the cost that is shared by this key.")
    by = fields.Selection([
            ('use', "Use"),
            ('share', "Fixed Shares"),
            ], "Shared by", required=True, sort=False)
    unit = fields.Many2One(
        'product.uom', "Unit", ondelete='RESTRICT',
        states={
            'invisible': Eval('by') != 'use',
            'required': Eval('by') == 'use',
            },
        help="The unit of the use that bears the cost.")
    shares = fields.One2Many(
        'coop.commons.cost_pool.key.share', 'key', "Shares",
        states={
            'invisible': Eval('by') != 'share',
            'required': Eval('by') == 'share',
            })

    @classmethod
    def default_by(cls):
        return 'use'

    @fields.depends('cost_pool', '_parent_cost_pool.company')
    def on_change_with_company(self, name=None):
        return self.cost_pool.company if self.cost_pool else None

    @classmethod
    def on_modification(cls, mode, keys, field_names=None):
        KeyAccount = Pool().get('coop.commons.cost_pool.key-account.account')
        super().on_modification(mode, keys, field_names=field_names)
        if mode == 'write' and 'cost_pool' in field_names:
            # No pool has an account twice, whichever its key came from
            for key in keys:
                accounts = KeyAccount.search([('key', '=', key.id)])
                KeyAccount.write(accounts, {'key': key.id})

    def get_weights(self, figures, fiscalyear):
        "Return what each user bears of the cost in proportion to"
        if self.by == 'use':
            return figures.get_units(self.unit)
        weights = defaultdict(Decimal)
        for share in self.shares:
            weights[share.member.id, None, None] += share.get_weight(
                fiscalyear.start_date, fiscalyear.end_date)
        return weights


class CostPoolKeyAccount(ModelSQL):
    __name__ = 'coop.commons.cost_pool.key-account.account'
    key = fields.Many2One(
        'coop.commons.cost_pool.key', "Key", required=True,
        ondelete='CASCADE')
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='RESTRICT')
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True, readonly=True,
        ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('key')
        t = cls.__table__()
        cls._sql_constraints += [
            ('account_unique', Unique(t, t.cost_pool, t.account),
                'coop_commons_cost.msg_cost_pool_key_account_unique'),
            ]

    @classmethod
    def preprocess_values(cls, mode, values):
        Key = Pool().get('coop.commons.cost_pool.key')
        values = super().preprocess_values(mode, values)
        if values.get('key'):
            values['cost_pool'] = Key(values['key']).cost_pool.id
        return values


class CostPoolKeyShare(ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool.key.share'
    __string__ = "Cost Pool Key Share"

    key = fields.Many2One(
        'coop.commons.cost_pool.key', "Key", required=True,
        ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    share = fields.Numeric(
        "Share", digits=(16, 4), required=True,
        domain=[
            ('share', '>', 0),
            ],
        help="Such as the area of the flat: the cost is shared in "
        "proportion to it, and to the days.")
    valid_from = fields.Date("Valid from")
    valid_until = fields.Date(
        "Valid until",
        domain=[
            If(Eval('valid_from') & Eval('valid_until'),
                ('valid_until', '>=', Eval('valid_from')),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('key')
        t = cls.__table__()
        cls._sql_constraints += [
            ('share_positive', Check(t, t.share > 0),
                'coop_commons_cost.msg_cost_pool_key_share_positive'),
            ('dates', Check(t, (t.valid_from == Null)
                    | (t.valid_until == Null)
                    | (t.valid_from <= t.valid_until)),
                'coop_commons_cost.msg_cost_pool_key_share_dates'),
            ]

    @fields.depends('key', '_parent_key.company')
    def on_change_with_company(self, name=None):
        return self.key.company if self.key else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.member.rec_name, self.key.rec_name)

    def get_weight(self, start, end):
        "Return the share times the days of the period in which it is valid"
        first = max(filter(None, [start, self.valid_from]))
        last = min(filter(None, [end, self.valid_until]))
        return self.share * max((last - first).days + 1, 0)
