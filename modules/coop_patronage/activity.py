# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from sql import Cast, Literal, Null, Union
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce
from sql.functions import Round
from sql.operators import Concat

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    DeactivableMixin, Index, ModelSQL, ModelView, Unique, fields)
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.rpc import RPC
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import (
    Transaction, inactive_records, without_check_access)

from .exceptions import (
    ActivityLocked, EntryConflictError, ReassignmentValidationError)
from .surplus import changed_days


class Entry(ModelSQL, ModelView):
    __name__ = 'coop.patronage.entry'
    __string__ = "Patronage Entry"

    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    category = fields.Many2One(
        'coop.patronage.category', "Category", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('source', '=', 'entry'),
            ])
    date = fields.Date("Date", required=True)
    quantity = fields.Numeric("Quantity",
        states={
            'required': Eval('measure') == 'quantity',
            })
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        states={
            'required': Eval('measure') == 'amount',
            },
        help="The untaxed amount in the currency of the company.")
    company = fields.Many2One('company.company', "Company", required=True)
    external_id = fields.Char("External ID",
        help="Identifies the entry in the system it comes from, "
        "so that it is not recorded twice.")
    description = fields.Char("Description")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    measure = fields.Function(fields.Selection(
            'get_measures', "Measure"),
        'on_change_with_measure')

    @classmethod
    def __setup__(cls):
        cls.external_id.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._order.insert(0, ('date', 'DESC'))
        cls._sql_constraints += [
            ('external_id_unique',
                Unique(t, t.company, t.category, t.external_id),
                'coop_patronage.msg_entry_external_id_unique'),
            ]
        cls._sql_indexes.add(
            Index(t,
                (t.category, Index.Equality()),
                (t.date, Index.Range())))
        cls.__rpc__.update({
                'intake': RPC(readonly=False),
                })
        # The description does not change what is allocated
        cls._check_modify_exclude = {'description', 'external_id'}

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def get_measures(cls):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        return Category.fields_get(['measure'])['measure']['selection']

    @fields.depends('category')
    def on_change_with_measure(self, name=None):
        return self.category.measure if self.category else None

    def get_rec_name(self, name):
        return ' '.join(filter(None, [
                    self.party.rec_name, self.category.rec_name,
                    str(self.date), self.external_id]))

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if operator.startswith('!') or operator.startswith('not '):
            bool_op = 'AND'
        else:
            bool_op = 'OR'
        return [bool_op,
            ('party.rec_name', operator, operand, *extra),
            ('category.rec_name', operator, operand, *extra),
            ('external_id', operator, operand, *extra),
            ]

    @classmethod
    def intake(cls, vlist):
        """Create the entries that are not recorded yet.

        The values are those of create.  An entry of which the external id is
        recorded with the same values is left as it is, and refused with other
        values.  Returns the number of entries created.
        """
        names = ['party', 'date', 'quantity', 'amount']
        recorded = {}
        default_company = cls.default_company()
        to_create = []
        for values in vlist:
            values.setdefault('company', default_company)
            values['external_id'] = values.get('external_id') or None
        for key, rows in groupby(
                sorted((v for v in vlist if v['external_id']),
                    key=lambda v: (v['company'], v['category'])),
                key=lambda v: (v['company'], v['category'])):
            company, category = key
            for sub_rows in grouped_slice(list(rows), SLICE):
                for entry in cls.search([
                            ('company', '=', company),
                            ('category', '=', category),
                            ('external_id', 'in',
                                [v['external_id'] for v in sub_rows]),
                            ]):
                    recorded[(*key, entry.external_id)] = tuple(
                        entry.party.id if n == 'party' else getattr(entry, n)
                        for n in names)
        for values in vlist:
            key = (
                values['company'], values['category'], values['external_id'])
            row = tuple(values.get(n) for n in names)
            if not values['external_id']:
                to_create.append(values)
            elif key not in recorded:
                recorded[key] = row
                to_create.append(values)
            elif recorded[key] != row:
                raise EntryConflictError(gettext(
                        'coop_patronage.msg_entry_conflict',
                        external_id=values['external_id']))
        for sub_values in grouped_slice(to_create, SLICE):
            cls.create(list(sub_values))
        return len(to_create)

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if 'external_id' in values:
            values['external_id'] = values['external_id'] or None
        return values

    @classmethod
    def check_modification(cls, mode, entries, values=None, external=False):
        super().check_modification(
            mode, entries, values=values, external=external)
        if (mode == 'delete'
                or (mode == 'write'
                    and values.keys() - cls._check_modify_exclude)):
            cls.check_locked(entries)

    @classmethod
    def validate_fields(cls, entries, field_names):
        super().validate_fields(entries, field_names)
        if field_names and not (field_names - cls._check_modify_exclude):
            return
        cls.check_locked(entries)

    @classmethod
    def check_locked(cls, entries):
        "Refuse to change the entries of a period that is allocated"
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        locks = defaultdict(list)
        for pool_ in Pool_.search([
                    ('surplus.company', 'in',
                        list({e.company.id for e in entries})),
                    ('surplus.state', 'in', ['approved', 'posted']),
                    ]):
            for category in pool_.categories:
                locks[category].append(pool_.surplus.fiscalyear)
        for entry in entries:
            for fiscalyear in locks[entry.category]:
                if fiscalyear.start_date <= entry.date <= fiscalyear.end_date:
                    raise ActivityLocked(gettext(
                            'coop_patronage.msg_entry_locked',
                            entry=entry.rec_name,
                            fiscalyear=fiscalyear.rec_name))

    @classmethod
    def copy(cls, entries, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('external_id')
        return super().copy(entries, default=default)


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


class Reassignment(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.reassignment'
    __string__ = "Patronage Reassignment"

    company = fields.Many2One('company.company', "Company", required=True)
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Whose activity counts for others.")
    to_party = fields.Many2One(
        'party.party', "To Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="For whom the activity counts.")
    share = fields.Numeric("Share", required=True,
        domain=[
            ('share', '>', 0),
            ('share', '<=', 1),
            ],
        help="The part of the activity.\n"
        "The shares of a party must sum to 100 % on each day.")
    start_date = fields.Date("Start Date",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<=', Eval('end_date', None)),
                ()),
            ])
    end_date = fields.Date("End Date",
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            ])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('party.name', 'ASC'),
            ('start_date', 'ASC NULLS FIRST'),
            ('id', None),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_share(cls):
        return Decimal(1)

    def get_rec_name(self, name):
        return f'{self.party.rec_name} → {self.to_party.rec_name}'

    @classmethod
    def check_modification(
            cls, mode, reassignments, values=None, external=False):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        super().check_modification(
            mode, reassignments, values=values, external=external)
        dates = ['start_date', 'end_date']
        changes = []
        for reassignment in reassignments:
            days = tuple(getattr(reassignment, n) for n in dates)
            if mode != 'write' or values.keys() - set(dates):
                changes.append((reassignment, days))
            if mode == 'write':
                changes.extend(
                    (reassignment, changed) for changed in changed_days(
                        days, tuple(
                            values.get(n, d) for n, d in zip(dates, days))))
        Surplus.check_allocated(
            changes, 'coop_patronage.msg_reassignment_allocated')

    @classmethod
    def check_shares(cls, company, start_date, end_date):
        "Refuse shares of a party that do not sum to 1 on each day"
        reassignments = cls.search([
                ('company', '=', company.id),
                ['OR',
                    ('start_date', '=', None),
                    ('start_date', '<=', end_date),
                    ],
                ['OR',
                    ('end_date', '=', None),
                    ('end_date', '>=', start_date),
                    ],
                ], order=[('party', 'ASC'), ('id', 'ASC')])
        for party, rows in groupby(reassignments, key=lambda r: r.party):
            rows = list(rows)
            dates = {start_date}
            for row in rows:
                if row.start_date:
                    dates.add(max(row.start_date, start_date))
                if row.end_date and row.end_date < end_date:
                    dates.add(row.end_date + dt.timedelta(days=1))
            for date in sorted(dates):
                share = sum(
                    row.share for row in rows
                    if (row.start_date or date) <= date
                    <= (row.end_date or date))
                # Without any row the activity is the party's own
                if share not in {0, 1}:
                    raise ReassignmentValidationError(gettext(
                            'coop_patronage.msg_reassignment_sum',
                            party=party.rec_name,
                            date=date,
                            share=share * 100))
