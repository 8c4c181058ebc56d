# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta

from .columns import READING
from .importer import Importer, ImportMixin, pair, save
from .usage import get_name


class Reading(ImportMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.reading'

    @classmethod
    def get_importer(cls, options):
        return ReadingImporter


class ReadingImporter(Importer):

    columns = READING

    def prepare(self):
        self.read_times(
            lambda row, resource: (resource, row['meter']), 'time')

    def resolve(self):
        self.resolve_column(
            'resource', 'coop.commons.resource', 'code', 'name',
            message='msg_import_resource')
        self.resolve_column(
            'cost_center', 'analytic_account.account', 'code', 'name',
            message='msg_import_cost_center')
        self.resolve_user('cost_center', required=False)
        self._find_meters()
        for row in self.rows:
            row.values.setdefault('kind', 'end')
            if row['kind'] == 'exchange' and 'last_value' not in row.values:
                row.error('last_value', 'msg_import_missing')
        self._find_readings()

    def _find_meters(self):
        Meter = Pool().get('coop.commons.meter')
        meters = {
            (m.resource, m.name): m for m in Meter.search([
                    ('company', '=', self.company),
                    ('resource', 'in', [
                            r['resource'].id for r in self.rows
                            if r['resource']]),
                    ])}
        for row in self.rows:
            resource, name = row['resource'], row['meter']
            row.meter = meters.get((resource, name))
            if not resource:
                continue
            if name and not row.meter:
                row.error('meter', 'msg_import_meter',
                    value=name, resource=resource.rec_name)

    def _find_readings(self):
        Reading = Pool().get('coop.commons.reading')
        for row in self.rows:
            row.reading = None
        good = [row for row in self.rows if not row.errors]
        readings = self.unclaimed(Reading.search([
                    ('company', '=', self.company),
                    ('meter', 'in', list({row.meter.id for row in good})),
                    ('time', 'in', list({row['time'] for row in good})),
                    ], order=[('id', 'ASC')])) if good else []
        for row, reading, same in pair([
                    ((row.meter, row['time']), (
                            row['kind'], row['value'], row['last_value'],
                            row.member, row['party'], row['cost_center']),
                        row) for row in good], [
                    ((r.meter, r.time), (
                            r.kind, r.value, r.last_value, r.member, r.party,
                            r.cost_center), r) for r in readings]):
            row.reading = reading
            if reading:
                self.claim([reading])
                if not same:
                    self._check_same(row)

    def _check_same(self, row):
        "What was read is not changed"
        for name, value in [
                ('kind', row['kind']), ('value', row['value']),
                ('last_value', row['last_value']), ('member', row.member),
                ('party', row['party']),
                ('cost_center', row['cost_center'])]:
            current = getattr(row.reading, name)
            if value != current:
                row.error(name, 'msg_import_reading_change',
                    value=get_name(value), current=get_name(current))

    def store(self):
        Reading = Pool().get('coop.commons.reading')
        rows = {row for row in self.rows if not row.reading}
        for row in rows:
            row.reading = Reading(
                company=self.company,
                meter=row.meter,
                time=row['time'],
                kind=row['kind'],
                value=row['value'],
                last_value=row['last_value'],
                member=row.member,
                party=row['party'],
                cost_center=row['cost_center'])
        readings = [row.reading for row in self.rows if row in rows]
        save(readings)
        Reading.do(Reading.browse(readings))
        self.claim(readings)
        return rows, rows
