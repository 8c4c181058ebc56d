# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction
from trytond.wizard import (
    Button, StateAction, StateTransition, StateView, Wizard)

from .exceptions import ConfigurationError

# The accounts of a share class, by their name in the templates of the charts
SHARE_ACCOUNTS = [
    'capital', 'subscribed', 'redemption', 'premium', 'loss', 'deduction',
    'lapsed']
CASH = 'account_template_1_1_1'
RECEIVABLE = 'account_template_1_2_1'
PAYABLE = 'account_template_2_1_1'


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


class Configuration(Wizard):
    __name__ = 'coop.configuration'
    __string__ = "Configure a Cooperative"
    start = StateView(
        'coop.configuration.start', 'coop.configuration_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Configure", 'configure', 'tryton-ok', default=True),
            ])
    configure = StateTransition()
    plans = StateAction('coop_patronage.act_plan_form')

    def transition_configure(self):
        with Transaction().set_context(company=self.start.company.id):
            if not self.start.has_chart:
                self.create_chart()
            if not self.start.has_fiscalyear:
                self.create_fiscalyear()
            self.create_payment_method()
            category = None
            if self.start.category_name:
                category = self.create_category()
            if self.start.share_name:
                self.create_share_class()
            if category:
                self.set_default_category(category)
            if self.start.plan:
                self.create_surplus()
        return 'plans'

    def create_chart(self):
        pool = Pool()
        CreateChart = pool.get('account.create_chart', type='wizard')
        session, *_ = CreateChart.create()
        create = CreateChart(session)
        create.account.company = self.start.company
        create.account.account_template = self.start.account_template
        create.transition_create_account()
        for name, value in create.default_properties([]).items():
            setattr(create.properties, name, value)
        # The accounts of the shares are receivable and payable as well
        create.properties.account_receivable = self.find_account(
            'account', RECEIVABLE)
        create.properties.account_payable = self.find_account(
            'account', PAYABLE)
        create.transition_create_properties()
        CreateChart.delete(session)

    def find_account(self, module, template):
        "Return the account of the company made from the template"
        pool = Pool()
        Account = pool.get('account.account')
        ModelData = pool.get('ir.model.data')
        templates = ModelData.search([
                ('module', '=', module),
                ('fs_id', 'like', template.replace('_', r'\_') + r'\___'),
                ('model', '=', 'account.account.template'),
                ])
        accounts = Account.search([
                ('company', '=', self.start.company.id),
                ('template', 'in', [t.db_id for t in templates]),
                ], limit=1)
        return accounts[0] if accounts else None

    def create_fiscalyear(self):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        FiscalYear = pool.get('account.fiscalyear')
        InvoiceSequence = pool.get('account.fiscalyear.invoice_sequence')
        Journal = pool.get('account.journal')
        Period = pool.get('account.period')
        start_date, end_date = self.start.start_date, self.start.end_date
        name = str(start_date.year)
        if end_date.year != start_date.year:
            name += f'/{end_date.year}'
        invoice, credit_note, supplier = (
            self.create_sequence(
                f'{string} {name}',
                'account_invoice', 'sequence_type_account_invoice')
            for string in [
                gettext('coop.msg_configuration_invoice'),
                gettext('coop.msg_configuration_credit_note'),
                gettext('coop.msg_configuration_supplier_invoice'),
                ])
        fiscalyear = FiscalYear(
            name=name,
            company=self.start.company,
            start_date=start_date,
            end_date=end_date,
            move_sequence=self.create_sequence(
                name, 'account', 'sequence_type_account_move'),
            invoice_sequences=[InvoiceSequence(
                    company=self.start.company,
                    out_invoice_sequence=invoice,
                    out_credit_note_sequence=credit_note,
                    in_invoice_sequence=supplier,
                    in_credit_note_sequence=supplier)])
        fiscalyear.save()
        FiscalYear.create_period([fiscalyear])
        # The years that are not created yet end in the same month
        configuration = Configuration(1)
        configuration.year_end_month = str(end_date.month)
        configuration.save()
        # The move that closes the year is posted apart
        if not Journal.search([('type', '=', 'situation')], limit=1):
            Journal(
                name=gettext('coop.msg_configuration_closing_journal'),
                type='situation').save()
        Period(
            name=gettext('coop.msg_configuration_closing', name=name),
            fiscalyear=fiscalyear,
            type='adjustment',
            start_date=end_date,
            end_date=end_date).save()

    def create_sequence(self, name, module, type):
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        Sequence = pool.get('ir.sequence.strict')
        sequence = Sequence(
            name=name,
            company=self.start.company,
            sequence_type=ModelData.get_id(module, type))
        sequence.save()
        return sequence

    def create_payment_method(self):
        "Let subscriptions be paid in cash where there is no method yet"
        pool = Pool()
        Journal = pool.get('account.journal')
        PaymentMethod = pool.get('account.invoice.payment.method')
        account = self.find_account('account', CASH)
        journals = Journal.search([('type', '=', 'cash')], limit=1)
        if (not account or not journals or PaymentMethod.search([
                        ('company', '=', self.start.company.id),
                        ], limit=1)):
            return
        PaymentMethod(
            name=journals[0].name,
            company=self.start.company,
            journal=journals[0],
            debit_account=account,
            credit_account=account).save()

    def create_category(self):
        Category = Pool().get('coop.member.category')
        category = Category(
            name=self.start.category_name,
            company=self.start.company,
            notice_months=self.start.notice_months)
        category.save()
        return category

    def set_default_category(self, category):
        Configuration = Pool().get('coop.membership.configuration')
        configuration = Configuration(1)
        configuration.default_category = category
        configuration.save()

    def create_share_class(self):
        ShareClass = Pool().get('coop.share.class')
        accounts = {
            f'account_{name}': self.find_account(
                'coop_shares', f'account_template_{name}')
            for name in SHARE_ACCOUNTS}
        for name in ['capital', 'subscribed', 'redemption']:
            if not accounts[f'account_{name}']:
                raise ConfigurationError(gettext(
                        'coop.msg_configuration_account',
                        share_class=self.start.share_name,
                        company=self.start.company.rec_name))
        ShareClass(
            company=self.start.company,
            name=self.start.share_name,
            code=self.start.share_code,
            par_value=self.start.par_value,
            minimum=Decimal(1),
            **accounts).save()

    def create_surplus(self):
        "Prepare the appropriation of the last fiscal year with the plan"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Surplus = pool.get('coop.surplus')
        fiscalyear, = FiscalYear.search([
                ('company', '=', self.start.company.id),
                ], order=[('start_date', 'DESC')], limit=1)
        surplus = Surplus(
            company=self.start.company, fiscalyear=fiscalyear,
            plan=self.start.plan)
        surplus.on_change_plan()
        surplus.save()
