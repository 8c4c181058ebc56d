# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import CompanyTestMixin
from trytond.modules.coop_commons.tests.rights import RecordsTestMixin
from trytond.modules.coop_membership.tests.document import StrangerTestMixin
from trytond.pool import Pool
from trytond.tests.test_tryton import ModuleTestCase

# Who may read, write, create and delete, everybody without a group
RIGHTS = {
    'output': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'output.key': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    }
# Who may press which buttons
BUTTONS = {
    'output': {
        'stewardship': {'draft', 'import_', 'compute', 'post', 'cancel'}},
    'output.key': {
        'board': {'draft', 'approve'},
        'stewardship': {'take_shares'},
        },
    }


class CoopCommonsOutputTestCase(
        StrangerTestMixin, RecordsTestMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Commons Output module"
    module = 'coop_commons_output'
    extras = ['coop_shares']
    rights = RIGHTS
    buttons = BUTTONS
    presses = [
        ('output.key', 'board', ['approve', 'draft', 'approve']),
        ('output', 'stewardship', [
                'compute', 'draft', 'compute', 'post', 'cancel']),
        ]
    # The buttons that lead to each state, in their order
    steps = {
        'coop.commons.output.key': {
            'draft': [],
            'approved': ['approve'],
            },
        'coop.commons.output': {
            'draft': [],
            'computed': ['compute'],
            'posted': ['compute', 'post'],
            'cancelled': ['cancel'],
            },
        }
    pressed = {'output.key': 'approved', 'output': 'cancelled'}

    def make(self, Model, state):
        records = self._create_records(self.company)
        if Model.__name__ == 'coop.commons.output':
            key = records['output.key']
            key.__class__.approve([key])
        record = records[Model.__name__.removeprefix('coop.commons.')]
        for button in self.steps[Model.__name__][state]:
            getattr(Model, button)([Model(record.id)])
        return record

    def _create_records(self, company):
        """Return an output and what belongs to it

        The output is of 500 units in each half of a day, for two who share.
        """
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        Output = pool.get('coop.commons.output')

        resource, _, members = self._create_members(company)
        key, = Key.create([{
                    'company': company.id, 'resource': resource.id,
                    'valid_from': dt.date(2026, 1, 1),
                    'shares': [('create', [{
                                    'member': member.id,
                                    'coefficient': Decimal('0.5'),
                                    } for member in members])],
                    }])
        output, = Output.create([{
                    'company': company.id, 'resource': resource.id,
                    'start_date': dt.date(2026, 1, 1),
                    'end_date': dt.date(2026, 1, 1),
                    'interval': dt.timedelta(hours=12),
                    'intervals': [('create', [{
                                    'start': dt.datetime(2026, 1, 1, hour),
                                    'quantity': Decimal(500),
                                    'consumptions': [('create', [{
                                                    'member': members[0].id,
                                                    'quantity': Decimal(1),
                                                    }])],
                                    } for hour in [0, 12]])],
                    }])
        return {
            'output.key': key, 'output': output,
            'output.share': key.shares[0],
            'output.interval': output.intervals[0],
            'output.consumption': output.intervals[0].consumptions[0],
            }


del ModuleTestCase
