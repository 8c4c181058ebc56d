#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure convening a meeting against a bare create of as many parties."""
from common import (
    END, analyze, database, get_sizes, insert_members, measure, print_header,
    print_row, run, setup_company)

from trytond.pool import Pool


def setup(size):
    company = setup_company()
    insert_members(company, size)
    analyze()
    return company


def create_parties(size):
    Pool().get('party.party').create(
        [{'name': f"Party {i}"} for i in range(size)])


def create_meeting(company):
    meeting, = Pool().get('coop.meeting').create([{
                'company': company, 'kind': 'ordinary', 'date': END}])
    return meeting.id


def convene(meeting, size):
    meeting = Pool().get('coop.meeting')(meeting)
    meeting.convene([meeting])
    assert meeting.present_members == 0
    assert meeting.eligible_members == size


def bench(size):
    company = run(setup, size)

    def run_(func, *args):
        return measure(lambda: run(func, *args, company=company))

    baseline, _ = run_(create_parties, size)
    _, meeting = run_(create_meeting, company)
    seconds, _ = run_(convene, meeting, size)
    print_row("convene the members", size, seconds, baseline)


def main():
    print_header()
    for size in get_sizes(2_000, 6_000):
        with database('coop_shares'):
            bench(size)


if __name__ == '__main__':
    main()
