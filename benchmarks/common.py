# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the benchmarks share: a database, a clock and a table.

The database is in memory of SQLite or, when TRYTOND_DATABASE_URI says so, a
throw-away one on that PostgreSQL server (see bin/postgresql).
"""
import argparse
import datetime as dt
import gc
import time
import uuid
from contextlib import contextmanager
from decimal import Decimal

from sql import Table
from sql.aggregate import Max

from trytond import backend
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, activate_module, drop_db
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, TransactionError
from trytond.worker import run_task

# In its tests Tryton also validates what is computed
Pool.test = False

YEAR = 2025
START, END = dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 31)
_HEADER = (
    "| work | database | size | seconds | baseline | ratio | aim |",
    "|---|---|--:|--:|--:|--:|--:|",
    )


def get_sizes(*sizes):
    "Return the sizes of the command line or those given"
    parser = argparse.ArgumentParser()
    parser.add_argument('size', type=int, nargs='*', default=sizes)
    return parser.parse_args().size


def print_header():
    print(*_HEADER, sep='\n')


def print_row(work, size, seconds, baseline=None, aim='', database=True):
    print("| {} | {} | {:,} | {:.3f} | {} | {} | {} |".format(
            work,
            backend.name if database else '',
            size, seconds,
            '' if baseline is None else f'{baseline:.3f}',
            '' if baseline is None else f'{seconds / baseline:.2f}',
            aim),
        flush=True)


def measure(func, *args):
    """Return the seconds the function takes and its result.

    SQLite works within the process, whose processor time does not depend on
    what else runs on the machine.
    """
    if backend.name == 'sqlite':
        clock = time.process_time
    else:
        clock = time.perf_counter
    gc.collect()
    start = clock()
    result = func(*args)
    return clock() - start, result


@contextmanager
def database(*modules):
    drop_db()
    activate_module(list(modules))
    try:
        yield
    finally:
        drop_db()


def run(func, *args, company=None):
    """Run the function in a transaction and then the tasks it has queued,
    as the server does it for a client."""
    context = {'company': company, 'companies': [company]} if company else {}
    extras = {}
    while True:
        with Transaction().start(
                DB_NAME, 1, context=context, **extras) as transaction:
            try:
                result = func(*args)
                transaction.commit()
            except TransactionError as e:
                transaction.rollback()
                transaction.tasks.clear()
                e.fix(extras)
                continue
        while transaction.tasks:
            run_task(DB_NAME, transaction.tasks.pop())
        return result


def insert(model, columns, rows):
    """Insert the rows without any check and return their ids.

    It is the way to get the data of a benchmark, not a way to use Tryton.
    """
    table = Table(model.replace('.', '_').replace('-', '_'))
    cursor = Transaction().connection.cursor()
    cursor.execute(*table.select(Max(table.id)))
    last, = cursor.fetchone()
    for sub_rows in grouped_slice(rows, 100):
        cursor.execute(*table.insert(
                [getattr(table, c) for c in columns],
                [list(r) for r in sub_rows]))
    cursor.execute(*table.select(
            table.id, where=table.id > (last or 0), order_by=table.id))
    return [id_ for id_, in cursor]


def analyze():
    "Let PostgreSQL know how much there is, as its daemon does in time"
    if backend.name == 'postgresql':
        Transaction().connection.cursor().execute('ANALYZE')


def setup_company():
    "Create a company with a chart and two open years and return its id"
    pool = Pool()
    FiscalYear = pool.get('account.fiscalyear')
    company = create_company(name=f"Company {uuid.uuid4()}")
    with set_company(company):
        create_chart(company)
        for year in [YEAR, YEAR + 1]:
            fiscalyear = set_invoice_sequences(get_fiscalyear(
                    company, start_date=START.replace(year=year),
                    end_date=END.replace(year=year)))
            fiscalyear.save()
            FiscalYear.create_period([fiscalyear])
    return company.id


def insert_members(company, count):
    "Insert parties that are members since 2020 and return parties, members"
    parties = insert(
        'party.party', ['code', 'active', 'name'],
        ((f'{company}-{i}', True, f"Member {i}") for i in range(count)))
    pool = Pool()
    Category = pool.get('coop.member.category')
    category, = Category.create([{'name': "Users", 'company': company}])
    members = insert(
        'coop.member',
        ['company', 'party', 'number', 'state', 'application_date'],
        ((company, p, f'{i:06}', 'member', dt.date(2020, 1, 1))
            for i, p in enumerate(parties)))
    insert(
        'coop.membership',
        ['member', 'category', 'start_date', 'admission_date'],
        ((m, category.id, *2 * [dt.date(2020, 1, 1)]) for m in members))
    return parties, members


def create_bare_move(company, account, counterpart, parties, amounts):
    """Save and post one move with a line for each party.

    The lines are saved in slices, which is the fastest.
    """
    pool = Pool()
    Configuration = pool.get('coop.membership.configuration')
    Move = pool.get('account.move')
    Line = pool.get('account.move.line')
    Period = pool.get('account.period')
    date = dt.date(YEAR + 1, 5, 2)
    period = Period.find(company, date=date)
    # Else the whole transaction is done again for it at the end
    period.move_sequence_used.lock()
    move = Move(
        company=company,
        journal=Configuration(1).get_multivalue('journal', company=company),
        period=period, date=date)
    move.save()
    for sub_rows in grouped_slice(list(zip(parties, amounts)), 500):
        Line.save([
                Line(
                    move=move, account=account, party=party,
                    debit=Decimal(0), credit=amount, maturity_date=date)
                for party, amount in sub_rows])
    Line.save([
            Line(
                move=move, account=counterpart, debit=sum(amounts),
                credit=Decimal(0))])
    Move.post([move])
    return move


def create_bare_moves(company, account, counterpart, parties, amounts):
    """Save and post a move of two lines for each party, in slices."""
    pool = Pool()
    Configuration = pool.get('coop.membership.configuration')
    Move = pool.get('account.move')
    Line = pool.get('account.move.line')
    Period = pool.get('account.period')
    date = dt.date(YEAR + 1, 5, 2)
    period = Period.find(company, date=date)
    period.move_sequence_used.lock()
    journal = Configuration(1).get_multivalue('journal', company=company)
    for sub_rows in grouped_slice(list(zip(parties, amounts)), 500):
        moves = [
            Move(
                company=company, journal=journal, period=period, date=date,
                lines=[
                    Line(
                        account=counterpart, debit=amount,
                        credit=Decimal(0)),
                    Line(
                        account=account, party=party, debit=Decimal(0),
                        credit=amount, maturity_date=date),
                    ])
            for party, amount in sub_rows]
        Move.save(moves)
        Move.post(moves)
