# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import unittest
from decimal import Decimal as D
from pathlib import Path
from unittest.mock import Mock, patch

from trytond.modules.account.tests import create_chart
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_patronage.exceptions import (
    AllocationError, PostError)
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

PURCHASES = Path(__file__).parents[3] / 'demo' / 'data' / 'purchases.csv'


class PoolTestCase(PatronageTestCase):
    "Test the pools and their allocations"

    def _compute(self, fiscalyear, category, lines, pools, result=D(1000)):
        "Return the computed surplus of lines and pools of the category"
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        Surplus = pool.get('coop.surplus')
        SurplusLine = pool.get('coop.surplus.line')
        surplus = Surplus(
            fiscalyear=fiscalyear, posting_date=dt.date(2026, 5, 1))
        surplus.lines = [SurplusLine(
                name=name, kind=kind, basis='remainder', amount=amount,
                account=SurplusLine.get_account(kind, fiscalyear.company))
            for name, kind, amount in lines]
        surplus.pools = [
            Pool_(name=name, categories=[category], **values)
            for name, values in pools]
        surplus.save()
        with patch.object(Surplus, 'get_result', return_value=result):
            Surplus.compute([surplus])
        return surplus

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_pools(self):
        "Test who takes part in a pool and with how much"
        pool = Pool()
        Account = pool.get('account.account')
        Activity = pool.get('coop.patronage.activity')
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        Party = pool.get('party.party')
        Reassignment = pool.get('coop.patronage.reassignment')
        ShareClass = pool.get('coop.share.class')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            accounts = {a.code: a for a in Account.search([])}
            equity = ShareClass(
                name="Equity", code='E', kind='allocated', par_value=D(1),
                quantity_digits=2, account_capital=accounts['3.1.6'],
                account_subscribed=accounts['1.2.4'],
                account_redemption=accounts['2.1.5'])
            equity.save()
            walter = Party(name="Walter")
            walter.save()
            parties = self._create_members(["Alice", "Bob", "Carol"])
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(amount)}
                    for party, amount in zip(
                        [*parties, walter], [600, 300, 100, 1000])])

            lines = [
                ("Refund", 'patronage', D(100)),
                ("Rest", 'carry_forward', None)]
            # By hand, of 100.00 by 600, 300, 100 and, not a member, 1,000
            for values, names, expected, rest in [
                    ({'minimum': D(20)}, ['net', 'kept'],
                        [(60, False), (30, False), (10, True)], 900),
                    ({'minimum': D(20), 'below_minimum': 'equity',
                            'equity_class': equity}, ['cash', 'equity'],
                        [(60, 0), (30, 0), (0, 10)], 900),
                    ({'minimum': D(20), 'below_minimum': 'reserve'},
                        ['cash', 'forfeited'],
                        [(60, 0), (30, 0), (0, 10)], 900),
                    ({'cap_percent': D('0.05')}, ['gross'],
                        [(30,), (15,), (5,)], 950),
                    ({'cap_percent': D('0.12')}, ['gross'],
                        [(60,), (30,), (10,)], 900),
                    ({'minimum_activity': D(200)}, ['gross'],
                        [(D('66.67'),), (D('33.33'),)], 900),
                    ({'rounding': D(20)}, ['gross'],
                        [(60,), (40,), (0,)], 900),
                    ({'method': 'rate', 'rate': D('0.01')}, ['gross'],
                        [(6,), (3,), (1,)], 990),
                    ({'non_members': 'reserve'}, ['gross', 'forfeited'],
                        [(30, 0), (15, 0), (5, 0), (50, 50)], 900),
                    ({'non_members': 'hold'}, ['cash', 'held'],
                        [(30, 0), (15, 0), (5, 0), (0, 50)], 900),
                    ]:
                with self.subTest(**values):
                    surplus = self._compute(
                        fiscalyear, category, lines, [("Pool", values)])
                    self.assertEqual([
                            tuple(getattr(a, n) for n in names)
                            for a in surplus.pools[0].allocations], expected)
                    self.assertEqual(surplus.lines[1].computed_amount, rest)
            with self.assertRaisesRegex(AllocationError, "no activity"):
                self._compute(fiscalyear, category, lines, [
                        ("Pool", {'eligible_on': dt.date(2019, 12, 31)})])

            # Three quarters of what Walter bought count for Alice
            Reassignment.create([{
                        'party': walter.id, 'to_party': party.id,
                        'share': D(share)}
                    for party, share in [
                        (parties[0], '0.75'), (walter, '0.25')]])
            self.assertEqual({
                    (party, bool(member)): amount
                    for party, member, _, _, amount in Activity.get_sums(
                        company, [category], dt.date(2025, 1, 1),
                        dt.date(2025, 12, 31))}, {
                    (parties[0].id, True): 1350, (parties[1].id, True): 300,
                    (parties[2].id, True): 100, (walter.id, False): 250})

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_joined(self):
        """Test what a member did before joining is no business of members

        By hand: of 100.00 by 1,000 of Alice and, of Bob, 500 before and 500
        since he joined.
        """
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Entry = pool.get('coop.patronage.entry')
        Membership = pool.get('coop.membership')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            alice, bob = self._create_members(["Alice", "Bob"])
            membership, = Membership.search([('member.party', '=', bob.id)])
            table = Membership.__table__()
            Transaction().connection.cursor().execute(*table.update(
                    [table.start_date], [dt.date(2025, 7, 1)],
                    where=table.id == membership.id))
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': party.id,
                        'date': dt.date(2025, month, 1), 'amount': D(amount)}
                    for party, month, amount in [
                        (alice, 6, 1000), (bob, 6, 500), (bob, 7, 500)]])
            for non_members, result, expected in [
                    ('exclude', 1000, [
                            (D('66.67'), D('66.67'), 0, 0),
                            (D('33.33'), D('33.33'), 0, 0)]),
                    ('reserve', 1000, [(50, 50, 0, 0), (50, 25, 0, 25)]),
                    ('hold', 1000, [(50, 50, 0, 0), (50, 25, 25, 0)]),
                    # Without equity nobody can bear a loss
                    ('reserve', -1000, [(-50, 0, 0, -50), (-50, 0, 0, -50)]),
                    ]:
                with self.subTest(non_members=non_members, result=result):
                    sign = 1 if result > 0 else -1
                    surplus = self._compute(
                        fiscalyear, category, [
                            ("Refund", 'patronage', D(100) * sign),
                            ("Rest", 'carry_forward', None)],
                        [("Pool", {'non_members': non_members})],
                        result=D(result))
                    self.assertEqual([(
                                a.gross, a.cash or 0, a.held or 0,
                                a.forfeited or 0)
                            for a in surplus.pools[0].allocations], expected)

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_refusals(self):
        "Test what can not be distributed or posted is refused by name"
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Entry = pool.get('coop.patronage.entry')
        Move = pool.get('account.move')
        Surplus = pool.get('coop.surplus')

        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = self._create_fiscalyear(company, 2025)
            self._create_fiscalyear(company, 2026)
            configuration = Configuration(1)
            configuration.resolution_required = False
            configuration.save()
            member, = self._create_members(["Alice"])
            category = Category(name="Purchases")
            category.save()
            Entry.create([{
                        'category': category.id, 'party': member.id,
                        'date': dt.date(2025, 6, 1), 'amount': D(100)}])

            def compute(lines, pools):
                return self._compute(fiscalyear, category, lines, pools)

            refund = ("Refund", 'patronage', D(50))
            rest = ("Rest", 'carry_forward', None)
            half = {'amount': D(25)}
            for lines, pools, message in [
                    ([refund, ("More", 'patronage', D(50)), rest],
                        [("A", {})], '"A" must name the patronage line'),
                    ([refund, rest], [("A", {}), ("B", {})],
                        'More than one pool of the line "Refund"'),
                    ([refund, rest], [("A", {'amount': D(80)}), ("B", {})],
                        'line "Refund" take more than its .*50'),
                    ([refund, rest], [("A", {'amount': D(80)})],
                        'line "Refund" take more than its .*50'),
                    ([("Refund", 'patronage', None)], [("A", half)],
                        '"A" does not distribute .*975'),
                    ([("Refund", 'patronage', None)],
                        [("A", {'method': 'rate', 'rate': D('0.1')})],
                        '"A" does not distribute .*990'),
                    ]:
                with (self.subTest(message=message),
                        self.assertRaisesRegex(AllocationError, message)):
                    compute(lines, pools)

            # What no pool distributes is carried forward
            surplus = compute(
                [refund, rest], [("A", half), ("B", {'amount': D(15)})])
            self.assertEqual(
                [l.computed_amount for l in surplus.lines], [40, 960])
            self.assertEqual(surplus.patronage_cash, 40)

            with patch.object(
                    Surplus, 'get_result', return_value=D(1000)):
                Surplus.approve([surplus])
                with self.assertRaisesRegex(
                        PostError,
                        '"2025" was closed with .*0.00.* is .*1,000'):
                    Surplus.post([surplus])
                Surplus.draft([surplus])
            self.assertEqual(Move.search([]), [])

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
            # Straight into the tables, since only what follows is tested
            self._insert(
                Party, [
                    {'name': n, 'code': n, 'active': True}
                    for n in customers])
            parties = {
                p.name: p for p in Party.search([('name', 'in', customers)])}
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
            # What is computed is validated in tests only
            with patch.object(Pool, 'test', False):
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
                [a.id for a in allocations[:50]], {})
            self.assertEqual(extension, 'odt')
