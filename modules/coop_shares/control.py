# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import Difference
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

__all__ = ['compare']


def compare(company, date, accounts, expected, later, message):
    """Yield the differences of the balances of the accounts at the date.

    `expected` maps pairs of account and party to a credit balance, of which
    `later` is what is posted after the date only, because the period was
    closed.
    """
    pool = Pool()
    Account = pool.get('account.account')
    Line = pool.get('account.move.line')
    Move = pool.get('account.move')
    Party = pool.get('party.party')
    cursor = Transaction().connection.cursor()
    if not accounts:
        return
    line = Line.__table__()
    move = Move.__table__()
    query = line.join(move, condition=line.move == move.id).select(
        line.account, line.party,
        Sum(line.credit - line.debit).as_('balance'),
        where=fields.SQL_OPERATORS['in'](line.account, list(accounts))
        & (move.date <= date) & (move.state == 'posted'),
        group_by=[line.account, line.party])
    if backend.name == 'sqlite':
        sqlite_apply_types(query, [None, None, 'NUMERIC'])
    cursor.execute(*query)
    found = {
        (account, party): company.currency.round(Decimal(balance))
        for account, party, balance in cursor}
    for key in sorted(
            expected.keys() | found.keys(),
            key=lambda k: (k[0], k[1] or -1)):
        account, party = key
        difference = (
            found.get(key, Decimal(0)) - expected.get(key, Decimal(0)))
        if company.currency.is_zero(difference):
            continue
        timing = company.currency.is_zero(
            difference + later.get(key, Decimal(0)))
        party = Party(party) if party else None
        yield Difference(
            record=Account(account),
            description=gettext(
                message,
                account=Account(account).rec_name,
                party=party.rec_name if party else ''),
            expected=expected.get(key, Decimal(0)),
            found=found.get(key, Decimal(0)),
            party=party,
            kind='timing' if timing else 'error')
