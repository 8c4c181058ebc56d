# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from io import BytesIO

from trytond.modules.coop_portal import upload
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.modules.coop_portal.wsgi import MAX_LENGTH
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

PDF, PNG = b'%PDF-1.7 a contract', b'\x89PNG\r\n\x1a\n a photo'
OTHER = '/requests/new/other'


class UploadTestCase(PortalTestCase):
    "Test files come with a request"

    def _send(self, browser, *files, path=OTHER, **data):
        return browser.post(
            path, **{'text': "As agreed.", **data}, files=[
                (BytesIO(content), name) for name, content in files])

    def _find(self):
        Attachment = Pool().get('ir.attachment')
        return [
            (a.resource, a.name, bytes(a.data))
            for a in Attachment.search([], order=[('id', 'ASC')])]

    @with_transaction()
    def test_files(self):
        "Test the files are attached, under names that say what they are"
        Request = Pool().get('coop.portal.request')
        alpha = self.open()
        browser = self.browser(alpha)

        response = self._send(
            browser, ("contract.pdf", PDF), ("C:\\me\\../scan.EXE", PNG),
            ("photo.JPG", b'\xff\xd8\xff\xe0'), ("none", PDF))

        self.assertEqual(response.location, '/requests')
        request, = Request.search([])
        self.assertEqual(self._find(), [
                (request, "contract.pdf", PDF),
                (request, "scan.EXE.png", PNG),
                (request, "photo.JPG", b'\xff\xd8\xff\xe0'),
                (request, "none.pdf", PDF),
                ])
        self.assertIn("scan.EXE.png", browser.text('/requests'))
        # The other member does not even read how they are called
        other = self.browser(alpha, user=1)
        self.assertNotIn("contract.pdf", other.text('/requests'))

    @with_transaction()
    def test_none(self):
        "Test a request needs no file, and one to change the account has none"
        alpha = self.open()
        browser = self.browser(alpha)
        self.assertEqual(self._send(browser).location, '/requests')
        self.assertEqual(
            self._send(browser, ("", b'')).location, '/requests')
        self.assertNotIn('type="file"', browser.text('/requests/new/email'))
        self.assertFalse(self._find())

    @with_transaction()
    def test_types(self):
        "Test only documents and photos are taken, whatever they are called"
        Request = Pool().get('coop.portal.request')
        browser = self.browser(self.open())
        for name, content in [
                ("page.pdf", b'<html><script>alert(1)</script>'),
                ("logo.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
                ("macro.docx", b'PK\x03\x04'),
                ("run.pdf", b'MZ\x90'),
                ("empty.pdf", b''),
                (" .pdf", b' %PDF-1.7'),
                ]:
            with self.subTest(name=name, content=content):
                response = self._send(
                    browser, ("contract.pdf", PDF), (name, content))
                self.assertEqual(response.status_code, 200)
                self.assertIn(
                    "neither a PDF nor a photo",
                    response.get_data(as_text=True))
        response = self._send(browser, *[("contract.pdf", PDF)] * 6)
        self.assertIn(
            "at most 5 files", response.get_data(as_text=True))
        self.assertFalse(Request.search([]))
        self.assertFalse(self._find())

    @with_transaction()
    def test_size(self):
        "Test only who has signed in sends more than a form, and not too much"
        alpha = self.open()
        browser = self.browser(alpha)
        large = PDF + bytes(MAX_LENGTH)
        self.assertEqual(
            self._send(browser, ("large.pdf", large)).location, '/requests')
        (_, _, content), = self._find()
        self.assertEqual(content, large)

        response = self._send(
            browser, ("huge.pdf", PDF + bytes(upload.MAX_LENGTH)))
        self.assertEqual(response.status_code, 413)
        self.assertIn(
            "send smaller files", response.get_data(as_text=True))
        for path, one in [
                ('/sign-out', browser),
                ('/sign-in', self.browser(alpha, user=None)),
                (OTHER, self.browser(alpha, user=None)),
                ]:
            response = one.client.post(path, base_url=one.base, data={
                    'files': [(BytesIO(large), "large.pdf")]})
            self.assertEqual(response.status_code, 413, path)
        self.assertEqual(len(self._find()), 1)

    @with_transaction()
    def test_application(self):
        "Test files come with an application, and are erased with its party"
        pool = Pool()
        Erase = pool.get('party.erase', type='wizard')
        Party = pool.get('party.party')
        Request = pool.get('coop.portal.request')
        alpha = self.open()
        alpha.portal.join = True
        alpha.portal.save()
        party, = Party.create([{'name': "Applicant"}])
        alpha.users[0].party = party
        alpha.users[0].save()
        browser = self.browser(alpha)

        response = self._send(
            browser, ("passport.png", PNG),
            path=f'/join/category/{alpha.members[0].category.id}',
            name="Applicant", birth_date='1990-01-01', street="Main Street",
            city="Town", share_class='0')

        self.assertEqual(response.location, '/join/categories')
        request, = Request.search([])
        (resource, name, content), = self._find()
        self.assertEqual((resource, content), (request, PNG))
        request.answer = "We are full."
        request.save()
        Request.refuse([request])
        party.active = False
        party.save()
        session_id, _, _ = Erase.create()
        wizard = Erase(session_id)
        wizard.ask.party = party
        wizard.transition_erase()
        self.assertFalse(self._find())
        values, = Request.read([request.id], [
                'name', 'birth_date', 'street', 'city', 'email', 'text',
                'answer'])
        values.pop('id')
        self.assertEqual(set(values.values()), {None})


del PortalTestCase
