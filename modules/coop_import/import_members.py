# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from functools import partial
from pathlib import Path

from trytond.exceptions import UserError, UserWarning
from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction, check_access
from trytond.wizard import Button, StateTransition, StateView

from .exceptions import ImportFileError
from .importer import DryRun
from .process import Process, RefusedError
from .profile import ProfileError, list_profiles, load_profile, read_profile

try:
    from .table import FileError, Table
except ImportError:
    Table = None

EXAMPLE = Path(__file__).parent / 'members.csv'
# Of which no two members have the same
UNIQUE = [
    ('number',), ('party_code',), ('identifier_type', 'identifier'),
    ('mandate',)]
# What tells who it is without a number
ALIKE = [
    ('name', 'first_name', 'last_name', 'email'),
    ('name', 'first_name', 'last_name', 'iban')]


class ImportMembersStart(ModelView):
    __name__ = 'coop.member.import.start'
    __string__ = "Import Members"

    company = fields.Many2One('company.company', "Company", required=True)
    file = fields.Binary("File", filename='filename', required=True,
        help="A CSV or Excel file with a member in each row and the names of "
        "the columns in the first one.")
    filename = fields.Char("Filename")
    example = fields.Binary("Example", filename='example_filename',
        readonly=True,
        help="A file to start from: the columns that are not needed can be "
        "left out.")
    example_filename = fields.Char("Filename", readonly=True)
    profile = fields.Selection(
        'get_profiles', "Profile", sort=False, translate=False,
        help="The program that has written the file.\n"
        "Leave empty if its columns are named as in the documentation.")
    profile_file = fields.Binary("Own Profile",
        help="A text file that tells how the columns and their texts are "
        "named.")
    category = fields.Many2One(
        'coop.member.category', "Category",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The category of all the members, if the file has none.")
    date_format = fields.Selection([
            (None, ""),
            ('%d.%m.%Y', "31.12.2026"),
            ('%d/%m/%Y', "31/12/2026"),
            ('%d-%m-%Y', "31-12-2026"),
            ('%m/%d/%Y', "12/31/2026"),
            ], "Dates as", sort=False, translate=False,
        help="How dates are written.\n"
        "Leave empty if they are written as 2026-12-31.")
    decimal_mark = fields.Selection([
            (None, ""),
            (',', "1.234,56"),
            ('.', "1,234.56"),
            ], "Numbers as", sort=False, translate=False,
        help="How numbers are written.\n"
        "Leave empty to find it out.")
    encoding = fields.Char("Encoding",
        help="The encoding of a text file, as cp1252.\n"
        "Leave empty to find it out.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_example(cls):
        return EXAMPLE.read_bytes()

    @classmethod
    def default_example_filename(cls):
        return EXAMPLE.name

    @classmethod
    def get_profiles(cls):
        return [(None, ""), *list_profiles().items()]

    def get_reading(self):
        "Return the arguments of the table"
        reading = {'constants': {}}
        try:
            # One of them, as a mixture would be of no program
            if self.profile_file:
                reading.update(read_profile(
                        self.profile_file.decode('utf-8-sig')))
            elif self.profile:
                reading.update(load_profile(self.profile))
        except UnicodeDecodeError:
            raise ImportFileError(gettext(
                    'coop_import.msg_import_profile_encoding')) from None
        except ProfileError as error:
            raise ImportFileError(gettext(
                    'coop_import.msg_import_profile',
                    reason=error)) from error
        if self.category:
            reading['constants']['category'] = (
                self.category.code or self.category.name)
        for name in ['encoding', 'date_format', 'decimal_mark']:
            value = getattr(self, name)
            if value:
                reading[name] = value
        return reading


class ImportMembersResult(ModelView):
    __name__ = 'coop.member.import.result'
    __string__ = "Import Members"

    stored = fields.Boolean("Stored", readonly=True)
    rows = fields.Integer("Rows Read", readonly=True)
    created = fields.Integer("New", readonly=True)
    updated = fields.Integer("Changed", readonly=True)
    unchanged = fields.Integer("Unchanged", readonly=True)
    rejected = fields.Integer("Rejected", readonly=True)
    notice = fields.Text("How It Is Read", readonly=True,
        states={
            'invisible': ~Eval('notice'),
            })
    reasons = fields.One2Many(
        'coop.member.import.reason', None, "Reasons", readonly=True)
    rejects = fields.Binary("Rejected Rows", filename='rejects_filename',
        readonly=True,
        states={
            'invisible': ~Eval('rejected', 0),
            },
        help="The rejected rows as they were, with the reasons: "
        "correct them and import the file again.")
    rejects_filename = fields.Char("Filename", readonly=True)


class ImportMembersReason(ModelView):
    __name__ = 'coop.member.import.reason'
    __string__ = "Reason"

    kind = fields.Selection([
            ('rejected', "Rejected"),
            ('warning', "Warning"),
            ], "Kind", readonly=True)
    line = fields.Integer("Line", readonly=True)
    column = fields.Char("Column", readonly=True)
    text = fields.Text("Reason", readonly=True)


class ImportMembers(CheckedWizard):
    __name__ = 'coop.member.import'

    start = StateView('coop.member.import.start',
        'coop_import.import_members_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Check", 'check', 'tryton-forward', default=True),
            ])
    check = StateTransition()
    report = StateView('coop.member.import.result',
        'coop_import.import_members_result_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Back", 'start', 'tryton-back'),
            Button("Import", 'import_', 'tryton-ok', default=True,
                states={
                    'readonly': (
                        (Eval('created', 0) == 0)
                        & (Eval('updated', 0) == 0)),
                    }),
            ])
    import_ = StateTransition()
    done = StateView('coop.member.import.result',
        'coop_import.import_members_result_view_form', [
            Button("Close", 'end', 'tryton-close', default=True),
            ])

    def transition_check(self):
        self._run(self.report, dry_run=True)
        return 'report'

    def transition_import_(self):
        self._run(self.done, dry_run=False)
        return 'done'

    def default_start(self, fields):
        # Going back keeps what was chosen
        values = {
            name: getattr(self.start, name) for name in fields
            if name not in {'company', 'example', 'example_filename'}
            and hasattr(self.start, name)}
        if values.get('category'):
            values['category'] = values['category'].id
        return values

    def default_report(self, fields):
        return self._get_values(self.report)

    def default_done(self, fields):
        return self._get_values(self.done)

    def _get_values(self, result):
        values = {
            name: getattr(result, name) for name in [
                'stored', 'rows', 'created', 'updated', 'unchanged',
                'rejected', 'notice', 'rejects', 'rejects_filename']}
        values['reasons'] = [{
                name: getattr(reason, name)
                for name in ['kind', 'line', 'column', 'text']}
            for reason in result.reasons]
        return values

    def _run(self, view, dry_run):
        "Import the file, or try to, and show what becomes of its rows"
        Reason = Pool().get('coop.member.import.reason')
        if not Table:
            raise ImportFileError(gettext('coop_import.msg_import_library'))
        Member = Pool().get('coop.member')
        columns = Member.get_importer({}).columns
        table = Table(
            columns, unique=UNIQUE, alike=ALIKE, **self.start.get_reading())
        try:
            table.load(self.start.file)
        except FileError as error:
            raise ImportFileError(_translate(error)) from error
        process = Process(
            table, partial(_send, self.start.company), _translate,
            on_error='skip', dry_run=dry_run)
        try:
            result = process.run()
        except RefusedError as error:
            raise ImportFileError(str(error)) from error
        view.stored = not dry_run
        for name in ['rows', 'created', 'updated', 'unchanged', 'rejected']:
            setattr(view, name, getattr(result, name))
        view.notice = _describe(table)
        view.reasons = [
            Reason(kind=kind, line=reason.line, column=reason.column,
                text=reason.text)
            for kind, reasons in [
                ('rejected', result.reasons), ('warning', result.warnings)]
            for reason in reasons]
        view.rejects = view.rejects_filename = None
        if result.reasons:
            view.rejects = process.get_rejects(result)
            extension = 'xlsx' if table.is_workbook else 'csv'
            name = (self.start.filename or '').rpartition('.')[0]
            view.rejects_filename = f"{name or 'members'}.rejects.{extension}"


def _translate(error):
    return gettext(f'coop_import.{error.message}', **error.variables)


def _send(company, rows, on_error, dry_run):
    "Import rows by the rights of the user"
    Member = Pool().get('coop.member')
    transaction = Transaction()
    try:
        with transaction.set_context(company=company.id), check_access():
            answer = Member.import_rows(rows, on_error, dry_run)
    except DryRun as tried:
        transaction.rollback()
        answer = tried.answer
    except (UserError, UserWarning) as error:
        transaction.rollback()
        raise RefusedError(error.message) from error
    return answer


def _describe(table):
    "Return how the file is read, where that is not sure"
    lines = []
    if table.ignored:
        lines.append(gettext('coop_import.msg_import_ignored',
                columns=", ".join(table.ignored)))
    if table.other_sheets:
        lines.append(gettext('coop_import.msg_import_sheet',
                sheet=table.sheet, others=", ".join(table.other_sheets)))
    if table.has_guessed:
        line, text = table.sample
        lines.append(gettext('coop_import.msg_import_sample',
                encoding=table.encoding, text=text, line=line))
    return '\n'.join(lines)
