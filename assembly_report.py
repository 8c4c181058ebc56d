# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from base64 import b64encode

from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.transaction import Transaction, without_check_access

from .assembly import Assembly
from .formats import get_formats
from .pdf import PdfMixin


class AssemblyReport(PdfMixin, CompanyReport):
    __name__ = 'coop.assembly.report'

    @classmethod
    def _execute(cls, records, header, data, action):
        # Who may print it need not read what its figures come from
        with without_check_access():
            return super()._execute(records, header, data, action)

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Meeting = pool.get('coop.meeting')
        context = super().get_context(records, header, data)
        fiscalyear = FiscalYear(records[0].id)
        company = fiscalyear.company
        meeting = None
        if data.get('meeting'):
            meetings = Meeting.search([
                    ('id', '=', data['meeting']),
                    ('company', '=', company.id),
                    ])
            meeting = meetings[0] if meetings else None
        with Transaction().set_context(company=company.id):
            context.update(
                assembly=Assembly(fiscalyear, meeting),
                company=company,
                fiscalyear=fiscalyear,
                today=Date.today(),
                **get_formats(cls, company.currency))
        return context


class AssemblyPage(AssemblyReport):
    __name__ = 'coop.assembly.page'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)

        def image(picture):
            "Return the picture as an address, so that it is in the page"
            content, mimetype = picture
            return f'data:{mimetype};base64,{b64encode(content).decode()}'
        context['image'] = image
        return context
