# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re

from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction
from trytond.wizard import Button, StateTransition, StateView

from .audit import Audit
from .datev import write_datev
from .spreadsheet import write_csv, write_ods


class AuditFileStart(ModelView):
    __name__ = 'coop.audit_file.start'
    __string__ = "Audit File"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The year whose books are handed to the auditor.")
    format = fields.Selection([
            ('ods', "Spreadsheet (ODS)"),
            ('csv', "Tables (CSV)"),
            ('datev', "DATEV"),
            ], "Format", required=True, sort=False,
        help="One spreadsheet with a sheet for each table, or an archive with "
        "a file for each.\n"
        "DATEV: the postings of the year, as tax advisers in Germany read "
        "them.")
    consultant = fields.Integer(
        "Consultant Number",
        domain=[
            If(Eval('format') == 'datev',
                [
                    ('consultant', '>=', 1001),
                    ('consultant', '<=', 9999999),
                    ],
                []),
            ],
        states={
            'invisible': Eval('format') != 'datev',
            'required': Eval('format') == 'datev',
            },
        help="The number that DATEV gave to the tax adviser.")
    client = fields.Integer(
        "Client Number",
        domain=[
            If(Eval('format') == 'datev',
                [
                    ('client', '>=', 1),
                    ('client', '<=', 99999),
                    ],
                []),
            ],
        states={
            'invisible': Eval('format') != 'datev',
            'required': Eval('format') == 'datev',
            },
        help="The number that the company has with its tax adviser.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_fiscalyear(cls):
        Start = Pool().get('coop.assembly.report.start')
        return Start.default_fiscalyear()

    @classmethod
    def default_format(cls):
        return 'ods'


class AuditFileResult(ModelView):
    __name__ = 'coop.audit_file.result'
    __string__ = "Audit File"

    file = fields.Binary("File", readonly=True, filename='filename')
    filename = fields.Char("File Name", readonly=True)
    differences = fields.Integer("Differences", readonly=True,
        states={
            'invisible': Eval('differences', None) == None,  # noqa: E711
            },
        help="How many of the controls in the file do not agree.")
    postings = fields.Integer("Postings", readonly=True,
        states={
            'invisible': Eval('postings', None) == None,  # noqa: E711
            },
        help="How many postings the file has.")


class AuditFile(CheckedWizard):
    __name__ = 'coop.audit_file'
    __string__ = "Audit File"
    start = StateView(
        'coop.audit_file.start', 'coop.audit_file_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Export", 'export', 'tryton-ok', default=True),
            ])
    export = StateTransition()
    result = StateView(
        'coop.audit_file.result', 'coop.audit_file_result_view_form', [
            Button("Close", 'end', 'tryton-close', default=True),
            ])

    def transition_export(self):
        start, result = self.start, self.result
        result.differences = result.postings = None
        prefix, extension = 'audit', 'zip'
        with Transaction().set_context(company=start.company.id):
            audit = Audit(start.fiscalyear)
            if start.format == 'datev':
                content, result.postings = write_datev(
                    start.fiscalyear, audit.moves, start.consultant,
                    start.client)
                prefix = 'EXTF'
            else:
                tables = audit.tables
                if start.format == 'csv':
                    content = write_csv(tables)
                else:
                    content, extension = write_ods(tables), 'ods'
                result.differences = sum(
                    1 for *_, difference in audit.control.rows if difference)
        result.file = result.__class__.file.cast(content)
        name = re.sub(r'[^\w.-]+', '_', start.fiscalyear.name)
        result.filename = f'{prefix}_{name}.{extension}'
        return 'result'

    def default_result(self, fields):
        file = self.result.file
        # It need not stay in the session
        self.result.file = None
        return {
            'file': file,
            'filename': self.result.filename,
            'differences': self.result.differences,
            'postings': self.result.postings,
            }
