# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from sql.aggregate import Max
from sql.conditionals import Coalesce

from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction


def create_category(company, name="Users", **values):
    Category = Pool().get('coop.member.category')
    category = Category(name=name, company=company, **values)
    category.save()
    return category


def create_members(company, category, count, date=None, **values):
    pool = Pool()
    Member = pool.get('coop.member')
    Party = pool.get('party.party')
    parties = Party.create([{'name': f"Party {i}"} for i in range(count)])
    return Member.create([{
                'company': company.id,
                'party': party.id,
                'category': category.id,
                'admission_date': date,
                **values,
                } for party in parties])


def create_fee(category, amount, **values):
    "Create a membership fee with its product, from 2024 on"
    pool = Pool()
    Account = pool.get('account.account')
    Category = pool.get('product.category')
    Fee = pool.get('coop.member.category.fee')
    Template = pool.get('product.template')
    Uom = pool.get('product.uom')
    unit, = Uom.search([('symbol', '=', 'u')])
    account, = Account.search([
            ('company', '=', category.company.id),
            ('type.revenue', '=', True),
            ('closed', '!=', True),
            ], limit=1)
    accounting = Category(
        name="Fees", accounting=True, account_revenue=account)
    accounting.save()
    template = Template(
        name="Fee", type='service', default_uom=unit,
        account_category=accounting, products=[{}])
    template.save()
    values.setdefault('start_date', dt.date(2024, 1, 1))
    fee = Fee(
        category=category, product=template.products[0], amount=amount,
        **values)
    fee.save()
    return fee


def insert_applicants(company, category, document, count, date):
    "Insert applicants by SQL as creating them would take most of the time"
    Member = Pool().get('coop.member')
    cursor = Transaction().connection.cursor()

    def insert(model, rows):
        table = Pool().get(model).__table__()
        cursor.execute(*table.select(Coalesce(Max(table.id), 0)))
        last, = cursor.fetchone()
        for sub_rows in grouped_slice(rows, 100):
            sub_rows = list(sub_rows)
            cursor.execute(*table.insert(
                    [getattr(table, n) for n in sub_rows[0]],
                    [list(r.values()) for r in sub_rows]))
        cursor.execute(*table.select(
                table.id, where=table.id > last, order_by=table.id))
        return [id_ for id_, in cursor]

    parties = insert('party.party', [{
                'code': f'{count}-{i}',
                'name': f"Party {i}",
                'active': True,
                } for i in range(count)])
    members = insert('coop.member', [{
                'company': company.id,
                'party': party,
                'state': 'applicant',
                'application_date': date,
                'requested_category': category.id,
                'requested_admission_date': date,
                } for party in parties])
    insert('coop.member.consent', [{
                'member': member,
                'document': document.id,
                'date': date,
                'method': 'signature',
                } for member in members])
    return Member.browse(members)


def run_tasks():
    "Run what was put in the queue"
    Queue = Pool().get('ir.queue')
    tasks = Transaction().tasks
    while tasks:
        Queue(tasks.pop(0)).run()
