# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re
from decimal import Decimal
from unittest.mock import patch
from urllib.parse import urlsplit

from trytond.modules.company.tests import set_company
from trytond.modules.coop_commons.tests.documents import pay
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.modules.coop_shares.tests.case import create_payment_method
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

DAY = '2034-03-01'
ADDRESS = re.compile(r'https://\S+?\.ics')


class OwnTestCase(PortalTestCase):
    "Test members repeat, move, start and finish what they have booked"

    def _book(self, browser, resource, start='08:00', end='10:00'):
        Booking = Pool().get('coop.commons.booking')
        response = browser.post(
            f'/use/{resource.id}', start=f'{DAY}T{start}',
            end=f'{DAY}T{end}', quantity='1', book='')
        self.assertEqual(response.status_code, 302)
        return Booking.search([], order=[('id', 'DESC')], limit=1)[0]

    def _at(self, time):
        "Let it be another time of the day of the bookings"
        Booking = Pool().get('coop.commons.booking')
        return patch.object(
            Booking, '_now',
            return_value=dt.datetime.fromisoformat(f'{DAY}T{time}'))

    @with_transaction()
    def test_metered(self):
        "Test what is booked here, used and metered is billed, paid and booked"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Booking = pool.get('coop.commons.booking')
        Date = pool.get('ir.date')
        Invoice = pool.get('account.invoice')
        Line = pool.get('account.move.line')
        Meter = pool.get('coop.commons.meter')
        Reading = pool.get('coop.commons.reading')
        cooperative = self.open()
        member = cooperative.members[0]
        with set_company(cooperative.company):
            meter = Meter(
                name="Odometer", resource=cooperative.resource,
                unit=cooperative._km)
            meter.save()
            meter.lock()
        field = f'meter_{meter.id}'
        browser = self.browser(cooperative)
        booking = self._book(browser, cooperative.resource)
        path = f'/bookings/{booking.id}'

        # Not a day before
        self.assertNotIn(f'{path}/start', browser.text(path))
        self.assertEqual(browser.get(f'{path}/start').status_code, 404)
        with self._at('08:05'):
            self.assertIn(f'{path}/start', browser.text(path))
            page = browser.post(f'{path}/start', **{field: ''})
            self.assertEqual(page.status_code, 200)
            response = browser.post(f'{path}/start', **{field: '1000'})
            self.assertEqual(response.location, path)
        self.assertEqual(Booking(booking.id).state, 'running')
        with self._at('09:35'):
            self.assertIn("1000", browser.text(f'{path}/finish'))
            response = browser.post(f'{path}/finish', **{field: '1050'})
            self.assertEqual(response.location, path)

        booking = Booking(booking.id)
        self.assertEqual(booking.state, 'done')
        usage, = booking.usages
        self.assertEqual(usage.state, 'confirmed')
        self.assertFalse(Reading.search([('incident', '!=', None)]))
        # Used were 1.5 hours at 10, and driven 50 kilometers at 1
        with set_company(cooperative.company):
            today = Date.today()
            billing = Billing(
                company=cooperative.company, end=booking.end.date(),
                invoice_date=today, for_resources=[cooperative.resource],
                for_parties=[member.party])
            billing.save()
            Billing.compute([billing])
            Billing.post([billing])
            invoice, = Invoice.search([('party', '=', member.party.id)])
            self.assertEqual(invoice.total_amount, Decimal(65))
            page = browser.text('/usage')
            self.assertIn("65.00", page)
            self.assertIn("50", page)
            self.assertIn(
                f'/papers/invoice/{invoice.id}', browser.text('/papers'))
            lines = invoice.pay_invoice(
                invoice.total_amount,
                create_payment_method(cooperative.company), today)
            Line.reconcile([*invoice.lines_to_pay, *lines])
            Invoice.process([invoice])
            self.assertEqual(Invoice(invoice.id).state, 'paid')
            self.assertEqual(check_books(cooperative.company, today), [])

    @with_transaction()
    def test_unmoved(self):
        "Test nothing that was metered is known too"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Meter = pool.get('coop.commons.meter')
        cooperative = self.open()
        with set_company(cooperative.company):
            meter = Meter(
                name="Odometer", resource=cooperative.resource,
                unit=cooperative._km)
            meter.save()
            meter.lock()
        browser = self.browser(cooperative)
        booking = self._book(browser, cooperative.resource)
        for time, step in [('08:00', 'start'), ('10:00', 'finish')]:
            with self._at(time):
                browser.post(
                    f'/bookings/{booking.id}/{step}',
                    **{f'meter_{meter.id}': '1000'})
        usage, = Booking(booking.id).usages
        self.assertEqual(usage.state, 'confirmed')

    @with_transaction()
    def test_move(self):
        "Test a member sees the price of another time, and moves to it"
        Booking = Pool().get('coop.commons.booking')
        cooperative = self.open()
        resource = cooperative.resource
        browser = self.browser(cooperative)
        other = self.browser(cooperative, user=1)
        booking = self._book(browser, resource)
        self._book(other, resource, '14:00', '15:00')
        path = f'/bookings/{booking.id}/move'
        self.assertIn(path, browser.text(f'/bookings/{booking.id}'))

        page = browser.post(
            path, start=f'{DAY}T09:00', end=f'{DAY}T12:00', price='')
        # Three hours at 10
        self.assertIn("30.00", page.get_data(as_text=True))
        self.assertEqual(Booking(booking.id).start, booking.start)
        page = browser.post(
            path, start=f'{DAY}T13:00', end=f'{DAY}T14:30', move='')
        self.assertEqual(page.status_code, 200)
        self.assertIn('role="alert"', page.get_data(as_text=True))
        self.assertNotIn("Alpha Person 2", page.get_data(as_text=True))
        page = browser.post(
            path, start='2020-01-01T09:00', end=f'{DAY}T12:00', move='')
        self.assertEqual(page.status_code, 200)

        response = browser.post(
            path, start=f'{DAY}T09:00', end=f'{DAY}T12:00', move='')

        self.assertEqual(response.location, f'/bookings/{booking.id}')
        self.assertEqual(Booking(booking.id).start.hour, 9)

    @with_transaction()
    def test_series(self):
        "Test what is booked regularly has a price before, and is cancelled"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        cooperative = self.open()
        browser = self.browser(cooperative)
        path = f'/use/{cooperative.resource.id}/series'
        data = {
            'start': f'{DAY}T08:00', 'end': f'{DAY}T10:00',
            'frequency': 'WEEKLY', 'interval': '1', 'until': '2034-03-20'}
        self.assertIn(path, browser.text(f'/use/{cooperative.resource.id}'))
        page = browser.post(
            path, **{**data, 'until': '2036-01-01'}, price='')
        self.assertIn("60 bookings at most", page.get_data(as_text=True))

        page = browser.post(path, **data, price='')

        # Three times 2 hours at 10
        self.assertIn("60.00", page.get_data(as_text=True))
        self.assertFalse(Booking.search([]))
        response = browser.post(path, **data, book='')
        self.assertEqual(response.location, '/bookings')
        bookings = Booking.search([])
        self.assertEqual([b.state for b in bookings], ['confirmed'] * 3)
        self.assertEqual(
            {b.member for b in bookings}, {cooperative.members[0]})
        series = bookings[0].series
        browser.post(f'/series/{series.id}/cancel', form='/bookings')
        self.assertEqual(
            {b.state for b in Booking.search([])}, {'cancelled'})

    @with_transaction()
    def test_prepaid(self):
        "Test members see what they have paid in advance, and what is left"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Date = pool.get('ir.date')
        Deposit = pool.get('coop.commons.deposit')
        Invoice = pool.get('account.invoice')
        Offer = pool.get('coop.commons.pack.offer')
        Pack = pool.get('coop.commons.pack')
        cooperative = self.open()
        member = cooperative.members[0]
        browser = self.browser(cooperative)
        self.assertEqual(browser.text('/prepaid').count("nothing yet"), 2)
        with set_company(cooperative.company):
            today = Date.today()
            offer = Offer(
                name="Wallet", kind='money', price=Decimal(100),
                deferred_account=(
                    cooperative._get_pack()['offer'].deferred_account))
            offer.save()
            pack = Pack(
                party=member.party, offer=offer, date=today,
                price=Decimal(100))
            deposit = Deposit(
                party=member.party, resource=cooperative.resource,
                date=today, amount=Decimal(200))
            for advance, button in [(pack, 'sell'), (deposit, 'take')]:
                advance.save()
                # What the office prepares is not told
                self.assertEqual(
                    browser.text('/prepaid').count("nothing yet"),
                    2 if advance == pack else 1)
                getattr(advance.__class__, button)([advance])
                invoice = advance.invoice_line.invoice
                Invoice.post([invoice])
                self.assertIn(invoice.number, browser.text('/prepaid'))
                pay(invoice, today)
            self.assertEqual(self._prepaid(browser), ["100.00", "200.00"])

            # Two hours at 10 are paid of the money
            booking = self._book(browser, cooperative.resource)
            booking.used_from, booking.used_until = booking.start, booking.end
            booking.save()
            booking.finish([booking])
            usages = booking.__class__(booking.id).usages
            usages[0].__class__.confirm(
                [u for u in usages if u.state == 'draft'])
            billing = Billing(
                end=booking.end.date(), invoice_date=today,
                for_parties=[member.party])
            billing.save()
            Billing.compute([billing])
            Billing.post([billing])
            invoice, = Billing(billing.id).invoices
            self.assertEqual(self._prepaid(browser), ["80.00", "200.00"])
            self.assertIn(invoice.number, browser.text('/prepaid'))

            # A damage of 30 is kept of the 200
            Deposit.write([deposit], {
                    'kept': Decimal(30), 'kept_reason': "Broken mirror"})
            Deposit.give_back([Deposit(deposit.id)])
            Pack.refund([Pack(pack.id)])
            self.assertEqual(self._prepaid(browser), ["0.00", "0.00"])
            page = browser.text('/prepaid')
            for text in ["170.00", "30.00", "Broken mirror", "-EUR80.00"]:
                self.assertIn(text, page.replace("\u2212", "-"))
            self.assertEqual(page.count("Given back or set off"), 2)
            self.assertEqual(check_books(cooperative.company, today), [])
            data = browser.get('/data.json').get_json()
            self.assertEqual(Decimal(data['deposits'][0]['kept']), 30)
            self.assertEqual(len(data['packs']), 1)
        other = self.browser(cooperative, user=1)
        self.assertEqual(other.text('/prepaid').count("nothing yet"), 2)

    def _prepaid(self, browser):
        "Return what is left of the money and of the deposit"
        # Each page has a transaction of its own, but here
        Transaction().cache.clear()
        return [
            re.search(r'[\d.]+', text)[0] for text in re.findall(
                r'<dt>(?:Left|To be given back)</dt><dd>([^<]*)</dd>',
                browser.text('/prepaid'))]

    @with_transaction()
    def test_calendar(self):
        "Test a calendar reads the bookings, as long as the member wants it"
        cooperative = self.open()
        beta = self._cooperatives["Beta"].reload()
        browser = self.browser(cooperative)
        self._book(browser, cooperative.resource)
        self.assertNotIn('.ics', browser.text('/calendar'))
        browser.post('/calendar')
        url = urlsplit(ADDRESS.search(browser.text('/calendar'))[0])
        self.assertEqual(url.netloc, cooperative.host)
        reader = self.browser(cooperative, user=None)
        calendar = reader.get(url.path)
        self.assertIn('text/calendar', calendar.headers['Content-Type'])
        self.assertIn(
            f'SUMMARY:{cooperative.resource.name}',
            calendar.get_data(as_text=True))
        elsewhere = self.browser(beta, user=None)
        self.assertEqual(elsewhere.get(url.path).status_code, 404)
        # Another one, and none
        browser.post('/calendar')
        self.assertEqual(reader.get(url.path).status_code, 404)
        url = urlsplit(ADDRESS.search(browser.text('/calendar'))[0])
        self.assertEqual(reader.get(url.path).status_code, 200)
        browser.post('/calendar', revoke='')
        self.assertEqual(reader.get(url.path).status_code, 404)
        self.assertNotIn('.ics', browser.text('/calendar'))


del PortalTestCase
