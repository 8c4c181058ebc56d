# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from dateutil.relativedelta import relativedelta

from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.transaction import Transaction
from trytond.wizard import Button, StateAction, StateTransition, StateView

from .account_proposal import CASH, Chart, configure, create_account
from .company_setup import (
    create_category, create_chart, create_fiscalyear, create_payment_method,
    create_share_class, create_surplus, set_configurations,
    set_default_category)
from .law_setting import CATEGORY, SHARE_CLASS, get_values


class ConfigurationStart(ModelView):
    __name__ = 'coop.configuration.start'
    __string__ = "Configure a Cooperative"

    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    has_chart = fields.Function(
        fields.Boolean("Has Chart"), 'on_change_with_has_chart')
    account_template = fields.Many2One(
        'account.account.template', "Chart of Accounts",
        domain=[
            ('parent', '=', None),
            ],
        states={
            'invisible': Eval('has_chart', False),
            'required': ~Eval('has_chart', False),
            },
        help="The template of the accounts of the company.")
    has_fiscalyear = fields.Function(
        fields.Boolean("Has Fiscal Year"), 'on_change_with_has_fiscalyear')
    start_date = fields.Date(
        "First Day",
        domain=[If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<', Eval('end_date', None)), ())],
        states={
            'invisible': Eval('has_fiscalyear', False),
            'required': ~Eval('has_fiscalyear', False),
            },
        help="The first day of the first fiscal year.")
    end_date = fields.Date(
        "Last Day",
        states={
            'invisible': Eval('has_fiscalyear', False),
            'required': ~Eval('has_fiscalyear', False),
            },
        help="The last day of the first fiscal year.")
    category_name = fields.Char(
        "Member Category",
        help="The category of the members.\n"
        "Leave empty to create the categories later.")
    notice_months = fields.Integer(
        "Notice",
        domain=[If(Eval('category_name'), ('notice_months', '>=', 0), ())],
        states={
            'invisible': ~Eval('category_name'),
            'required': Eval('category_name', False),
            },
        help="The number of months between the notice and the exit.")
    share_name = fields.Char(
        "Share Class",
        help="The class of the shares that each member holds.\n"
        "Leave empty to create the classes later.")
    share_code = fields.Char(
        "Share Code",
        states={
            'invisible': ~Eval('share_name'),
            'required': Eval('share_name', False),
            })
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency',
        domain=[If(Eval('share_name'), ('par_value', '>', 0), ())],
        states={
            'invisible': ~Eval('share_name'),
            'required': Eval('share_name', False),
            },
        help="The nominal value of a share.")
    plan = fields.Many2One(
        'coop.surplus.plan', "Surplus Plan",
        help="The plan to appropriate the surplus of the fiscal year by.\n"
        "Leave empty to choose it later.")
    settings = fields.One2Many(
        'coop.configuration.setting', None, "Settings", readonly=True,
        states={
            'invisible': ~Eval('settings', [0]),
            },
        help="What the law of the plan asks for: it is set for the company, "
        "the category and the share class.")
    needs_registration_date = fields.Function(
        fields.Boolean("Needs Registration Date"),
        'on_change_with_needs_registration_date')
    registration_date = fields.Date("Registration Date",
        states={
            'invisible': ~Eval('needs_registration_date', False),
            'required': Eval('needs_registration_date', False),
            },
        help="When the cooperative was registered, after which the law of "
        "the plan asks for more in the first years.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_start_date(cls):
        return Pool().get('ir.date').today().replace(month=1, day=1)

    @classmethod
    def default_end_date(cls):
        return Pool().get('ir.date').today().replace(month=12, day=31)

    @classmethod
    def default_notice_months(cls):
        return 3

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('plan')
    def on_change_plan(self):
        self.settings = self.plan.settings if self.plan else []
        for setting in self.settings:
            if (setting.model, setting.field) == (CATEGORY, 'notice_months'):
                self.notice_months = int(setting.value)

    @fields.depends('plan')
    def on_change_with_needs_registration_date(self, name=None):
        return bool(self.plan) and any(
            rule.kind == 'first_years' for rule in self.plan.rules)

    @fields.depends('company')
    def on_change_with_has_chart(self, name=None):
        return self._has('account.account')

    @fields.depends('company')
    def on_change_with_has_fiscalyear(self, name=None):
        return self._has('account.fiscalyear')

    def _has(self, model):
        Model = Pool().get(model)
        return bool(self.company and Model.search([
                    ('company', '=', self.company.id),
                    ], limit=1))

    @fields.depends('start_date')
    def on_change_start_date(self):
        if self.start_date:
            self.end_date = self.start_date + relativedelta(
                years=1) - dt.timedelta(days=1)


class ConfigurationAccounts(ModelView):
    __name__ = 'coop.configuration.accounts'
    __string__ = "Accounts of a Cooperative"

    company = fields.Many2One('company.company', "Company", readonly=True)
    lines = fields.One2Many(
        'coop.configuration.account', None, "Accounts",
        help="What the cooperative needs and the chart does not have: choose "
        "the account that serves, or leave it empty to create a new one.")


class ConfigurationAccount(ModelView):
    __name__ = 'coop.configuration.account'
    __string__ = "Account of a Cooperative"

    company = fields.Many2One('company.company', "Company", readonly=True)
    module = fields.Char("Module", readonly=True)
    key = fields.Char("Key", readonly=True)
    template = fields.Many2One(
        'account.account.template', "Needed For", readonly=True,
        help="What the account is for.")
    account = fields.Many2One(
        'account.account', "Account",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('closed', '!=', True),
            ('type', '!=', None),
            ],
        help="The account of the chart that serves.\n"
        "Leave empty to create the new account.")
    code = fields.Char(
        "New Code", states={'invisible': Bool(Eval('account'))})
    name = fields.Char(
        "New Account",
        states={
            'invisible': Bool(Eval('account')),
            'required': ~Eval('account'),
            })
    parent = fields.Many2One(
        'account.account', "Parent",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={'invisible': Bool(Eval('account'))},
        help="The account under which the new one is.")
    type = fields.Many2One(
        'account.account.type', "Under the Type",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={'invisible': Bool(Eval('account'))},
        help="Where the balance sheet or the income statement shows the new "
        "account.")


class Configuration(CheckedWizard):
    __name__ = 'coop.configuration'
    __string__ = "Configure a Cooperative"
    start = StateView(
        'coop.configuration.start', 'coop.configuration_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Configure", 'configure', 'tryton-ok', default=True),
            ])
    configure = StateTransition()
    accounts = StateView(
        'coop.configuration.accounts',
        'coop.configuration_accounts_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Configure", 'complete', 'tryton-ok', default=True),
            ])
    complete = StateTransition()
    plans = StateAction('coop_patronage.act_plan_form')

    def transition_configure(self):
        start = self.start
        company = start.company
        with Transaction().set_context(company=company.id):
            if not start.has_chart:
                create_chart(company, start.account_template)
            if Chart(company).missing:
                return 'accounts'
        return self.transition_complete()

    def default_accounts(self, fields):
        company = self.start.company
        with Transaction().set_context(company=company.id):
            chart = Chart(company)
            keys = {t: key for key, t in chart.needed.items()}
            lines = []
            for proposal in chart.missing:
                module, key = keys[proposal.template]
                lines.append({
                        'company': company.id,
                        'module': module,
                        'key': key,
                        'template': proposal.template.id,
                        'account': getattr(proposal.account, 'id', None),
                        'code': proposal.code,
                        'name': proposal.name,
                        'parent': getattr(proposal.parent, 'id', None),
                        'type': getattr(proposal.type, 'id', None),
                        })
        return {'company': company.id, 'lines': lines}

    def transition_complete(self):
        start = self.start
        company = start.company
        with Transaction().set_context(company=company.id):
            chosen = {}
            for line in getattr(self.accounts, 'lines', ()):
                chosen[line.module, line.key] = (
                    line.account or create_account(
                        company, line.template, line.name, line.code,
                        line.parent, line.type))
            configure(company, chosen)
            chart = Chart(company)
            chart.configured.update(chosen)
            if not start.has_fiscalyear:
                create_fiscalyear(company, start.start_date, start.end_date)
            values = {}
            if start.plan:
                values = get_values(start.plan.settings, chart)
                set_configurations(values)
            create_payment_method(company, chart.get_account(CASH))
            category = None
            if start.category_name:
                category = create_category(
                    company, start.category_name, **{
                        **values.get(CATEGORY, {}),
                        'notice_months': start.notice_months})
            if start.share_name:
                create_share_class(
                    company, start.share_name, start.share_code,
                    start.par_value, chart, **values.get(SHARE_CLASS, {}))
            if category:
                set_default_category(category)
            if start.plan:
                create_surplus(
                    company, start.plan, start.registration_date)
        return 'plans'
