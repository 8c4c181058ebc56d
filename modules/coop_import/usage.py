# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict

from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .columns import USAGE
from .importer import Importer, ImportMixin, save


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
            message='msg_import_resource')
        self.resolve_column(
            'cost_center', 'analytic_account.account', 'code', 'name',
            message='msg_import_cost_center')
        self.resolve_column(
            'unit', 'product.uom', 'symbol', 'name', many='quantities',
            message='msg_import_unit', company=False)
        self.resolve_user('cost_center')
        for row in self.rows:
            resource = row['resource']
            for column in ['start', 'end']:
                if resource and row[column]:
                    row.values[column] = utc(row[column], resource)
            start, end = row['start'], row['end']
            if resource and start and end and end < start:
                row.error('end', 'msg_import_before',
                    value=end, other='start', limit=start)
            if not end and not row.many.get('quantities'):
                row.error('end', 'msg_import_missing')
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
                row.error(name, 'msg_import_usage_change',
                    value=get_name(value), current=get_name(current))
        quantities = {
            l.unit: l.quantity for l in row.usage.quantities
            if not l.computed}
        for item in row.many.get('quantities', []):
            current = quantities.pop(item['unit'], None)
            if item['quantity'] != current:
                row.error('quantity', 'msg_import_usage_change',
                    line=item.line, value=item['quantity'],
                    current=get_name(current))
        for unit, quantity in quantities.items():
            row.error('quantity', 'msg_import_usage_change',
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


def utc(time, resource):
    "Return the time in UTC, of the resource if it is a local one"
    if not time.tzinfo:
        time = time.replace(tzinfo=resource.zone)
    return time.astimezone(dt.timezone.utc).replace(
        tzinfo=None, microsecond=0)


def get_name(value):
    return '' if value is None else getattr(value, 'rec_name', value)
