# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.modules.coop_portal.tests.tools import EXTRAS, PortalDocuments
from trytond.tests.test_tryton import ModuleTestCase


class CoopPortalTestCase(
        PortalDocuments, StrangerTestMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Portal module"
    module = 'coop_portal'
    extras = EXTRAS


del ModuleTestCase
