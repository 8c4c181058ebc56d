# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Make the files that the demo imports out of the real ones in data/."""
import csv
import datetime as dt
from itertools import islice
from pathlib import Path
from random import Random

from dateutil.relativedelta import relativedelta
from faker import Faker

DATA = Path(__file__).parent / 'data'
SEED = 1997
# The log of the machine is of October 1993.  Whole weeks keep its weekdays.
WEEKS = 209
JOBS = 10  # for each customer, of those who are not all


def read(name):
    with open(DATA / name, newline='', encoding='utf-8') as file:
        yield from csv.DictReader(file)


def read_purchases(customers=None):
    "Yield the purchases of the first customers, or of all of them"
    for purchase in read('purchases.csv'):
        if customers and int(purchase['customer']) > customers:
            break
        yield purchase


def write(path, rows):
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def make_members(path, customers=None):
    """Write a member for each customer: the day of the first purchase is
    real, everything else is generated"""
    random = Random(SEED)
    fake = Faker('en_US')
    fake.seed_instance(SEED)
    first = {}
    for purchase in read_purchases(customers):
        first.setdefault(purchase['customer'], purchase['date'])
    rows = []
    for number, date in first.items():
        organisation = random.random() < .04
        rows.append({
                'number': number,
                'name': fake.company() if organisation else fake.name(),
                'legal_entity': 'yes' if organisation else '',
                'category': 'ORG' if organisation else 'PER',
                'street': fake.street_address(),
                'postal_code': fake.postcode(),
                'city': fake.city(),
                'country': 'US',
                'email': f'member{number}@example.org',
                'admission_date': date,
                'subscription_class': 'A',
                'subscription_quantity': random.choice(
                    [5, 10, 20] if organisation else [1, 1, 1, 2, 2, 3, 5]),
                'subscription_date': date,
                # Collected at the end of the month, if not left unpaid
                'subscription_paid': (
                    '' if random.random() < .01 else month_end(date)),
                })
    write(path, rows)


def month_end(date):
    return dt.date.fromisoformat(date) + relativedelta(day=31)


def make_purchases(path, customers=None):
    write(path, [{
                'external_id': number,
                'category': 'CD',
                'member': purchase['customer'],
                'date': purchase['date'],
                'quantity': purchase['quantity'],
                'amount': purchase['amount'],
                } for number, purchase in enumerate(
                read_purchases(customers), 1)])


def make_usages(path, customers=None):
    """Write the usage of each job in node-hours, or of the first jobs only
    where there are few customers

    The users of the log are the first members of the register, and its
    system personnel is the cooperative itself.
    """
    rows = []
    jobs = read('machine_usage.csv')
    for job in islice(jobs, customers and customers * JOBS):
        start, end = (move(job[name]) for name in ['start', 'end'])
        hours = (end - start) / dt.timedelta(hours=1)
        system = job['user_group'] == '2'
        rows.append({
                'source': 'log',
                'external_id': job['job'],
                'resource': 'COMPUTER',
                'member': '' if system else job['user'].zfill(4),
                'cost_center': 'OPERATIONS' if system else '',
                'start': start.isoformat() + 'Z',
                'end': end.isoformat() + 'Z',
                'quantity': f"{hours * int(job['nodes']):.4f}",
                'unit': 'node-h',
                })
    write(path, rows)


def move(time):
    time = dt.datetime.strptime(time, '%Y-%m-%dT%H:%M:%SZ')
    return time + dt.timedelta(weeks=WEEKS)
