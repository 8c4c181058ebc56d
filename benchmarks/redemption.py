#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the allocation of redemptions against bare moves.

The queue is shared out first come and pro rata, against one bare move of as
many lines, and what is granted ends, against as many moves of two lines.
"""
import datetime as dt
import random
from decimal import Decimal

from common import (
    START, YEAR, analyze, create_bare_move, create_bare_moves, database,
    get_sizes, insert, insert_members, measure, print_header, print_row, run,
    setup_company)
from shares import PAR_VALUE, create_class, insert_moves
from sql.aggregate import Count, Sum

from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.pool import Pool
from trytond.transaction import Transaction

HELD = 10
CAP = 30
END = dt.date(YEAR, 6, 30)


def setup(size, order):
    pool = Pool()
    Account = pool.get('account.account')
    ShareClass = pool.get('coop.share.class')
    company = setup_company()
    parties, members = insert_members(company, size)
    class_ = create_class(company)
    ShareClass.write([ShareClass(class_)], {
            'redemption_cap': Decimal(CAP),
            'redemption_order': order,
            })
    insert_moves(company, class_, (
            (member, dt.date(YEAR - 5, 1, 1), HELD) for member in members))
    draw = random.Random(size)
    insert(
        'coop.share.redemption',
        ['company', 'number', 'member', 'share_class', 'quantity',
            'request_date', 'reason', 'granted', 'set_off', 'state'],
        ((company, f'Q{i}', member, class_, draw.randrange(1, HELD + 1),
                START - dt.timedelta(draw.randrange(500)), 'partial',
                False, False, 'approved')
            for i, member in enumerate(members)))
    payable, = Account.search([
            ('company', '=', company), ('type.payable', '=', True),
            ('party_required', '=', True)], limit=1)
    expense, = Account.search([
            ('company', '=', company), ('type.expense', '=', True)], limit=1)
    analyze()
    return company, class_, parties, payable.id, expense.id


def allocate(company, class_):
    pool = Pool()
    Allocate = pool.get('coop.share.redemption.allocate', type='wizard')
    FiscalYear = pool.get('account.fiscalyear')
    session_id, _, _ = Allocate.create()
    wizard = Allocate(session_id)
    wizard.start.company = company
    wizard.start.fiscalyear, = FiscalYear.search([
            ('company', '=', company), ('start_date', '=', START)])
    wizard.start.end_date = END
    wizard.start.share_classes = [class_]
    wizard.do_allocate(None)


def end():
    Pool().get('coop.share.redemption').end_due(END + dt.timedelta(1))


def check(size, class_, state):
    redemption = Pool().get('coop.share.redemption').__table__()
    cursor = Transaction().connection.cursor()
    cursor.execute(*redemption.select(
            Sum(redemption.quantity), Count(redemption.id),
            where=(redemption.share_class == class_)
            & (redemption.granted == True)  # noqa: E712
            & (redemption.state == state)))
    quantity, count = cursor.fetchone()
    assert quantity == size * HELD * CAP // 100, quantity
    return count


def bench(size, order):
    company, class_, parties, payable, expense = run(setup, size, order)

    def run_(func, *args):
        with count_queries() as queries:
            seconds, result = measure(
                lambda: run(func, *args, company=company))
        return seconds, sum(queries.values()), result

    def bare(create, count):
        seconds, queries, _ = run_(
            create, company, payable, expense, parties[:count],
            [PAR_VALUE] * count)
        return seconds, queries

    # The first move of a period also creates what the period needs
    bare(create_bare_move, 1)
    baseline, _ = bare(create_bare_move, size)
    seconds, queries, _ = run_(allocate, company, class_)
    count = run(check, size, class_, 'approved')
    order = order.replace('_', ' ')
    print_row(
        f"redemptions by {order}: grant {count:,} ({queries:,} queries)",
        size, seconds, baseline)
    baseline, base = bare(create_bare_moves, count)
    seconds, queries, _ = run_(end)
    run(check, size, class_, 'ended')
    print_row(
        f"redemptions by {order}: end them ({queries:,} queries, "
        f"{base:,} of the bare moves)",
        count, seconds, baseline, "≤ 2")


def main():
    sizes = get_sizes(1_000, 5_000, 20_000)
    print_header()
    with database('coop'):
        for size in sizes:
            for order in ['request_date', 'pro_rata']:
                bench(size, order)


if __name__ == '__main__':
    main()
