# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import PYSONEncoder
from trytond.wizard import StateAction

from .work import USAGES


class Open(CheckedWizard):
    __name__ = 'coop.work.open'
    __string__ = "Open Work"
    _readonly = True
    start_state = 'open_'
    open_ = StateAction('coop_membership.act_member_form')

    def do_open_(self, action):
        ActWindow = Pool().get('ir.action.act_window')
        record = self.record.record
        states = {
            kind: state for state, kind in USAGES
            if record.__name__ == 'coop.commons.resource'}
        # The first is the one that shows all of them
        window, = ActWindow.search([
                ('res_model', '=',
                    'coop.commons.usage' if states else record.__name__),
                ], order=[('id', 'ASC')], limit=1)
        action = window.action.get_action_value()
        action['domains'] = []
        if states:
            action['pyson_domain'] = PYSONEncoder().encode([
                    ('resource', '=', record.id),
                    ('state', '=', states[self.record.kind]),
                    ])
            return action, {}
        action['views'].reverse()
        return action, {'res_id': record.id}
