# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond import backend
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

__all__ = ['fetch_sums']


def fetch_sums(query, sums=1):
    "Return the rows of the query, whose last columns are sums of amounts"
    cursor = Transaction().connection.cursor()
    if backend.name == 'sqlite':
        # It does not know the type of what is calculated
        others = len(query.columns) - sums
        sqlite_apply_types(query, [None] * others + ['NUMERIC'] * sums)
    cursor.execute(*query)
    return cursor.fetchall()
