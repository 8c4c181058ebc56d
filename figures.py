# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"The rows of the tables that reports print"
from decimal import Decimal
from types import SimpleNamespace

from trytond import backend
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class Row(SimpleNamespace):
    "The figures of a line of a table"


def fetch(query, types=None):
    "Return the rows of the query with the types of its columns"
    cursor = Transaction().connection.cursor()
    if types and backend.name == 'sqlite':
        sqlite_apply_types(query, types)
    cursor.execute(*query)
    return cursor.fetchall()


def beside(rows, previous):
    """Return the rows, each with the one of last year

    What is gone since then comes last, without figures.
    """
    rows, previous = list(rows), {r.key: r for r in previous}
    for row in rows:
        row.previous = previous.pop(row.key, None)
    for last in previous.values():
        row = Row(**{
                name: None if isinstance(value, (int, float, Decimal))
                else value for name, value in vars(last).items()})
        row.previous = last
        rows.append(row)
    return rows


def total(rows, *names):
    "Return the row of the sums"
    return Row(**{
            name: sum((getattr(r, name) or 0 for r in rows), Decimal(0))
            for name in names})
