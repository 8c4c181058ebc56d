# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.document import ResultMixin
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool

from .digits import AMOUNT, AMOUNT_DIGITS, QUANTITY_DIGITS
from .paying import get_receivable


class PackUse(ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.pack.use'
    __string__ = "Use of a Pack"

    pack = fields.Many2One(
        'coop.commons.pack', "Pack", required=True, ondelete='RESTRICT')
    charge = fields.Many2One(
        'coop.commons.usage.charge', "Charge", ondelete='RESTRICT',
        help="What is covered by the pack. It is empty for its expiry.")
    invoice = fields.Many2One(
        'account.invoice', "Invoice", ondelete='RESTRICT',
        help="What is paid of the money of the pack.")
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
                Index(t, (t.invoice, Index.Equality())),
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
        if mode == 'delete' and any(u.move for u in uses):
            raise AccessError(gettext(
                    'coop_membership.msg_result_modify', **cls.__names__()))

    @classmethod
    def get_covered(cls, billings):
        "Return what is covered of each charge of the billings by its id"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        if not billings:
            return {}
        charge = Charge.__table__()
        use = cls.__table__()
        query = (use
            .join(charge, condition=use.charge == charge.id)
            .select(
                charge.id, Sum(use.amount).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    charge.billing, [int(b) for b in billings]),
                group_by=charge.id))
        return {
            id_: amount.quantize(AMOUNT) for id_, amount in fetch_sums(query)}

    @classmethod
    def give_back(cls, invoices):
        "Take back what paid a part of invoices that are cancelled"
        pool = Pool()
        Line = pool.get('account.move.line')
        uses = cls.search([
                ('invoice', 'in', [i.id for i in invoices]),
                ], order=[('id', 'ASC')])
        by_move = defaultdict(list)
        for use in uses:
            by_move[use.move].append(use)
        groups, back = [], []
        for move, m_uses in by_move.items():
            invoice = m_uses[0].invoice
            books = Books(move.company)
            reversal = books.reversal(move, invoice.cancel_move.date)
            books.post([reversal])
            groups.append([
                    get_receivable(m, invoice) for m in [move, reversal]])
            back.extend(cls(
                    pack=use.pack, invoice=invoice, date=reversal.date,
                    quantity=-use.quantity, amount=Decimal(0),
                    value=-use.value, move=reversal)
                for use in m_uses)
        cls.save(back)
        Line.reconcile(*groups)
