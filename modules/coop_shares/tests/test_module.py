# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.tests.test_tryton import ModuleTestCase


class CoopSharesTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop Shares module"
    module = 'coop_shares'


del ModuleTestCase
