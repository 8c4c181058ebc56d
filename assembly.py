# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import ModelView, fields, sum_tree
from trytond.model.fields.selection import TranslatedSelection
from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import Button, StateReport, StateView, Wizard

from .chart import bars

DAY = dt.timedelta(days=1)
# The upper limits of the bands of patronage, so that nobody is named
BANDS = [10, 50, 100, 250, 500, 1000]
# How many fiscal years the pictures go back
YEARS = 5


line_basis = TranslatedSelection('basis').__get__


class Row(SimpleNamespace):
    "The figures of a line of a table"


def fetch(query, types=None):
    "Return the rows of the query with the types of its columns"
    cursor = Transaction().connection.cursor()
    if types and backend.name == 'sqlite':
        sqlite_apply_types(query, types)
    cursor.execute(*query)
    return cursor.fetchall()


def write_number(lang, value, digits=None):
    "Return the text of a number, by default with the decimals it has"
    value = Decimal(str(value))
    if digits is None:
        digits = max(-value.normalize().as_tuple().exponent, 0)
    return lang.format_number(value, digits=digits, monetary=True)


def get_formats(report, currency):
    """Return the functions by which a report writes values

    They write in the language that is set, and what is missing as nothing.
    """
    get_lang = Pool().get('ir.lang').get

    def money(amount):
        return '' if amount is None else report.format_currency(
            amount, get_lang(), currency, symbol=False)

    def number(value, digits=None):
        return '' if value is None else write_number(
            get_lang(), value, digits)

    def percent(rate, digits=2):
        return '' if rate is None else (
            write_number(get_lang(), rate * 100, digits) + ' %')

    def date(value):
        return report.format_date(value, get_lang()) if value else ''
    return {
        'money': money,
        'number': number,
        'percent': percent,
        'date': date,
        }


def beside(rows, previous):
    """Return the rows, each with the one of last year

    What is gone since then comes last, without figures.
    """
    rows, previous = list(rows), {r.key: r for r in previous}
    for row in rows:
        row.previous = previous.pop(row.key, None)
    for last in previous.values():
        row = Row(**{
                name: None if isinstance(value, (int, float, Decimal))
                else value for name, value in vars(last).items()})
        row.previous = last
        rows.append(row)
    return rows


def total(rows, *names):
    "Return the row of the sums"
    return Row(**{
            name: sum((getattr(r, name) or 0 for r in rows), Decimal(0))
            for name in names})


class Assembly:
    """The figures of a fiscal year, as the screens show them"""

    def __init__(self, fiscalyear, meeting=None):
        self.fiscalyear = fiscalyear
        self.meeting = meeting
        self.company = fiscalyear.company
        self.currency = fiscalyear.company.currency
        self.start = fiscalyear.start_date
        self.end = fiscalyear.end_date

    @property
    def provisional(self):
        return self.fiscalyear.state == 'open'

    @cached_property
    def fiscalyears(self):
        "The last fiscal years, the oldest first"
        FiscalYear = Pool().get('account.fiscalyear')
        years = FiscalYear.search([
                ('company', '=', self.company.id),
                ('end_date', '<=', self.end),
                ], order=[('end_date', 'DESC')], limit=YEARS)
        return list(reversed(years))

    @cached_property
    def years(self):
        "The assemblies of the last fiscal years, the oldest first"
        return [
            self if y == self.fiscalyear else Assembly(y)
            for y in self.fiscalyears]

    @cached_property
    def previous(self):
        "The assembly of the year before, if there is one"
        if len(self.years) > 1:
            return self.years[-2]

    def _beside(self, name):
        "Return the rows of the name with those of last year"
        return beside(
            getattr(self, name),
            getattr(self.previous, name) if self.previous else [])

    def _total(self, name, *names):
        "Return the sums of the rows of the name with those of last year"
        row = total(getattr(self, name), *names)
        row.previous = (
            total(getattr(self.previous, name), *names)
            if self.previous and getattr(self.previous, name) else None)
        return row

    # Members

    @cached_property
    def members(self):
        return self._beside('_members')

    @cached_property
    def _members(self):
        "The movements of the year per category"
        Movement = Pool().get('coop.member.movement')
        with Transaction().set_context(
                company=self.company.id, from_date=self.start,
                to_date=self.end):
            movements = Movement.search([])
        by_category = defaultdict(list)
        for movement in movements:
            by_category[movement.category].append(movement)
        rows = []
        for category in sorted(
                by_category, key=lambda c: (c.name, c.id)):
            months = sorted(by_category[category], key=lambda m: m.month)
            row = total(months, 'joined', 'left', 'changed_in', 'changed_out')
            row.key = row.category = category
            row.changed = row.changed_in - row.changed_out
            row.opening = (
                months[0].opening if months[0].month <= self.start else 0)
            row.closing = row.opening + row.joined - row.left + row.changed
            rows.append(row)
        return rows

    @property
    def members_total(self):
        return self._total(
            '_members', 'opening', 'joined', 'left', 'changed', 'closing')

    @property
    def members_chart(self):
        return self._chart_rows(
            '_members', lambda r: r.category.name, 'closing')

    # Capital

    @cached_property
    def share_classes(self):
        ShareClass = Pool().get('coop.share.class')
        with Transaction().set_context(active_test=False):
            return ShareClass.search([
                    ('company', '=', self.company.id),
                    ], order=[('code', 'ASC'), ('id', 'ASC')])

    @cached_property
    def capital(self):
        return self._beside('_capital')

    @cached_property
    def _capital(self):
        "The changes of the capital per share class"
        ShareMove = Pool().get('coop.share.move')

        def holdings(date):
            return ShareMove.holdings_at(
                self.company, date, by=('share_class',))
        opening = holdings(self.start - DAY)
        closing = holdings(self.end)
        changes = self._capital_changes()
        rows = []
        for share_class in self.share_classes:
            key = (share_class.id,)
            row = Row(
                key=share_class,
                share_class=share_class,
                opening=opening.get(key, (0, Decimal(0)))[1],
                closing=closing.get(key, (0, Decimal(0)))[1],
                **changes[share_class.id])
            row.other = row.converted + row.lost
            if any(
                    v for v in vars(row).values() if isinstance(v, Decimal)):
                rows.append(row)
        return rows

    @property
    def capital_total(self):
        return self._total(
            '_capital', 'opening', 'issued', 'redeemed', 'allocated',
            'other', 'closing')

    def _capital_changes(self):
        """Return the amounts by share class and kind of change

        A reversal counts as the kind of what it takes back.
        """
        ShareMove = Pool().get('coop.share.move')
        names = {
            'issue': 'issued',
            'opening': 'issued',
            'redemption': 'redeemed',
            'allocation': 'allocated',
            'conversion': 'converted',
            'transfer': 'converted',
            'loss': 'lost',
            }
        changes = defaultdict(
            lambda: dict.fromkeys(names.values(), Decimal(0)))
        move = ShareMove.__table__()
        reversed_ = ShareMove.__table__()
        kind = Coalesce(reversed_.kind, move.kind)
        amount = (
            Case((move.to_member != Null, move.amount), else_=0)
            - Case((move.from_member != Null, move.amount), else_=0))
        query = (move
            .join(reversed_, 'LEFT',
                condition=move.reversal_of == reversed_.id)
            .select(
                move.share_class, kind.as_('kind'),
                Sum(amount).as_('amount'),
                where=(move.company == self.company.id)
                & (move.state == 'done')
                & (move.date >= self.start)
                & (move.date <= self.end),
                group_by=[move.share_class, kind]))
        for share_class, kind, amount in fetch(
                query, [None, None, 'NUMERIC']):
            changes[share_class][names[kind]] += self.currency.round(
                Decimal(amount))
        return changes

    @cached_property
    def holdings(self):
        return self._beside('_holdings')

    @cached_property
    def _holdings(self):
        "What is held and paid per share class at the end of the year"
        Holding = Pool().get('coop.share.holding')
        rows = {}
        with Transaction().set_context(
                company=self.company.id, date=self.end):
            for holding in Holding.search([]):
                row = rows.setdefault(holding.share_class, Row(
                        key=holding.share_class,
                        share_class=holding.share_class, members=set(),
                        quantity=Decimal(0), amount=Decimal(0),
                        paid=Decimal(0)))
                row.members.add(holding.member)
                row.quantity += holding.quantity
                row.amount += holding.amount
                row.paid += holding.paid_amount or 0
        for row in rows.values():
            row.members = len(row.members)
            row.unpaid = row.amount - row.paid
        return [rows[c] for c in self.share_classes if c in rows]

    @property
    def holdings_total(self):
        return self._total('_holdings', 'amount', 'paid', 'unpaid')

    @cached_property
    def queue(self):
        return self._beside('_queue')

    @property
    def queue_total(self):
        return self._total('_queue', 'requests', 'amount')

    @cached_property
    def _queue(self):
        "The redemptions that wait at the end of the year per share class"
        Redemption = Pool().get('coop.share.redemption')
        rows = {}
        for redemption in Redemption.search([
                    ('company', '=', self.company.id),
                    ('request_date', '<=', self.end),
                    ('state', 'in', [
                            'requested', 'approved', 'ended', 'settled',
                            'paid']),
                    ['OR',
                        ('end_date', '=', None),
                        ('end_date', '>=', self.end),
                        ],
                    ]):
            share_class = redemption.share_class
            row = rows.setdefault(share_class, Row(
                    key=share_class, share_class=share_class, requests=0,
                    quantity=Decimal(0), amount=Decimal(0)))
            row.requests += 1
            row.quantity += redemption.quantity
            row.amount += self.currency.round(
                redemption.quantity * share_class.par_value)
        return [rows[c] for c in self.share_classes if c in rows]

    @property
    def capital_chart(self):
        return self._chart_rows(
            '_capital', lambda r: r.share_class.name, 'closing')

    def _chart_rows(self, rows, get_name, value):
        "Return the picture of a value of the rows over the years"
        series = {}
        for i, year in enumerate(self.years):
            for row in getattr(year, rows):
                values = series.setdefault(
                    row.key, (get_name(row), [0] * len(self.years)))[1]
                values[i] = getattr(row, value)
        return self._chart(list(series.values()), stacked=True)

    def _chart(self, series, **kwargs):
        lang = Pool().get('ir.lang').get()
        picture = bars(
            [y.name for y in self.fiscalyears], series,
            number=lambda n: write_number(lang, n), **kwargs)
        return picture, 'image/svg+xml'

    # Result

    @cached_property
    def surplus(self):
        "The appropriation of the surplus that is furthest"
        Surplus = Pool().get('coop.surplus')
        surpluses = Surplus.search([
                ('company', '=', self.company.id),
                ('fiscalyear', '=', self.fiscalyear.id),
                ('state', '!=', 'cancelled'),
                ])
        states = ['draft', 'computed', 'approved', 'posted']
        return max(
            surpluses, key=lambda s: (states.index(s.state), s.id),
            default=None)

    @cached_property
    def sources(self):
        "What there is to appropriate"
        previous = self.previous and self.previous.surplus
        names = [
            ('result', gettext('coop.msg_assembly_result')),
            ('brought_forward', gettext('coop.msg_assembly_brought_forward')),
            ('reserve_release', gettext('coop.msg_assembly_reserve_release')),
            ]
        rows = [
            Row(name=text, amount=getattr(self.surplus, name) or Decimal(0),
                previous=getattr(previous, name) if previous else None)
            for name, text in names]
        return [
            r for i, r in enumerate(rows) if not i or r.amount or r.previous]

    @property
    def sources_total(self):
        return total(self.sources, 'amount', 'previous')

    @cached_property
    def appropriation(self):
        "The lines of the appropriation with last year beside"
        amounts = defaultdict(Decimal)
        if self.previous and self.previous.surplus:
            for line in self.previous.surplus.lines:
                amounts[line.kind, line.name] += line.computed_amount or 0
        rows = []
        for line in self.surplus.lines:
            rows.append(Row(
                    name=line.name,
                    rule=self._get_rule(line),
                    amount=line.computed_amount,
                    previous=amounts.pop((line.kind, line.name), None)))
        for (_, name), amount in amounts.items():
            rows.append(Row(name=name, rule='', amount=None, previous=amount))
        return rows

    def _get_rule(self, line):
        lang = Pool().get('ir.lang').get()
        basis = line_basis(line, line.__class__)
        if line.amount is not None:
            return gettext('coop.msg_assembly_rule_amount')
        elif line.rate is None:
            return basis
        return gettext('coop.msg_assembly_rule_rate',
            rate=write_number(lang, line.rate * 100),
            basis=basis)

    @property
    def has_previous(self):
        return bool(self.previous and self.previous.surplus)

    @property
    def appropriation_total(self):
        return total(self.appropriation, 'amount', 'previous')

    @cached_property
    def pools(self):
        return self._beside('_pools')

    @cached_property
    def _pools(self):
        "What is allocated per pool"
        names = Counter()
        rows = []
        for pool in self.surplus.pools if self.surplus else []:
            names[pool.name] += 1
            basis = pool.total_basis
            rows.append(Row(
                    key=(pool.name, names[pool.name]),
                    name=pool.name,
                    basis=basis,
                    gross=pool.total_gross,
                    rate=pool.total_gross / basis if basis else None,
                    cash=pool.total_cash,
                    equity=pool.total_equity,
                    patrons=pool.patrons))
        return rows

    @property
    def pools_total(self):
        return self._total('_pools', 'gross', 'cash', 'equity')

    @cached_property
    def bands(self):
        return self._beside('_bands')

    @cached_property
    def _bands(self):
        """The distribution of what is allocated to the patrons"""
        Allocation = Pool().get('coop.patronage.allocation')
        if not self._pools:
            return []
        limits = [*BANDS, None]
        rows = [
            Row(key=low, up_to=high, label=self._get_band(low, high),
                patrons=0, amount=Decimal(0))
            for low, high in zip([0, *BANDS], limits)]
        by_party = defaultdict(Decimal)
        for allocation in Allocation.search([
                    ('pool.surplus', '=', self.surplus),
                    ]):
            by_party[allocation.party.id] += allocation.gross
        for amount in by_party.values():
            if amount > 0:
                row = next(
                    r for r in rows if r.up_to is None or amount <= r.up_to)
                row.patrons += 1
                row.amount += amount
        while rows and not rows[-1].patrons:
            rows.pop()
        return rows

    def _get_band(self, low, high):
        lang = Pool().get('ir.lang').get()
        low, high = (
            v and lang.currency(
                v, self.currency, symbol=False, grouping=True)
            for v in [low, high])
        if not low:
            return gettext('coop.msg_assembly_band_up_to', high=high)
        elif not high:
            return gettext('coop.msg_assembly_band_above', low=low)
        return gettext('coop.msg_assembly_band', low=low, high=high)

    @property
    def bands_total(self):
        return self._total('_bands', 'patrons', 'amount')

    # Commons

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

    # Statements

    @cached_property
    def income_statement(self):
        return self._get_statement('income')

    @cached_property
    def balance_sheet(self):
        rows = self._get_statement('balance')
        # The result is part of the equity once the year is closed
        results = []
        for name in ['amount', 'previous']:
            roots = [r for r in rows if not r.depth]
            results.append(sum(
                    (getattr(r, name) or 0) * (1 if r.assets else -1)
                    for r in roots))
        if any(results):
            rows.append(Row(
                    type=None, name=gettext('coop.msg_assembly_result'),
                    depth=0, assets=False,
                    amount=results[0], previous=results[1]))
        return rows

    def _get_statement(self, statement):
        "Return the rows of the types with the last year beside"
        Type = Pool().get('account.account.type')
        types = Type.search([
                ('company', '=', self.company.id),
                ('statement', '=', statement),
                ])
        amounts = self._get_amounts(types, statement)
        previous = {}
        if self.previous:
            previous = self.previous._get_amounts(types, statement)
        childs = defaultdict(list)
        for type_ in types:
            parent = type_.parent if type_.parent in types else None
            childs[parent].append(type_)
        rows = []

        # The result is part of the equity until the year is closed
        results = {t.parent for t in Type.search([
                    ('parent', 'in', [t.id for t in types]),
                    ('statement', '!=', statement),
                    ])}

        def result(type_, amounts):
            if amounts:
                return amounts[type_.id] - sum(
                    amounts[t.id] for t in childs[type_])

        def has_assets(type_):
            return type_.assets or any(map(has_assets, childs[type_]))

        def add(parent, depth, assets):
            for type_ in sorted(
                    childs[parent], key=lambda t: (t.sequence or 0, t.id)):
                if depth == 0:
                    assets = has_assets(type_)
                type_rows = [Row(
                        type=type_, name=type_.name, depth=depth,
                        assets=assets, amount=amounts[type_.id],
                        previous=previous.get(type_.id))]
                if type_ in results:
                    type_rows.append(Row(
                            type=None,
                            name=gettext('coop.msg_assembly_result'),
                            depth=depth + 1, assets=assets,
                            amount=result(type_, amounts),
                            previous=result(type_, previous)))
                # Charts do not mark all the types of the assets' side
                if bool(type_.assets) != assets:
                    for row in type_rows:
                        row.amount = 0 - row.amount
                        if row.previous is not None:
                            row.previous = 0 - row.previous
                row, *of_result = type_rows
                if any(r.amount or r.previous for r in type_rows):
                    rows.append(row)
                    add(type_, depth + 1, assets)
                    rows.extend(
                        r for r in of_result if r.amount or r.previous)
        add(None, 0, False)
        return rows

    def _get_amounts(self, types, statement):
        Type = Pool().get('account.account.type')
        if statement == 'balance':
            with Transaction().set_context(
                    company=self.company.id, date=self.end, posted=True,
                    cumulate=True):
                return {t.id: t.amount for t in Type.browse(types)}
        return sum_tree(types, self._get_results())

    def _get_results(self):
        "Return the income of the year by type, without the closing move"
        pool = Pool()
        Account = pool.get('account.account')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        account = Account.__table__()
        line = Line.__table__()
        move = Move.__table__()
        period = Period.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .select(
                account.type, Sum(line.credit - line.debit).as_('amount'),
                where=(period.fiscalyear == self.fiscalyear.id)
                & (move.state == 'posted')
                & ((move.origin == Null)
                    | (move.origin != str(self.fiscalyear))),
                group_by=account.type))
        return defaultdict(Decimal, (
                (type_, self.currency.round(Decimal(amount)))
                for type_, amount in fetch(query, [None, 'NUMERIC'])))

    @property
    def result(self):
        return sum(
            (r.amount for r in self.income_statement if not r.depth),
            Decimal(0))

    @property
    def result_chart(self):
        return self._chart([
                (gettext('coop.msg_assembly_result'), [
                        year.result for year in self.years]),
                ])

    # Meeting

    @property
    def held(self):
        return self.meeting and self.meeting.state == 'closed'

    @property
    def agenda(self):
        "What the meeting is to decide on, before it does"
        return self.meeting.items if self.meeting and not self.held else []

    @property
    def items(self):
        return [i for i in self.meeting.items if i.kind != 'information']


class AssemblyReportStart(ModelView):
    __name__ = 'coop.assembly.report.start'
    __string__ = "Report to the Assembly"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    meeting = fields.Many2One(
        'coop.meeting', "Meeting",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '!=', 'board'),
            ],
        help="The meeting the report is for.\n"
        "Once it is held, its attendance and resolutions are printed.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends(
        'company', 'fiscalyear', '_parent_fiscalyear.company')
    def on_change_company(self):
        if not self.fiscalyear or self.fiscalyear.company != self.company:
            self.fiscalyear = self.last_fiscalyear(self.company)
            self.meeting = self.last_meeting(self.fiscalyear)

    @fields.depends('fiscalyear')
    def on_change_fiscalyear(self):
        self.meeting = self.last_meeting(self.fiscalyear)

    @classmethod
    def default_fiscalyear(cls):
        Company = Pool().get('company.company')
        company = cls.default_company()
        fiscalyear = company and cls.last_fiscalyear(Company(company))
        return fiscalyear.id if fiscalyear else None

    @classmethod
    def last_fiscalyear(cls, company):
        "Return the last fiscal year that is over"
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        if company:
            with Transaction().set_context(company=company.id):
                today = Date.today()
            fiscalyears = FiscalYear.search([
                    ('company', '=', company.id),
                    ('end_date', '<', today),
                    ], order=[('end_date', 'DESC')], limit=1)
            if fiscalyears:
                return fiscalyears[0]

    @classmethod
    def default_meeting(cls):
        FiscalYear = Pool().get('account.fiscalyear')
        fiscalyear = cls.default_fiscalyear()
        meeting = fiscalyear and cls.last_meeting(FiscalYear(fiscalyear))
        return meeting.id if meeting else None

    @classmethod
    def last_meeting(cls, fiscalyear):
        "Return the last meeting that has the fiscal year on its agenda"
        Meeting = Pool().get('coop.meeting')
        if fiscalyear:
            meetings = Meeting.search([
                    ('company', '=', fiscalyear.company.id),
                    ('kind', '!=', 'board'),
                    ('state', '!=', 'cancelled'),
                    ('items.fiscalyear', '=', fiscalyear.id),
                    ], order=[('date', 'DESC')], limit=1)
            if meetings:
                return meetings[0]


class AssemblyReportWizard(Wizard):
    __name__ = 'coop.assembly.report'
    __string__ = "Report to the Assembly"
    start = StateView(
        'coop.assembly.report.start',
        'coop.assembly_report_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    print_ = StateReport('coop.assembly.report')

    def default_start(self, fields):
        "Return what the report of the meeting is about"
        values = {}
        if self.model and self.model.__name__ == 'coop.meeting':
            meeting = self.record
            values['company'] = meeting.company.id
            if meeting.kind != 'board':
                values['meeting'] = meeting.id
            fiscalyears = [i.fiscalyear for i in meeting.items if i.fiscalyear]
            if fiscalyears:
                values['fiscalyear'] = fiscalyears[0].id
        return values

    def do_print_(self, action):
        meeting = self.start.meeting
        return action, {
            'ids': [self.start.fiscalyear.id],
            'model': 'account.fiscalyear',
            'meeting': meeting.id if meeting else None,
            }


class AssemblyReport(CompanyReport):
    __name__ = 'coop.assembly.report'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        FiscalYear = pool.get('account.fiscalyear')
        Meeting = pool.get('coop.meeting')
        context = super().get_context(records, header, data)
        fiscalyear = FiscalYear(records[0].id)
        company = fiscalyear.company
        meeting = data.get('meeting')
        with Transaction().set_context(company=company.id):
            context.update(
                assembly=Assembly(
                    fiscalyear, Meeting(meeting) if meeting else None),
                company=company,
                fiscalyear=fiscalyear,
                today=Date.today(),
                **get_formats(cls, company.currency))
        return context
