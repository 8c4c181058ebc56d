# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.conditionals import Coalesce
from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import (
    Check, DeactivableMixin, Exclude, ModelSQL, ModelView, fields, tree)
from trytond.model.exceptions import AccessError
from trytond.modules.company.company import TIMEZONES
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import is_full_text, lstrip_wildcard, timezone as tz
from trytond.transaction import Transaction, inactive_records

from . import local_time
from .digits import not_negative

CHARGE_MODES = [
    (None, ""),
    ('reservation', "Reserved"),
    ('usage', "Used"),
    ('overage', "Reserved and what is used beyond"),
    ('greater', "The longer of reserved and used"),
    ]


class Category(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.category'
    __string__ = "Resource Category"

    name = fields.Char("Name", required=True, translate=True)
    company = fields.Many2One('company.company', "Company", required=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')


class Resource(DeactivableMixin, tree(), ModelSQL, ModelView):
    __name__ = 'coop.commons.resource'
    __string__ = "Resource"

    name = fields.Char("Name", required=True, translate=True)
    code = fields.Char("Code")
    company = fields.Many2One('company.company', "Company", required=True)
    category = fields.Many2One(
        'coop.commons.category', "Category", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    parent = fields.Many2One(
        'coop.commons.resource', "Part of", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The resource that contains this one.\n"
        "Booking one blocks the other.")
    childs = fields.One2Many(
        'coop.commons.resource', 'parent', "Parts",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    start_date = fields.Date(
        "In Service from",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<=', Eval('end_date')),
                ()),
            ])
    end_date = fields.Date(
        "In Service until",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('end_date', '>=', Eval('start_date')),
                ()),
            ])
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT',
        help="The unit in which the use is mainly measured.")
    other_units = fields.Many2Many(
        'coop.commons.resource-product.uom', 'resource', 'unit',
        "Other Units",
        help="The other units that are metered.")
    capacity = fields.Integer(
        "Capacity", required=True,
        help="How many can use the resource at the same time.\n"
        "1 means that it is used exclusively.")
    bookable = fields.Boolean(
        "Bookable",
        help="Check if the resource is reserved before it is used.")
    charge_mode = fields.Selection(
        CHARGE_MODES[1:], "Charged Time", required=True, sort=False,
        help="The time that is charged when the resource was booked.")
    authorization = fields.Boolean(
        "Authorization Needed",
        help="Check if only members with a valid authorization may use it.")
    product = fields.Many2One(
        'product.product', "Product", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is billed for the use: "
        "the accounts and the taxes come from it.")
    non_member_product = fields.Many2One(
        'product.product', "Product for Non-members", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is billed to those who are not members.\n"
        "Leave empty to use the same product.")
    deposit = Monetary(
        "Deposit", currency='currency', digits='currency',
        domain=[
            ['OR', ('deposit', '=', None), ('deposit', '>', 0)],
            ],
        help="What who books it gives as a security and gets back.\n"
        "Who has given it once gives it for no other booking.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    analytic_account = fields.Many2One(
        'analytic_account.account', "Cost Centre", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '=', 'normal'),
            ],
        help="The analytic account that collects the cost and the revenue "
        "of the resource.")
    tariffs = fields.One2Many(
        'coop.commons.tariff', 'resource', "Tariffs",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The prices of this resource, beside those of its category.")
    rules = fields.One2Many(
        'coop.commons.rule', 'resource', "Booking Rules",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The rules of this resource, beside those of its category.")
    bookings = fields.One2Many(
        'coop.commons.booking', 'resource', "Bookings", readonly=True)
    responsible = fields.Many2One(
        'company.employee', "Responsible", ondelete='SET NULL',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    timezone = fields.Selection(
        TIMEZONES, "Time Zone", translate=False,
        help="The time zone of the place of the resource.\n"
        "Leave empty for the one of the company.")
    photo = fields.Binary("Photo")
    note = fields.Text("Note")

    @classmethod
    def __setup__(cls):
        cls.code.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('code_unique',
                Exclude(t, (t.company, Equal), (t.code, Equal)),
                'coop_commons.msg_resource_code_unique'),
            ('deposit_not_negative', not_negative(t, 'deposit'),
                'coop_commons.msg_not_negative'),
            ('capacity_positive', Check(t, t.capacity > 0),
                'coop_commons.msg_resource_capacity_positive'),
            ]
        cls._order.insert(0, ('code', 'ASC'))
        cls._order.insert(1, ('name', 'ASC'))

    @classmethod
    def order_code(cls, tables):
        table, _ = tables[None]
        return [Coalesce(table.code, ''), table.code]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def default_capacity(cls):
        return 1

    @classmethod
    def default_charge_mode(cls):
        return 'usage'

    def get_rec_name(self, name):
        if self.code:
            return '[%s] %s' % (self.code, self.name)
        return self.name

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if operator.startswith('!') or operator.startswith('not '):
            bool_op = 'AND'
        else:
            bool_op = 'OR'
        code_value = operand
        if operator.endswith('like') and is_full_text(operand):
            code_value = lstrip_wildcard(operand)
        return [bool_op,
            ('code', operator, code_value, *extra),
            ('name', operator, operand, *extra),
            ]

    @property
    def zone(self):
        "The time zone in which the day and the hours are meant"
        return tz.get_tzinfo(
            self.timezone or self.company.timezone or 'UTC')

    @property
    def exclusive(self):
        return self.bookable and self.capacity == 1

    @property
    def unit_categories(self):
        "The categories of the units that may be metered"
        return {u.category for u in [self.unit, *self.other_units]}

    def get_local(self, instant):
        "Return the instant in the time zone of the resource"
        return local_time.get_local(instant, self.zone)

    def get_instant(self, date):
        "Return the first instant of the day"
        return local_time.get_midnight(date, self.zone)

    def in_service(self, first, last):
        "Return whether it serves on all the days"
        return self.active and self.serves(first, last)

    def serves(self, first, last):
        "Return whether all the days are between its start and its end"
        return (
            (not self.start_date or self.start_date <= first)
            and (not self.end_date or last <= self.end_date))

    @property
    def root(self):
        "The resource that contains all others"
        return self.parent.root if self.parent else self

    @property
    def parts(self):
        "The resource and all that is part of it"
        with inactive_records():
            childs = self.__class__(self.id).childs
        return [self, *(p for c in childs for p in c.parts)]

    @property
    def related(self):
        "The resource, those that contain it and its parts"
        related = self.parts
        parent = self.parent
        while parent:
            related.append(parent)
            parent = parent.parent
        return related

    @classmethod
    def copy(cls, resources, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('code')
        default.setdefault('bookings')
        default.setdefault('rules')
        default.setdefault('tariffs')
        return super().copy(resources, default=default)

    @classmethod
    def check_modification(
            cls, mode, resources, values=None, external=False):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')

        super().check_modification(
            mode, resources, values=values, external=external)
        if mode == 'write' and 'capacity' in values:
            bookings = Booking.search([
                    ('resource', 'in', [r.id for r in resources]),
                    ('resource.capacity', '!=', values['capacity']),
                    ('state', 'in', ['confirmed', 'running']),
                    ], limit=1, order=[])
            if bookings:
                booking, = bookings
                raise AccessError(gettext(
                        'coop_commons.msg_resource_booked',
                        resource=booking.resource.rec_name,
                        booking=booking.rec_name))
        if mode == 'write' and values.keys() & {'timezone', 'company'}:
            usages = Usage.search([
                    ('resource', 'in', [r.id for r in resources]),
                    ('state', '!=', 'draft'),
                    ], limit=1, order=[])
            if usages:
                usage, = usages
                raise AccessError(gettext(
                        'coop_commons.msg_resource_used',
                        resource=usage.resource.rec_name))

    @classmethod
    def _check_used(cls, resources):
        """Check that the resources are in service when they are used

        Else what runs could not be finished, nor what waits be confirmed.
        """
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')
        lang = pool.get('ir.lang').get()
        for resource in resources:
            outside = ['OR']
            if resource.start_date:
                outside.append(('date', '<', resource.start_date))
            if resource.end_date:
                outside.append(('date', '>', resource.end_date))
            if len(outside) == 1:
                continue
            uses = [
                (resource.get_local(b.used_from).date(), b)
                for b in Booking.search([
                        ('resource', '=', resource.id),
                        ('state', '=', 'running'),
                        ])]
            uses.extend(
                (u.date, u) for u in Usage.search([
                        ('resource', '=', resource.id),
                        outside,
                        ('state', '!=', 'cancelled'),
                        ('event', '=', None),
                        ('corrects', '=', None),
                        ('corrections', '=', None),
                        ], limit=1))
            for date, use in uses:
                if not resource.serves(date, date):
                    raise AccessError(gettext(
                            'coop_commons.msg_resource_in_use',
                            resource=resource.rec_name,
                            date=lang.strftime(date),
                            use=use.rec_name))

    @classmethod
    def on_modification(cls, mode, resources, field_names=None):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        super().on_modification(mode, resources, field_names=field_names)
        if mode == 'write' and field_names & {'start_date', 'end_date'}:
            cls._check_used(resources)
        if mode == 'write' and field_names & {
                'active', 'start_date', 'end_date'}:
            Booking.warn_hit(
                'resource_closing', Booking.find_hit(resources),
                'coop_commons.msg_resource_closing')


class ResourceUnit(ModelSQL):
    __name__ = 'coop.commons.resource-product.uom'
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='CASCADE')
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('resource')
