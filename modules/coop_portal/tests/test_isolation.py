# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.modules.coop_portal.tests.tools import PortalDocuments
from trytond.modules.coop_shares.tests.case import get_account
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

# Of which model the id in the address is
RECORDS = {
    'account.choose': 'coop.member',
    'account.confirmation': 'coop.member',
    'account.invoice': 'account.invoice',
    'join.apply': 'coop.member.category',
    'join.paper': 'coop.membership.document',
    'meeting.convocation': 'coop.meeting.attendance',
    'meeting.meeting': 'coop.meeting.attendance',
    'meeting.paper': 'coop.meeting.attendance',
    'own.cancel_series': 'coop.commons.series',
    'own.finish': 'coop.commons.booking',
    'own.move': 'coop.commons.booking',
    'own.series': 'coop.commons.resource',
    'own.start': 'coop.commons.booking',
    'requests.withdraw': 'coop.portal.request',
    'shares.certificate': 'coop.share.certificate',
    'shares.code': 'coop.share.subscription',
    'shares.letter': 'coop.share.subscription',
    'shares.settlement': 'coop.share.redemption',
    'use.booking': 'coop.commons.booking',
    'use.resource': 'coop.commons.resource',
    }
# What is for all members of a company
SHARED = {
    'coop.commons.resource', 'coop.member.category',
    'coop.membership.document'}
# What is not about records
NO_RECORDS = {'look.logo', 'own.feed', 'requests.new', 'static'}


class IsolationTestCase(PortalTestCase):
    "Test nobody sees what is another's"

    def _fill(self, cooperative, member):
        "Make one of everything of the member"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Journal = pool.get('account.journal')
        Subscription = pool.get('coop.share.subscription')
        with set_company(cooperative.company):
            request, = pool.get('coop.portal.request').create([{
                        'member': member.id,
                        'kind': 'other',
                        'text': f"Secret of {member.party.name}",
                        }])
            subscription, = Subscription.create([{
                        'member': member.id,
                        'share_class': cooperative._class.id,
                        'quantity': Decimal(2),
                        'date': dt.date(2024, 2, 1),
                        }])
            Subscription.confirm([subscription])
            Certificate = pool.get('coop.share.certificate')
            certificate = Certificate(
                company=cooperative.company, date=subscription.date,
                subscription=subscription, member=member,
                share_class=subscription.share_class,
                quantity=subscription.quantity,
                par_value=subscription.share_class.par_value,
                amount=subscription.amount, held_since=subscription.date)
            Certificate.issue([certificate])
            redemption = PortalDocuments.make(
                cooperative, pool.get('coop.share.redemption'), 'requested')
            redemption.__class__.write([redemption], {'member': member.id})
            booking = cooperative._make_document(
                'booking', resource=cooperative.resource, member=member,
                purpose=f"Secret of {member.party.name}")
            booking.confirm([booking])
            series = cooperative._make_document('series', member=member)
            series.confirm([series])
            usage = cooperative._make_document('usage', member=member)
            journal, = Journal.search([('type', '=', 'revenue')], limit=1)
            invoice = Invoice(
                company=cooperative.company, type='out',
                party=member.party,
                invoice_address=member.party.addresses[0],
                currency=cooperative.company.currency, journal=journal,
                account=member.party.account_receivable_used,
                lines=[InvoiceLine(
                        description=f"Secret of {member.party.name}",
                        account=get_account(
                            cooperative.company, type='revenue'),
                        quantity=1, unit_price=Decimal(5))])
            invoice.save()
            Invoice.post([invoice])
            papers = self._fill_papers(member)
        return {
            **papers,
            'account.invoice': invoice,
            'coop.commons.booking': booking,
            'coop.commons.resource': cooperative.resource,
            'coop.commons.series': series,
            'coop.commons.usage': usage,
            'coop.member': member,
            'coop.portal.request': request,
            'coop.share.certificate': certificate,
            'coop.share.redemption': redemption,
            'coop.share.subscription': subscription,
            }

    def _fill_papers(self, member):
        "Make what the member is called to, and agrees to"
        pool = Pool()
        Attachment = pool.get('ir.attachment')
        Category = pool.get('coop.member.category')
        Document = pool.get('coop.membership.document')
        Meeting = pool.get('coop.meeting')
        category, = Category.create([{'name': "Others"}])
        document, = Document.create([{
                    'name': f"Statutes {member.id}",
                    'valid_from': dt.date(2024, 1, 1),
                    }])
        meeting, = Meeting.create([{
                    'company': member.company.id,
                    'date': dt.date(2034, 3, 1),
                    }])
        attachment, = Attachment.create([{
                    'name': "report.pdf",
                    'resource': str(meeting),
                    'data': b'%PDF-',
                    }])
        meeting.papers = [attachment]
        meeting.save()
        Meeting.convene([meeting])
        attendance, = [
            a for a in meeting.attendances if a.member == member]
        # Those of the own company are for everybody
        return {
            'coop.meeting.attendance': attendance,
            'coop.member.category': category,
            'coop.membership.document': document,
            'ir.attachment': attachment,
            }

    @with_transaction()
    def test_others(self):
        "Test each address with each id of others is not found"
        alpha = self.open()
        beta = self.open("Beta")
        mine = self._fill(alpha, alpha.members[0])
        others = [
            self._fill(alpha, alpha.members[1]),
            self._fill(beta, beta.members[0]),
            ]
        for one in [alpha, beta]:
            one.portal.join = True
            one.portal.save()
        # Nothing that has an address is left out
        self.assertEqual(set(RECORDS.values()) - others[1].keys(), set())
        for model in SHARED:
            others[0].pop(model, None)
        browser = self.browser(alpha)
        for path in [
                f'/papers/member/{mine["coop.member"].id}',
                f'/papers/invoice/{mine["account.invoice"].id}',
                f'/shares/{mine["coop.share.subscription"].id}/letter',
                f'/shares/certificate/{mine["coop.share.certificate"].id}',
                f'/bookings/{mine["coop.commons.booking"].id}',
                f'/use/{alpha.resource.id}',
                ]:
            self.assertEqual(browser.get(path).status_code, 200, path)
        attempts = 0
        secrets = ["Alpha Person 2", "Alpha Street 2", "Beta", '2@alpha']
        for rule in self._app.url_map.iter_rules():
            if rule.endpoint in NO_RECORDS:
                continue
            if not rule.arguments:
                if 'GET' in rule.methods:
                    page = browser.get(rule.rule)
                    self.assertIn(page.status_code, {200, 302})
                    text = _read(page)
                    for secret in secrets:
                        with self.subTest(path=rule.rule, secret=secret):
                            self.assertNotIn(secret, text)
                continue
            model = RECORDS[rule.endpoint]
            for other in others:
                if model not in other:
                    continue
                self.assertNotEqual(other[model].id, mine.get(model))
                path = rule.rule.replace('<int:id_>', str(other[model].id))
                path = path.replace(
                    '<int:paper>', str(other['ir.attachment'].id))
                for method in rule.methods & {'GET', 'POST'}:
                    with self.subTest(path=path, method=method):
                        if method == 'GET':
                            response = browser.get(path)
                        else:
                            response = browser.post(path, form='/requests')
                        self.assertEqual(response.status_code, 404)
                        text = response.get_data(as_text=True)
                        for secret in secrets:
                            self.assertNotIn(secret, text)
                    attempts += 1
        self.assertGreaterEqual(attempts, 15)
        page = browser.text(f'/use/{alpha.resource.id}?day=2034-01-08')
        for secret in secrets + ["Secret"]:
            self.assertNotIn(secret, page)
        # The session of one portal opens no other
        browser.base = 'https://beta.example'
        self.assertEqual(browser.get('/').status_code, 302)

    @with_transaction()
    def test_forms(self):
        "Test no form takes what is of another company, or of another member"
        Request = Pool().get('coop.portal.request')
        alpha = self.open()
        beta = self.open("Beta")
        browser = self.browser(alpha)
        page = browser.post(
            '/requests/new/shares', share_class=beta._class.id, quantity=1)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("Beta", page.get_data(as_text=True))
        self.assertEqual(Request.search([]), [])
        # What a form does not ask for is not read
        browser.post(
            '/requests/new/other', text="Mine", member=alpha.members[1].id,
            company=beta.company.id, state='accepted', user=alpha.users[1].id)
        request, = Request.search([])
        self.assertEqual(request.member, alpha.members[0])
        self.assertEqual(request.company, alpha.company)
        self.assertEqual(request.user, alpha.users[0])
        self.assertEqual(request.state, 'requested')

    @with_transaction()
    def test_rules(self):
        "Test the user of the portal reads only what is the visitor's"
        alpha = self.open()
        mine = self._fill(alpha, alpha.members[0])
        other = self._fill(alpha, alpha.members[1])
        member = alpha.members[0]
        with Transaction().set_user(alpha.portal.user.id), \
                Transaction().set_context(
                    company=alpha.company.id,
                    portal_user=alpha.users[0].id,
                    portal_members=[member.id],
                    portal_parties=[member.party.id]), \
                check_access():
            for model, record in mine.items():
                with self.subTest(model=model):
                    Model = record.__class__
                    Model.read([record.id], ['create_date'])
                    if model in SHARED or model == 'ir.attachment':
                        continue
                    with self.assertRaises(AccessError):
                        Model.read([other[model].id], ['create_date'])
                    with self.assertRaises(AccessError):
                        Model.write(
                            [Model(other[model].id)], {'company': None})
                    self.assertNotIn(other[model].id, map(
                            int, Model.search([])))
            for model, values in [
                    ('coop.portal.request', {'kind': 'other'}),
                    ('coop.commons.booking', {
                            'resource': alpha.resource.id,
                            'start': dt.datetime(2034, 5, 1, 8),
                            'end': dt.datetime(2034, 5, 1, 9),
                            }),
                    ]:
                Model = Pool().get(model)
                with self.subTest(model=model):
                    Model.create([{**values, 'member': member.id}])
                    with self.assertRaises(AccessError):
                        Model.create([{
                                    **values,
                                    'member': other['coop.member'].id}])
        # And nothing if nobody has signed in
        with Transaction().set_user(alpha.portal.user.id), \
                Transaction().set_context(company=alpha.company.id), \
                check_access():
            for model in ['coop.member', 'coop.portal.request', 'web.user']:
                self.assertEqual(Pool().get(model).search([]), [])


def _read(response):
    "Return the text of the page or of the paper"
    if response.data[:2] == b'PK':
        with ZipFile(BytesIO(response.data)) as paper:
            return paper.read('content.xml').decode()
    return response.get_data(as_text=True)


del PortalTestCase
