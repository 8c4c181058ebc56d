# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import DeactivableMixin, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction

from .digits import QUANTITY_DIGITS


class PackOffer(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.pack.offer'
    __string__ = "Pack Offer"

    name = fields.Char("Name", required=True, translate=True)
    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('category')),
            'required': ~Eval('category'),
            },
        help="The resource whose use is prepaid.")
    category = fields.Many2One(
        'coop.commons.category', "Resource Category", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('resource')),
            'required': ~Eval('resource'),
            },
        help="The resources whose use is prepaid.")
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True,
        domain=[
            ('quantity', '>', 0),
            ],
        help="The use that is paid in advance.")
    unit = fields.Many2One(
        'product.uom', "Unit", required=True, ondelete='RESTRICT',
        help="The unit of the components of the tariffs that are covered.")
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        domain=[
            ('price', '>=', 0),
            ],
        help="The price without taxes.")
    months = fields.Integer(
        "Months",
        domain=[
            ['OR', ('months', '=', None), ('months', '>', 0)],
            ],
        help="How long a pack can be used.\n"
        "Leave empty if it does not expire.")
    product = fields.Many2One(
        'product.product', "Product", required=True, ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="What is invoiced: the taxes, which are due at the sale, come "
        "from it.")
    deferred_account = fields.Many2One(
        'account.account', "Deferred Revenue Account", required=True,
        ondelete='RESTRICT',
        domain=[
            ('type.deferred', '=', True),
            ('closed', '!=', True),
            ('company', '=', Eval('company', -1)),
            ],
        help="The account on which a pack is sold, and that its use "
        "releases.")
    expiry_account = fields.Many2One(
        'account.account', "Expiry Account", ondelete='RESTRICT',
        domain=[
            ('type.revenue', '=', True),
            ('closed', '!=', True),
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'required': Bool(Eval('months')),
            'invisible': ~Eval('months'),
            },
        help="The income account of what expires unused.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def check_modification(cls, mode, offers, values=None, external=False):
        pool = Pool()
        Pack = pool.get('coop.commons.pack')
        super().check_modification(
            mode, offers, values=values, external=external)
        if mode == 'write' and values.keys() & {
                'company', 'resource', 'category', 'unit',
                'deferred_account'}:
            packs = Pack.search([
                    ('offer', 'in', [o.id for o in offers]),
                    ('state', '=', 'sold'),
                    ], limit=1, order=[])
            if packs:
                pack, = packs
                raise AccessError(gettext(
                        'coop_commons.msg_pack_offer_sold',
                        offer=pack.offer.rec_name,
                        pack=pack.rec_name))

    def match(self, resource):
        "Return if the use of the resource is covered"
        if self.resource:
            return self.resource == resource
        return self.category == resource.category
