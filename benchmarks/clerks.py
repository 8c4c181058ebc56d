#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Let many clerks work at once over the protocol of the client.

They admit, subscribe, record payments, book, enter what was used and open
lists, on a cooperative of so many members, served by two processes.  That one
clerk does the same alone is the baseline.
"""
import base64
import datetime as dt
import itertools
import json
import random
import sys
import time
from collections import defaultdict
from decimal import Decimal
from http.client import HTTPConnection

from common import (
    YEAR, analyze, database, get_sizes, insert_members, print_header,
    print_row, run, setup_company)
from server import Server, at_once, summarize
from shares import create_class, insert_moves

from trytond import backend
from trytond.modules.company.tests import set_company
from trytond.modules.coop_commons.tests.documents import create_service
from trytond.modules.coop_shares.tests.case import create_payment_method
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME

WORKERS = 2
CLERKS = [16, 32]
PASSWORD = "a password of the benchmark"
GROUPS = [
    'coop_membership.group_coop_membership',
    'coop_membership.group_coop_accounting',
    'coop_membership.group_coop_board',
    'coop_commons.group_commons_stewardship',
    ]
DATE = dt.date(YEAR, 6, 1)
HELD = 3
# How many of each a clerk does
WORKS = {
    'admit': 2, 'subscribe': 3, 'pay': 3, 'book': 2, 'use': 2, 'list': 8}


def setup(size):
    pool = Pool()
    Company = pool.get('company.company')
    Group = pool.get('res.group')
    ModelData = pool.get('ir.model.data')
    Resource = pool.get('coop.commons.resource')
    Uom = pool.get('product.uom')
    User = pool.get('res.user')
    company = setup_company()
    _, members = insert_members(company, size)
    class_ = create_class(company)
    insert_moves(company, class_, (
            (member, dt.date(YEAR - 1, 1, 1), HELD) for member in members))
    hour, = Uom.search([('name', '=', "Hour")])
    with set_company(Company(company)):
        method = create_payment_method(Company(company))
        product = create_service(Company(company), hour)
        resources = Resource.create([{
                    'name': f"Room {i}",
                    'company': company,
                    'unit': hour.id,
                    'product': product.id,
                    'bookable': True,
                    'timezone': 'UTC',
                    } for i in range(10)])
    groups = [ModelData.get_id(*name.split('.')) for name in GROUPS]
    groups += [g.id for g in Group.search([('name', '=', "Accounting")])]
    User.create([{
                'name': f"Clerk {i}",
                'login': f'clerk{i}',
                'password': PASSWORD,
                'companies': [('add', [company])],
                'company': company,
                'groups': [('add', groups)],
                } for i in range(max(CLERKS))])
    analyze()
    return {
        'company': company,
        'class': class_,
        'members': members,
        'method': method.id,
        'resources': [r.id for r in resources],
        'unit': hour.id,
        }


def encode(value):
    if isinstance(value, dt.datetime):
        return {
            '__class__': 'datetime', 'year': value.year,
            'month': value.month, 'day': value.day, 'hour': value.hour,
            'minute': value.minute, 'second': 0, 'microsecond': 0}
    elif isinstance(value, dt.date):
        return {
            '__class__': 'date', 'year': value.year, 'month': value.month,
            'day': value.day}
    elif isinstance(value, Decimal):
        return {'__class__': 'Decimal', 'decimal': str(value)}
    raise TypeError(value)


class Refused(Exception):
    pass


class Clerk:
    "A user of the client"
    count = itertools.count(1)

    def __init__(self, port, number, data):
        self.port = port
        self.number = number
        self.data = data
        self.random = random.Random(number)
        self.times = defaultdict(list)
        self.context = {
            'company': data['company'],
            'companies': [data['company']],
            'language': 'en',
            }
        self.headers = {'Content-Type': 'application/json'}
        login = f'clerk{number}'
        user, session, *_ = self.ask(
            'common.db.login', login, {'password': PASSWORD})
        token = base64.b64encode(f'{login}:{user}:{session}'.encode())
        self.headers['Authorization'] = f'Session {token.decode()}'

    def ask(self, method, *params):
        connection = HTTPConnection('127.0.0.1', self.port, timeout=300)
        connection.request('POST', f'/{DB_NAME}/rpc/', json.dumps({
                    'id': next(self.count),
                    'method': method,
                    'params': params,
                    }, default=encode), self.headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        if response.status != 200:
            raise Refused(f'{method}: {response.status} {text[:200]}')
        answer = json.loads(text)
        if isinstance(answer, dict):
            if answer.get('error'):
                raise Refused(f'{method}: {answer["error"][:2]}')
            answer = answer['result']
        return answer

    def model(self, name, method, *params):
        return self.ask(f'model.{name}.{method}', *params, self.context)

    def create(self, name, **values):
        id_, = self.model(name, 'create', [
                {'company': self.data['company'], **values}])
        return id_

    def any_member(self):
        return self.random.choice(self.data['members'])

    def admit(self):
        party, = self.model('party.party', 'create', [
                {'name': f"Newcomer {next(self.count)}"}])
        member = self.create(
            'coop.member', party=party, application_date=DATE,
            admission_date=DATE,
            category=self.read_category())
        self.model('coop.member', 'admit', [member])

    def read_category(self):
        categories = self.model(
            'coop.member.category', 'search_read', [], 0, 1, None, ['name'])
        return categories[0]['id']

    def subscribe(self):
        id_ = self.create(
            'coop.share.subscription', member=self.any_member(),
            share_class=self.data['class'], quantity=Decimal(2), date=DATE)
        self.model('coop.share.subscription', 'confirm', [id_])
        return id_

    def pay(self):
        id_ = self.subscribe()
        wizard = 'wizard.coop.share.subscription.pay'
        session, _, _ = self.ask(f'{wizard}.create', self.context)
        context = {
            **self.context, 'active_model': 'coop.share.subscription',
            'active_id': id_, 'active_ids': [id_],
            'action_id': None}
        view = self.ask(f'{wizard}.execute', session, {}, 'start', context)
        values = {
            n: v for n, v in view['view']['defaults'].items()
            if not n.endswith('.')}
        values.update(date=DATE, payment_method=self.data['method'])
        self.ask(
            f'{wizard}.execute', session, {'start': values}, 'pay', context)
        self.ask(f'{wizard}.delete', session, self.context)

    def book(self):
        start = dt.datetime(2034, 1, 1) + dt.timedelta(
            hours=next(self.count))
        id_ = self.create(
            'coop.commons.booking', member=self.any_member(),
            resource=self.random.choice(self.data['resources']),
            start=start, end=start + dt.timedelta(hours=1))
        self.model('coop.commons.booking', 'confirm', [id_])

    def use(self):
        start = dt.datetime(2021, 1, 1) + dt.timedelta(
            hours=next(self.count))
        id_ = self.create(
            'coop.commons.usage', member=self.any_member(),
            resource=self.random.choice(self.data['resources']),
            start=start, end=start + dt.timedelta(hours=1),
            quantities=[['create', [{
                            'unit': self.data['unit'],
                            'quantity': Decimal(1)}]]])
        self.model('coop.commons.usage', 'confirm', [id_])

    def list(self):
        name, fields = self.random.choice([
                ('coop.member', ['rec_name', 'number', 'state']),
                ('coop.share.subscription', [
                        'rec_name', 'amount_to_pay', 'state']),
                ('coop.share.move', ['rec_name', 'quantity', 'amount']),
                ('coop.commons.booking', ['rec_name', 'start', 'state']),
                ])
        self.model(name, 'search_read', [], 0, 80, None, fields)

    def work(self):
        "Do all works in an order of one's own"
        works = [name for name, n in WORKS.items() for _ in range(n)]
        self.random.shuffle(works)
        errors = []
        for name in works:
            begin = time.perf_counter()
            try:
                getattr(self, name)()
            except Refused as error:
                errors.append(f'{name}: {error}')
            self.times[name].append(time.perf_counter() - begin)
        return errors


def check():
    "Check that what the clerks did is there"
    pool = Pool()
    Subscription = pool.get('coop.share.subscription')
    return {
        state: Subscription.search([('state', '=', state)], count=True)
        for state in ['draft', 'confirmed', 'paid']}


def measure(port, numbers, data):
    clerks = [Clerk(port, i, data) for i in numbers]
    results, seconds = at_once([c.work for c in clerks])
    errors = [e for r, _ in results for e in r]
    assert not errors, (len(errors), errors[:3])
    times = [
        (None, t) for c in clerks for ts in c.times.values() for t in ts]
    return len(times), summarize(times, seconds)


def bench(size):
    with database('coop', 'coop_portal', 'coop_import'):
        data = run(setup, size)
        with Server('trytond.application:app', WORKERS) as server:
            for _ in range(2 * WORKERS):
                measure(server.port, [0], data)
            works, alone = measure(server.port, [0], data)
            print_row(
                f"one clerk: {works / alone['all']:.1f} works a second",
                size, alone['all'])
            for clerks in CLERKS:
                works, summary = measure(server.port, range(clerks), data)
                rate = works / summary.pop('all')
                for name, seconds in summary.items():
                    print_row(
                        f"{clerks} clerks, {rate:.1f} works a second, {name}",
                        size, seconds, alone[name],
                        "< 3 s" if (clerks, name) == (16, 'p99') else '')
        counts = run(check)
        assert counts['draft'] == 0, counts


def main():
    if backend.name != 'postgresql':
        sys.exit("Only PostgreSQL serves many at once: see bin/postgresql")
    print_header()
    for size in get_sizes(2_000, 20_000):
        bench(size)


if __name__ == '__main__':
    main()
