# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import DeactivableMixin, ModelSQL, ModelView, fields
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .surplus import MEMBER_RATIO_BASES, RECOGNITIONS
from .surplus_line import LineMixin, account_field, target_account_field


class Plan(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.plan'
    __string__ = "Surplus Plan"

    name = fields.Char("Name", required=True, translate=True)
    company = fields.Many2One('company.company', "Company",
        help="Who uses the plan.\n"
        "The plans of all companies can be copied, but not changed.")
    recognition = fields.Selection(
        RECOGNITIONS, "Recognition", required=True, sort=False,
        help="How patronage dividends are recognised.")
    member_ratio_basis = fields.Selection(
        MEMBER_RATIO_BASES, "Member Ratio Basis", required=True, sort=False,
        help="By what the part of the members in the result is measured.")
    notes = fields.Text("Notes", translate=True,
        help="The rules the plan follows and what it leaves open.")
    lines = fields.One2Many('coop.surplus.plan.line', 'plan', "Lines",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    rules = fields.One2Many('coop.surplus.plan.rule', 'plan', "Rules",
        help="What the law asks for besides the minimums and the maximums "
        "of the lines.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_recognition(cls):
        return 'appropriation'

    @classmethod
    def default_member_ratio_basis(cls):
        return 'turnover'

    @classmethod
    def copy(cls, plans, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('company', cls.default_company())
        return super().copy(plans, default=default)


class PlanLine(LineMixin, ModelSQL, ModelView, CompanyMultiValueMixin):
    __name__ = 'coop.surplus.plan.line'
    __string__ = "Surplus Plan Line"

    plan = fields.Many2One(
        'coop.surplus.plan', "Plan", required=True, ondelete='CASCADE')
    account = fields.MultiValue(
        account_field(Eval('context', {}).get('company', -1)))
    target_account = fields.MultiValue(
        target_account_field(Eval('context', {}).get('company', -1)))
    accounts = fields.One2Many(
        'coop.surplus.plan.line.account', 'line', "Accounts")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('plan')

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field in {'account', 'target_account'}:
            return pool.get('coop.surplus.plan.line.account')
        return super().multivalue_model(field)

    def get_surplus_line(self, company):
        "Return the values of the line for an appropriation of the company"
        pool = Pool()
        SurplusLine = pool.get('coop.surplus.line')
        values = {
            name: getattr(self, name) for name in [
                'sequence', 'name', 'kind', 'basis', 'rate', 'minimum_amount',
                'minimum_rate', 'maximum_rate', 'target', 'source']}
        line = SurplusLine(**values)
        line.account = (
            self.get_multivalue('account', company=company.id)
            or SurplusLine.get_account(self.kind, company))
        line.target_account = self.get_multivalue(
            'target_account', company=company.id)
        return line


class PlanLineAccount(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.surplus.plan.line.account'

    line = fields.Many2One(
        'coop.surplus.plan.line', "Line", ondelete='CASCADE',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    account = account_field(Eval('company', -1))
    target_account = target_account_field(Eval('company', -1))
