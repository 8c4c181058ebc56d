# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import xml.etree.ElementTree as ET

from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.modules.coop_shares.tests.documents import SharesDocuments
from trytond.modules.coop_shares.tests.tools import EXTRAS
from trytond.tests.test_tryton import ModuleTestCase
from trytond.tools import file_open


class CoopSharesTestCase(
        SharesDocuments, StrangerTestMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Shares module"
    module = 'coop_shares'
    extras = EXTRAS

    def test_chart(self):
        "Test each universal chart has the accounts of the share classes"
        def records(module, language):
            with file_open(f'{module}/account_chart_{language}.xml') as file:
                return {
                    record.get('id').removesuffix(f'_{language}'): {
                        field.get('name'): (
                            field.get('ref', '').removesuffix(f'_{language}')
                            or field.get('eval') or field.text)
                        for field in record.iter('field')}
                    for record in ET.parse(file).iter('record')}

        names = [
            'capital', 'unpaid', 'premium', 'allocated', 'loss', 'deduction',
            'lapsed', 'subscribed', 'redemption']
        with_party = {
            'capital', 'unpaid', 'allocated', 'subscribed', 'redemption'}
        to_reconcile = {'subscribed', 'redemption'}
        # What a balance sheet shows of the capital, apart from each other
        types = {
            'capital': 'subscribed_capital',
            'unpaid': 'unpaid_capital',
            'premium': 'premium',
            'allocated': 'allocated',
            'loss': 'leavers_reserve',
            'deduction': 'leavers_reserve',
            'lapsed': 'leavers_reserve',
            'subscribed': 'called_capital',
            'redemption': 'leavers',
            }
        codes = [
            r.get('code') for r in records('coop_shares', 'en').values()]
        for language in ['de', 'en', 'es', 'fr']:
            with self.subTest(language=language):
                accounts = records('coop_shares', language)
                base = {
                    f'account.{id_}': r
                    for id_, r in records('account', language).items()}
                base.update(accounts)
                self.assertEqual(
                    {id_ for id_ in accounts
                        if id_.startswith('account_template_')},
                    {f'account_template_{n}' for n in names})
                self.assertEqual(
                    [r.get('code') for r in accounts.values()], codes)
                for name in names:
                    account = accounts[f'account_template_{name}']
                    self.assertEqual(
                        account.get('party_required', 'False'),
                        str(name in with_party))
                    self.assertEqual(
                        account.get('reconcile', 'False'),
                        str(name in to_reconcile))
                    self.assertIn(account['parent'], base)
                    self.assertEqual(
                        account['type'],
                        f'account_type_template_{types[name]}')
                    type_ = base[account['type']]
                    self.assertIn(type_['parent'], base)
                    self.assertEqual(type_['statement'], 'balance')
                    self.assertEqual(
                        type_.get('receivable', 'False'),
                        str(name == 'subscribed'))
                    self.assertEqual(
                        type_.get('payable', 'False'),
                        str(name == 'redemption'))
                    if name != 'subscribed':
                        self.assertNotIn('assets', type_)


del ModuleTestCase
