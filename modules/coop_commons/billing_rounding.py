# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Make up for what rounding has left of a period that is billed in parts.

A line of an invoice rounds what it sums.  If a part of the same period, or of
the same use, was billed before, its rounding is made up for: what is invoiced
in total is the rounded price of the whole.
"""
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql import Null

from trytond.model import fields
from trytond.pool import Pool
from trytond.tools import grouped_slice

from . import rating_period

_YEAR = dt.timedelta(days=366)


class BillingRounding:
    "What the lines of a billing make up for"
    __slots__ = ()

    def get_roundings(self, groups):
        """Return by key what the lines are charged more, or less

        `groups` are by key the charges of each line.  Nothing is returned
        for those of which no part was billed before.
        """
        parts = self._find_parts([c for cs in groups.values() for c in cs])
        billed = defaultdict(Decimal)
        amounts = _get_amounts(line for _, line in parts if line)
        for (_, line), charges in parts.items():
            exact = defaultdict(Decimal)
            for charge in charges:
                exact[self.get_charge_key(charge)] += charge.amount
            for key, amount in exact.items():
                if key not in groups:
                    continue
                invoiced = Decimal(0)
                if line and len(exact) == 1:
                    invoiced = amounts[line]
                elif line:
                    # It was for other lines too, as they were grouped then
                    invoiced = groups[key][0].round(amount)
                billed[key] += amount - invoiced
        return billed

    def get_charge_key(self, charge):
        return charge.party, charge.currency, self._get_line_key(charge)

    def _find_parts(self, charges):
        """Return what was billed before of the periods of the charges

        They are the charges by billing and line, and with a line go those of
        all the other periods that are on it.
        """
        counted = self._get_counted({c.component for c in charges})
        parts = {}
        while charges:
            found = {
                (c.billing, c.invoice_line)
                for c in self._find_linked(charges, counted)
                } - parts.keys()
            charges = self._load_parts(found, counted.keys())
            parts.update((key, []) for key in found)
            for charge in charges:
                parts[charge.billing, charge.invoice_line].append(charge)
        return parts

    def _get_counted(self, ids):
        "Return by component the periods in which it adds up what was used"
        Component = Pool().get('coop.commons.tariff.component')
        return {
            c.id: rating_period.get_counted(c.get_rating())
            for c in Component.browse(sorted(ids))}

    def _find_linked(self, charges, counted):
        "Yield what was billed before of the same uses or the same periods"
        usages = {i for c in charges for i in (c.usage, c.corrects) if i}
        for ids in grouped_slice(sorted(usages), 500):
            yield from self._search_uses(list(ids), list(counted))
        windows = defaultdict(set)
        for charge in charges:
            windows[charge.party, charge.component] |= _get_windows(
                charge, counted)
        for component in sorted({c for _, c in windows}):
            found = [w for (_, c), ws in windows.items() for w in ws
                if c == component]
            if not found:
                continue
            first = min(date for _, date in found)
            last = max(date for _, date in found) + _YEAR
            for charge in self._search_days(component, first, last):
                key = charge.party, component
                if windows.get(key, set()) & _get_windows(charge, counted):
                    yield charge

    def _before(self, charge):
        return (charge.billing != Null) & (charge.billing != self.id)

    def _search_uses(self, ids, components):
        Usage = Pool().get('coop.commons.usage')
        in_ = fields.SQL_OPERATORS['in']
        # By their ids, which have an index
        usages = [*ids, *map(int, Usage.search(
                    [('corrects', 'in', ids)], order=[]))]
        return self._search_charges(
            lambda charge, usage: self._before(charge)
            & in_(charge.component, components)
            & in_(charge.usage, usages))

    def _search_days(self, component, first, last):
        return self._search_charges(
            lambda charge, usage: self._before(charge)
            & (charge.component == component)
            & (charge.date >= first) & (charge.date <= last))

    def _load_parts(self, parts, components):
        "Return the charges of what was billed before"
        charges = []
        for ids in grouped_slice(sorted(l for _, l in parts if l), 500):
            charges.extend(self._search_lines(list(ids)))
        # What came to nothing has no line
        for ids in grouped_slice(sorted({b for b, l in parts if not l}), 500):
            charges.extend(self._search_nothing(list(ids), list(components)))
        return charges

    def _search_lines(self, ids):
        in_ = fields.SQL_OPERATORS['in']
        return self._search_charges(
            lambda charge, usage: in_(charge.invoice_line, ids))

    def _search_nothing(self, billings, components):
        in_ = fields.SQL_OPERATORS['in']
        return self._search_charges(
            lambda charge, usage: in_(charge.billing, billings)
            & (charge.invoice_line == Null)
            & in_(charge.component, components))


def _get_windows(charge, counted):
    "Return the periods in which the charge is counted"
    return {
        (per, rating_period.get_window(per, charge.date))
        for per in counted[charge.component]}


def _get_amounts(ids):
    "Return the amounts of the lines of invoices"
    Line = Pool().get('account.invoice.line')
    amounts = {}
    for sub_ids in grouped_slice(sorted(set(ids)), 500):
        amounts.update((l.id, l.amount) for l in Line.browse(list(sub_ids)))
    return amounts
