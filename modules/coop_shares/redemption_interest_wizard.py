# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.transaction import Transaction
from trytond.wizard import Button, StateAction, StateView


class AccrueStart(ModelView):
    __name__ = 'coop.share.redemption.interest.accrue.start'
    __string__ = "Accrue Redemption Interest"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day until which the interest is counted, such as the one "
        "on which an instalment is due or the last one of a year.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class Accrue(CheckedWizard):
    __name__ = 'coop.share.redemption.interest.accrue'
    __string__ = "Accrue Redemption Interest"
    start = StateView(
        'coop.share.redemption.interest.accrue.start',
        'coop_shares.redemption_interest_accrue_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Accrue", 'accrue', 'tryton-ok', default=True),
            ])
    accrue = StateAction('coop_shares.act_redemption_interest')

    def do_accrue(self, action):
        Redemption = Pool().get('coop.share.redemption')
        rows = Redemption.accrue_interest(self.start.company, self.start.date)
        return action, {'res_id': [r.id for r in rows]}
