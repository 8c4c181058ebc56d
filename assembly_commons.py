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

from .figures import Row, fetch


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
    def resources_total(self):
        return self._total(
            '_resources', 'value', 'depreciation', 'book_value', 'charged')

    @property
    def use_chart(self):
        return self._chart_rows(
            '_resources', lambda r: r.resource.name, 'uses')

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
