# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import logging
from collections import defaultdict
from decimal import Decimal

from trytond import backend
from trytond.i18n import gettext
from trytond.modules.coop_commons.local_time import (
    Stretch, TimeError, read_stretches)
from trytond.modules.coop_membership.notification_email import NO_LETTERS
from trytond.pool import Pool
from trytond.rpc import RPC, RPCReturnException
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, without_check_access

from .exceptions import ImportCompanyError
from .rows import Amount, read

logger = logging.getLogger(__name__)
SLICE = 500


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
                'import_rows': RPC(readonly=False),
                })

    @classmethod
    def get_importer(cls, options):
        "Return the class of the importer of the rows"
        raise NotImplementedError

    @classmethod
    def import_rows(cls, rows, on_error='stop', dry_run=False, options=None):
        """Store the rows and return the answer

        With `on_error` 'stop' none is stored if one has an error, with
        'skip' the others are.  With `dry_run` they are stored and rolled
        back, so that no rule is left out.
        """
        transaction = Transaction()
        if backend.name == 'sqlite':
            # Now and then Tryton's cache lets the only connection commit
            # each statement: what is refused later would stay
            transaction.database.get_connection()
        company = transaction.context.get('company')
        if not company:
            raise ImportCompanyError(
                gettext('coop_import.msg_import_company'))
        Importer = cls.get_importer(options or {})
        importer = Importer(
            company, read(rows, Importer.columns), options or {})
        # What is brought in is known to the members
        with Transaction().set_context(**{NO_LETTERS: True}):
            answer = importer.run(on_error)
        if dry_run or importer.must_undo:
            raise DryRun(answer)
        return answer


class Importer:
    "The import of rows in one transaction"

    columns = {}

    def __init__(self, company, rows, options):
        self.company = company
        self.rows = rows
        self.options = options
        # The records that a row is already, or has become
        self.claimed = set()
        self.must_undo = False

    def run(self, on_error):
        "Store the rows, in slices, and return what has become of them"
        rows = self.rows
        self.lock()
        self.prepare()
        answer = dict.fromkeys(['created', 'updated', 'unchanged'], 0)
        answer.update(errors=[], warnings=[])
        done, stored = 0, False
        for sub_rows in grouped_slice(rows, SLICE):
            sub_rows = self.rows = list(sub_rows)
            self._check_currencies()
            self.resolve()
            self.rows = [row for row in sub_rows if not row.errors]
            if on_error == 'stop' and (
                    answer['errors'] or len(self.rows) < len(sub_rows)):
                self.must_undo = stored
                created = updated = set()
            else:
                stored = True
                created, updated = self.store()
                for row in self.rows:
                    name = (
                        'created' if row in created
                        else 'updated' if row in updated else 'unchanged')
                    answer[name] += len(row.lines)
            for row in sub_rows:
                answer['errors'].extend(map(_explain, row.first_errors))
                answer['warnings'].extend(map(_explain, row.warnings))
                row.clear()
            _store_log()
            done += len(sub_rows)
            logger.info("%s of %s rows", done, len(rows))
        if stored:
            self.finish()
        if on_error == 'stop' and answer['errors']:
            answer.update(created=0, updated=0, unchanged=0)
        return answer

    def lock(self):
        """Take the locks that storing needs

        Before anything else, because each starts the transaction again.
        """

    def prepare(self):
        "Read what follows from the order of all the rows"

    def resolve(self):
        "Replace names by records and add the errors to the rows"
        raise NotImplementedError

    def store(self):
        "Store the rows and return the sets of the created and updated ones"
        raise NotImplementedError

    def finish(self):
        "Do what is done once all are stored"

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
        Several records that are called the same are None.
        """
        Model = Pool().get(model)
        domain = [('company', '=', self.company)] if company else []
        names = sorted(filter(None, names))
        found = {}
        for field in reversed(names_fields):
            same = defaultdict(list)
            for sub_names in grouped_slice(names, SLICE):
                for record in Model.search([
                            (field, 'in', list(sub_names)), domain]):
                    same[getattr(record, field)].append(record)
            found.update(same)
        return {
            name: records[0] if len(records) == 1 else None
            for name, records in found.items()}

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
            elif not records[name]:
                row.error(column, 'msg_import_several', line=item.line,
                    value=name)

    def read_times(self, get_clock, start, end=None, known=None):
        """Read the times of all the rows, which are local at their resource

        `start` and `end` are columns, and `get_clock` tells by the row and
        its resource which ones follow each other.  `known` are the times of
        the rows that are stored already.
        """
        resources = self.find(
            'coop.commons.resource', {row['resource'] for row in self.rows},
            'code', 'name')
        bookings = self.find(
            'coop.commons.booking', {row['booking'] for row in self.rows},
            'number')
        rows, stretches = [], []
        for row in self.rows:
            booking = bookings.get(row['booking'])
            resource = resources.get(row['resource']) or (
                booking and booking.resource)
            if not resource or not row[start]:
                continue
            rows.append(row)
            stretches.append(Stretch(
                    get_clock(row, resource), resource.zone, row[start],
                    row[end] if end else None,
                    (known or {}).get(row, (None, None))))
        for row, instants in zip(rows, read_stretches(stretches)):
            for column, instant in zip([start, end], instants):
                if isinstance(instant, TimeError):
                    row.error(column, 'msg_import_time_missing',
                        value=row[column])
                    row.values[column] = None
                    break
                elif column:
                    row.values[column] = instant

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
            # A booking tells the user, if there is one
            if not filled and required and 'booking' not in row.values:
                row.error('member', 'msg_import_missing')
            elif len(filled) > 1:
                row.error(filled[1], 'msg_import_user',
                    columns=", ".join(filled))

    def _check_currencies(self):
        "Check the amounts are in the currency of the company"
        Company = Pool().get('company.company')
        currency = Company(self.company).currency
        signs = {'', currency.code, currency.symbol}
        for name, column in self.columns.items():
            if not isinstance(column.type, Amount):
                continue
            for row, item in self.items(column.many):
                amount = item[name]
                if amount is None:
                    continue
                item.values[name] = Decimal(amount)
                if amount.sign not in signs:
                    row.error(name, 'msg_import_currency', line=item.line,
                        value=amount.sign, currency=currency.code)
                elif currency.round(amount) != amount:
                    row.error(name, 'msg_import_digits', line=item.line,
                        value=amount, digits=currency.digits)

    def unclaimed(self, records):
        "Return the records that no row before is about"
        return [r for r in records if (r.__name__, r.id) not in self.claimed]

    def claim(self, records):
        self.claimed.update((r.__name__, r.id) for r in records)


def _store_log():
    "Store what is logged, which is kept with its records until the end"
    log_records = Transaction().log_records
    with without_check_access():
        save(log_records)
    log_records.clear()


def _explain(error):
    # What another module says has its name
    module = '' if '.' in error.message else 'coop_import.'
    return [
        error.line, error.column,
        gettext(module + error.message, **error.variables)]


def pair(items, records):
    """Return a list of the items with the record that each is about

    Both are lists of (key, values, object).  Equal items are as many records:
    each takes one.  What is left with the key of another record differs from
    it; what is left without is new.
    """
    equal, left, result = defaultdict(list), [], []
    for key, values, record in reversed(records):
        equal[key, values].append(record)
    taken = set()
    for key, values, item in items:
        if equal[key, values]:
            record = equal[key, values].pop()
            taken.add(record)
            result.append((item, record, True))
        else:
            left.append((key, item))
    others = defaultdict(list)
    for key, _, record in reversed(records):
        if record not in taken:
            others[key].append(record)
    for key, item in left:
        record = others[key].pop() if others[key] else None
        result.append((item, record, False))
    return result


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
