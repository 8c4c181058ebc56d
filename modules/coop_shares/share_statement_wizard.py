# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, check_access
from trytond.wizard import Button, StateReport, StateView


class PrintStatementStart(ModelView):
    __name__ = 'coop.share.statement.print.start'
    __string__ = "Print Share Statements"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date",
        help="The first day of the statement.\n"
        "Leave empty for the whole ledger.")
    date = fields.Date("To Date", required=True,
        help="The last day of the statement.")
    members = fields.Many2Many(
        'coop.member', None, None, "Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all who hold or held shares in the time.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class PrintStatement(CheckedWizard):
    __name__ = 'coop.share.statement.print'
    __string__ = "Print Share Statements"
    start = StateView(
        'coop.share.statement.print.start',
        'coop_shares.statement_print_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    print_ = StateReport('coop.share.statement')

    def default_start(self, fields):
        values = {}
        if self.model and self.model.__name__ == 'coop.member':
            values['members'] = [m.id for m in self.records]
            values['company'] = self.record.company.id
        return values

    def do_print_(self, action):
        pool = Pool()
        Member = pool.get('coop.member')
        ShareMove = pool.get('coop.share.move')
        if self.start.members:
            ids = [m.id for m in self.start.members]
        else:
            ids = ShareMove.holders(
                self.start.company, self.start.from_date, self.start.date)
        with check_access():
            members = []
            for sub_ids in grouped_slice(sorted(ids), SLICE):
                members.extend(Member.search([('id', 'in', list(sub_ids))]))
        return action, {
            'ids': [m.id for m in members],
            'from_date': self.start.from_date,
            'date': self.start.date,
            }
