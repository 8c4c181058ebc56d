# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.coop_commons.tests.documents import CommonsDocuments
from trytond.pool import Pool

START = dt.date(2024, 1, 1)
END = dt.date(2024, 12, 31)


class CommonsCostDocuments(CommonsDocuments):
    "Make the documents of the cost of the commons in each of their states"

    masters = {
        'coop.commons.cost_pool': "is set up by the administration",
        'coop.commons.cost_pool-analytic_account.account':
            "belongs to a cost pool",
        'coop.commons.cost_pool-coop.commons.resource':
            "belongs to a cost pool",
        'coop.commons.cost_pool-excluded-account.account':
            "belongs to a cost pool",
        'coop.commons.cost_pool-variable-account.account':
            "belongs to a cost pool",
        'coop.commons.cost_pool.key': "belongs to a cost pool",
        'coop.commons.cost_pool.key-account.account':
            "belongs to a key of a cost pool",
        'coop.commons.cost_pool.key.share':
            "belongs to a key of a cost pool",
        'coop.commons.cost_pool.overhead': "belongs to a cost pool",
        }
    # The buttons that lead to each state, in their order
    state_buttons = {
        'coop.commons.engagement': {
            'draft': [],
            'confirmed': ['confirm'],
            'cancelled': ['cancel'],
            },
        'coop.commons.engagement.billing': {
            'draft': [],
            'computed': ['compute'],
            'posted': ['compute', 'post'],
            },
        'coop.commons.rate': {
            'draft': [],
            'approved': ['approve'],
            'cancelled': ['cancel'],
            },
        'coop.commons.settlement': {
            'draft': [],
            'computed': ['compute'],
            'approved': ['compute', 'approve'],
            'posted': ['compute', 'approve', 'post'],
            'cancelled': ['cancel'],
            },
        **CommonsDocuments.state_buttons,
        }

    def make(self, Model, state):
        pool = Pool()
        Engagement = pool.get('coop.commons.engagement')
        name = Model.__name__.removeprefix('coop.commons.')
        cost_pool = self._create_cost_pool()
        if name == 'engagement.billing':
            engagement = Engagement(
                company=self.company, cost_pool=cost_pool,
                **self._get_engagement())
            engagement.save()
            Engagement.confirm([engagement])
        find = getattr(self, '_get_' + name.replace('.', '_'))
        document = Model(
            company=self.company, cost_pool=cost_pool, **find())
        document.save()
        for button in self.state_buttons[Model.__name__][state]:
            getattr(Model, button)([Model(document.id)])
        return document

    def _create_cost_pool(self):
        pool = Pool()
        Analytic = pool.get('analytic_account.account')
        CostPool = pool.get('coop.commons.cost_pool')
        resource = self._create_resource()
        root = Analytic(
            name=resource.name, type='root', company=self.company)
        root.save()
        center = Analytic(
            name=resource.name, type='normal', company=self.company,
            root=root, parent=root)
        center.save()
        cost_pool = CostPool(
            name=resource.name, company=self.company,
            shared_resources=[resource], cost_centers=[center],
            unit=self._hour, product=self._product, expected_units=100)
        cost_pool.save()
        return cost_pool

    @property
    def _fiscalyear(self):
        FiscalYear = Pool().get('account.fiscalyear')
        fiscalyear, = FiscalYear.search([
                ('company', '=', self.company.id),
                ('start_date', '=', START),
                ])
        return fiscalyear

    def _get_engagement(self):
        return {
            'member': self._members[0],
            'units': 10,
            'start_date': START,
            'end_date': END,
            }

    def _get_engagement_billing(self):
        return {
            'fiscalyear': self._fiscalyear,
            'fixed_cost': Decimal(100),
            'invoice_date': END,
            }

    def _get_settlement(self):
        return {'fiscalyear': self._fiscalyear}

    def _get_rate(self):
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        # The roll of a board is not always kept
        meeting = Meeting(
            company=self.company, kind='board', date=END,
            items=[Item(subject="Rate", votes_for=1)])
        meeting.save()
        for button in ['convene', 'open', 'close']:
            getattr(Meeting, button)([meeting])
        return {
            'valid_from': dt.date(2025, 1, 1),
            'fixed_cost': Decimal(100),
            'variable_cost': Decimal(10),
            'expected_units': 10,
            'resolution': meeting.items[0],
            }
