# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re
from unittest.mock import patch
from urllib.parse import urlsplit

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.exceptions import SimilarMemberWarning
from trytond.modules.coop_portal.tests.door import PASSWORD, PortalTestCase
from trytond.modules.coop_shares.tests.case import create_payment_method
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

EMAIL = 'new@people.example'
IBAN = 'DE89 3704 0044 0532 0130 00'
LINK = re.compile(r'https://\S+?/password\?[^\s"<]+')


class JoinTestCase(PortalTestCase):
    "Test people become members by themselves"

    def open(self, *args):
        cooperative = super().open(*args)
        cooperative.portal.join = True
        cooperative.portal.save()
        with set_company(cooperative.company):
            Document = Pool().get('coop.membership.document')
            cooperative.statutes, _ = Document.create([{
                        'name': "Statutes",
                        'version': version,
                        'valid_from': day,
                        } for version, day in [
                            ("2", dt.date(2024, 6, 1)),
                            ("1", dt.date(2024, 1, 1))]])
        letters = patch(
            'trytond.modules.web_user.user.send_message_transactional')
        self.letters = letters.start()
        self.addCleanup(letters.stop)
        return cooperative

    def _invite(self, browser, email=EMAIL):
        "Return the letter that the page sends"
        self.letters.reset_mock()
        response = browser.post('/join', email=email)
        self.assertEqual(
            response.location, '/sign-in', response.get_data(as_text=True))
        return self.letters.call_args[0][0]

    def _enter(self, cooperative, email=EMAIL):
        "Return the browser of a new user who has confirmed the address"
        browser = self.browser(cooperative, user=None)
        message = self._invite(browser, email)
        self.assertEqual(message['To'], email)
        text = message.get_body(('html',)).get_content()
        url = urlsplit(LINK.search(text)[0].replace('&amp;', '&'))
        self.assertEqual(url.netloc, cooperative.host)
        response = browser.post(
            f'{url.path}?{url.query}', password=PASSWORD)
        self.assertEqual(response.location, '/sign-in')
        browser.sign_in(email)
        return browser

    def _apply(self, cooperative, browser, **data):
        data = {
            'name': "Ada Applicant",
            'birth_date': '1980-02-29',
            'street': "Street 5",
            'postal_code': "1010",
            'city': "City",
            'share_class': '0',
            f'paper_{cooperative.statutes.id}': 'y',
            **data}
        return browser.post(
            f'/join/category/{cooperative._category.id}', **data)

    def _accept(self, cooperative):
        Request = Pool().get('coop.portal.request')
        request, = Request.search([('kind', '=', 'application')], limit=1)
        with set_company(cooperative.company):
            Request.accept([request])
        return Request(request.id)

    @with_transaction()
    def test_join(self):
        "Test who applies here is admitted, pays and is in the books"
        pool = Pool()
        Attachment = pool.get('ir.attachment')
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        Request = pool.get('coop.portal.request')
        Subscription = pool.get('coop.share.subscription')
        User = pool.get('web.user')
        cooperative = self.open()
        Attachment.create([{
                    'name': "statutes.pdf",
                    'resource': str(cooperative.statutes),
                    'data': b'%PDF-',
                    }])

        browser = self._enter(cooperative)

        user, = User.search([('email', '=', EMAIL)])
        self.assertTrue(user.email_valid)
        self.assertIsNone(user.party)
        self.assertEqual(browser.get('/').location, '/join/categories')
        path = f'/join/category/{cooperative._category.id}'
        self.assertIn(path, browser.text('/join/categories'))
        page = browser.text(path)
        self.assertIn("Statutes 2", page)
        self.assertNotIn("Statutes 1", page)
        self.assertEqual(
            browser.get(f'/join/paper/{cooperative.statutes.id}').data,
            b'%PDF-')

        # Nobody applies without agreeing
        page = self._apply(
            cooperative, browser, **{f'paper_{cooperative.statutes.id}': ''})
        self.assertEqual(page.status_code, 200)
        self.assertFalse(Request.search([]))
        response = self._apply(
            cooperative, browser, birth_date='1990-05-01',
            account_number=IBAN, quantity='3',
            share_class=str(cooperative._class.id))
        self.assertEqual(response.location, '/join/categories')
        request, = Request.search([])
        self.assertEqual(request.email, EMAIL)
        self.assertIsNone(request.member)
        page = browser.text('/join/categories')
        self.assertIn("Ada Applicant", page)
        self.assertIn("Requested", page)

        member = self._accept(cooperative).member

        today = Date.today()
        self.assertEqual(member.state, 'applicant')
        self.assertEqual(member.party.name, "Ada Applicant")
        self.assertEqual(member.party.email, EMAIL)
        self.assertEqual(member.party.birth_date, dt.date(1990, 5, 1))
        consent, = member.consents
        self.assertEqual(consent.document, cooperative.statutes)
        self.assertEqual(consent.method, 'electronic')
        self.assertEqual(
            member.party.bank_accounts_used[0].numbers[0].number, IBAN)
        subscription, = Subscription.search([('member', '=', member.id)])
        self.assertEqual(subscription.state, 'draft')
        page = browser.text('/')
        self.assertIn("Ada Applicant", page)
        self.assertIn("Applicant</dd>", page)

        with set_company(cooperative.company):
            Member.admit([member])
            Subscription.confirm([subscription])
            self.assertIn(
                subscription.formatted_reference, browser.text('/shares'))
            # 3 shares of a par value of 10
            self.assertIn("30.00", browser.text('/'))
            Payment.pay(
                {subscription: subscription.amount_to_pay},
                cooperative.company,
                create_payment_method(cooperative.company), today)
            self.assertEqual(check_books(cooperative.company, today), [])
        self.assertEqual(Subscription(subscription.id).state, 'paid')
        member = Member(member.id)
        self.assertEqual(member.state, 'member')
        self.assertEqual(member.share_quantity, 3)
        self.assertEqual(member.receivable, 0)
        self.assertIn("Member</dd>", browser.text('/'))

    @with_transaction()
    def test_represented(self):
        "Test somebody acts for a legal entity, and for who is not of age"
        pool = Pool()
        Date = pool.get('ir.date')
        Request = pool.get('coop.portal.request')
        cooperative = self.open()
        browser = self._enter(cooperative)
        today = Date.today()
        child = (today - dt.timedelta(days=3650)).isoformat()
        for data, reason in [
                ({'birth_date': ''}, "write the birth date"),
                ({'birth_date': child}, "needs a guardian"),
                ({'legal_entity': 'y'}, "needs somebody who acts")]:
            page = self._apply(cooperative, browser, **data)
            self.assertIn(reason, page.get_data(as_text=True))
        # What was refused leaves with its transaction
        Request.delete(Request.search([]))

        self._apply(
            cooperative, browser, legal_entity='y', name="Society",
            representative="Rita Representative")

        member = self._accept(cooperative).member
        self.assertTrue(member.party.legal_entity)
        representative, = member.representatives
        self.assertEqual(representative.role, 'legal_representative')
        self.assertEqual(representative.party.name, "Rita Representative")
        self.assertIn("Society", browser.text('/'))

        # The same person for a child
        self._apply(
            cooperative, browser, birth_date=child, name="Chris Child",
            representative="Rita Representative")
        child = self._accept(cooperative).member
        guardian, = child.representatives
        self.assertEqual(guardian.role, 'guardian')
        self.assertEqual(guardian.party, representative.party)
        page = browser.text('/')
        self.assertIn("Society", page)
        self.assertIn("Chris Child", page)

        # A member does not apply once more
        browser = self.browser(cooperative)
        page = self._apply(cooperative, browser)
        self.assertIn(
            "known as a member", page.get_data(as_text=True))

    @with_transaction()
    def test_similar(self):
        "Test the clerk is warned of duplicates, the visitor is not told"
        pool = Pool()
        Mechanism = pool.get('party.contact_mechanism')
        Request = pool.get('coop.portal.request')
        cooperative = self.open()
        member = cooperative.members[1]
        Mechanism.create([{
                    'party': member.party.id,
                    'type': 'email',
                    'value': EMAIL,
                    }])
        browser = self._enter(cooperative)
        response = self._apply(
            cooperative, browser, name=member.party.name)
        self.assertEqual(response.location, '/join/categories')
        self.assertNotIn(
            member.rec_name, browser.text('/join/categories'))
        with self.assertRaisesRegex(
                SimilarMemberWarning, re.escape(member.rec_name)):
            self._accept(cooperative)

        browser.post(
            f'/requests/{Request.search([])[0].id}/withdraw',
            form='/join/categories')

        self.assertEqual(Request.search([])[0].state, 'withdrawn')

    @with_transaction()
    def test_unknown(self):
        "Test the answer is the same for each address, and not a fast one"
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        with patch('trytond.modules.coop_portal.page.time.sleep') as sleep:
            for email in [cooperative.users[0].email, EMAIL, EMAIL]:
                for path in ['/join', '/forgotten']:
                    response = browser.post(path, email=email)
                    self.assertEqual(response.location, '/sign-in')
        self.assertEqual(sleep.call_count, 6)

    @with_transaction()
    def test_robots(self):
        "Test robots are slowed down, and write no header"
        User = Pool().get('web.user')
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        for email in [
                'a@people.example\r\nBcc: b@people.example',
                'a@people.example\nSubject: x', 'nobody', '"x y"@',
                'a@people.example, b@people.example']:
            response = browser.post('/join', email=email)
            self.assertEqual(response.status_code, 200, email)
        self.letters.assert_not_called()
        self.assertFalse(User.search([('email', 'like', '%people%')]))

        codes = [
            browser.post('/join', email=EMAIL).status_code
            for _ in range(6)]
        self.assertEqual(codes, [302] * 5 + [429])
        codes = [
            browser.post('/join', email=f'{i}@people.example').status_code
            for i in range(30)]
        self.assertEqual(codes[-1], 429)
        # To one address only once as long as the link is good
        self.assertEqual(
            len({c[0][0]['To'] for c in self.letters.call_args_list}),
            self.letters.call_count)

    @with_transaction()
    def test_flood(self):
        "Test one user sends only so many requests"
        Request = Pool().get('coop.portal.request')
        cooperative = self.open()
        browser = self._enter(cooperative)
        for _ in range(20):
            self._apply(cooperative, browser)
        self.assertEqual(Request.search([], count=True), 20)
        page = self._apply(cooperative, browser)
        self.assertIn("still waiting", page.get_data(as_text=True))

    @with_transaction()
    def test_closed(self):
        "Test nobody applies where the portal does not say so"
        pool = Pool()
        Category = pool.get('coop.member.category')
        cooperative = self.open()
        browser = self._enter(cooperative)
        with set_company(cooperative.company):
            other, = Category.create([{'name': "Others"}])
        cooperative.portal.categories = [other]
        cooperative.portal.save()
        path = f'/join/category/{cooperative._category.id}'
        self.assertEqual(browser.get(path).status_code, 404)
        self.assertEqual(
            browser.get(f'/join/category/{other.id}').status_code, 200)
        cooperative.portal.join = False
        cooperative.portal.save()
        self.assertEqual(
            browser.get(f'/join/category/{other.id}').status_code, 404)
        browser = self.browser(cooperative, user=None)
        self.assertEqual(browser.get('/join').status_code, 404)
        self.assertNotIn('/join', browser.text('/sign-in'))

    @with_transaction()
    def test_purge(self):
        "Test an address that nobody confirms is forgotten"
        User = Pool().get('web.user')
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        self._invite(browser)
        User.purge_unconfirmed()
        self.assertTrue(User.search([('email', '=', EMAIL)]))

        with patch(
                'trytond.modules.coop_portal.user.UNCONFIRMED',
                -dt.timedelta(days=1)):
            User.purge_unconfirmed()

        self.assertFalse(User.search([('email', '=', EMAIL)]))
        self.assertEqual(
            len(User.search([])), 4, "those of members are kept")


del PortalTestCase
