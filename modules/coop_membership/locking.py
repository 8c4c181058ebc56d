# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from sql.operators import Any

from trytond.transaction import Transaction

__all__ = ['claim']


def claim(records):
    """Lock records that stand for others: a member for all that he holds.

    The records of each model are locked in the order that can not lead to a
    dead end.  They are also written, without a change.  Without it a
    transaction that locks after another one released could still read what
    was there before: its view of the database is as old as its first query,
    which may be the lock of something else.  A row that was written since
    makes it start over.
    """
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    records = sorted(
        {r for r in records if r}, key=lambda r: (r.__name__, r.id))
    for _, same in groupby(records, key=lambda r: r.__class__):
        same = list(same)
        Model = same[0].__class__
        Model.lock(same)
        if not transaction.database.has_select_for():
            # There is one writer at a time
            continue
        table = Model.__table__()
        cursor.execute(*table.update(
                [table.id], [table.id],
                where=table.id == Any([r.id for r in same])))
