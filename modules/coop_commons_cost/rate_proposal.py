# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.wizard import Button, StateAction, StateView


class ProposeRateStart(ModelView):
    __name__ = 'coop.commons.cost_pool.propose_rate.start'
    __string__ = "Propose Rate"

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", readonly=True)
    company = fields.Many2One('company.company', "Company", readonly=True)
    base = fields.Many2One(
        'account.fiscalyear', "Based on", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The fiscal year whose cost is expected again.")
    valid_from = fields.Date("Valid from", required=True)

    @fields.depends('base', 'valid_from')
    def on_change_base(self):
        if self.base and not self.valid_from:
            self.valid_from = self.base.end_date + dt.timedelta(days=1)


class ProposeRate(CheckedWizard):
    __name__ = 'coop.commons.cost_pool.propose_rate'
    __string__ = "Propose Rate"
    start = StateView(
        'coop.commons.cost_pool.propose_rate.start',
        'coop_commons_cost.cost_pool_propose_rate_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Propose", 'propose', 'tryton-ok', default=True),
            ])
    propose = StateAction('coop_commons_cost.act_rate_form')

    def default_start(self, fields):
        return {
            'cost_pool': self.record.id,
            'company': self.record.company.id,
            }

    def do_propose(self, action):
        pool = Pool()
        Rate = pool.get('coop.commons.rate')
        rate = Rate.propose(
            self.record, self.start.base, self.start.valid_from)
        rate.save()
        return action, {'res_id': [rate.id]}
