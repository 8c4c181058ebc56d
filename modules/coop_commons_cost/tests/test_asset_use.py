# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from contextlib import contextmanager
from decimal import Decimal

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons_cost.exceptions import EngagementError
from trytond.modules.coop_commons_cost.tests.documents import (
    CommonsCostDocuments)
from trytond.pool import Pool
from trytond.tests.test_tryton import (
    activate_module, drop_db, with_transaction)
from trytond.transaction import Transaction, check_access

START = dt.date(2024, 1, 1)


class AssetUseTestCase(CommonsCostDocuments, unittest.TestCase):
    "Test which use an asset is depreciated by"

    @classmethod
    def setUpClass(cls):
        drop_db()
        activate_module('coop_commons_cost')

    @classmethod
    def tearDownClass(cls):
        drop_db()

    @contextmanager
    def in_company(self):
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            self._asset_product = self._create_asset_product()
            yield

    def _create_asset_product(self):
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Category = pool.get('product.category')
        Template = pool.get('product.template')
        type_ = AccountType(
            name="Fixed Assets", company=self.company, statement='balance',
            assets=True, fixed_asset=True)
        type_.save()
        accounts = [
            Account(name=name, company=self.company, type=type_)
            for name in ["Assets", "Depreciation"]]
        Account.save(accounts)
        expense, = Account.search([
                ('company', '=', self.company.id),
                ('type.expense', '=', True),
                ('closed', '!=', True),
                ], limit=1)
        category = Category(
            name="Assets", accounting=True, account_asset=accounts[0],
            account_depreciation=accounts[1], account_expense=expense)
        category.save()
        template = Template(
            name="Machine", type='assets', default_uom=self._hour,
            depreciable=True, account_category=category, products=[{}])
        template.save()
        product, = template.products
        return product

    def _create_asset(self, resource, method='units', years=10):
        pool = Pool()
        Asset = pool.get('account.asset')
        asset = Asset(
            company=self.company, product=self._asset_product,
            quantity=1, value=Decimal(10000), residual_value=Decimal(0),
            purchase_date=START, start_date=START,
            end_date=dt.date(2024 + years - 1, 12, 31),
            depreciation_method=method, frequency='monthly',
            resource=resource, use_unit=self._hour, expected_units=1000)
        asset.account_journal = asset.default_account_journal()
        asset.unit = self._hour
        asset.save()
        Asset.run([asset])
        return asset

    def _create_resource(self):
        resource = super()._create_resource()
        # Its use may overlap
        resource.bookable = False
        resource.save()
        return resource

    def _use(self, resource, day, hours):
        pool = Pool()
        Usage = pool.get('coop.commons.usage')
        Quantity = pool.get('coop.commons.usage.quantity')
        usage = Usage(
            company=self.company, resource=resource,
            member=self._members[0],
            start=dt.datetime.combine(day, dt.time(8)),
            quantities=[Quantity(
                    unit=self._hour, quantity=Decimal(hours))])
        usage.save()
        Usage.confirm([usage])

    def _depreciate(self, asset, date):
        "Return the amounts, as the ledger has them"
        Asset = asset.__class__
        Asset.create_moves([Asset(asset.id)], date)
        asset = Asset(asset.id)
        for line in asset.lines:
            if line.move:
                self.assertEqual(line.move.state, 'posted')
                self.assertEqual(
                    sum(l.debit for l in line.move.lines), line.depreciation)
        return [l.depreciation for l in asset.lines]

    @with_transaction()
    def test_earlier_use(self):
        "Test the use before the asset started is not its own"
        Asset = Pool().get('account.asset')
        with self.in_company():
            for method, years in [('units', 10), ('hybrid', 100)]:
                with self.subTest(method=method):
                    resource = self._create_resource()
                    self._use(resource, dt.date(2023, 6, 1), 900)
                    asset = self._create_asset(resource, method, years)
                    self.assertEqual(Asset(asset.id).used_units, 0)
                    self._use(resource, dt.date(2024, 1, 10), 10)
                    self.assertEqual(Asset(asset.id).used_units, 10)
                    self.assertEqual(
                        self._depreciate(asset, dt.date(2024, 1, 31)),
                        [Decimal('100.00')])

    @with_transaction()
    def test_other_resource(self):
        "Test the use counts from the day the asset joins to when it leaves"
        pool = Pool()
        Asset = pool.get('account.asset')
        with self.in_company():
            first, second = (self._create_resource() for _ in range(2))
            asset = self._create_asset(first)
            for day, first_hours, second_hours in [
                    (dt.date(2024, 1, 10), 10, 400),
                    (dt.date(2024, 2, 9), 5, 70),
                    (dt.date(2024, 2, 10), 80, 3),
                    (dt.date(2024, 3, 1), 90, 7)]:
                self._use(first, day, first_hours)
                self._use(second, day, second_hours)
            self.assertEqual(
                self._depreciate(asset, dt.date(2024, 1, 31)),
                [Decimal('100.00')])
            # Bookkeeping hears of it later
            Asset.write([Asset(asset.id)], {'resource': second.id})
            left, joined = sorted(
                Asset(asset.id).placements, key=lambda r: r.date)
            self.assertEqual(
                [(r.resource, r.date) for r in [left, joined]],
                [(first, START), (second, joined.date)])
            with Transaction().set_context(_check_access=True):
                joined.__class__.write(
                    [joined], {'date': dt.date(2024, 2, 10)})
            self.assertEqual(
                self._depreciate(asset, dt.date(2024, 3, 31)), [
                    Decimal('100.00'), Decimal('80.00'), Decimal('70.00')])
            self.assertEqual(Asset(asset.id).used_units, 25)

    @with_transaction()
    def test_engagement_exit(self):
        "Test an engagement ends with the exit instead of running on"
        pool = Pool()
        Engagement = pool.get('coop.commons.engagement')
        Member = pool.get('coop.member')
        with self.in_company():
            member, _ = self._members
            engagement = self.make(Engagement, 'confirmed')
            Engagement.draft([engagement])
            engagement.end_date = dt.date(2026, 12, 31)
            engagement.save()
            Engagement.confirm([engagement])
            member.notice_date = dt.date(2024, 6, 30)
            member.requested_exit_date = dt.date(2024, 6, 30)
            member.exit_reason = 'death'
            member.save()
            with Transaction().set_context(_skip_warnings=True):
                member.give_notice([member])
            engagement = Engagement(engagement.id)
            # 182 of the 366 days of 10 hours
            self.assertEqual(
                round(engagement.get_units(self._fiscalyear), 2),
                Decimal('4.97'))
            blocker, = Member.exit_blockers([Member(member.id)])[member]
            self.assertIn(engagement.rec_name, blocker)

            Billing = pool.get('coop.commons.engagement.billing')
            billing = Billing(
                company=self.company, cost_pool=engagement.cost_pool,
                **self._get_engagement_billing())
            billing.save()
            Billing.compute([billing])
            Billing.post([billing])
            invoice, = {
                l.invoice_line.invoice for l in Billing(billing.id).lines}
            blocker, = Member.exit_blockers([Member(member.id)])[member]
            self.assertIn(invoice.rec_name, blocker)
            Engagement.end_with_exit([Member(member.id)])
            self.assertEqual(
                Engagement(engagement.id).end_date, dt.date(2024, 6, 30))

    @with_transaction()
    def test_engagement_contract(self):
        "Test a contract needs its engagement as long as it lasts"
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        Engagement = pool.get('coop.commons.engagement')
        with self.in_company():
            # From the 1st of January to the 31st of December 2024
            engagement = self.make(Engagement, 'draft')

            def make(**values):
                contract = Contract(
                    company=self.company, engagement=engagement, **{
                        **self._get_contract(),
                        'member': engagement.member, **values})
                contract.save()
                return contract

            until = dt.date(2024, 12, 31)
            contract = make(valid_until=until)
            with self.assertRaises(EngagementError):
                Contract.confirm([contract])
            Engagement.confirm([engagement])
            for refused in [
                    make(),
                    make(valid_until=until + dt.timedelta(1)),
                    make(valid_from=dt.date(2023, 12, 31), valid_until=until),
                    ]:
                with self.assertRaises(EngagementError):
                    Contract.confirm([refused])
            Contract.confirm([Contract(contract.id)])
            with self.assertRaises(EngagementError):
                Engagement.draft([Engagement(engagement.id)])
            for later in [None, until + dt.timedelta(1)]:
                with check_access(), self.assertRaises(EngagementError):
                    Contract.write(
                        [Contract(contract.id)], {'valid_until': later})
            Contract.draft([Contract(contract.id)])
            Engagement.draft([Engagement(engagement.id)])
