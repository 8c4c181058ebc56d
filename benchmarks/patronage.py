#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the computing of an allocation against a GROUP BY of its entries.

Three entries per patron, 23,570 patrons are ten times those of the demo.
"""
import datetime as dt
import random
from decimal import Decimal

from common import (
    END, START, YEAR, analyze, database, get_sizes, insert, insert_members,
    measure, print_header, print_row, run, setup_company)
from shares import create_class

from trytond.pool import Pool
from trytond.transaction import Transaction

POOL = Decimal(20_000)
ENTRIES = f"""
SELECT party, SUM(amount)
FROM coop_patronage_entry
WHERE company = {{company}} AND category = {{category}}
    AND date >= '{START}' AND date <= '{END}'
GROUP BY party
"""


def setup(size):
    pool = Pool()
    Category = pool.get('coop.patronage.category')
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
    class_ = create_class(company)
    analyze()
    return company, category.id, class_


def create_surplus(company, category, equity_class):
    pool = Pool()
    FiscalYear = pool.get('account.fiscalyear')
    Surplus = pool.get('coop.surplus')
    fiscalyear, = FiscalYear.search([('company', '=', company)])
    surplus, = Surplus.create([{
                'company': company,
                'fiscalyear': fiscalyear.id,
                'posting_date': dt.date(YEAR + 1, 5, 2),
                'brought_forward': POOL,
                'lines': [('create', [
                            {'name': "Patronage", 'kind': 'patronage',
                                'basis': 'remainder', 'rate': Decimal(1)},
                            {'name': "Carried forward",
                                'kind': 'carry_forward',
                                'basis': 'remainder'},
                            ])],
                'pools': [('create', [{
                                'name': "Purchases",
                                'categories': [('add', [category])],
                                'cash_percent': Decimal('0.2'),
                                'equity_class': equity_class,
                                }])],
                }])
    return surplus.id


def compute(id_):
    Surplus = Pool().get('coop.surplus')
    Surplus.compute([Surplus(id_)])


def query(sql, **parameters):
    cursor = Transaction().connection.cursor()
    cursor.execute(sql.format(**parameters))
    return cursor.fetchall()


def bench(size):
    company, category, class_ = run(setup, size)
    baseline, _ = measure(lambda: run(
            lambda: query(ENTRIES, company=company, category=category)))
    id_ = run(create_surplus, company, category, class_, company=company)
    seconds, _ = measure(lambda: run(compute, id_, company=company))
    (total,), = run(lambda: query(
            "SELECT SUM(a.gross) FROM coop_patronage_allocation AS a "
            "JOIN coop_patronage_pool AS p ON a.pool = p.id "
            "WHERE p.surplus = {surplus}", surplus=id_))
    assert round(Decimal(total), 2) == POOL, total
    print_row(
        "allocation to patrons of three entries: compute", size, seconds,
        baseline, "≤ 10")


def main():
    sizes = get_sizes(2_357, 7_000, 23_570)
    print_header()
    with database('coop_patronage'):
        for size in sizes:
            bench(size)


if __name__ == '__main__':
    main()
