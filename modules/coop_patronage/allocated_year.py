# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.modules.coop_membership.period import DAY

from .exceptions import ActivityLocked


def changed_days(old, new):
    """Yield the stretches of days that are in only one of two stretches

    An open start or end is None.
    """
    starts = [start or dt.date.min for start, _ in [old, new]]
    ends = [end or dt.date.max for _, end in [old, new]]
    if starts[0] != starts[1]:
        yield min(starts), max(starts) - DAY
    if ends[0] != ends[1]:
        yield min(ends) + DAY, max(ends)


class AllocatedYearMixin:
    "The allocation of a year, after which its activity does not change"
    __slots__ = ()

    @classmethod
    def get_allocated(cls, companies):
        "Return the fiscal years that are allocated, by company"
        allocated = {company: [] for company in companies}
        for surplus in cls.search([
                    ('company', 'in', [c.id for c in companies]),
                    ('state', 'in', ['approved', 'posted']),
                    ('pools', '!=', None),
                    ]):
            allocated[surplus.company].append(surplus.fiscalyear)
        return allocated

    @classmethod
    def refuse_allocated(cls, changes, message):
        """Yield what changes the activity of an allocated year, and why not

        The changes are pairs of a record and the stretch of days on which it
        changes, of which None is an open start or end.
        """
        changes = list(changes)
        allocated = cls.get_allocated({r.company for r, _ in changes})
        for record, (start, end) in changes:
            for fiscalyear in allocated[record.company]:
                if ((not start or start <= fiscalyear.end_date)
                        and (not end or end >= fiscalyear.start_date)):
                    yield record, gettext(message,
                        record=record.rec_name,
                        fiscalyear=fiscalyear.rec_name)

    @classmethod
    def check_allocated(cls, changes, message):
        "Refuse what changes the activity of an allocated year"
        for _, text in cls.refuse_allocated(changes, message):
            raise ActivityLocked(text)
