# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from functools import cached_property

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case

from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly_table import Table, text, title
from .figures import Row, fetch, total


class CommonsFigures:
    "What the commons cost and how they are used"

    @cached_property
    def cost_pools(self):
        return self._beside('_cost_pools')

    @cached_property
    def _cost_pools(self):
        "What the cost pools cost and were charged"
        pool = Pool()
        CostPoolYear = pool.get('coop.commons.cost_pool.year')
        Rate = pool.get('coop.commons.rate')
        years = CostPoolYear.search([
                ('company', '=', self.company.id),
                ('fiscalyear', '=', self.fiscalyear.id),
                ])
        rates = {r.cost_pool: r.rate for r in Rate.search([
                    ('company', '=', self.company.id),
                    ('base', '=', self.fiscalyear.id),
                    ('state', '!=', 'cancelled'),
                    ], order=[('valid_from', 'ASC'), ('id', 'ASC')])}
        return [
            Row(key=year.cost_pool,
                name=year.cost_pool.name,
                cost=year.cost,
                units=year.units,
                unit_cost=year.unit_cost,
                charged=year.charged,
                difference=year.difference,
                idle=year.idle,
                rate=rates.get(year.cost_pool))
            for year in years]

    @property
    def cost_pools_table(self):
        money, number = self.formats['money'], self.formats['number']
        table = Table([
                ('cost', money),
                ('units', self.formats['tenth']),
                ('unit_cost', number),
                ('charged', money),
                ('difference', money),
                ('idle', self.formats['percent1']),
                ('rate', number, title('proposed_rate')),
                ], label=title('cost_pool'))
        for row in self.cost_pools:
            table.add_years(row.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.cost_pools_total,
            'total')
        return table

    @cached_property
    def settlements(self):
        "How the difference of each cost pool is settled"
        Settlement = Pool().get('coop.commons.settlement')
        rows = []
        for settlement in Settlement.search([
                    ('company', '=', self.company.id),
                    ('fiscalyear', '=', self.fiscalyear.id),
                    ('state', 'in', ['approved', 'posted']),
                    ], order=[('cost_pool.name', 'ASC'), ('id', 'ASC')]):
            amounts = Counter()
            for line in settlement.lines:
                amounts[bool(line.payer)] += line.amount
            rows.append(Row(
                    settlement=settlement,
                    difference=settlement.difference,
                    own_use=Decimal(amounts[False]),
                    users=Decimal(amounts[True]),
                    carried=settlement.difference
                    - sum(amounts.values()),
                    ))
        return rows

    @property
    def settlements_table(self):
        money = self.formats['money']
        names = ['difference', 'own_use', 'users', 'carried']
        table = Table(
            [(n, money, title(f'settlement_{n}')) for n in names],
            label=title('cost_pool'))
        for row in self.settlements:
            table.add(row.settlement.cost_pool.name, row)
        table.add(
            gettext('coop.msg_assembly_total'),
            total(self.settlements, *names), 'total')
        return table

    @property
    def cost_pools_total(self):
        return self._total('_cost_pools', 'cost', 'charged', 'difference')

    @cached_property
    def resources(self):
        return self._beside('_resources')

    @cached_property
    def _resources(self):
        "The resources with their assets and their use in the year"
        Resource = Pool().get('coop.commons.resource')
        use = self._get_use()
        utilization = self._get_utilization()
        rows = []
        with Transaction().set_context(active_test=False):
            resources = Resource.search([
                    ('company', '=', self.company.id),
                    ])
        for resource in resources:
            row = Row(
                key=resource, resource=resource, value=Decimal(0),
                depreciation=Decimal(0), book_value=Decimal(0),
                utilization=utilization.get(resource), **use[resource.id])
            for asset in resource.assets:
                if (asset.state == 'draft'
                        or (asset.purchase_date or asset.start_date)
                        > self.end):
                    continue
                row.value += asset.value
                depreciated = asset.depreciated_amount or 0
                for line in asset.lines:
                    if not line.move:
                        continue
                    if line.date <= self.end:
                        depreciated += line.depreciation
                    if self.start <= line.date <= self.end:
                        row.depreciation += line.depreciation
                row.book_value += asset.value - depreciated
            if row.value or row.uses:
                rows.append(row)
        return rows

    @property
    def resources_table(self):
        table = Table([
                (n, self.formats['money'])
                for n in ['value', 'depreciation', 'book_value']],
            label=title('resource'))
        for row in self.resources:
            if row.value or (row.previous and row.previous.value):
                table.add_years(row.resource.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.resources_total,
            'total')
        return table

    @property
    def uses_table(self):
        count = self.formats['count']
        table = Table([
                ('uses', count),
                ('users', count),
                ('units_text', text, title('units')),
                ('utilization', self.formats['percent1']),
                ('charged', self.formats['money']),
                ], label=title('resource'))
        for row in self.resources:
            for year in filter(None, [row, row.previous]):
                year.units_text = ''
                if year.units:
                    year.units_text = '%s %s' % (
                        self.formats['tenth'](year.units),
                        row.resource.unit.symbol)
            table.add_years(row.resource.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'),
            self._total('_resources', 'charged'), 'total')
        return table

    @property
    def resources_total(self):
        return self._total(
            '_resources', 'value', 'depreciation', 'book_value', 'charged')

    @property
    def use_chart(self):
        if len(self.years) > 1:
            return self._chart_rows(
                '_resources', lambda r: r.resource.name, 'uses')
        # There is a bar for each resource in the first year
        return self._chart(
            [(title('uses'), [r.uses for r in self._resources])],
            labels=[r.resource.name for r in self._resources])

    @property
    def commons_chart(self):
        return self._chart([
                (gettext('coop.msg_assembly_cost'), [
                        y.cost_pools_total.cost for y in self.years]),
                (gettext('coop.msg_assembly_charged'), [
                        y.cost_pools_total.charged for y in self.years]),
                ])

    def _get_use(self):
        "Return the uses, users, units and charges by resource"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Quantity = pool.get('coop.commons.usage.quantity')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        charge = Charge.__table__()
        quantity = Quantity.__table__()
        resource = Resource.__table__()
        usage = Usage.__table__()
        use = defaultdict(lambda: {
                'uses': 0, 'users': 0, 'units': Decimal(0),
                'charged': Decimal(0)})
        where = (
            (usage.company == self.company.id)
            & (usage.date >= self.start)
            & (usage.date <= self.end)
            & usage.state.in_(['confirmed', 'rated', 'charged']))

        users = usage.select(
            usage.resource, usage.member, usage.party, usage.cost_center,
            Sum(Case((usage.corrects == Null, 1), else_=-1)).as_('uses'),
            where=where,
            group_by=[
                usage.resource, usage.member, usage.party, usage.cost_center])
        for id_, *_, uses in fetch(users):
            use[id_]['users'] += 1
            use[id_]['uses'] += uses
        units = (usage
            .join(resource, condition=usage.resource == resource.id)
            .join(quantity, condition=quantity.usage == usage.id)
            .select(
                usage.resource, Sum(quantity.quantity).as_('units'),
                where=where & (quantity.unit == resource.unit),
                group_by=usage.resource))
        for id_, amount in fetch(units, [None, 'NUMERIC']):
            use[id_]['units'] = Decimal(amount)
        charges = (usage
            .join(charge, condition=charge.usage == usage.id)
            .select(
                usage.resource, Sum(charge.amount).as_('amount'),
                where=where, group_by=usage.resource))
        for id_, amount in fetch(charges, [None, 'NUMERIC']):
            use[id_]['charged'] = self.currency.round(Decimal(amount))
        return use

    def _get_utilization(self):
        "Return the part of the open hours that was used by resource"
        pool = Pool()
        Occupancy = pool.get('coop.commons.occupancy')
        Rule = pool.get('coop.commons.rule')
        used = Counter()
        with Transaction().set_context(
                company=self.company.id, from_date=self.start,
                to_date=self.end):
            for month in Occupancy.search([]):
                if month.resource.bookable:
                    used[month.resource] += month.used or 0
        rules = Rule.find_common(set(used))
        utilization = {}
        for resource, hours in used.items():
            start = max(self.start, resource.start_date or self.start)
            end = min(self.end, resource.end_date or self.end)
            open_ = sum((
                    Rule.get_open_time(
                        rules[resource], resource,
                        start + dt.timedelta(days=day))
                    for day in range((end - start).days + 1)),
                dt.timedelta()) / dt.timedelta(hours=1) * resource.capacity
            if open_:
                utilization[resource] = round(
                    Decimal(str(hours)) / Decimal(str(open_)), 4)
        return utilization
