# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re

from dateutil.rrule import rrulestr

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.tools import timezone as tz

from . import local_time
from .exceptions import BlackoutError
from .for_resource import ForResource

_UTC = re.compile(r'\d{8}T\d{6}Z')


class Blackout(ForResource, ModelSQL, ModelView):
    __name__ = 'coop.commons.blackout'
    __string__ = "Blackout"
    _rec_name = 'reason'

    start = fields.DateTime("Start", required=True)
    end = fields.DateTime("End", required=True)
    reason = fields.Char("Reason", required=True, translate=True)
    recurrence = fields.Char(
        "Recurrence",
        help="A rule of iCalendar, for instance FREQ=WEEKLY;BYDAY=MO.\n"
        "Leave empty for once.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('end_after_start', Check(t, t.end > t.start),
                'coop_commons.msg_blackout_end_after_start'),
            ]
        cls._order = [('start', 'DESC'), ('id', 'DESC')]

    @classmethod
    def validate_fields(cls, blackouts, field_names):
        super().validate_fields(blackouts, field_names)
        if field_names is None or 'recurrence' in field_names:
            for blackout in blackouts:
                if blackout.recurrence:
                    try:
                        blackout.get_recurrence(tz.get_tzinfo(
                                blackout.company.timezone or 'UTC'))
                    except (ValueError, TypeError, KeyError) as error:
                        raise BlackoutError(gettext(
                                'coop_commons.msg_blackout_recurrence',
                                blackout=blackout.rec_name,
                                recurrence=blackout.recurrence)) from error

    @classmethod
    def find(cls, resource, start, end):
        """Return the blackouts of the resource between the instants

        Those of what contains it close it too.
        """
        domain = ['OR']
        containing = resource
        while containing:
            domain.append(cls.get_domain(containing))
            containing = containing.parent
        blackouts = cls.search([
                ('company', '=', resource.company.id),
                domain,
                ('start', '<', end),
                ['OR',
                    ('recurrence', '!=', None),
                    ('end', '>', start),
                    ],
                ])
        return [b for b in blackouts if b.overlaps(resource, start, end)]

    def overlaps(self, resource, start, end):
        if not self.recurrence:
            return self.start < end and start < self.end
        # It recurs at the same time on the local clock
        zone = resource.zone
        local_start, local_end, first, last = (
            local_time.get_local(i, zone).replace(tzinfo=None)
            for i in (self.start, self.end, start, end))
        length = local_end - local_start
        return any(
            local_time.get_first(o, zone) < end
            and local_time.get_last(o + length, zone) > start
            for o in self.get_recurrence(zone).between(
                first - length - local_time.DAY, last + local_time.DAY,
                inc=True))

    def get_recurrence(self, zone):
        """Return the rule of the local times at which it recurs

        The times in UTC are made local ones, as the start is one.
        """
        def get_local(match):
            instant = dt.datetime.strptime(match[0], '%Y%m%dT%H%M%SZ')
            return local_time.get_local(instant, zone).strftime(
                '%Y%m%dT%H%M%S')
        return rrulestr(
            _UTC.sub(get_local, self.recurrence),
            dtstart=local_time.get_local(self.start, zone).replace(
                tzinfo=None))
