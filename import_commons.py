# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict

from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .columns import READING, USAGE
from .import_ import Importer, ImportMixin, save


class Usage(ImportMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.usage'

    @classmethod
    def get_importer(cls, options):
        return UsageImporter


class UsageImporter(Importer):

    columns = USAGE

    def resolve(self):
        self.resolve_column(
            'resource', 'coop.commons.resource', 'code', 'name',
            message='coop.msg_import_resource')
        self.resolve_column(
            'cost_center', 'analytic_account.account', 'code', 'name',
            message='coop.msg_import_cost_center')
        self.resolve_column(
            'unit', 'product.uom', 'symbol', 'name', many='quantities',
            message='coop.msg_import_unit', company=False)
        self.resolve_user('cost_center')
        for row in self.rows:
            resource = row['resource']
            for column in ['start', 'end']:
                if resource and row[column]:
                    row.values[column] = _utc(row[column], resource)
            start, end = row['start'], row['end']
            if resource and start and end and end < start:
                row.error('end', 'coop.msg_import_before',
                    value=end, other='start', limit=start)
            if not end and not row.many.get('quantities'):
                row.error('end', 'coop.msg_import_missing')
        self._find_usages()

    def _find_usages(self):
        Usage = Pool().get('coop.commons.usage')
        rows = defaultdict(list)
        for row in self.rows:
            row.usage = None
            rows[row['source'], row['external_id']].append(row)
        # Few at once and in the order in which they are read together
        for sub_rows in grouped_slice(self.rows, 500):
            for usage in Usage.search([
                        ('company', '=', self.company),
                        ('external_id', 'in', list({
                                    row['external_id'] for row in sub_rows})),
                        ]):
                for row in rows[usage.source, usage.external_id]:
                    if not row.usage:
                        row.usage = usage
                        if not row.errors:
                            self._check_same(row)

    def _check_same(self, row):
        "The ledger of usages is corrected, not changed"
        for name, value in [
                ('resource', row['resource']), ('member', row.member),
                ('party', row['party']), ('cost_center', row['cost_center']),
                ('start', row['start']), ('end', row['end']),
                ('seats', row['seats'])]:
            current = getattr(row.usage, name)
            if value != current and (
                    value is not None or name not in {'end', 'seats'}):
                row.error(name, 'coop.msg_import_usage_change',
                    value=_name(value), current=_name(current))
        quantities = {
            l.unit: l.quantity for l in row.usage.quantities
            if not l.computed}
        for item in row.many.get('quantities', []):
            current = quantities.pop(item['unit'], None)
            if item['quantity'] != current:
                row.error('quantity', 'coop.msg_import_usage_change',
                    line=item.line, value=item['quantity'],
                    current=_name(current))
        for unit, quantity in quantities.items():
            row.error('quantity', 'coop.msg_import_usage_change',
                value='', current=f'{quantity} {unit.symbol}')

    def store(self):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        rows = {row for row in self.rows if not row.usage}
        for row in rows:
            row.usage = Usage(
                company=self.company,
                resource=row['resource'],
                member=row.member,
                party=row['party'],
                cost_center=row['cost_center'],
                start=row['start'],
                end=row['end'],
                source=row['source'],
                external_id=row['external_id'],
                description=row['description'],
                received_at=dt.datetime.now(dt.timezone.utc).replace(
                    tzinfo=None, microsecond=0),
                quantities=[
                    Quantity(unit=item['unit'], quantity=item['quantity'])
                    for item in row.many.get('quantities', [])])
            if row['seats'] is not None:
                row.usage.seats = row['seats']
        usages = [row.usage for row in self.rows if row in rows]
        save(usages)
        Usage.confirm(Usage.browse(usages))
        return rows, rows


class Reading(ImportMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.reading'

    @classmethod
    def get_importer(cls, options):
        return ReadingImporter


class ReadingImporter(Importer):

    columns = READING

    def resolve(self):
        self.resolve_column(
            'resource', 'coop.commons.resource', 'code', 'name',
            message='coop.msg_import_resource')
        self.resolve_column(
            'cost_center', 'analytic_account.account', 'code', 'name',
            message='coop.msg_import_cost_center')
        self.resolve_user('cost_center', required=False)
        self._find_meters()
        for row in self.rows:
            row.values.setdefault('kind', 'end')
            if row['kind'] == 'exchange' and 'last_value' not in row.values:
                row.error('last_value', 'coop.msg_import_missing')
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
                row.error('meter', 'coop.msg_import_meter',
                    value=name, resource=resource.rec_name)
            if row['time']:
                row.values['time'] = _utc(row['time'], resource)

    def _find_readings(self):
        Reading = Pool().get('coop.commons.reading')
        good = [row for row in self.rows if not row.errors]
        readings = {
            (r.meter, r.time): r for r in Reading.search([
                    ('company', '=', self.company),
                    ('time', 'in', [row['time'] for row in good]),
                    ])}
        for row in self.rows:
            row.reading = None
        for row in good:
            row.reading = readings.get((row.meter, row['time']))
            if row.reading:
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
                row.error(name, 'coop.msg_import_reading_change',
                    value=_name(value), current=_name(current))

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
        return rows, rows


def _utc(time, resource):
    "Return the time in UTC, of the resource if it is a local one"
    if not time.tzinfo:
        time = time.replace(tzinfo=resource.zone)
    return time.astimezone(dt.timezone.utc).replace(
        tzinfo=None, microsecond=0)


def _name(value):
    return '' if value is None else getattr(value, 'rec_name', value)
