# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from dateutil.relativedelta import relativedelta
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Check, DeactivableMixin, Index, ModelSQL, ModelView, Workflow, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from . import prepaid
from .exceptions import PackError
from .usage import AMOUNT_DIGITS, QUANTITY_DIGITS, SLICE

_QUANTITY = Decimal(10) ** -QUANTITY_DIGITS[1]
_AMOUNT = Decimal(10) ** -AMOUNT_DIGITS[1]


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


class Pack(CancelledMixin, BooksMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.pack'
    __string__ = "Prepaid Pack"

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        states=_states, depends={'company'},
        help="The member or non-member whose use is covered.")
    offer = fields.Many2One(
        'coop.commons.pack.offer', "Offer", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    date = fields.Date(
        "Date", required=True, states=_states,
        help="The date of the invoice and the first day of the use that is "
        "covered.")
    end_date = fields.Date(
        "Usable until",
        domain=[
            If(Eval('date') & Eval('end_date'),
                ('end_date', '>=', Eval('date')),
                ()),
            ],
        states=_states,
        help="Leave empty if the pack does not expire.")
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True,
        domain=[
            ('quantity', '>', 0),
            ],
        states=_states)
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        domain=[
            ('price', '>=', 0),
            ],
        states=_states,
        help="The price without taxes.")
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
            help="The quantity that can still be used."),
        'get_remaining')
    balance = fields.Function(Monetary(
            "Deferred Revenue", currency='currency', digits='currency',
            help="The part of the price that is not earned yet."),
        'get_remaining')
    state = fields.Selection([
            ('draft', "Draft"),
            ('sold', "Sold"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_commons.msg_pack_quantity_positive'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.party, Index.Equality()), (t.date, Index.Range())))
        cls._order = [('date', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'sold'),
            ('draft', 'cancelled'),
            ('sold', 'cancelled'),
            }
        cls._buttons.update({
                'cancel': {
                    'invisible': ~Eval('state').in_(['draft', 'sold']),
                    'depends': ['state'],
                    },
                'sell': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'expire': {
                    'invisible': (
                        (Eval('state') != 'sold') | ~Eval('end_date')),
                    'readonly': ~Eval('remaining'),
                    'depends': ['state', 'end_date', 'remaining'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('offer', '_parent_offer.unit')
    def on_change_with_unit(self, name=None):
        return self.offer.unit if self.offer else None

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
        cursor = Transaction().connection.cursor()
        query = use.select(
            use.pack,
            Sum(use.quantity).as_('quantity'),
            Sum(use.value).as_('value'),
            where=fields.SQL_OPERATORS['in'](use.pack, [p.id for p in packs]),
            group_by=use.pack)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        used = {pack: values for pack, *values in cursor}
        result = {name: {} for name in names}
        for pack in packs:
            quantity, value = used.get(pack.id, (Decimal(0), Decimal(0)))
            sold = pack.state == 'sold'
            if 'remaining' in names:
                result['remaining'][pack.id] = (
                    pack.quantity - quantity if sold else Decimal(0)
                    ).quantize(_QUANTITY)
            if 'balance' in names:
                result['balance'][pack.id] = pack.currency.round(
                    pack.price - value if sold else Decimal(0))
        return result

    def get_rec_name(self, name):
        return '%s @ %s' % (self.offer.rec_name, self.party.rec_name)

    @classmethod
    def search_rec_name(cls, name, clause):
        return ['OR',
            ('offer.rec_name', *clause[1:]),
            ('party.rec_name', *clause[1:]),
            ]

    @classmethod
    def copy(cls, packs, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('invoice_line')
        default.setdefault('uses')
        return super().copy(packs, default=default)

    @classmethod
    def check_modification(cls, mode, packs, values=None, external=False):
        super().check_modification(
            mode, packs, values=values, external=external)
        if mode == 'delete' or (mode == 'write' and external):
            for pack in packs:
                if pack.state != 'draft':
                    raise AccessError(gettext(
                            'coop_commons.msg_pack_modify',
                            pack=pack.rec_name))

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
        for pack, line in zip(packs, lines):
            pack.invoice_line = line
        cls.save(packs)

    def get_invoice(self):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Party = pool.get('party.party')
        with Transaction().set_context(company=self.company.id):
            party = Party(self.party.id)
        invoice = Invoice(
            company=self.company,
            type='out',
            party=party,
            currency=self.currency,
            invoice_date=self.date)
        invoice.on_change_type()
        if not invoice.invoice_address:
            raise PackError(gettext(
                    'coop_commons.msg_billing_address',
                    party=party.rec_name))
        return invoice

    def get_invoice_line(self, invoice):
        pool = Pool()
        Lang = pool.get('ir.lang')
        Line = pool.get('account.invoice.line')
        lang = invoice.party.lang or Lang.get()
        with Transaction().set_context(language=lang.code):
            offer = self.offer.__class__(self.offer.id)
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
        if self.offer.resource:
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

    def get_expiry_move(self):
        pool = Pool()
        MembershipConfiguration = pool.get('coop.membership.configuration')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        period, date = Period.find_open(
            self.company, self.end_date + dt.timedelta(days=1))
        return Move(
            company=self.company,
            journal=MembershipConfiguration(1).get_multivalue(
                'journal', company=self.company.id),
            period=period,
            date=date,
            origin=self,
            lines=[
                Line(
                    account=self.offer.deferred_account,
                    party=self.account_party,
                    debit=self.balance, credit=Decimal(0)),
                Line(
                    account=self.offer.expiry_account,
                    debit=Decimal(0), credit=self.balance),
                ])

    @property
    def account_party(self):
        if self.offer.deferred_account.party_required:
            return self.party

    @classmethod
    def cover(cls, billing):
        """Take what the billing charges from the packs

        The packs that were sold first are used first.
        """
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        packs = cls.search([
                ('company', '=', billing.company.id),
                ('state', '=', 'sold'),
                ('date', '<=', billing.end),
                ('invoice_line.invoice.state', 'in', ['posted', 'paid']),
                ], order=[('date', 'ASC'), ('id', 'ASC')])
        if not packs:
            return
        claim(packs)
        cover = _Cover(packs)
        groups = cls._get_charges(billing, {p.party for p in packs})
        cover.load(groups)
        for charges in groups:
            cover.add(charges)
        for use in cover.uses:
            use.billing = billing
        for sub_uses in grouped_slice(cover.uses, SLICE):
            Use.save(list(sub_uses))

    @classmethod
    def _get_charges(cls, billing, parties):
        "Return the charges of each usage and component in their order"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        charges = []
        parties = sorted(p.id for p in parties)
        for sub_parties in grouped_slice(parties, 500):
            sub_parties = list(sub_parties)
            ids = [c.id for c in Charge.search([
                        ('billing', '=', billing.id),
                        ['OR',
                            ('usage.member.party', 'in', sub_parties),
                            ('usage.party', 'in', sub_parties),
                            ],
                        ], order=[])]
            for sub_ids in grouped_slice(ids, SLICE):
                charges.extend(Charge.browse(list(sub_ids)))

        def key(charge):
            return (
                charge.usage.start, charge.usage.id, charge.component.id)
        charges.sort(key=lambda c: (key(c), c.id))
        return [list(group) for _, group in groupby(charges, key=key)]

    @classmethod
    def check_books(cls, company, date):
        """The deferred revenue is what was paid for packs that are neither
        used nor expired"""
        pool = Pool()
        Account = pool.get('account.account')
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Offer = pool.get('coop.commons.pack.offer')
        Use = pool.get('coop.commons.pack.use')
        differences = super().check_books(company, date)
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        invoice = Invoice.__table__()
        invoice_line = InvoiceLine.__table__()
        line = Line.__table__()
        move = Move.__table__()
        offer = Offer.__table__()
        use = Use.__table__()
        posted = (move.state == 'posted') & (move.date <= date)

        def get_amounts(query):
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            return defaultdict(Decimal, cursor)

        packs = table.join(offer, condition=table.offer == offer.id)
        where = posted & (table.company == company.id)
        expected = get_amounts(packs
            .join(invoice_line,
                condition=table.invoice_line == invoice_line.id)
            .join(invoice, condition=invoice_line.invoice == invoice.id)
            .join(move, condition=invoice.move == move.id)
            .select(
                offer.deferred_account, Sum(table.price).as_('amount'),
                where=where & (table.state == 'sold'),
                group_by=offer.deferred_account))
        released = get_amounts(packs
            .join(use, condition=use.pack == table.id)
            .join(move, condition=use.move == move.id)
            .select(
                offer.deferred_account, Sum(use.value).as_('amount'),
                where=where,
                group_by=offer.deferred_account))
        if not expected:
            return differences
        found = get_amounts(line
            .join(move, condition=line.move == move.id)
            .select(
                line.account, Sum(line.credit - line.debit).as_('amount'),
                where=posted & fields.SQL_OPERATORS['in'](
                    line.account, list(expected)),
                group_by=line.account))
        for account in Account.browse(sorted(expected)):
            amounts = [
                company.currency.round(a) for a in [
                    expected[account.id] - released[account.id],
                    found[account.id]]]
            if amounts[0] != amounts[1]:
                differences.append(Difference(
                        account, gettext(
                            'coop_commons.msg_books_pack',
                            account=account.rec_name),
                        *amounts))
        return differences


class _Cover:
    "The uses of packs by charges"

    def __init__(self, packs):
        self.packs = defaultdict(list)
        self.remaining = {}
        for pack in packs:
            self.packs[pack.party].append(pack)
            self.remaining[pack] = pack.remaining
        self.uses = []
        self.by_charge = defaultdict(list)

    def load(self, groups):
        "Load what was taken already for the charges or what they take back"
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        usages = {
            u.id for charges in groups
            for u in [charges[0].usage, charges[0].usage.corrects] if u}
        for sub_usages in grouped_slice(sorted(usages), 500):
            for use in Use.search([
                        ('charge.usage', 'in', list(sub_usages)),
                        ], order=[('id', 'ASC')]):
                self._index(use)

    def _index(self, use):
        charge = use.charge
        self.by_charge[charge.usage, charge.component].append(use)

    def add(self, charges):
        "Take the charges of a usage and component from the packs"
        pool = Pool()
        Uom = pool.get('product.uom')
        usage, component = charges[0].usage, charges[0].component
        total = abs(sum(c.quantity for c in charges if c.kind == 'price'))
        if not component.unit or not total:
            return

        def get_factor(pack):
            "Return how much of the unit of the pack is one of the charge"
            if component.unit == pack.unit:
                return Decimal(1)
            return Decimal(str(Uom.compute_qty(
                        component.unit, 1, pack.unit, round=False)))

        if usage.corrects:
            sources = defaultdict(Decimal)
            for use in reversed(self.by_charge[usage.corrects, component]):
                sources[use.pack] += use.quantity / get_factor(use.pack)
        else:
            sources = {
                p: self.remaining[p] / get_factor(p)
                for p in self.packs[usage.payer]
                if p.date <= usage.date
                and (not p.end_date or usage.date <= p.end_date)
                and p.offer.match(usage.resource)
                and p.unit.category == component.unit.category}
        done = abs(sum(
                u.quantity / get_factor(u.pack)
                for u in self.by_charge[usage, component]))
        for pack, part in prepaid.take(total - done, list(sources.items())):
            before, after = done / total, (done + part) / total
            for charge in charges:
                self._add_use(
                    pack, charge, before, after,
                    get_factor(pack) if charge.kind == 'price' else 0)
            done += part

    def _add_use(self, pack, charge, before, after, factor):
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')

        def get_part(value, digit):
            return (
                (value * after).quantize(digit)
                - (value * before).quantize(digit))
        remaining = self.remaining.get(pack)
        if remaining is None:
            remaining = pack.remaining
        quantity = get_part(charge.quantity * factor, _QUANTITY)
        quantity = min(quantity, remaining)
        used = pack.quantity - remaining
        use = Use(
            pack=pack,
            charge=charge,
            date=charge.usage.date,
            quantity=quantity,
            amount=get_part(charge.amount, _AMOUNT),
            value=prepaid.release(
                pack.price, pack.quantity, used, used + quantity,
                Decimal(10) ** -pack.currency.digits))
        self.remaining[pack] = remaining - quantity
        self.uses.append(use)
        self._index(use)


class PackUse(ModelSQL, ModelView):
    __name__ = 'coop.commons.pack.use'
    __string__ = "Use of a Pack"

    pack = fields.Many2One(
        'coop.commons.pack', "Pack", required=True, ondelete='RESTRICT')
    charge = fields.Many2One(
        'coop.commons.usage.charge', "Charge", ondelete='RESTRICT',
        help="What is covered by the pack. It is empty for its expiry.")
    date = fields.Date("Date", required=True)
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True,
        help="What is taken from the pack.")
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    amount = fields.Numeric(
        "Amount", digits=AMOUNT_DIGITS, required=True,
        help="The part of the charge that is not invoiced.")
    value = Monetary(
        "Value", currency='currency', digits='currency', required=True,
        help="The part of the price of the pack that is earned.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", ondelete='RESTRICT')
    move = fields.Many2One('account.move', "Move", ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('pack')
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.charge, Index.Equality())),
                Index(t, (t.billing, Index.Equality())),
                })
        cls._order = [('date', 'DESC'), ('id', 'DESC')]

    @fields.depends('pack', '_parent_pack.unit')
    def on_change_with_unit(self, name=None):
        return self.pack.unit if self.pack else None

    @fields.depends('pack', '_parent_pack.currency')
    def on_change_with_currency(self, name=None):
        return self.pack.currency if self.pack else None

    @classmethod
    def check_modification(cls, mode, uses, values=None, external=False):
        super().check_modification(
            mode, uses, values=values, external=external)
        if mode == 'delete' or external:
            for use in uses:
                if use.move or external:
                    raise AccessError(gettext(
                            'coop_commons.msg_pack_modify',
                            pack=use.pack.rec_name))

    @classmethod
    def get_covered(cls, billing):
        "Return what is covered of each charge of the billing by its id"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        charge = Charge.__table__()
        use = cls.__table__()
        cursor = Transaction().connection.cursor()
        query = (use
            .join(charge, condition=use.charge == charge.id)
            .select(
                charge.id, Sum(use.amount).as_('amount'),
                where=charge.billing == billing.id,
                group_by=charge.id))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        return {id_: amount.quantize(_AMOUNT) for id_, amount in cursor}
