# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.wizard import Button, StateAction, StateView


class ForfeitStart(ModelView):
    __name__ = 'coop.share.call.forfeit.start'
    __string__ = "Forfeit Shares"

    date = fields.Date("Date", required=True,
        help="The last day on which the members hold the shares.")

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class ForfeitList(ModelView):
    __name__ = 'coop.share.call.forfeit.list'
    __string__ = "Forfeit Shares"

    candidates = fields.Many2Many(
        'coop.share.call.line', None, None, "Candidates", readonly=True)
    lines = fields.Many2Many(
        'coop.share.call.line', None, None, "Unpaid Calls",
        domain=[
            ('id', 'in', Eval('candidates', [])),
            ],
        help="The calls of which the shares are forfeited.\n"
        "Remove those of which they are not.")


class Forfeit(CheckedWizard):
    __name__ = 'coop.share.call.forfeit'
    __string__ = "Forfeit Shares"

    start = StateView(
        'coop.share.call.forfeit.start',
        'coop_shares.call_forfeit_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("List", 'list', 'tryton-forward', default=True),
            ])
    list = StateView(
        'coop.share.call.forfeit.list',
        'coop_shares.call_forfeit_list_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Forfeit", 'forfeit', 'tryton-ok'),
            ])
    forfeit = StateAction('coop_shares.act_redemption_form')

    def default_list(self, fields):
        Call = Pool().get('coop.share.call')
        lines = [
            l.id for l in Call.unpaid_lines(self.records, self.start.date)]
        return {'candidates': lines, 'lines': lines}

    def do_forfeit(self, action):
        Call = Pool().get('coop.share.call')
        calls = list(self.records)
        redemptions = Call.forfeit_lines(
            calls, [l for l in self.list.lines if l.call in calls],
            self.start.date)
        return action, {'res_id': [r.id for r in redemptions]}
