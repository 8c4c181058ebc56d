# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

MARCH, APRIL, MAY = (dt.date(2024, month, 1) for month in (3, 4, 5))


class OccupancyTestCase(CommonsTestCase):
    "Test the hours count in the month that they are in"

    def _create_local(self, timezone, capacity=1):
        resource = self._create_resource()
        resource.timezone = timezone
        resource.capacity = capacity
        resource.save()
        return resource

    def _get_occupancy(self, resource, **context):
        Occupancy = Pool().get('coop.commons.occupancy')
        with Transaction().set_context(**context):
            return [
                (o.month, o.uses, round(o.used, 2), round(o.booked, 2))
                for o in Occupancy.search(
                    [('resource', '=', resource.id)],
                    order=[('month', 'ASC')])]

    @with_transaction()
    def test_used(self):
        "Test a use over the end of a month is in both, by the local clock"
        Usage = Pool().get('coop.commons.usage')
        with self.in_company():
            sydney = self._create_local('Australia/Sydney', 3)
            berlin = self._create_local('Europe/Berlin', 3)
            usages = []
            for resource in [sydney, berlin]:
                usage = self._make_document(
                    'usage', resource=resource, quantities=[],
                    # 23:00 to 2:00 in Sydney, 13:00 to 17:00 in Berlin,
                    # where the clock was advanced in the night before
                    start=dt.datetime(2024, 3, 31, 12),
                    end=dt.datetime(2024, 3, 31, 15), seats=2)
                Usage.confirm([usage])
                usages.append(usage)
            self.assertEqual(self._get_occupancy(sydney), [
                    (MARCH, 1, 2.0, 0.0), (APRIL, 0, 4.0, 0.0)])
            self.assertEqual(self._get_occupancy(berlin), [
                    (MARCH, 1, 6.0, 0.0)])
            # Only the days asked for
            self.assertEqual(
                self._get_occupancy(sydney, to_date=dt.date(2024, 3, 31)),
                [(MARCH, 1, 2.0, 0.0)])
            self.assertEqual(
                self._get_occupancy(sydney, from_date=APRIL),
                [(APRIL, 0, 4.0, 0.0)])
            Usage.take_back(usages)
            self.assertEqual(self._get_occupancy(sydney), [
                    (MARCH, 0, 0.0, 0.0), (APRIL, 0, 0.0, 0.0)])

    @with_transaction()
    def test_booked(self):
        """Test a booking of two months has the hours of the change of the
        clock"""
        with self.in_company():
            resource = self._create_local('Europe/Berlin')
            # From the first of March to the end of April, 23:00 and 22:00
            # in UTC: March is an hour shorter
            self.make(
                'booking', 'confirmed', resource=resource,
                start=dt.datetime(2024, 2, 29, 23),
                end=dt.datetime(2024, 4, 30, 22))
            self.assertEqual(self._get_occupancy(resource), [
                    (MARCH, 0, 0.0, 31 * 24 - 1.0),
                    (APRIL, 0, 0.0, 30 * 24.0)])

    @with_transaction()
    def test_nothing(self):
        "Test nothing is no error"
        with self.in_company():
            self.assertEqual(self._get_occupancy(self._resource), [])
