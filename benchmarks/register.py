#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the register and the holdings against SQL written by hand.

Ten rows of the ledger per member, on a day in the middle of them.
"""
import datetime as dt
import random

from common import (
    analyze, database, get_sizes, insert_members, measure, print_header,
    print_row, run, setup_company)
from shares import create_class, insert_moves

from trytond.pool import Pool
from trytond.transaction import Transaction

DATE = dt.date(2023, 6, 30)
# What the web client loads of a list
PAGE = 1000

HOLDING = f"""
SELECT r.member, r.share_class, r.vintage, SUM(r.quantity), SUM(r.amount),
    MIN(r.acquired_date)
FROM (
    SELECT to_member AS member, share_class, vintage, quantity, amount,
        acquired_date
    FROM coop_share_move
    WHERE to_member IS NOT NULL AND state = 'done' AND company = {{company}}
        AND date <= '{DATE}'
    UNION ALL
    SELECT from_member, share_class, vintage, -quantity, -amount,
        acquired_date
    FROM coop_share_move
    WHERE from_member IS NOT NULL AND state = 'done' AND company = {{company}}
        AND date <= '{DATE}'
    ) AS r
GROUP BY r.member, r.share_class, r.vintage
HAVING SUM(r.quantity) <> 0
"""
REGISTER = f"""
SELECT m.id, m.number, m.party, s.category, s.start_date, s.end_date,
    h.quantity, h.amount
FROM coop_member AS m
JOIN coop_membership AS s ON s.member = m.id
    AND s.start_date <= '{DATE}'
    AND (s.end_date IS NULL OR s.end_date >= '{DATE}')
LEFT JOIN (
    SELECT h.member, SUM(h.quantity) AS quantity, SUM(h.amount) AS amount
    FROM (
        SELECT to_member AS member, quantity, amount
        FROM coop_share_move
        WHERE to_member IS NOT NULL AND state = 'done'
            AND company = {{company}} AND date <= '{DATE}'
        UNION ALL
        SELECT from_member, -quantity, -amount
        FROM coop_share_move
        WHERE from_member IS NOT NULL AND state = 'done'
            AND company = {{company}} AND date <= '{DATE}'
        ) AS h
    GROUP BY h.member
    ) AS h ON h.member = m.id
WHERE m.company = {{company}}
"""


def setup(size):
    company = setup_company()
    _, members = insert_members(company, size)
    class_ = create_class(company)
    draw = random.Random(size)
    first = dt.date(2020, 1, 1)
    insert_moves(company, class_, (
            (member, first + dt.timedelta(draw.randrange(2_000)),
                draw.randrange(1, 20))
            for member in members for _ in range(10)))
    analyze()
    return company


def query(sql, company):
    cursor = Transaction().connection.cursor()
    cursor.execute(sql.format(company=company))
    return cursor.fetchall()


def search(name, order):
    with Transaction().set_context(date=DATE):
        return list(map(int, Pool().get(name).search(
                    [], limit=PAGE, order=order)))


def read(name, ids, fields):
    with Transaction().set_context(date=DATE):
        return Pool().get(name).read(ids, fields)


def bench(size):
    company = run(setup, size)

    def run_(func, *args):
        return measure(lambda: run(func, *args, company=company))

    for title, sql, by, name, order, fields in [
            ("holdings", HOLDING, 'r.member', 'coop.share.holding',
                [('member', 'ASC')],
                ['member', 'share_class', 'vintage', 'quantity',
                    'amount', 'paid_amount', 'since']),
            ("register", REGISTER, 'm.number', 'coop.member.register',
                [('number', 'ASC')],
                ['member', 'number', 'party', 'category',
                    'admission_date', 'exit_date', 'share_quantity',
                    'share_amount', 'share_paid_amount']),
            ]:
        baseline, _ = run_(
            query, f'{sql} ORDER BY {by} LIMIT {PAGE}', company)
        seconds, ids = run_(search, name, order)
        assert len(ids) == min(PAGE, size)
        print_row(
            f"{title} of a day: search the first page of {PAGE:,}", size,
            seconds, baseline, "≤ 1.5, < 1 s")
        seconds, _ = run_(read, name, ids, fields)
        print_row(
            f"{title} of a day: read that page", size, seconds, baseline)
        baseline, _ = run_(query, sql, company)
        seconds, rows = run_(count, name)
        print_row(
            f"{title} of a day: count of all, against select of all",
            size, seconds, baseline, "≤ 1.5")


def count(name):
    with Transaction().set_context(date=DATE):
        return Pool().get(name).search([], count=True)


def main():
    sizes = get_sizes(10_000, 30_000, 100_000)
    print_header()
    with database('coop_shares'):
        for size in sizes:
            bench(size)


if __name__ == '__main__':
    main()
