# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""How the requests in a queue share a budget, and how long each waits."""
from decimal import ROUND_DOWN, Decimal
from math import ceil

from trytond.modules.coop_membership.apportionment import apportion


def grant(budget, requests, order='request_date', unit=Decimal(1)):
    """Return the quantity granted to each request within the budget.

    `requests` are key and quantity in their order, `budget` is a quantity
    too.  By request date the first ones are granted until the budget is
    used, the last of them in part; pro rata each gets its part of it.
    """
    budget = max(budget, Decimal(0)).quantize(unit, rounding=ROUND_DOWN)
    if order == 'pro_rata' and budget < sum(q for _, q in requests):
        return apportion(budget, dict(requests), unit)
    granted = {}
    for key, quantity in requests:
        granted[key] = min(quantity, budget)
        budget -= granted[key]
    return granted


def expected_years(ahead, quantity, budget):
    "Return the number of yearly budgets it takes to reach the whole request"
    if budget <= 0:
        return None
    return ceil((ahead + quantity) / budget)
