# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import tempfile
import unittest
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings, strategies as st
from proteus import Model

import trytond.config as config
from trytond import backend
from trytond.modules.account.tests.tools import create_chart
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop_commons.tests.tools import create_resource, get_unit
from trytond.modules.coop_import.scripts import import_patronage
from trytond.modules.coop_import.scripts.import_usage import do_import
from trytond.modules.coop_import.table import FileError
from trytond.modules.coop_import.tests.mutation import mutated
from trytond.modules.coop_import.tests.tools import EXTRAS
from trytond.modules.coop_membership.tests.tools import (
    create_category, create_member)
from trytond.tests.test_tryton import drop_db
from trytond.tests.tools import activate_modules

# Whose member is the only one
USAGES = [
    ['source', 'external_id', 'resource', 'member', 'start', 'end',
        'quantity', 'unit', 'description'],
    ['wrong', '1', 'M', '1', '2025-09-01T08:00', '2025-09-01T09:00', '1,5',
        'kWh', "Übung"],
    ['wrong', '2', "Oven M", '1', '2025-09-02T08:00', '2025-09-02T09:00', '',
        '', "Bread; \"rye\""],
    ['wrong', '3', 'M', '1', '2025-09-03T08:00', '', '1.250,5', 'kWh', ''],
    ['', '', '', '', '', '', '2', 'h', ''],
    ]
READINGS = [
    ['resource', 'meter', 'time', 'kind', 'value', 'member'],
    ['M', "Main", '2025-10-01T08:00', 'start', '1.000,5', ''],
    ['M', "Main", '2025-10-01T09:00', 'end', '1.001,5', '1'],
    ["Oven M", "Main", '2025-10-02T09:00', '', '1.003,0', '1'],
    ]
ENTRIES = [
    ['external_id', 'category', 'member', 'date', 'amount', 'description'],
    ['a', 'CD', '1', '2025-02-01', '1.250,00 $', "Käse"],
    ['', 'CD', '1', '2025-02-01', '12,50', "Bread"],
    ['', "Purchases", '1', '2025-02-01', '12,50', "Bread"],
    ['b', 'CD', '1', '2025-02-02', '10', ''],
    ]
HEADER = 'source,external_id,resource,member,start,end,quantity,unit'
MINUTE = dt.timedelta(minutes=1)


def getint(section, name, *args, getint=config.getint, **kwargs):
    "Let the cache look for changes in each transaction"
    if name == 'clean_timeout':
        return 0
    return getint(section, name, *args, **kwargs)


class ImportUsageTestCase(unittest.TestCase):
    "Test the import of usages and readings"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        activate_modules(
            ['coop_import', *EXTRAS], create_company, create_chart)
        cls.addClassCleanup(drop_db)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = Path(directory.name)
        cls.member = create_member(
            "Alice", create_category(), dt.date(2024, 1, 1))
        for code, timezone in [
                ('B', 'Europe/Berlin'), ('S', 'Australia/Sydney'),
                # Those of the files in which something is wrong
                ('M', 'Europe/Berlin'), ('D', 'Europe/Berlin')]:
            create_resource(
                f"Oven {code}", code=code, bookable=True, timezone=timezone,
                start_date=dt.date(2024, 1, 1),
                other_units=[get_unit('Kilowatt-hour')])
        Category = Model.get('coop.patronage.category')
        Category(code='CD', name="Purchases").save()
        Meter = Model.get('coop.commons.meter')
        for resource in Model.get('coop.commons.resource').find([]):
            Meter(
                name="Main", resource=resource,
                unit=get_unit('Kilowatt-hour')).save()

    def load(self, *rows, header=HEADER, **options):
        path = self.directory / 'usage.csv'
        path.write_text('\n'.join([header, *rows]))
        return do_import(str(path), **options)

    def row(self, id_, start, end='', rest=',', resource='B', source='file'):
        return (
            f'{source},{id_},{resource},{self.member.number},{start},{end},'
            f'{rest}')

    def get_usages(self, source):
        Usage = Model.get('coop.commons.usage')
        return Usage.find([('source', '=', source)], order=[('id', 'ASC')])

    def test_quarters(self):
        "Test ten quarters of an hour in the night of 25 hours"
        quarters = [
            (h * 60 + m, h * 60 + m + 15)
            for h in (2, 2, 3) for m in (0, 15, 30, 45)][:10]
        for code, day in [('B', '26.10.2025'), ('S', '06.04.2025')]:
            rows = [
                self.row(
                    i, f'{day} {a // 60}:{a % 60:02}',
                    f'{day} {b // 60}:{b % 60:02}', resource=code,
                    source=code)
                for i, (a, b) in enumerate(quarters)]
            for created in [10, 0]:
                result = self.load(*rows, date_format='%d.%m.%Y')
                self.assertEqual(result.reasons, [])
                self.assertEqual(result.created, created)
            usages = self.get_usages(code)
            self.assertEqual(
                sum((u.end - u.start for u in usages), dt.timedelta()),
                150 * MINUTE)
            self.assertEqual(
                [q.quantity for u in usages for q in u.quantities],
                [Decimal('0.25')] * 10)

    def test_time(self):
        "Test a time that is none is refused with its line"
        result = self.load(
            self.row(1, '2025-03-30T02:30', '2025-03-30T04:00'),
            self.row(2, '2025-03-30', '2025-03-30T04:00'),
            self.row(3, '2025-03-30T04:00', '2025-03-30T05:00'),
            self.row(4, '2999-03-30T04:00', '2999-03-30T05:00'))
        self.assertEqual(
            [(line, column) for line, column, _ in result.reasons],
            [(2, 'start'), (3, 'start'), (5, 'end'), (5, 'start')])
        self.assertIn("does not exist", result.reasons[0].text)
        self.assertEqual(self.get_usages('file'), [])

    def test_unit(self):
        "Test units are known by what else they are called"
        result = self.load(
            self.row(1, '2025-05-05T08:00', '', '1.5,h', source='unit'),
            self.row(2, '2025-05-05T10:00', '', '3,kWh', source='unit'),
            self.row(3, '2025-05-05T11:00', '2025-05-05T24:00', '2,KW.H',
                source='unit'))
        self.assertEqual(result.reasons, [])
        first, second, third = self.get_usages('unit')
        self.assertEqual(
            [first.end, third.end],
            [dt.datetime(2025, 5, 5, 7, 30), dt.datetime(2025, 5, 5, 22)])
        result = self.load(
            self.row(1, '2025-05-05T08:00', '', '1.5,h', source='unit'))
        self.assertEqual((result.unchanged, result.rejected), (1, 0))

    def test_booking(self):
        "Test a row is the use of a booking"
        Booking = Model.get('coop.commons.booking')
        Resource = Model.get('coop.commons.resource')
        resource, = Resource.find([('code', '=', 'B')])
        resource.charge_mode = 'greater'
        resource.save()
        booking = Booking(
            resource=resource, member=self.member,
            start=dt.datetime(2025, 6, 2, 8), end=dt.datetime(2025, 6, 2, 10))
        booking.click('confirm')
        header = 'source,external_id,booking,resource,start,end'

        def load(number, start, resource):
            return self.load(
                f'booked,{start},{number},{resource},{start},'
                f'{start[:11]}12:00', header=header)

        for number, start, resource, reason in [
                ('none', '2025-06-02T10:00', '', "There is no booking"),
                (booking.number, '2025-06-02T10:00', 'S', "is for"),
                (booking.number, '2025-06-02T10:00', '', None),
                (booking.number, '2025-06-02T11:00', '', "has its use")]:
            result = load(number, start, resource)
            with self.subTest(number=number, start=start):
                self.assertEqual(len(result.reasons), bool(reason))
                if reason:
                    self.assertIn(reason, result.reasons[0].text)
        usage, = self.get_usages('booked')
        self.assertEqual(usage.booking, booking)
        self.assertEqual(usage.member, self.member)
        # It waits for its kilowatt-hours, as after the booking is finished
        self.assertEqual(usage.state, 'draft')
        usage.quantities.new(
            unit=get_unit('Kilowatt-hour'), quantity=Decimal(3))
        usage.save()
        result = load(booking.number, '2025-06-02T10:00', '')
        self.assertEqual((result.unchanged, result.rejected), (1, 0))
        usage.click('confirm')
        self.assertEqual(usage.state, 'confirmed')

        booking = Booking(
            resource=booking.resource, member=self.member,
            start=dt.datetime(2025, 6, 3, 8), end=dt.datetime(2025, 6, 3, 10))
        booking.click('confirm')
        result = self.load(
            f'metered,1,{booking.number},2025-06-03T10:00,'
            f'2025-06-03T12:00,3,kWh',
            header='source,external_id,booking,start,end,quantity,unit')
        self.assertEqual(result.reasons, [])
        usage, = self.get_usages('metered')
        self.assertEqual(usage.state, 'confirmed')

    def test_person(self):
        "Test a row tells who used it for the member"
        Party = Model.get('party.party')
        driver = Party(name="Driver")
        driver.save()
        header = 'source,external_id,resource,member,start,end,person'
        for person, reasons in [
                ('nobody', 1), (driver.code, 0), (driver.code, 0)]:
            result = self.load(
                f'person,1,B,{self.member.number},2025-07-07T08:00,'
                f'2025-07-07T09:00,{person}', header=header)
            with self.subTest(person=person):
                self.assertEqual(len(result.reasons), reasons)
        usage, = self.get_usages('person')
        self.assertEqual(usage.person, driver)

    def test_stop(self):
        "Test nothing is stored if a row is refused, whatever refuses it"
        Usage = Model.get('coop.commons.usage')
        start = dt.datetime(2025, 8, 1)
        good = [
            self.row(
                i, f'{start + i * 10 * MINUTE:%Y-%m-%dT%H:%M}',
                f'{start + (i + 1) * 10 * MINUTE:%Y-%m-%dT%H:%M}',
                source='stop')
            for i in range(700)]
        for bad in [
                # A cell, a rule of the import, and the resource
                self.row(600, 'soon', '2025-08-20T08:00', source='stop'),
                self.row(
                    600, '2025-08-20T09:00', '2025-08-20T08:00',
                    source='stop'),
                self.row(
                    600, '2023-08-20T07:00', '2023-08-20T08:00',
                    source='stop'),
                ]:
            rows = list(good)
            rows[600] = bad
            with self.subTest(bad=bad):
                # Also when the cache has just looked for changes, which
                # another database tells it
                if backend.name == 'sqlite':
                    look = patch('trytond.cache.config.getint', getint)
                else:
                    look = nullcontext()
                with look:
                    result = self.load(*rows)
                self.assertEqual([r.line for r in result.reasons], [602])
                self.assertEqual(result.rejected, 700)
                self.assertEqual(
                    Usage.find([('source', '=', 'stop')]), [])

    def check_mutated(self, model, data, do_import, **options):
        "Check no row disappears and nothing is half stored"
        records = self.get_ids(model)
        path = self.directory / 'mutated.csv'
        path.write_bytes(data)
        try:
            result = do_import(str(path), **options)
        except FileError:
            self.assertEqual(self.get_ids(model), records)
            return
        self.assertEqual(
            result.rows,
            result.created + result.updated + result.unchanged
            + result.rejected)
        new = self.get_ids(model) - records
        self.assertLessEqual(len(new), result.created)
        self.assertEqual(bool(new), bool(result.created))
        if options['on_error'] == 'stop' and result.rejected:
            self.assertEqual(new, set())
            self.assertEqual(result.rejected, result.rows)
        # Each row that is stored is known again
        if result.created and not result.rejected:
            result = do_import(str(path), **options)
            self.assertEqual(
                (result.created, result.rejected), (0, 0), result.reasons)

    def get_ids(self, model):
        return {record.id for record in Model.get(model).find([])}

    @settings(max_examples=100)
    @given(mutated(USAGES), st.sampled_from(['stop', 'skip']))
    def test_mutated_usages(self, data, on_error):
        "Test no usage disappears whatever is wrong with the file"
        self.check_mutated(
            'coop.commons.usage', data, do_import, on_error=on_error)

    @settings(max_examples=100)
    @given(mutated(READINGS), st.sampled_from(['stop', 'skip']))
    def test_mutated_readings(self, data, on_error):
        "Test no reading disappears whatever is wrong with the file"
        self.check_mutated(
            'coop.commons.reading', data, do_import, on_error=on_error,
            readings=True)

    @settings(max_examples=100)
    @given(mutated(ENTRIES), st.sampled_from(['stop', 'skip']))
    def test_mutated_entries(self, data, on_error):
        "Test no entry disappears whatever is wrong with the file"
        self.check_mutated(
            'coop.patronage.entry', data, import_patronage.do_import,
            on_error=on_error)

    def test_decimals(self):
        "Test more decimals than there are are refused, not rounded"
        number = self.member.number
        for do_import_, header, row, options in [
                (do_import, HEADER,
                    f'digits,1,D,{number},2025-12-01T08:00,'
                    '2025-12-01T09:00,{},kWh', {}),
                (do_import, 'resource,meter,time,value,member',
                    f'D,Main,2025-12-01T08:00,{{}},{number}',
                    {'readings': True}),
                (import_patronage.do_import, 'category,member,date,amount',
                    f'CD,{number},2025-12-01,{{}}', {}),
                ]:
            path = self.directory / 'digits.csv'
            for value, rejected in [('2000.123456789', 1), ('2000.12', 0)]:
                path.write_text(f'{header}\n{row.format(value)}\n')
                with self.subTest(header=header, value=value):
                    result = do_import_(str(path), **options)
                    self.assertEqual(
                        (result.created, result.rejected),
                        (1 - rejected, rejected), result.reasons)

    def test_readings(self):
        "Test equal readings are as many, and what was read stays"
        path = self.directory / 'readings.csv'

        def load(*rows):
            path.write_text('\n'.join([
                        'resource;meter;time;value;member', *rows]))
            result = do_import(str(path), readings=True)
            return (
                result.created, result.unchanged,
                [reason.column for reason in result.reasons])

        rows = [
            'S;Main;2025-11-01T08:00;1.000,5;',
            'S;Main;2025-11-02T08:00;1.010,5;1']
        self.assertEqual(load(*rows), (2, 0, []))
        self.assertEqual(load(*rows), (0, 2, []))
        rows[1] = rows[1].replace('1.010,5', '1.011,5')
        self.assertEqual(load(*rows), (0, 0, ['value']))
        # 1.010 may be 1.01
        self.assertEqual(
            load('S;Main;2025-11-03T08:00;1.020;1'), (0, 0, ['value']))
