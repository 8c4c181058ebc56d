# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import (
    Check, Exclude, Index, ModelSQL, ModelView, Workflow, fields)
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.sql.functions import TSRange
from trytond.sql.operators import RangeOverlap
from trytond.transaction import Transaction, without_check_access

from . import rating
from .booking_availability import BLOCKING, BookingAvailability
from .booking_change import BookingChange
from .booking_check import BookingCheck
from .booking_own import BookingOwn
from .booking_together import BookingTogether
from .exceptions import (
    BookingOverlapError, BookingRuleError, BookingRuleWarning,
    LateFinishWarning)
from .for_user import USER, ForPerson, ForUser
from .tariff import get_audience

# What is over
CLOSED = ['done', 'cancelled', 'no_show']


class Booking(
        BookingAvailability, BookingChange, BookingCheck, BookingOwn,
        BookingTogether, ForPerson, ForUser, NumberedMixin, Workflow,
        ModelSQL, ModelView):
    __name__ = 'coop.commons.booking'
    __string__ = "Booking"
    _steps = {
        'confirm': (['request'], 'confirmed'),
        'start_use': (['confirmed'], 'running'),
        'finish': (['confirmed', 'running'], 'done'),
        'change': (['confirmed'], None),
        'extend': (['running'], None),
        'shorten': (['running'], None),
        'cancel': (['request', 'confirmed'], 'cancelled'),
        'no_show': (['confirmed'], 'no_show'),
        }
    _search_names = (
        'number', 'resource.rec_name', 'member.rec_name', 'party.rec_name',
        'cost_center.rec_name', 'person.rec_name')
    _sequence = ('coop.commons.configuration', 'booking_sequence')
    _initial_state = 'request'
    _modify_states = {
        'request': {
            'company', 'resource', *USER, 'person', 'start', 'end',
            'quantity', 'purpose', 'waiting', 'together', 'others'},
        'confirmed': {
            'person', 'purpose', 'used_from', 'used_until', 'cancelled_at'},
        'running': {'person', 'purpose', 'used_from', 'used_until'},
        }
    # It follows from the start, whatever is given
    _internal_given = {'date'}
    # Usages are charged by what was booked
    _sealed_states = {state: set() for state in CLOSED}
    _delete_states = {'request', 'cancelled'}

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('bookable', '=', True),
            ])
    start = fields.DateTime(
        "Start", required=True,
        domain=[
            If(Eval('start') & Eval('end'),
                ('start', '<', Eval('end')),
                ()),
            ])
    end = fields.DateTime(
        "End", required=True,
        domain=[
            If(Eval('start') & Eval('end'),
                ('end', '>', Eval('start')),
                ()),
            ])
    date = fields.Date(
        "Date", readonly=True,
        help="The day of the start in the time zone of the resource.")
    local_time = fields.Function(
        fields.Char(
            "Local Time",
            help="The time in the time zone of the resource."),
        'on_change_with_local_time')
    quantity = fields.Integer(
        "Seats", required=True,
        help="How many of the capacity are booked.")
    purpose = fields.Char("Purpose")
    estimate = fields.Function(Monetary(
            "Estimate", currency='currency', digits='currency',
            help="The price if the resource is used as booked, "
            "without what is metered."),
        'on_change_with_estimate')
    waiting = fields.Boolean(
        "Waiting",
        states={
            'invisible': Eval('state') != 'request',
            },
        help="Check to be offered the slot when it becomes free.")
    offered_at = fields.DateTime(
        "Offered at", readonly=True,
        states={
            'invisible': ~Eval('offered_at'),
            },
        help="When the slot became free.")
    exclusive = fields.Boolean("Exclusive", readonly=True)
    blocked_from = fields.DateTime(
        "Blocked from", readonly=True,
        states={
            'required': Eval('state').in_(BLOCKING),
            })
    blocked_until = fields.DateTime(
        "Blocked until", readonly=True,
        states={
            'required': Eval('state').in_(BLOCKING),
            })
    used_from = fields.DateTime(
        "Used from",
        states={
            'required': Eval('state').in_(['running', 'done']),
            })
    used_until = fields.DateTime(
        "Used until",
        domain=[
            If(Eval('used_from') & Eval('used_until'),
                ('used_until', '>=', Eval('used_from')),
                ()),
            ],
        states={
            'required': Eval('state') == 'done',
            })
    cancelled_at = fields.DateTime(
        "Cancelled at",
        states={
            'invisible': ~Eval('state').in_(['confirmed', 'cancelled']),
            },
        help="When the booking was cancelled.\n"
        "Leave empty for now, only stewards can set another time.")
    series = fields.Many2One(
        'coop.commons.series', "Series", readonly=True, ondelete='RESTRICT',
        states={
            'invisible': ~Eval('series'),
            })
    usages = fields.One2Many(
        'coop.commons.usage', 'booking', "Usages", readonly=True)
    state = fields.Selection([
            ('request', "Request"),
            ('confirmed', "Confirmed"),
            ('running', "Running"),
            ('done', "Done"),
            ('cancelled', "Cancelled"),
            ('no_show', "No-show"),
            ], "State", required=True, readonly=True, sort=False)
    state_string = state.translated('state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('end_after_start', Check(t, t.end > t.start),
                'coop_commons.msg_booking_end_after_start'),
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_commons.msg_booking_quantity_positive'),
            ('used_order', Check(t, t.used_until >= t.used_from),
                'coop_commons.msg_usage_end_before_start'),
            ('exclusive_overlap', Exclude(t,
                    (t.resource, Equal),
                    (TSRange(t.blocked_from, t.blocked_until, '[)'),
                        RangeOverlap),
                    where=(t.exclusive == True)  # noqa: E712
                    & t.state.in_(BLOCKING)),
                'coop_commons.msg_booking_exclusive'),
            ]
        cls._sql_indexes.update({
                Index(t, (t.resource, Index.Range()),
                    (t.blocked_from, Index.Range()),
                    (t.blocked_until, Index.Range())),
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state.in_(['request', *BLOCKING])),
                Index(t, (t.company, Index.Range()),
                    (t.start, Index.Range()), (t.id, Index.Range())),
                })
        cls._order = [('start', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_quantity(cls):
        return 1

    @fields.depends('resource', 'start', 'end')
    def on_change_with_local_time(self, name=None):
        if self.resource and self.start and self.end:
            start, end = self.local_start, self.local_end
            if start.date() == end.date():
                end = end.strftime('%H:%M')
            else:
                end = end.strftime('%Y-%m-%d %H:%M')
            return '{} – {} ({})'.format(
                start.strftime('%Y-%m-%d %H:%M'), end, start.tzname())

    @fields.depends(
        'company', 'resource', 'member', 'party', 'cost_center', 'start',
        'end', 'quantity')
    def on_change_with_estimate(self, name=None):
        if not (self.company and self.resource and self.start and self.end
                and self.start < self.end
                and (self.member or self.party or self.cost_center)):
            return
        return self.get_price([rating.Usage(
                    None, None, booked=(self.start, self.end),
                    seats=self.quantity or 1)])

    def get_plans(self):
        "Return the plans of the tariffs that apply"
        pool = Pool()
        Member = pool.get('coop.member')
        Tariff = pool.get('coop.commons.tariff')
        date = self.local_start.date()
        category = None
        if self.member:
            category = Member.categories_at(
                [self.member], date).get(self.member.id)
        with without_check_access():
            tariffs = Tariff.search([
                    ('company', '=', self.company.id),
                    ('state', '=', 'approved'),
                    ])
        tariffs = Tariff.find(
            tariffs, self.resource, date,
            get_audience(self.cost_center, category), category)
        return [t.get_rating(self.resource) for t in tariffs]

    def get_price(self, usages, plans=None):
        """Return what the usages, as the rating takes them, would cost

        Nothing if there is no tariff.
        """
        pool = Pool()
        Currency = pool.get('currency.currency')
        Tariff = pool.get('coop.commons.tariff')
        if plans is None:
            plans = self.get_plans()
        if not plans:
            return
        date = self.local_start.date()
        amount = Decimal(0)
        with Transaction().set_context(date=date):
            for usage in usages:
                plan, charges = rating.lowest(usage, plans)
                amount += Currency.compute(
                    Tariff(plan.key).currency, rating.get_amount(charges),
                    self.company.currency, round=False)
        return self.company.currency.round(amount)

    def get_rec_name(self, name):
        names = [self.number, self.resource.rec_name, self.local_time]
        return ' '.join(n for n in names if n)

    @property
    def local_start(self):
        return self.resource.get_local(self.start)

    @property
    def local_end(self):
        return self.resource.get_local(self.end)

    @classmethod
    def get_counted_states(cls):
        "The states that count for a quota"
        return ['confirmed', 'running', 'done', 'no_show']

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if field_names is None or field_names & {'start', 'resource'}:
            date = self.resource.get_local(self.start).date()
            if getattr(self, 'date', None) != date:
                values['date'] = date
        return values

    @classmethod
    @ModelView.button
    def confirm(cls, bookings):
        cls._confirm(cls.all_together(bookings))

    @classmethod
    @Workflow.transition('confirmed')
    def _confirm(cls, bookings):
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Rule = pool.get('coop.commons.rule')
        # What a user books elsewhere counts for his quota
        claim([
                *(b.resource.root for b in bookings),
                *(b.user for b in bookings)])
        cls.check_own(bookings)
        cls.set_number(bookings)
        now = cls._now()
        accepted, warnings = [], []
        for booking in bookings:
            rules = Rule.find(booking)
            booking.set_blocked(rules)
            booking.check_use()
            booking.check_available(accepted)
            booking.check_rules(rules, now, accepted)
            warnings.extend(booking.get_warnings(rules, accepted))
            accepted.append(booking)
        cls.warn_quota(warnings)
        cls.save(bookings)
        Deposit.ask_bookings(bookings)

    def check_rules(self, rules, now, others=(), in_time=False):
        """Check that the rules allow the booking

        `others` are bookings that will be confirmed too.
        """
        self._refuse(list(self.get_refusals(rules, now, others, in_time)))

    def find_conflicts(self, now, others=()):
        "Return why the booking can not be confirmed with the others"
        pool = Pool()
        Rule = pool.get('coop.commons.rule')
        rules = Rule.find(self)
        self.set_blocked(rules)
        try:
            self.check_use()
            self.check_available(others)
        except (BookingOverlapError, BookingRuleError) as error:
            return [error.message]
        return list(self.get_refusals(rules, now, others))

    def _refuse(self, reasons):
        "Refuse the booking, stewards may confirm it nevertheless"
        pool = Pool()
        Warning = pool.get('res.user.warning')
        if reasons:
            text = '\n'.join(reasons)
            if not self.is_steward():
                raise BookingRuleError(text)
            key = Warning.format('booking_rules', [self])
            if Warning.check(key):
                raise BookingRuleWarning(key, text)

    def get_refusals(self, rules, now, others=(), in_time=False):
        "Yield the reasons why the booking is not allowed"
        pool = Pool()
        Blackout = pool.get('coop.commons.blackout')
        for blackout in Blackout.find(self.resource, self.start, self.end):
            yield gettext(
                'coop_commons.msg_booking_blackout',
                booking=self.rec_name, blackout=blackout.rec_name)
        yield from self.get_authorization_refusals()
        for rule in rules:
            yield from rule.check(self, now, others, in_time)
            if rule.approval and not self.is_steward():
                yield gettext(
                    'coop_commons.msg_rule_approval',
                    rule=rule.rec_name, booking=self.rec_name)

    @classmethod
    @ModelView.button
    @Workflow.transition('running')
    def start_use(cls, bookings):
        cls.check_own(bookings)
        now = cls._now()
        for booking in bookings:
            # It may have changed since it was confirmed
            booking.check_use()
            booking._refuse([
                    *booking.get_authorization_refusals(),
                    *booking.get_deposit_refusals()])
            booking.used_from = booking.used_from or now
        cls.save(bookings)

    @classmethod
    @ModelView.button
    @Workflow.transition('done')
    def finish(cls, bookings):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        cls.check_own(bookings)
        now = cls._now()
        usages = []
        for booking in bookings:
            booking.check_late_finish(now)
            uses = booking.uses
            booking.used_from = (
                booking.used_from
                or min((u.start for u in uses), default=booking.start))
            booking.used_until = (
                booking.used_until
                or max((u.end for u in uses if u.end), default=None)
                or max(now, booking.used_from))
            if not uses:
                usages.append(booking.get_usage(
                        booking.used_from, booking.used_until))
            if booking.used_until > booking.end:
                usages.extend(booking.get_events(
                        'late_return', booking.end, booking.used_until))
            elif booking.used_until < booking.end:
                usages.extend(booking.get_events(
                        'early_return', booking.used_until, booking.end))
        cls.save(bookings)
        Usage.save(usages)
        # What has to be metered is waited for
        usages = Usage.browse(usages)
        waiting = Usage.find_missing(usages)
        Usage.confirm([u for u in usages if u not in waiting])
        cls.offer(bookings)

    def check_late_finish(self, now):
        "Warn that a use without an end counts until now"
        pool = Pool()
        Warning = pool.get('res.user.warning')
        if self.used_until or now <= self.end or self.uses:
            return
        key = Warning.format('booking_finish_late', [self])
        if Warning.check(key):
            raise LateFinishWarning(key, gettext(
                    'coop_commons.msg_booking_finish_late',
                    booking=self.rec_name))

    @classmethod
    @ModelView.button
    def cancel(cls, bookings):
        """Cancel the bookings

        Those that have begun are finished: what was blocked until now is
        charged as the use.
        """
        now = cls._now()
        steward = cls.is_steward()
        bookings = cls.all_together(bookings)
        begun = []
        for booking in bookings:
            end = booking.cancelled_at if steward else None
            end = min(end or now, booking.end)
            if booking.state == 'confirmed' and booking.start < end:
                booking.used_from = booking.used_from or booking.start
                booking.used_until = max(end, booking.used_from)
                begun.append(booking)
        if begun:
            cls.check_own(begun)
            cls.save(begun)
            cls.finish(begun)
        cls._cancel_before([b for b in bookings if b not in begun])

    @classmethod
    @Workflow.transition('cancelled')
    def _cancel_before(cls, bookings):
        cls._cancel(bookings, 'cancellation')

    @classmethod
    @ModelView.button
    @Workflow.transition('no_show')
    def no_show(cls, bookings):
        cls._cancel(bookings, 'no_show')

    @classmethod
    def _cancel(cls, bookings, event):
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Usage = pool.get('coop.commons.usage')
        cls.check_own(bookings)
        now = cls._now()
        steward = cls.is_steward()
        usages = []
        for booking in bookings:
            if booking.state != 'confirmed':
                continue
            if (event == 'cancellation'
                    and not (steward and booking.cancelled_at)):
                booking.cancelled_at = now
            # What can not be served costs no fee
            if not booking.closed:
                usages.extend(
                    booking.get_events(event, booking.start, booking.end))
        cls.save(bookings)
        Usage.save(usages)
        Usage.confirm(Usage.browse(usages))
        Deposit.drop_bookings(bookings)
        cls.offer(bookings)

    @classmethod
    def _now(cls):
        return dt.datetime.now(dt.timezone.utc).replace(
            microsecond=0, tzinfo=None)

    def get_usage(self, start, end, event=None, **values):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        return Usage(
            company=self.company,
            resource=self.resource,
            member=self.member,
            party=self.party,
            cost_center=self.cost_center,
            person=self.person,
            booking=self,
            event=event,
            start=start,
            end=end,
            **{'seats': self.quantity, **values},
            description=self.purpose)

    @property
    def uses(self):
        "The usages of the booking that are not taken back"
        return [
            u for u in self.usages
            if not (u.event or u.corrects or u.corrections)
            and u.state != 'cancelled']

    @classmethod
    def replace_uses(cls, bookings):
        "Cancel the uses that wait for what has come now from elsewhere"
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        Usage.cancel([
                u for b in set(bookings) for u in b.uses
                if u.state == 'draft' and not u.external_id])

    def get_events(self, event, start, end, **values):
        "Return the usage of the event if a tariff has a price for it"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        if Component.search([
                    ('event', '=', event),
                    ('tariff.state', '=', 'approved'),
                    ['OR',
                        ('tariff.resource', '=', self.resource.id),
                        ('tariff.category', '=',
                            self.resource.category.id
                            if self.resource.category else -1),
                        ],
                    ], limit=1, order=[]):
            return [self.get_usage(start, end, event=event, **values)]
        return []
