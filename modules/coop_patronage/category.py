# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.model import (
    Check, DeactivableMixin, ModelSQL, ModelView, Unique, fields)
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction

from .part import number


def has_usage(categories):
    "Return if the use of the commons is among the categories"
    return any(c.source == 'commons' for c in categories)


class Category(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.category'
    __string__ = "Patronage Category"

    name = fields.Char("Name", required=True, translate=True)
    code = fields.Char("Code")
    company = fields.Many2One('company.company', "Company", required=True)
    source = fields.Selection([
            ('entry', "Entries"),
            ('customer_invoice', "Customer Invoices"),
            ('supplier_invoice', "Supplier Invoices"),
            ], "Source", required=True, sort=False,
        help="Where the activity of the patrons is recorded.")
    measure = fields.Selection([
            ('amount', "Amount"),
            ('quantity', "Quantity"),
            ], "Measure", required=True, sort=False,
        help="Amounts are untaxed and in the currency of the company.")
    unit = fields.Many2One(
        'product.uom', "Unit", ondelete='RESTRICT',
        states={
            'invisible': Eval('measure') != 'quantity',
            'required': ((Eval('measure') == 'quantity')
                & Eval('source').in_(
                    ['customer_invoice', 'supplier_invoice', 'commons'])),
            },
        help="The unit in which quantities are measured.\n"
        "What is in another category of units does not count. "
        "Timesheets are measured in hours if it is empty.")
    product_categories = fields.Many2Many(
        'coop.patronage.category-product.category',
        'patronage_category', 'product_category', "Product Categories",
        states={
            'invisible': ~Eval('source').in_(
                ['customer_invoice', 'supplier_invoice']),
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Count only products of these categories or their children.\n"
        "Leave empty for all.")
    accounts = fields.Many2Many(
        'coop.patronage.category-account.account',
        'patronage_category', 'account', "Accounts",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('closed', '!=', True),
            ],
        states={
            'invisible': ~Eval('source').in_(
                ['customer_invoice', 'supplier_invoice']),
            },
        help="Count only the lines of these accounts.\n"
        "Leave empty for all.")
    weight = fields.Numeric("Weight", required=True,
        domain=[
            ('weight', '>=', 0),
            ],
        help="By what the measure is multiplied in the pools.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._order.insert(0, ('name', 'ASC'))
        cls._sql_constraints += [
            ('code_unique', Unique(t, t.company, t.code),
                'coop_patronage.msg_category_code_unique'),
            ('weight_positive', Check(t, number(t.weight) >= 0),
                'coop_patronage.msg_category_weight'),
            ]
        cls.company.states['readonly'] = Bool(Eval('id', -1) > 0)

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_source(cls):
        return 'entry'

    @classmethod
    def default_measure(cls):
        return 'amount'

    @classmethod
    def default_weight(cls):
        return Decimal(1)

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if 'code' in values:
            values['code'] = values['code'] or None
        return values

    @classmethod
    def copy(cls, categories, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('code')
        return super().copy(categories, default=default)


class CategoryProductCategory(ModelSQL):
    __name__ = 'coop.patronage.category-product.category'

    patronage_category = fields.Many2One(
        'coop.patronage.category', "Patronage Category",
        ondelete='CASCADE', required=True)
    product_category = fields.Many2One(
        'product.category', "Product Category",
        ondelete='RESTRICT', required=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('patronage_category')


class CategoryAccount(ModelSQL):
    __name__ = 'coop.patronage.category-account.account'

    patronage_category = fields.Many2One(
        'coop.patronage.category', "Patronage Category",
        ondelete='CASCADE', required=True)
    account = fields.Many2One(
        'account.account', "Account", ondelete='RESTRICT', required=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('patronage_category')
