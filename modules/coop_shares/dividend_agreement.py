# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class DividendAgreement(BooksMixin):
    "The agreement of what is to be paid with its account"
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        "Compare the amounts to pay with their account"
        pool = Pool()
        Line = pool.get('coop.share.dividend.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        cursor = Transaction().connection.cursor()
        differences = super().check_books(company, date)

        table = cls.__table__()
        line = Line.__table__()
        move = Move.__table__()
        move_line = MoveLine.__table__()
        where = (table.company == company.id) & (move.date <= date)
        expected, found = defaultdict(Decimal), defaultdict(Decimal)
        for name, sign in [('move', 1), ('cancel_move', -1)]:
            column = getattr(line, name)
            query = (table
                .join(line, condition=line.dividend == table.id)
                .join(move, condition=column == move.id)
                .select(
                    table.id,
                    Sum(line.gross - line.withholding
                        - Coalesce(line.to_shares, 0)).as_('amount'),
                    where=where,
                    group_by=table.id))
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            for id_, amount in cursor:
                expected[id_] += sign * company.currency.round(amount)
            moves = line.select(
                line.dividend, column.as_('move'),
                where=column != Null,
                group_by=[line.dividend, column])
            query = (table
                .join(moves, condition=moves.dividend == table.id)
                .join(move, condition=moves.move == move.id)
                .join(move_line, condition=(move_line.move == move.id)
                    & (move_line.account == table.account_payable))
                .select(
                    table.id,
                    Sum(move_line.credit - move_line.debit).as_('amount'),
                    where=where & (move.state == 'posted'),
                    group_by=table.id))
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            for id_, amount in cursor:
                found[id_] += company.currency.round(amount)
        for id_ in sorted(expected.keys() | found.keys()):
            if expected[id_] != found[id_]:
                dividend = cls(id_)
                differences.append(Difference(
                        record=dividend,
                        description=gettext(
                            'coop_shares.msg_books_dividend',
                            dividend=dividend.rec_name,
                            account=dividend.account_payable.rec_name),
                        expected=expected[id_],
                        found=found[id_]))
        return differences
