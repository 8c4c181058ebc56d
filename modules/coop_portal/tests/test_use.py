# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

# A day without others' bookings, far enough to be in no quota
DAY = '2034-03-01'


class UseTestCase(PortalTestCase):
    "Test members book by themselves"

    def _book(self, browser, resource, start, end, button='book', **data):
        return browser.post(
            f'/use/{resource.id}', start=f'{DAY}T{start}',
            end=f'{DAY}T{end}', quantity='1', **{button: ''}, **data)

    @with_transaction()
    def test_book(self):
        "Test a member sees the price, books and cancels"
        Booking = Pool().get('coop.commons.booking')
        cooperative = self.open()
        resource = cooperative.resource
        resource.timezone = 'Europe/Vienna'
        resource.save()
        browser = self.browser(cooperative)
        self.assertIn(resource.name, browser.text('/use'))

        page = self._book(browser, resource, '08:00', '10:00', 'price')

        # Two hours at 10
        self.assertIn("20.00", page.get_data(as_text=True))
        self.assertFalse(Booking.search([]))

        response = self._book(
            browser, resource, '08:00', '10:00', purpose="Wood")

        self.assertEqual(response.location, '/bookings')
        booking, = Booking.search([])
        self.assertEqual(booking.state, 'confirmed')
        self.assertEqual(booking.member, cooperative.members[0])
        self.assertEqual(booking.start.isoformat(), '2034-03-01T07:00:00')
        self.assertFalse(booking.employee)

        # The other one sees that it is taken, and by nobody
        other = self.browser(cooperative, user=1)
        page = other.text(f'/use/{resource.id}?day={DAY}')
        self.assertIn("08:00 – 10:00", page)
        self.assertNotIn("Wood", page)
        page = self._book(other, resource, '09:00', '11:00')
        self.assertEqual(page.status_code, 200)
        self.assertIn('role="alert"', page.get_data(as_text=True))
        self.assertNotIn("Alpha Person 1", page.get_data(as_text=True))

        page = browser.text(f'/bookings/{booking.id}')
        self.assertIn("Cancelling now costs", page)
        browser.post(f'/bookings/{booking.id}')
        self.assertEqual(Booking(booking.id).state, 'cancelled')
        self.assertNotIn(
            "08:00 – 10:00", other.text(f'/use/{resource.id}?day={DAY}'))

    @with_transaction()
    def test_applicant(self):
        "Test who is no member yet does not book"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        User = pool.get('web.user')
        cooperative = self.open()
        with set_company(cooperative.company):
            applicant, = create_members(
                cooperative.company, cooperative._category, 1)
        applicant.party.name = "Applicant"
        applicant.party.save()
        User.write([cooperative.users[0]], {'party': applicant.party.id})
        browser = self.browser(cooperative)
        page = self._book(browser, cooperative.resource, '08:00', '10:00')
        self.assertIn(
            "can book only as a member", page.get_data(as_text=True))
        self.assertFalse(Booking.search([('state', '=', 'confirmed')]))

    @with_transaction()
    def test_length(self):
        "Test what nobody books is refused before it is priced"
        cooperative = self.open()
        browser = self.browser(cooperative)
        path = f'/use/{cooperative.resource.id}'
        for end in ['9999-01-01T01:00', '2034-03-01T07:00']:
            page = browser.post(
                path, start='2034-03-01T08:00', end=end, quantity=1,
                price='')
            self.assertIn(
                "within a year", page.get_data(as_text=True))
        page = browser.post(
            path, start='2020-03-01T08:00', end='2020-03-01T09:00',
            quantity=1, price='')
        self.assertIn("This time is over", page.get_data(as_text=True))
        for other in [
                f'{path}?day=9999-12-31',
                '/papers/invoice/99999999999999999999999']:
            self.assertEqual(browser.get(other).status_code, 404)

    @with_transaction()
    def test_cancellation_fee(self):
        "Test the fee that the tariff asks for is shown before"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        cooperative = self.open()
        with set_company(cooperative.company):
            resource = cooperative._create_resource()
            tariff = cooperative._make_document(
                'tariff', resource=resource, components=[Component(
                        name="Cancellation", kind='event',
                        event='cancellation', unit_price=Decimal(7))])
            tariff.approve([tariff])
            resource.lock()
        browser = self.browser(cooperative)
        self._book(browser, resource, '08:00', '10:00')
        booking, = pool.get('coop.commons.booking').search([])

        self.assertIn("7.00", browser.text(f'/bookings/{booking.id}'))

    @with_transaction()
    def test_billed(self):
        "Test what is booked here, used and billed ends in the books"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Booking = pool.get('coop.commons.booking')
        Date = pool.get('ir.date')
        Usage = pool.get('coop.commons.usage')
        cooperative = self.open()
        browser = self.browser(cooperative)
        self._book(browser, cooperative.resource, '08:00', '10:00')
        booking, = Booking.search([])
        member = cooperative.members[0]
        with set_company(cooperative.company):
            today = Date.today()
            booking.used_from = booking.start
            booking.used_until = booking.end
            booking.save()
            Booking.finish([booking])
            usages = Usage.search([('booking', '=', booking.id)])
            Usage.confirm([u for u in usages if u.state == 'draft'])
            billing = Billing(
                company=cooperative.company, end=booking.end.date(),
                invoice_date=today, for_resources=[cooperative.resource],
                for_parties=[member.party])
            billing.save()
            Billing.compute([billing])
            Billing.post([billing])
            self.assertEqual(check_books(cooperative.company, today), [])
        page = browser.text('/')
        self.assertIn("20.00", page)
        self.assertIn('/papers/invoice/', browser.text('/papers'))


del PortalTestCase
