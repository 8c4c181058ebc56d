# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.coop_membership.unclaimed import UnclaimedStartMixin
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import check_access
from trytond.wizard import Button, StateTransition, StateView


class LapseStart(UnclaimedStartMixin, ModelView):
    __name__ = 'coop.share.redemption.lapse.start'
    __string__ = "Lapse Redemptions"
    _years = ('coop.share.configuration', 'lapse_years')


class LapseList(ModelView):
    __name__ = 'coop.share.redemption.lapse.list'
    __string__ = "Lapse Redemptions"

    company = fields.Many2One('company.company', "Company", readonly=True)
    candidates = fields.Many2Many(
        'coop.share.redemption', None, None, "Candidates", readonly=True)
    redemptions = fields.Many2Many(
        'coop.share.redemption', None, None, "Redemptions",
        domain=[
            ('id', 'in', Eval('candidates', [])),
            ],
        help="The claims that lapse.\n"
        "Remove those that do not.")


class Lapse(CheckedWizard):
    __name__ = 'coop.share.redemption.lapse'
    __string__ = "Lapse Redemptions"
    start = StateView(
        'coop.share.redemption.lapse.start',
        'coop_shares.redemption_lapse_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("List", 'list', 'tryton-forward', default=True),
            ])
    list = StateView(
        'coop.share.redemption.lapse.list',
        'coop_shares.redemption_lapse_list_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Lapse", 'lapse', 'tryton-ok'),
            ])
    lapse = StateTransition()

    def default_list(self, fields):
        Redemption = Pool().get('coop.share.redemption')
        redemptions = [
            r.id for r in Redemption.get_unclaimed(*self.start.period)]
        return {
            'company': self.start.company.id,
            'candidates': redemptions,
            'redemptions': redemptions,
            }

    def transition_lapse(self):
        Redemption = Pool().get('coop.share.redemption')
        # What somebody else has typed in is not found
        with check_access():
            redemptions = Redemption.search([
                    ('company', '=', self.start.company.id),
                    ('id', 'in', [r.id for r in self.list.redemptions]),
                    ])
        Redemption.lapse(Redemption.browse(redemptions), *self.start.period)
        return 'end'
