# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView
from trytond.modules.company.tests import (
    CompanyTestMixin, PartyCompanyCheckEraseMixin)
from trytond.modules.coop_membership.tests.documents import (
    MembershipDocumentTestMixin)
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction


class CoopMembershipTestCase(
        MembershipDocumentTestMixin, PartyCompanyCheckEraseMixin,
        PartyCheckReplaceMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Membership module"
    module = 'coop_membership'
    extras = ['account_invoice', 'account_payment', 'notification_email']

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and name.startswith('coop.')
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)


del ModuleTestCase
