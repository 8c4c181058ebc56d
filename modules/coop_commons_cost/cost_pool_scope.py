# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.pyson import Eval


class CostPoolMixin:
    "What belongs to a cost pool is changed by who may change the pool"
    __slots__ = ()

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('cost_pool')


class CostPoolResource(CostPoolMixin, ModelSQL):
    __name__ = 'coop.commons.cost_pool-coop.commons.resource'
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('resource_unique', Unique(t, t.resource),
                'coop_commons_cost.msg_cost_pool_resource_unique'),
            ]


class CostPoolCostCenter(CostPoolMixin, ModelSQL):
    __name__ = 'coop.commons.cost_pool-analytic_account.account'
    account = fields.Many2One(
        'analytic_account.account', "Cost Centre", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('account_unique', Unique(t, t.account),
                'coop_commons_cost.msg_cost_pool_cost_center_unique'),
            ]


class CostPoolExcludedAccount(CostPoolMixin, ModelSQL):
    __name__ = 'coop.commons.cost_pool-excluded-account.account'
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='CASCADE')


class CostPoolVariableAccount(CostPoolMixin, ModelSQL):
    __name__ = 'coop.commons.cost_pool-variable-account.account'
    account = fields.Many2One(
        'account.account', "Account", required=True, ondelete='CASCADE')


class CostPoolOverhead(CostPoolMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.cost_pool.overhead'
    __string__ = "Cost Pool Overhead"

    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    account = fields.Many2One(
        'analytic_account.account', "Cost Centre", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ])
    ratio = fields.Numeric(
        "Ratio", digits=(None, 6), required=True,
        domain=[
            ('ratio', '>', 0),
            ('ratio', '<=', 1),
            ],
        help="The part of the cost of the cost centre.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('account_unique', Unique(t, t.cost_pool, t.account),
                'coop_commons_cost.msg_cost_pool_overhead_unique'),
            ]

    @fields.depends('cost_pool', '_parent_cost_pool.company')
    def on_change_with_company(self, name=None):
        return self.cost_pool.company if self.cost_pool else None

    def get_rec_name(self, name):
        return self.account.rec_name
