# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Cast, Null, Union
from sql.aggregate import Min, Sum
from sql.conditionals import Case, Coalesce

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.transaction import Transaction


class Statement(ModelSQL, ModelView):
    __name__ = 'coop.equity.statement'
    __string__ = "Equity Statement"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One('coop.member', "Member")
    share_class = fields.Many2One('coop.share.class', "Share Class")
    vintage = fields.Integer("Vintage")
    opening = Monetary("Opening", currency='currency', digits='currency')
    allocated = Monetary("Allocated", currency='currency', digits='currency')
    redeemed = Monetary("Redeemed", currency='currency', digits='currency')
    lost = Monetary("Lost", currency='currency', digits='currency')
    transferred = Monetary(
        "Transferred", currency='currency', digits='currency')
    closing = Monetary("Closing", currency='currency', digits='currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('member', 'ASC'),
            ('share_class', 'ASC'),
            ('vintage', 'ASC'),
            ('id', 'ASC'),
            ]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return f'{self.member.rec_name} {self.vintage or ""}'

    @classmethod
    def table_query(cls):
        context = Transaction().context
        from_date = context.get('from_date')
        to_date = context.get('to_date')
        rows = Union(
            cls._get_rows('to_member', 1, 0),
            cls._get_rows('from_member', -1, 1), all_=True)

        def total(where):
            return Sum(Case((where, rows.amount), else_=Decimal(0)))

        before = (rows.date < from_date) if from_date else (
            rows.date == Null)
        within = rows.date != Null
        if from_date:
            within &= rows.date >= from_date
        columns = {
            'opening': before,
            'allocated': within & rows.kind.in_(
                ['allocation', 'issue', 'opening', 'revaluation']),
            'redeemed': within & (rows.kind == 'redemption'),
            'lost': within & (rows.kind == 'loss'),
            'transferred': within & rows.kind.in_(
                ['transfer', 'conversion']),
            'closing': rows.date != Null,
            }
        where = rows.date != Null
        if to_date:
            where &= rows.date <= to_date
        return rows.select(
            Min(rows.id).as_('id'),
            rows.company.as_('company'),
            rows.member.as_('member'),
            rows.share_class.as_('share_class'),
            rows.vintage.as_('vintage'),
            *(getattr(cls, name).sql_cast(total(condition)).as_(name)
                for name, condition in columns.items()),
            where=where,
            group_by=[
                rows.company, rows.member, rows.share_class, rows.vintage])

    @classmethod
    def _get_rows(cls, name, sign, shard):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        move = ShareMove.__table__()
        reversed_ = ShareMove.__table__()
        share_class = ShareClass.__table__()
        member = getattr(move, name)
        amount = move.amount if sign > 0 else -move.amount
        return (move
            .join(share_class, condition=move.share_class == share_class.id)
            # What is reversed was never allocated or redeemed
            .join(reversed_, 'LEFT',
                condition=move.reversal_of == reversed_.id)
            .select(
                (Cast(move.id, 'BIGINT') * 2 + shard).as_('id'),
                move.company.as_('company'),
                member.as_('member'),
                move.share_class.as_('share_class'),
                move.vintage.as_('vintage'),
                Coalesce(reversed_.kind, move.kind).as_('kind'),
                move.date.as_('date'),
                amount.as_('amount'),
                where=(member != Null)
                & (move.state == 'done')
                & (move.company == Transaction().context.get('company', -1))
                & (share_class.kind == 'allocated')))


class StatementContext(ModelView):
    __name__ = 'coop.equity.statement.context'
    __string__ = "Equity Statement Context"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date")
    to_date = fields.Date("To Date")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_from_date(cls):
        return Transaction().context.get('from_date')

    @classmethod
    def default_to_date(cls):
        return Transaction().context.get('to_date')
