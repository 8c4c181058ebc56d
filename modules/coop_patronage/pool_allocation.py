# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_shares.tax import STANDARD, Withheld, withhold

from .base_capital import capital_targets
from .loss_absorption import absorb
from .pool_arithmetic import (
    by_rate, ceil, distribute, elect, set_off, split_cash, whole_shares)

ZERO = Decimal(0)


class Refused(ValueError):
    """The inputs can not be allocated

    `reason` names the message, which tells of the line, the pool, the member
    or the rule of law, and of the amounts.
    """

    def __init__(
            self, reason, line=None, pool=None, member=None, rule=None,
            section=None, party=None, **amounts):
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.pool = pool
        self.member = member
        self.rule = rule
        self.section = section
        self.party = party
        self.amounts = amounts


class PoolAllocation:
    """The allocation of one pool, of the inputs and what was before it

    `earlier` are the rows of the pools before and `lots` what is held by
    member and class after them.
    """

    def __init__(self, inputs, pool, earlier, lots):
        self.inputs = inputs
        self.pool = pool
        self.earlier = earlier
        self.lots = lots
        self.unit = inputs.settings.unit

    def allocate(self, amount):
        "Return what is distributed of the amount and the rows"
        pool = self.pool
        basis, amounts, members, outside = self._get_basis()
        weights = {p: max(b, ZERO) for p, b in basis.items()}
        total = sum(weights.values())
        if not total:
            if not amount:
                return amount, []
            raise Refused('pool_no_activity', pool=pool.key)
        distributed = self._get_gross(amount, weights, amounts)
        # What members did before they joined is no business with a member
        outside = {} if pool.non_members == 'pay' else {
            p: half_up(
                Fraction(distributed[p])
                * min(Fraction(part) / Fraction(weights[p]), 1),
                pool.rounding)
            for p, part in outside.items()
            if members[p] and part > 0 and weights[p] > 0}
        gross = {p: g - outside.get(p, 0) for p, g in distributed.items()}

        def get_row(party, part):
            return {
                'pool': pool.key,
                'party': party,
                'member': members[party],
                'basis': basis[party],
                'share': round(max(basis[party], ZERO) / total, 10),
                'gross': part,
                'vintage': self.inputs.settings.vintage,
                }

        if amount < 0:
            return amount, self._get_losses(gross, outside, members, get_row)
        cash = self._get_cash(
            {p: g for p, g in gross.items() if members[p]}, members)
        if pool.non_members == 'pay':
            # They can not hold equity
            cash |= {p: g for p, g in gross.items() if not members[p]}
        uses = self._get_uses(gross, cash, members)
        for party, parts in uses.items():
            cash[party] -= parts['capitalise']
        debts = self._get_left_debts()
        before = self._get_taxed()
        rows = []
        for party, part in gross.items():
            row = get_row(party, part)
            if party in cash:
                row.update(self._divide(
                        party, members[party], part, cash[party], before,
                        debts.get(party, (ZERO, ZERO)),
                        uses.get(party, {})))
                part = outside.get(party, ZERO)
                row['gross'] += part
            if party not in cash or part:
                name = 'held' if pool.non_members == 'hold' else 'forfeited'
                row[name] = row.get(name, ZERO) + part
            rows.append(row)
        return sum(distributed.values()), rows

    def _get_basis(self):
        """Return what is known of each party that takes part

        Its basis, amount and member, and the part of the basis from when it
        was no member.
        """
        pool = self.pool
        eligible = self.inputs.eligible.get(pool.key)
        basis, outside = defaultdict(Decimal), defaultdict(Decimal)
        amounts, members = {}, {}
        seniority = self.inputs.seniority.get(pool.key, {})
        activity = (
            self.inputs.lifetime[pool.key] if pool.measure == 'lifetime'
            else self.inputs.activity[pool.has_usage])
        for party, member, category, quantity, amount in activity:
            if category not in pool.categories:
                continue
            if pool.employees and party not in seniority:
                continue
            if member:
                if eligible is not None and party not in eligible:
                    continue
            elif pool.non_members == 'exclude':
                continue
            measure, weight = pool.categories[category]
            value = (quantity if measure == 'quantity' else amount) * weight
            basis[party] += value
            if not member:
                outside[party] += value
            amounts[party] = amounts.get(party, ZERO) + amount
            members[party] = members.get(party) or member
        if pool.employees and pool.measure == 'equal':
            # Whether or not there is anything to measure
            for party, (_, member) in seniority.items():
                if member or pool.non_members != 'exclude':
                    basis.setdefault(party, ZERO)
                    amounts.setdefault(party, ZERO)
                    members[party] = members.get(party) or member
        if pool.minimum_activity:
            for party, value in list(basis.items()):
                if value < pool.minimum_activity:
                    del basis[party]
                    outside.pop(party, None)
        for party, value in basis.items():
            measured = self._measure(
                value, seniority.get(party, (0, None))[0])
            if value and measured != value and party in outside:
                outside[party] *= measured / value
            basis[party] = measured
        return basis, amounts, members, outside

    def _measure(self, value, years):
        "Return the basis of who has a value and full years"
        pool = self.pool
        if pool.measure == 'tenure':
            value = Decimal(years) if value > 0 else ZERO
        elif pool.measure == 'equal':
            value = Decimal(value > 0 or pool.employees)
        if pool.seniority_rate:
            value *= min(
                1 + pool.seniority_rate * years, pool.seniority_maximum)
        return value

    def _get_gross(self, amount, weights, amounts):
        pool = self.pool
        caps = None
        if pool.cap_percent is not None:
            caps = {
                p: max(pool.cap_percent * amounts[p], ZERO) for p in weights}
        if pool.method == 'rate':
            gross = by_rate(pool.rate, weights, pool.rounding, caps)
            needed = sum(gross.values())
            if needed > amount:
                raise Refused(
                    'pool_rate_exceeded', pool=pool.key, needed=needed,
                    amount=amount)
        else:
            gross, _ = distribute(amount, weights, pool.rounding, caps)
        return gross

    def _get_losses(self, gross, outside, members, get_row):
        "Return the rows of a loss, which the equity of the members bears"
        pool = self.pool
        taken = uncovered = {}
        losses = {
            members[p]: -part for p, part in gross.items()
            if members[p] and part}
        if pool.equity_class:
            lots = {
                m: self.lots.get((m, pool.equity_class), []) for m in losses}
            taken, uncovered = absorb(
                losses, lots, pool.par_value, pool.quantity_digits, self.unit,
                pool.loss_order == 'newest')
            for member, part in taken.items():
                # They are not there for the pools that follow
                self.lots[member, pool.equity_class] = [
                    *lots[member], *(
                        lot._replace(
                            quantity=-lot.quantity, amount=-lot.amount)
                        for lot in part)]
        else:
            uncovered = losses
        rows = []
        for party, part in gross.items():
            row = get_row(party, part)
            row['forfeited'] = (
                -uncovered.get(members[party], ZERO)
                if members[party] else part)
            row['equity'] = part - row['forfeited']
            part = outside.get(party, ZERO)
            row['gross'] += part
            row['forfeited'] += part
            rows.append(row)
        return rows

    def _get_held(self, member):
        return sum((
                lot.amount for lot in self.inputs.holdings.get(
                    (member, self.pool.equity_class), [])), ZERO)

    def _get_cash(self, gross, members):
        "Return the money of each of the parties"
        pool = self.pool
        under_invested = set()
        if pool.required_equity:
            # They hold less than their base capital
            targets = capital_targets(
                pool.required_equity, self.inputs.use[pool.key], self.unit)
            under_invested = {
                p for p in gross
                if self._get_held(members[p]) < targets.get(members[p], 0)}
        small = {
            p for p in gross
            if pool.cash_below and gross[p] < pool.cash_below}
        under_invested -= small
        cash = split_cash(
            {p: g for p, g in gross.items()
                if p not in under_invested | small},
            pool.cash_percent, pool.cash_floor, pool.rounding)
        if under_invested:
            cash |= split_cash(
                {p: gross[p] for p in under_invested},
                ZERO, pool.cash_floor, pool.rounding)
        # They are too small to be divided
        cash |= {p: max(gross[p], ZERO) for p in small}
        return cash

    def _get_uses(self, gross, cash, members):
        "Return what becomes of the money of who elected, by the uses"
        pool = self.pool
        elections = self.inputs.elections.get(pool.key)
        if not elections:
            return {}
        owed = self.inputs.owed[pool.key]
        done = {
            name: defaultdict(Decimal) for name in ['to_shares', 'capital']}
        classes = {p.key: p.equity_class for p in self.inputs.pools}
        for row in self.earlier:
            _, for_shares = self.inputs.debts.get(row['party'], (0, 0))
            done['to_shares'][row['member']] += (
                row.get('to_shares', 0)
                + min(row.get('set_off', 0), for_shares))
            if classes[row['pool']] == pool.equity_class:
                done['capital'][row['member']] += row.get('equity', 0)
        uses = {}
        for party, money in cash.items():
            member = members[party]
            if member not in elections:
                continue
            shares, target = elections[member]
            if 'capitalise' in shares and not pool.equity_class:
                raise Refused(
                    'pool_election_class', pool=pool.key, member=member)
            least = ZERO
            if pool.cash_floor:
                least = min(money, ceil(
                        Fraction(pool.cash_floor) * Fraction(gross[party]),
                        pool.rounding))
            room = None
            if target:
                # What is allocated anyway counts for the target too
                room = max(
                    target - self._get_held(member)
                    - done['capital'][member] - (gross[party] - money), ZERO)
            parts = elect(money, shares, self.unit, least, room)
            parts['withhold'] = min(
                parts.get('withhold', ZERO),
                max(owed.get(member, ZERO) - done['to_shares'][member], ZERO))
            uses[party] = parts
        return uses

    def _get_left_debts(self):
        "Return the debts less what the pools before pay of them"
        left = dict(self.inputs.debts)
        for row in self.earlier:
            debt, for_shares = left.get(row['party'], (ZERO, ZERO))
            to_shares = min(row.get('to_shares', 0), for_shares)
            paid = row.get('set_off', 0)
            # A set-off may have paid shares
            left[row['party']] = (
                debt - to_shares - paid,
                max(for_shares - to_shares - paid, ZERO))
        return left

    def _get_taxed(self):
        "Return by party what was allocated and withheld before in the year"
        if not self.pool.withholding_rate:
            return {}
        before = {p: dict(amounts) for p, amounts in self.inputs.taxed.items()}
        for row in self.earlier:
            amounts = before.setdefault(row['party'], {})
            for name in ['gross', 'cash', 'withholding', 'exempt']:
                amounts[name] = (
                    amounts.get(name, ZERO)
                    + max(row.get(name) or ZERO, ZERO))
            amounts['taken'] = (
                amounts.get('taken', ZERO) + (row.get('exempt') or ZERO))
        return before

    def _get_tax(self, party, gross, cash, before):
        "Return what is withheld of what the party gets, from its money"
        pool = self.pool
        if (not pool.withholding_rate
                or (pool.withholding_unidentified
                    and party in self.inputs.identified)):
            return Withheld(ZERO, ZERO, ZERO)
        amounts = before.get(party, {})
        terms, exempted = self.inputs.tax_terms.get(party, (STANDARD, ZERO))
        tax = withhold(
            gross if pool.withholding_base == 'gross' else cash,
            pool.withholding_rate, self.unit, pool.withholding_threshold,
            terms, exempted + amounts.get('taken', ZERO),
            amounts.get(pool.withholding_base, ZERO)
            - amounts.get('exempt', ZERO),
            amounts.get('withholding', ZERO))
        if tax.tax > cash:
            # Each part of the tax gets less
            tax = tax._replace(tax=cash, church_tax=half_up(
                    Fraction(tax.church_tax) * Fraction(cash)
                    / Fraction(tax.tax), self.unit))
        return tax

    def _divide(self, party, member, gross, cash, before, debts, uses):
        "Return how the allocation of a patron is made of cash and equity"
        pool = self.pool
        equity = gross - cash
        forfeited = held = ZERO
        kept = False
        # What is not paid out is not taxed either
        payable = cash - uses.get('savings', ZERO) - uses.get('donate', ZERO)
        if (pool.minimum and payable > 0
                and payable + self.inputs.kept.get(party, ZERO)
                < pool.minimum):
            if pool.below_minimum == 'keep':
                kept = True
            elif pool.below_minimum == 'cash':
                # It is too little to be divided
                cash, equity = gross, ZERO
            else:
                cash -= payable
                if (pool.below_minimum == 'equity' and pool.equity_class
                        and member):
                    equity += payable
                else:
                    forfeited = payable
        tax = self._get_tax(party, gross - forfeited, cash, before)
        net = cash - tax.tax
        given = {}
        for name, use in [('savings', 'savings'), ('donation', 'donate')]:
            given[name] = min(uses.get(use, ZERO), net)
            net -= given[name]
        quantity = ZERO
        if equity > 0:
            quantity, equity, held = whole_shares(
                equity, pool.par_value, pool.quantity_digits, self.unit)
        to_shares = overdue = ZERO
        if not kept:
            to_shares = min(uses.get('withhold', ZERO), net)
            net -= to_shares
            if pool.set_off:
                debt, for_shares = debts
                debt = max(debt - min(to_shares, for_shares), ZERO)
                overdue = sum(set_off(net, {'overdue': debt}).values())
        return {
            **given,
            **self._get_consent(member, cash, equity),
            'cash': cash,
            'equity': equity,
            'quantity': quantity,
            'held': held,
            'forfeited': forfeited,
            'withholding': tax.tax,
            'church_tax': tax.church_tax or None,
            'exempt': tax.exempt or None,
            'to_shares': to_shares,
            'set_off': overdue,
            'net': net - overdue,
            'kept': kept,
            }

    def _get_consent(self, member, cash, equity):
        """Return if the equity is taxed when it is allocated, and why

        The by-laws bind the members only, and a cheque who gets one.
        """
        pool = self.pool
        consent = date = None
        if pool.qualified and equity > 0:
            date = self.inputs.consents.get(member)
            if date:
                consent = 'written'
            elif pool.bylaw_consent and member:
                consent = 'bylaw'
            elif pool.cheque_consent and cash:
                consent = 'cheque'
        if (consent and pool.cash_floor and Fraction(cash)
                < Fraction(pool.cash_floor) * Fraction(cash + equity)):
            # The money the law asks for is not paid
            consent = date = None
        return {
            'qualified': bool(consent),
            'consent': consent,
            'consent_date': date,
            }
