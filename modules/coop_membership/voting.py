# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from fractions import Fraction
from math import ceil

from .apportionment import apportion

FRACTIONS = {
    'two_thirds': Fraction(2, 3),
    'three_quarters': Fraction(3, 4),
    'nine_tenths': Fraction(9, 10),
    'unanimous': Fraction(1),
    }


def percentage(total, percent):
    "Return the percentage of the total rounded up to the next unit"
    return ceil(total * Fraction(percent) / 100)


def quorum(total, percent=None, minimum=None):
    """Return how many of the total must be present.

    With a percentage and a minimum the lower of both is enough, as for the
    second call of the Spanish Ley 27/1999, art. 25 (10 percent of the members
    or 100 votes).
    """
    needed = []
    if percent is not None:
        needed.append(percentage(total, percent))
    if minimum is not None:
        needed.append(minimum)
    return min(needed, default=0)


def needed(majority, total):
    "Return how many votes of the total a majority needs"
    if majority == 'absolute':
        return total // 2 + 1
    return ceil(total * FRACTIONS[majority])


def is_carried(majority, votes_for, votes_against, total):
    """Return if the votes carry a motion.

    `total` are the votes the majority is counted from, which are for a simple
    majority always those cast for and against.
    """
    if majority == 'simple':
        return votes_for > votes_against
    return total > 0 and votes_for >= needed(majority, total)


def cap_votes(votes, percent):
    """Limit the share of each one in the sum of all votes.

    `votes` is a mapping to the number of votes.  Those who have more than
    the percentage of all the votes that remain keep the most whole votes that
    are not more, but not less than one: with few members the percentage can
    not be kept otherwise than by the same vote for all.
    """
    cap = max(votes.values(), default=0)
    while cap > 1 and 100 * cap > percent * sum(
            min(v, cap) for v in votes.values()):
        cap -= 1
    return {key: min(v, cap) for key, v in votes.items()}


def limit_investing(votes_for, votes_against, percent):
    """Limit the share of investing members in the votes cast.

    The votes are pairs of those of all the members and, within them, those of
    the investing ones.  Returns the votes for and against that count: those
    of the investing members are reduced in proportion to the most whole votes
    which are not more than the percentage of all that count.
    """
    votes_for, investing_for = votes_for
    votes_against, investing_against = votes_against
    votes_for -= investing_for
    votes_against -= investing_against
    investing = investing_for + investing_against
    share = Fraction(percent) / 100
    if share < 1:
        limit = int((votes_for + votes_against) * share / (1 - share))
        if investing > limit:
            parts = apportion(limit, {
                    'against': investing_against,
                    'for': investing_for,
                    }, 1)
            investing_for = parts['for']
            investing_against = parts['against']
    return votes_for + investing_for, votes_against + investing_against


def elect(votes, seats, needed=1, drawn=()):
    """Return whom the votes elect, and between whom the lot must decide.

    `votes` is a mapping to the number of votes, of which at least `needed`
    elect.  Those with the most votes take the seats; between equal votes for
    the last of them those in `drawn` come first.
    """
    def rank(candidate):
        return -votes[candidate], candidate not in drawn

    ranking = sorted((c for c, v in votes.items() if v >= needed), key=rank)
    elected, others = ranking[:seats], ranking[seats:]
    tied = []
    if elected and others and rank(elected[-1]) == rank(others[0]):
        last = rank(elected[-1])
        tied = [c for c in ranking if rank(c) == last]
        elected = [c for c in elected if rank(c) != last]
    return elected, tied
