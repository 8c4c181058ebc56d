# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction
from trytond.wizard import (
    Button, StateReport, StateTransition, StateView, Wizard)


class UnclaimedStart(ModelView):
    __name__ = 'coop.patronage.unclaimed.start'
    __string__ = "Unclaimed Patronage"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day for which the list is made, and of what is posted.")
    years = fields.Integer("Years", required=True,
        domain=[
            ('years', '>', 0),
            ],
        help="The number of years since the money was due.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @fields.depends('company')
    def on_change_company(self):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        if self.company:
            self.years = Configuration(1).get_multivalue(
                'unclaimed_years', company=self.company.id)

    @classmethod
    def default_years(cls):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        return Configuration(1).get_multivalue(
            'unclaimed_years', company=cls.default_company())


class UnclaimedList(ModelView):
    __name__ = 'coop.patronage.unclaimed.list'
    __string__ = "Unclaimed Patronage"

    company = fields.Many2One('company.company', "Company", readonly=True)
    candidates = fields.Many2Many(
        'coop.patronage.allocation', None, None, "Candidates", readonly=True)
    allocations = fields.Many2Many(
        'coop.patronage.allocation', None, None, "Allocations",
        domain=[
            ('id', 'in', Eval('candidates', [])),
            ],
        help="The allocations of which the money is unclaimed.\n"
        "Remove those that are left as they are.")
    account = fields.Many2One('account.account', "Account",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'balance'),
            ('party_required', '!=', True),
            ('closed', '!=', True),
            ],
        help="The reserve, or the account of what is remitted to an "
        "authority, that gets the money.")


class Unclaimed(Wizard):
    __name__ = 'coop.patronage.unclaimed'
    __string__ = "Unclaimed Patronage"
    start = StateView(
        'coop.patronage.unclaimed.start',
        'coop_patronage.unclaimed_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("List", 'list', 'tryton-forward', default=True),
            ])
    list = StateView(
        'coop.patronage.unclaimed.list',
        'coop_patronage.unclaimed_list_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Print Notices", 'notice', 'tryton-print'),
            Button("Pay Again", 'reissue', 'tryton-refresh'),
            Button("Take Back", 'take_back', 'tryton-ok'),
            ])
    notice = StateReport('coop.patronage.unclaimed_notice')
    reissue = StateTransition()
    take_back = StateTransition()

    def default_list(self, fields):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Configuration = pool.get('coop.patronage.configuration')
        company = self.start.company
        allocations = [a.id for a in Allocation.search_unclaimed(
                company, self.start.date, self.start.years)]
        account = Configuration(1).get_multivalue(
            'account_unclaimed', company=company.id)
        return {
            'company': company.id,
            'candidates': allocations,
            'allocations': allocations,
            'account': account.id if account else None,
            }

    def _get_allocations(self):
        "Return the chosen allocations with what is open of them"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        allocations = Allocation.browse(self.list.allocations)
        lock_members(a.member for a in allocations)
        claims = Allocation.search_unclaimed(
            self.start.company, self.start.date, self.start.years)
        # Some may have been paid since they were listed
        return {a: claims[a] for a in allocations if a in claims}

    def do_notice(self, action):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        allocations = list(self._get_allocations())
        Allocation.write(allocations, {'notice_date': self.start.date})
        return action, {'ids': [a.id for a in allocations]}

    def transition_reissue(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Allocation.reissue(self._get_allocations(), self.start.date)
        return 'end'

    def transition_take_back(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        allocations = self._get_allocations()
        if allocations:
            Allocation.take_back(
                allocations, self.start.date, self.list.account)
        return 'end'
