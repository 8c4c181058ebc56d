# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Cooperatives with a portal, and browsers that come to it"""
import re
from copy import copy
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.account.tests import get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons.tests.documents import (
    START, CommonsDocuments, create_service)
from trytond.modules.coop_membership.tests.database import (
    DatabaseTestCase, load)
from trytond.modules.coop_portal.tests.tools import EXTRAS, PortalDocuments
from trytond.modules.coop_portal.wsgi import create_app
from trytond.modules.currency.tests import add_currency_rate, create_currency
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, with_transaction
from trytond.transaction import Transaction

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


class Cooperative(CommonsDocuments, PortalDocuments):
    "A company with a portal, two members, shares and a resource"

    def __init__(self, name, host):
        pool = Pool()
        Currency = pool.get('currency.currency')
        currencies = Currency.search([('code', '=', 'EUR')])
        if not currencies:
            currencies = [create_currency('EUR')]
            add_currency_rate(currencies[0], 1)
        self.company = create_company(name=name, currency=currencies[0])
        self.host = host
        with set_company(self.company), \
                patch('trytond.modules.coop_shares.tests.documents.issue',
                    subscribe):
            PortalDocuments.prepare_documents(self, self.company)
            self._prepare_commons()
            self._prepare_portal(name)

    def _prepare_commons(self):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Uom = pool.get('product.uom')
        today = Date.today()
        if not FiscalYear.search([
                    ('company', '=', self.company.id),
                    ('start_date', '<=', today),
                    ('end_date', '>=', today),
                    ]):
            fiscalyear = set_invoice_sequences(
                get_fiscalyear(self.company, today=today))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
        self._hour, = Uom.search([('name', '=', "Hour")])
        self._km, = Uom.search([('name', '=', "Kilometer")])
        self._product = create_service(self.company, self._hour)
        self._category = self._members[0].category
        self._resource = self._create_resource()
        tariff = self._make_document('tariff', resource=self._resource)
        tariff.approve([tariff])

    def _prepare_portal(self, name):
        pool = Pool()
        Party = pool.get('party.party')
        Portal = pool.get('coop.portal.configuration')
        User = pool.get('web.user')
        Party.write(*(
                value for i, member in enumerate(self._members, 1)
                for value in ([member.party], {
                        'name': f"{name} Person {i}",
                        'addresses': [('create', [{
                                        'street': f"{name} Street {i}",
                                        'city': f"{name} Town"}])],
                        })))
        self.portal, = Portal.create([{'host': self.host}])
        self.users = User.create([{
                    'email': f'{i}@{self.host}',
                    'email_valid': True,
                    'password': PASSWORD,
                    'party': member.party.id,
                    } for i, member in enumerate(self._members, 1)])

    def reload(self):
        "Return the same with its records as they are in the transaction"
        other = copy(self)
        for name, value in vars(self).items():
            setattr(other, name, load(value))
        return other

    @property
    def members(self):
        return self._members

    @property
    def resource(self):
        return self._resource


def subscribe(members, share_class, quantity):
    "Let the members subscribe the shares, so that the books have them too"
    Subscription = Pool().get('coop.share.subscription')
    subscriptions = Subscription.create([{
                'company': share_class.company.id,
                'member': member.id,
                'share_class': share_class.id,
                'quantity': Decimal(quantity),
                'date': START,
                } for member in members])
    Subscription.confirm(subscriptions)


class Browser:
    "A browser at the portal of a host"

    def __init__(self, app, host):
        self.client = app.test_client()
        self.base = f'https://{host}'

    def get(self, path, **kwargs):
        return self.client.get(path, base_url=self.base, **kwargs)

    def post(self, path, form=None, **data):
        "Send the form of the page, or of another one"
        page = self.get(form or path).get_data(as_text=True)
        token = TOKEN.search(page)
        return self.send(
            path, csrf_token=token[1] if token else '', **data)

    def send(self, path, **data):
        return self.client.post(
            path, base_url=self.base, data=data,
            headers={'Referer': f'{self.base}/'})

    def sign_in(self, email, password=PASSWORD):
        return self.post('/sign-in', email=email, password=password)

    def text(self, path):
        return self.get(path).get_data(as_text=True)


class PortalTestCase(DatabaseTestCase):
    "Test in the database of the portal, with all that it shows"
    module = 'coop_portal'
    extras = EXTRAS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # They take long to make
        cls._cooperatives = {}
        cls._prepare(cls)

    @with_transaction()
    def _prepare(cls):
        for name in ["Alpha", "Beta"]:
            cls._cooperatives[name] = Cooperative(
                name, f'{name.lower()}.example')
        Transaction().commit()

    def setUp(self):
        super().setUp()
        # Failed attempts are answered late
        patcher = patch('trytond.modules.web_user.user.time.sleep')
        patcher.start()
        self.addCleanup(patcher.stop)
        # The bridge freezes the pool
        self.addCleanup(setattr, Pool, 'stop', Pool.__dict__['stop'])

    def open(self, name="Alpha"):
        "Return the cooperative with its portal"
        cooperative = self._cooperatives[name].reload()
        # Else what is locked would start the test over
        for model, records in [
                ('coop.member', cooperative.members),
                ('coop.commons.resource', [cooperative.resource]),
                ('ir.sequence.strict', None),
                ]:
            Model = Pool().get(model)
            Model.lock(records if records else Model.search([]))
        for model in ['coop.portal.request', 'coop.meeting']:
            Pool().get(model).lock()
        return cooperative

    def browser(self, cooperative, user=0):
        "Return the browser of the web user who has signed in"
        if not hasattr(self, '_app'):
            self._app = create_app(DB_NAME, 'a secret of the tests')
            self._app.testing = True
        browser = Browser(self._app, cooperative.host)
        if user is not None:
            response = browser.sign_in(f'{user + 1}@{cooperative.host}')
            self.assertEqual(response.status_code, 302)
        return browser
