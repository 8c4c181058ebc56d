# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.tests.test_tryton import ModuleTestCase


class CoopTestCase(StrangerTestMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop module"
    module = 'coop'
    extras = EXTRAS
    masters = {
        'coop.configuration.setting': "belongs to a master",
        }

    @property
    def _skip_company_rule(self):
        # Those of all companies are read, but not changed
        return super()._skip_company_rule | {('coop.surplus.plan', 'company')}

    def prepare_documents(self, company):
        create_chart(company)
        fiscalyear = set_invoice_sequences(get_fiscalyear(company))
        fiscalyear.save()
        fiscalyear.create_period([fiscalyear])
        # Who waits
        create_members(
            company, create_category(company), 1, fiscalyear.start_date,
            application_date=fiscalyear.start_date)


del ModuleTestCase
