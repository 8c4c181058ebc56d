# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Price the uses of a period together.

What a user owes for a period follows from the uses of the period in the order
in which they happened, and from nothing else.  A charge is the difference
between this and what is charged already, on the usage whose price changes: in
which order the usages came, how often they were billed in between and what
was taken back again does not change what they cost in the end.
"""
import datetime as dt
from collections import defaultdict
from typing import NamedTuple

from sql import Null
from sql.aggregate import Max, Min

from trytond import backend
from trytond.model import fields
from trytond.pool import Pool
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from . import rating, rating_period
from .for_user import USER
from .slices import SLICE
from .usage_ledger import get_charged, get_difference, get_totals

_YEAR = dt.timedelta(days=366)


class _Use(NamedTuple):
    order: tuple
    id: int
    usage: rating.Usage
    plans: list
    audience: str


class PeriodRating:
    "The usages of a run whose price depends on others"

    def __init__(self, run):
        self.run = run
        # By user
        self.spans = {}
        self.new = defaultdict(set)
        # What makes them depend on each other
        self.tariffs = set()
        self.periods = set()
        self.companies = set()

    def add(self, usage, spans, new=False):
        "Add a usage with the periods that it is in by each of its tariffs"
        user = _get_user(usage)
        if user in self.spans:
            spans.append(self.spans[user])
        self.spans[user] = _unite(spans)
        if new:
            self.new[user].add(usage.id)
        self.companies.add(usage.company)

    def rate(self):
        self._find_tariffs()
        for users in grouped_slice(sorted(self.spans), SLICE):
            found = self._find_rated(list(users))
            for user in sorted(found):
                self._rate_user(user, found[user])

    def _find_tariffs(self):
        "Find the tariffs by which usages depend on each other"
        lowest = False
        approved = [
            t for c in self.companies for t in self.run.get_approved(c)]
        for tariff in approved:
            periods = set().union(*(
                    rating_period.get_counted(c.get_rating())
                    for c in tariff.components))
            if periods:
                self.periods |= periods
                self.tariffs.add(tariff)
                lowest |= tariff.lowest_price
        if lowest:
            # The cheapest of them is chosen use by use
            self.tariffs |= {t for t in approved if t.lowest_price}

    def _find_rated(self, users):
        """Return by user the ids of what is rated or to rate in its periods

        A usage in two periods makes both of them one.
        """
        found, searched = {}, None
        while True:
            first, last = _unite([self.spans[u] for u in users])
            if searched and searched[0] <= first and last <= searched[1]:
                return found
            # What is a bit outside may be in a period that comes in
            searched = first - _YEAR, last + _YEAR
            rows = defaultdict(list)
            for user, *row in self._search(users, *searched):
                rows[user].append(row)
            for user in users:
                found[user] = self._join(user, rows[user])

    def _join(self, user, rows):
        "Return the ids of the rows in the periods, which they make longer"
        ids = set(self.new[user])
        while True:
            first, last = self.spans[user]
            inside = [r for r in rows if r[1] <= last and r[2] >= first]
            ids.update(id_ for id_, *_ in inside)
            span = _unite([
                    self.spans[user],
                    *(rating_period.widen(self.periods, *r[1:])
                        for r in inside)])
            if span == self.spans[user]:
                return ids
            self.spans[user] = span

    def _search(self, users, first, last):
        """Yield user, id, first and last day of what is rated

        Without what is taken back.
        """
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Usage = pool.get('coop.commons.usage')
        components = [c.id for t in self.tariffs for c in t.components]
        domain = ['OR']
        by_name = defaultdict(set)
        for _, name, id_ in users:
            by_name[name].add(id_)
        for name, ids in by_name.items():
            domain.append((name, 'in', list(ids)))
        charge, usage, back = (
            M.__table__() for M in [Charge, Usage, Usage])
        taken_back = back.select(
            back.corrects,
            where=(back.corrects != Null)
            & back.state.in_(['rated', 'charged']))
        candidates = Usage.search([
                ('company', 'in', list({c for c, _, _ in users})),
                domain,
                ('corrects', '=', None),
                ('state', 'in', ['rated', 'charged']),
                ('date', '>=', first - _YEAR),
                ('date', '<=', last),
                ], order=[], query=True)
        query = charge.join(
            usage, condition=charge.usage == usage.id).select(
            usage.company, *(getattr(usage, n) for n in USER), usage.id,
            Min(charge.date).as_('first'), Max(charge.date).as_('last'),
            where=usage.id.in_(candidates)
            & ~usage.id.in_(taken_back)
            & fields.SQL_OPERATORS['in'](charge.component, components),
            group_by=[
                usage.company, *(getattr(usage, n) for n in USER), usage.id],
            having=(Max(charge.date) >= first) & (Min(charge.date) <= last))
        if backend.name == 'sqlite':
            # It does not know the type of what is calculated
            sqlite_apply_types(
                query, [None] * (len(query.columns) - 2) + ['DATE'] * 2)
        cursor = Transaction().connection.cursor()
        cursor.execute(*query)
        for company, *user, id_, first, last in cursor.fetchall():
            if id_ in self.run.taken_back:
                continue
            name, user = next(
                (n, u) for n, u in zip(USER, user) if u)
            yield (company, name, user), id_, first, last

    def _rate_user(self, user, ids):
        new = self.new[user]
        uses = self._load(ids)
        charged = get_charged([u.id for u in uses if u.id not in new])
        counters = {}
        rated, changed, values = [], [], []
        for use in sorted(uses):
            plan, charges = self.run.get_price(
                use.usage, use.plans, counters)
            if use.id not in self.run.taken_back:
                components = {c.key: c for c in plan.components}
                for charge in charges:
                    rating.count(
                        counters, components[charge.component], charge)
            if use.id in new:
                rated.append((use.id, plan.key, use.audience, charges))
                continue
            difference = list(get_difference(
                    use.id, get_totals(
                        self.run.get_values(use.id, c) for c in charges),
                    charged[use.id]))
            if difference:
                values.extend(difference)
                changed.append((use.id, plan.key, use.audience, []))
        self.run.create(values)
        self.run.save(rated + changed)

    def _load(self, ids):
        "Return the uses as the rating takes them"
        Usage = Pool().get('coop.commons.usage')
        uses = []
        for sub_ids in grouped_slice(sorted(ids), SLICE):
            for usage, plans, audience in self.run.find(
                    Usage.browse(list(sub_ids))):
                rated = usage.get_rating(plans)
                uses.append(_Use(
                        _get_order(usage, rated), usage.id, rated, plans,
                        audience))
        return uses


def _get_user(usage):
    name = next(n for n in USER if getattr(usage, n))
    return usage.company.id, name, getattr(usage, name).id


def _get_order(usage, rated):
    """Return what orders the uses as they happened

    Those at the same time are told apart by what was used, not by which came
    first.
    """
    return (
        rated.start, rated.end, rated.booked or (), usage.resource.id,
        rated.seats, rated.event or '', sorted(rated.quantities.items()))


def _unite(spans):
    firsts, lasts = zip(*spans)
    return min(firsts), max(lasts)
