# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Cast, Literal, Null, Union
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce
from sql.functions import Round
from sql.operators import Concat

from trytond import backend
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import sqlite_apply_types
from trytond.transaction import (
    Transaction, inactive_records, without_check_access)


class Activity(ModelSQL, ModelView):
    __name__ = 'coop.patronage.activity'
    __string__ = "Patronage Activity"

    company = fields.Many2One('company.company', "Company")
    party = fields.Many2One(
        'party.party', "Party",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    member = fields.Many2One('coop.member', "Member",
        help="Empty if the party was not a member on that date.")
    category = fields.Many2One('coop.patronage.category', "Category")
    date = fields.Date("Date")
    quantity = fields.Numeric("Quantity")
    amount = Monetary("Amount", currency='currency', digits='currency')
    origin = fields.Reference("Origin", selection='get_origin')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order.insert(0, ('date', 'DESC'))

    @classmethod
    def _get_origin(cls):
        "Return list of Model names for origin Reference"
        return ['coop.patronage.entry', 'account.invoice.line']

    @classmethod
    def get_origin(cls):
        pool = Pool()
        Model = pool.get('ir.model')
        get_name = Model.get_name
        return [(None, '')] + [(m, get_name(m)) for m in cls._get_origin()]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return self.origin.rec_name if self.origin else str(self.id)

    @classmethod
    def table_query(cls):
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        Reassignment = pool.get('coop.patronage.reassignment')
        member = Member.__table__()
        membership = Membership.__table__()
        reassignment = Reassignment.__table__()
        company = Transaction().context.get('company', -1)

        query = cls._get_union()
        # The activity of a party may count for several others: so the id is
        # made of the ids of the row, its category and its reassignment
        with without_check_access(), inactive_records():
            last_reassignment = Reassignment.search([
                    ('company', '=', company),
                    ], order=[('id', 'DESC')], limit=1)
        if last_reassignment:
            count = last_reassignment[0].id + 1
            table = query.join(reassignment, 'LEFT',
                condition=(reassignment.party == query.party)
                & (reassignment.company == company)
                & (reassignment.active == Literal(True))
                & (Coalesce(reassignment.start_date, query.date)
                    <= query.date)
                & (Coalesce(reassignment.end_date, query.date)
                    >= query.date))
            party = Coalesce(reassignment.to_party, query.party)
            share = Coalesce(reassignment.share, 1)
            id_ = query.id * count + Coalesce(reassignment.id, 0)
            quantity, amount = query.quantity * share, query.amount * share
        else:
            table, party, id_ = query, query.party, query.id
            quantity, amount = query.quantity, query.amount
        return (table
            .join(member, 'LEFT',
                condition=(member.party == party)
                & (member.company == company))
            .join(membership, 'LEFT',
                condition=(membership.member == member.id)
                & (membership.start_date <= query.status_date)
                & (Coalesce(membership.end_date, query.status_date)
                    >= query.status_date))
            .select(
                id_.as_('id'),
                Literal(company).as_('company'),
                party.as_('party'),
                membership.member.as_('member'),
                query.category.as_('category'),
                query.date.as_('date'),
                quantity.as_('quantity'),
                amount.as_('amount'),
                query.origin.as_('origin')))

    @classmethod
    def _get_union(cls):
        "Return the query of the activity of the categories of the context"
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        context = Transaction().context
        domain = [('company', '=', context.get('company', -1))]
        if context.get('category'):
            domain.append(('id', '=', context['category']))
        if context.get('categories') is not None:
            domain.append(('id', 'in', list(context['categories'])))
        with without_check_access(), inactive_records():
            categories = Category.search(domain)
        count = max(map(int, categories), default=0) + 1

        queries = []
        for category in categories:
            table, columns, where = getattr(
                cls, f'_query_{category.source}')(category)
            queries.append(table.select(
                    *cls._union_columns(category.id, count, **columns),
                    where=where & cls._where_date(columns['date'])))
        if not queries:
            queries.append(Entry.__table__().select(
                    *cls._union_columns(
                        Null, count, Null, Null, Null, Null, Null),
                    where=Literal(False)))
        return Union(*queries, all_=True)

    @classmethod
    def _union_columns(
            cls, category, count, id, party, date, quantity, amount,
            status_date=None, origin=''):
        id_type = cls.id.sql_type().base
        return [
            (Cast(id, 'BIGINT') * count + category).as_('id'),
            Cast(party, id_type).as_('party'),
            Cast(category, id_type).as_('category'),
            cls.date.sql_cast(date).as_('date'),
            cls.date.sql_cast(
                status_date if status_date is not None else date
                ).as_('status_date'),
            Cast(quantity, 'NUMERIC').as_('quantity'),
            Cast(amount, 'NUMERIC').as_('amount'),
            Concat(origin + ',', Cast(id, cls.origin.sql_type().base)
                ).as_('origin'),
            ]

    @classmethod
    def _where_date(cls, date):
        context = Transaction().context
        where = Literal(True)
        if context.get('from_date'):
            where &= date >= context['from_date']
        if context.get('to_date'):
            where &= date <= context['to_date']
        return where

    @classmethod
    def _query_entry(cls, category):
        pool = Pool()
        Entry = pool.get('coop.patronage.entry')
        entry = Entry.__table__()
        return entry, {
            'id': entry.id,
            'party': entry.party,
            'date': entry.date,
            'quantity': entry.quantity,
            'amount': entry.amount,
            'origin': Entry.__name__,
            }, entry.category == category.id

    @classmethod
    def _query_customer_invoice(cls, category):
        return cls._query_invoice(category, 'out')

    @classmethod
    def _query_supplier_invoice(cls, category):
        return cls._query_invoice(category, 'in')

    @classmethod
    def _query_invoice(cls, category, type):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        Unit = pool.get('product.uom')
        invoice = Invoice.__table__()
        line = InvoiceLine.__table__()
        move = Move.__table__()
        move_line = MoveLine.__table__()
        unit = Unit.__table__()
        credited_line = InvoiceLine.__table__()
        credited_invoice = Invoice.__table__()
        credited_move = Move.__table__()

        # The amount in company currency is the one of the move
        table = (move
            .join(invoice, condition=invoice.move == move.id)
            .join(move_line, condition=move_line.move == move.id)
            .join(line, condition=(line.invoice == invoice.id)
                & (line.account == move_line.account)
                & (line.id == cls._origin_id(
                        move_line.origin, MoveLine, InvoiceLine)))
            .join(unit, 'LEFT', condition=unit.id == line.unit)
            # A credit note has the status of what it credits
            .join(credited_line, 'LEFT',
                condition=credited_line.id == cls._origin_id(
                    line.origin, InvoiceLine, InvoiceLine))
            .join(credited_invoice, 'LEFT',
                condition=credited_invoice.id == credited_line.invoice)
            .join(credited_move, 'LEFT',
                condition=credited_move.id == credited_invoice.move))
        where = (
            (invoice.company == category.company.id)
            & (invoice.type == type)
            & invoice.state.in_(['posted', 'paid'])
            & (line.type == 'line'))
        if category.accounts:
            where &= fields.SQL_OPERATORS['in'](
                line.account, list(map(int, category.accounts)))
        if category.product_categories:
            where &= line.product.in_(cls._products(category))
        where &= cls._where_invoice(category, line, credited_line)
        quantity = Cast(line.quantity, 'NUMERIC')
        if category.measure == 'quantity':
            where &= unit.category == category.unit.category.id
            quantity = Round(Cast(
                    line.quantity * unit.factor / category.unit.factor,
                    'NUMERIC'), 6)
        amount = move_line.credit - move_line.debit
        return table, {
            'id': line.id,
            'party': invoice.party,
            'date': move.date,
            'status_date': Coalesce(credited_move.date, move.date),
            'quantity': quantity,
            'amount': amount if type == 'out' else -amount,
            'origin': InvoiceLine.__name__,
            }, where

    @classmethod
    def _where_invoice(cls, category, line, credited_line):
        "Return which of the invoice lines count: not what was allocated"
        where = Literal(True)
        for origin in [line.origin, credited_line.origin]:
            where &= (
                (origin == Null)
                | ~origin.like('coop.patronage.allocation,%'))
        return where

    @classmethod
    def _origin_id(cls, column, Model, Origin):
        return Case(
            (column.like(Origin.__name__ + ',%'),
                Model.origin.sql_id(column, Model)),
            else_=Null)

    @classmethod
    def _products(cls, category):
        pool = Pool()
        Product = pool.get('product.product')
        ProductCategory = pool.get('product.category')
        TemplateCategory = pool.get('product.template-product.category.all')
        product = Product.__table__()
        template_category = TemplateCategory.__table__()
        with without_check_access(), inactive_records():
            categories = ProductCategory.search([
                    ('parent', 'child_of',
                        list(map(int, category.product_categories))),
                    ])
        return (product
            .join(template_category,
                condition=template_category.template == product.template)
            .select(product.id,
                where=fields.SQL_OPERATORS['in'](
                    template_category.category,
                    list(map(int, categories)))))

    @classmethod
    def get_sums(cls, company, categories, start_date, end_date):
        """Return the sums of a period by party, member and category.

        The member is empty for what the party did while not a member.
        """
        digits = company.currency.digits
        cursor = Transaction().connection.cursor()
        with Transaction().set_context(
                company=company.id, category=None,
                categories=list(map(int, categories)),
                from_date=start_date, to_date=end_date):
            table = cls.__table__()
        query = table.select(
            table.party, table.member, table.category,
            Sum(Coalesce(table.quantity, 0)).as_('quantity'),
            Sum(Coalesce(table.amount, 0)).as_('amount'),
            group_by=[table.party, table.member, table.category])
        if backend.name == 'sqlite':
            sqlite_apply_types(
                query, [None, None, None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        return [
            (party, member, category, round(quantity, 6),
                round(amount, digits))
            for party, member, category, quantity, amount in cursor]

    @classmethod
    def get_use(cls, company, categories, start_date, end_date):
        "Return the weighted activity of a period of the members who have any"
        categories = {c.id: c for c in categories}
        use = defaultdict(Decimal)
        for _, member, category, quantity, amount in cls.get_sums(
                company, categories, start_date, end_date):
            if member:
                category = categories[category]
                value = (
                    quantity if category.measure == 'quantity' else amount)
                use[member] += value * category.weight
        return {m: value for m, value in use.items() if value > 0}


class ActivityContext(ModelView):
    __name__ = 'coop.patronage.activity.context'
    __string__ = "Patronage Activity Context"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date",
        domain=[
            If(Eval('from_date') & Eval('to_date'),
                ('from_date', '<=', Eval('to_date', None)),
                ()),
            ])
    to_date = fields.Date("To Date",
        domain=[
            If(Eval('from_date') & Eval('to_date'),
                ('to_date', '>=', Eval('from_date', None)),
                ()),
            ])
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_from_date(cls):
        return Transaction().context.get('from_date')

    @classmethod
    def default_to_date(cls):
        return Transaction().context.get('to_date')

    @classmethod
    def default_category(cls):
        return Transaction().context.get('category')
