# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal

from trytond.model.modelsql import SQLConstraintError
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons_cost.tests.documents import (
    CommonsCostDocuments)
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.pool import Pool
from trytond.tests.test_tryton import (
    activate_module, drop_db, with_transaction)

END = dt.date(2024, 12, 31)


class SettlementTestCase(CommonsCostDocuments, unittest.TestCase):
    "Test what each user is settled"

    @classmethod
    def setUpClass(cls):
        drop_db()
        activate_module('coop_commons_cost')

    @classmethod
    def tearDownClass(cls):
        drop_db()

    def _prepare_pool(self):
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        cost_pool = self._create_cost_pool()
        type_ = AccountType(
            name="To Settle", company=self.company, statement='balance')
        type_.save()
        account = Account(
            name="To Settle", company=self.company, type=type_)
        account.save()
        cost_pool.settlement_account = account
        cost_pool.settlement_basis = 'own'
        cost_pool.save()
        resource, = cost_pool.shared_resources
        resource.analytic_account, = cost_pool.cost_centers
        resource.save()
        return cost_pool

    def _pay(self, center, amount, expense=None):
        pool = Pool()
        Account = pool.get('account.account')
        AnalyticLine = pool.get('analytic_account.line')
        Journal = pool.get('account.journal')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        cash, = Account.search([
                ('company', '=', self.company.id),
                ('type.statement', '=', 'balance'),
                ('party_required', '=', False),
                ('closed', '!=', True),
                ('name', '!=', "To Settle"),
                ], limit=1)
        journal, = Journal.search([('type', '=', 'cash')], limit=1)
        move = Move(
            company=self.company, journal=journal, date=END,
            period=Period.find(self.company, date=END),
            lines=[
                Line(
                    account=expense or self._expense,
                    debit=amount, credit=Decimal(0),
                    analytic_lines=[AnalyticLine(
                            account=center, date=END, debit=amount,
                            credit=Decimal(0))]),
                Line(account=cash, debit=Decimal(0), credit=amount),
                ])
        move.save()
        Move.post([move])

    def _advance(self, cost_pool, amounts):
        "Charge each member the amount in January, by contract"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Contract = pool.get('coop.commons.contract')
        resource, = cost_pool.shared_resources
        contracts = [
            Contract(
                company=self.company, member=member, resource=resource,
                exclusive=False, product=self._product, amount=amount,
                valid_from=dt.date(2024, 1, 1),
                valid_until=dt.date(2024, 1, 31))
            for member, amount in zip(self._members, amounts)]
        Contract.save(contracts)
        Contract.confirm(contracts)
        billing = Billing(
            company=self.company, end=dt.date(2024, 1, 31), invoice_date=END,
            for_resources=[resource])
        billing.save()
        Billing.compute([billing])
        billing = Billing(billing.id)
        Billing.post([billing])
        self.assertEqual(
            sorted(i.untaxed_amount for i in billing.invoices),
            sorted(amounts))

    def _settle(self, cost_pool):
        Settlement = Pool().get('coop.commons.settlement')
        settlement = Settlement(
            company=self.company, cost_pool=cost_pool, treatment='settle',
            fiscalyear=self._fiscalyear, issue_date=END)
        settlement.on_change_cost_pool()
        self.assertEqual(settlement.basis, 'own')
        settlement.save()
        for step in ['compute', 'approve', 'post', 'issue']:
            getattr(Settlement, step)([Settlement(settlement.id)])
        settlement = Settlement(settlement.id)
        self.assertFalse(settlement.to_issue)
        self.assertFalse(check_books(self.company, END))
        return settlement, {
            l.member: (l.charged, l.amount, l.invoice and (
                    l.invoice.state, l.invoice.untaxed_amount))
            for l in settlement.lines}

    def _add_keys(self, cost_pool):
        "Share the lift by 60 and 90 square metres, the water by the meter"
        pool = Pool()
        Key = pool.get('coop.commons.cost_pool.key')
        Share = pool.get('coop.commons.cost_pool.key.share')
        member, other = self._members
        lift, water = self._create_expenses()
        Key.save([
                Key(cost_pool=cost_pool, name="Lift", accounts=[lift],
                    by='share', shares=[
                        # Half of the year: 182 of its 366 days
                        Share(member=member, share=Decimal(60),
                            valid_until=dt.date(2024, 6, 30)),
                        Share(member=other, share=Decimal(91)),
                        ]),
                Key(cost_pool=cost_pool, name="Water", accounts=[water],
                    by='use', unit=self._km),
                ])
        return lift, water

    def _create_expenses(self):
        Account = Pool().get('account.account')
        expense = self._expense
        accounts = [
            Account(name=name, company=self.company, type=expense.type)
            for name in ["Lift", "Water"]]
        Account.save(accounts)
        return accounts

    @property
    def _expense(self):
        Account = Pool().get('account.account')
        expense, = Account.search([
                ('company', '=', self.company.id),
                ('type.expense', '=', True),
                ('closed', '!=', True),
                ], order=[('id', 'ASC')], limit=1)
        return expense

    def _test_own(self, advances, difference, expected):
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            cost_pool = self._prepare_pool()
            resource, = cost_pool.shared_resources
            for member in self._members:
                # An hour each
                usage = self._make_document(
                    'usage', member=member, resource=resource)
                usage.confirm([usage])
            self._advance(cost_pool, advances)
            center, = cost_pool.cost_centers
            self._pay(center, Decimal(2000))
            settlement, lines = self._settle(cost_pool)
            self.assertEqual(settlement.cost, Decimal(2000))
            self.assertEqual(settlement.difference, difference)
            self.assertEqual(
                [lines[m] for m in self._members], expected)
            center = center.__class__(center.id)
            self.assertEqual(center.balance, 0)

    @with_transaction()
    def test_call(self):
        "Test only who was charged less than his own cost is asked for it"
        # 2,000 for the same use by both
        self._test_own([Decimal(1000), Decimal(500)], Decimal(-500), [
                (Decimal(1000), Decimal(0), None),
                (Decimal(500), Decimal(-500), ('posted', Decimal(500))),
                ])

    @with_transaction()
    def test_call_and_return(self):
        "Test what one paid too much and another too little is settled"
        self._test_own([Decimal(1300), Decimal(700)], Decimal(0), [
                (Decimal(1300), Decimal(300), ('posted', Decimal(-300))),
                (Decimal(700), Decimal(-300), ('posted', Decimal(300))),
                ])

    @with_transaction()
    def test_keys(self):
        "Test each cost of a pool is shared by its own key"
        pool = Pool()
        KeyAccount = pool.get('coop.commons.cost_pool.key-account.account')
        Quantity = pool.get('coop.commons.usage.quantity')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            cost_pool = self._prepare_pool()
            lift, water = self._add_keys(cost_pool)
            self.assertEqual(
                {a.cost_pool for a in KeyAccount.search([])}, {cost_pool})
            resource, = cost_pool.shared_resources
            for member, quantity in zip(self._members, [1, 3]):
                usage = self._make_document(
                    'usage', member=member, resource=resource,
                    quantities=[Quantity(
                            unit=self._km, quantity=Decimal(quantity))])
                usage.confirm([usage])
            self._advance(cost_pool, [Decimal(1000), Decimal(500)])
            center, = cost_pool.cost_centers
            # The lift by 60 * 182 = 10,920 to 91 * 366 = 33,306, of 442.26:
            # 109.20 and 333.06; the water 1 to 3: 100.00 and 300.00; the
            # rest of 600.00 for an hour each
            self._pay(center, Decimal('442.26'), lift)
            self._pay(center, Decimal(400), water)
            self._pay(center, Decimal(600))
            settlement, lines = self._settle(cost_pool)
            self.assertEqual(settlement.difference, Decimal('57.74'))
            self.assertEqual([lines[m] for m in self._members], [
                    (Decimal(1000), Decimal('490.80'),
                        ('posted', Decimal('-490.80'))),
                    (Decimal(500), Decimal('-433.06'),
                        ('posted', Decimal('433.06'))),
                    ])

    @with_transaction()
    def test_key_moved(self):
        "Test a key brings no account into a pool that has it already"
        pool = Pool()
        Key = pool.get('coop.commons.cost_pool.key')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            cost_pool = self._prepare_pool()
            self._add_keys(cost_pool)
            other = self._create_cost_pool()
            lift, = Key.search([('by', '=', 'share')])
            copy, = Key.copy([lift], default={'cost_pool': other.id})
            with savepoint(), self.assertRaises(SQLConstraintError):
                Key.write([copy], {'cost_pool': cost_pool.id})
