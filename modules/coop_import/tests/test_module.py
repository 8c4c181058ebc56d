# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_import.tests.tools import EXTRAS
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.tests.test_tryton import ModuleTestCase


class CoopImportTestCase(StrangerTestMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Import module"
    module = 'coop_import'
    extras = EXTRAS


del ModuleTestCase
