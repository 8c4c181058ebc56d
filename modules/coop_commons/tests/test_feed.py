# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

# Not the library that writes the feed
import vobject

from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import create_company, set_company
from trytond.pool import Pool
from trytond.tests.test_tryton import RouteTestCase
from trytond.transaction import Transaction, check_access

BERLIN = ZoneInfo('Europe/Berlin')
PURPOSE = 'Müll, Erde; "Kompost" und ' + "viel Holz, " * 10 + "\\n"


class FeedTestCase(RouteTestCase):
    "Test calendars read the feeds"
    module = 'coop_commons'

    @classmethod
    def setUpDatabase(cls):
        pool = Pool()
        Category = pool.get('coop.member.category')
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Resource = pool.get('coop.commons.resource')
        Uom = pool.get('product.uom')
        User = pool.get('res.user')

        company = create_company()
        cls.company = company.id
        User.write([User(Transaction().user)], {
                'companies': [('add', [company.id])],
                'company': company.id,
                })
        with set_company(company):
            hour, = Uom.search([('name', '=', "Hour")])
            yard, van = Resource.create([{
                        'name': name, 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'timezone': 'Europe/Berlin', 'capacity': capacity,
                        } for name, capacity in [("Yard", 1), ("Van", 2)]])
            press, = Resource.create([{
                        'name': "Press", 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'parent': yard.id,
                        }])
            category = Category(name="Users", company=company)
            category.save()
            members = Member.create([{
                        'party': Party.create([{'name': name}])[0].id,
                        'company': company.id, 'category': category.id,
                        'application_date': dt.date(2025, 1, 1),
                        } for name in ["Alice", "Bob"]])
            cls.resources = {r.name: r.id for r in [yard, van, press]}
            cls.members = {m.party.name: m.id for m in members}

    @contextmanager
    def at(self, *now):
        "Act in the company at the instant"
        with Transaction().start(
                self.db_name, 1,
                _lock_tables=['coop_member', 'coop_commons_resource'],
                ) as transaction:
            pool = Pool()
            Booking = pool.get('coop.commons.booking')
            with patch.object(
                        Booking, '_now', return_value=dt.datetime(*now)), \
                    transaction.set_context(
                        company=self.company, companies=[self.company]):
                yield pool
                transaction.commit()

    def book(self, resource, member, start, end, **values):
        Booking = Pool().get('coop.commons.booking')
        booking, = Booking.create([{
                    'company': self.company,
                    'resource': self.resources[resource],
                    'member': self.members[member],
                    'start': dt.datetime(*start), 'end': dt.datetime(*end),
                    **values,
                    }])
        Booking.confirm([booking])
        return booking

    def create_feed(self, **values):
        Feed = Pool().get('coop.commons.feed')
        feed, = Feed.create([{'company': self.company, **values}])
        return feed

    def get(self, address):
        return self.client().get(urlsplit(address).path)

    def read(self, address, *now):
        "Return what another library reads, by the local clock"
        with Transaction().start(self.db_name, 1, readonly=True):
            Booking = Pool().get('coop.commons.booking')
        with patch.object(
                Booking, '_now', return_value=dt.datetime(*now)):
            response = self.get(address)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            response.headers['Content-Type'], 'text/calendar; charset=utf-8')
        self.assertTrue(all(
                len(line) <= 75 for line in response.data.split(b'\r\n')))
        calendar = vobject.readOne(response.data.decode())
        calendar.validate()
        return [
            (e.summary.value, *(
                    i.value.astimezone(BERLIN).strftime('%d %H:%M %z')
                    for i in [e.dtstart, e.dtend]),
                e.status.value)
            for e in getattr(calendar, 'vevent_list', [])]

    def test_clock(self):
        "Test the feed of a resource when the clock is changed"
        with self.at(2026, 3, 1):
            address = self.create_feed(
                resource=self.resources['Yard']).address
            # From ten in the evening to ten in the morning
            self.book(
                'Yard', 'Alice', (2026, 3, 28, 21), (2026, 3, 29, 8),
                purpose="Secret")
            # The part blocks the whole
            self.book(
                'Press', 'Bob', (2026, 3, 29, 8), (2026, 3, 29, 9))
            # Half past two exists twice
            for start, end in [
                    ((2026, 10, 24, 23), (2026, 10, 25, 0, 30)),
                    ((2026, 10, 25, 0, 30), (2026, 10, 25, 1, 30))]:
                self.book('Yard', 'Alice', start, end)
        spring = [
            ("Booked", '28 22:00 +0100', '29 10:00 +0200', 'CONFIRMED'),
            ("Booked (Press)", '29 10:00 +0200', '29 11:00 +0200',
                'CONFIRMED'),
            ]
        autumn = [
            ("Booked", '25 01:00 +0200', '25 02:30 +0200', 'CONFIRMED'),
            ("Booked", '25 02:30 +0200', '25 02:30 +0100', 'CONFIRMED'),
            ]
        self.assertEqual(self.read(address, 2026, 3, 1), spring + autumn)
        # The past fades
        self.assertEqual(self.read(address, 2026, 10, 1), autumn)
        with self.at(2026, 10, 1) as pool:
            Blackout = pool.get('coop.commons.blackout')
            # On Sundays from eight to ten
            Blackout.create([{
                        'company': self.company, 'reason': "Rest",
                        'resource': self.resources['Yard'],
                        'start': dt.datetime(2026, 10, 18, 6),
                        'end': dt.datetime(2026, 10, 18, 8),
                        'recurrence': 'FREQ=WEEKLY;COUNT=2',
                        }])
        self.assertEqual(self.read(address, 2026, 10, 1), autumn + [
                ("Rest", '18 08:00 +0200', '18 10:00 +0200', 'CONFIRMED'),
                ("Rest", '25 08:00 +0100', '25 10:00 +0100', 'CONFIRMED'),
                ])

    def test_member(self):
        "Test the feed of a member, which what is cancelled leaves"
        now = 2027, 2, 1
        with self.at(*now):
            address = self.create_feed(member=self.members['Bob']).address
            booking = self.book(
                'Van', 'Bob', (2027, 2, 2, 8), (2027, 2, 2, 9),
                purpose=PURPOSE)
            self.book('Van', 'Alice', (2027, 2, 2, 8), (2027, 2, 2, 9))
            request = booking.copy([booking], {
                    'start': dt.datetime(2027, 2, 3, 8),
                    'end': dt.datetime(2027, 2, 3, 9)})
        asked = "Van 1/2", '03 09:00 +0100', '03 10:00 +0100', 'TENTATIVE'
        self.assertEqual(self.read(address, *now), [
                ("Van 1/2", '02 09:00 +0100', '02 10:00 +0100', 'CONFIRMED'),
                asked])
        event = vobject.readOne(self.get(address).data.decode()).vevent
        self.assertEqual(event.description.value, PURPOSE)
        with self.at(*now) as pool:
            Booking = pool.get('coop.commons.booking')
            Booking.cancel([Booking(booking.id)])
        self.assertEqual(self.read(address, *now), [asked])
        with self.at(*now) as pool:
            Booking = pool.get('coop.commons.booking')
            Booking.delete(Booking.browse(request))
        self.assertEqual(self.read(address, *now), [])

    def test_names(self):
        "Test who has booked is said only where it is wanted"
        now = 2028, 2, 1
        with self.at(*now):
            plain, named = (
                self.create_feed(
                    resource=self.resources['Van'], names=names).address
                for names in [False, True])
            self.book(
                'Van', 'Bob', (2028, 2, 2, 8), (2028, 2, 2, 9), quantity=2,
                purpose="Moving out")
        for address, summary, known in [
                (plain, "Booked 2/2", False), (named, "Bob 2/2", True)]:
            self.assertEqual(
                [e[0] for e in self.read(address, *now)], [summary])
            text = self.get(address).data.decode()
            for secret in ["Bob", "Moving"]:
                self.assertEqual(secret in text, known)

    def test_secret(self):
        "Test the address is made anew, taken back and never chosen"
        with self.at(2026, 1, 1):
            feed = self.create_feed(
                resource=self.resources['Press'], key='guessed')
            first, id_ = feed.address, feed.id
            self.assertGreaterEqual(len(feed.key), 43)
        self.assertEqual(self.get(first).status_code, 200)
        self.assertEqual(self.client().post(
                urlsplit(first).path).status_code, 405)
        with self.at(2026, 1, 1) as pool:
            feed = pool.get('coop.commons.feed')(id_)
            with check_access(), self.assertRaises(AccessError):
                feed.write([feed], {'key': 'guessed'})
            feed.renew([feed])
            second = feed.address
        self.assertEqual(self.get(first).status_code, 404)
        self.assertEqual(self.get(second).status_code, 200)
        with self.at(2026, 1, 1) as pool:
            feed = pool.get('coop.commons.feed')(id_)
            feed.active = False
            feed.save()
        self.assertEqual(self.get(second).status_code, 404)
        with self.at(2026, 1, 1) as pool:
            feed = pool.get('coop.commons.feed')(id_)
            feed.active = True
            feed.save()
            feed.revoke([feed])
            self.assertIsNone(feed.address)
        self.assertEqual(self.get(second).status_code, 404)
        for key in ['None', 'guessed']:
            self.assertEqual(self.get(
                    f'/{self.db_name}/coop_commons/feed/{key}.ics'
                    ).status_code, 404)
