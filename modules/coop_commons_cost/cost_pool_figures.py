# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql.aggregate import Sum

from trytond import backend
from trytond.model import fields
from trytond.modules.coop_commons.usage import CONFIRMED
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class Figures:
    """What a year of a cost pool is made of.

    The amounts are by cost centre, `units` and `charges` are by user,
    `quantities` by unit and user, and `costs` by account.
    """

    def __init__(self):
        self.fixed = defaultdict(Decimal)
        self.variable = defaultdict(Decimal)
        self.charged = defaultdict(Decimal)
        self.overhead = Decimal(0)
        self.costs = defaultdict(Decimal)
        self.units = defaultdict(Decimal)
        self.quantities = defaultdict(lambda: defaultdict(Decimal))
        self.charges = defaultdict(Decimal)

    @property
    def fixed_cost(self):
        return sum(self.fixed.values()) + self.overhead

    @property
    def variable_cost(self):
        return sum(self.variable.values())

    @property
    def cost(self):
        return self.fixed_cost + self.variable_cost

    @property
    def revenue(self):
        return sum(self.charged.values())

    @property
    def difference(self):
        return self.revenue - self.cost

    @property
    def use(self):
        return sum(self.units.values())

    def get_units(self, to_unit):
        "Return by user the use that can be measured in the unit"
        Uom = Pool().get('product.uom')
        units = defaultdict(Decimal)
        for unit, quantities in self.quantities.items():
            unit = Uom(unit)
            if unit.category != to_unit.category:
                continue
            for user, quantity in quantities.items():
                quantity = Uom.compute_qty(
                    unit, float(quantity), to_unit, round=False)
                units[user] += round(Decimal(str(quantity)), 6)
        return units


class CostPoolFigures:
    "What the years of the cost pools are made of, from the books and the use"
    __slots__ = ()

    @classmethod
    def get_figures(cls, cost_pools, fiscalyears):
        "Return the figures of each cost pool and fiscal year"
        figures = defaultdict(Figures)
        ids = [
            [p.id for p in cost_pools],
            [y.id for y in fiscalyears],
            ]
        if all(ids):
            cls._add_ledger(figures, *ids)
            cls._add_overhead(figures, *ids)
            cls._add_units(figures, *ids)
            cls._add_charges(figures, *ids)
        return figures

    @classmethod
    def _query(cls, query, types):
        cursor = Transaction().connection.cursor()
        if backend.name == 'sqlite':
            sqlite_apply_types(query, types)
        cursor.execute(*query)
        return cursor

    @classmethod
    def _ledger_query(cls, relation, fiscalyears, where, *columns):
        "Return the balance by general account of the analytic accounts"
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        analytic = AnalyticLine.__table__()
        line = Line.__table__()
        move = Move.__table__()
        period = Period.__table__()
        columns = [*columns, relation.account, period.fiscalyear, line.account]
        return (relation
            .join(analytic, condition=analytic.account == relation.account)
            .join(line, condition=analytic.move_line == line.id)
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .select(*columns,
                Sum(analytic.debit - analytic.credit).as_('balance'),
                where=(move.state == 'posted')
                & fields.SQL_OPERATORS['in'](period.fiscalyear, fiscalyears)
                & where(move),
                group_by=columns))

    @classmethod
    def _add_ledger(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Account = pool.get('account.account')
        Settlement = pool.get('coop.commons.settlement')
        relation = pool.get(
            'coop.commons.cost_pool-analytic_account.account').__table__()

        def where(move):
            clause = fields.SQL_OPERATORS['in'](
                relation.cost_pool, cost_pools)
            for query in Settlement.excluded_moves(relation.cost_pool):
                clause &= ~move.id.in_(query)
            return clause

        query = cls._ledger_query(
            relation, fiscalyears, where, relation.cost_pool)
        for cost_pool, center, fiscalyear, account, balance in cls._query(
                query, [None] * 4 + ['NUMERIC']):
            values = figures[cost_pool, fiscalyear]
            cost_pool = cls(cost_pool)
            account = Account(account)
            balance = cost_pool.currency.round(balance)
            kind = cost_pool.get_kind(account, balance)
            if kind == 'charged':
                values.charged[center] -= balance
            elif kind:
                getattr(values, kind)[center] += balance
                values.costs[account.id] += balance

    def get_kind(self, account, balance):
        "Return as what the balance of the account counts, if it does"
        if (account.type.statement != 'income'
                or account in self.excluded_accounts):
            return None
        if account.type.revenue:
            return 'charged'
        if account == self.internal_account and balance <= 0:
            return 'charged'
        if account in self.variable_accounts:
            return 'variable'
        return 'fixed'

    @property
    def internal_account(self):
        pool = Pool()
        Configuration = pool.get('coop.commons.configuration')
        return Configuration(1).get_multivalue(
            'internal_charge_account', company=self.company.id)

    @classmethod
    def _add_overhead(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Account = pool.get('account.account')
        Overhead = pool.get('coop.commons.cost_pool.overhead')
        relation = Overhead.__table__()

        def where(move):
            return fields.SQL_OPERATORS['in'](relation.cost_pool, cost_pools)

        query = cls._ledger_query(
            relation, fiscalyears, where, relation.id)
        for overhead, _, fiscalyear, account, balance in cls._query(
                query, [None] * 4 + ['NUMERIC']):
            overhead = Overhead(overhead)
            cost_pool = overhead.cost_pool
            if cost_pool.get_kind(Account(account), balance) in {
                    'fixed', 'variable'}:
                figures[cost_pool.id, fiscalyear].overhead += (
                    balance * overhead.ratio)
        for (cost_pool, _), values in figures.items():
            values.overhead = cls(cost_pool).currency.round(values.overhead)

    @classmethod
    def _usage_query(cls, cost_pools, fiscalyears):
        "Return the tables, the columns and the condition of the users"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Usage = pool.get('coop.commons.usage')
        relation = pool.get(
            'coop.commons.cost_pool-coop.commons.resource').__table__()
        usage = Usage.__table__()
        fiscalyear = FiscalYear.__table__()
        tables = (relation
            .join(usage, condition=usage.resource == relation.resource)
            .join(fiscalyear, condition=(
                    (fiscalyear.company == usage.company)
                    & (usage.date >= fiscalyear.start_date)
                    & (usage.date <= fiscalyear.end_date))))
        columns = [
            relation.cost_pool, fiscalyear.id.as_('fiscalyear'),
            usage.member, usage.party, usage.cost_center]
        where = (
            fields.SQL_OPERATORS['in'](relation.cost_pool, cost_pools)
            & fields.SQL_OPERATORS['in'](fiscalyear.id, fiscalyears)
            & usage.state.in_(CONFIRMED))
        return tables, usage, columns, where

    @classmethod
    def _add_units(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Quantity = pool.get('coop.commons.usage.quantity')
        tables, usage, columns, where = cls._usage_query(
            cost_pools, fiscalyears)
        line = Quantity.__table__()
        columns.append(line.unit)
        query = (tables
            .join(line, condition=line.usage == usage.id)
            .select(*columns, Sum(line.quantity).as_('quantity'),
                where=where, group_by=_expressions(columns)))
        for cost_pool, fiscalyear, *user, unit, quantity in cls._query(
                query, [None] * 6 + ['NUMERIC']):
            figures[cost_pool, fiscalyear].quantities[unit][
                tuple(user)] += quantity
        for (cost_pool, _), values in figures.items():
            values.units = values.get_units(cls(cost_pool).unit)

    @classmethod
    def _add_charges(cls, figures, cost_pools, fiscalyears):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Charge = pool.get('coop.commons.usage.charge')
        tables, usage, columns, where = cls._usage_query(
            cost_pools, fiscalyears)
        billing, charge = Billing.__table__(), Charge.__table__()
        query = (tables
            .join(charge, condition=charge.usage == usage.id)
            .join(billing, condition=charge.billing == billing.id)
            .select(*columns, Sum(charge.amount).as_('amount'),
                where=where & (billing.state == 'posted'),
                group_by=_expressions(columns)))
        for cost_pool, fiscalyear, *user, amount in cls._query(
                query, [None] * 5 + ['NUMERIC']):
            figures[cost_pool, fiscalyear].charges[tuple(user)] += (
                cls(cost_pool).currency.round(amount))
        cls._add_billed(figures, cost_pools, fiscalyears)

    @classmethod
    def _add_billed(cls, figures, cost_pools, fiscalyears):
        "Add what members were charged for a resource beside their use"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        FiscalYear = pool.get('account.fiscalyear')
        for name in ['contract', 'commitment']:
            billing = Billing.__table__()
            document = pool.get(f'coop.commons.{name}').__table__()
            line = pool.get(f'coop.commons.{name}.line').__table__()
            fiscalyear = FiscalYear.__table__()
            relation = pool.get(
                'coop.commons.cost_pool-coop.commons.resource').__table__()
            columns = [
                relation.cost_pool, fiscalyear.id.as_('fiscalyear'),
                document.member]
            query = (relation
                .join(document,
                    condition=document.resource == relation.resource)
                .join(line, condition=getattr(line, name) == document.id)
                .join(billing, condition=line.billing == billing.id)
                .join(fiscalyear, condition=(
                        (fiscalyear.company == document.company)
                        & (line.start >= fiscalyear.start_date)
                        & (line.start <= fiscalyear.end_date)))
                .select(*columns, Sum(line.amount).as_('amount'),
                    where=fields.SQL_OPERATORS['in'](
                        relation.cost_pool, cost_pools)
                    & fields.SQL_OPERATORS['in'](
                        fiscalyear.id, fiscalyears)
                    & (billing.state == 'posted'),
                    group_by=_expressions(columns)))
            for cost_pool, fiscalyear, member, amount in cls._query(
                    query, [None] * 3 + ['NUMERIC']):
                figures[cost_pool, fiscalyear].charges[
                    member, None, None] += (
                        cls(cost_pool).currency.round(amount))


def _expressions(columns):
    return [getattr(column, 'expression', column) for column in columns]
