#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Check the books of all companies of a database, for those who watch it"""
import datetime as dt
import sys
from argparse import ArgumentParser

import trytond.config as config
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.document import full_name
from trytond.pool import Pool
from trytond.transaction import Transaction


def find_differences(database, date):
    """Yield the company and each difference of its books at the end of the day

    Of the database, by its name.
    """
    with Transaction().start(database, 0, readonly=True):
        Company = Pool().get('company.company')
        for company in Company.search([]):
            with Transaction().set_context(company=company.id):
                for difference in check_books(company, date):
                    yield company, difference


def report(database, date):
    "Print what of the books does not agree, and return how many are errors"
    errors = 0
    for company, difference in find_differences(database, date):
        errors += difference.kind == 'error'
        amounts = ''
        if difference.expected != difference.found:
            amounts = (
                f' {difference.expected} expected, {difference.found} found')
        print(
            f'{company.rec_name}: {difference.kind}: '
            f'{full_name(difference.record)}: '
            f'{difference.description}{amounts}')
    return errors


def run():
    parser = ArgumentParser(
        description="Check that the ledgers of the cooperative and the books "
        "agree, in all companies.  It ends with 1 if they do not.")
    parser.add_argument('-c', '--config', dest='config_file', metavar='FILE',
        help="the configuration of the server")
    parser.add_argument('-d', '--database', required=True)
    parser.add_argument('--date', type=dt.date.fromisoformat,
        default=dt.date.today(),
        help="the day at the end of which they are to agree, as YYYY-MM-DD; "
        "today by default")
    args = parser.parse_args()
    config.update_etc(args.config_file)
    Pool.start()
    with Transaction().start(args.database, 0, readonly=True):
        Pool(args.database).init()
    sys.exit(1 if report(args.database, args.date) else 0)


if __name__ == '__main__':
    run()
