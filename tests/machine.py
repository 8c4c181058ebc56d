# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The log of a shared computer: its use in node-hours, received by the event
route and from a CSV file, and what it costs by a calculation of its own."""
import csv
import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company
from trytond.pool import Pool
from trytond.transaction import Transaction

LOG = Path(__file__).parent.parent / 'demo' / 'data' / 'machine_usage.csv'
ZONE = ZoneInfo('America/Los_Angeles')
KEY = 'machine-key'
PRICE, NIGHT_PRICE, CAP = Decimal('0.05'), Decimal('0.02'), Decimal(5)
HOUR = dt.timedelta(hours=1)
BATCH = 1000


def read(size=None):
    "Return the jobs of the log, again four weeks earlier for a greater size"
    with open(LOG, encoding='utf-8', newline='') as file:
        log = list(csv.DictReader(file))
    jobs = []
    for i in range(len(log) if size is None else size):
        repeat, i = divmod(i, len(log))
        jobs.append(dict(log[i], earlier=dt.timedelta(weeks=4 * repeat)))
        jobs[-1]['job'] += f'-{repeat}' if repeat else ''
    for job in jobs:
        for name in ['start', 'end']:
            job[name] = dt.datetime.strptime(
                job[name], '%Y-%m-%dT%H:%M:%SZ') - job['earlier']
        hours = (job['end'] - job['start']) / HOUR
        job['quantity'] = Decimal(f"{hours * int(job['nodes']):.6f}")
    return jobs


def get_event(job):
    return {
        'external_id': job['job'],
        'resource': 'COMPUTER',
        'member': job['user'],
        'start': job['start'].isoformat() + 'Z',
        'end': job['end'].isoformat() + 'Z',
        'quantities': {'node-h': str(job['quantity'])},
        }


def get_row(job):
    "Return the cells of the CSV file"
    event = get_event(job)
    quantity = event.pop('quantities')['node-h']
    return {**event, 'source': 'log', 'quantity': quantity, 'unit': 'node-h'}


def expect(jobs):
    """Return what each user owes

    The hours of the clock in California, one by one: those from 22 to 6 are
    cheaper, and each user pays a month's cap at most.
    """
    amounts = defaultdict(Decimal)
    for job in jobs:
        length = (job['end'] - job['start']) / dt.timedelta(seconds=1)
        left = job['start']
        while True:
            # The border of an hour is one in any time zone of the country
            right = min(
                job['end'],
                left.replace(minute=0, second=0) + HOUR)
            local = left.replace(tzinfo=dt.timezone.utc).astimezone(ZONE)
            night = local.hour >= 22 or local.hour < 6
            part = Decimal(
                (right - left).total_seconds()) / Decimal(length or 1)
            amounts[job['user'], local.month] += (
                job['quantity'] * part * (NIGHT_PRICE if night else PRICE))
            if right >= job['end']:
                break
            left = right
    owed = defaultdict(Decimal)
    for (user, _), amount in amounts.items():
        owed[user] += min(amount, CAP)
    return {
        user: amount.quantize(Decimal('.01'))
        for user, amount in owed.items()}


def set_up(jobs):
    "Create the computer, its tariff and its users"
    pool = Pool()
    Account = pool.get('account.account')
    Application = pool.get('res.user.application')
    Category = pool.get('coop.member.category')
    Member = pool.get('coop.member')
    Party = pool.get('party.party')
    ProductCategory = pool.get('product.category')
    Resource = pool.get('coop.commons.resource')
    Tariff = pool.get('coop.commons.tariff')
    Template = pool.get('product.template')
    Uom = pool.get('product.uom')
    UomCategory = pool.get('product.uom.category')
    User = pool.get('res.user')

    company = create_company()
    User.write([User(Transaction().user)], {
            'companies': [('add', [company.id])],
            'company': company.id,
            })
    with Transaction().set_context(
            company=company.id, companies=[company.id]):
        create_chart(company)
        fiscalyear = set_invoice_sequences(
            get_fiscalyear(company, today=dt.date(1993, 1, 1)))
        fiscalyear.save()
        fiscalyear.create_period([fiscalyear])
        revenue, = Account.search([
                ('type.revenue', '=', True),
                ('closed', '!=', True),
                ('company', '=', company.id),
                ], limit=1)
        unit_category = UomCategory(name="Computing")
        unit_category.save()
        unit = Uom(
            name="Node-hour", symbol='node-h', category=unit_category,
            factor=1, rate=1, digits=4, rounding=0.0001)
        unit.save()
        category = ProductCategory(
            name="Computing", accounting=True, account_revenue=revenue)
        category.save()
        template = Template(
            name="Computing", type='service', default_uom=unit,
            account_category=category, products=[{}])
        template.save()
        resource = Resource(
            name="Computer", code='COMPUTER', company=company, unit=unit,
            capacity=128, timezone=ZONE.key, product=template.products[0])
        resource.save()
        tariff, = Tariff.create([{
                    'name': "Computing", 'company': company.id,
                    'resource': resource.id, 'currency': company.currency.id,
                    'valid_from': dt.date(1993, 1, 1),
                    'components': [('create', [{
                                    'name': "Node-hours", 'kind': 'metered',
                                    'unit': unit.id, 'unit_price': PRICE,
                                    'cap': CAP, 'cap_per': 'month',
                                    'bands': [('create', [{
                                                    'name': "Night",
                                                    'start': dt.time(22),
                                                    'end': dt.time(6),
                                                    'factor': None,
                                                    'unit_price': NIGHT_PRICE,
                                                    }])],
                                    }])],
                    }])
        Tariff.approve([tariff])
        users = sorted({job['user'] for job in jobs})
        parties = Party.create([{
                    'name': f"User {user}",
                    'addresses': [('create', [{}])],
                    } for user in users])
        member_category = Category(name="Users", company=company)
        member_category.save()
        Member.create([{
                    'party': party.id, 'company': company.id,
                    'category': member_category.id, 'number': user,
                    } for user, party in zip(users, parties)])
        Application.create([{
                    'application': 'coop_commons', 'key': KEY,
                    'user': Transaction().user, 'state': 'validated',
                    }])
    return company


def post(client, database, jobs):
    "Send the jobs to the event route and count the answers"
    counts = defaultdict(int)
    for i in range(0, len(jobs), BATCH):
        response = client.post(
            f'/{database}/coop_commons/usage',
            headers={'Authorization': f'Bearer {KEY}'},
            data=json.dumps({
                    'source': 'log',
                    'events': [get_event(j) for j in jobs[i:i + BATCH]],
                    }).encode())
        for result in response.json['results']:
            counts[result['status']] += 1
    return dict(counts)


def import_rows(jobs):
    "Import the jobs as the script does with its CSV file"
    Usage = Pool().get('coop.commons.usage')
    return Usage.import_rows([
            [line, get_row(job)] for line, job in enumerate(jobs, 2)])


def get_billing(company):
    Billing = Pool().get('coop.commons.billing')
    billing = Billing(
        company=company, end=dt.date(1993, 11, 30),
        invoice_date=dt.date(1993, 12, 1))
    billing.save()
    return billing
