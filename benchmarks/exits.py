#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the exit of many members at the end of a year in one go.

They give notice, their redemptions are approved, and all of them leave but
one, for whom something is open.
"""
import datetime as dt
from decimal import Decimal

from common import (
    END, YEAR, analyze, create_bare_move, database, get_sizes, insert_members,
    measure, print_header, print_row, run, setup_company)
from shares import PAR_VALUE, create_class, insert_moves

from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.pool import Pool
from trytond.transaction import Transaction

HELD = 3


def setup(size):
    pool = Pool()
    Account = pool.get('account.account')
    Subscription = pool.get('coop.share.subscription')
    company = setup_company()
    parties, members = insert_members(company, size)
    class_ = create_class(company)
    insert_moves(company, class_, (
            (member, dt.date(YEAR - 5, 1, 1), HELD) for member in members))
    stuck = members[0]
    Subscription.create([{
                'company': company,
                'member': stuck,
                'share_class': class_,
                'quantity': Decimal(1),
                'date': dt.date(YEAR, 1, 1),
                }])
    payable, = Account.search([
            ('company', '=', company), ('type.payable', '=', True),
            ('party_required', '=', True)], limit=1)
    expense, = Account.search([
            ('company', '=', company), ('type.expense', '=', True)], limit=1)
    analyze()
    return company, parties, members, payable.id, expense.id


def give_notice(members):
    Member = Pool().get('coop.member')
    Member.write(Member.browse(members), {
            'notice_date': dt.date(YEAR, 6, 30),
            'exit_reason': 'resignation',
            })
    Member.give_notice(Member.browse(members))


def approve(members):
    Redemption = Pool().get('coop.share.redemption')
    with Transaction().set_context(_skip_warnings=True):
        Redemption.approve(Redemption.search([
                    ('member', 'in', members),
                    ]))


def end():
    Pool().get('coop.share.redemption').end_due(END + dt.timedelta(1))


def leave():
    return [m.id for m in Pool().get('coop.member').leave_due()]


def check(members):
    Member = Pool().get('coop.member')
    stuck, *others = Member.browse(members)
    assert stuck.state == 'leaving', stuck.state
    assert {m.state for m in others} == {'left'}
    assert {m.exit_date for m in others} == {END}


def bench(size):
    company, parties, members, payable, expense = run(setup, size)

    def run_(func, *args):
        with count_queries() as queries:
            seconds, result = measure(
                lambda: run(func, *args, company=company))
        reads = sum(
            count for (kind, _), count in queries.items()
            if kind == 'Select')
        return seconds, reads, result

    # The first move of a period also creates what the period needs
    run_(create_bare_move, company, payable, expense, parties[:1],
        [PAR_VALUE])
    baseline, *_ = run_(
        create_bare_move, company, payable, expense, parties,
        [PAR_VALUE] * size)
    for name, *call in [
            ("give notice", give_notice, members),
            ("approve the redemptions", approve, members),
            ("end them", end),
            ("leave, but for one", leave)]:
        seconds, queries, result = run_(*call)
        print_row(
            f"exits: {name} ({queries:,} reads)", size, seconds, baseline)
    assert result == members[:1], result
    run(check, members)


def main():
    sizes = get_sizes(300, 1_000)
    print_header()
    with database('coop_shares'):
        for size in sizes:
            bench(size)


if __name__ == '__main__':
    main()
