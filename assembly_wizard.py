# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction
from trytond.wizard import Button, StateReport, StateView


class AssemblyReportStart(ModelView):
    __name__ = 'coop.assembly.report.start'
    __string__ = "Report to the Assembly"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    meeting = fields.Many2One(
        'coop.meeting', "Meeting",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'board'),
            ],
        help="The meeting the report is for.\n"
        "Once it is held, its attendance and resolutions are printed.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends(
        'company', 'fiscalyear', '_parent_fiscalyear.company')
    def on_change_company(self):
        if not self.fiscalyear or self.fiscalyear.company != self.company:
            self.fiscalyear = self.last_fiscalyear(self.company)
            self.meeting = self.last_meeting(self.fiscalyear)

    @fields.depends('fiscalyear')
    def on_change_fiscalyear(self):
        self.meeting = self.last_meeting(self.fiscalyear)

    @classmethod
    def default_fiscalyear(cls):
        Company = Pool().get('company.company')
        company = cls.default_company()
        fiscalyear = company and cls.last_fiscalyear(Company(company))
        return fiscalyear.id if fiscalyear else None

    @classmethod
    def last_fiscalyear(cls, company):
        "Return the last fiscal year that is over"
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        if company:
            with Transaction().set_context(company=company.id):
                today = Date.today()
            fiscalyears = FiscalYear.search([
                    ('company', '=', company.id),
                    ('end_date', '<', today),
                    ], order=[('end_date', 'DESC')], limit=1)
            if fiscalyears:
                return fiscalyears[0]

    @classmethod
    def default_meeting(cls):
        FiscalYear = Pool().get('account.fiscalyear')
        fiscalyear = cls.default_fiscalyear()
        meeting = fiscalyear and cls.last_meeting(FiscalYear(fiscalyear))
        return meeting.id if meeting else None

    @classmethod
    def last_meeting(cls, fiscalyear):
        "Return the last meeting that has the fiscal year on its agenda"
        Meeting = Pool().get('coop.meeting')
        if fiscalyear:
            meetings = Meeting.search([
                    ('company', '=', fiscalyear.company.id),
                    ('kind', '!=', 'board'),
                    ('state', '!=', 'cancelled'),
                    ('items.fiscalyear', '=', fiscalyear.id),
                    ], order=[('date', 'DESC')], limit=1)
            if meetings:
                return meetings[0]


class AssemblyReportWizard(CheckedWizard):
    __name__ = 'coop.assembly.report'
    __string__ = "Report to the Assembly"
    start = StateView(
        'coop.assembly.report.start',
        'coop.assembly_report_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("On a Page", 'page', 'tryton-open'),
            Button("PDF", 'pdf', 'tryton-print'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    page = StateReport('coop.assembly.page')
    pdf = StateReport('coop.assembly.report')
    print_ = StateReport('coop.assembly.report')

    def default_start(self, fields):
        "Return what the report of the meeting is about"
        values = {}
        if self.model and self.model.__name__ == 'coop.meeting':
            meeting = self.record
            values['company'] = meeting.company.id
            if meeting.kind != 'board':
                values['meeting'] = meeting.id
            fiscalyears = [i.fiscalyear for i in meeting.items if i.fiscalyear]
            if fiscalyears:
                values['fiscalyear'] = fiscalyears[0].id
        return values

    def do_page(self, action):
        return self.do_print_(action)

    def do_pdf(self, action):
        action, data = self.do_print_(action)
        return action, {**data, 'pdf': True}

    def do_print_(self, action):
        meeting = self.start.meeting
        return action, {
            'ids': [self.start.fiscalyear.id],
            'model': 'account.fiscalyear',
            'meeting': meeting.id if meeting else None,
            }
