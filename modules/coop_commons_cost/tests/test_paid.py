# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens on invoices of use and settlements"""
import datetime as dt
import unittest
from decimal import Decimal

from trytond.modules.account.tests import get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons.tests.documents import HOUR, MORNING
from trytond.modules.coop_commons_cost.tests.documents import (
    END, CommonsCostDocuments)
from trytond.modules.coop_membership.tests.bank import BankPlayer
from trytond.modules.coop_membership.tests.player import AccountPlayer
from trytond.pool import Pool
from trytond.tests.test_tryton import (
    activate_module, drop_db, with_transaction)


class PaidTestCase(
        BankPlayer, AccountPlayer, CommonsCostDocuments, unittest.TestCase):
    "Test no use of the accounting screens parts the commons from the books"
    screens = [*AccountPlayer.screens, *BankPlayer.bank_screens, 'credit']
    # What is settled is the use of the year before
    year = 2025

    @classmethod
    def setUpClass(cls):
        drop_db()
        activate_module([
                'coop_commons_cost', 'account_payment_clearing',
                'account_statement'])

    @classmethod
    def tearDownClass(cls):
        drop_db()

    @with_transaction(context={'_skip_warnings': True})
    def test_sequence(self):
        "Test random sequences on two documents of each kind"
        pool = Pool()
        Account = pool.get('account.account')
        Sequence = pool.get('ir.sequence.strict')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            for year in [self.year, self.year + 1]:
                fiscalyear = set_invoice_sequences(get_fiscalyear(
                        self.company, start_date=dt.date(year, 1, 1),
                        end_date=dt.date(year, 12, 31)))
                fiscalyear.save()
                fiscalyear.create_period([fiscalyear])
            Sequence.lock(Sequence.search([]))
            self.members = self._members
            self.cash, = Account.search([
                    ('name', '=', "Cash and Cash Equivalents"),
                    ('company', '=', self.company.id)])
            self.accounts = [self.members[0].party.account_receivable_used]
            self._create_bank()
            self._create_write_off(
                self._find_account('expense'), self._find_account('revenue'))
            self._cost_pools = [self._create_costs(i) for i in range(2)]
            self._play_sequences()

    def _find_account(self, kind):
        Account = Pool().get('account.account')
        account, = Account.search([
                ('company', '=', self.company.id),
                (f'type.{kind}', '=', True),
                ('closed', '!=', True),
                ], order=[('id', 'ASC')], limit=1)
        return account

    def _create_costs(self, number):
        "Create a cost pool with a tariff of 10 an hour"
        pool = Pool()
        Account = pool.get('account.account')
        cost_pool = self._create_cost_pool()
        cost_pool.settlement_account, = Account.copy(
            [self.cash], default={'name': f"Settlement {number}"})
        resource, = cost_pool.shared_resources
        resource.analytic_account, = cost_pool.cost_centers
        resource.save()
        cost_pool.save()
        tariff = self._make_document('tariff', resource=resource)
        tariff.approve([tariff])
        return cost_pool

    def _start(self):
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Invoice = pool.get('account.invoice')
        Settlement = pool.get('coop.commons.settlement')
        billings, self.settlements, self.usages = [], [], []
        for cost_pool in self._cost_pools:
            for day, member in enumerate(self.members):
                # An hour of a morning
                start = MORNING + dt.timedelta(day)
                usage = self._make_document(
                    'usage', resource=cost_pool.shared_resources[0],
                    member=member, start=start, end=start + HOUR,
                    quantities=[])
                usage.confirm([usage])
                self.usages.append(usage)
            billing = Billing(
                company=self.company, end=END - dt.timedelta(10),
                invoice_date=END - dt.timedelta(9))
            billing.save()
            for button in ['compute', 'post']:
                getattr(Billing, button)([Billing(billing.id)])
            billings.append(Billing(billing.id))
        for cost_pool in self._cost_pools:
            settlement = Settlement(
                company=self.company, cost_pool=cost_pool,
                fiscalyear=self._fiscalyear, issue_date=self.day)
            settlement.save()
            for button in ['compute', 'approve', 'post', 'issue']:
                getattr(Settlement, button)([Settlement(settlement.id)])
            self.settlements.append(Settlement(settlement.id))
        self.invoices = Invoice.browse([
                *(i for b in billings for i in b.invoices),
                *(l.invoice for s in self.settlements for l in s.lines)])
        # Nothing was spent: all that was charged is returned
        self.assertEqual(
            sorted(i.total_amount for i in self.invoices),
            [Decimal(-10)] * 4 + [Decimal(10)] * 4)

    @property
    def documents(self):
        return [self.invoices, self.settlements]

    def _banked_documents(self):
        return self.invoices

    def _check_documents(self, step):
        Usage = Pool().get('coop.commons.usage')
        for usage in Usage.browse(self.usages):
            invoices = {
                c.invoice_line.invoice.state for c in usage.charges
                if c.invoice_line}
            self.assertEqual(
                usage.state, 'charged' if invoices else 'rated', step)
            self.assertNotIn('cancelled', invoices, step)

    def _do_credit(self, first, second):
        "Credit an invoice, and set it off with the credit note"
        Invoice = Pool().get('account.invoice')
        invoice = Invoice(self.invoices[first].id)
        Invoice.credit([invoice], refund=bool(second % 2))
