# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from .digits import QUANTITY, QUANTITY_DIGITS, not_negative
from .exceptions import PackError
from .pack_money import PackMoney
from .pack_offer import KINDS
from .pack_posting import PackPosting


class Pack(
        PackMoney, PackPosting, DocumentMixin, BooksMixin, Workflow, ModelSQL,
        ModelView):
    __name__ = 'coop.commons.pack'
    __string__ = "Prepaid Pack"
    _steps = {
        'cancel': (['draft', 'sold'], 'cancelled'),
        'sell': (['draft'], 'sold'),
        'expire': (['sold'], None),
        'settle': (['sold'], None),
        'refund': (['sold'], None),
        }
    _search_names = ('offer.rec_name', 'party.rec_name')
    _date_order = (('date', 'end_date', 'coop_commons.msg_pack_dates'),)

    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="The member or non-member whose use is covered.")
    offer = fields.Many2One(
        'coop.commons.pack.offer', "Offer", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    kind = fields.Function(
        fields.Selection(KINDS, "Kind"), 'on_change_with_kind')
    date = fields.Date(
        "Date", required=True,
        help="The date of the invoice and the first day of the use that is "
        "covered.")
    end_date = fields.Date(
        "Usable until",
        domain=[
            If(Eval('date') & Eval('end_date'),
                ('end_date', '>=', Eval('date')),
                ()),
            ],
        help="Leave empty if the pack does not expire.")
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS,
        domain=[
            If(Eval('kind') != 'money', ('quantity', '>', 0), ()),
            ],
        states={
            'required': Eval('kind') != 'money',
            'invisible': Eval('kind') == 'money',
            })
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        domain=[
            ('price', '>=', 0),
            If(Eval('kind') == 'money', ('price', '>', 0), ()),
            ],
        help="The price without taxes, or the money that is paid in.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('invoice_line'),
            })
    uses = fields.One2Many(
        'coop.commons.pack.use', 'pack', "Uses", readonly=True,
        help="What was taken from the pack, also by its expiry.")
    remaining = fields.Function(fields.Numeric(
            "Remaining", digits=QUANTITY_DIGITS,
            states={
                'invisible': Eval('kind') == 'money',
                },
            help="The quantity that can still be used."),
        'get_remaining')
    balance = fields.Function(Monetary(
            "Deferred Revenue", currency='currency', digits='currency',
            help="The part of the price that is not earned yet, or the "
            "money that is left."),
        'get_remaining')
    state = fields.Selection([
            ('draft', "Draft"),
            ('sold', "Sold"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_commons.msg_pack_quantity_positive'),
            ('not_negative', not_negative(t, 'price'),
                'coop_commons.msg_not_negative'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.party, Index.Equality()), (t.date, Index.Range())))
        cls._order = [('date', 'DESC'), ('id', 'DESC')]
        cls._buttons['expire']['invisible'] |= ~Eval('end_date')
        cls._buttons['expire']['readonly'] = ~Eval('remaining')
        cls._buttons['expire']['depends'] += ['end_date', 'remaining']
        for name in ['settle', 'refund']:
            cls._buttons[name]['invisible'] |= Eval('kind') != 'money'
            cls._buttons[name]['readonly'] = ~Eval('balance')
            cls._buttons[name]['depends'] += ['kind', 'balance']

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @fields.depends('offer', '_parent_offer.unit')
    def on_change_with_unit(self, name=None):
        return self.offer.unit if self.offer else None

    @fields.depends('offer', '_parent_offer.kind')
    def on_change_with_kind(self, name=None):
        return self.offer.kind if self.offer else None

    @fields.depends(
        'offer', '_parent_offer.quantity', '_parent_offer.price',
        '_parent_offer.unit', methods=['on_change_date'])
    def on_change_offer(self):
        if self.offer:
            self.quantity = self.offer.quantity
            self.price = self.offer.price
        self.on_change_date()

    @fields.depends('offer', '_parent_offer.months', 'date')
    def on_change_date(self):
        if self.offer and self.date:
            self.end_date = None
            if self.offer.months:
                self.end_date = self.date + relativedelta(
                    months=self.offer.months, days=-1)

    @classmethod
    def get_remaining(cls, packs, names):
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        use = Use.__table__()
        query = use.select(
            use.pack,
            Sum(use.quantity).as_('quantity'),
            Sum(use.value).as_('value'),
            where=fields.SQL_OPERATORS['in'](use.pack, [p.id for p in packs]),
            group_by=use.pack)
        used = {pack: values for pack, *values in fetch_sums(query, 2)}
        result = {name: {} for name in names}
        for pack in packs:
            quantity, value = used.get(pack.id, (Decimal(0), Decimal(0)))
            sold = pack.state == 'sold'
            if 'remaining' in names:
                whole = pack.price if pack.quantity is None else pack.quantity
                result['remaining'][pack.id] = (
                    whole - quantity if sold else Decimal(0)
                    ).quantize(QUANTITY)
            if 'balance' in names:
                result['balance'][pack.id] = pack.currency.round(
                    pack.price - value if sold else Decimal(0))
        return result

    @property
    def left(self):
        "What is left, for people to read"
        lang = Pool().get('ir.lang').get()
        if self.kind == 'money':
            return lang.currency(self.balance, self.currency, grouping=True)
        return lang.format_number_symbol(
            self.remaining, self.unit, digits=self.unit.digits)

    def get_rec_name(self, name):
        return '%s @ %s' % (self.offer.rec_name, self.party.rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('sold')
    def sell(cls, packs):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        invoices, lines = [], []
        for pack in packs:
            invoice = pack.get_invoice()
            invoices.append(invoice)
            lines.append(pack.get_invoice_line(invoice))
        Invoice.save(invoices)
        InvoiceLine.save(lines)
        Invoice.update_taxes(invoices)
        by_pack = {line.origin: line for line in lines}
        for pack in packs:
            pack.invoice_line = by_pack[pack]
        cls.save(packs)

    def get_invoice(self):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        return Invoice.get_addressed(
            self.company, self.party, self.date, self.currency)

    def get_invoice_line(self, invoice):
        pool = Pool()
        Lang = pool.get('ir.lang')
        Line = pool.get('account.invoice.line')
        lang = invoice.party.lang or Lang.get()
        with Transaction().set_context(language=lang.code):
            offer = self.offer.__class__(self.offer.id)
            description = offer.name
            if self.unit:
                unit = self.unit.__class__(self.unit.id)
                description = '%s - %s' % (
                    offer.name, lang.format_number_symbol(
                        self.quantity, unit, digits=unit.digits))
        line = Line(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            product=offer.product,
            origin=self,
            description=description)
        if offer.product:
            line.on_change_product()
        line.account = offer.deferred_account
        line.quantity = 1
        line.unit_price = self.price
        return line

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, packs):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        claim(packs)
        invoices = []
        for pack in packs:
            if not pack.invoice_line:
                continue
            invoice = pack.invoice_line.invoice
            if pack.uses or invoice.state not in {'draft', 'cancelled'}:
                raise PackError(gettext(
                        'coop_commons.msg_pack_cancel',
                        pack=pack.rec_name,
                        invoice=invoice.rec_name))
            if invoice.state == 'draft':
                invoices.append(invoice)
                pack.invoice_line = None
        cls.save(packs)
        Invoice.delete(invoices)

    @classmethod
    @ModelView.button
    def expire(cls, packs):
        "Earn what was not used until the end"
        pool = Pool()
        Date = pool.get('ir.date')
        Move = pool.get('account.move')
        Use = pool.get('coop.commons.pack.use')
        claim(packs)
        moves, uses = [], []
        for pack in packs:
            with Transaction().set_context(company=pack.company.id):
                today = Date.today()
            if pack.end_date >= today:
                raise PackError(gettext(
                        'coop_commons.msg_pack_not_ended',
                        pack=pack.rec_name,
                        date=pack.end_date))
            pack.check_expire()
            use = Use(
                pack=pack, date=pack.end_date, quantity=pack.remaining,
                amount=Decimal(0), value=pack.balance)
            uses.append(use)
            if pack.balance:
                use.move = pack.get_expiry_move()
                moves.append(use.move)
        Move.save(moves)
        Use.save(uses)
        Move.post(moves)

    def check_expire(self):
        "Check that all that the pack covers is billed"
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        if self.kind == 'money':
            clause = ()
        elif self.offer.resource:
            clause = ('resource', '=', self.offer.resource.id)
        else:
            clause = ('resource.category', '=', self.offer.category.id)
        usages = Usage.search([
                ('company', '=', self.company.id),
                ('state', 'in', ['draft', 'confirmed', 'rated']),
                ('date', '>=', self.date),
                ('date', '<=', self.end_date),
                ['OR',
                    ('member.party', '=', self.party.id),
                    ('party', '=', self.party.id),
                    ],
                clause,
                ], limit=1)
        if usages:
            usage, = usages
            raise PackError(gettext(
                    'coop_commons.msg_pack_not_billed',
                    pack=self.rec_name,
                    usage=usage.rec_name))
