# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"What the user may read, where all that there is is shown"
from itertools import groupby

from trytond.pool import Pool
from trytond.transaction import check_access


def may_read(name):
    "Return whether the user may read records of the model"
    ModelAccess = Pool().get('ir.model.access')
    with check_access():
        return ModelAccess.check(name, 'read', raise_exception=False)


def get_readable(records):
    "Return which of the records the user may read"
    readable = set()
    for name, same in groupby(
            sorted(records, key=lambda r: (r.__name__, r.id)),
            key=lambda r: r.__name__):
        if may_read(name):
            ids = [r.id for r in same]
            with check_access():
                readable.update(
                    Pool().get(name).search([('id', 'in', ids)]))
    return readable
