# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.tools import timezone as tz

from . import local_time, recurrence
from .exceptions import BlackoutError
from .for_resource import ForResource


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
                    except ValueError as error:
                        raise BlackoutError(gettext(
                                'coop_commons.msg_blackout_recurrence',
                                blackout=blackout.rec_name,
                                recurrence=blackout.recurrence)) from error

    @classmethod
    def on_modification(cls, mode, blackouts, field_names=None):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        super().on_modification(mode, blackouts, field_names=field_names)
        if mode in {'create', 'write'}:
            Booking.warn_hit(
                'blackout_closing',
                [b for blackout in blackouts for b in blackout.find_hit()],
                'coop_commons.msg_blackout_closing')

    def find_hit(self):
        "Return the bookings to come that it hits"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Resource = pool.get('coop.commons.resource')
        resources = [self.resource] if self.resource else Resource.search([
                ('category', '=', self.category.id)])
        return Booking.find_hit(
            resources,
            is_hit=lambda b: self.overlaps(b.resource, b.start, b.end))

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
        return any(True for _ in self.get_times(resource, start, end))

    def get_times(self, resource, start, end):
        "Yield when it closes the resource between the instants"
        if not self.recurrence:
            if self.start < end and start < self.end:
                yield self.start, self.end
            return
        # It recurs at the same time on the local clock
        zone = resource.zone
        local_start, local_end, first, last = (
            local_time.get_local(i, zone).replace(tzinfo=None)
            for i in (self.start, self.end, start, end))
        length = local_end - local_start
        for local in self.get_recurrence(zone).between(
                first - length - local_time.DAY, last + local_time.DAY,
                inc=True):
            opening = local_time.get_first(local, zone)
            closing = local_time.get_last(local + length, zone)
            if opening < end and closing > start:
                yield opening, closing

    def get_recurrence(self, zone):
        "Return the rule of the local times at which it recurs"
        return recurrence.read(self.recurrence, self.start, zone)
