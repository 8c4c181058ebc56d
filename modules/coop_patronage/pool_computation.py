# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.rounding import half_up
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .base_capital import capital_targets
from .exceptions import AllocationError
from .loss_absorption import absorb
from .pool_distribution import (
    by_rate, distribute, set_off, split_cash, whole_shares, withhold)


class PoolComputation:
    "Compute the allocations of a pool"
    __slots__ = ()

    def get_parameters(self):
        "Return the values that decide the allocations"
        return [
            (name, [str(r) for r in value]
                if isinstance(value, tuple) else str(value))
            for name, value in (
                (n, getattr(self, n)) for n in [
                    'line', 'categories', 'method', 'amount', 'rate',
                    'difference_line', 'cash_percent', 'cash_floor',
                    'equity_class', 'required_equity', 'use_years',
                    'elections', 'rounding', 'minimum',
                    'below_minimum', 'eligible_on', 'member_categories',
                    'minimum_activity', 'non_members', 'cap_percent',
                    'withholding_rate', 'withholding_threshold',
                    'withholding_base', 'withholding_unidentified',
                    'set_off', 'loss_order'])
            ] + [str(c.weight) for c in self.categories] + sorted(
                self.get_elections().items())

    def get_allocations(self, amount, activity, debts, earlier=()):
        """Return what is distributed and the values of the allocations.

        The activity is made of the sums by party, member and category, the
        debts are what the parties have overdue, in all and for shares, and
        the earlier allocations those of the other pools of the surplus.
        """
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        basis, amounts, members, outside = self._get_basis(activity)
        weights = {p: max(b, Decimal(0)) for p, b in basis.items()}
        total = sum(weights.values())
        if not total:
            if not amount:
                return amount, []
            raise AllocationError(gettext(
                    'coop_patronage.msg_pool_no_activity',
                    pool=self.rec_name))
        distributed = self._get_gross(amount, weights, amounts)
        # What members did before they joined is no business with a member
        outside = {
            p: half_up(
                Fraction(distributed[p])
                * min(Fraction(part) / Fraction(weights[p]), 1),
                self.rounding)
            for p, part in outside.items()
            if members[p] and part > 0 and weights[p] > 0}
        gross = {p: g - outside.get(p, 0) for p, g in distributed.items()}
        if amount < 0:
            return amount, self._get_losses(
                gross, outside, basis, members, total)
        patrons = {
            p: g for p, g in gross.items()
            if members[p] or self.non_members != 'reserve'}
        cash = self._get_cash(
            {p: g for p, g in patrons.items() if members[p]}, members)
        uses = self._get_uses(gross, cash, members, debts, earlier)
        debts = self._get_left_debts(debts, earlier)
        for party, parts in uses.items():
            cash[party] -= parts['capitalise']
        withheld = self._get_withholding(gross, cash, earlier)
        kept = Allocation.get_kept(self.company) if self.minimum else {}
        rows = []
        for party, part in gross.items():
            row = self._get_row(party, part, basis, members, total)
            if members[party]:
                row.update(self._divide(
                        part, cash[party], withheld.get(party, Decimal(0)),
                        kept.get(party, Decimal(0)),
                        debts[party],
                        uses.get(party, {})))
                part = outside.get(party, Decimal(0))
                row['gross'] += part
            name = 'held' if self.non_members == 'hold' else 'forfeited'
            if not members[party] or part:
                row[name] = row.get(name, Decimal(0)) + part
            rows.append(row)
        return sum(distributed.values()), rows

    def _get_row(self, party, gross, basis, members, total):
        return {
            'pool': self.id,
            'party': party,
            'member': members[party],
            'basis': basis[party],
            'share': round(max(basis[party], Decimal(0)) / total, 10),
            'gross': gross,
            'vintage': self.surplus.fiscalyear.end_date.year,
            'equity_class': self.equity_class,
            }

    def _get_losses(self, gross, outside, basis, members, total):
        "Return the allocations of a loss to the equity of the members"
        _, uncovered = absorb(
            {members[p]: -part for p, part in gross.items()
                if members[p] and part},
            self._get_equity(), self.loss_order == 'newest')
        rows = []
        for party, part in gross.items():
            row = self._get_row(party, part, basis, members, total)
            row['forfeited'] = (
                -uncovered.get(members[party], Decimal(0))
                if members[party] else part)
            row['equity'] = part - row['forfeited']
            part = outside.get(party, Decimal(0))
            row['gross'] += part
            row['forfeited'] += part
            rows.append(row)
        return rows

    def _get_equity(self, members=None):
        "Return the equity held by member and vintage"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        if not self.equity_class:
            return {}
        holdings = ShareMove.holdings_at(
            self.company, None, members=members,
            classes=[self.equity_class], by=('member', 'vintage'))
        return {
            (member, vintage or 0): amount
            for (member, vintage), (_, amount) in holdings.items()}

    def _get_basis(self, activity):
        """Return what is known of each party that takes part

        Its basis, amount and member, and the part of the basis from when it
        was no member.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        categories = {c.id: c for c in self.categories}
        eligible = None
        if self.eligible_on:
            eligible = Member.members_at(
                self.surplus.company, self.eligible_on)
            if self.member_categories:
                member2category = Member.categories_at(
                    eligible.values(), self.eligible_on)
                allowed = set(map(int, self.member_categories))
                eligible = {
                    p: m for p, m in eligible.items()
                    if member2category.get(m) in allowed}
        basis, outside = defaultdict(Decimal), defaultdict(Decimal)
        amounts, members = {}, {}
        for party, member, category, quantity, amount in activity:
            if category not in categories:
                continue
            if member:
                if eligible is not None and party not in eligible:
                    continue
            elif self.non_members == 'exclude':
                continue
            category = categories[category]
            value = quantity if category.measure == 'quantity' else amount
            basis[party] += value * category.weight
            if not member:
                outside[party] += value * category.weight
            amounts[party] = amounts.get(party, Decimal(0)) + amount
            members[party] = members.get(party) or member
        if self.minimum_activity:
            for party, value in list(basis.items()):
                if value < self.minimum_activity:
                    del basis[party]
                    outside.pop(party, None)
        return basis, amounts, members, outside

    def _get_gross(self, amount, weights, amounts):
        caps = None
        if self.cap_percent is not None:
            caps = {
                p: max(self.cap_percent * amounts[p], Decimal(0))
                for p in weights}
        if self.method == 'rate':
            gross = by_rate(self.rate, weights, self.rounding, caps)
            if sum(gross.values()) > amount:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_rate_exceeded',
                        pool=self.rec_name,
                        needed=self.surplus.format_currency(
                            sum(gross.values())),
                        amount=self.surplus.format_currency(amount)))
        else:
            gross, _ = distribute(amount, weights, self.rounding, caps)
        return gross

    def _get_cash(self, gross, members):
        "Return the money of each of the parties"
        under_invested = self._get_under_invested(gross, members)
        cash = split_cash(
            {p: g for p, g in gross.items() if p not in under_invested},
            self.cash_percent, self.cash_floor, self.rounding)
        if under_invested:
            cash |= split_cash(
                {p: gross[p] for p in under_invested},
                Decimal(0), self.cash_floor, self.rounding)
        return cash

    def _get_under_invested(self, parties, members):
        "Return the parties who hold less than their base capital"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        if not self.required_equity:
            return set()
        end_date = self.surplus.fiscalyear.end_date
        targets = capital_targets(
            self.required_equity, Activity.get_use(
                self.company, self.categories,
                end_date - relativedelta(years=self.use_years) + DAY,
                end_date), self.currency.rounding)
        held = defaultdict(Decimal)
        for (member, _), amount in self._get_equity().items():
            held[member] += amount
        return {
            p for p in parties
            if held[members[p]] < targets.get(members[p], 0)}

    def _get_withholding(self, gross, cash, earlier):
        "Return the tax that is withheld from the cash of each party"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Party = pool.get('party.party')
        if not self.withholding_rate:
            return {}
        before = Allocation.get_year_totals(self)
        for row in earlier:
            amounts = before.setdefault(row['party'], {})
            for name in ['gross', 'cash', 'withholding']:
                amounts[name] = (
                    amounts.get(name, Decimal(0))
                    + max(row.get(name, Decimal(0)), Decimal(0)))
        identified = set()
        if self.withholding_unidentified:
            for sub_parties in grouped_slice(list(cash), SLICE):
                identified.update(
                    p.id for p in Party.browse(list(sub_parties))
                    if p.tax_identifier)
        withheld = {}
        for party, money in cash.items():
            if party in identified:
                continue
            amounts = before.get(party, {})
            base = gross if self.withholding_base == 'gross' else cash
            tax = withhold(
                base[party],
                amounts.get(self.withholding_base, Decimal(0)),
                amounts.get('withholding', Decimal(0)),
                self.withholding_rate, self.withholding_threshold,
                self.currency.rounding)
            withheld[party] = min(tax, money)
        return withheld

    def _divide(self, gross, cash, withholding, kept_before, debts, uses):
        "Return how the allocation of a member is made of cash and equity"
        equity = gross - cash
        net = cash - withholding
        given = {}
        for name, use in [('savings', 'savings'), ('donation', 'donate')]:
            given[name] = min(uses.get(use, Decimal(0)), net)
            net -= given[name]
        forfeited = held = Decimal(0)
        kept = False
        if self.minimum and net > 0 and net + kept_before < self.minimum:
            if self.below_minimum == 'keep':
                kept = True
            else:
                if self.below_minimum == 'equity' and self.equity_class:
                    equity += net
                else:
                    forfeited = net
                cash -= net
                net = Decimal(0)
        quantity = Decimal(0)
        if equity > 0:
            quantity, equity, held = whole_shares(
                equity, self.equity_class.par_value,
                self.equity_class.quantity_digits,
                self.currency.rounding)
        to_shares = overdue = Decimal(0)
        if not kept:
            to_shares = min(uses.get('withhold', Decimal(0)), net)
            net -= to_shares
            if self.set_off:
                debt, for_shares = debts
                debt = max(debt - min(to_shares, for_shares), Decimal(0))
                overdue = sum(set_off(net, {'overdue': debt}).values())
        return {
            **given,
            'cash': cash,
            'equity': equity,
            'quantity': quantity,
            'held': held,
            'forfeited': forfeited,
            'withholding': withholding,
            'to_shares': to_shares,
            'set_off': overdue,
            'net': net - overdue,
            'kept': kept,
            }
