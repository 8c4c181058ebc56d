# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from trytond.modules.coop_membership.rounding import half_up


class Rule(NamedTuple):
    """A line of the appropriation of a surplus.

    `rate`, `minimum_rate` and `maximum_rate` are fractions of the basis,
    `amount` is a fixed amount instead of a rate, `minimum_amount` what is
    taken at least as far as there is as much, and `room` the most that
    the line may take: what its target still lacks or, in a loss year, what
    its account still holds.  What covers a loss takes no more than is left
    of it.
    """
    key: Any
    basis: str = 'result'
    rate: Decimal | None = None
    amount: Decimal | None = None
    minimum_amount: Decimal | None = None
    minimum_rate: Decimal | None = None
    maximum_rate: Decimal | None = None
    room: Decimal | None = None
    cover: bool = False


class RuleError(ValueError):
    """The rules can not appropriate the surplus.

    `reason` is 'minimum' or 'maximum' when the line `key` takes `amount`
    instead of `limit`, 'exceeded' when the lines take `amount` more than
    there is, and 'left' when they leave `amount`.
    """

    def __init__(self, reason, key=None, amount=None, limit=None):
        super().__init__(f"{reason}: {amount}")
        self.reason = reason
        self.key = key
        self.amount = amount
        self.limit = limit


def target_room(balance, target_rate, target_balance):
    "Return what an account lacks to reach a rate of another balance"
    return max(target_rate * target_balance - balance, Decimal(0))


def appropriate(total, rules, bases, unit=Decimal('0.01')):
    """Return the amount of each rule, in order, which sum to the total.

    `bases` maps the names of the bases known beforehand to their amounts.
    There are two more: 'previous_line' is the amount of the line before and
    'remainder' is what the lines before leave.  Lines of the remainder that
    follow each other share the same remainder, so that 70 % and 30 % of it
    are the whole of it.

    Rates apply to bases that are not rounded, and each amount is rounded
    half up in its turn.  The last line of the remainder takes the rest: its
    rate, if it has one, must agree with it but for the rounding.  What the
    rounding takes beyond the total, or leaves where no line takes the rest,
    goes to the lines that it has changed most.

    A loss is a negative total: then limits do not apply, except the room.
    """
    amounts, exacts, bases_used = {}, {}, {}
    left = Fraction(total)
    remainder = None
    previous = Fraction(0)
    last = None
    for rule in rules:
        if (rule.basis == 'remainder' and rule.amount is None
                and not (rule.cover and rule.room is not None)):
            last = rule
    for rule in rules:
        if rule.basis == 'remainder':
            if remainder is None:
                remainder = left
                if remainder * Fraction(total) < 0:
                    raise RuleError(
                        'exceeded', amount=abs(half_up(remainder, unit)))
            base = remainder
        else:
            remainder = None
            if rule.basis == 'previous_line':
                base = previous
            else:
                base = Fraction(bases[rule.basis])
        if rule.amount is not None:
            exact = Fraction(rule.amount)
        elif rule.rate is not None:
            exact = Fraction(rule.rate) * base
        elif rule is last:
            exact = left
        else:
            exact = base
        if rule.minimum_amount is not None and total > 0:
            exact = max(
                exact,
                min(Fraction(rule.minimum_amount), max(left, Fraction(0))))
        if rule.room is not None and abs(exact) > rule.room:
            exact = Fraction(rule.room) * (-1 if exact < 0 else 1)
        if rule.cover:
            exact = min(max(exact, left), Fraction(0))
        amounts[rule.key] = half_up(exact, unit)
        exacts[rule.key] = exact
        bases_used[rule.key] = base
        left -= exact
        previous = exact

    rest = total - sum(amounts.values())
    if last and (amounts[last.key] + rest) * total < 0 or not last and (
            left == 0):
        beyond = rest + (amounts[last.key] if last else 0)
        if last:
            del exacts[last.key]
        rest -= _round_again(amounts, exacts, beyond, unit)
    if last:
        amount = amounts[last.key] + rest
        # What each of the lines was rounded by comes to this line
        if (abs(rest) > unit * len(amounts)
                or amount * total < 0
                or (last.room is not None and abs(amount) > last.room)):
            raise RuleError(
                'left' if rest * total > 0 else 'exceeded', amount=abs(rest))
        amounts[last.key] = amount
    elif rest:
        raise RuleError(
            'left' if rest * total > 0 else 'exceeded', amount=abs(rest))
    if total > 0:
        _check_limits(rules, amounts, bases_used, unit)
    return amounts


def _round_again(amounts, exacts, beyond, unit):
    """Round as many lines the other way as it takes, and return their sum

    Those first whose rounding has changed them most.
    """
    sign = 1 if beyond > 0 else -1
    changes = {
        key: (exact - Fraction(amounts[key])) * sign
        for key, exact in exacts.items()}
    given = 0
    for key in sorted(changes, key=changes.get, reverse=True)[
            :int(abs(beyond) / unit)]:
        if changes[key] > 0:
            amounts[key] += sign * unit
            given += sign * unit
    return given


def _check_limits(rules, amounts, bases, unit):
    for rule in rules:
        amount, base = amounts[rule.key], bases[rule.key]
        if base <= 0:
            continue
        if rule.minimum_rate is not None:
            limit = Fraction(rule.minimum_rate) * base
            if rule.room is not None:
                limit = min(limit, Fraction(rule.room))
            if limit - Fraction(amount) >= unit:
                raise RuleError(
                    'minimum', rule.key, amount, half_up(limit, unit))
        if rule.maximum_rate is not None:
            limit = Fraction(rule.maximum_rate) * base
            if Fraction(amount) - limit >= unit:
                raise RuleError(
                    'maximum', rule.key, amount, half_up(limit, unit))
