#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure a share dividend against a bare move with as many lines."""
import datetime as dt
import random
from decimal import Decimal

from common import (
    END, START, YEAR, analyze, create_bare_move, database, get_sizes,
    insert_members, measure, print_header, print_row, run, setup_company)
from shares import create_class, insert_moves

from trytond.pool import Pool


def setup(size):
    pool = Pool()
    Account = pool.get('account.account')
    Configuration = pool.get('coop.share.configuration')
    company = setup_company()
    parties, members = insert_members(company, size)
    class_ = create_class(company)
    draw = random.Random(size)
    insert_moves(company, class_, (
            (member, START + dt.timedelta(draw.randrange(-500, 365)),
                draw.randrange(1, 20))
            for member in members for _ in range(2)))
    configuration = Configuration(1)
    configuration.dividend_resolution = False
    configuration.save()
    payable, = Account.search([
            ('company', '=', company), ('type.payable', '=', True),
            ('party_required', '=', True)], limit=1)
    expense, = Account.search([
            ('company', '=', company), ('type.expense', '=', True)], limit=1)
    analyze()
    return company, class_, parties, payable.id, expense.id


def create_dividend(company, class_, payable, expense):
    pool = Pool()
    Dividend = pool.get('coop.share.dividend')
    dividend = Dividend(
        company=company, classes=[class_], start_date=START, end_date=END,
        method='rate', rate=Decimal('0.03'),
        posting_date=dt.date(YEAR + 1, 5, 2),
        payment_date=dt.date(YEAR + 1, 6, 1),
        account=expense, account_payable=payable)
    dividend.save()
    return dividend.id


def click(button, id_):
    Dividend = Pool().get('coop.share.dividend')
    getattr(Dividend, button)([Dividend(id_)])


def check(id_):
    Dividend = Pool().get('coop.share.dividend')
    dividend = Dividend(id_)
    assert dividend.state == 'posted', dividend.state
    assert not Dividend.check_books(dividend.company, dividend.posting_date)


def bench(size):
    company, class_, parties, payable, expense = run(setup, size)

    def run_(func, *args):
        return measure(lambda: run(func, *args, company=company))

    def bare(count):
        return run_(
            create_bare_move, company, payable, expense, parties[:count],
            [Decimal('12.34')] * count)

    # The first move of a period also creates what the period needs
    bare(1)
    baseline, _ = bare(size)
    _, id_ = run_(create_dividend, company, class_, payable, expense)
    total = 0
    for button in ['compute', 'approve', 'post']:
        seconds, _ = run_(click, button, id_)
        total += seconds
        print_row(f"share dividend: {button}", size, seconds, baseline)
    run_(check, id_)
    print_row(
        "share dividend, against a bare move of as many lines", size,
        total, baseline, "≤ 1.5")


def main():
    sizes = get_sizes(1_000, 4_000, 16_000)
    print_header()
    with database('coop_shares'):
        for size in sizes:
            bench(size)


if __name__ == '__main__':
    main()
