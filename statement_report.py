# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.transaction import Transaction

from .formats import get_formats
from .pdf import PdfMixin
from .statement import Statements


class MemberStatement(PdfMixin, CompanyReport):
    __name__ = 'coop.member.statement'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Member = pool.get('coop.member')
        context = super().get_context(records, header, data)
        if data.get('fiscalyear'):
            fiscalyear = FiscalYear(data['fiscalyear'])
        else:
            Start = pool.get('coop.assembly.report.start')
            fiscalyear = FiscalYear(Start.default_fiscalyear())
        company = fiscalyear.company
        with Transaction().set_context(company=company.id):
            context.update(
                company=company,
                fiscalyear=fiscalyear,
                statements=Statements(
                    fiscalyear, Member.browse([int(r) for r in records])),
                today=Date.today(),
                **get_formats(cls, company.currency))
        return context
