# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import islice

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin, PartMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If

from . import local_time, recurrence
from .booking_own import BookingOwn
from .exceptions import SeriesError
from .for_user import ForPerson, ForUser

# More than a year of days is a mistake, or a contract
LIMIT = 366
FREQUENCIES = [
    ('DAILY', "Days"),
    ('WEEKLY', "Weeks"),
    ('MONTHLY', "Months"),
    (None, "By a Rule"),
    ]
DAYS = [
    ('MO', "Monday"),
    ('TU', "Tuesday"),
    ('WE', "Wednesday"),
    ('TH', "Thursday"),
    ('FR', "Friday"),
    ('SA', "Saturday"),
    ('SU', "Sunday"),
    ]


class Series(
        BookingOwn, ForPerson, ForUser, DocumentMixin, Workflow, ModelSQL,
        ModelView):
    __name__ = 'coop.commons.series'
    __string__ = "Booking Series"
    _search_names = (
        'resource.rec_name', 'member.rec_name', 'party.rec_name',
        'cost_center.rec_name', 'person.rec_name')
    _steps = {
        'confirm': (['draft'], 'confirmed'),
        'cancel': (['draft', 'confirmed'], 'cancelled'),
        }
    _delete_states = {'draft'}

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('bookable', '=', True),
            ])
    others = fields.Many2Many(
        'coop.commons.series-coop.commons.resource', 'series', 'resource',
        "Together with",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('bookable', '=', True),
            ('id', '!=', Eval('resource', -1)),
            ],
        help="The other resources that are booked each time: all of them or "
        "none.")
    start = fields.DateTime(
        "Start", required=True,
        domain=[
            If(Eval('start') & Eval('end'),
                ('start', '<', Eval('end')),
                ()),
            ],
        help="When the first booking starts.")
    end = fields.DateTime(
        "End", required=True,
        domain=[
            If(Eval('start') & Eval('end'),
                ('end', '>', Eval('start')),
                ()),
            ],
        help="When the first booking ends.")
    quantity = fields.Integer(
        "Seats", required=True,
        help="How many of the capacity are booked.")
    purpose = fields.Char("Purpose")
    frequency = fields.Selection(
        FREQUENCIES, "Every", sort=False,
        help="How often it recurs, at the same time on the clock of the "
        "resource.")
    interval = fields.Integer(
        "Interval",
        domain=[
            If(Eval('frequency'), ('interval', '>', 0), ()),
            ],
        states={
            'required': Bool(Eval('frequency')),
            'invisible': ~Eval('frequency'),
            },
        help="2 for every second one.")
    days = fields.MultiSelection(
        DAYS, "Days", sort=False,
        states={
            'invisible': Eval('frequency') != 'WEEKLY',
            },
        help="Leave empty for the day of the first booking.")
    until = fields.Date(
        "Last Day",
        states={
            'required': Bool(Eval('frequency')),
            'invisible': ~Eval('frequency'),
            })
    recurrence = fields.Char(
        "Rule", required=True,
        states={
            'readonly': Bool(Eval('frequency')),
            },
        help="A rule of iCalendar that ends, for instance "
        "FREQ=MONTHLY;BYDAY=1SA;COUNT=12.")
    skip = fields.Boolean(
        "Skip Conflicts",
        help="Check to book the rest if some of the bookings are refused.")
    skipped = fields.Text(
        "Skipped", readonly=True,
        states={
            'invisible': ~Eval('skipped'),
            },
        help="Why bookings were refused and left out.")
    bookings = fields.One2Many(
        'coop.commons.booking', 'series', "Bookings", readonly=True)
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Booked"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('end_after_start', Check(t, t.end > t.start),
                'coop_commons.msg_booking_end_after_start'),
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_commons.msg_booking_quantity_positive'),
            ]
        cls._sql_indexes.add(
            Index(t, (t.company, Index.Range()), (t.start, Index.Range())))
        cls._order = [('start', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_quantity(cls):
        return 1

    @classmethod
    def default_frequency(cls):
        return 'WEEKLY'

    @classmethod
    def default_interval(cls):
        return 1

    @fields.depends('frequency', 'interval', 'days', 'until', 'recurrence')
    def on_change_with_recurrence(self):
        if not self.frequency:
            return self.recurrence
        if not (self.interval and self.until):
            return None
        parts = ['FREQ=' + self.frequency]
        if self.interval != 1:
            parts.append('INTERVAL=%s' % self.interval)
        if self.frequency == 'WEEKLY' and self.days:
            parts.append('BYDAY=' + ','.join(
                    d for d, _ in DAYS if d in self.days))
        parts.append(self.until.strftime('UNTIL=%Y%m%dT235959'))
        return ';'.join(parts)

    def get_rec_name(self, name):
        return '%s %s' % (
            self.resource.rec_name,
            self.resource.get_local(self.start).strftime('%Y-%m-%d %H:%M'))

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if mode == 'create' and not values.get('recurrence'):
            names = ['frequency', 'interval', 'days', 'until']
            given = {
                **cls.default_get(names, with_rec_name=False), **values}
            values['recurrence'] = cls(**{
                    n: given.get(n) for n in [*names, 'recurrence']
                    }).on_change_with_recurrence()
        return values

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        rule = self.on_change_with_recurrence()
        if rule and rule != getattr(self, 'recurrence', None):
            values['recurrence'] = rule
        return values

    @classmethod
    def validate_fields(cls, series, field_names):
        super().validate_fields(series, field_names)
        if field_names is None or field_names & {
                'recurrence', 'start', 'end', 'resource'}:
            for one in series:
                one.check_recurrence()

    def check_recurrence(self):
        try:
            times = list(islice(self._get_local_times(), LIMIT + 1))
        except ValueError as error:
            raise SeriesError(gettext(
                    'coop_commons.msg_series_rule',
                    series=self.rec_name,
                    rule=self.recurrence)) from error
        if not 0 < len(times) <= LIMIT:
            raise SeriesError(gettext(
                    'coop_commons.msg_series_limit',
                    series=self.rec_name, limit=LIMIT))

    def _get_local_times(self):
        return recurrence.read(
            self.recurrence, self.start, self.resource.zone)

    def get_times(self):
        """Yield the start and the end of each booking

        At the same times on the clock of the resource.
        """
        zone = self.resource.zone
        first, last = (
            local_time.get_local(i, zone).replace(tzinfo=None, fold=0)
            for i in [self.start, self.end])
        for local in self._get_local_times():
            if local == first:
                # Of a time that exists twice it is the one that was chosen
                yield self.start, self.end
                continue
            start = local_time.get_first(local, zone)
            end = local_time.get_first(local + (last - first), zone)
            if end <= start:
                # The clock shows nothing of it: it is as long, and later
                end = start + (self.end - self.start)
            yield start, end

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, series):
        claim([
                *(r.root for s in series for r in [s.resource, *s.others]),
                *(s.user for s in series)])
        cls.check_own(series)
        for one in series:
            one.book()

    def book(self):
        "Book all that is possible, or nothing if that is wanted"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        bookings = [
            self._get_booking(start, end)
            for start, end in self.get_times()]
        Booking.save(bookings)
        now = Booking._now()
        accepted, refused, reasons = [], [], []
        for first in Booking.browse(bookings):
            together = [first, *first.others]
            conflicts = []
            for booking in together:
                others = [
                    *accepted,
                    *(b for b in together[:together.index(booking)])]
                conflicts.extend(booking.find_conflicts(now, others))
            if conflicts:
                refused.append(first)
                reasons.extend(conflicts)
            else:
                accepted.extend(together)
        text = '\n'.join(dict.fromkeys(reasons))
        if refused and not (self.skip and accepted):
            raise SeriesError(gettext(
                    'coop_commons.msg_series_conflicts',
                    series=self.rec_name, count=len(refused),
                    total=len(bookings), conflicts=text))
        Booking.delete(refused)
        Booking.confirm(Booking.browse(accepted))
        self.skipped = text or None
        self.save()

    def _get_booking(self, start, end, resource=None):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        booking = Booking(
            company=self.company,
            resource=resource or self.resource,
            start=start, end=end,
            quantity=1 if resource else self.quantity,
            member=self.member, party=self.party,
            cost_center=self.cost_center, person=self.person,
            purpose=self.purpose, employee=self.employee, series=self)
        if not resource:
            booking.others = [
                self._get_booking(start, end, r) for r in self.others]
        return booking

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, series):
        "Cancel what has not begun yet, by what the tariff says"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        cls.check_own(series)
        now = Booking._now()
        Booking.cancel([
                b for s in series for b in s.bookings
                if b.state in {'request', 'confirmed'} and b.start > now])


class SeriesResource(PartMixin, ModelSQL):
    __name__ = 'coop.commons.series-coop.commons.resource'
    _document = 'series'

    series = fields.Many2One(
        'coop.commons.series', "Series", required=True, ondelete='CASCADE')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('series')
