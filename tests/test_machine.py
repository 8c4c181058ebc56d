# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from unittest.mock import patch

from trytond.exceptions import UserError
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, RouteTestCase
from trytond.transaction import Transaction, TransactionError

from . import machine

# benchmarks/usage.py does it with all of them
SIZE = 80


class MachineTestCase(RouteTestCase):
    "Test the use of a real machine from its log to the invoice"
    module = 'coop'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.jobs = machine.read(SIZE)
        cls.company = None
        cls.company = cls.run_transaction(
            lambda company: machine.set_up(cls.jobs).id)

    @classmethod
    def run_transaction(cls, func):
        "Run in a transaction that starts again for the locks it needs"
        context, extras = {}, {}
        if cls.company:
            context = {'company': cls.company, 'companies': [cls.company]}
        while True:
            with Transaction().start(
                    DB_NAME, 1, context=context, **extras) as transaction:
                Company = Pool().get('company.company')
                company = Company(cls.company) if cls.company else None
                try:
                    result = func(company)
                    transaction.commit()
                    return result
                except TransactionError as error:
                    transaction.rollback()
                    error.fix(extras)

    def test_machine(self):
        "Test all that was used is billed once and to the cent"
        client = self.client()
        for status in ['created', 'exists']:
            self.assertEqual(
                machine.post(client, self.db_name, self.jobs),
                {status: SIZE})
        answer = self.run_transaction(
            lambda company: machine.import_rows(self.jobs))
        self.assertEqual(answer, {
                'created': 0, 'updated': 0, 'unchanged': SIZE, 'errors': [],
                'warnings': []})

        billing = self.run_transaction(machine.get_billing).id

        def compute(company):
            Billing = Pool().get('coop.commons.billing')
            Billing.compute([Billing(billing)])

        # A run that is killed leaves nothing half-done
        Invoice = Pool(self.db_name).get('account.invoice')
        with patch.object(
                Invoice, 'update_taxes', side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            self.run_transaction(compute)
        self.run_transaction(compute)

        def check(company):
            pool = Pool()
            Billing = pool.get('coop.commons.billing')
            Usage = pool.get('coop.commons.usage')
            record = Billing(billing)
            self.assertEqual(record.state, 'computed')
            self.assertFalse(record.problems)
            usages = Usage.search([('source', '=', 'log')])
            self.assertEqual(len(usages), SIZE)
            self.assertEqual({u.state for u in usages}, {'rated'})
            invoiced = {
                i.party.name.split()[-1]: i.untaxed_amount
                for i in record.invoices}
            expected = machine.expect(self.jobs)
            self.assertEqual(invoiced, {
                    user: amount for user, amount in expected.items()
                    if amount})
            # Some of the users reach the cap
            self.assertIn(machine.CAP, invoiced.values())
            rated = sum(c.amount for u in usages for c in u.charges)
            self.assertLess(
                abs(sum(invoiced.values()) - rated),
                len(invoiced) * company.currency.rounding / 2)
            # Nothing is left for another run
            again = machine.get_billing(company)
            Billing.compute([again])
            self.assertEqual(again.charges_count, 0)
        self.run_transaction(check)

    def test_readings(self):
        "Test the readings of a meter are imported once"
        def import_(company, *rows):
            Reading = Pool().get('coop.commons.reading')
            names = ['time', 'value', 'kind', 'member', 'last_value']
            return Reading.import_rows([
                    [line, {
                            'resource': 'COMPUTER', 'meter': "Counter",
                            **dict(zip(names, row))}]
                    for line, row in enumerate(rows, 2)])

        def create(company):
            Meter = Pool().get('coop.commons.meter')
            Resource = Pool().get('coop.commons.resource')
            resource, = Resource.search([])
            Meter.create([{
                        'name': "Counter", 'company': company.id,
                        'resource': resource.id, 'unit': resource.unit.id,
                        }])
        self.run_transaction(create)
        rows = [
            ('1993-12-02T08:00:00', '100', 'start', ''),
            ('1993-12-02T09:00:00', '130.5', '', '1'),
            ('1993-12-02T10:00:00', '5', 'exchange', '1', '131'),
            # In the time of the resource 8 hours earlier
            ('1993-12-02T19:00:00Z', '7', 'end', '1')]
        for created, unchanged in [(4, 0), (0, 4)]:
            self.assertEqual(
                self.run_transaction(
                    lambda company: import_(company, *rows)),
                {'created': created, 'updated': 0, 'unchanged': unchanged,
                    'errors': [], 'warnings': []})

        def check(company):
            Reading = Pool().get('coop.commons.reading')
            readings = Reading.search([], order=[('time', 'ASC')])
            self.assertEqual(
                [r.difference for r in readings],
                [None, Decimal('30.5'), Decimal('0.5'), Decimal(2)])
            self.assertEqual(
                [r.usage.state for r in readings[1:]], ['confirmed'] * 3)
        self.run_transaction(check)

        answer = self.run_transaction(lambda company: import_(
                company,
                ('1993-12-02T09:00:00', '131', '', '1'),
                ('1993-12-02T11:30:00', '9', 'exchange', '1'),
                ('1993-12-02T12:00:00', '9', 'stop', '1'),
                ('1993-12-02T12:00:00', '9', 'end', '999999')))
        self.assertEqual(answer['created'], 0)
        self.assertEqual(
            [(line, column) for line, column, _ in answer['errors']],
            [(2, 'value'), (3, 'last_value'), (4, 'kind'), (5, 'member')])
        # Equal readings are as many
        same = ('1993-12-02T11:40:00', '8', 'end', '1')
        for count, created in [(2, 2), (2, 0), (3, 1), (3, 0)]:
            answer = self.run_transaction(
                lambda company, rows=[same] * count: import_(company, *rows))
            self.assertEqual(answer['created'], created)
            self.assertEqual(answer['unchanged'], count - created)
        # It runs backwards
        with self.assertRaises(UserError):
            self.run_transaction(lambda company: import_(
                    company, ('1993-12-02T12:00:00', '6', 'end', '1')))
