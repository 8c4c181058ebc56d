# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re
from decimal import Decimal
from io import BytesIO
from itertools import count
from unittest.mock import patch
from zipfile import ZipFile

from trytond.modules.company.tests import set_company
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.modules.coop_shares.tests.case import get_account
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class LetterTestCase(PortalTestCase):
    "Test what the portal does is written to who uses it"

    def open(self, *args):
        cooperative = super().open(*args)
        self.sent = []
        patcher = patch(
            'trytond.modules.notification_email.notification.'
            'send_message_transactional',
            lambda message, datamanager=None: self.sent.append(message))
        patcher.start()
        self.addCleanup(patcher.stop)
        self._switch(cooperative, True)
        Mechanism = Pool().get('party.contact_mechanism')
        Mechanism.create([{
                    'party': member.party.id,
                    'type': 'email',
                    'value': f'post-{i}@alpha.example',
                    } for i, member in enumerate(cooperative.members, 1)])
        self.read()
        return cooperative

    def _switch(self, cooperative, on):
        Configuration = Pool().get('coop.membership.configuration')
        with set_company(cooperative.company):
            configuration = Configuration(1)
            configuration.letters_by_email = on
            configuration.save()

    def read(self):
        "Return what was sent, as the receiver and the text of each"
        Queue = Pool().get('ir.queue')
        tasks = Transaction().tasks
        while tasks:
            Queue(tasks.pop()).run()
        # They are told of once in each transaction
        Transaction().trigger_records.clear()
        letters, messages = [], list(self.sent)
        self.sent.clear()
        for message in messages:
            text = re.sub(
                r'<[^>]+>', ' ',
                message.get_body(('html',)).get_content())
            letters.append((message['To'], ' '.join(text.split())))
        self.messages = messages
        return letters

    def _read_one(self, to, *texts):
        letter, = self.read()
        self.assertIn(to, letter[0])
        for text in texts:
            self.assertIn(text, letter[1])
        return letter[1]

    @with_transaction()
    def test_requests(self):
        "Test an application and its answer are confirmed, each if wanted"
        pool = Pool()
        Request = pool.get('coop.portal.request')
        User = pool.get('web.user')
        cooperative = self.open()
        with set_company(cooperative.company):
            user, = User.create([{'email': 'new@people.example'}])

            def apply():
                request, = Request.create([{
                            'kind': 'application',
                            'user': user.id,
                            'name': "Ada Applicant",
                            'birth_date': dt.date(1980, 2, 29),
                            'street': "Street",
                            'city': "City",
                            'email': user.email,
                            'category': cooperative._category.id,
                            }])
                return request

            request = apply()
            self._read_one(
                'new@people.example', "Ada Applicant", "has arrived",
                cooperative._category.name, "Alpha")
            request.answer = "There is no place before spring."
            request.save()
            Request.refuse([request])
            self._read_one(
                'new@people.example', "Refused",
                "There is no place before spring.")

            cooperative.portal.letters = ['answer']
            cooperative.portal.save()
            request = apply()
            self.assertEqual(self.read(), [])
            self._switch(cooperative, False)
            request.answer = "No."
            request.save()
            Request.refuse([request])
            self.assertEqual(self.read(), [])

    @with_transaction()
    def test_answer(self):
        "Test a member reads the answer to a request"
        Request = Pool().get('coop.portal.request')
        cooperative = self.open()
        member = cooperative.members[0]
        with set_company(cooperative.company):
            request, = Request.create([{
                        'member': member.id,
                        'user': cooperative.users[0].id,
                        'kind': 'other',
                        'text': "Please call.",
                        'answer': "Done.",
                        }])
            Request.accept([request])
            self._read_one('1@alpha.example', "Done.")

    @with_transaction()
    def test_bookings(self):
        "Test what happens to a booking is written, but not twice"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        cooperative = self.open()
        with set_company(cooperative.company):
            start = dt.datetime(2034, 3, 1, 8)
            booking = cooperative._make_document(
                'booking', resource=cooperative.resource, start=start,
                end=start + dt.timedelta(hours=2))
            Booking.confirm([booking])
            text = self._read_one(
                'post-1@alpha.example', booking.number, "2034-03-01 08:00",
                "20.00")
            self.assertIn("booked", text)

            with patch.object(
                    Booking, '_now',
                    return_value=start - dt.timedelta(hours=20)):
                Booking.remind()
                self._read_one('post-1@alpha.example', "tomorrow")
                Booking.remind()
                self.assertEqual(self.read(), [])
                for hours in [1, 2]:
                    Booking.rebook(
                        Booking(booking.id),
                        start + dt.timedelta(hours=hours),
                        start + dt.timedelta(hours=hours + 2),
                        booking.resource, 1)
                    self._read_one(
                        'post-1@alpha.example', "changed",
                        f"{8 + hours:02}:00")
                Booking.cancel([Booking(booking.id)])
            self._read_one('post-1@alpha.example', "cancelled")

    @with_transaction()
    def test_meeting(self):
        "Test each member gets the own convocation, attached"
        Meeting = Pool().get('coop.meeting')
        cooperative = self.open()
        with set_company(cooperative.company):
            meeting, = Meeting.create([{
                        'date': dt.date(2034, 5, 1),
                        'place': "Town Hall",
                        'items': [('create', [{'subject': "Statutes"}])],
                        }])
            Meeting.convene([meeting])
        letters = self.read()
        self.assertEqual(len(letters), 2)
        self.assertIn("Town Hall", letters[0][1])
        for message in self.messages:
            first = 'post-1@' in message['To']
            names = ["Alpha Person 1", "Alpha Person 2"]
            attachment, = message.iter_attachments()
            with ZipFile(BytesIO(attachment.get_content())) as letter:
                letter = letter.read('content.xml').decode()
            self.assertIn(names[0 if first else 1], letter)
            self.assertNotIn(names[1 if first else 0], letter)
            self.assertIn("Statutes", letter)

    @with_transaction()
    def test_notice(self):
        "Test a notice is confirmed with the day on which it takes effect"
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        cooperative = self.open()
        member = cooperative.members[0]
        with set_company(cooperative.company):
            member.notice_date = Date.today()
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            lang = pool.get('ir.lang').get()
            self._read_one(
                'post-1@alpha.example',
                lang.strftime(Member(member.id).exit_date))

    @with_transaction()
    def test_invoice(self):
        "Test an invoice is sent to the member, and nobody else"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Journal = pool.get('account.journal')
        Party = pool.get('party.party')
        cooperative = self.open()
        with set_company(cooperative.company):
            journal, = Journal.search([('type', '=', 'revenue')], limit=1)
            other, = Party.create([{
                        'name': "Customer",
                        'addresses': [('create', [{}])],
                        'contact_mechanisms': [('create', [{
                                        'type': 'email',
                                        'value': 'c@people.example',
                                        }])],
                        }])
            for party in [cooperative.members[0].party, other]:
                invoice = Invoice(
                    company=cooperative.company, type='out', party=party,
                    invoice_address=party.addresses[0],
                    currency=cooperative.company.currency, journal=journal,
                    account=party.account_receivable_used,
                    lines=[InvoiceLine(
                            account=get_account(
                                cooperative.company, type='revenue'),
                            quantity=1, unit_price=Decimal(5))])
                invoice.save()
                Invoice.post([invoice])
        self._read_one('post-1@alpha.example', "5.00")

    @with_transaction()
    def test_patronage(self):
        "Test each member gets the own notice of the allocation, attached"
        Surplus = Pool().get('coop.surplus')
        cooperative = self.open()
        names = ["Alpha Person 1", "Alpha Person 2"]
        with set_company(cooperative.company):
            documents = self._prepare_patronage(cooperative)
            for kinds in [cooperative.portal.letters, ['answer']]:
                cooperative.portal.letters = kinds
                cooperative.portal.save()
                surplus = self._appropriate(documents)
                self.assertEqual(self.read(), [])
                Surplus.post([surplus])
                letters = self.read()
                if kinds == ['answer']:
                    self.assertEqual(letters, [])
                    continue
                self.assertEqual(len(letters), 2)
                for (to, text), message in zip(letters, self.messages):
                    first = 'post-1@' in to
                    # 100 less 20 % to the reserve, half to each of the two,
                    # of which half are shares
                    self.assertIn("40.00", text)
                    self.assertIn("20.00", text)
                    attachment, = message.iter_attachments()
                    with ZipFile(BytesIO(attachment.get_content())) as notice:
                        notice = notice.read('content.xml').decode()
                    self.assertIn(names[0 if first else 1], notice)
                    self.assertNotIn(names[1 if first else 0], notice)

    def _prepare_patronage(self, cooperative):
        pool = Pool()
        Account = pool.get('account.account')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        ShareClass = pool.get('coop.share.class')
        configuration = Configuration(1)
        configuration.resolution_required = False
        configuration.save()
        accounts = {
            a.code: a for a in Account.search([
                    ('company', '=', cooperative.company.id)])}
        documents = PatronageDocuments()
        documents.company = cooperative.company
        documents._fiscalyears = {}
        documents._years = count(2030)
        documents._members = cooperative.members
        documents._member_category = cooperative.members[0].category
        documents._equity = ShareClass(
            name="Equity", code='E', kind='allocated',
            par_value=Decimal(1), quantity_digits=2,
            account_capital=accounts['3.1.6'],
            account_subscribed=accounts['1.2.4'],
            account_redemption=accounts['2.1.5'])
        documents._equity.save()
        documents._purchases = Category(name="Purchases")
        documents._purchases.save()
        return documents

    def _appropriate(self, documents):
        "Return an approved appropriation of a surplus of 100"
        surplus = documents._make_surplus()
        for button in ['compute', 'approve']:
            getattr(surplus.__class__, button)([surplus])
        return surplus.__class__(surplus.id)


del PortalTestCase
