# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.coop_membership.unclaimed import UnclaimedStartMixin
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.wizard import Button, StateReport, StateTransition, StateView

from .exceptions import UnclaimedError


class UnclaimedStart(UnclaimedStartMixin, ModelView):
    __name__ = 'coop.patronage.unclaimed.start'
    __string__ = "Unclaimed Patronage"
    _years = ('coop.patronage.configuration', 'unclaimed_years')


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
    line_candidates = fields.Many2Many(
        'coop.equity.revolvement.line', None, None, "Candidates",
        readonly=True)
    lines = fields.Many2Many(
        'coop.equity.revolvement.line', None, None, "Retired Equity",
        domain=[
            ('id', 'in', Eval('line_candidates', [])),
            ],
        help="The equity that was paid out and that nobody collects.\n"
        "Remove what is left as it is.")
    account = fields.Many2One('account.account', "Account",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type.statement', '=', 'balance'),
            ('party_required', '!=', True),
            ('closed', '!=', True),
            ],
        help="The reserve, or the account of what is remitted to an "
        "authority, that gets the money.")


class Unclaimed(CheckedWizard):
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
            Button(
                "Print Notices of Retired Equity", 'line_notice',
                'tryton-print'),
            Button("Pay Again", 'reissue', 'tryton-refresh'),
            Button("Take Back", 'take_back', 'tryton-ok'),
            ])
    notice = StateReport('coop.patronage.unclaimed_notice')
    line_notice = StateReport('coop.equity.revolvement.unclaimed_notice')
    reissue = StateTransition()
    take_back = StateTransition()

    def default_list(self, fields):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Configuration = pool.get('coop.patronage.configuration')
        Line = pool.get('coop.equity.revolvement.line')
        company = self.start.company
        allocations, lines = (
            list(map(int, Model.list_unclaimed(*self.start.period)))
            for Model in [Allocation, Line])
        account = Configuration(1).get_multivalue(
            'account_unclaimed', company=company.id)
        return {
            'company': company.id,
            'candidates': allocations,
            'allocations': allocations,
            'line_candidates': lines,
            'lines': lines,
            'account': account.id if account else None,
            }

    def _get_claims(self):
        "Yield the models with what is open of the chosen records"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Line = pool.get('coop.equity.revolvement.line')
        for Model, records in [
                (Allocation, self.list.allocations), (Line, self.list.lines)]:
            yield Model, Model.get_claims(records, *self.start.period)

    def _print_notices(self, action, name):
        for Model, claims in self._get_claims():
            if Model.__name__ == name:
                Model.write(list(claims), {'notice_date': self.start.date})
                return action, {'ids': [r.id for r in claims]}

    def do_notice(self, action):
        return self._print_notices(action, 'coop.patronage.allocation')

    def do_line_notice(self, action):
        return self._print_notices(action, 'coop.equity.revolvement.line')

    def transition_reissue(self):
        for Model, claims in self._get_claims():
            Model.reissue(claims, self.start.date)
        return 'end'

    def transition_take_back(self):
        account = self.list.account
        if not account:
            raise UnclaimedError(gettext(
                    'coop_patronage.msg_unclaimed_account'))
        for Model, claims in self._get_claims():
            Model.take_back(claims, self.start.date, lambda record: account)
        return 'end'
