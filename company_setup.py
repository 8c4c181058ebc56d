# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"Create what the books of a new cooperative start with"
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSingleton
from trytond.modules.coop_membership.chart import find_account
from trytond.pool import Pool

from .exceptions import ConfigurationError
from .fiscalyear import create_closing_period

RECEIVABLE = ('account', 'account_template_1_2_1')
PAYABLE = ('account', 'account_template_2_1_1')


def create_chart(company, template):
    pool = Pool()
    CreateChart = pool.get('account.create_chart', type='wizard')
    session, *_ = CreateChart.create()
    create = CreateChart(session)
    create.account.company = company
    create.account.account_template = template
    create.transition_create_account()
    for name, value in create.default_properties([]).items():
        setattr(create.properties, name, value)
    # The accounts of the shares are receivable and payable as well
    for name, key in [
            ('receivable', RECEIVABLE),
            ('payable', PAYABLE)]:
        account = (
            find_account(company, *key)
            or getattr(create.properties, f'account_{name}', None)
            or _find_party_account(company, name))
        setattr(create.properties, f'account_{name}', account)
    create.transition_create_properties()
    CreateChart.delete(session)


def _find_party_account(company, flag):
    "Return the first account on which parties owe, or are owed"
    Account = Pool().get('account.account')
    accounts = Account.search([
            ('company', '=', company.id),
            (f'type.{flag}', '=', True),
            ('party_required', '=', True),
            ('reconcile', '=', True),
            ('closed', '!=', True),
            ], order=[('code', 'ASC'), ('id', 'ASC')], limit=1)
    return accounts[0] if accounts else None


def create_fiscalyear(company, start_date, end_date):
    pool = Pool()
    Configuration = pool.get('coop.membership.configuration')
    FiscalYear = pool.get('account.fiscalyear')
    InvoiceSequence = pool.get('account.fiscalyear.invoice_sequence')
    Journal = pool.get('account.journal')
    name = str(start_date.year)
    if end_date.year != start_date.year:
        name += f'/{end_date.year}'
    invoice, credit_note, supplier = (
        create_sequence(
            company, f'{string} {name}',
            'account_invoice', 'sequence_type_account_invoice')
        for string in [
            gettext('coop.msg_configuration_invoice'),
            gettext('coop.msg_configuration_credit_note'),
            gettext('coop.msg_configuration_supplier_invoice'),
            ])
    fiscalyear = FiscalYear(
        name=name,
        company=company,
        start_date=start_date,
        end_date=end_date,
        move_sequence=create_sequence(
            company, name, 'account', 'sequence_type_account_move'),
        invoice_sequences=[InvoiceSequence(
                company=company,
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
    create_closing_period(fiscalyear)


def create_sequence(company, name, module, type):
    pool = Pool()
    ModelData = pool.get('ir.model.data')
    Sequence = pool.get('ir.sequence.strict')
    sequence = Sequence(
        name=name,
        company=company,
        sequence_type=ModelData.get_id(module, type))
    sequence.save()
    return sequence


def create_payment_method(company, account):
    "Let subscriptions be paid on the account where there is no method yet"
    pool = Pool()
    Journal = pool.get('account.journal')
    PaymentMethod = pool.get('account.invoice.payment.method')
    journals = Journal.search([('type', '=', 'cash')], limit=1)
    if (not account or not journals or PaymentMethod.search([
                    ('company', '=', company.id),
                    ], limit=1)):
        return
    PaymentMethod(
        name=journals[0].name,
        company=company,
        journal=journals[0],
        debit_account=account,
        credit_account=account).save()


def set_configurations(values):
    "Set the values by model of those that are configurations"
    pool = Pool()
    for name, settings in values.items():
        Model = pool.get(name)
        if issubclass(Model, ModelSingleton):
            configuration = Model(1)
            for field, value in settings.items():
                setattr(configuration, field, value)
            configuration.save()


def create_category(company, name, **values):
    Category = Pool().get('coop.member.category')
    category = Category(name=name, company=company, **values)
    category.save()
    return category


def set_default_category(category):
    Configuration = Pool().get('coop.membership.configuration')
    configuration = Configuration(1)
    configuration.default_category = category
    configuration.save()


def get_class_account(account, code):
    """Return the account of the capital of another class

    With a type of its own, for the balance sheet tells the classes apart.
    """
    pool = Pool()
    Account = pool.get('account.account')
    Type = pool.get('account.account.type')
    type_, = Type.copy([account.type], default={
            'name': f'{account.type.name} {code}',
            'parent': account.type.id,
            'template': None,
            'childs': None,
            })
    separator = '' if (account.code or '').isdecimal() else '.'
    account, = Account.copy([account], default={
            'name': f'{account.name} {code}',
            'code': f'{account.code}{separator}{code}'
            if account.code else None,
            'type': type_.id,
            'template': None,
            'childs': None,
            })
    return account


def create_share_class(company, name, code, par_value, chart, **values):
    ShareClass = Pool().get('coop.share.class')
    accounts = {
        field: chart.get_account(key)
        for field, key in ShareClass._chart_accounts.items()}
    for account in ['capital', 'subscribed', 'redemption']:
        if not accounts[f'account_{account}']:
            raise ConfigurationError(gettext(
                    'coop.msg_configuration_account',
                    share_class=name,
                    company=company.rec_name))
    capital = accounts['account_capital']
    if ShareClass.search([('account_capital', '=', capital.id)], limit=1):
        accounts['account_capital'] = get_class_account(capital, code)
    ShareClass(
        company=company,
        name=name,
        code=code,
        par_value=par_value,
        minimum=Decimal(1),
        **{**accounts, **values}).save()


def create_surplus(company, plan, registration_date=None):
    "Prepare the appropriation of the last fiscal year with the plan"
    pool = Pool()
    Configuration = pool.get('coop.patronage.configuration')
    FiscalYear = pool.get('account.fiscalyear')
    Surplus = pool.get('coop.surplus')
    fiscalyear, = FiscalYear.search([
            ('company', '=', company.id),
            ], order=[('start_date', 'DESC')], limit=1)
    if registration_date:
        configuration = Configuration(1)
        configuration.registration_date = registration_date
        configuration.save()
    surplus = Surplus(company=company, fiscalyear=fiscalyear, plan=plan)
    surplus.on_change_plan()
    surplus.save()
