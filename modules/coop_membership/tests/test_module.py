# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.tests.test_tryton import ModuleTestCase


class CoopMembershipTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop Membership module"
    module = 'coop_membership'


del ModuleTestCase
