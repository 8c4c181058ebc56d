# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from trytond.modules.coop_commons import local_time
from trytond.modules.coop_commons.local_time import (
    Clock, Stretch, TimeError, read_stretches)

BERLIN = ZoneInfo('Europe/Berlin')
SYDNEY = ZoneInfo('Australia/Sydney')
# The clock is changed at midnight
SANTIAGO = ZoneInfo('America/Santiago')
# The clock is changed by half an hour
LORD_HOWE = ZoneInfo('Australia/Lord_Howe')
# 30 December 2011 did not exist
APIA = ZoneInfo('Pacific/Apia')
UTC = ZoneInfo('UTC')
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

zones = st.sampled_from([BERLIN, SYDNEY, SANTIAGO, LORD_HOWE, APIA, UTC])
instants = st.datetimes(
    dt.datetime(2010, 1, 1), dt.datetime(2027, 1, 1)).map(
    lambda i: i.replace(microsecond=0))
lengths = st.integers(0, 200 * 86400).map(lambda s: dt.timedelta(seconds=s))


def utc(text):
    return dt.datetime.fromisoformat(text)


def at(text, zone):
    "Return the instant of a local time that exists once"
    instant, = local_time.get_instants(dt.datetime.fromisoformat(text), zone)
    return instant


class LocalTimeTestCase(unittest.TestCase):
    "Test the clock and the calendar"

    def test_instants(self):
        "Test a local time exists once, twice or never"
        for text, zone, expected in [
                ('2025-10-26T01:30', BERLIN, ['2025-10-25T23:30']),
                ('2025-10-26T02:30', BERLIN,
                    ['2025-10-26T00:30', '2025-10-26T01:30']),
                ('2025-03-30T02:30', BERLIN, []),
                ('2025-04-06T02:30', SYDNEY,
                    ['2025-04-05T15:30', '2025-04-05T16:30']),
                ('2025-10-05T02:30', SYDNEY, []),
                ('2025-04-05T23:30', SANTIAGO,
                    ['2025-04-06T02:30', '2025-04-06T03:30']),
                ('2025-09-07T00:30', SANTIAGO, []),
                ('2025-04-06T01:45', LORD_HOWE,
                    ['2025-04-05T14:45', '2025-04-05T15:15']),
                ]:
            with self.subTest(text=text, zone=zone):
                self.assertEqual(
                    local_time.get_instants(utc(text), zone),
                    list(map(utc, expected)))

    def test_midnight(self):
        "Test the day begins when the clock jumps over midnight"
        for date, zone, instant in [
                (dt.date(2025, 9, 7), SANTIAGO, '2025-09-07T04:00'),
                (dt.date(2025, 4, 6), SANTIAGO, '2025-04-06T04:00'),
                (dt.date(2011, 12, 30), APIA, '2011-12-30T10:00'),
                (dt.date(2011, 12, 31), APIA, '2011-12-30T10:00'),
                (dt.date(2025, 10, 26), BERLIN, '2025-10-25T22:00')]:
            with self.subTest(date=date, zone=zone):
                self.assertEqual(
                    local_time.get_midnight(date, zone), utc(instant))

    def test_days(self):
        "Test noon to noon is a day, whatever its hours"
        for start, end, zone, hours, days in [
                ('2025-10-25T12:00', '2025-10-26T12:00', BERLIN, 25, 1),
                ('2025-03-29T12:00', '2025-03-30T12:00', BERLIN, 23, 1),
                ('2025-04-05T12:00', '2025-04-06T12:00', SYDNEY, 25, 1),
                ('2025-10-04T12:00', '2025-10-05T12:00', SYDNEY, 23, 1),
                ('2025-04-05T12:00', '2025-04-06T12:00', SANTIAGO, 25, 1),
                ('2025-10-24T12:00', '2025-10-27T12:00', BERLIN, 73, 3),
                # The half of the day of 25 hours
                ('2025-10-25T12:00', '2025-10-25T23:30', BERLIN,
                    D('11.5'), D('0.46')),
                ]:
            with self.subTest(start=start, zone=zone):
                start, end = at(start, zone), at(end, zone)
                self.assertEqual((end - start) / HOUR, hours)
                self.assertEqual(
                    local_time.count_days(start, end, zone), days)
                self.assertEqual(
                    local_time.add_days(start, D(days), zone), end)

    def test_months(self):
        "Test a month is one from a clock time to the same"
        for start, end, months in [
                ('2025-03-15T12:00', '2025-04-15T12:00', 1),
                ('2025-01-31T12:00', '2025-02-28T12:00', 1),
                ('2025-01-31T12:00', '2025-03-31T12:00', 2),
                ('2025-04-01T00:00', '2025-04-16T00:00', D('0.5')),
                ]:
            with self.subTest(start=start):
                start, end = at(start, BERLIN), at(end, BERLIN)
                self.assertEqual(
                    local_time.count_months(start, end, BERLIN), months)
                self.assertEqual(
                    local_time.add_months(start, D(months), BERLIN), end)

    def test_add(self):
        "Test the days are those of the calendar and the hours are real"
        start = at('2025-10-25T12:00', BERLIN)
        for delta, end in [
                (DAY, '2025-10-26T11:00'),
                (DAY + HOUR, '2025-10-26T12:00'),
                (23 * HOUR, '2025-10-26T09:00'),
                (-DAY, '2025-10-24T10:00'),
                (-HOUR, '2025-10-25T09:00')]:
            with self.subTest(delta=delta):
                self.assertEqual(
                    local_time.add(start, delta, BERLIN), utc(end))
        # The clock does not show it: the day ends when it is changed
        self.assertEqual(
            local_time.add(at('2025-03-29T02:30', BERLIN), DAY, BERLIN),
            utc('2025-03-30T01:00'))

    def test_round(self):
        "Test times are rounded as the clock shows them"
        half = HOUR / 2
        for instant, step, zone, first, last in [
                ('2025-10-26T01:40', HOUR, BERLIN,
                    '2025-10-26T01:00', '2025-10-26T02:00'),
                ('2025-10-26T12:00', DAY, BERLIN,
                    '2025-10-25T22:00', '2025-10-26T23:00'),
                ('2025-04-05T15:10', half, LORD_HOWE,
                    '2025-04-05T15:00', '2025-04-05T15:30'),
                ('2026-01-07T12:00', 7 * DAY, UTC,
                    '2026-01-05T00:00', '2026-01-12T00:00')]:
            with self.subTest(instant=instant, step=step):
                self.assertEqual(
                    local_time.floor(utc(instant), step, zone), utc(first))
                self.assertEqual(
                    local_time.ceil(utc(instant), step, zone), utc(last))

    def test_parse(self):
        "Test the times that are written"
        for text, expected in [
                ('2026-01-05T08:00', dt.datetime(2026, 1, 5, 8)),
                ('2026-01-05 8:00:30', dt.datetime(2026, 1, 5, 8, 0, 30)),
                ('2026-01-05 08.15', dt.datetime(2026, 1, 5, 8, 15)),
                ('2026-01-05T08:00:00.500', dt.datetime(2026, 1, 5, 8)),
                ('2026-01-05 24:00', dt.datetime(2026, 1, 6)),
                ('2026-01-05 12:30 AM', dt.datetime(2026, 1, 5, 0, 30)),
                ('2026-01-05 1:30pm', dt.datetime(2026, 1, 5, 13, 30)),
                ]:
            with self.subTest(text=text):
                self.assertEqual(local_time.parse(text), expected)
        for text in [
                '2026-01-05T08:00:00Z', '2026-01-05T10:00+02:00',
                '2026-01-05T10:00+0200', '2026-01-05 06:30 -01:30']:
            with self.subTest(text=text):
                self.assertEqual(
                    local_time.to_instant(local_time.parse(text)),
                    dt.datetime(2026, 1, 5, 8))

    def test_refused(self):
        "Test what is no time"
        for text, reason in [
                ('2026-01-05', 'format'), ('yesterday', 'format'),
                ('2026-01-05T24:01', 'format'), ('', 'format'),
                (None, 'format'), (5, 'format'), ('20260105T0800', 'format'),
                ('2026-13-05T08:00', 'format'),
                ('2026-01-05T08:00+25:00', 'format'),
                ('9999-12-31T24:00', 'format'),
                ('1899-12-31T08:00', 'past'), ('2999-01-05T08:00', 'future'),
                ]:
            with self.subTest(text=text):
                with self.assertRaises(TimeError) as cm:
                    local_time.parse(text)
                self.assertEqual(cm.exception.reason, reason)

    def test_format(self):
        "Test the day may be written in another way"
        for text, date_format, expected in [
                ('26.10.2025 02:00', '%d.%m.%Y', '2025-10-26T02:00'),
                ('26.10.2025  2:00', '%d.%m.%Y', '2025-10-26T2:00'),
                ('26.10.2025T02:00+01:00', '%d.%m.%Y',
                    '2025-10-26T02:00+01:00'),
                ('26 10 2025 24:00', '%d %m %Y', '2025-10-26T24:00'),
                ('10/26/2025 2:00 PM', '%m/%d/%Y', '2025-10-26T2:00 PM'),
                ('26/10/2025 02:30', '%d/%m/%Y %H:%M',
                    '2025-10-26T02:30:00'),
                ]:
            with self.subTest(text=text):
                self.assertEqual(
                    local_time.to_iso(text, date_format), expected)
        with self.assertRaises(ValueError):
            local_time.to_iso('2025-10-26T02:00', '%d.%m.%Y')

    def read(self, rows, zone=BERLIN, day='2025-10-26'):
        return read_stretches([
                Stretch('meter', zone, *(
                        local_time.parse(f'{day}T{t}') if t else None
                        for t in row))
                for row in rows])

    def test_quarters(self):
        "Test ten quarters of an hour are two hours and a half"
        hour = [(0, 15), (15, 30), (30, 45), (45, 60)]
        quarters = [
            (f'{h:02}:{a:02}', f'{h + b // 60:02}:{b % 60:02}')
            for h in (2, 2, 3) for a, b in hour][:10]
        # At the end of the first hour the clock shows two again
        turned = [('02:45', '02:00') if i == 3 else q
            for i, q in enumerate(quarters)]
        for rows in [quarters, turned]:
            result = self.read(rows)
            self.assertEqual(
                sum((end - start for start, end in result), dt.timedelta()),
                2.5 * HOUR)
            self.assertEqual(result[0][0], utc('2025-10-26T00:00'))
            for (_, end), (start, _) in zip(result, result[1:]):
                self.assertEqual(end, start)

    def test_order(self):
        "Test a time that comes twice is told apart by its order"
        for rows, zone, day, expected in [
                # Not the same times
                ([('02:10', '02:40'), ('02:05', '02:30')], BERLIN,
                    '2025-10-26',
                    [('00:10', '00:40'), ('01:05', '01:30')]),
                # A use over the whole night has all its hours
                ([('01:00', '03:00')], BERLIN, '2025-10-26',
                    [('23:00', '02:00')]),
                ([('02:30', None), ('02:30', '03:10')], SYDNEY,
                    '2025-04-06', [('15:30', None), ('16:30', '17:10')]),
                ([('23:15', '23:45'), ('23:00', '23:30')], SANTIAGO,
                    '2025-04-05', [('02:15', '02:45'), ('03:00', '03:30')]),
                ]:
            with self.subTest(rows=rows):
                self.assertEqual([
                        tuple(t and f'{t:%H:%M}' for t in row)
                        for row in self.read(rows, zone, day)],
                    expected)
        # Other lists do not mix
        time = local_time.parse('2025-10-26T02:30')
        self.assertEqual(
            *read_stretches([Stretch(k, BERLIN, time) for k in 'ab']))
        # What is known stays
        known = utc('2025-10-26T01:30')
        self.assertEqual(
            read_stretches([
                    Stretch('a', BERLIN, time, None, (known, None))]),
            [[known, None]])
        clock = Clock(BERLIN)
        self.assertEqual(clock.read(time, known), known)

    def test_missing(self):
        "Test a time that does not exist is refused"
        for zone, day, time in [
                (BERLIN, '2025-03-30', '02:30'),
                (SYDNEY, '2025-10-05', '02:30'),
                (SANTIAGO, '2025-09-07', '00:30')]:
            with self.subTest(zone=zone):
                (start, _), = self.read([(time, '04:00')], zone, day)
                self.assertEqual(start.reason, 'missing')
        (_, end), = self.read([('01:00', '02:30')], day='2025-03-30')
        self.assertEqual(end.reason, 'missing')
        # But a time may last until the clock jumps
        (_, end), = self.read([('01:00', '02:00')], day='2025-03-30')
        self.assertEqual(end, utc('2025-03-30T01:00'))

    @given(instants, zones)
    def test_local(self, instant, zone):
        "Test an instant is one of its local time"
        local = local_time.get_local(instant, zone)
        self.assertIn(instant, local_time.get_instants(local, zone))
        self.assertLessEqual(local_time.get_first(local, zone), instant)
        self.assertGreaterEqual(local_time.get_last(local, zone), instant)
        midnight = local_time.get_midnight(local.date(), zone)
        self.assertLessEqual(midnight, instant)
        self.assertEqual(
            local_time.get_local(midnight, zone).date(), local.date())
        self.assertNotEqual(
            local_time.get_local(
                midnight - local_time.SECOND, zone).date(), local.date())

    @given(instants, lengths, zones)
    def test_count(self, start, length, zone):
        "Test what is counted is what lasts as long"
        end = start + length
        for name in ['days', 'months']:
            counted = getattr(local_time, f'count_{name}')(start, end, zone)
            self.assertEqual(
                getattr(local_time, f'add_{name}')(start, counted, zone),
                end)
            self.assertGreaterEqual(counted, 0)

    @given(instants, lengths, zones)
    def test_overlap(self, start, length, zone):
        "Test each second is on one day"
        end = start + length
        touched = local_time.get_days(start, end, zone)
        self.assertEqual(
            sum((local_time.get_overlap(start, end, day, day, zone)
                    for day in touched), dt.timedelta()),
            length)

    @given(instants, st.sampled_from([
                HOUR / 4, HOUR / 2, HOUR, 2 * HOUR, DAY]), zones)
    def test_step(self, instant, step, zone):
        "Test an instant is between its steps"
        first = local_time.floor(instant, step, zone)
        last = local_time.ceil(instant, step, zone)
        self.assertLessEqual(first, instant)
        self.assertGreaterEqual(last, instant)
        self.assertLessEqual(last - first, step + 25 * HOUR)
