# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import count

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool

START = dt.date(2024, 1, 1)
MORNING = dt.datetime(2024, 1, 10, 8)
HOUR = dt.timedelta(hours=1)


class CommonsDocuments:
    "Make the documents of the commons in each of their states"

    masters = {
        'coop.commons.authorization': "says what a member is trained for",
        'coop.commons.blackout': "closes a resource for some time",
        'coop.commons.category': "is set up by the administration",
        'coop.commons.feed': "is the address of a calendar",
        'coop.commons.meter': "belongs to a resource",
        'coop.commons.pack.offer': "is set up by the administration",
        'coop.commons.resource': "is what the commons are",
        'coop.commons.resource-product.uom': "belongs to a resource",
        'coop.commons.rule': "is set up by the administration",
        'coop.commons.rule-coop.member.category': "belongs to a rule",
        }
    # Everybody asks for bookings of his own, and takes them back
    open_models = {
        'coop.commons.booking': {
            'create', 'write', 'delete',
            'confirm', 'start_use', 'finish', 'cancel', 'change', 'extend',
            'shorten'},
        'coop.commons.series': {
            'create', 'write', 'delete', 'confirm', 'cancel'},
        'coop.commons.series-coop.commons.resource': {
            'create', 'write', 'delete'},
        }
    open_wizards = {
        'coop.commons.booking.change': "everybody changes bookings of his own",
        }
    # The buttons that lead to each state, in their order
    state_buttons = {
        'coop.commons.billing': {
            'draft': [],
            'computed': ['compute'],
            'posted': ['compute', 'post'],
            },
        'coop.commons.booking': {
            'request': [],
            'confirmed': ['confirm'],
            'running': ['confirm', 'start_use'],
            'done': ['confirm', 'finish'],
            'cancelled': ['confirm', 'cancel'],
            'no_show': ['confirm', 'no_show'],
            },
        'coop.commons.commitment': {
            'draft': [],
            'confirmed': ['confirm'],
            'cancelled': ['cancel'],
            },
        'coop.commons.contract': {
            'draft': [],
            'confirmed': ['confirm'],
            'cancelled': ['cancel'],
            },
        'coop.commons.deposit': {
            'draft': [],
            'taken': ['take'],
            'returned': ['take', 'give_back'],
            'cancelled': ['cancel'],
            },
        'coop.commons.pack': {
            'draft': [],
            'sold': ['sell'],
            'cancelled': ['cancel'],
            },
        'coop.commons.reading': {
            'draft': [],
            'done': ['do'],
            },
        'coop.commons.series': {
            'draft': [],
            'confirmed': ['confirm'],
            'cancelled': ['cancel'],
            },
        'coop.commons.tariff': {
            'draft': [],
            'approved': ['approve'],
            'cancelled': ['cancel'],
            },
        'coop.commons.usage': {
            'draft': [],
            'confirmed': ['confirm'],
            'rated': ['confirm', 'rate'],
            'charged': ['confirm'],
            'cancelled': ['cancel'],
            },
        }

    def prepare_documents(self, company):
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Uom = pool.get('product.uom')
        self.lock_documents()
        create_chart(company)
        fiscalyear = set_invoice_sequences(get_fiscalyear(
                company, start_date=START, end_date=dt.date(2024, 12, 31)))
        fiscalyear.save()
        fiscalyear.create_period([fiscalyear])
        self._count = count(1)
        self._hour, = Uom.search([('name', '=', "Hour")])
        self._km, = Uom.search([('name', '=', "Kilometer")])
        self._product = create_service(company, self._hour)
        self._category = create_category(company)
        self._members = create_members(company, self._category, 2, START)
        Member.admit(self._members)
        Party.write(
            [m.party for m in self._members],
            {'addresses': [('create', [{'city': "Town"}])]})
        self._resource = self._create_resource()
        tariff = self._make_document('tariff', resource=self._resource)
        tariff.approve([tariff])

    def lock_documents(self):
        "Lock what else would start the test over each time that it is used"
        pool = Pool()
        for name in ['coop.commons.billing', 'account.journal.period']:
            pool.get(name).lock()
        for name in [
                'ir.sequence.strict', 'coop.member', 'coop.commons.resource',
                'coop.commons.tariff']:
            Model = pool.get(name)
            Model.lock(Model.search([]))

    def make(self, Model, state):
        Invoice = Pool().get('account.invoice')
        name = Model.__name__.rpartition('.')[-1]
        document = self._make_document(name)
        for button in self.state_buttons[Model.__name__][state]:
            if button == 'give_back':
                Invoice.post([document.invoice_line.invoice])
                document.return_date = document.date
                document.save()
            getattr(Model, button)([document])
        if state == 'charged':
            billing = self._make_document('billing')
            billing.compute([billing])
            billing.post([billing])
            document = Model(document.id)
        return document

    def _make_document(self, name, **values):
        Model = Pool().get(f'coop.commons.{name}')
        document = Model(
            company=self.company,
            **{**getattr(self, f'_get_{name}')(), **values})
        document.save()
        return document

    def _create_resource(self):
        Resource = Pool().get('coop.commons.resource')
        resource = Resource(
            name=f"Resource {next(self._count)}", company=self.company,
            unit=self._hour, other_units=[self._km], product=self._product,
            bookable=True, timezone='UTC')
        resource.save()
        return resource

    def _get_start(self):
        "Return an hour in which nothing else is"
        return MORNING + 2 * HOUR * next(self._count)

    def _get_tariff(self):
        pool = Pool()
        Band = pool.get('coop.commons.tariff.band')
        Component = pool.get('coop.commons.tariff.component')
        Tier = pool.get('coop.commons.tariff.tier')
        return {
            'name': "Tariff",
            'resource': self._create_resource(),
            'audience': 'member',
            'member_categories': [self._category],
            'valid_from': START,
            'currency': self.company.currency,
            'components': [
                Component(
                    name="Hours", kind='time', unit=self._hour,
                    unit_price=Decimal(10), bands=[Band(
                            name="Night", factor=Decimal('0.5'),
                            start=dt.time(22), end=dt.time(6))]),
                Component(
                    name="Distance", kind='metered', unit=self._km,
                    pricing='graduated', tiers=[Tier(unit_price=Decimal(1))]),
                ],
            }

    def _get_booking(self):
        start = self._get_start() + dt.timedelta(days=365 * 10)
        return {
            'resource': self._resource,
            'member': self._members[0],
            'start': start,
            'end': start + HOUR,
            }

    def _get_series(self):
        start = self._get_start() + dt.timedelta(days=365 * 15)
        return {
            'resource': self._create_resource(),
            'member': self._members[0],
            'start': start,
            'end': start + HOUR,
            'until': start.date() + dt.timedelta(days=7),
            }

    def _get_usage(self):
        Quantity = Pool().get('coop.commons.usage.quantity')
        start = self._get_start()
        return {
            'resource': self._resource,
            'member': self._members[0],
            'start': start,
            'end': start + HOUR,
            'quantities': [Quantity(unit=self._km, quantity=Decimal(5))],
            }

    def _get_reading(self):
        Meter = Pool().get('coop.commons.meter')
        meter = Meter(
            name="Odometer", company=self.company, resource=self._resource,
            unit=self._km)
        meter.save()
        return {
            'meter': meter,
            'time': self._get_start(),
            'value': Decimal(100),
            'member': self._members[0],
            }

    def _get_billing(self):
        usage = self._make_document('usage')
        usage.confirm([usage])
        return {
            'end': dt.date(2024, 12, 1),
            'invoice_date': dt.date(2024, 12, 2),
            'for_resources': [self._resource],
            'for_parties': [self._members[0].party],
            }

    def _get_commitment(self):
        return {
            'member': self._members[1],
            'valid_from': START,
            'minimum': Decimal(10),
            'product': self._product,
            }

    def _get_contract(self):
        return {
            'member': self._members[1],
            'resource': self._create_resource(),
            'valid_from': START,
            'product': self._product,
            'amount': Decimal(310),
            'period': 'month',
            }

    def _get_deposit(self):
        return {
            'party': self._members[1].party,
            'resource': self._create_resource(),
            # Invoices are numbered in the order of their dates
            'date': dt.date(2024, 12, 2),
            'amount': Decimal(200),
            }

    def _get_pack(self):
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Offer = pool.get('coop.commons.pack.offer')
        type_ = AccountType(
            name="Deferred Revenue", company=self.company,
            statement='balance', deferred=True)
        type_.save()
        account = Account(
            name="Deferred Revenue", company=self.company, type=type_)
        account.save()
        offer = Offer(
            name="10 Hours", company=self.company, resource=self._resource,
            quantity=Decimal(10), unit=self._hour, price=Decimal(80),
            product=self._product, deferred_account=account)
        offer.save()
        return {
            'party': self._members[1].party,
            'offer': offer,
            'date': START,
            'quantity': offer.quantity,
            'price': offer.price,
            }


def create_service(company, unit):
    "Create the product that is billed"
    pool = Pool()
    Account = pool.get('account.account')
    Category = pool.get('product.category')
    Template = pool.get('product.template')
    account, = Account.search([
            ('company', '=', company.id),
            ('type.revenue', '=', True),
            ('closed', '!=', True),
            ], limit=1)
    category = Category(
        name="Use", accounting=True, account_revenue=account)
    category.save()
    template = Template(
        name="Use", type='service', default_uom=unit,
        account_category=category, products=[{}])
    template.save()
    product, = template.products
    return product


def waive(invoice, date):
    "Write the invoice off"
    pool = Pool()
    Account = pool.get('account.account')
    Journal = pool.get('account.journal')
    Line = pool.get('account.move.line')
    WriteOff = pool.get('account.move.reconcile.write_off')
    expense, *_ = Account.search([
            ('company', '=', invoice.company.id),
            ('closed', '!=', True),
            ('type.expense', '=', True),
            ])
    journal = Journal(name="Write-off", type='write-off')
    journal.save()
    write_off = WriteOff(
        name="Waiver", company=invoice.company, journal=journal,
        debit_account=expense, credit_account=expense)
    write_off.save()
    Line.reconcile(
        list(invoice.lines_to_pay), date=date, writeoff=write_off)
    # The queue does it otherwise
    invoice.process([invoice])


def pay(invoice, date):
    "Pay the invoice in cash"
    pool = Pool()
    Account = pool.get('account.account')
    Line = pool.get('account.move.line')
    cash, *_ = Account.search([
            ('company', '=', invoice.company.id),
            ('closed', '!=', True),
            ('type.assets', '=', True),
            ('type.receivable', '=', False),
            ])
    books = Books(invoice.company)
    amount = invoice.amount_to_pay
    move = books.move(date, [
            books.line(invoice.account, -amount, party=invoice.party),
            books.line(cash, amount),
            ], description="Cash")
    books.post([move])
    Line.reconcile([
            l for l in [*invoice.lines_to_pay, *move.lines]
            if l.account == invoice.account])
    # The queue does it otherwise
    invoice.process([invoice])
