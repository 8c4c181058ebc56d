# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import json

from trytond.exceptions import UserError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_portal.exceptions import RequestError
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, with_transaction
from trytond.transaction import Transaction

# Examples of the registry of IBANs (SWIFT, ISO 13616)
IBAN = 'DE89 3704 0044 0532 0130 00'
OTHER_IBAN = 'AT61 1904 3002 3457 3201'


class AccountTestCase(PortalTestCase):
    "Test what members see of theirs and ask for"

    def _ask(self, browser, kind, **data):
        "Return the request that the form makes"
        Request = Pool().get('coop.portal.request')
        response = browser.post(f'/requests/new/{kind}', **data)
        self.assertEqual(
            response.status_code, 302, response.get_data(as_text=True))
        return Request.search([('kind', '=', kind)], limit=1)[0]

    def _accept(self, cooperative, request):
        Request = Pool().get('coop.portal.request')
        with set_company(cooperative.company):
            Request.accept([Request(request.id)])

    @with_transaction()
    def test_address(self):
        "Test a change of the address, the e-mail and the account"
        Party = Pool().get('party.party')
        cooperative = self.open()
        member = cooperative.members[0]
        browser = self.browser(cooperative)

        requests = [
            self._ask(browser, 'address', street="New Street 5", city="City"),
            self._ask(browser, 'email', email='new@alpha.example'),
            self._ask(browser, 'account', account_number=IBAN.lower()),
            ]

        self.assertEqual(
            {r.user for r in requests}, {cooperative.users[0]})
        self.assertEqual({r.member for r in requests}, {member})
        self.assertIn("Alpha Street 1", member.address)
        for request in requests:
            self._accept(cooperative, request)
        party = Party(member.party.id)
        self.assertEqual(
            [a.street for a in party.addresses], ["New Street 5"])
        self.assertEqual(party.email, 'new@alpha.example')
        account, = party.bank_accounts_used
        self.assertEqual(account.numbers[0].number, IBAN)
        self.assertEqual(
            browser.text('/requests').count("Accepted"), 3)

    @with_transaction()
    def test_account_again(self):
        "Test an account takes the place of the former, if it is nobody else's"
        Party = Pool().get('party.party')
        cooperative = self.open()
        member = cooperative.members[0]
        browser = self.browser(cooperative)
        for number in [IBAN, OTHER_IBAN, IBAN]:
            self._accept(cooperative, self._ask(
                    browser, 'account', account_number=number))
            account, = Party(member.party.id).bank_accounts_used
            self.assertEqual(account.numbers[0].number, number)
        other = self.browser(cooperative, user=1)
        request = self._ask(other, 'account', account_number=IBAN)
        with self.assertRaisesRegex(RequestError, member.party.name):
            self._accept(cooperative, request)

    @with_transaction()
    def test_account_wrong(self):
        "Test what is refused is said on the page, and not kept"
        cooperative = self.open()
        browser = self.browser(cooperative)
        page = browser.post(
            '/requests/new/account', account_number='DE00 3704')
        self.assertEqual(page.status_code, 200)
        self.assertIn("is not an IBAN", page.get_data(as_text=True))

    def test_transactions(self):
        "Test each page has a transaction of its own, which keeps all or none"
        Request = Pool(DB_NAME).get('coop.portal.request')
        cooperative = self._cooperatives["Alpha"]
        browser = self.browser(cooperative)
        page = browser.post(
            '/requests/new/account', account_number='DE00 3704')
        self.assertIn("is not an IBAN", page.get_data(as_text=True))
        sent = browser.post('/requests/new/other', text="Kept")
        self.assertEqual(sent.status_code, 302)
        with Transaction().start(DB_NAME, 1):
            requests = Request.search([])
            self.assertEqual([r.text for r in requests], ["Kept"])
            self.assertEqual(requests[0].user.email, '1@alpha.example')
            Request.delete(requests)
            Transaction().commit()

    @with_transaction()
    def test_refuse(self):
        "Test nobody is refused without an answer, and may withdraw before"
        Request = Pool().get('coop.portal.request')
        cooperative = self.open()
        browser = self.browser(cooperative)
        request = self._ask(browser, 'other', text="<b>Bold</b>")
        self.assertIn("&lt;b&gt;Bold", browser.text('/requests'))
        with set_company(cooperative.company):
            with self.assertRaises(UserError):
                Request.refuse([request])
            request.answer = "Not this year."
            request.save()
            Request.refuse([request])
        self.assertIn("Not this year.", browser.text('/requests'))
        other = self._ask(browser, 'other', text="Another")
        browser.post(f'/requests/{other.id}/withdraw', form='/requests')
        self.assertEqual(Request(other.id).state, 'withdrawn')

    @with_transaction()
    def test_notice(self):
        "Test a notice tells first when it takes effect, and then does"
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        cooperative = self.open()
        member = cooperative.members[0]
        member.category.notice_months = 0
        member.category.exit_at = 'any_day'
        member.category.save()
        browser = self.browser(cooperative)

        page = browser.text('/requests/new/notice')

        # 10,000 shares of a par value of 10
        self.assertIn("100,000.00", page)
        request = self._ask(browser, 'notice')
        self.assertEqual(request.exit_date, Date.today())
        self._accept(cooperative, request)
        member = Member(member.id)
        self.assertEqual(member.state, 'leaving')
        self.assertEqual(member.exit_date, Date.today())
        redemption, = Redemption.search([('member', '=', member.id)])
        self.assertEqual(redemption.quantity, 10_000)
        self.assertEqual(
            browser.get('/requests/new/notice').status_code, 404)

    @with_transaction()
    def test_shares(self):
        "Test shares asked for here are subscribed, asked to pay and booked"
        pool = Pool()
        Date = pool.get('ir.date')
        Party = pool.get('party.party')
        cooperative = self.open()
        Party.write([cooperative.company.party], {
                'bank_accounts': [('create', [{
                                'numbers': [('create', [{
                                                'type': 'iban',
                                                'number': IBAN,
                                                }])],
                                }])],
                })
        browser = self.browser(cooperative, user=1)
        request = self._ask(
            browser, 'shares', share_class=str(cooperative._class.id),
            quantity='3')

        self._accept(cooperative, request)

        subscription = request.__class__(request.id).subscription
        self.assertEqual(subscription.state, 'confirmed')
        self.assertEqual(subscription.quantity, 3)
        page = browser.text('/shares')
        for text in [
                subscription.formatted_reference, IBAN,
                f'/shares/{subscription.id}/code.png']:
            self.assertIn(text, page)
        with set_company(cooperative.company):
            self.assertEqual(
                check_books(cooperative.company, Date.today()), [])
        self.assertEqual(
            pool.get('coop.member')(subscription.member.id).receivable,
            subscription.total_amount)

    @with_transaction()
    def test_papers(self):
        "Test papers and data are downloaded"
        cooperative = self.open()
        browser = self.browser(cooperative)
        member = cooperative.members[0]
        for path in [f'/papers/member/{member.id}', '/shares/statement']:
            response = browser.get(path)
            self.assertEqual(response.status_code, 200)
            self.assertIn(
                'attachment', response.headers['Content-Disposition'])
            self.assertEqual(response.data[:2], b'PK')
        data = json.loads(browser.text('/data.json'))
        self.assertEqual(data['name'], "Alpha Person 1")
        self.assertEqual(data['addresses'][0]['street'], "Alpha Street 1")
        self.assertEqual(data['number'], member.number)
        self.assertIn('subscriptions', data)
        self.assertIn('bookings', data)

    @with_transaction()
    def test_guardian(self):
        "Test a guardian acts for the member, an agent does not"
        pool = Pool()
        Representative = pool.get('coop.member.representative')
        cooperative = self.open()
        first, second = cooperative.members
        representative = Representative(
            member=second, party=first.party, role='agent')
        representative.save()
        browser = self.browser(cooperative)
        self.assertNotIn("Alpha Person 2", browser.text('/'))

        representative.role = 'guardian'
        representative.save()

        self.assertIn("Alpha Person 2", browser.text('/'))
        browser.post(f'/member/{second.id}', form='/')
        self.assertIn(f'<h1>{second.rec_name}', browser.text('/'))
        request = self._ask(browser, 'other', text="For my ward")
        self.assertEqual(request.member, second)


del PortalTestCase
