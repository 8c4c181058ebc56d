# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from io import BytesIO
from unittest.mock import patch
from urllib.parse import urlsplit

from flask import flash, get_flashed_messages

from trytond import backend
from trytond.modules.company.tests import set_company
from trytond.modules.coop_portal import page
from trytond.modules.coop_portal.tests.door import PASSWORD, PortalTestCase
from trytond.modules.coop_portal.wsgi import create_app
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, with_transaction


class DoorTestCase(PortalTestCase):
    "Test who comes in"

    @with_transaction()
    def test_sign_in(self):
        "Test a member signs in and out"
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        for path in ['/', '/shares', '/use', '/requests', '/data.json']:
            response = browser.get(path)
            self.assertEqual(response.status_code, 302)
            self.assertEqual(response.location, '/sign-in')

        response = browser.sign_in(cooperative.users[0].email)

        self.assertEqual(response.location, '/')
        cookie = response.headers['Set-Cookie']
        for attribute in ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/']:
            self.assertIn(attribute, cookie)
        page = browser.get('/')
        self.assertEqual(page.status_code, 200)
        self.assertIn("Alpha Person 1", page.get_data(as_text=True))
        self.assertEqual(page.headers['Cache-Control'], 'no-store')
        policy = page.headers['Content-Security-Policy']
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn('unsafe', policy)

        browser.post('/sign-out', form='/')

        self.assertEqual(browser.get('/').status_code, 302)
        self.assertFalse(Pool().get('web.user.session').search([]))

    @with_transaction()
    def test_unknown(self):
        "Test nobody learns which addresses are known"
        cooperative = self.open()
        user, unconfirmed = cooperative.users
        unconfirmed.email_valid = False
        unconfirmed.save()
        browser = self.browser(cooperative, user=None)

        pages = {
            browser.sign_in(email, password).get_data(as_text=True).replace(
                email, '')
            for email, password in [
                (user.email, "wrong"),
                (unconfirmed.email, PASSWORD),
                ('nobody@alpha.example', PASSWORD),
                ]}
        self.assertEqual({_without_token(p) for p in pages}, {
                _without_token(pages.pop())})

        with patch.object(
                Pool().get('web.user'), 'reset_password') as reset_password:
            answers = {
                browser.post('/forgotten', email=email).location
                for email in [user.email, 'nobody@alpha.example']}
        self.assertEqual(answers, {'/sign-in'})
        reset_password.assert_called_once_with([user])

    @with_transaction()
    def test_limit(self):
        "Test passwords can not be tried out"
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        email = cooperative.users[0].email

        codes = [
            browser.sign_in(email, f"wrong {i}").status_code
            for i in range(7)]

        self.assertEqual(codes, [200] * 6 + [429])
        self.assertEqual(browser.sign_in(email).status_code, 429)
        self.assertEqual(browser.get('/').status_code, 302)

    @with_transaction()
    def test_session(self):
        "Test a session begins at the sign-in and ends with the password"
        cooperative = self.open()
        user = cooperative.users[0]
        browser = self.browser(cooperative, user=None)
        browser.get('/sign-in')
        before = browser.client.get_cookie(
            '__Host-portal', domain=cooperative.host)
        browser.sign_in(user.email)
        after = browser.client.get_cookie(
            '__Host-portal', domain=cooperative.host)
        self.assertNotEqual(before.value, after.value)
        other = self.browser(cooperative)
        self.assertEqual(other.get('/').status_code, 200)

        user.password = "another horse battery"
        user.save()

        for one in [browser, other]:
            self.assertEqual(one.get('/').status_code, 302)

    @with_transaction()
    def test_password(self):
        "Test a link of an e-mail lets choose a password, once"
        cooperative = self.open()
        user = cooperative.users[1]
        user.email_valid = False
        user.password = None
        user.save()
        with set_company(cooperative.company):
            user.set_reset_password_token()
            user.save()
            url = urlsplit(user.get_email_reset_password_url())
        self.assertEqual(url.netloc, 'alpha.example')
        link = f'{url.path}?{url.query}'
        browser = self.browser(cooperative, user=None)
        wrong = browser.post(
            f'/password?email={user.email}&token=', password="mine" * 4)
        self.assertIn("not valid any more", wrong.get_data(as_text=True))

        self.assertEqual(
            browser.post(link, password="mine" * 4).location, '/sign-in')

        self.assertEqual(
            browser.sign_in(user.email, "mine" * 4).location, '/')
        again = browser.post(link, password="other" * 4)
        self.assertIn("not valid any more", again.get_data(as_text=True))

    @with_transaction()
    def test_forged(self):
        "Test a form needs its token"
        cooperative = self.open()
        browser = self.browser(cooperative)
        for path, data in [
                ('/requests/new/other', {'text': "Forged"}),
                ('/sign-out', {}),
                ]:
            for token in ['', 'forged']:
                response = browser.send(path, csrf_token=token, **data)
                self.assertEqual(response.status_code, 400)
        # Nor does another site send one
        response = browser.client.post(
            '/sign-out', base_url=browser.base,
            headers={'Referer': 'https://evil.example/'})
        self.assertEqual(response.status_code, 400)
        self.assertFalse(Pool().get('coop.portal.request').search([]))
        self.assertEqual(browser.get('/').status_code, 200)

    @with_transaction()
    def test_upload(self):
        "Test the portal keeps no files but those it asks for, nor long texts"
        pool = Pool()
        Request = pool.get('coop.portal.request')
        cooperative = self.open()
        browser = self.browser(cooperative)
        path = '/requests/new/other'
        attachments = pool.get('ir.attachment').search([], count=True)
        for name in ['page.html', 'program.exe', '../../etc/passwd']:
            response = browser.post(
                path, text="With a file", attachment=(
                    BytesIO(b'<script>alert(1)</script>'), name))
            self.assertEqual(response.status_code, 302)
        self.assertEqual(
            pool.get('ir.attachment').search([], count=True), attachments)
        Request.delete(Request.search([]))
        response = browser.post(path, text="x" * 100_000)
        self.assertEqual(response.status_code, 200)
        self.assertFalse(Request.search([]))

    def test_turns(self):
        "Test who comes while others are at it waits a little"
        attempts = []

        def book():
            attempts.append(len(attempts))
            flash("Booked")
            if len(attempts) < 4:
                raise backend.DatabaseOperationalError
            return "done"

        def stuck():
            attempts.append(len(attempts))
            raise backend.DatabaseOperationalError

        app = create_app(DB_NAME, 'a secret of the tests')
        with app.test_request_context(), \
                patch.object(page.time, 'sleep') as sleep:
            self.assertEqual(page._take_turns(book), "done")
            self.assertEqual(len(attempts), 4)
            self.assertEqual(sleep.call_count, 3)
            self.assertEqual(get_flashed_messages(), ["Booked"])

            with patch.object(page, 'PATIENCE', -1), \
                    self.assertRaises(backend.DatabaseOperationalError):
                page._take_turns(stuck)
            self.assertEqual(len(attempts), 5)

    @with_transaction()
    def test_null(self):
        "Test what no database stores is refused"
        cooperative = self.open()
        browser = self.browser(cooperative, user=None)
        response = browser.sign_in(cooperative.users[0].email, "a\0b")
        self.assertEqual(response.status_code, 400)

    @with_transaction()
    def test_host(self):
        "Test only the hosts of portals are answered"
        cooperative = self.open()
        browser = self.browser(cooperative)
        browser.base = 'https://evil.example'
        for path in ['/', '/sign-in', '/shares']:
            response = browser.get(path)
            self.assertEqual(response.status_code, 404)
            self.assertNotIn('alpha', response.get_data(as_text=True).lower())

    @with_transaction()
    def test_language(self):
        "Test pages are in the language of who reads them"
        Lang = Pool().get('ir.lang')
        cooperative = self.open()
        german, = Lang.search([('code', '=', 'de')])
        german.translatable = True
        german.save()
        browser = self.browser(cooperative, user=None)

        page = browser.get('/sign-in', headers={'Accept-Language': 'de-AT'})
        self.assertIn('<html lang="de">', page.get_data(as_text=True))
        page = browser.get('/sign-in', headers={'Accept-Language': 'xx'})
        self.assertIn('<html lang="en">', page.get_data(as_text=True))


def _without_token(page):
    return '\n'.join(
        line for line in page.splitlines() if 'csrf_token' not in line)


del PortalTestCase
