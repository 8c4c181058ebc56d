# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.rpc import RPC, RPCReturnException
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import ImportCompanyError
from .rows import read


class DryRun(RPCReturnException):
    "Give the answer back but undo what was stored to find it"

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def result(self):
        return self.answer


class ImportMixin:
    """A model that stores rows of text.

    The rows are a list of the number of a line and a mapping of the name of
    a column to its text.  All that is wrong with them is answered at once as
    a list of line, column and reason.
    """
    __slots__ = ()

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__rpc__.update({
                'check_rows': RPC(),
                'import_rows': RPC(readonly=False),
                })

    @classmethod
    def get_importer(cls, options):
        "Return the class of the importer of the rows"
        raise NotImplementedError

    @classmethod
    def check_rows(cls, rows, options=None):
        "Return the answer about rows without storing them"
        importer = cls._import_read(rows, options)
        return cls._import_answer(importer.rows)

    @classmethod
    def import_rows(cls, rows, on_error='stop', dry_run=False, options=None):
        """Store the rows and return the answer

        With `on_error` 'stop' none is stored if one has an error, with
        'skip' the others are.  With `dry_run` they are stored and rolled
        back, so that no rule is left out.
        """
        importer = cls._import_read(rows, options, lock=True)
        rows = importer.rows
        good = [row for row in rows if not row.errors]
        created, updated = set(), set()
        if on_error == 'skip' or len(good) == len(rows):
            importer.rows = good
            created, updated = importer.store()
            answer = cls._import_answer(
                rows, len(created), len(updated - created),
                len(good) - len(created | updated))
        else:
            answer = cls._import_answer(rows)
        if dry_run:
            raise DryRun(answer)
        return answer

    @classmethod
    def _import_read(cls, rows, options, lock=False):
        company = Transaction().context.get('company')
        if not company:
            raise ImportCompanyError(gettext('coop_import.msg_import_company'))
        Importer = cls.get_importer(options or {})
        importer = Importer(
            company, read(rows, Importer.columns), options or {})
        if lock:
            importer.lock()
        importer.resolve()
        return importer

    @classmethod
    def _import_answer(cls, rows, created=0, updated=0, unchanged=0):
        return {
            'created': created,
            'updated': updated,
            'unchanged': unchanged,
            'errors': [
                [error.line, error.column,
                    gettext(f'coop_import.{error.message}', **error.variables)]
                for row in rows for error in row.first_errors],
            }


class Importer:
    """The import of a batch of rows"""

    columns = {}

    def __init__(self, company, rows, options):
        self.company = company
        self.rows = rows
        self.options = options

    def lock(self):
        """Take the locks that storing needs

        Before anything else, because each starts the transaction again.
        """

    def resolve(self):
        "Replace names by records and add the errors to the rows"
        raise NotImplementedError

    def store(self):
        "Store the rows and return the sets of the created and updated ones"
        raise NotImplementedError

    def items(self, many=''):
        "Return the list of the row and the item that has the values"
        if not many:
            return [(row, row) for row in self.rows]
        return [
            (row, item) for row in self.rows
            for item in row.many.get(many, [])]

    def find(self, model, names, *names_fields, company=True):
        """Return the records of a model by what they are called

        `names_fields` are the fields that are looked at, the first ones win.
        """
        Model = Pool().get(model)
        domain = [('company', '=', self.company)] if company else []
        names = sorted(filter(None, names))
        found = {}
        for field in reversed(names_fields):
            for sub_names in grouped_slice(names, 500):
                for record in Model.search([
                            (field, 'in', list(sub_names)), domain]):
                    found[getattr(record, field)] = record
        return found

    def resolve_column(
            self, column, model, *names_fields, message=None, many='',
            company=True):
        "Replace the names in a column by the records"
        items = [
            (row, item) for row, item in self.items(many) if item[column]]
        records = self.find(
            model, {item[column] for _, item in items}, *names_fields,
            company=company)
        for row, item in items:
            name = item[column]
            item.values[column] = records.get(name)
            if name not in records:
                row.error(column, message, line=item.line, value=name)

    def resolve_user(self, *others, required=True):
        """Find who the row is about: a member, a party or one of the others

        `row.member` is the member and `row.user` the party, if any.
        """
        self.resolve_column(
            'party', 'party.party', 'code',
            message='msg_import_party', company=False)
        members = self.find(
            'coop.member', {row['member'] for row in self.rows}, 'number')
        columns = ['member', 'party', *others]
        for row in self.rows:
            row.member = members.get(row['member'])
            row.user = row.member.party if row.member else row['party']
            if row['member'] and not row.member:
                row.error('member', 'msg_import_member',
                    value=row['member'])
            filled = [c for c in columns if c in row.values]
            if not filled and required:
                row.error('member', 'msg_import_missing')
            elif len(filled) > 1:
                row.error(filled[1], 'msg_import_user',
                    columns=", ".join(filled))

    def check_currency(self, row, column):
        "Check the digits of an amount in the currency of the company"
        Company = Pool().get('company.company')
        currency = Company(self.company).currency
        amount = row[column]
        if amount is not None and currency.round(amount) != amount:
            row.error(column, 'msg_import_digits',
                value=amount, digits=currency.digits)


def update(record, values):
    "Set the values of a record and return if one is different"
    changed = False
    for name, value in values.items():
        if getattr(record, name, None) != value:
            setattr(record, name, value)
            changed = True
    return changed


def save(records):
    "Save the records of a model in slices"
    for sub_records in grouped_slice(records, 500):
        sub_records = list(sub_records)
        sub_records[0].__class__.save(sub_records)
