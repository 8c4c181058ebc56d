# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import (
    DeactivableMixin, ModelSQL, ModelView, fields, sequence_ordered)
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.pool import Pool
from trytond.pyson import Eval

RECOGNITIONS = [
    ('appropriation', "Appropriation"),
    ('expense', "Expense"),
    ('revenue_reduction', "Reduction of Revenue"),
    ]
MEMBER_RATIO_BASES = [
    ('turnover', "Turnover"),
    ('purchases', "Purchases"),
    ('hours', "Hours"),
    ('fixed', "Fixed"),
    ]


def account_field(company):
    return fields.Many2One(
        'account.account', "Account",
        domain=[
            ('type.statement', '=', 'balance'),
            ('deferral', '=', True),
            ('closed', '!=', True),
            ('party_required', '!=', True),
            ('company', '=', company),
            ],
        help="The account the line goes to.")


def target_account_field(company):
    return fields.Many2One(
        'account.account', "Target Account",
        domain=[
            ('type.statement', '=', 'balance'),
            ('closed', '!=', True),
            ('company', '=', company),
            ],
        help="The account whose balance the target is a part of.")


class LineMixin(sequence_ordered()):
    "The rule of a line of an appropriation"
    __slots__ = ()

    name = fields.Char("Name", required=True, translate=True)
    kind = fields.Selection([
            ('loss_carried', "Loss Carried Forward"),
            ('reserve', "Reserve"),
            ('fund', "Fund"),
            ('share_dividend', "Share Dividend"),
            ('patronage', "Patronage"),
            ('carry_forward', "Carry Forward"),
            ('other', "Other"),
            ], "Kind", required=True, sort=False)
    basis = fields.Selection([
            ('result', "Result"),
            ('member_result', "Result with Members"),
            ('non_member_result', "Result with Non-Members"),
            ('remainder', "Remainder"),
            ('previous_line', "Previous Line"),
            ], "Basis", required=True, sort=False,
        help="What the rate applies to.\n"
        "The remainder is what the lines before leave. Lines of the "
        "remainder that follow each other share the same remainder, and "
        "the last of them takes the rest.")
    rate = fields.Numeric("Rate",
        help="The part of the basis.\n"
        "Leave empty for all of it.")
    minimum_rate = fields.Numeric("Minimum",
        help="The line is refused below this part of the basis.")
    maximum_rate = fields.Numeric("Maximum",
        help="The line is refused above this part of the basis.")
    target = fields.Numeric("Target",
        help="The line stops when its account reaches this part "
        "of the balance of the target account.")

    @classmethod
    def default_basis(cls):
        return 'result'


class Plan(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.surplus.plan'
    __string__ = "Surplus Plan"

    name = fields.Char("Name", required=True, translate=True)
    recognition = fields.Selection(
        RECOGNITIONS, "Recognition", required=True, sort=False,
        help="How patronage dividends are recognised.")
    member_ratio_basis = fields.Selection(
        MEMBER_RATIO_BASES, "Member Ratio Basis", required=True, sort=False,
        help="By what the part of the members in the result is measured.")
    notes = fields.Text("Notes", translate=True,
        help="The rules the plan follows and what it leaves open.")
    lines = fields.One2Many('coop.surplus.plan.line', 'plan', "Lines")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_recognition(cls):
        return 'appropriation'

    @classmethod
    def default_member_ratio_basis(cls):
        return 'turnover'


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
                'sequence', 'name', 'kind', 'basis', 'rate', 'minimum_rate',
                'maximum_rate', 'target']}
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
