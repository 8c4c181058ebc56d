# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import (
    CompanyTestMixin, PartyCompanyCheckEraseMixin)
from trytond.modules.coop_commons.tests.documents import CommonsDocuments
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.pool import Pool
from trytond.tests.test_tryton import ModuleTestCase

from .rights import RecordsTestMixin

# Who may read, write, create and delete, everybody without a group
RIGHTS = {
    # Administration is membership too
    'authorization': {
        'stewardship': 'rwcd', 'membership': 'r', 'admin': 'r'},
    'billing': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'blackout': {None: 'r', 'stewardship': 'rwcd'},
    # A record rule lets each change his own
    'booking': {None: 'rwcd'},
    'category': {None: 'r', 'admin': 'rwcd'},
    'commitment': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'contract': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'configuration': {None: 'r', 'admin': 'rw'},
    'deposit': {'accounting': 'rwcd', 'stewardship': 'r'},
    'feed': {'stewardship': 'rwcd'},
    'meter': {'stewardship': 'rwcd', 'accounting': 'r'},
    'occupancy': {'stewardship': 'r', 'accounting': 'r', 'board': 'r'},
    'pack': {'accounting': 'rwcd', 'stewardship': 'r'},
    'pack.offer': {'admin': 'rwcd', 'accounting': 'r', 'stewardship': 'r'},
    'problem': {'stewardship': 'r', 'accounting': 'r', 'board': 'r'},
    'reading': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'resource': {None: 'r', 'admin': 'rwcd', 'stewardship': 'rwcd'},
    'rule': {None: 'r', 'admin': 'rwcd'},
    'series': {None: 'rwcd'},
    'tariff': {
        'admin': 'rwcd', 'accounting': 'r', 'board': 'r',
        'stewardship': 'r'},
    'usage': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'utilization': {'stewardship': 'r', 'accounting': 'r', 'board': 'r'},
    }
# Who may press which buttons
BUTTONS = {
    'billing': {'accounting': {'draft', 'compute', 'post'}},
    # Everybody on his own bookings
    'booking': {
        None: {
            'confirm', 'start_use', 'finish', 'cancel', 'change', 'extend',
            'shorten'},
        'stewardship': {'no_show'}},
    'commitment': {'accounting': {'draft', 'confirm', 'cancel'}},
    'contract': {'accounting': {'draft', 'confirm', 'cancel'}},
    'deposit': {'accounting': {'take', 'give_back', 'cancel'}},
    'feed': {'stewardship': {'renew', 'revoke'}},
    'pack': {
        'accounting': {'sell', 'expire', 'settle', 'refund', 'cancel'}},
    'reading': {'stewardship': {'do', 'correct'}},
    'series': {None: {'confirm', 'cancel'}},
    'tariff': {
        'admin': {'draft', 'cancel'},
        'board': {'draft', 'approve', 'cancel'}},
    'usage': {
        'stewardship': {'draft', 'cancel', 'confirm', 'rate', 'take_back'},
        'accounting': {'rate'}},
    }


class CoopCommonsTestCase(
        CommonsDocuments, StrangerTestMixin, RecordsTestMixin,
        PartyCompanyCheckEraseMixin,
        CompanyTestMixin, ModuleTestCase):
    "Test Coop Commons module"
    module = 'coop_commons'
    rights = RIGHTS
    buttons = BUTTONS
    presses = [
        ('commitment', 'accounting', ['confirm', 'draft', 'cancel', 'draft']),
        ('contract', 'accounting', ['confirm', 'draft', 'cancel', 'draft']),
        ('pack', 'accounting', ['cancel']),
        ]
    pressed = {
        'commitment': 'draft', 'contract': 'draft', 'pack': 'cancelled'}

    def _create_records(self, company):
        "Return a pack, its offer, a commitment and a contract"
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Commitment = pool.get('coop.commons.commitment')
        Contract = pool.get('coop.commons.contract')
        Offer = pool.get('coop.commons.pack.offer')
        Pack = pool.get('coop.commons.pack')
        Template = pool.get('product.template')

        resource, unit, members = self._create_members(company)
        account_type = AccountType(
            name="Deferred Revenue", company=company, statement='balance',
            deferred=True)
        account_type.save()
        account = Account(
            name="Deferred Revenue", company=company, type=account_type)
        account.save()
        template = Template(
            name="Use", type='service', default_uom=unit, products=[{}])
        template.save()
        product, = template.products
        offer = Offer(
            name="100 Units", company=company, resource=resource, unit=unit,
            quantity=Decimal(100), price=Decimal(20), product=product,
            deferred_account=account)
        offer.save()
        pack, = Pack.create([{
                    'company': company.id, 'party': members[0].party.id,
                    'offer': offer.id, 'date': dt.date(2026, 1, 1),
                    'quantity': offer.quantity, 'price': offer.price,
                    }])
        commitment, = Commitment.create([{
                    'company': company.id, 'member': members[0].id,
                    'valid_from': dt.date(2026, 1, 1),
                    'minimum': Decimal(10), 'product': product.id,
                    }])
        contract, = Contract.create([{
                    'company': company.id, 'member': members[0].id,
                    'resource': resource.id,
                    'valid_from': dt.date(2026, 1, 1),
                    'amount': Decimal(10), 'product': product.id,
                    }])
        return {
            'pack.offer': offer, 'pack': pack, 'commitment': commitment,
            'contract': contract}


del ModuleTestCase
