# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.tests.test_tryton import ModuleTestCase


class CoopImportTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop Import module"
    module = 'coop_import'
    extras = [
        'account_payment_sepa', 'coop_shares', 'coop_patronage',
        'coop_commons']


del ModuleTestCase
