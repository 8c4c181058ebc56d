#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the import of members against the creation of bare parties."""
import datetime as dt
import resource

from common import (
    START, database, get_sizes, measure, print_header, print_row, run,
    setup_company)
from shares import create_class

from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

CUTOVER = START + dt.timedelta(30)


def setup():
    company = setup_company()
    pool = Pool()
    Account = pool.get('account.account')
    Category = pool.get('coop.member.category')
    Configuration = pool.get('coop.share.configuration')
    Category.create([{'name': "Users", 'code': 'U', 'company': company}])
    opening, = Account.search([
            ('company', '=', company),
            ('type.assets', '=', True),
            ('closed', '!=', True),
            ('party_required', '!=', True),
            ], limit=1)
    create_class(company)
    with Transaction().set_context(company=company):
        configuration = Configuration(1)
        configuration.cutover_date = CUTOVER
        configuration.account_opening = opening
        configuration.save()
    return company


def create_bare_parties(size):
    Party = Pool().get('party.party')
    for numbers in grouped_slice(range(size), 500):
        Party.create([{
                    'name': f"Member {number}",
                    'addresses': [('create', [{
                                    'street': f"Street {number}",
                                    'postal_code': f'{number:05}',
                                    'city': "Berlin",
                                    }])],
                    } for number in numbers])


def import_members(size):
    Member = Pool().get('coop.member')
    answer = Member.import_rows([
            [number + 2, {
                    'number': f'{number + 1:06}',
                    'name': f"Member {number}",
                    'category': 'U',
                    'admission_date': START.isoformat(),
                    'street': f"Street {number}",
                    'postal_code': f'{number:05}',
                    'city': "Berlin",
                    'share_class': 'A',
                    'share_quantity': '2',
                    'share_date': START.isoformat(),
                    }] for number in range(size)])
    assert answer['created'] == size, answer
    return answer


def get_peak():
    "Return how many megabytes the process has needed so far"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main():
    print_header()
    for size in get_sizes(1000, 10000):
        with database('coop_import', 'coop_shares'):
            company = run(setup)
            baseline, _ = measure(
                lambda size, company: run(
                    create_bare_parties, size, company=company),
                size, company)
            before = get_peak()
            seconds, _ = measure(
                lambda size, company: run(
                    import_members, size, company=company),
                size, company)
            print_row(
                "import members with opening shares, against bare parties "
                f"with addresses ({get_peak()} MB after {before} MB)",
                size, seconds, baseline, '≤ 3')


if __name__ == '__main__':
    main()
