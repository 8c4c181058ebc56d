# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.coop_commons.exceptions import (
    BookingQuotaWarning, BookingRuleError, BookingRuleWarning, RejectedError)
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.coop_membership.tests.records import create_members
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
# A Monday
START = dt.datetime(2024, 3, 4, 8)
INVOICED = dt.date(2024, 12, 31)


class LimitTestCase(CommonsTestCase):
    "Test how much a member may use, who used it, and who may not"

    @contextmanager
    def at(self, instant):
        Booking = Pool().get('coop.commons.booking')
        with patch.object(Booking, '_now', return_value=instant):
            yield

    def _book(self, start, hours, **values):
        with self.at(START - 2 * DAY):
            return self.make('booking', 'confirmed', **{
                    'resource': self._resource, 'start': start,
                    'end': start + hours * HOUR, **values})

    def _create_rule(self, **values):
        Rule = Pool().get('coop.commons.rule')
        rule = Rule(
            name="Limit", company=self.company, resource=self._resource,
            quota_per='month', **values)
        rule.save()
        return rule

    def _bill(self, end=dt.date(2024, 12, 30), **values):
        Billing = Pool().get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end, invoice_date=INVOICED, **values)
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        self.assertFalse(Billing.check_books(self.company, INVOICED))
        return Billing(billing.id)

    @with_transaction()
    def test_money(self):
        "Test a member is warned of a limit of money, and refused above it"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Usage = pool.get('coop.commons.usage')
        Warning = pool.get('res.user.warning')
        with self.in_company():
            # 10 an hour and 1 a km: 100 in March, warned from 80 on
            self._create_rule(
                quota_amount=Decimal(100), quota_warning=Decimal('0.8'))
            # 30 booked, and 15 used and billed
            self._book(START, 3)
            usage = self.make(
                'usage', 'confirmed', start=START + DAY,
                end=START + DAY + HOUR)
            self.assertEqual(
                self._bill().invoices[0].untaxed_amount, Decimal(15))
            self.assertEqual(Usage(usage.id).state, 'charged')
            # 15 used, without a price until now, make 60
            self.make(
                'usage', 'confirmed', start=START + 2 * DAY,
                end=START + 2 * DAY + HOUR)
            # 79 would be in order, 80 is a warning
            with self.assertRaises(BookingQuotaWarning) as raised:
                self._book(START + 3 * DAY, 2)
            self.assertIn("80.00", str(raised.exception))
            # Another month, and another member
            self._book(START + 40 * DAY, 7)
            self._book(START + 41 * DAY, 7, member=self._members[1])
            Warning(
                user=Transaction().user, name=raised.exception.name,
                always=True).save()
            booking = self._book(START + 3 * DAY, 2)
            self.assertEqual(booking.state, 'confirmed')
            # Two hours more are 100, half an hour more is too much
            with self.at(START), self.assertRaises(
                    BookingQuotaWarning):
                Booking.rebook(
                    Booking(booking.id), booking.start,
                    booking.end + 2 * HOUR, booking.resource, 1)
            with self.at(START), self.assertRaises(
                    BookingRuleWarning) as raised:
                Booking.rebook(
                    Booking(booking.id), booking.start,
                    booking.end + 2.5 * HOUR, booking.resource, 1)
            self.assertIn("105.00", raised.exception.message)
            # Who is no steward has to stay below
            with self.as_employee(self._members[0].party):
                own, = Booking.create([{
                            'company': self.company.id,
                            'resource': self._resource.id,
                            'member': self._members[0].id,
                            'start': START + 5 * DAY,
                            'end': START + 5 * DAY + 3 * HOUR,
                            }])
                with self.at(START), self.assertRaises(BookingRuleError):
                    Booking.confirm([own])

    @with_transaction()
    def test_hours(self):
        "Test a member is warned of his hours"
        with self.in_company():
            self._create_rule(
                quota_time=10 * HOUR, quota_warning=Decimal('0.5'))
            self._book(START, 4)
            with self.assertRaises(BookingQuotaWarning):
                self._book(START + DAY, 1)
            with self.assertRaises(BookingRuleWarning):
                self._book(START + DAY, 7)

    @with_transaction()
    def test_person(self):
        "Test who drove is on the line of the invoice of each use"
        Party = Pool().get('party.party')
        with self.in_company():
            driver = Party(name="Daughter")
            driver.save()
            booking = self._book(START, 2, person=driver)
            with self.at(START + 2 * HOUR):
                booking.finish([booking])
            usage, = booking.__class__(booking.id).usages
            self.assertEqual(usage.person, driver)
            usage.confirm([usage])
            billing = self._bill(detail='usage')
            invoice, = billing.invoices
            self.assertEqual(invoice.party, self._members[0].party)
            line, = invoice.lines
            self.assertEqual(line.amount, Decimal(20))
            self.assertIn("08:00 - Daughter", line.description)

    @with_transaction()
    def test_rejected(self):
        "Test what an applicant has ends when he is rejected"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Contract = pool.get('coop.commons.contract')
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        with self.in_company():
            applicant, = create_members(
                self.company, self._category, 1, dt.date(2024, 1, 1))
            applicant.party.addresses = [{'city': "Town"}]
            applicant.party.save()
            contracts = [
                self.make(
                    'contract', 'confirmed', member=applicant,
                    resource=self._create_resource(), valid_from=first)
                for first in [dt.date(2024, 1, 1), dt.date(2024, 6, 1)]]
            commitment = self.make(
                'commitment', 'confirmed', member=applicant)
            booking = self._book(START, 2, member=applicant)
            # Billed in advance until the end of March
            self.assertEqual(
                sum(l.amount for l in self._bill(
                        dt.date(2024, 3, 31)).contract_lines),
                Decimal(930))
            with patch.object(
                        Date, 'today', return_value=dt.date(2024, 2, 10)), \
                    self.at(START - 2 * DAY):
                Member.write([applicant], {'rejection_reason': "Too far"})
                Member.reject([Member(applicant.id)])
            self.assertEqual(Booking(booking.id).state, 'cancelled')
            self.assertEqual(
                [Contract(c.id).state for c in contracts],
                ['confirmed', 'cancelled'])
            self.assertEqual(
                {d.__class__(d.id).valid_until
                    for d in [contracts[0], commitment]},
                {dt.date(2024, 2, 10)})
            # 310 * 10 / 29 = 106.90 is kept of February
            self.assertEqual(
                sum(l.amount for l in self._bill(
                        dt.date(2024, 6, 30)).contract_lines),
                Decimal('106.90') - 620)
            with self.assertRaises(RejectedError):
                self._book(START, 2, member=Member(applicant.id))
            for name in ['contract', 'commitment']:
                with self.subTest(name=name), \
                        self.assertRaises(RejectedError):
                    self.make(
                        name, 'confirmed', member=Member(applicant.id),
                        **({} if name == 'commitment' else {
                                'resource': self._create_resource()}))
