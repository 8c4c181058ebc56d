#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure an allocation: to compute it against reading its entries as plain
rows and creating its records in one go, to post it against a bare move with as
many lines.

Three entries per patron, 23,570 patrons are ten times those of the demo.
"""
import datetime as dt
import random
from decimal import Decimal

from common import (
    END, START, YEAR, analyze, create_bare_move, database, get_sizes, insert,
    insert_members, measure, print_header, print_row, run, setup_company)
from shares import create_class

from trytond.model import fields
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME
from trytond.transaction import Transaction

POOL = Decimal(20_000)
# What Tryton writes itself
COMMON = {'id', 'create_uid', 'create_date', 'write_uid', 'write_date'}
ENTRIES = f"""
SELECT party, date, amount
FROM coop_patronage_entry
WHERE company = {{company}} AND category = {{category}}
    AND date >= '{START}' AND date <= '{END}'
"""


def setup(size):
    pool = Pool()
    Account = pool.get('account.account')
    Category = pool.get('coop.patronage.category')
    Configuration = pool.get('coop.patronage.configuration')
    company = setup_company()
    parties, _ = insert_members(company, size)
    category, = Category.create([{
                'name': "Purchases",
                'company': company,
                }])
    draw = random.Random(size)
    insert(
        'coop.patronage.entry',
        ['company', 'category', 'party', 'date', 'amount'],
        ((company, category.id, party,
                START + dt.timedelta(draw.randrange(365)),
                Decimal(draw.randrange(100, 20_000)) / 100)
            for party in parties for _ in range(3)))
    # In cents, that each patron gets a row of the ledger
    class_ = create_class(
        company, kind='allocated', par_value=Decimal(1), quantity_digits=2)
    with Transaction().set_context(company=company):
        configuration = Configuration(1)
        configuration.resolution_required = False
        configuration.save()
    payable, = Account.search([
            ('company', '=', company), ('type.payable', '=', True),
            ('party_required', '=', True)], limit=1)
    expense, = Account.search([
            ('company', '=', company), ('type.expense', '=', True)], limit=1)
    analyze()
    return company, category.id, class_, parties, payable.id, expense.id


def create_surplus(company, category, equity_class):
    pool = Pool()
    Company = pool.get('company.company')
    FiscalYear = pool.get('account.fiscalyear')
    Line = pool.get('coop.surplus.line')
    Surplus = pool.get('coop.surplus')

    def get_account(kind):
        return Line.get_account(kind, Company(company)).id
    fiscalyear, = FiscalYear.search([
            ('company', '=', company), ('start_date', '=', START)])
    surplus, = Surplus.create([{
                'company': company,
                'fiscalyear': fiscalyear.id,
                'posting_date': dt.date(YEAR + 1, 5, 2),
                'brought_forward': POOL,
                'lines': [('create', [
                            {'name': "Patronage", 'kind': 'patronage',
                                'basis': 'remainder', 'rate': Decimal(1),
                                'account': get_account('patronage')},
                            {'name': "Carried forward",
                                'kind': 'carry_forward',
                                'basis': 'remainder',
                                'account': get_account('carry_forward')},
                            ])],
                'pools': [('create', [{
                                'name': "Purchases",
                                'categories': [('add', [category])],
                                'cash_percent': Decimal('0.2'),
                                'equity_class': equity_class,
                                }])],
                }])
    return surplus.id


def click(button, id_):
    Surplus = Pool().get('coop.surplus')
    getattr(Surplus, button)([Surplus(id_)])


def query(sql, **parameters):
    cursor = Transaction().connection.cursor()
    cursor.execute(sql.format(**parameters))
    return cursor.fetchall()


def measure_bare(company, category, surplus):
    "Read the entries and create the same allocations once more"
    with Transaction().start(
            DB_NAME, 1, context={'company': company}) as transaction:
        Allocation = Pool().get('coop.patronage.allocation')
        table = Allocation.__table__()
        allocations = Allocation.search([('pool.surplus', '=', surplus)])
        values = Allocation.read([a.id for a in allocations], [
                n for n, f in Allocation._fields.items()
                if not isinstance(f, fields.Function) and f.sql_type()
                and n not in COMMON])
        for row in values:
            del row['id']
        transaction.connection.cursor().execute(*table.delete(
                where=fields.SQL_OPERATORS['in'](
                    table.id, [a.id for a in allocations])))

        def create():
            query(ENTRIES, company=company, category=category)
            Allocation.create(values)

        seconds, _ = measure(create)
        transaction.rollback()
    return seconds


def bench(size):
    company, category, class_, parties, payable, expense = run(setup, size)
    id_ = run(create_surplus, company, category, class_, company=company)
    seconds, _ = measure(lambda: run(click, 'compute', id_, company=company))
    (total,), = run(lambda: query(
            "SELECT SUM(a.gross) FROM coop_patronage_allocation AS a "
            "JOIN coop_patronage_pool AS p ON a.pool = p.id "
            "WHERE p.surplus = {surplus}", surplus=id_))
    assert round(Decimal(total), 2) == POOL, total
    print_row(
        "allocation to patrons of three entries: compute", size, seconds,
        measure_bare(company, category, id_), "≤ 2")

    def bare(count):
        # Each patron has a line in money and one in equity
        return measure(lambda: run(
                create_bare_move, company, payable, expense,
                [p for p in parties[:count] for _ in range(2)],
                [Decimal('4.56')] * 2 * count, company=company))

    # The first move of a period also creates what the period needs
    bare(1)
    baseline, _ = bare(size)
    run(click, 'approve', id_, company=company)
    seconds, _ = measure(lambda: run(click, 'post', id_, company=company))
    print_row(
        "allocation to patrons: post", size, seconds, baseline, "≤ 1.3")


def main():
    sizes = get_sizes(2_357, 7_000, 23_570)
    print_header()
    with database('coop_patronage'):
        for size in sizes:
            bench(size)


if __name__ == '__main__':
    main()
