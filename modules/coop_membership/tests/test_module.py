# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import (
    CompanyTestMixin, PartyCompanyCheckEraseMixin)
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.modules.coop_membership.tests.documents import (
    MembershipDocumentTestMixin)
from trytond.tests.test_tryton import ModuleTestCase


class CoopMembershipTestCase(
        MembershipDocumentTestMixin, StrangerTestMixin,
        PartyCompanyCheckEraseMixin, CompanyTestMixin,
        ModuleTestCase):
    "Test Coop Membership module"
    module = 'coop_membership'
    extras = ['account_invoice', 'account_payment', 'notification_email']


del ModuleTestCase
