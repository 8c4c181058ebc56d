# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import hashlib

from trytond.i18n import gettext
from trytond.model import Workflow
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import inactive_records

from .billed import check_not_rejected
from .booking_availability import BLOCKING
from .exceptions import (
    BookingHitWarning, BookingOverlapError, BookingQuotaWarning,
    BookingRuleError)


class BookingCheck:
    """What a booking needs for all of its time, and what becomes of it when
    it can not have that any more"""
    __slots__ = ()

    @property
    def days(self):
        "The first and the last day at the place of the resource"
        last = self.end - dt.timedelta(seconds=1)
        return self.local_start.date(), self.resource.get_local(last).date()

    @property
    def closed(self):
        "What of the resource and those that contain it is out of service"
        resource = self.resource
        while resource and resource.in_service(*self.days):
            resource = resource.parent
        return resource

    def check_use(self):
        "Check that nothing makes the use end before the booking does"
        check_not_rejected(self)
        first, last = self.days
        closed = self.closed
        if closed:
            raise BookingRuleError(gettext(
                    'coop_commons.msg_booking_out_of_service',
                    booking=self.rec_name,
                    resource=closed.rec_name))
        suspension = self.member and self.member.suspension_at(first, last)
        if suspension:
            raise BookingRuleError(gettext(
                    'coop_membership.msg_member_suspended',
                    member=self.member.rec_name,
                    date=suspension.start_date))
        reason = (
            self.member and self.person
            and self.member.refuse_person(self.person, first, last))
        if reason:
            raise BookingRuleError(reason)
        memberships = self.member.memberships if self.member else []
        if memberships:
            exit_date = memberships[-1].end_date
            if exit_date and exit_date < last:
                raise BookingRuleError(gettext(
                        'coop_commons.msg_booking_exit',
                        booking=self.rec_name,
                        member=self.member.rec_name,
                        date=exit_date))

    def get_authorization_refusals(self):
        "Yield the reason why the user may not use the resource"
        pool = Pool()
        Authorization = pool.get('coop.commons.authorization')
        if self.resource.authorization and not (
                self.cost_center
                or (self.member
                    and Authorization.is_valid(
                        self.member, self.resource, *self.days))):
            yield gettext(
                'coop_commons.msg_booking_authorization',
                booking=self.rec_name, user=self.user.rec_name)

    def get_deposit_refusals(self):
        "Yield the reason why the use may not begin without the deposit"
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        deposit = Deposit.find(self)
        if self.resource.deposit and self.payer and not (
                deposit and deposit.paid):
            yield gettext(
                'coop_commons.msg_booking_deposit',
                booking=self.rec_name, user=self.user.rec_name,
                amount=Report.format_currency(
                    self.resource.deposit, None, self.company.currency))

    @classmethod
    def find_hit(cls, resources, is_hit=None):
        """Return the bookings that the resources can not serve

        Those of their parts too.  `is_hit` tells of a booking to come whether
        it is one, else it is by the time in service, when also those count
        that nobody has finished.
        """
        ids = set()
        for resource in resources:
            ids |= {r.id for r in resource.parts}
        domain = [
            ('resource', 'in', list(ids)),
            ('state', 'in', BLOCKING),
            ]
        if is_hit:
            domain.append(('end', '>', cls._now()))
        bookings = cls.search(
            domain, order=[('start', 'ASC'), ('id', 'ASC')])
        return [b for b in bookings if (is_hit(b) if is_hit else b.closed)]

    @classmethod
    def find_unserved(cls):
        "Return the bookings to come of what is out of service by then"
        Resource = Pool().get('coop.commons.resource')
        with inactive_records():
            resources = Resource.search(['OR',
                    ('active', '=', False),
                    ('start_date', '!=', None),
                    ('end_date', '!=', None),
                    ])
        now = cls._now()
        return [b for b in cls.find_hit(resources) if b.end >= now]

    @classmethod
    def warn_hit(cls, name, bookings, message):
        "Name the bookings that are hit before it is done"
        pool = Pool()
        Warning = pool.get('res.user.warning')
        if not bookings:
            return
        names = [f'- {b.rec_name}, {b.user.rec_name}' for b in bookings[:10]]
        if len(bookings) > 10:
            names.append("…")
        key = Warning.format(name, bookings)
        if Warning.check(key):
            raise BookingHitWarning(
                key, gettext(message, bookings='\n'.join(names)))

    @classmethod
    def call_off(cls, bookings):
        "Cancel what the cooperative can not serve, which costs nobody a fee"
        cls._call_off(cls.all_together(bookings))

    @classmethod
    @Workflow.transition('cancelled')
    def _call_off(cls, bookings):
        Deposit = Pool().get('coop.commons.deposit')
        now = cls._now()
        for booking in bookings:
            booking.cancelled_at = now
        cls.save(bookings)
        Deposit.drop_bookings(bookings)

    @classmethod
    def move(cls, bookings, resource):
        "Give all of the bookings another resource, by all of its rules"
        for booking in bookings:
            if booking.state != 'confirmed':
                raise BookingOverlapError(gettext(
                        'coop_commons.msg_booking_move_state',
                        booking=booking.rec_name))
        cls._rebook({b: {'resource': resource} for b in bookings})

    @classmethod
    def _rebook(cls, changes):
        """Set values of bookings that block their time already

        By all of the rules, and they keep what they have if it is refused.
        """
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Rule = pool.get('coop.commons.rule')
        for _, c_bookings in by_company(changes):
            claim([
                    *(r.root for b in c_bookings
                        for r in [b.resource, changes[b].get('resource')]
                        if r),
                    *(b.user for b in c_bookings)])
        now = cls._now()
        changed, warnings, deposits = [], [], []
        for booking, values in changes.items():
            if values.get('resource', booking.resource) != booking.resource:
                deposits.append(Deposit.find(booking))
            before = booking.start, booking.resource
            for name, value in values.items():
                setattr(booking, name, value)
            rules = Rule.find(booking)
            booking.set_blocked(rules)
            booking.check_use()
            # What they leave is free
            booking.check_available(changed, ignore=changes)
            booking.check_rules(
                rules, now, changed,
                # It was in time when it was booked
                in_time=before == (booking.start, booking.resource))
            warnings.extend(booking.get_warnings(rules, changed))
            changed.append(booking)
        cls.warn_quota(warnings)
        cls.save(changed)
        Deposit.drop_unneeded(deposits)
        Deposit.ask_bookings(changed)

    def get_warnings(self, rules, others=()):
        "Return what the user is told of his quotas before they are used up"
        return [
            text for rule in rules for text in rule.get_warnings(self, others)]

    @classmethod
    def warn_quota(cls, texts):
        pool = Pool()
        Warning = pool.get('res.user.warning')
        text = '\n'.join(dict.fromkeys(texts))
        if not text:
            return
        # The bookings of a series are others each time
        key = 'booking_quota.' + hashlib.sha256(text.encode()).hexdigest()
        if Warning.check(key):
            raise BookingQuotaWarning(key, text)
