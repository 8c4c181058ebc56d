# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"Many records at once"
from functools import wraps

from trytond.transaction import Transaction, record_cache_size

# Below the limit of parameters of any database, also with some for each
SLICE = 10_000


def read_at_once(func):
    "Read the records at once, however many they are"
    @wraps(func)
    def wrapper(cls, records):
        # Tryton reads as many as its cache of records takes
        if len(records) <= record_cache_size(Transaction()):
            return func(cls, records)
        with Transaction().set_context(_record_cache_size=len(records)):
            return func(cls, cls.browse(records))
    return wrapper
