# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from proteus import Model, Wizard

from trytond.modules.account.tests.tools import get_accounts
from trytond.modules.company.tests.tools import get_company

__all__ = [
    'EXTRAS', 'create_payment_method', 'create_share_class',
    'get_share_accounts', 'holdings', 'move_lines', 'pay', 'redeem',
    'subscribe']

# Scenarios with a bank and letters share a database
EXTRAS = [
    'account_payment_clearing', 'account_payment_sepa',
    'account_statement_rule', 'account_statement_sepa', 'notification_email']

# The codes of the accounts of the universal charts
ACCOUNTS = {
    'capital': '3.1.3',
    'unpaid': '3.1.4',
    'premium': '3.1.5',
    'allocated': '3.1.6',
    'loss': '3.2.5',
    'deduction': '3.2.6',
    'lapsed': '3.2.7',
    'subscribed': '1.2.4',
    'redemption': '2.1.5',
    }


def get_share_accounts(company=None, config=None):
    "Return the accounts of the shares, which are created where missing"
    Account = Model.get('account.account', config=config)
    if not company:
        company = get_company(config=config)
    others = get_accounts(company, config=config)
    types = {
        'subscribed': others['receivable'].type,
        'redemption': others['payable'].type,
        }
    accounts = {}
    for name, code in ACCOUNTS.items():
        found = Account.find([
                ('company', '=', company.id),
                ('code', '=', code),
                ], limit=1)
        if found:
            accounts[name], = found
            continue
        account = Account(
            company=company, code=code, name=name.capitalize())
        account.type = types.get(name) or _equity_type(company, config)
        account.party_required = name in {
            'capital', 'unpaid', 'allocated', *types}
        account.reconcile = name in types
        account.save()
        accounts[name] = account
    return accounts


def _equity_type(company, config):
    Type = Model.get('account.account.type', config=config)
    type, = Type.find([
            ('company', '=', company.id),
            ('statement', '=', 'balance'),
            ('assets', '!=', True),
            ('receivable', '!=', True),
            ('payable', '!=', True),
            ('childs', '=', None),
            ], limit=1)
    return type


def create_share_class(
        code='A', par=Decimal(50), company=None, config=None, two_step=False,
        **values):
    "Create a share class with its accounts"
    ShareClass = Model.get('coop.share.class', config=config)
    if not company:
        company = get_company(config=config)
    accounts = get_share_accounts(company, config=config)
    categories = values.pop('categories', [])
    share_class = ShareClass(
        company=company, code=code, name=f'Shares {code}', par_value=par)
    for name, account in accounts.items():
        if name not in {'unpaid', 'allocated'}:
            setattr(share_class, f'account_{name}', account)
    if values.get('kind') == 'allocated':
        share_class.account_capital = accounts['allocated']
    if two_step or values.get('effective') == 'payment':
        share_class.account_unpaid = accounts['unpaid']
    for name, value in values.items():
        setattr(share_class, name, value)
    for category in categories:
        share_class.categories.append(category)
    share_class.save()
    return share_class


def create_payment_method(name="Bank", company=None, config=None):
    "Create the method that pays through the cash account"
    Journal = Model.get('account.journal', config=config)
    PaymentMethod = Model.get('account.invoice.payment.method', config=config)
    if not company:
        company = get_company(config=config)
    accounts = get_accounts(company, config=config)
    methods = PaymentMethod.find([
            ('name', '=', name), ('company', '=', company.id)], limit=1)
    if methods:
        return methods[0]
    journal, = Journal.find([('type', '=', 'cash')], limit=1)
    method = PaymentMethod(
        name=name, company=company, journal=journal,
        debit_account=accounts['cash'], credit_account=accounts['cash'])
    method.save()
    return method


def subscribe(
        member, share_class, quantity, date, pay=True, config=None,
        **values):
    "Subscribe shares, which are confirmed and by default paid on the date"
    Subscription = Model.get('coop.share.subscription', config=config)
    subscription = Subscription(
        company=member.company, member=member, share_class=share_class)
    subscription.quantity = Decimal(quantity)
    subscription.date = date
    for name, value in values.items():
        setattr(subscription, name, value)
    subscription.save()
    subscription.click('confirm')
    if pay:
        _pay(subscription, date, config=config)
    return subscription


def pay(subscription, date, amount=None, config=None):
    "Pay the subscription, or a part of it"
    payment = Wizard(
        'coop.share.subscription.pay', [subscription], config=config)
    payment.form.date = date
    payment.form.payment_method = create_payment_method(
        company=subscription.company, config=config)
    if amount is not None:
        payment.form.amount = Decimal(amount)
    payment.execute('pay')
    subscription.reload()


_pay = pay


def redeem(
        member, share_class, quantity, end_date, reason='partial',
        settle=True, config=None, **values):
    "Redeem shares until they are to be paid"
    Redemption = Model.get('coop.share.redemption', config=config)
    redemption = Redemption(
        company=member.company, member=member, share_class=share_class)
    redemption.quantity = Decimal(quantity)
    redemption.request_date = values.pop('request_date', end_date)
    redemption.end_date = end_date
    redemption.reason = reason
    for name, value in values.items():
        setattr(redemption, name, value)
    redemption.save()
    skip_warning = redemption._config.skip_warning
    # It may be the last share
    redemption._config.skip_warning = True
    try:
        redemption.click('approve')
    finally:
        redemption._config.skip_warning = skip_warning
    redemption.click('end')
    if settle:
        redemption.settlement_date = redemption.move.date
        redemption.save()
        redemption.click('settle')
    return redemption


def holdings(member, date, config=None):
    "Return the quantity, amount and paid amount by code of share class"
    Holding = Model.get('coop.share.holding', config=config)
    with Holding._config.set_context(
            company=member.company.id, date=date):
        return {
            h.share_class.code: (h.quantity, h.amount, h.paid_amount)
            for h in Holding.find([('member', '=', member.id)])}


def move_lines(move):
    "Return the code of the account, the debit and credit of each line"
    return sorted(
        (l.account.code, l.debit, l.credit, l.party.name if l.party else '')
        for l in move.lines)
