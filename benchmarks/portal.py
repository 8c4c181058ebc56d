#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Let many members book at once by the portal.

Each hour of each resource is wanted by two of them.  The portal is served by
gunicorn on this machine as the documentation says, and the members come
from threads of this process.  That a page is only looked at by as many
is the baseline.
"""
import datetime as dt
import re
import sys
from collections import Counter
from decimal import Decimal
from http.client import HTTPConnection
from urllib.parse import urlencode

from common import (
    YEAR, analyze, database, get_sizes, insert, insert_members, print_header,
    print_row, run, setup_company)
from server import Server, at_once, summarize

from trytond import backend
from trytond.modules.company.tests import set_company
from trytond.modules.coop_commons.tests.documents import create_service
from trytond.modules.coop_portal.wsgi import create_app
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME

HOST, SECRET = 'portal.example', 'a secret of the benchmark'
RESOURCES = 10
START = dt.datetime(2034, 1, 2, 8)
WORKERS = 4
APPLICATION = (
    'trytond.modules.coop_portal.wsgi:create_app('
    f'{DB_NAME!r}, {SECRET!r}, False)')
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


def setup(size):
    "Return the resources, and the keys of the sessions of the members"
    pool = Pool()
    Company = pool.get('company.company')
    Portal = pool.get('coop.portal.configuration')
    Resource = pool.get('coop.commons.resource')
    Session = pool.get('web.user.session')
    Tariff = pool.get('coop.commons.tariff')
    Uom = pool.get('product.uom')
    User = pool.get('web.user')
    company = setup_company()
    parties, _ = insert_members(company, size)
    users = insert(
        'web.user', ['email', 'email_valid', 'active', 'party'],
        ((f'{p}@{HOST}', True, True, p) for p in parties))
    Portal.create([{'host': HOST, 'company': company}])
    hour, = Uom.search([('name', '=', "Hour")])
    with set_company(Company(company)):
        product = create_service(Company(company), hour)
    resources = Resource.create([{
                'name': f"Room {i}",
                'company': company,
                'unit': hour.id,
                'product': product.id,
                'bookable': True,
                'timezone': 'UTC',
                } for i in range(RESOURCES)])
    tariffs = Tariff.create([{
                'name': r.name,
                'company': company,
                'resource': r.id,
                'audience': 'member',
                'currency': Company(company).currency.id,
                'valid_from': dt.date(YEAR, 1, 1),
                'components': [('create', [{
                                'name': "Hours",
                                'kind': 'time',
                                'unit': hour.id,
                                'unit_price': Decimal(10),
                                }])],
                } for r in resources])
    Tariff.approve(tariffs)
    keys = [Session.add(User(u)) for u in users]
    analyze()
    return [r.id for r in resources], keys


class Visitor:
    "A member with a browser"

    def __init__(self, port, cookie):
        self.port = port
        self.cookie = cookie

    def ask(self, method, path, **form):
        "Return the status and the text of the answer"
        connection = HTTPConnection('127.0.0.1', self.port, timeout=300)
        connection.request(
            method, path, urlencode(form) if form else None, {
                'Host': HOST,
                'Cookie': f'portal={self.cookie}',
                'Content-Type': 'application/x-www-form-urlencoded',
                })
        response = connection.getresponse()
        for cookie in response.msg.get_all('Set-Cookie', []):
            name, _, value = cookie.partition(';')[0].partition('=')
            if name == 'portal':
                self.cookie = value
        text = response.read().decode()
        connection.close()
        return response.status, text

    def look(self, path):
        return self.ask('GET', path)[0]

    def book(self, path, start):
        end = start + dt.timedelta(hours=1)
        status, text = self.ask('GET', path)
        if status != 200:
            return status
        status, _ = self.ask(
            'POST', path, csrf_token=TOKEN.search(text)[1],
            start=f'{start:%Y-%m-%dT%H:%M}', end=f'{end:%Y-%m-%dT%H:%M}',
            quantity='1', book='')
        return status


def get_cookies(keys):
    "Return the cookies by which the members have signed in"
    app = create_app(DB_NAME, SECRET, secure=False)
    serializer = app.session_interface.get_signing_serializer(app)
    return [serializer.dumps({'key': key}) for key in keys]


def check(wanted):
    "Check that each hour that was wanted is booked, and only once"
    Booking = Pool().get('coop.commons.booking')
    booked = Counter(
        (b.resource.id, b.start)
        for b in Booking.search([('state', '=', 'confirmed')]))
    assert booked == Counter(set(wanted)), booked


def bench(size):
    with database('coop_portal', 'coop_commons', 'account_invoice'):
        resources, keys = run(setup, size)
        wanted = [(
                resources[i // 2 % RESOURCES],
                START + dt.timedelta(hours=i // 2 // RESOURCES))
            for i in range(size)]
        cookies = get_cookies(keys)
        with Server(APPLICATION, WORKERS) as server:
            visitors = [Visitor(server.port, c) for c in cookies]
            # Each worker has loaded what it needs
            for visitor in visitors[:4 * WORKERS]:
                visitor.look('/use')
            looks, look_seconds = at_once([
                    lambda v=v, r=r: v.look(f'/use/{r}')
                    for v, (r, _) in zip(visitors, wanted)])
            books, book_seconds = at_once([
                    lambda v=v, r=r, s=s: v.book(f'/use/{r}', s)
                    for v, (r, s) in zip(visitors, wanted)])
        assert {status for status, _ in looks} == {200}
        statuses = Counter(status for status, _ in books)
        # Who is too late reads on the same page that it is taken
        assert statuses == {302: len(set(wanted)), 200: size - len(
                set(wanted))}, statuses
        run(check, wanted)
        baseline = summarize(looks, look_seconds)
        for name, seconds in summarize(books, book_seconds).items():
            print_row(
                f"portal: look at a week and book, {name}", size, seconds,
                baseline[name])


def main():
    if backend.name != 'postgresql':
        sys.exit("Only PostgreSQL serves many at once: see bin/postgresql")
    print_header()
    for size in get_sizes(100, 500):
        bench(size)


if __name__ == '__main__':
    main()
