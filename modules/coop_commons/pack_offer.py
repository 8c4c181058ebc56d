# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, DeactivableMixin, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If

from .digits import QUANTITY_DIGITS, not_negative
from .for_resource import ForResource

KINDS = [
    ('use', "Use"),
    ('money', "Money"),
    ]
_OF_USE = {
    'required': Eval('kind') == 'use',
    'invisible': Eval('kind') != 'use',
    }


class PackOffer(DeactivableMixin, ForResource, ModelSQL, ModelView):
    __name__ = 'coop.commons.pack.offer'
    __string__ = "Pack Offer"

    name = fields.Char("Name", required=True, translate=True)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    kind = fields.Selection(
        KINDS, "Kind", required=True, sort=False,
        help="Use is a quantity that is bought, with its tax.\n"
        "Money stays the one of who pays it, until it pays the invoices of "
        "his use, with their tax.")
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS,
        domain=[
            If(Eval('kind') == 'use', ('quantity', '>', 0), ()),
            ],
        states=_OF_USE,
        help="The use that is paid in advance.")
    unit = fields.Many2One(
        'product.uom', "Unit", ondelete='RESTRICT',
        states=_OF_USE,
        help="The unit of the components of the tariffs that are covered.")
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        domain=[
            ('price', '>=', 0),
            If(Eval('kind') == 'money', ('price', '>', 0), ()),
            ],
        help="The price without taxes, or the money that is paid in.")
    months = fields.Integer(
        "Months",
        domain=[
            ['OR', ('months', '=', None), ('months', '>', 0)],
            ],
        help="How long a pack can be used.\n"
        "Leave empty if it does not expire.")
    product = fields.Many2One(
        'product.product', "Product", ondelete='RESTRICT',
        domain=[
            ('type', '=', 'service'),
            ],
        states=_OF_USE,
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
        "releases.\n"
        "For money it is what the cooperative owes to the parties.")
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
        t = cls.__table__()
        for name, help in [
                ('resource', "The resource whose use is prepaid."),
                ('category', "The resources whose use is prepaid.")]:
            field = getattr(cls, name)
            field.ondelete, field.help = 'RESTRICT', help
            of_money = Eval('kind') == 'money'
            field.states['invisible'] |= of_money
            field.states['required'] &= ~of_money
        cls._sql_constraints += [
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_commons.msg_pack_quantity_positive'),
            ('not_negative', not_negative(t, 'price', 'months'),
                'coop_commons.msg_not_negative'),
            ]
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_kind(cls):
        return 'use'

    @fields.depends('kind')
    def on_change_kind(self):
        if self.kind == 'money':
            # It pays for any use
            self.resource = self.category = self.product = None
            self.quantity = self.unit = None

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
                'company', 'kind', 'resource', 'category', 'unit',
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
