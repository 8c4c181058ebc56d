# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Feeds of bookings, for the calendars of others

Who knows the address reads the feed, so that the address is a secret.
"""
import datetime as dt
import secrets
from urllib.parse import quote, urljoin

from icalendar import Calendar, Event
from sql import Null

from trytond import url
from trytond.i18n import gettext
from trytond.model import (
    Check, DeactivableMixin, ModelSQL, ModelView, Unique, fields)
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction, inactive_records

from .booking_availability import BLOCKING

# Calendars forget what is not in the feed any more
PAST = dt.timedelta(days=92)
AHEAD = dt.timedelta(days=366)
CLOSED = ['done']


class Feed(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.feed'
    __string__ = "Calendar Feed"

    company = fields.Many2One('company.company', "Company", required=True)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('member')),
            'required': ~Eval('member'),
            },
        help="Whose bookings are in the feed, with those that block it.")
    member = fields.Many2One(
        'coop.member', "Member", ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('resource')),
            'required': ~Eval('resource'),
            },
        help="Whose bookings are in the feed.")
    names = fields.Boolean(
        "With Names",
        states={
            'invisible': ~Eval('resource'),
            },
        help="Check to say who has booked, and for what, to everybody who "
        "knows the address.")
    key = fields.Char("Key", readonly=True, strip=False)
    address = fields.Function(fields.Char(
            "Address",
            help="Where calendars read the feed.\n"
            "Everybody who knows the address can read it."),
        'on_change_with_address')

    @classmethod
    def __setup__(cls):
        cls.key.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('key_unique', Unique(t, t.key),
                'coop_commons.msg_feed_key_unique'),
            ('one_subject', Check(t,
                    ((t.resource == Null) & (t.member != Null))
                    | ((t.resource != Null) & (t.member == Null))),
                'coop_commons.msg_feed_subject'),
            ]
        cls._buttons.update({
                'renew': {
                    'invisible': ~Eval('active', True),
                    'depends': ['active'],
                    },
                'revoke': {
                    'invisible': ~Eval('key'),
                    'depends': ['key'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @property
    def subject(self):
        return self.resource or self.member

    def get_rec_name(self, name):
        return self.subject.rec_name

    @classmethod
    def search_rec_name(cls, name, clause):
        bool_op = 'AND' if clause[1].startswith(('!', 'not ')) else 'OR'
        return [bool_op,
            ('resource.rec_name', *clause[1:]),
            ('member.rec_name', *clause[1:]),
            ]

    @fields.depends('key')
    def on_change_with_address(self, name=None):
        if self.key:
            return urljoin(url.http_host(), quote(
                    '/%s/coop_commons/feed/%s.ics' % (
                        Transaction().database.name, self.key)))

    @classmethod
    def _new_key(cls):
        return secrets.token_urlsafe(32)

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if mode == 'create':
            # Nobody chooses it, it could be guessed
            values['key'] = cls._new_key()
        return values

    @classmethod
    def check_modification(cls, mode, feeds, values=None, external=False):
        super().check_modification(
            mode, feeds, values=values, external=external)
        if mode == 'write' and external and 'key' in values:
            raise AccessError(gettext(
                    'coop_membership.msg_document_internal',
                    **cls.__names__(field='key')))

    @classmethod
    @ModelView.button
    def renew(cls, feeds):
        "Give the feeds another address, the old one leads nowhere"
        for feed in feeds:
            feed.key = cls._new_key()
        cls.save(feeds)

    @classmethod
    @ModelView.button
    def revoke(cls, feeds):
        "Take the address back"
        cls.write(feeds, {'key': None})

    @classmethod
    def end_with_exit(cls, members):
        "Take the addresses of the members back"
        with inactive_records():
            feeds = cls.search([('member', 'in', [m.id for m in members])])
        cls.revoke(feeds)

    @classmethod
    def read_key(cls, key):
        "Return the feed of the key"
        if key:
            feeds = cls.search([('key', '=', key)], limit=1)
            if feeds:
                return feeds[0]

    def get_calendar(self):
        "Return the feed in the format of iCalendar, RFC 5545"
        now = self._now()
        calendar = Calendar()
        calendar.add('PRODID', '-//Tryton Coop//Commons//EN')
        calendar.add('VERSION', '2.0')
        calendar.add('METHOD', 'PUBLISH')
        calendar.add('X-WR-CALNAME', self.subject.rec_name)
        for booking in self.get_bookings(now):
            calendar.add_component(self.get_event(booking))
        if self.resource:
            for blackout, start, end in self.get_blackouts(now):
                calendar.add_component(
                    self.get_blackout_event(blackout, start, end))
        return calendar.to_ical()

    @classmethod
    def _now(cls):
        return Pool().get('coop.commons.booking')._now()

    def get_bookings(self, now):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        states = [*BLOCKING, *CLOSED]
        if self.member:
            domain = ('member', '=', self.member.id)
            states.append('request')
        else:
            domain = (
                'resource', 'in', [r.id for r in self.resource.related])
        return Booking.search([
                ('company', '=', self.company.id),
                domain,
                ('state', 'in', states),
                ('end', '>', now - PAST),
                ], order=[('start', 'ASC'), ('id', 'ASC')])

    def get_blackouts(self, now):
        pool = Pool()
        Blackout = pool.get('coop.commons.blackout')
        first, last = now - PAST, now + AHEAD
        for blackout in Blackout.find(self.resource, first, last):
            for start, end in blackout.get_times(self.resource, first, last):
                yield blackout, start, end

    def get_event(self, booking):
        # Instants in UTC: a local time may exist twice
        start, end = booking.start, booking.end
        if booking.state == 'done' and booking.used_from < booking.used_until:
            start, end = booking.used_from, booking.used_until
        event = self._get_event(booking, '', start, end)
        event.add('SUMMARY', self._get_summary(booking))
        event.add(
            'STATUS',
            'TENTATIVE' if booking.state == 'request' else 'CONFIRMED')
        if booking.purpose and (self.member or self.names):
            event.add('DESCRIPTION', booking.purpose)
        return event

    def _get_summary(self, booking):
        if self.member:
            summary = booking.resource.rec_name
        elif self.names:
            summary = (booking.person or booking.user).rec_name
        else:
            summary = gettext('coop_commons.msg_feed_booked')
        if booking.resource != self.resource and not self.member:
            summary += f' ({booking.resource.rec_name})'
        if booking.resource.capacity > 1:
            summary += f' {booking.quantity}/{booking.resource.capacity}'
        return summary

    def get_blackout_event(self, blackout, start, end):
        event = self._get_event(
            blackout, start.strftime('-%Y%m%dT%H%M%S'), start, end)
        event.add('SUMMARY', blackout.rec_name)
        event.add('STATUS', 'CONFIRMED')
        return event

    def _get_event(self, record, suffix, start, end):
        event = Event()
        # The same wherever it is read, so that calendars know it again
        event.add('UID', '%s-%s%s@%s' % (
                record.__name__, record.id, suffix,
                Transaction().database.name))
        changed = record.write_date or record.create_date
        event.add('DTSTAMP', _utc(changed))
        event.add('LAST-MODIFIED', _utc(changed))
        event.add('DTSTART', _utc(start))
        event.add('DTEND', _utc(end))
        return event


def _utc(instant):
    return instant.replace(microsecond=0, tzinfo=dt.timezone.utc)
