# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly import Assembly
from .formats import get_formats


class AssemblyReport(CompanyReport):
    __name__ = 'coop.assembly.report'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Meeting = pool.get('coop.meeting')
        context = super().get_context(records, header, data)
        fiscalyear = FiscalYear(records[0].id)
        company = fiscalyear.company
        meeting = data.get('meeting')
        with Transaction().set_context(company=company.id):
            context.update(
                assembly=Assembly(
                    fiscalyear, Meeting(meeting) if meeting else None),
                company=company,
                fiscalyear=fiscalyear,
                today=Date.today(),
                **get_formats(cls, company.currency))
        return context
