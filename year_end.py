# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What is to do at the end of a fiscal year, in the order it is done"""
from sql import Cast, Literal, Select, Union

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.agreement import check_books
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

# The steps with the action by which each is done
STEPS = [
    ('cut_off', "Bill the Use of the Year", 'coop_commons.act_usage_form'),
    ('accruals', "Post What Is in Draft", 'account.act_move_form'),
    ('depreciation', "Depreciate the Assets",
        'account_asset.wizard_create_moves'),
    ('settlement', "Settle the Costs with the Users",
        'coop_commons_cost.act_settlement_form'),
    ('accrue', "Accrue What Is Owed to Patrons",
        'coop_patronage.act_surplus_form'),
    ('reconcile', "Reconcile", 'account.act_reconcile'),
    ('check', "Check the Books", 'coop.wizard_check'),
    ('closing_period', "Have a Closing Period", 'account.act_period_form'),
    ('balance', "Close the Result", 'account.act_balance_non_deferral'),
    ('lock', "Close the Year", 'account.act_fiscalyear_form_close'),
    ('next_year', "Create the Next Year", 'account.act_renew_fiscalyear'),
    ('meeting', "Let the Meeting Decide",
        'coop_membership.act_meeting_form'),
    ('appropriation', "Appropriate the Surplus",
        'coop_patronage.act_surplus_form'),
    ('payout', "Pay Out", 'coop_patronage.act_allocation_form'),
    ('papers', "Print the Report", 'coop.wizard_assembly_report'),
    ('audit', "Hand Out the Audit File", 'coop.wizard_audit_file'),
    ]
# What can be done at any time, and is never seen to be done
_ANY_TIME = {'papers', 'audit'}


class YearEndContext(ModelView):
    __name__ = 'coop.year_end.context'
    __string__ = "Year End"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The year that comes to its end.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_fiscalyear(cls):
        "The first that is not closed"
        FiscalYear = Pool().get('account.fiscalyear')
        fiscalyears = FiscalYear.search([
                ('company', '=', Transaction().context.get('company', -1)),
                ('state', '=', 'open'),
                ], order=[('start_date', 'ASC')], limit=1)
        return fiscalyears[0].id if fiscalyears else None


class YearEnd(ModelSQL, ModelView):
    __name__ = 'coop.year_end'
    __string__ = "Year End"

    company = fields.Many2One('company.company', "Company")
    fiscalyear = fields.Many2One('account.fiscalyear', "Fiscal Year")
    step = fields.Selection(
        [(name, string) for name, string, _ in STEPS], "Step", sort=False)
    state = fields.Function(fields.Selection([
                ('todo', "To Do"),
                ('done', "Done"),
                ('any', "At Any Time"),
                ], "State", sort=False,
            help="To Do: there is something left.\n"
            "Done: nothing is left.\n"
            "At Any Time: it may be done again."), 'get_state')
    left = fields.Function(fields.Integer("Left",
            help="How much is left to do."), 'get_state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('id', 'ASC')]
        cls._buttons.update({
                'do': {},
                })

    @classmethod
    def table_query(cls):
        context = Transaction().context
        type_ = cls.step.sql_type().base
        return Union(*(
                Select([
                        Literal(i).as_('id'),
                        Cast(context.get('company'), 'INTEGER').as_(
                            'company'),
                        Cast(context.get('fiscalyear'), 'INTEGER').as_(
                            'fiscalyear'),
                        Cast(Literal(name), type_).as_('step'),
                        ])
                for i, (name, *_) in enumerate(STEPS, 1)), all_=True)

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual', 'muted', {'state': 'done'}),
            ]

    @classmethod
    def get_state(cls, steps, names):
        result = {name: {} for name in names}
        for step in steps:
            left = None
            if step.fiscalyear and step.step not in _ANY_TIME:
                left = getattr(cls, f'_left_{step.step}')(step.fiscalyear)
            if 'left' in names:
                result['left'][step.id] = left
            if 'state' in names:
                result['state'][step.id] = (
                    'any' if left is None else 'todo' if left else 'done')
        return result

    def get_rec_name(self, name):
        return self.step

    @classmethod
    @ModelView.button
    def do(cls, steps):
        pool = Pool()
        Action = pool.get('ir.action')
        ModelData = pool.get('ir.model.data')
        actions = {name: action for name, _, action in STEPS}
        for step in steps:
            module, name = actions[step.step].split('.')
            return Action(Action.get_action_id(
                    ModelData.get_id(module, name))).get_action_value()

    @classmethod
    def _count(cls, model, *domain):
        return Pool().get(model).search(list(domain), count=True)

    @classmethod
    def _left_cut_off(cls, year):
        return cls._count(
            'coop.commons.usage',
            ('company', '=', year.company.id),
            ('date', '<=', year.end_date),
            ('state', 'in', ['draft', 'confirmed', 'rated']))

    @classmethod
    def _left_accruals(cls, year):
        return cls._count(
            'account.move',
            ('period.fiscalyear', '=', year.id),
            ('period.type', '=', 'standard'),
            ('state', '=', 'draft'),
            ) + cls._count(
            'account.invoice',
            ('company', '=', year.company.id),
            ('state', 'in', ['draft', 'validated']),
            ['OR',
                ('accounting_date', '<=', year.end_date),
                [
                    ('accounting_date', '=', None),
                    ('invoice_date', '<=', year.end_date),
                    ],
                ])

    @classmethod
    def _left_depreciation(cls, year):
        return cls._count(
            'account.asset.line',
            ('asset.company', '=', year.company.id),
            ('asset.state', '=', 'running'),
            ('date', '<=', year.end_date),
            ('move', '=', None))

    @classmethod
    def _left_settlement(cls, year):
        Settlement = Pool().get('coop.commons.settlement')
        settled = [
            s.cost_pool.id for s in Settlement.search([
                    ('fiscalyear', '=', year.id),
                    ('state', '=', 'posted'),
                    ])]
        return cls._count(
            'coop.commons.cost_pool',
            ('company', '=', year.company.id),
            ('settlement_account', '!=', None),
            ('id', 'not in', settled))

    @classmethod
    def _left_accrue(cls, year):
        return cls._count(
            'coop.surplus',
            ('fiscalyear', '=', year.id),
            ('state', '!=', 'cancelled'),
            ['OR',
                ('recognition', '!=', 'appropriation'),
                [
                    ('lines.kind', '=', 'fund'),
                    ('lines.fund.kind', '=', 'expense'),
                    ],
                ],
            ('accrual_move', '=', None))

    @classmethod
    def _left_reconcile(cls, year):
        "How many accounts and parties owe and are owed at once"
        Line = Pool().get('account.move.line')
        sides = [{
                (l.account.id, l.party.id if l.party else None)
                for l in Line.search([
                        ('account.company', '=', year.company.id),
                        ('account.reconcile', '=', True),
                        ('reconciliation', '=', None),
                        ('move.state', '=', 'posted'),
                        ('date', '<=', year.end_date),
                        (side, '>', 0),
                        ])}
            for side in ['debit', 'credit']]
        return len(sides[0] & sides[1])

    @classmethod
    def _left_check(cls, year):
        return sum(
            1 for d in check_books(year.company, year.end_date)
            if d.kind == 'error')

    @classmethod
    def _left_next_year(cls, year):
        return int(not cls._count(
                'account.fiscalyear',
                ('company', '=', year.company.id),
                ('start_date', '>', year.end_date)))

    @classmethod
    def _left_closing_period(cls, year):
        return int(not any(p.type == 'adjustment' for p in year.periods))

    @classmethod
    def _left_balance(cls, year):
        "How many accounts of the result have a balance"
        Account = Pool().get('account.account')
        with Transaction().set_context(
                company=year.company.id, fiscalyear=year.id, date=None,
                posted=True, cumulate=False):
            return sum(
                1 for a in Account.search([
                        ('company', '=', year.company.id),
                        ('type.statement', '=', 'income'),
                        ]) if a.balance)

    @classmethod
    def _left_meeting(cls, year):
        decided = {
            item.purpose for item in Pool().get('coop.meeting.item').search([
                    ('fiscalyear', '=', year.id),
                    ('purpose', 'in', ['accounts', 'appropriation']),
                    ('meeting.state', '=', 'closed'),
                    ])}
        return len({'accounts', 'appropriation'} - decided)

    @classmethod
    def _left_appropriation(cls, year):
        return int(not cls._count(
                'coop.surplus',
                ('fiscalyear', '=', year.id),
                ('state', '=', 'posted')))

    @classmethod
    def _left_payout(cls, year):
        return cls._count(
            'coop.patronage.allocation',
            ('surplus.fiscalyear', '=', year.id),
            ('state', '=', 'posted'),
            ('kept', '=', False),
            ('is_open', '=', True))

    @classmethod
    def _left_lock(cls, year):
        return int(year.state == 'open')
