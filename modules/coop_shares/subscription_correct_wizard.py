# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.wizard import StateAction


class Correct(CheckedWizard):
    __name__ = 'coop.share.subscription.correct'
    __string__ = "Correct Share Subscription"
    start_state = 'correct'
    correct = StateAction('coop_shares.act_subscription_form')

    def do_correct(self, action):
        drafts = self.model.enter_again(self.records)
        data = {'res_id': [d.id for d in drafts]}
        if len(drafts) == 1:
            action['views'].reverse()
        return action, data
