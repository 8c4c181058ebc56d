# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict

from trytond.modules.coop_commons.intake import find_booking_problem, get_clock
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

    def prepare(self):
        self.read_times(
            self._get_clock, 'start', 'end', self._get_known())

    def _get_clock(self, row, resource):
        "Return what the uses that follow each other have in common"
        return get_clock(resource, (
                row['member'], row['party'], row['cost_center'],
                row['booking']))

    def _get_known(self):
        "Return by row the times of the usages that are there already"
        Usage = Pool().get('coop.commons.usage')
        rows = {
            (row['source'], row['external_id']): row for row in self.rows
            if row['start'] and not row['start'].tzinfo}
        known = {}
        for sub_keys in grouped_slice(list(rows), 500):
            for values in Usage.search_read([
                        ('company', '=', self.company),
                        ('external_id', 'in', [id_ for _, id_ in sub_keys]),
                        ], fields_names=[
                        'source', 'external_id', 'start', 'end']):
                row = rows.get((values['source'], values['external_id']))
                if row:
                    known[row] = values['start'], values['end']
        return known

    def resolve(self):
        self.resolve_column(
            'booking', 'coop.commons.booking', 'number',
            message='msg_import_booking')
        self.resolve_column(
            'resource', 'coop.commons.resource', 'code', 'name',
            message='msg_import_resource')
        self.resolve_column(
            'cost_center', 'analytic_account.account', 'code', 'name',
            message='msg_import_cost_center')
        self._find_units()
        self._set_booking()
        self.resolve_column(
            'person', 'party.party', 'code', message='msg_import_party',
            company=False)
        self.resolve_user('cost_center')
        for row in self.rows:
            resource = row['resource']
            start, end = row['start'], row['end']
            if resource and start and end and end < start:
                row.error('end', 'msg_import_before',
                    value=end, other='start', limit=start)
            if not end and not row.many.get('quantities'):
                row.error('end', 'msg_import_missing')
        self._find_usages()

    def _find_units(self):
        Uom = Pool().get('product.uom')
        items = [
            (row, item) for row, item in self.items('quantities')
            if item['unit']]
        units = Uom.find_written({item['unit'] for _, item in items})
        for row, item in items:
            text = item['unit']
            item.values['unit'] = units.get(text)
            if not units.get(text):
                row.error('unit',
                    'msg_import_several' if text in units
                    else 'msg_import_unit', line=item.line, value=text)

    def _set_booking(self):
        "Take from the booking what the row does not tell"
        for row in self.rows:
            booking = row['booking']
            if not booking:
                continue
            if 'resource' not in row.values:
                row.values['resource'] = booking.resource
            if not {'member', 'party', 'cost_center'} & row.values.keys():
                user = booking.user
                for column, value in [
                        ('member', booking.member and user.number),
                        ('party', booking.party and user.code),
                        ('cost_center', booking.cost_center)]:
                    if value:
                        row.values[column] = value
            if row['seats'] is None:
                row.values['seats'] = booking.quantity
            if row['person'] is None and booking.person:
                row.values['person'] = booking.person.code

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
        used = set()
        for row in self.rows:
            if row['booking'] and not (row.usage or row.errors):
                problem = find_booking_problem(
                    row['booking'], row['resource'],
                    row.member or row['party'] or row['cost_center'], used)
                if problem:
                    column, message, variables = problem
                    row.error(
                        'booking' if column == 'user' else column, message,
                        **variables)
                used.add(row['booking'])

    def _check_same(self, row):
        "The ledger of usages is corrected, not changed"
        Usage = Pool().get('coop.commons.usage')
        for name, value in [
                ('resource', row['resource']), ('member', row.member),
                ('party', row['party']), ('cost_center', row['cost_center']),
                ('person', row['person']),
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
        if not quantities:
            return
        needed = {
            u.category for units in Usage.find_needed([row.usage]).values()
            for u in units}
        for unit, quantity in quantities.items():
            if unit.category in needed:
                # It waited for it, and it was entered since
                continue
            row.error('quantity', 'msg_import_usage_change',
                value='', current=f'{quantity} {unit.symbol}')

    def store(self):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
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
                person=row['person'],
                start=row['start'],
                end=row['end'],
                source=row['source'],
                external_id=row['external_id'],
                description=row['description'],
                booking=row['booking'],
                received_at=dt.datetime.now(dt.timezone.utc).replace(
                    tzinfo=None, microsecond=0),
                quantities=[
                    Quantity(unit=item['unit'], quantity=item['quantity'])
                    for item in row.many.get('quantities', [])])
            if row['seats'] is not None:
                row.usage.seats = row['seats']
        usages = [row.usage for row in self.rows if row in rows]
        save(usages)
        Booking.replace_uses([u.booking for u in usages if u.booking])
        usages = Usage.browse(usages)
        waiting = Usage.find_missing(usages)
        Usage.confirm([u for u in usages if u not in waiting])
        return rows, rows


def get_name(value):
    return '' if value is None else getattr(value, 'rec_name', value)
