# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The appropriation of a surplus and its allocation, of its inputs alone"""
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.rounding import half_up

from .law import Law
from .pool_allocation import PoolAllocation, Refused
from .pool_amounts import net, pool_amounts
from .surplus_waterfall import Rule, RuleError, appropriate, target_room

# The lines that a loss goes to, besides those of which the amount is fixed
LOSS_KINDS = {'loss_cover', 'loss_carried', 'carry_forward'}


class Allocated(NamedTuple):
    "What the lines take and the pools allocate"
    amounts: dict
    rows: list
    member_ratio: Fraction
    member_result: Decimal
    non_member_result: Decimal
    # By section what it appropriates
    sections: dict


def allocate(inputs):
    "Return what becomes of the surplus of the inputs"
    settings = inputs.settings
    ratio = get_member_ratio(inputs)
    sections = section_results(
        inputs.result, inputs.sections, settings.net_sections, settings.unit)
    amounts = dict.fromkeys((line.key for line in inputs.lines), Decimal(0))
    # What the sections before take of the same accounts is not there anymore
    balances = dict(inputs.balances)
    member_result = non_member_result = Decimal(0)
    for section, result in sections.items():
        bases = get_bases(inputs, section, result)
        member_result += bases['member_result']
        non_member_result += bases['non_member_result']
        total = result
        if section is None:
            total += settings.brought_forward + settings.reserve_release
        lines = [line for line in inputs.lines if line.section == section]
        try:
            amounts.update(appropriate(
                    total, get_rules(inputs, lines, result, balances), bases,
                    settings.unit))
        except RuleError as e:
            raise Refused(
                f'line_{e.reason}' if e.key else e.reason, line=e.key,
                section=None if e.key else section,
                amount=e.amount, limit=e.limit) from e
        for line in lines:
            if line.account in balances:
                balances[line.account] += amounts[line.key]
    rows = _allocate_pools(inputs, amounts)
    _check_patronage_base(inputs, amounts, ratio)
    Law(inputs, amounts, rows, member_result).check()
    return Allocated(
        amounts, rows, ratio, member_result, non_member_result, sections)


def section_results(result, sections, net_sections, unit):
    """Return by section what it appropriates, and under None the rest

    The losses of sections are borne by the others pro rata if they are
    netted.
    """
    results = {None: result - sum(sections.values()), **sections}
    if net_sections:
        # Keys are compared
        results = {
            section or None: amount for section, amount in net(
                {section or 0: a for section, a in results.items()},
                unit).items()}
    return results


def get_bases(inputs, section, result):
    "Return the amounts that the rates of the lines of a section apply to"
    settings = inputs.settings
    ratio = get_member_ratio(inputs, section)
    activity_result = result
    tax = earlier = Decimal(0)
    if section is None:
        activity_result -= settings.other_result
        tax = settings.income_tax
        # As some laws count, which deduct earlier losses too
        earlier = min(settings.brought_forward, Decimal(0))
    member_result = half_up(
        Fraction(activity_result) * ratio, settings.unit)
    bases = {
        'result': result,
        'member_result': member_result,
        'non_member_result': activity_result - member_result,
        }
    if section is None:
        # The tax is of the whole: a section has none of its own
        bases.update({
                'result_before_tax': result + tax + earlier,
                'member_result_before_tax': half_up(
                    Fraction(activity_result + tax) * ratio,
                    settings.unit) + earlier,
                })
    return bases


def get_member_ratio(inputs, section=None):
    """Return the exact part of the members

    In a section by the activity that its pools share with that of the whole,
    if they share any.
    """
    settings = inputs.settings
    if settings.fixed_ratio is not None:
        return Fraction(settings.fixed_ratio)
    categories = settings.ratio_categories
    has_usage = any(usage for _, usage in categories.values())
    if section is not None:
        lines = {line.key for line in inputs.lines if line.section == section}
        own = {c for p in inputs.pools if p.line in lines
            for c in p.categories}
        categories = {
            c: values for c, values in categories.items() if c in own
            } or categories
    members = total = Decimal(0)
    for _, member, category, quantity, amount in inputs.activity[has_usage]:
        if category in categories:
            measure, _ = categories[category]
            value = quantity if measure == 'quantity' else amount
            total += value
            if member:
                members += value
    # Without activity there is nobody but the members
    if total <= 0:
        return Fraction(1)
    return min(max(Fraction(members) / Fraction(total), 0), Fraction(1))


def get_rules(inputs, lines, result, balances):
    """Return the rules of the lines that take part

    A loss has lines of its own, which a profit does not touch, and it leaves
    alone what only a profit gives to.
    """
    loss = result < 0
    pooled = {p.line for p in inputs.pools}
    rules = []
    for line in lines:
        cover = line.kind == 'loss_cover'
        if loss and line.kind not in LOSS_KINDS and line.amount is None:
            continue
        if not loss and cover:
            continue
        room = None
        if cover:
            # A reserve bears what it holds, the members what they allocate
            if line.key not in pooled:
                room = max(
                    balances.get(line.account, Decimal(0)), Decimal(0))
        elif not loss and line.target and line.account:
            room = target_room(
                balances[line.account], line.target,
                balances[line.target_account])
        rules.append(Rule(
                key=line.key, basis=line.basis, rate=line.rate,
                amount=line.amount, minimum_amount=line.minimum_amount,
                minimum_rate=line.minimum_rate,
                maximum_rate=line.maximum_rate, room=room, cover=cover))
    return rules


def _get_parts(amount, parts, unit):
    "Return the parts of the amount, which are the whole if the parts are one"
    parts = {k: Fraction(p) for k, p in parts.items()}
    return apportion(
        half_up(Fraction(amount) * sum(parts.values()), unit), parts, unit)


def _allocate_pools(inputs, amounts):
    "Return the rows of the pools and move what they leave between the lines"
    by_line = {}
    for pool in inputs.pools:
        by_line.setdefault(pool.line, []).append(pool)
    given, left = {}, {}
    for key, pools in by_line.items():
        pool_parts = {p.key: p.amount for p in pools}
        pool_parts.update(_get_parts(
                amounts[key],
                {p.key: p.part for p in pools if p.part is not None},
                inputs.settings.unit))
        if sum(p is None for p in pool_parts.values()) > 1:
            raise Refused('pool_amount_missing', line=key)
        try:
            line_amounts, left[key] = pool_amounts(
                amounts[key], pool_parts,
                inputs.settings.unit, inputs.settings.net_losses)
        except ValueError as e:
            raise Refused(
                'pool_amount_exceeded', line=key, amount=amounts[key]) from e
        given.update(line_amounts)
    sections = {line.key: line.section for line in inputs.lines}
    carry_forward = {
        line.section: line.key for line in inputs.lines
        if line.kind == 'carry_forward'}
    any_carry_forward = next((
            line.key for line in reversed(inputs.lines)
            if line.kind == 'carry_forward'), None)
    rows = []
    lots = {key: list(held) for key, held in inputs.holdings.items()}
    for pool in inputs.pools:
        allocated, pool_rows = PoolAllocation(
            inputs, pool, rows, lots).allocate(given[pool.key])
        # The last pool bears what no pool of its line distributes
        difference = given[pool.key] - allocated
        if pool is by_line[pool.line][-1]:
            difference += left[pool.line]
        forfeited = sum(row.get('forfeited', 0) for row in pool_rows)
        line = pool.difference_line or carry_forward.get(
            sections[pool.line], any_carry_forward)
        if (difference or forfeited) and not line:
            raise Refused(
                'pool_difference', pool=pool.key,
                amount=difference or forfeited)
        if difference:
            amounts[pool.line] -= difference
            amounts[line] += difference
        rows.extend(pool_rows)
    return rows


def _check_patronage_base(inputs, amounts, ratio):
    base = inputs.settings.patronage_base
    if base is None:
        return
    limit = half_up(Fraction(base) * ratio, inputs.settings.unit)
    amount = sum(
        amounts[line.key] for line in inputs.lines
        if line.kind == 'patronage')
    if amount > limit:
        raise Refused('patronage_base', amount=amount, limit=limit)
