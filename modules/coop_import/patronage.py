# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.pool import Pool, PoolMeta

from .columns import PATRONAGE
from .importer import Importer, ImportMixin, pair, save, update


class Entry(ImportMixin, metaclass=PoolMeta):
    __name__ = 'coop.patronage.entry'

    @classmethod
    def get_importer(cls, options):
        return EntryImporter


class EntryImporter(Importer):

    columns = PATRONAGE

    def resolve(self):
        self.resolve_column(
            'category', 'coop.patronage.category', 'code', 'name',
            message='msg_import_patronage_category')
        self.resolve_user()
        for row in self.rows:
            category = row['category']
            if not category:
                continue
            if category.source != 'entry':
                row.error('category', 'msg_import_category_source',
                    category=category.rec_name)
            elif category.measure not in row.values:
                row.error(category.measure, 'msg_import_missing')
        self._find_entries()

    def _find_entries(self):
        Entry = Pool().get('coop.patronage.entry')
        rows = []
        for row in self.rows:
            row.entry = None
            if row['category']:
                rows.append(row)
        rows.sort(key=lambda row: row['category'].id)
        for category, c_rows in groupby(rows, key=lambda r: r['category']):
            c_rows = list(c_rows)
            domain = [
                ('company', '=', self.company),
                ('category', '=', category.id),
                ]
            named = [row for row in c_rows if row['external_id']]
            entries = {
                e.external_id: e for e in Entry.search([
                        *domain,
                        ('external_id', 'in', [
                                row['external_id'] for row in named]),
                        ])}
            for row in named:
                row.entry = entries.get(row['external_id'])
                if row.entry and not self.options.get('update'):
                    self._check_same(row)
            self._find_equal(
                [row for row in c_rows if 'external_id' not in row.values
                    and not row.errors], domain)

    def _find_equal(self, rows, domain):
        "Find the entries that are known by their values only"
        Entry = Pool().get('coop.patronage.entry')
        entries = self.unclaimed(Entry.search([
                    *domain,
                    ('external_id', '=', None),
                    ('date', 'in', list({row['date'] for row in rows})),
                    ], order=[('id', 'ASC')])) if rows else []
        for row, entry, _ in pair([
                    ((row.user, row['date'], row['quantity'],
                            row['amount'], row['description']), None, row)
                    for row in rows], [
                    ((e.party, e.date, e.quantity, e.amount,
                            e.description or None), None, e)
                    for e in entries]):
            row.entry = entry
            if entry:
                self.claim([entry])

    def _check_same(self, row):
        for column, value in [
                ('member', row.user), ('date', row['date']),
                ('quantity', row['quantity']), ('amount', row['amount'])]:
            name = 'party' if column == 'member' else column
            current = getattr(row.entry, name)
            if value is not None and value != current:
                if column == 'member' and 'member' not in row.values:
                    column = 'party'
                row.error(column, 'msg_import_entry_change',
                    value=getattr(value, 'rec_name', value),
                    current=getattr(current, 'rec_name', current))

    def store(self):
        Entry = Pool().get('coop.patronage.entry')
        created, updated, entries = set(), set(), []
        for row in self.rows:
            values = {
                'party': row.user,
                'date': row['date'],
                }
            for name in ['quantity', 'amount', 'description']:
                if row[name] is not None:
                    values[name] = row[name]
            if row.entry:
                entry = row.entry
            else:
                entry = Entry(
                    company=self.company, category=row['category'],
                    external_id=row['external_id'])
                created.add(row)
            if update(entry, values):
                entries.append(entry)
                updated.add(row)
        save(entries)
        self.claim(entries)
        return created, updated
