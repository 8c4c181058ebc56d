# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Literal, Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond import backend
from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .bulk import SLICE

_AMOUNTS = ['receivable', 'overdue', 'payable']


class ContactMixin:
    "How to reach a member, and what is open"
    __slots__ = ()

    email = fields.Function(fields.Char("E-Mail",
            states={
                'invisible': ~Eval('email'),
                }),
        'get_contact', searcher='search_contact')
    phone = fields.Function(fields.Char("Phone",
            states={
                'invisible': ~Eval('phone'),
                }),
        'get_contact', searcher='search_contact')
    address = fields.Function(fields.Char("Address",
            states={
                'invisible': ~Eval('address'),
                }),
        'get_address')
    receivable = fields.Function(Monetary(
            "To Receive", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('receivable', 0),
                },
            help="What the member has to pay, due or not."),
        'get_open_amounts', searcher='search_open_amounts')
    overdue = fields.Function(Monetary(
            "Overdue", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('overdue', 0),
                },
            help="What the member should have paid before today."),
        'get_open_amounts', searcher='search_open_amounts')
    payable = fields.Function(Monetary(
            "To Pay Out", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('payable', 0),
                },
            help="What the cooperative has to pay to the member."),
        'get_open_amounts', searcher='search_open_amounts')

    def get_contact(self, name):
        return getattr(self.party, name)

    @classmethod
    def search_contact(cls, name, clause):
        types = [name] if name == 'email' else ['phone', 'mobile']
        return [('party.contact_mechanisms', 'where', [
                    ('type', 'in', types),
                    ('value', *clause[1:]),
                    ])]

    def get_address(self, name):
        address = self.party.address_get()
        if address:
            return ', '.join(address.full_address.splitlines())

    @classmethod
    def _open_amounts(cls, names, members=None, date=None, company=None):
        """Return the query of the open amounts by member

        Overdue is what was due before the date, or before today.
        """
        pool = Pool()
        Account = pool.get('account.account')
        Date = pool.get('ir.date')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Type = pool.get('account.account.type')
        table = cls.__table__()
        account, type_ = Account.__table__(), Type.__table__()
        line, move = Line.__table__(), Move.__table__()
        lines = (line
            .join(move, condition=line.move == move.id)
            .join(account, condition=line.account == account.id)
            .join(type_, condition=account.type == type_.id)
            .select(
                account.company, line.party, type_.receivable,
                line.maturity_date,
                (line.debit - line.credit).as_('amount'),
                where=(line.reconciliation == Null)
                & (line.party != Null)
                & (move.state == 'posted')
                & (type_.receivable | type_.payable)))
        amounts = {
            'receivable': Case(
                (lines.receivable, lines.amount), else_=Literal(0)),
            'overdue': Case(
                (lines.receivable
                    & (lines.maturity_date < (date or Date.today())),
                    lines.amount),
                else_=Literal(0)),
            'payable': Case(
                (lines.receivable, Literal(0)), else_=-lines.amount),
            }
        query = table.join(lines, 'LEFT',
            condition=(lines.party == table.party)
            & (lines.company == table.company)).select(
            table.id,
            *(Coalesce(Sum(amounts[name]), 0).as_(name) for name in names),
            group_by=table.id)
        if members is not None:
            query.where = fields.SQL_OPERATORS['in'](
                table.id, [m.id for m in members])
        elif company is not None:
            query.where = table.company == company.id
        return query

    @classmethod
    def get_open_amounts(cls, members, names):
        cursor = Transaction().connection.cursor()
        result = {name: {} for name in names}
        currencies = {m.id: m.currency for m in members}
        for sub_members in grouped_slice(members, SLICE):
            query = cls._open_amounts(names, list(sub_members))
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None] + ['NUMERIC'] * len(names))
            cursor.execute(*query)
            for id_, *amounts in cursor:
                for name, amount in zip(names, amounts):
                    result[name][id_] = currencies[id_].round(Decimal(amount))
        return result

    @classmethod
    def search_open_amounts(cls, name, clause):
        _, operator, operand = clause
        query = cls._open_amounts([name])
        id_, amount = query.columns
        amount = amount.expression
        if backend.name == 'sqlite':
            cast = cls.overdue._field.sql_cast
            amount = cast(amount)
            if isinstance(operand, (list, tuple)):
                operand = [cast(Literal(Decimal(v or 0))) for v in operand]
            else:
                operand = cast(Literal(Decimal(operand or 0)))
        query.columns = [id_]
        query.having = fields.SQL_OPERATORS[operator](amount, operand)
        return [('id', 'in', query)]
