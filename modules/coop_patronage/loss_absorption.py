# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.


def absorb(losses, balances, newest=False):
    """Take the loss of each member from his allocated equity.

    `losses` maps members to positive amounts, and `balances` maps pairs of
    member and vintage to what is held.  The oldest vintage is taken first,
    or the newest.  Returns what is taken of each balance, and what each
    member's equity does not cover; no balance gets below zero.
    """
    vintages = {}
    for member, vintage in balances:
        vintages.setdefault(member, []).append(vintage)
    taken, uncovered = {}, {}
    for member, loss in losses.items():
        for vintage in sorted(vintages.get(member, []), reverse=newest):
            part = min(loss, max(balances[member, vintage], loss * 0))
            if part:
                taken[member, vintage] = part
                loss -= part
        if loss:
            uncovered[member] = loss
    return taken, uncovered
