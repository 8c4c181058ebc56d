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
import summary
from chapters import OtherEdition, Story
from proteus import Model, Report, Wizard, config
from tryton import (
    PASSWORD, Papers, activate, configure, connect, create_company, digest,
    skip_configuration)

from trytond.exceptions import UserError
from trytond.modules.coop_import.scripts import (
    import_members, import_patronage, import_usage)

DATABASE = 'coop'
MODULES = ['coop', 'coop_portal']
START, END = dt.date(1997, 1, 1), dt.date(1997, 12, 31)
MEETING = dt.date(1998, 4, 18)
PAYMENT = dt.date(1998, 5, 15)

# What the real data do not tell is assumed here
NAME = "Demo Cooperative"
PAR_VALUE = Decimal('10.00')
COST_RATE = Decimal('0.70')
RUNNING_COSTS = Decimal('2500.00')  # every month
CUSTOMERS = 2357
COMPUTER_COST = Decimal('48000.00')
COMPUTER_UNITS = 1_600_000
ROOM_DAY = dt.date(1997, 10, 20)
ROOM_HOUR = Decimal('4.00')
NODE_HOUR = Decimal('0.03')
JOB = Decimal('0.02')
LEAVING = 90  # every so many members gives notice
PRESENT = 12  # every so many members comes to the meeting
# Where the members' portal is, and who can sign in to it
HOST = '127.0.0.1'
VISITOR = 'member@example.org'
ROLES = ['chair', 'vice_chair', 'board']
LETTER = """\
<div>Dear members,</div>
<div>our cooperative has finished its <b>first year</b>. You bought your music
together, and what was earned by it comes back to you by what you bought.</div>
<div>We thank all who used what we share, and who tell their friends.</div>"""
COMMENTARY = """\
<div>The shop paid for its running costs from the first month on. In the autumn
a <i>shared computer</i> and a <i>meeting room</i> were opened to the members;
what the computer brought beyond its cost goes back to those who used it.</div>
<div>For the coming year the board expects as many purchases again.</div>"""


class Demo:
    def __init__(self, directory, customers=None):
        self.directory = directory
        self.customers = customers
        self.configuration = configure(directory)
        self.connected = False

    def scale(self, amount):
        "Return the part of the amount that a smaller cooperative needs"
        return round(amount * (self.customers or CUSTOMERS) / CUSTOMERS, 2)

    def connect(self):
        # Once: it takes as long as a hundred members
        if not self.connected:
            connect(self.configuration, DATABASE)
            self.connected = True

    def file(self, name):
        return str(self.directory / name)

    @property
    def chapters(self):
        return [
            self.install, self.found, self.admit, self.trade,
            self.share_room, self.share_computer, self.give_notice,
            self.settle, self.close, self.decide, self.pay,
            self.write_papers, self.open_portal]

    def open_portal(self):
        "The members get a door of their own"
        self.connect()
        open_portal()

    def install(self):
        "The modules are activated"
        activate(self.configuration, DATABASE, *MODULES)

    def found(self):
        "The cooperative is founded"
        self.connect()
        Account = Model.get('account.account')
        Country = Model.get('country.country')
        MemberCategory = Model.get('coop.member.category')
        PatronageCategory = Model.get('coop.patronage.category')
        ShareClass = Model.get('coop.share.class')

        Country(name="United States", code='US', code3='USA').save()
        create_company(NAME, 'America/Los_Angeles')

        start = Wizard('coop.configuration')
        start.form.account_template, = Model.get(
            'account.account.template').find([
                ('parent', '=', None), ('name', 'like', 'Universal%')])
        start.form.start_date = START
        start.form.category_name = "Persons"
        start.form.notice_months = 3
        start.form.share_name = "Member Shares"
        start.form.share_code = 'A'
        start.form.par_value = PAR_VALUE
        start.execute('configure')
        renew = Wizard('account.fiscalyear.renew')
        renew.form.reset_sequences = False
        renew.execute('create_')
        skip_configuration()

        persons, = MemberCategory.find()
        persons.code = 'PER'
        persons.save()
        MemberCategory(
            code='ORG', name="Organisations", notice_months=3).save()
        shares, = ShareClass.find()
        equity = ShareClass(
            name="Allocated Equity", code='E', kind='allocated',
            par_value=Decimal('1.00'), quantity_digits=2,
            transferable=False)
        for name in [
                'subscribed', 'redemption', 'premium', 'loss', 'deduction',
                'lapsed']:
            name = f'account_{name}'
            setattr(equity, name, getattr(shares, name))
        equity.account_capital, = Account.find(
            [('name', '=', "Allocated Equity of Members")])
        equity.save()
        PatronageCategory(code='CD', name="Purchases").save()

    def admit(self):
        "Members join and subscribe shares"
        self.connect()
        files.make_members(self.file('members.csv'), self.customers)
        report(import_members.do_import(self.file('members.csv')))

    def trade(self):
        "They buy"
        self.connect()
        files.make_purchases(self.file('purchases.csv'), self.customers)
        report(import_patronage.do_import(self.file('purchases.csv')))

        takings = {}
        for purchase in files.read_purchases(self.customers):
            month = dt.date.fromisoformat(purchase['date']).replace(day=28)
            takings.setdefault(month, Decimal(0))
            takings[month] += Decimal(purchase['amount'])
        bank = books.account('1.1.1')
        goods, running, sales = (
            books.account(code) for code in ['5.2.1', '5.2.2', '4.1.1'])
        running_costs = self.scale(RUNNING_COSTS)
        moves = []
        for date, amount in takings.items():
            cost = round(amount * COST_RATE, 2)
            moves.append((date, "Takings of the month", [
                        (bank, amount - cost - running_costs),
                        (goods, cost),
                        (running, running_costs),
                        (sales, -amount)]))
        books.post_all(moves)

    def share_room(self):
        "They share a room, which is booked"
        self.connect()
        Booking = Model.get('coop.commons.booking')
        Member = Model.get('coop.member')
        room = make_room()

        def book(member, start, hours):
            start = dt.datetime.combine(ROOM_DAY, dt.time(start))
            booking = Booking(resource=room, member=member, start=start)
            booking.end = start + dt.timedelta(hours=hours)
            booking.save()
            booking.click('confirm')
            return booking

        members = Member.find([], order=[('number', 'ASC')], limit=3)
        bookings = [
            book(member, start, 2)
            for member, start in zip(members, [16, 18, 20])]
        try:
            book(members[0], 19, 2)
        except UserError as error:
            print(f"   Refused: {error.message}")
        Booking.click(bookings, 'start_use')
        for booking in bookings:
            booking.used_from, booking.used_until = booking.start, booking.end
        Booking.save(bookings)
        Booking.click(bookings, 'finish')

    def share_computer(self):
        "They share a computer, which wears by use"
        self.connect()
        Billing = Model.get('coop.commons.billing')

        make_computer(
            self.scale(COMPUTER_COST), int(self.scale(COMPUTER_UNITS)))
        files.make_usages(self.file('usages.csv'), self.customers)
        report(import_usage.do_import(self.file('usages.csv')))
        billing = Billing(start=START, end=END)
        billing.invoice_date = dt.date(1997, 11, 10)
        billing.save()
        billing.click('compute')
        billing.click('post')
        depreciate = Wizard('account.asset.create_moves')
        depreciate.form.date = END
        depreciate.execute('create_moves')

    def give_notice(self):
        "Some members leave, and get their shares back"
        self.connect()
        Member = Model.get('coop.member')
        Redemption = Model.get('coop.share.redemption')

        members = Member.find([], order=[('number', 'ASC')])
        members = members[LEAVING::LEAVING]
        for member in members:
            member.notice_date = dt.date(1997, 9, 15)
            member.exit_reason = 'resignation'
        Member.save(members)
        Member.click(members, 'give_notice')
        redemptions = Redemption.find([])
        Redemption.click(redemptions, 'approve')
        Redemption.click(redemptions, 'end')
        Member.click(members, 'leave')

    def settle(self):
        "What the computer brought beyond its cost goes back to its users"
        self.connect()
        CostPool = Model.get('coop.commons.cost_pool')
        Resource = Model.get('coop.commons.resource')
        Settlement = Model.get('coop.commons.settlement')

        cost_pool = CostPool(name="Computer")
        cost_pool.shared_resources.extend(
            Resource.find([('code', '=', 'COMPUTER')]))
        cost_pool.settlement_account = books.create_account(
            '2.2.9', "Settlement of the Commons", like=books.account('2.2.6'))
        cost_pool.save()
        settlement = Settlement(
            cost_pool=cost_pool, fiscalyear=get_fiscalyear())
        settlement.save()
        for button in ['compute', 'approve', 'post']:
            settlement.click(button)

    def close(self):
        "The year is closed, and the board proposes an appropriation"
        self.connect()
        FiscalYear = Model.get('account.fiscalyear')
        PatronageCategory = Model.get('coop.patronage.category')
        ShareClass = Model.get('coop.share.class')
        Surplus = Model.get('coop.surplus')

        fiscalyear = get_fiscalyear()
        surplus = Surplus(fiscalyear=fiscalyear)
        surplus.posting_date = MEETING
        for name, kind, basis, rate in [
                ("Legal reserve", 'reserve', 'result', Decimal('0.10')),
                ("Education fund", 'fund', 'result', Decimal('0.05')),
                ("Patronage", 'patronage', 'remainder', Decimal('0.80')),
                ("Carried forward", 'carry_forward', 'remainder', None)]:
            surplus.lines.new(name=name, kind=kind, basis=basis, rate=rate)
        pool = surplus.pools.new(name="Purchases")
        pool.categories.extend(PatronageCategory.find([]))
        pool.cash_percent = pool.cash_floor = Decimal('0.20')
        pool.equity_class, = ShareClass.find([('code', '=', 'E')])
        surplus.save()
        books.close_result(fiscalyear)
        FiscalYear.click([fiscalyear], 'close')
        surplus.click('compute')

    def decide(self):
        "The general meeting decides, and the surplus is distributed"
        self.connect()
        Attendance = Model.get('coop.meeting.attendance')
        Meeting = Model.get('coop.meeting')
        Surplus = Model.get('coop.surplus')

        surplus, = Surplus.find()
        self.elect()
        meeting = Meeting(date=MEETING, place="Community hall")
        meeting.letter, meeting.commentary = LETTER, COMMENTARY
        meeting.convocation_date = dt.date(1998, 3, 20)
        meeting.record_date = dt.date(1998, 3, 31)
        meeting.items.new(subject="Report of the board", kind='information')
        for purpose, subject in [
                ('accounts', "Approval of the accounts of 1997"),
                ('appropriation', "Appropriation of the surplus of 1997"),
                ('discharge', "Discharge of the board")]:
            meeting.items.new(
                subject=subject, kind='resolution', majority='simple',
                purpose=purpose, fiscalyear=surplus.fiscalyear)
        meeting.save()
        meeting.click('convene')
        present = Attendance.find(
            [('meeting', '=', meeting.id)], order=[('id', 'ASC')])[::PRESENT]
        for attendance in present:
            attendance.presence = 'present'
        Attendance.save(present)
        meeting.click('open')
        meeting.reload()
        for number, item in enumerate(meeting.items[1:]):
            item.votes_against = number * (meeting.present_votes // 60)
            item.votes_abstain = meeting.present_votes // 90
            item.votes_for = (
                meeting.present_votes
                - item.votes_against - item.votes_abstain)
        meeting.save()
        meeting.click('close')

        surplus.resolution, = [
            item for item in meeting.items if item.purpose == 'appropriation']
        surplus.save()
        surplus.click('compute')
        surplus.click('approve')
        surplus.click('post')

    def elect(self):
        "Enter who holds an office since the foundation"
        Member = Model.get('coop.member')
        Office = Model.get('coop.member.office')
        Party = Model.get('party.party')
        auditor = Party(name="Demo Audit Union")
        auditor.save()
        members = Member.find([], order=[('id', 'ASC')], limit=len(ROLES))
        offices = [
            *zip(ROLES, (m.party for m in members)), ('auditor', auditor)]
        Office.save([
                Office(role=role, party=party, start_date=START)
                for role, party in offices])

    def pay(self):
        "Members get their patronage, and those who left their shares"
        self.connect()
        Redemption = Model.get('coop.share.redemption')
        Settlement = Model.get('coop.commons.settlement')

        settlement, = Settlement.find()
        settlement.issue_date = PAYMENT
        settlement.save()
        settlement.click('issue')

        redemptions = Redemption.find([('state', '=', 'ended')])
        for redemption in redemptions:
            redemption.settlement_date = redemption.payment_date = PAYMENT
        Redemption.save(redemptions)
        Redemption.click(redemptions, 'settle')
        books.pay_parties(
            PAYMENT, "Patronage and redeemed shares", [
                ('account.type.payable', '=', True),
                ('reconciliation', '=', None),
                ('credit', '>', 0),
                ], books.account('1.1.1'))

    def write_papers(self):
        "The papers are written"
        self.connect()
        Meeting = Model.get('coop.meeting')
        Register = Model.get('coop.member.register')

        fiscalyear = get_fiscalyear()
        meeting, = Meeting.find()
        with Papers(self.directory) as papers:
            # The longest first
            with config.get_config().set_context(date=END):
                papers.write('register', Report(
                        'coop.member.register').execute(Register.find([])))
            statements = Wizard('coop.member.statement')
            statements.form.fiscalyear = fiscalyear
            statements.execute('print_')
            # PDF of thousands of pages would take too long
            papers.write('statements', *statements.actions, pdf=False)
            assembly = Wizard('coop.assembly.report')
            assembly.form.fiscalyear = fiscalyear
            assembly.form.meeting = meeting
            assembly.execute('print_')
            papers.write('report', *assembly.actions)
            papers.write(
                'minutes', Report('coop.meeting.minutes').execute([meeting]))


def make_room():
    Category = Model.get('product.category')
    Resource = Model.get('coop.commons.resource')
    Tariff = Model.get('coop.commons.tariff')
    Template = Model.get('product.template')
    Uom = Model.get('product.uom')

    hour, = Uom.find([('name', '=', "Hour")])
    category = Category(name="Room", accounting=True)
    category.account_expense = books.account('5.1.3')
    category.account_revenue = books.account('4.2.2')
    category.save()
    service = Template(
        name="Use of the room", type='service', default_uom=hour,
        account_category=category)
    service.save()
    room = Resource(name="Meeting Room", code='ROOM', bookable=True)
    room.unit = hour
    room.product, = service.products
    room.save()
    tariff = Tariff(name="Room", resource=room, valid_from=START)
    component = tariff.components.new(name="Hours", kind='time', unit=hour)
    component.unit_price = ROOM_HOUR
    tariff.click('approve')
    return room


def make_computer(cost, units):
    AnalyticAccount = Model.get('analytic_account.account')
    Asset = Model.get('account.asset')
    Category = Model.get('product.category')
    Configuration = Model.get('coop.commons.configuration')
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

    # What the chart has for depreciation is not for assets
    machinery, services = books.account('1.5.3'), books.account('5.1.3')
    accumulated = books.create_account(
        '1.5.8', "Accumulated Depreciation of Machinery", like=machinery)
    depreciation = books.create_account(
        '5.1.7', "Depreciation of Machinery", like=services)
    category = Category(name="Computer", accounting=True)
    category.account_expense = depreciation
    category.account_revenue = books.account('4.2.2')
    category.account_asset = machinery
    category.account_depreciation = accumulated
    category.save()
    machine = Template(
        name="Parallel computer, 128 nodes", type='assets', depreciable=True,
        default_uom=unit, account_category=category)
    machine.save()
    service = Template(
        name="Use of the computer", type='service', default_uom=node_hour,
        account_category=category)
    service.save()

    configuration = Configuration(1)
    configuration.internal_charge_account = books.create_account(
        '5.1.9', "Internal Charges", like=services)
    configuration.save()

    root = AnalyticAccount(name="Cost Centres", type='root', code='CC')
    root.save()
    centers = {}
    for code, name in [
            ('COMPUTER', "Computer"), ('OPERATIONS', "Operations")]:
        centers[code] = AnalyticAccount(
            name=name, code=code, type='normal', root=root, parent=root)
        centers[code].save()

    books.post(dt.date(1997, 9, 30), "Computer bought", [
            (category.account_asset, cost),
            (books.account('1.1.1'), -cost)])
    asset = Asset()
    asset.product, = machine.products
    asset.value = cost
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
    asset.expected_units = units
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
    tariff.click('approve')


def open_portal():
    "Let the first member who is one sign in, and everybody apply"
    ContactMechanism = Model.get('party.contact_mechanism')
    Member = Model.get('coop.member')
    Offer = Model.get('coop.commons.pack.offer')
    Pack = Model.get('coop.commons.pack')
    Portal = Model.get('coop.portal.configuration')
    User = Model.get('web.user')

    portal = Portal(
        host=HOST, join=True, color='#1e4e79', background_color='#eaf1f7')
    portal.welcome = (
        "Welcome to our cooperative! Here you see what is yours, book what "
        "we share and answer to our meetings.")
    portal.save()
    member, = Member.find(
        [('state', '=', 'member')], order=[('number', 'ASC')], limit=1)
    if not member.party.email:
        ContactMechanism(
            party=member.party, type='email', value=VISITOR).save()
    User(
        email=VISITOR, email_valid=True, password=PASSWORD,
        party=member.party).save()

    account, = Model.get('account.account').find(
        [('type.deferred', '=', True)], limit=1)
    offer = Offer(
        name="Prepaid Money", kind='money', price=Decimal('50.00'),
        deferred_account=account)
    offer.save()
    pack = Pack(party=member.party, offer=offer, date=PAYMENT)
    pack.price = offer.price
    pack.save()
    pack.click('sell')
    pack.invoice_line.invoice.click('post')


def get_fiscalyear():
    FiscalYear = Model.get('account.fiscalyear')
    fiscalyear, = FiscalYear.find([('start_date', '=', START)])
    return fiscalyear


def report(result):
    print(f"   {result}")
    if result.reasons:
        sys.exit('\n'.join(map(str, result.reasons[:10])))


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        '--out', type=Path, default=Path(__file__).parent / 'out',
        help="the folder to write to (default: %(default)s)")
    parser.add_argument(
        '--again', action='store_true', help="start over")
    parser.add_argument(
        '--customers', type=int, metavar='N',
        help="only the first N customers, at least 49, for a quick try")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    demo = Demo(args.out, args.customers)
    story = Story(
        args.out / f'{DATABASE}.sqlite', demo.chapters,
        edition=f'{digest(MODULES)} {args.customers}')
    if args.again:
        story.forget()
    try:
        story.play()
    except OtherEdition as exception:
        sys.exit(str(exception))
    demo.connect()
    summary.show(get_fiscalyear(), args.out)


if __name__ == '__main__':
    main()
