# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.aggregate import Sum

from trytond import backend
from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction


def get_balances(company, accounts, where):
    "Return the credit balance of the accounts"
    pool = Pool()
    Move = pool.get('account.move')
    Line = pool.get('account.move.line')
    move = Move.__table__()
    line = Line.__table__()
    cursor = Transaction().connection.cursor()
    accounts = list({int(a) for a in accounts if a})
    balances = dict.fromkeys(accounts, Decimal(0))
    for sub_accounts in grouped_slice(accounts, SLICE):
        query = (line
            .join(move, condition=line.move == move.id)
            .select(
                line.account,
                Sum(line.credit - line.debit).as_('balance'),
                where=fields.SQL_OPERATORS['in'](
                    line.account, list(sub_accounts))
                & (move.company == company.id)
                & where(move),
                group_by=line.account))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        for account, balance in cursor:
            balances[account] = company.currency.round(balance)
    return balances
