# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from proteus import Model

from trytond.modules.account.tests.tools import get_accounts
from trytond.modules.company.tests.tools import get_company

__all__ = [
    'create_cost_centers', 'create_resource', 'create_service',
    'create_tariff', 'create_usage', 'get_unit']


def get_unit(name='Hour', config=None):
    Uom = Model.get('product.uom', config=config)
    unit, = Uom.find([('name', '=', name)], limit=1)
    return unit


def create_cost_centers(*names, company=None, config=None):
    "Create analytic accounts under one root, and return them"
    Account = Model.get('analytic_account.account', config=config)

    if not company:
        company = get_company(config=config)

    roots = Account.find([
            ('type', '=', 'root'),
            ('company', '=', company.id),
            ], limit=1)
    if roots:
        root, = roots
    else:
        root = Account(
            type='root', name="Cost Centres", company=company,
            state='opened')
        root.save()
    accounts = []
    for name in names:
        account = Account(
            type='normal', name=name, root=root, parent=root,
            company=company, state='opened')
        account.save()
        accounts.append(account)
    return accounts


def create_service(
        name="Use of the Commons", account=None, taxes=None, unit=None,
        company=None, config=None):
    "Create the product that is billed"
    Category = Model.get('product.category', config=config)
    Template = Model.get('product.template', config=config)

    accounts = get_accounts(company, config=config)
    category = Category(name=name, accounting=True)
    category.account_expense = accounts['expense']
    category.account_revenue = account or accounts['revenue']
    for tax in taxes or []:
        category.customer_taxes.append(tax)
    category.save()
    template = Template(name=name, type='service')
    template.default_uom = unit or get_unit(config=config)
    template.account_category = category
    template.save()
    product, = template.products
    return product


def create_resource(name, unit=None, company=None, config=None, **values):
    "Create a resource, its unit is the hour by default"
    Resource = Model.get('coop.commons.resource', config=config)

    if not company:
        company = get_company(config=config)

    resource = Resource(
        name=name, company=company, unit=unit or get_unit(config=config))
    for unit in values.pop('other_units', []):
        resource.other_units.append(unit)
    for fname, value in values.items():
        setattr(resource, fname, value)
    resource.save()
    return resource


def create_tariff(
        name, components, date=dt.date(2000, 1, 1), approve=True,
        company=None, config=None, **values):
    """Create a tariff, by default approved

    The components are dictionaries, of which tiers and bands are lists of
    dictionaries.
    """
    Tariff = Model.get('coop.commons.tariff', config=config)

    if not company:
        company = get_company(config=config)

    tariff = Tariff(name=name, company=company, valid_from=date)
    for category in values.pop('member_categories', []):
        tariff.member_categories.append(category)
    for fname, value in values.items():
        setattr(tariff, fname, value)
    for component_values in components:
        component = tariff.components.new()
        component_values = dict(component_values)
        lines = {
            name: component_values.pop(name, [])
            for name in ['tiers', 'bands']}
        for fname, value in component_values.items():
            setattr(component, fname, value)
        for fname, lines_values in lines.items():
            for line_values in lines_values:
                line = getattr(component, fname).new()
                for line_fname, value in line_values.items():
                    setattr(line, line_fname, value)
    tariff.save()
    if approve:
        tariff.click('approve')
    return tariff


def create_usage(
        resource, user, start, end=None, quantities=None, confirm=True,
        company=None, config=None, **values):
    """Create a usage of a member, a party or an analytic account, by default
    confirmed

    The quantities are a mapping of the unit to the quantity.
    """
    Usage = Model.get('coop.commons.usage', config=config)

    if not company:
        company = get_company(config=config)

    usage = Usage(company=company, resource=resource, start=start, end=end)
    fname = {
        'coop.member': 'member',
        'party.party': 'party',
        'analytic_account.account': 'cost_center',
        }[user.__class__.__name__]
    setattr(usage, fname, user)
    for unit, quantity in (quantities or {}).items():
        line = usage.quantities.new()
        line.unit, line.quantity = unit, quantity
    for fname, value in values.items():
        setattr(usage, fname, value)
    usage.save()
    if confirm:
        usage.click('confirm')
    return usage
