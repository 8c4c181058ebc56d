# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt


def stays(memberships):
    """Group memberships that follow each other without a gap.

    The memberships are sequences of the member, the first day, the last day
    and anything else, sorted by member and first day.
    """
    stay = []
    for membership in memberships:
        member, start_date, *_ = membership
        if stay:
            last_member, _, last_date, *_ = stay[-1]
            if (member != last_member
                    or not last_date
                    or start_date != last_date + dt.timedelta(days=1)):
                yield stay
                stay = []
        stay.append(membership)
    if stay:
        yield stay
