# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from sql import Literal, Union
from sql.aggregate import Min, Sum
from sql.functions import Round

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.document import SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, without_check_access

from .quantity import QUANTITY_DIGITS, QuantityMixin


class Holding(QuantityMixin, SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.holding'
    __string__ = "Share Holding"
    _search_names = ('member.rec_name', 'share_class.rec_name')

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    member = fields.Many2One('coop.member', "Member")
    share_class = fields.Many2One('coop.share.class', "Share Class")
    vintage = fields.Integer("Vintage",
        help="The year of the allocation.")
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)))
    amount = Monetary("Amount", currency='currency', digits='currency',
        help="The capital of the shares.")
    paid_amount = Monetary(
        "Paid Amount", currency='currency', digits='currency',
        help="The part of the capital that is paid.")
    since = fields.Function(fields.Date("Since",
            help="The day the oldest of the shares were acquired."),
        'get_since')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('member', 'ASC'),
            ('share_class', 'ASC'),
            ('vintage', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Move = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        company, date = cls._company_date()
        members = Transaction().context.get('holding_members')
        if members is not None and len(members) > 10 * SLICE:
            # A query takes a limited number of values
            members = None
        in_ = fields.SQL_OPERATORS['in']

        def where(t, member):
            where = (
                (t.state == 'done') & (t.company == company)
                & (t.date <= date))
            if members is not None:
                where &= in_(member, members)
            return where

        rows = Move._rows(
            lambda t, member, sign: [
                t.id.as_('id'),
                t.company.as_('company'),
                member.as_('member'),
                t.share_class.as_('share_class'),
                t.vintage.as_('vintage'),
                (t.quantity * sign).as_('quantity'),
                (t.amount * sign).as_('amount'),
                Literal(0).as_('unpaid'),
                ],
            where)
        rows = Union(
            *rows.queries,
            *Subscription.unpaid_rows(company, date, members), all_=True)
        keys = [rows.company, rows.member, rows.share_class, rows.vintage]
        quantity = Round(Sum(rows.quantity), QUANTITY_DIGITS)
        amount = Round(Sum(rows.amount), QUANTITY_DIGITS)
        unpaid = Round(Sum(rows.unpaid), QUANTITY_DIGITS)
        return rows.select(
            Min(rows.id).as_('id'),
            *(k.as_(k.name) for k in keys),
            quantity.as_('quantity'),
            amount.as_('amount'),
            (amount - unpaid).as_('paid_amount'),
            group_by=keys,
            having=(quantity != 0) | (amount != 0))

    @classmethod
    def _company_date(cls):
        context = Transaction().context
        return (
            context.get('company', -1),
            context.get('date') or Pool().get('ir.date').today())

    @classmethod
    def search(
            cls, domain, offset=0, limit=None, order=None, count=False,
            query=False):
        Member = Pool().get('coop.member')
        by, direction = (order or cls._order)[0]
        if (limit and not domain and not count and not query
                and by == 'member'):
            # The first members hold the first holdings: to find those, not
            # all has to be added up
            company, _ = cls._company_date()
            size = offset + limit
            while size <= 10 * SLICE:
                with without_check_access():
                    members = Member.search([
                            ('company', '=', company),
                            ], limit=size, order=[('number', direction)])
                with Transaction().set_context(
                        holding_members=list(map(int, members))):
                    holdings = super().search(
                        domain, offset=offset, limit=limit, order=order)
                if len(holdings) == limit or len(members) < size:
                    return cls.browse(holdings)
                size *= 2
        return super().search(
            domain, offset=offset, limit=limit, order=order, count=count,
            query=query)

    @classmethod
    def read(cls, ids, fields_names):
        # Add up only what the members hold whose holdings are read.  The id
        # of a holding is that of a row of the ledger.
        cursor = Transaction().connection.cursor()
        move = Pool().get('coop.share.move').__table__()
        members = set()
        for sub_ids in grouped_slice(ids, 10 * SLICE):
            cursor.execute(*move.select(
                    move.from_member, move.to_member,
                    where=fields.SQL_OPERATORS['in'](move.id, sub_ids)))
            members.update(m for row in cursor for m in row if m)
        with Transaction().set_context(holding_members=sorted(members)):
            return super().read(ids, fields_names)

    @classmethod
    def get_since(cls, holdings, name):
        Move = Pool().get('coop.share.move')
        acquired = defaultdict(list)
        for (*key, date), (quantity, _) in Move.holdings_at(
                *cls._company_date(),
                members={h.member for h in holdings},
                by=('member', 'share_class', 'vintage', 'acquired_date')
                ).items():
            if quantity > 0:
                acquired[tuple(key)].append(date)
        return {
            h.id: min(
                acquired[h.member.id, h.share_class.id, h.vintage],
                default=None)
            for h in holdings}

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None
