# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from typing import Any, NamedTuple

from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class Difference(NamedTuple):
    """A place where a sub-ledger and the books do not agree.

    `record` is the record to open to mend it, `description` says in plain
    words what is compared, `expected` is what the sub-ledger says and
    `found` what the account says, in company currency.  `kind` is 'error',
    or 'timing' for a difference that ends by itself, because the move had to
    be dated in a later period than the event.
    """
    record: Any
    description: str
    expected: Decimal | None = None
    found: Decimal | None = None
    party: Any = None
    kind: str = 'error'


class BooksMixin:
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        """Return the list of differences between the records of the model
        and the accounts of the company at the end of the date."""
        return []


def check_books(company, date):
    "Return the differences of all the models of the database"
    differences = []
    for _, Model in sorted(Pool().iterobject()):
        if issubclass(Model, BooksMixin):
            differences.extend(Model.check_books(company, date))
    return differences


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
