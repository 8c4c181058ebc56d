# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from typing import NamedTuple

from sql import Cast, Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Unique, fields
from trytond.modules.currency.fields import Monetary
from trytond.modules.product import price_digits
from trytond.pool import Pool

from .date import format_date
from .document import PartMixin, ResultMixin, SearchMixin
from .query import fetch_sums


class Invoiced(NamedTuple):
    "What was asked for a period, in all, and as it was charged"
    asked: Decimal
    charged: Decimal
    computed: Decimal
    amount: Decimal

    @property
    def ratio(self):
        "How much of what was asked was charged"
        return self.charged / self.asked if self.asked else Decimal(1)


NOTHING = Invoiced(*[Decimal(0)] * 4)


class FeeRunCategory(PartMixin, ModelSQL):
    __name__ = 'coop.member.fee.run-coop.member.category'
    _document = 'run'

    run = fields.Many2One(
        'coop.member.fee.run', "Membership Fee Run", required=True,
        ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('run')


class Fee(SearchMixin, ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.fee'
    __string__ = "Fee of a Member"
    _search_names = ('member.rec_name',)

    run = fields.Many2One(
        'coop.member.fee.run', "Membership Fee Run", required=True,
        ondelete='CASCADE')
    fee = fields.Many2One(
        'coop.member.category.fee', "Membership Fee", required=True,
        ondelete='RESTRICT')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT')
    start_date = fields.Date("From", required=True,
        help="The first day of the period.")
    end_date = fields.Date("To", required=True,
        help="The last day of the period.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="What is invoiced now for the period, without taxes.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", ondelete='SET NULL')
    invoice = fields.Function(
        fields.Many2One('account.invoice', "Invoice"), 'get_invoice')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('run')
        t = cls.__table__()
        cls._sql_constraints += [
            ('period_unique', Unique(t, t.run, t.fee, t.member, t.start_date),
                'coop_membership.msg_member_fee_unique'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.fee, Index.Range()), (t.start_date, Index.Range())))
        cls._order = [
            ('start_date', 'DESC'),
            ('id', 'DESC'),
            ]

    @fields.depends('run', '_parent_run.currency')
    def on_change_with_currency(self, name=None):
        return self.run.currency if self.run else None

    def get_invoice(self, name):
        return self.invoice_line.invoice if self.invoice_line else None

    def get_rec_name(self, name):
        return f'{self.member.rec_name} @ {format_date(self.start_date)}'

    @classmethod
    def invoiced(cls, fee, start):
        """Return what is invoiced of the fee for the periods from the day on

        As computed and as its draft may have been changed, by member and
        first day of the period, computed by other runs included.  What was
        deleted or cancelled is to be invoiced again.
        """
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Run = pool.get('coop.member.fee.run')
        table, run = cls.__table__(), Run.__table__()
        line, invoice = InvoiceLine.__table__(), Invoice.__table__()
        # SQLite keeps decimals as texts
        number = Cast(table.amount, 'NUMERIC')
        charged = Coalesce(
            Cast(line.quantity, 'NUMERIC')
            * Cast(line.unit_price, 'NUMERIC'), number)
        query = (table
            .join(run, condition=table.run == run.id)
            .join(line, 'LEFT', condition=table.invoice_line == line.id)
            .join(invoice, 'LEFT', condition=line.invoice == invoice.id)
            .select(
                table.member, table.start_date,
                Sum(Case((number > 0, number), else_=0)).as_('asked'),
                Sum(Case((number > 0, charged), else_=0)).as_('charged'),
                Sum(number).as_('computed'), Sum(charged).as_('amount'),
                where=(table.fee == fee.id)
                & (table.start_date >= start)
                # Of runs that are computed together none is so yet
                & ((run.state != 'invoiced')
                    | ((table.invoice_line != Null)
                        & (invoice.state != 'cancelled'))),
                group_by=[table.member, table.start_date]))
        return {
            (member, date): Invoiced(
                *(fee.currency.round(Decimal(a)) for a in amounts))
            for member, date, *amounts in fetch_sums(query, sums=4)}

    def get_invoice_line(self, invoice):
        "Return the unsaved line, in the language of the context"
        pool = Pool()
        Line = pool.get('account.invoice.line')
        Product = pool.get('product.product')
        line = Line(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            # What is taken back is negative, as on a credit note
            quantity=1 if self.amount > 0 else -1,
            product=Product(self.fee.product.id),
            origin=self.run)
        line.on_change_product()
        line.unit_price = round(abs(self.amount), price_digits[1])
        line.description = gettext(
            'coop_membership.msg_member_fee_description',
            product=line.product.rec_name,
            start_date=format_date(self.start_date),
            end_date=format_date(self.end_date))
        return line
