# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from unittest.mock import patch

from proteus import Model

from trytond import backend
from trytond.modules.account.tests.tools import create_chart
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.coop_commons.exceptions import (
    BookingOverlapError, BookingRuleError, BookingRuleWarning, SeriesError)
from trytond.modules.coop_commons.tests.tools import create_resource
from trytond.modules.coop_membership.tests.concurrency import (
    Processes, at_once)
from trytond.modules.coop_membership.tests.tools import (
    create_category, create_member)
from trytond.pool import Pool
from trytond.tests.test_tryton import drop_db
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction

START = dt.datetime(2030, 1, 1)
ROUNDS = 100
BLOCKING = ('state', 'in', ['confirmed', 'running'])


def move(booking, resource, hour):
    pool = Pool()
    Booking = pool.get('coop.commons.booking')
    Resource = pool.get('coop.commons.resource')
    start = START + dt.timedelta(hours=hour)
    Booking.rebook(
        Booking(booking), start, start + dt.timedelta(hours=1),
        Resource(resource), 1)


class ConcurrencyTestCase(unittest.TestCase):
    "Test users who book the same hour at once"

    @classmethod
    def setUpClass(cls):
        drop_db()
        cls.config = activate_modules(
            'coop_commons', create_company, create_chart)
        category = create_category("Users")
        cls.members = [
            create_member(name, category, dt.date(2020, 1, 1))
            for name in ["Ann", "Bob", "Cleo", "Dan"]]
        cls.context = {
            'company': get_company().id,
            'companies': [get_company().id],
            }

    @classmethod
    def tearDownClass(cls):
        drop_db()

    def book(self, resource, member, hour, quantity=1):
        def function():
            Booking = Pool().get('coop.commons.booking')
            booking, = Booking.create([{
                        'company': self.context['company'],
                        'resource': resource.id,
                        'member': member.id,
                        'start': START + dt.timedelta(hours=hour),
                        'end': START + dt.timedelta(hours=hour + 1),
                        'quantity': quantity,
                        }])
            Booking.confirm([booking])
        return function

    def at_once(self, *functions, error_class=BookingOverlapError):
        "Return how many are done, the others are told why it is refused"
        results = at_once(*functions, context=self.context)
        for error in results:
            if error:
                self.assertIsInstance(error, error_class)
        return results.count(None)

    def get_booked(self, *resources):
        with Transaction().start(
                self.config.database_name, 1, readonly=True,
                context=self.context):
            Booking = Pool().get('coop.commons.booking')
            return [
                (b.start, b.quantity) for b in Booking.search([
                        ('resource', 'in', [r.id for r in resources]),
                        BLOCKING,
                        ])]

    def test_same_hour(self):
        "Test only one of two gets the same hour"
        machine = create_resource("Machine", bookable=True)
        ann, bob, *_ = self.members
        for hour in range(ROUNDS):
            self.assertEqual(
                self.at_once(
                    self.book(machine, ann, hour),
                    self.book(machine, bob, hour)),
                1)
        booked = self.get_booked(machine)
        self.assertEqual(len(booked), ROUNDS)
        self.assertEqual(len({start for start, _ in booked}), ROUNDS)

    def test_change(self):
        "Test two processes move only one of two bookings to the same hour"
        processes = Processes(2)
        self.addCleanup(processes.close)
        machine = create_resource("Lathe", bookable=True)
        for member, day in zip(self.members, [100, 200]):
            self.assertEqual(
                self.at_once(self.book(machine, member, day * 24)), 1)
        with Transaction().start(
                self.config.database_name, 1, readonly=True,
                context=self.context):
            Booking = Pool().get('coop.commons.booking')
            bookings = [b.id for b in Booking.search([
                        ('resource', '=', machine.id), BLOCKING,
                        ], order=[('start', 'ASC')])]

        moved = set()
        for hour in range(ROUNDS):
            results = processes.at_once(*(
                    (move, id_, machine.id, hour) for id_ in bookings),
                context=self.context)
            self.assertEqual(results.count(None), 1)
            moved.add(results.index(None))
            # The other is told by which booking it is taken
            reason, = filter(None, results)
            self.assertRegex(reason, r'because of "\d+ Lathe')
        # None of them is always the first
        self.assertEqual(moved, {0, 1})
        # Each still has an hour of its own
        booked = self.get_booked(machine)
        self.assertEqual(len({start for start, _ in booked}), 2)

    def test_series(self):
        "Test only one of two series gets the same hours"
        machine = create_resource("Mill", bookable=True)

        def book(member, first):
            def function():
                Series = Pool().get('coop.commons.series')
                start = START + dt.timedelta(days=first)
                series, = Series.create([{
                            'company': self.context['company'],
                            'resource': machine.id,
                            'member': member.id,
                            'start': start,
                            'end': start + dt.timedelta(hours=1),
                            'frequency': 'DAILY',
                            'until': start.date() + dt.timedelta(days=2),
                            }])
                Series.confirm([series])
            return function

        for week in range(20):
            # Those of the second begin on the last day of the first
            self.assertEqual(
                self.at_once(
                    *(book(member, 7 * week + 2 * i)
                        for i, member in enumerate(self.members[:2])),
                    error_class=SeriesError),
                1)
        booked = [start for start, _ in self.get_booked(machine)]
        self.assertEqual(len(booked), 20 * 3)
        self.assertEqual(len(set(booked)), 20 * 3)

    def test_together(self):
        "Test two who book overlapping resources together: one gets all"
        van, trailer, mower = resources = [
            create_resource(name, bookable=True)
            for name in ["Van", "Trailer", "Mower"]]
        ann, bob, *_ = self.members

        def book(member, hour, *together):
            def function():
                Booking = Pool().get('coop.commons.booking')
                first, *others = together
                values = {
                    'company': self.context['company'],
                    'member': member.id,
                    'start': START + dt.timedelta(hours=hour),
                    'end': START + dt.timedelta(hours=hour + 1),
                    }
                booking, = Booking.create([{
                            **values, 'resource': first.id,
                            'others': [('create', [{
                                            **values, 'resource': other.id,
                                            } for other in others])],
                            }])
                Booking.confirm([booking])
            return function

        for hour in range(30):
            self.assertEqual(
                self.at_once(
                    book(ann, hour, van, trailer),
                    book(bob, hour, mower, trailer, van)
                    if hour % 2 else book(bob, hour, trailer, mower)),
                1)
        for hour in range(30):
            start = START + dt.timedelta(hours=hour)
            booked = [
                r for r in resources
                if start in [s for s, _ in self.get_booked(r)]]
            # All of the one who got them, or of the other
            self.assertIn(
                booked, [[van, trailer], [van, trailer, mower]]
                if hour % 2 else [[van, trailer], [trailer, mower]])

    def test_capacity(self):
        "Test no more seats are booked than there are"
        room = create_resource("Room", bookable=True, capacity=3)
        for hour in range(10):
            # Two of one seat each, or one of each kind
            self.assertEqual(
                self.at_once(*(
                        self.book(room, member, hour, quantity)
                        for member, quantity in zip(
                            self.members, [2, 2, 1, 1]))),
                2)
        seats = {}
        for start, quantity in self.get_booked(room):
            seats[start] = seats.get(start, 0) + quantity
        self.assertEqual(len(seats), 10)
        self.assertLessEqual(max(seats.values()), 3)

    def test_parts(self):
        "Test a workshop and the saw in it are not booked by two"
        workshop = create_resource("Workshop", bookable=True)
        saw = create_resource("Saw", bookable=True, parent=workshop)
        ann, bob, *_ = self.members
        for hour in range(10):
            self.assertEqual(
                self.at_once(
                    self.book(workshop, ann, hour),
                    self.book(saw, bob, hour)),
                1)
        self.assertEqual(len(self.get_booked(workshop, saw)), 10)

    def test_quota(self):
        "Test a quota for two cars is not passed by booking both at once"
        category = Model.get('coop.commons.category')(name="Cars")
        category.save()
        rule = Model.get('coop.commons.rule')(
            name="Once a Day", category=category, quota_per='day',
            quota_bookings=1)
        rule.save()
        cars = [
            create_resource(name, bookable=True, category=category)
            for name in ["Blue Car", "Red Car"]]
        ann, *_ = self.members

        def book(car, day):
            function = self.book(car, ann, day * 24)

            def refuse():
                try:
                    return function()
                except BookingRuleWarning as warning:
                    # The steward does not go on
                    raise BookingRuleError(warning.message) from warning
            return refuse
        for day in range(10):
            self.assertEqual(
                self.at_once(
                    *(book(car, day) for car in cars),
                    error_class=BookingRuleError),
                1)
        self.assertEqual(len(self.get_booked(*cars)), 10)

        # One ends between the first lock of the other and its lock of Ann
        Database = backend.Database
        lock_records = Database.lock_records
        results = []

        def lock_after(connection, table, ids):
            if table == 'coop_member' and not results:
                results.append(None)
                results.extend(
                    at_once(book(cars[0], 10), context=self.context))
            return lock_records(connection, table, ids)

        with patch.object(
                Database, 'lock_records', staticmethod(lock_after)):
            self.assertEqual(
                self.at_once(
                    book(cars[1], 10), error_class=BookingRuleError),
                0)
        self.assertEqual(results, [None, None])
        self.assertEqual(len(self.get_booked(*cars)), 11)


if backend.name != 'postgresql':
    # The other databases have one writer at a time
    del ConcurrencyTestCase
