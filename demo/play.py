#!/usr/bin/env python3
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play the year 1997 of a cooperative, from its foundation to the general
meeting that decides on its surplus, and write its papers."""
import datetime as dt
import sys
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path

import books
import files
from chapters import Story
from proteus import Model, Report, Wizard
from tryton import activate, configure, connect

from trytond.modules.account.tests.tools import create_chart, create_fiscalyear
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop.scripts import (
    import_members, import_patronage, import_usage)
from trytond.modules.coop_membership.tests.tools import check_books

DATABASE = 'coop'
START, END = dt.date(1997, 1, 1), dt.date(1997, 12, 31)
MEETING = dt.date(1998, 4, 18)
PAYMENT = dt.date(1998, 5, 15)
NEXT_END = dt.date(1998, 12, 31)

# What the real data do not tell is assumed here
NAME = "Demo Cooperative"
PAR_VALUE = Decimal('10.00')
COST_RATE = Decimal('0.70')
RUNNING_COSTS = Decimal('2500.00')
COMPUTER_COST = Decimal('48000.00')
COMPUTER_UNITS = Decimal('1600000')
NODE_HOUR = Decimal('0.03')
JOB = Decimal('0.02')
LEAVING = 90  # Every so many members gives notice


class Demo:

    def __init__(self, directory):
        self.directory = directory
        self.configuration = configure(directory)

    def connect(self):
        connect(self.configuration, DATABASE)

    def file(self, name):
        return str(self.directory / name)

    @property
    def chapters(self):
        return [
            self.found, self.admit, self.trade, self.share_machine,
            self.leave, self.close, self.meet, self.pay]

    def found(self):
        "The cooperative is founded"
        activate(self.configuration, DATABASE, 'coop')
        self.connect()
        Country = Model.get('country.country')
        Country(name="United States", code='US', code3='USA').save()
        create_company()
        company = get_company()
        company.party.name = NAME
        company.party.save()
        company.timezone = 'America/Los_Angeles'
        company.save()
        create_chart()
        for year in [1997, 1998]:
            fiscalyear = set_fiscalyear_invoice_sequences(create_fiscalyear(
                    today=(dt.date(year, 1, 1), dt.date(year, 12, 31))))
            fiscalyear.click('create_period')

        MemberCategory = Model.get('coop.member.category')
        for code, name, votes in [
                ('PER', "Persons", 1), ('ORG', "Organisations", 1)]:
            MemberCategory(
                code=code, name=name, votes=votes, notice_months=3,
                exit_at='fiscal_year_end').save()

        ShareClass = Model.get('coop.share.class')
        for code, name, kind, par, digits, capital in [
                ('A', "Member Shares", 'membership', PAR_VALUE, 0, '3.1.3'),
                ('E', "Allocated Equity", 'allocated', Decimal('1.00'), 2,
                    '3.1.6')]:
            share_class = ShareClass(
                code=code, name=name, kind=kind, par_value=par,
                quantity_digits=digits, minimum=None)
            share_class.account_capital = books.account(capital)
            share_class.account_subscribed = books.account('1.2.4')
            share_class.account_redemption = books.account('2.1.5')
            share_class.account_premium = books.account('3.1.5')
            share_class.account_loss = books.account('3.2.5')
            share_class.account_deduction = books.account('3.2.6')
            share_class.account_lapsed = books.account('3.2.7')
            share_class.save()

        PatronageCategory = Model.get('coop.patronage.category')
        PatronageCategory(code='CD', name="Purchases").save()

    def admit(self):
        "2,357 members join, subscribe shares and pay them"
        self.connect()
        files.make_members(self.file('members.csv'))
        report(import_members.do_import(self.file('members.csv')))

    def trade(self):
        "They buy 6,919 times"
        self.connect()
        files.make_purchases(self.file('purchases.csv'))
        report(import_patronage.do_import(self.file('purchases.csv')))

        takings = {}
        for purchase in files.read('purchases.csv'):
            month = dt.date.fromisoformat(purchase['date']).replace(day=1)
            takings.setdefault(month, Decimal(0))
            takings[month] += Decimal(purchase['amount'])
        bank = books.account('1.1.1')
        for month, amount in takings.items():
            date = month + dt.timedelta(days=27)
            books.post(date, "Takings", [
                    (bank, amount), (books.account('4.1.1'), -amount)])
            cost = round(amount * COST_RATE, 2)
            books.post(date, "Goods sold", [
                    (books.account('5.2.1'), cost), (bank, -cost)])
            books.post(date, "Rent and wages", [
                    (books.account('5.1.2'), RUNNING_COSTS),
                    (bank, -RUNNING_COSTS)])

    def share_machine(self):
        "They share a computer, which wears by use"
        self.connect()
        make_computer()
        files.make_usages(self.file('usages.csv'))
        report(import_usage.do_import(self.file('usages.csv')))
        Usage = Model.get('coop.commons.usage')
        Usage.click(Usage.find([('state', '=', 'draft')]), 'confirm')
        Usage.click(Usage.find([('state', '=', 'confirmed')]), 'rate')
        Billing = Model.get('coop.commons.billing')
        billing = Billing(start=START, end=END)
        billing.invoice_date = dt.date(1997, 11, 10)
        billing.save()
        billing.click('compute')
        billing.click('post')
        create_moves = Wizard('account.asset.create_moves')
        create_moves.form.date = END
        create_moves.execute('create_moves')

    def leave(self):
        "Some give notice, and get their shares back"
        self.connect()
        Member = Model.get('coop.member')
        members = Member.find([], order=[('number', 'ASC')])[::LEAVING]
        for member in members:
            member.notice_date = dt.date(1997, 9, 15)
            member.exit_reason = 'resignation'
        Member.save(members)
        Member.click(members, 'give_notice')

    def close(self):
        "The year is closed, and the surplus appropriated"

    def meet(self):
        "The general meeting decides"

    def pay(self):
        "What the members get is paid out"


def get_company():
    Company = Model.get('company.company')
    company, = Company.find()
    return company


def make_computer():
    AnalyticAccount = Model.get('analytic_account.account')
    Asset = Model.get('account.asset')
    Category = Model.get('product.category')
    Journal = Model.get('account.journal')
    Resource = Model.get('coop.commons.resource')
    Tariff = Model.get('coop.commons.tariff')
    Template = Model.get('product.template')
    Uom = Model.get('product.uom')
    UomCategory = Model.get('product.uom.category')

    computing = UomCategory(name="Computing")
    computing.save()
    node_hour = Uom(
        name="Node-hour", symbol='node-h', category=computing, rate=1.0,
        factor=1.0, digits=4, rounding=0.0001)
    node_hour.save()
    unit, = Uom.find([('symbol', '=', 'u')])

    category = Category(name="Computer", accounting=True)
    category.account_expense = books.account('5.1.4')
    category.account_revenue = books.account('4.2.2')
    category.account_asset = books.account('1.5.3')
    category.account_depreciation = books.account('1.6.2')
    category.save()
    machine = Template(
        name="Parallel computer, 128 nodes", type='assets', depreciable=True,
        default_uom=unit, account_category=category)
    machine.save()
    service = Template(
        name="Use of the computer", type='service', default_uom=node_hour,
        salable=False, account_category=category)
    service.save()

    root = AnalyticAccount(name="Cost Centres", type='root', code='CC')
    root.save()
    centers = {}
    for code, name in [
            ('COMPUTER', "Computer"), ('OPERATIONS', "Operations")]:
        centers[code] = AnalyticAccount(
            name=name, code=code, type='normal', root=root, parent=root)
        centers[code].save()

    books.post(dt.date(1997, 9, 30), "Computer bought", [
            (category.account_asset, COMPUTER_COST),
            (books.account('1.1.1'), -COMPUTER_COST)])
    asset = Asset()
    asset.product, = machine.products
    asset.value = COMPUTER_COST
    asset.start_date = dt.date(1997, 10, 1)
    asset.purchase_date = dt.date(1997, 9, 30)
    asset.end_date = dt.date(2001, 9, 30)
    asset.account_journal, = Journal.find([('type', '=', 'asset')])
    asset.frequency = 'monthly'
    asset.depreciation_method = 'units'

    resource = Resource(name="Parallel computer", code='COMPUTER')
    resource.unit = node_hour
    resource.product, = service.products
    resource.analytic_account = centers['COMPUTER']
    resource.start_date = asset.start_date
    resource.save()

    asset.resource = resource
    asset.expected_units = COMPUTER_UNITS
    asset.save()
    asset.click('run')

    tariff = Tariff(name="Computer at cost", resource=resource)
    tariff.valid_from = asset.start_date
    for name, kind, price in [
            ("Node-hours", 'metered', NODE_HOUR), ("Job", 'fixed', JOB)]:
        component = tariff.components.new(name=name, kind=kind)
        if kind == 'metered':
            component.unit = node_hour
        component.unit_price = price
    tariff.save()


def report(result):
    print(f"   {result}")
    if result.reasons:
        sys.exit("\n".join(map(str, result.reasons[:10])))


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        '--out', type=Path, default=Path(__file__).parent / 'out',
        help="where to (default: %(default)s)")
    parser.add_argument(
        '--again', action='store_true', help="start over")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    demo = Demo(args.out)
    story = Story(args.out / f'{DATABASE}.sqlite', demo.chapters)
    if args.again:
        story.forget()
    story.play()


if __name__ == '__main__':
    main()
