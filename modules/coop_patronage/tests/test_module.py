# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.modules.coop_patronage.tests.case import EXTRAS
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.tests.test_tryton import ModuleTestCase


class CoopPatronageTestCase(
        PatronageDocuments, StrangerTestMixin,
        CompanyTestMixin, ModuleTestCase):
    "Test Coop Patronage module"
    module = 'coop_patronage'
    extras = EXTRAS

    @property
    def _skip_company_rule(self):
        # Those of all companies are read, but not changed
        return super()._skip_company_rule | {('coop.surplus.plan', 'company')}


del ModuleTestCase
