#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Measure the log of a shared computer from its events to the invoices.

Above the 5,944 uses of the log it is repeated.  Receiving 10,000 of them is
compared with creating as many records.

The bare invoices have as many lines, of the same product and amounts.
"""
import datetime as dt

from common import database, get_sizes, measure, print_header, print_row, run
from werkzeug.test import Client

from trytond.modules.coop.tests import machine
from trytond.pool import Pool
from trytond.protocols.wrappers import Response
from trytond.tests.test_tryton import DB_NAME
from trytond.tools import grouped_slice
from trytond.wsgi import app


def compute(company, billing):
    Billing = Pool().get('coop.commons.billing')
    Billing.compute([Billing(billing)])


def post(company, billing):
    Billing = Pool().get('coop.commons.billing')
    Billing.post([Billing(billing)])


def check(company, jobs, billing):
    Billing = Pool().get('coop.commons.billing')
    Usage = Pool().get('coop.commons.usage')
    assert Usage.search([], count=True) == len(jobs)
    assert not Usage.search([('state', '!=', 'charged')], count=True)
    invoices = Billing(billing).invoices
    invoiced = {
        i.party.name.split()[-1]: i.untaxed_amount for i in invoices}
    assert invoiced == {
        user: amount for user, amount in machine.expect(jobs).items()
        if amount}
    return [
        (i.party.id, [l.unit_price * int(l.quantity) for l in i.lines])
        for i in invoices]


def bare(company, invoices):
    pool = Pool()
    Company = pool.get('company.company')
    Invoice = pool.get('account.invoice')
    Line = pool.get('account.invoice.line')
    Party = pool.get('party.party')
    Product = pool.get('product.product')
    company = Company(company)
    product, = Product.search([])
    to_save = []
    for party, amounts in invoices:
        invoice = Invoice(
            company=company, type='out', party=Party(party),
            currency=company.currency, invoice_date=dt.date(1993, 12, 1))
        invoice.on_change_type()
        invoice.lines = []
        for amount in amounts:
            line = Line(
                invoice=invoice, company=company, currency=company.currency,
                type='line', product=product)
            line.on_change_product()
            line.quantity, line.unit_price = 1, amount
            invoice.lines = [*invoice.lines, line]
        to_save.append(invoice)
    Invoice.save(to_save)
    Invoice.post(to_save)


def create_usages(company, jobs):
    "Create as many usages as bare records, in slices"
    pool = Pool()
    Member = pool.get('coop.member')
    Resource = pool.get('coop.commons.resource')
    Usage = pool.get('coop.commons.usage')
    resource, = Resource.search([])
    members = {m.number: m.id for m in Member.search([])}
    for sub_jobs in grouped_slice(jobs, 500):
        Usage.create([{
                    'company': company,
                    'resource': resource.id,
                    'member': members[job['user']],
                    'start': job['start'],
                    'end': job['end'],
                    'source': 'bare',
                    'external_id': job['job'],
                    'quantities': [('create', [{
                                    'unit': resource.unit.id,
                                    'quantity': job['quantity'],
                                    }])],
                    } for job in sub_jobs])


def bench_intake(size):
    jobs = machine.read(size)
    with database('coop'):
        company = run(lambda: machine.set_up(jobs).id)
        client = Client(app, Response)
        baseline, _ = measure(
            lambda: run(create_usages, company, jobs, company=company))
        seconds, counts = measure(machine.post, client, DB_NAME, jobs)
        assert counts == {'created': size}, counts
        print_row(
            "receive usages by the event route, against a bare create of as "
            "many", size, seconds, baseline, "≤ 2")


def bench(size):
    jobs = machine.read(size)
    with database('coop'):
        company = run(lambda: machine.set_up(jobs).id)
        client = Client(app, Response)

        seconds, counts = measure(machine.post, client, DB_NAME, jobs)
        assert counts == {'created': size}, counts
        print_row("receive usages by the event route", size, seconds)
        seconds, answer = measure(
            lambda: run(machine.import_rows, jobs, company=company))
        assert answer['unchanged'] == size, answer
        print_row("import the same from CSV again", size, seconds)

        billing = run(
            lambda: machine.get_billing(company).id, company=company)
        rate, _ = measure(
            lambda: run(compute, company, billing, company=company))
        print_row("rate them and make the invoices", size, rate)
        seconds, _ = measure(
            lambda: run(post, company, billing, company=company))
        print_row("post the invoices", size, seconds)
        invoices = run(check, company, jobs, billing, company=company)
        baseline, _ = measure(
            lambda: run(bare, company, invoices, company=company))
        print_row(
            f"post {len(invoices)} invoices, against bare ones", size,
            seconds, baseline, "≤ 1.5")


def main():
    sizes = get_sizes(1_500, 5_944, 18_000)
    print_header()
    bench_intake(10_000)
    for size in sizes:
        bench(size)


if __name__ == '__main__':
    main()
