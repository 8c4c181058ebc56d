# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Many records in parts"""
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

# Each instance holds the ids it was read with: many are slow to create
SLICE = 100


def search_slices(Model, domain):
    "Yield the records found in slices that know only of themselves"
    cursor = Transaction().connection.cursor()
    cursor.execute(*Model.search(domain, query=True))
    for ids in grouped_slice([id_ for id_, in cursor], SLICE):
        yield Model.browse(list(ids))
