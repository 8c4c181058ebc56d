# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction
from trytond.wizard import Button, StateReport, StateView

from .statement import members_of


class MemberStatementStart(ModelView):
    __name__ = 'coop.member.statement.start'
    __string__ = "Member Statement"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    members = fields.Many2Many(
        'coop.member', None, None, "Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('state', 'in', ['member', 'leaving', 'left']),
            ],
        help="Leave empty for all the members of the year.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_fiscalyear(cls):
        pool = Pool()
        Start = pool.get('coop.assembly.report.start')
        return Start.default_fiscalyear()


class MemberStatementWizard(CheckedWizard):
    __name__ = 'coop.member.statement'
    __string__ = "Member Statement"
    start = StateView(
        'coop.member.statement.start',
        'coop.member_statement_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("PDF", 'pdf', 'tryton-print'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    pdf = StateReport('coop.member.statement')
    print_ = StateReport('coop.member.statement')

    def default_start(self, fields):
        if self.model and self.model.__name__ == 'coop.member':
            return {'members': [m.id for m in self.records]}
        return {}

    def do_pdf(self, action):
        action, data = self.do_print_(action)
        return action, {**data, 'pdf': True}

    def do_print_(self, action):
        fiscalyear = self.start.fiscalyear
        members = self.start.members
        if not members:
            members = members_of(self.start.company, fiscalyear)
        return action, {
            'ids': [m.id for m in sorted(
                    members,
                    key=lambda m: (len(m.number or ''), m.number, m.id))],
            'model': 'coop.member',
            'fiscalyear': fiscalyear.id,
            }
