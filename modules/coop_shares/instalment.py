# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What each payment pays: the premium first, then the oldest instalment."""


def capital_part(paid, amount, premium):
    """Return the part of a payment that is paid for capital.

    What has been `paid` before fills the premium first.
    """
    return max(paid + amount - premium, 0) - max(paid - premium, 0)


def instalment_parts(instalments, paid, amount):
    """Return the parts of the amount that go to each open instalment.

    The instalments are open after `paid` has filled the first ones.
    """
    parts = []
    for instalment in instalments:
        covered = min(instalment, paid)
        paid -= covered
        part = min(instalment - covered, amount)
        if part:
            parts.append(part)
            amount -= part
    return parts


def paid_on(payments, total):
    "Return the day since which the payments reach the total"
    paid = 0
    date = None
    for day, amount in sorted(payments):
        before = paid
        paid += amount
        if paid >= total > before:
            date = day
    return date


def complete_sets(debits, credits):
    """Return the lists of keys whose debits and credits are equal.

    Both are lists of key and amount in the order in which they meet.  What
    comes last and does not complete a set is left.
    """
    debits, credits = iter(debits), iter(credits)
    sets, keys, balance = [], [], 0
    while True:
        if balance <= 0:
            if not balance and keys:
                sets.append(keys)
                keys = []
            side, sign = debits, 1
        else:
            side, sign = credits, -1
        try:
            key, amount = next(side)
        except StopIteration:
            return sets
        keys.append(key)
        balance += sign * amount
