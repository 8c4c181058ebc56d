# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What usages are charged already, and what is to charge more or less"""
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from sql import Literal
from sql.aggregate import Sum

from trytond import backend
from trytond.model import fields
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .digits import AMOUNT, QUANTITY

_NOTHING = Decimal(0), Decimal(0)


class Key(NamedTuple):
    "What is told apart of the charges of a usage"
    component: int
    kind: str
    band: int
    tier: int
    date: Any
    unit_price: Decimal


def get_charged(ids, get_where=lambda charge: Literal(True)):
    "Return by usage the quantity and the amount of what is charged already"
    charge = Pool().get('coop.commons.usage.charge').__table__()
    charged = defaultdict(dict)
    columns = [charge.usage, *(getattr(charge, n) for n in Key._fields)]
    for sub_ids in grouped_slice(ids, backend.MAX_QUERY_PARAMS // 4):
        query = charge.select(
            *columns, Sum(charge.quantity).as_('quantity'),
            Sum(charge.amount).as_('amount'),
            where=fields.SQL_OPERATORS['in'](charge.usage, list(sub_ids))
            & get_where(charge),
            group_by=columns)
        for usage, *key, price, quantity, amount in fetch_sums(query, 2):
            charged[usage][Key(*key, Decimal(str(price)).quantize(AMOUNT))
                ] = quantity.quantize(QUANTITY), amount.quantize(AMOUNT)
    return charged


def get_totals(rows):
    "Return the quantity and the amount of the values of charges"
    totals = {}
    for row in rows:
        key = Key(*(row[n] for n in Key._fields))
        quantity, amount = totals.get(key, _NOTHING)
        totals[key] = quantity + row['quantity'], amount + row['amount']
    return totals


def get_difference(usage, totals, charged):
    "Yield the values of the charges that lead from one to the other"
    for key in sorted(
            totals.keys() | charged.keys(),
            key=lambda k: (k.component, k.date, str(k))):
        quantity, amount = (
            after - before for before, after in zip(
                charged.get(key, _NOTHING), totals.get(key, _NOTHING)))
        if quantity or amount:
            yield {
                'usage': usage,
                **key._asdict(),
                'quantity': quantity,
                'amount': amount,
                }
