# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_membership.tests.document import DocumentTestMixin
from trytond.modules.coop_patronage.tests.case import EXTRAS
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction


class CoopPatronageTestCase(
        PatronageDocuments, DocumentTestMixin, PartyCheckReplaceMixin,
        CompanyTestMixin, ModuleTestCase):
    "Test Coop Patronage module"
    module = 'coop_patronage'
    extras = EXTRAS

    @property
    def _skip_company_rule(self):
        # Those of all companies are read, but not changed
        return super()._skip_company_rule | {('coop.surplus.plan', 'company')}

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)


del ModuleTestCase
