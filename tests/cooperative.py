# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"Found cooperatives as their assistant does"
import datetime as dt
from decimal import Decimal

from trytond.pool import Pool


def create_own_chart(company):
    "Create a small chart made by hand, and return its accounts by code"
    pool = Pool()
    Account = pool.get('account.account')
    Type = pool.get('account.account.type')

    def type_(name, statement='balance', parent=None, **flags):
        record = Type(
            company=company, name=name, statement=statement, parent=parent,
            **flags)
        record.save()
        return record

    def account(code, name, type, party=False):
        record = Account(
            company=company, code=code, name=name, type=type,
            party_required=party, reconcile=party)
        record.save()
        return record
    assets = type_("Assets", assets=True)
    debts = type_("Debts")
    return {a.code: a for a in [
            account('1000', "Bank", assets),
            account('1100', "Debtors", type_(
                    "Debtors", parent=assets, assets=True, receivable=True),
                party=True),
            account('2000', "Creditors", type_(
                    "Creditors", parent=debts, payable=True), party=True),
            account('3000', "Legal Reserve", type_("Equity")),
            account('4000', "Sales", type_(
                    "Sales", statement='income', revenue=True)),
            account('5000', "Costs", type_(
                    "Costs", statement='income', expense=True)),
            ]}


def configure(company, template=None, plan=None, **values):
    "Go through the assistant, return what it asks about the accounts"
    Configuration = Pool().get('coop.configuration', type='wizard')
    session, *_ = Configuration.create()
    wizard = Configuration(session)
    start = wizard.start
    start.company = company
    start.has_chart, start.has_fiscalyear = not template, False
    start.account_template = template
    start.start_date = dt.date(2025, 1, 1)
    start.end_date = dt.date(2025, 12, 31)
    start.category_name = "Users"
    start.notice_months = 3
    start.share_name = "Shares"
    start.share_code = 'A'
    start.par_value = Decimal('100.00')
    start.registration_date = None
    start.plan = plan
    if plan:
        start.on_change_plan()
    for name, value in values.items():
        setattr(start, name, value)
    state = wizard.transition_configure()
    lines = []
    if state == 'accounts':
        lines = wizard.default_accounts([])['lines']
        wizard.accounts.lines = lines
        state = wizard.transition_complete()
    assert state == 'plans'
    return {
        line['key'].removeprefix('account_template_'): line
        for line in lines}
