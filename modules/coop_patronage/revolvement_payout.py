# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up

from .base_capital import capital_targets
from .loss_absorption import take_amount

CENT = Decimal('0.01')


def revolve(inputs):
    """Return the rows of what a revolvement pays, of its inputs alone

    A row is not worth more than whole shares of its vintage.
    """
    settings = inputs.settings
    balances = {}
    for (member, share_class), lots in inputs.holdings.items():
        for lot in lots:
            key = member, share_class, lot.vintage or 0
            balances[key] = balances.get(key, CENT * 0) + lot.amount
    balances = {k: amount for k, amount in balances.items() if amount > 0}
    rows = []
    for key, amount in sorted(_get_paid(inputs, balances).items()):
        member, share_class, vintage = key
        par, digits = inputs.classes[share_class]
        _, left = take_amount(
            [lot for lot in inputs.holdings[member, share_class]
                if (lot.vintage or 0) == vintage],
            amount, par, digits, settings.unit)
        amount -= left
        if not amount:
            continue
        discount = amount * 0
        if settings.method == 'estate':
            years = (
                vintage + settings.cycle_years - settings.posting_date.year)
            discount = amount - present_value(
                amount, settings.discount_rate, years, settings.unit)
        rows.append({
                'member': member,
                'share_class': share_class,
                'vintage': vintage or None,
                'balance': balances[key],
                'amount': amount,
                'discount': discount,
                'set_off': amount * 0,
                'payable': amount - discount,
                })
    return _above_minimum(settings, _set_off(inputs.debts, rows))


def _set_off(debts, rows):
    "Pay the debts of the members with the rows, in their order"
    left = dict(debts)
    for row in rows:
        part = min(left.get(row['member'], 0), row['payable'])
        if part > 0:
            row['set_off'] = part
            row['payable'] -= part
            left[row['member']] -= part
    return rows


def _above_minimum(settings, rows):
    "Return the rows without those of who would get too little money"
    if not settings.minimum or settings.payout != 'money':
        return rows
    paid = {}
    for row in rows:
        paid[row['member']] = paid.get(row['member'], 0) + row['payable']
    return [
        row for row in rows
        if not 0 < paid[row['member']] < settings.minimum]


def _get_paid(inputs, balances):
    "Return what is paid by member, class and vintage"
    settings = inputs.settings
    if settings.method == 'estate' or not balances:
        return balances
    # The smallest step that is a whole number of shares of each class
    unit = max(settings.unit, *(
            par * Decimal(1).scaleb(-digits)
            for par, digits in inputs.classes.values()))
    if settings.method == 'base_capital':
        paid = base_capital(
            {(m, (v, c)): amount for (m, c, v), amount in balances.items()},
            capital_targets(
                settings.required_equity, inputs.use, settings.unit),
            settings.budget, unit)
        return {(m, c, v): amount for (m, (v, c)), amount in paid.items()}
    lots = {((m, c), v): amount for (m, c, v), amount in balances.items()}
    if settings.method == 'percentage':
        paid = by_percentage(
            lots, rate=settings.rate, budget=settings.budget, unit=unit)
    elif settings.method == 'hybrid':
        paid = hybrid(lots, settings.budget, settings.rate, unit=unit)
    else:
        paid = by_vintage(
            lots, settings.budget, newest=settings.method == 'lifo',
            until=settings.until_vintage, unit=unit)
    return {(m, c, v): amount for ((m, c), v), amount in paid.items()}


def by_vintage(balances, budget, newest=False, until=None, unit=CENT):
    """Return what a budget pays of balances, the oldest vintage first.

    `balances` maps pairs of member and vintage to amounts.  The vintage for
    which the money is short is paid pro rata.  Without a budget everything
    is paid, up to the vintage `until`, which is the oldest one if the newest
    is paid first.
    """
    paid = {}
    keys = sorted(
        (k for k, amount in balances.items()
            if amount > 0 and (until is None
                or (k[1] >= until if newest else k[1] <= until))),
        key=lambda k: k[1], reverse=newest)
    for _, group in groupby(keys, key=lambda k: k[1]):
        held = {k: balances[k] for k in group}
        total = sum(held.values())
        if budget is None or budget >= total:
            paid |= held
        else:
            paid |= _pro_rata(budget, held, unit)
        if budget is not None:
            budget = max(budget - total, budget * 0)
            if not budget:
                break
    return paid


def by_percentage(balances, rate=None, budget=None, unit=CENT):
    "Return the same part of each balance: a rate, or what a budget allows"
    held = {k: amount for k, amount in balances.items() if amount > 0}
    if budget is not None:
        return _pro_rata(min(budget, sum(held.values(), CENT * 0)), held, unit)
    return {
        k: half_up(Fraction(rate) * Fraction(amount), unit)
        for k, amount in held.items()}


def hybrid(balances, budget, rate, unit=CENT):
    "Pay a rate of the budget by vintage and the rest of it by percentage"
    first = half_up(Fraction(rate) * Fraction(budget), unit)
    paid = by_vintage(balances, first, unit=unit)
    left = {k: amount - paid.get(k, 0) for k, amount in balances.items()}
    second = by_percentage(left, budget=budget - first, unit=unit)
    return {
        k: paid.get(k, CENT * 0) + second.get(k, CENT * 0)
        for k in balances if paid.get(k) or second.get(k)}


def base_capital(balances, targets, budget=None, unit=CENT):
    """Return what is paid to those who hold more than their target.

    The oldest vintages of a member are paid first.  If the budget is short,
    all get the same part of what they hold over their target.
    """
    held = {}
    for (member, _), amount in balances.items():
        held[member] = held.get(member, CENT * 0) + amount
    over = {
        member: amount - targets.get(member, 0)
        for member, amount in held.items()
        if amount > targets.get(member, 0)}
    if budget is not None:
        over = _pro_rata(
            min(budget, sum(over.values(), CENT * 0)), over, unit)
    paid = {}
    for member, vintage in sorted(balances, key=lambda k: (k[1], k[0])):
        part = min(over.get(member, 0), balances[member, vintage])
        if part > 0:
            paid[member, vintage] = part
            over[member] -= part
    return paid


def present_value(amount, rate, years, unit=CENT):
    "Return what an amount due in some years is worth today"
    return half_up(
        Fraction(amount) / (1 + Fraction(rate)) ** max(years, 0), unit)


def _pro_rata(budget, held, unit):
    if not budget:
        return {}
    parts = apportion(budget, held, unit)
    # A balance which is not a multiple of the unit is not overdrawn
    excess = budget * 0
    for key in parts:
        if parts[key] > held[key]:
            excess += parts[key] - held[key]
            parts[key] = held[key]
    for key in sorted(held):
        part = min(excess, held[key] - parts[key])
        parts[key] += part
        excess -= part
    return {k: part for k, part in parts.items() if part}
