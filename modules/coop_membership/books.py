# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from typing import Any, NamedTuple

from trytond.pool import Pool


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
