# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import unittest
from decimal import Decimal as D
from pathlib import Path
from unittest.mock import Mock, patch

from sql import Column

from trytond.model import ModelSQL, ModelView
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import (
    CompanyTestMixin, create_company, set_company)
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

PURCHASES = Path(__file__).parents[3] / 'demo' / 'data' / 'purchases.csv'


class CoopPatronageTestCase(
        PartyCheckReplaceMixin, CompanyTestMixin, ModuleTestCase):
    "Test Coop Patronage module"
    module = 'coop_patronage'

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    def _create_fiscalyear(self, company, year):
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        fiscalyear = set_invoice_sequences(get_fiscalyear(
                company, today=dt.date(year, 1, 1)))
        fiscalyear.save()
        FiscalYear.create_period([fiscalyear])
        return fiscalyear

    def _insert(self, Model, vlist):
        table = Model.__table__()
        cursor = Transaction().connection.cursor()
        names = list(vlist[0])
        for values in grouped_slice(vlist, 500):
            cursor.execute(*table.insert(
                    [Column(table, name) for name in names],
                    [[v[name] for name in names] for v in values]))

    @unittest.skipUnless(PURCHASES.exists(), "needs the data of the demo")
    # Each lock would start the long test again
    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_purchases(self):
        "Test real purchases are allocated to the cent"
        pool = Pool()
        Account = pool.get('account.account')
        Activity = pool.get('coop.patronage.activity')
        Allocation = pool.get('coop.patronage.allocation')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        Member = pool.get('coop.member')
        MemberCategory = pool.get('coop.member.category')
        Membership = pool.get('coop.membership')
        Notice = pool.get('coop.patronage.notice', type='report')
        Party = pool.get('party.party')
        Pool_ = pool.get('coop.patronage.pool')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')

        with PURCHASES.open() as file:
            rows = list(csv.DictReader(file))
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 1997)
            self._create_fiscalyear(company, 1998)
            accounts = {a.code: a for a in Account.search([])}
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            member_category = MemberCategory(name="Users")
            member_category.save()
            category = Category(name="Purchases")
            category.save()
            customers = sorted({row['customer'] for row in rows})
            parties = {}
            for names in grouped_slice(customers, 500):
                names = list(names)
                parties.update(zip(names, Party.create(
                            [{'name': name} for name in names])))
            # Straight into the tables, since only what follows is tested
            self._insert(Member, [{
                        'company': company.id,
                        'party': party.id,
                        'number': party.name,
                        'application_date': dt.date(1997, 1, 1),
                        'state': 'member',
                        } for party in parties.values()])
            self._insert(Membership, [{
                        'member': member.id,
                        'category': member_category.id,
                        'start_date': dt.date(1997, 1, 1),
                        } for member in Member.search([])])
            self._insert(Entry, [{
                        'company': company.id,
                        'party': parties[row['customer']].id,
                        'category': category.id,
                        'date': dt.date.fromisoformat(row['date']),
                        'quantity': D(row['quantity']),
                        'amount': D(row['amount']),
                        } for row in rows])
            equity = ShareClass(
                name="Equity", code='E', kind='allocated', par_value=D(1),
                quantity_digits=2, account_capital=accounts['3.1.6'],
                account_subscribed=accounts['1.2.4'],
                account_redemption=accounts['2.1.5'])
            equity.save()

            sums = Activity.get_sums(
                company, [category], dt.date(1997, 1, 1),
                dt.date(1998, 12, 31))
            self.assertEqual(len(sums), 2357)
            self.assertEqual(sum(row[-1] for row in sums), D('244091.94'))

            surplus = Surplus(
                fiscalyear=fiscalyear, posting_date=dt.date(1998, 5, 1),
                brought_forward=D(20000))
            surplus.lines = [SurplusLine(
                    name="Patronage", kind='patronage', basis='remainder',
                    account=SurplusLine.get_account('patronage', company))]
            surplus.pools = [Pool_(
                    name="Purchases", categories=[category],
                    cash_percent=D('0.2'), cash_floor=D('0.2'),
                    equity_class=equity)]
            surplus.save()
            with patch.object(
                    Activity, 'table_query',
                    wraps=Activity.table_query) as query:
                Surplus.compute([surplus])
                query.assert_called_once()
            Surplus.approve([surplus])
            Surplus.post([surplus])

            allocations = Allocation.search([])
            expected = {
                row['customer'] for row in rows
                if row['date'].startswith('1997')}
            self.assertEqual(
                {a.party.name for a in allocations}, expected)
            self.assertEqual(sum(a.gross for a in allocations), D(20000))
            for allocation in allocations:
                self.assertGreaterEqual(
                    5 * allocation.cash, allocation.gross)
                self.assertEqual(
                    allocation.cash + allocation.equity, allocation.gross)
            cash = sum(a.cash for a in allocations)
            self.assertEqual(
                accounts['2.1.6'].credit - accounts['2.1.6'].debit, cash)
            self.assertEqual(
                accounts['3.1.6'].credit - accounts['3.1.6'].debit,
                D(20000) - cash)
            holdings = ShareMove.holdings_at(
                company, dt.date(1998, 5, 1), by=('vintage',))
            self.assertEqual(
                holdings, {(1997,): (D(20000) - cash, D(20000) - cash)})
            self.assertEqual(surplus.check_books(
                    company.id, dt.date(1998, 12, 31)), [])
            extension, content, _, _ = Notice.execute(
                [a.id for a in allocations], {})
            self.assertEqual(extension, 'odt')


del ModuleTestCase
