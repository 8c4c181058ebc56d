# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_commons.tests.rights import RightsTestMixin
from trytond.modules.coop_commons_cost.tests.documents import (
    CommonsCostDocuments)
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.tests.test_tryton import ModuleTestCase

# Who may read, write, create and delete, everybody without a group
RIGHTS = {
    'cost_pool': {
        'admin': 'rwcd', 'accounting': 'r', 'board': 'r',
        'stewardship': 'r'},
    'engagement': {
        'accounting': 'rwcd', 'stewardship': 'rwcd', 'board': 'r'},
    'engagement.billing': {'accounting': 'rwcd', 'board': 'r'},
    'rate': {'accounting': 'rwcd', 'admin': 'r', 'board': 'r'},
    'settlement': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    }
# Who may press which buttons
BUTTONS = {
    'cost_pool': {'accounting': {'propose_rate'}},
    'engagement': {
        'accounting': {'draft', 'confirm', 'cancel'},
        'stewardship': {'draft', 'confirm', 'cancel'}},
    'engagement.billing': {'accounting': {'draft', 'compute', 'post'}},
    'engagement.billing.line': {'board': {'waive', 'unwaive'}},
    'rate': {
        'accounting': {'draft', 'cancel'}, 'board': {'approve'},
        'admin': {'create_tariffs'}},
    'settlement': {
        'accounting': {'draft', 'compute', 'post', 'issue', 'cancel'},
        'board': {'approve'}},
    }


class CoopCommonsCostTestCase(
        CommonsCostDocuments, StrangerTestMixin, RightsTestMixin,
        CompanyTestMixin, ModuleTestCase):
    "Test Coop Commons Cost module"
    module = 'coop_commons_cost'
    rights = RIGHTS
    buttons = BUTTONS


del ModuleTestCase
