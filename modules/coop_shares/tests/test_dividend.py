# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.exceptions import DividendError
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class DividendTestCase(SharesTestCase):
    "Test the share dividends"

    @with_transaction()
    def test_dividend_queries(self):
        "Test the queries of a dividend do not depend on the members"
        pool = Pool()
        Account = pool.get('account.account')
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        company, category, _ = self._set_up()
        with set_company(company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            expense, = Account.search([
                    ('company', '=', company.id),
                    ('type.expense', '=', True),
                    ('party_required', '!=', True),
                    ], limit=1)
            payable, = Account.search([
                    ('company', '=', company.id),
                    ('type.payable', '=', True),
                    ('party_required', '=', True),
                    ], limit=1)
            for chunks in [1, 3]:
                counts = []
                # The first run fills the caches
                for count in [3, 30, 120]:
                    class_ = create_share_class(
                        company, code=f'{chunks} {count}')
                    members = create_members(company, category, count, START)
                    issue(members, class_)
                    dividend, = Dividend.create([{
                                'company': company.id,
                                'classes': [('add', [class_.id])],
                                'start_date': START,
                                'end_date': END,
                                'rate': Decimal('0.05'),
                                'posting_date': END,
                                'payment_date': END,
                                'account': expense.id,
                                'account_payable': payable.id,
                                }])
                    with patch.object(
                                Dividend, '_chunk_size', count // chunks), \
                            count_queries() as queries:
                        Dividend.compute([dividend])
                        self._run_tasks()
                        Dividend.approve([dividend])
                        Dividend.post([dividend])
                        self._run_tasks()
                    self.assertEqual(dividend.state, 'posted')
                    self.assertEqual(dividend.gross, 5 * count)
                    self.assertEqual(
                        len({l.move for l in dividend.lines}), chunks)
                    counts.append(queries)
                with self.subTest(chunks=chunks):
                    self.assertSameQueries(*counts[1:])

    @with_transaction()
    def test_approved_together(self):
        "Test no two dividends of a period are approved together"
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        company, category, class_ = self._set_up()
        with set_company(company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            issue(self._admit(company, category), class_)
            dividends = Dividend.create([{
                        'company': company.id,
                        'classes': [('add', [class_.id])],
                        'start_date': START,
                        'end_date': end,
                        'rate': Decimal('0.05'),
                        } for end in [END, END - dt.timedelta(days=1)]])
            Dividend.compute(dividends)
            with self.assertRaises(DividendError), savepoint():
                Dividend.approve(Dividend.browse(dividends))
            Dividend.approve(dividends[:1])

    @with_transaction()
    def test_bank_find(self):
        "Test a name finds nobody's dividend as long as several are open"
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        Line = pool.get('coop.share.dividend.line')
        MoveLine = pool.get('account.move.line')
        company, category, class_ = self._set_up()
        payable = get_account(company, type='payable')
        with set_company(company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            issue(self._admit(company, category, 3), class_)
            dividend, = Dividend.create([{
                        'company': company.id,
                        'classes': [('add', [class_.id])],
                        'start_date': START,
                        'end_date': END,
                        'rate': Decimal('0.05'),
                        'posting_date': END,
                        'payment_date': END,
                        'account': get_account(company, type='expense').id,
                        'account_payable': payable.id,
                        }])
            for button in ['compute', 'approve', 'post']:
                getattr(Dividend, button)([dividend])
                self._run_tasks()
            lines = Line.search(
                [('dividend', '=', dividend.id)], order=[('id', 'ASC')])
            books = Books(company)
            # Three are open, then two, then the last
            for paid, found in zip(lines, [2, 2, 1]):
                with self.subTest(paid=paid):
                    self.assertEqual(
                        len(Line.bank_find(company, dividend.number)), found)
                claim, = Line.bank_claims([paid])[paid]
                move = books.move(END, [
                        books.line(
                            claim.account, claim.credit, party=claim.party),
                        books.line(
                            get_account(company, type='revenue'),
                            -claim.credit)])
                Books.post([move])
                MoveLine.reconcile([
                        claim, *(l for l in move.lines if l.party)])
            self.assertFalse(Line.bank_find(company, dividend.number))

    @with_transaction()
    def test_paid(self):
        """Test the dividend on what is paid, by hand

        Of 10 shares of 160 at 4 % first 1,000 are paid; 120 subscribed
        shares of 10 are paid by a twelfth at the start of each month.
        """
        pool = Pool()
        Dividend = pool.get('coop.share.dividend')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            large = create_share_class(
                company, code='L', par_value=Decimal(160))
            subscription = self._subscribe(member, large, 10)
            self._pay(subscription, 1000, START)
            monthly = self._subscribe(member, class_, 120)
            for month in range(1, 13):
                monthly = self._pay(monthly, 100, dt.date(2024, month, 1))
            for share_class, basis, gross in [
                    (large, 'opening_balance', '64.00'),
                    (large, 'paid_opening_balance', '40.00'),
                    (large, 'paid_monthly_mean', '40.00'),
                    (class_, 'monthly_mean', '48.00'),
                    # The mean of 100, 200, ... 1,200 is 650
                    (class_, 'paid_monthly_mean', '26.00'),
                    (class_, 'paid_opening_balance', '4.00'),
                    ]:
                with self.subTest(share_class=share_class.code, basis=basis):
                    dividend, = Dividend.create([{
                                'company': company.id,
                                'classes': [('add', [share_class.id])],
                                'start_date': START,
                                'end_date': END,
                                'rate': Decimal('0.04'),
                                'basis': basis,
                                'cutoff_day': (
                                    31 if basis.endswith('mean') else None),
                                }])
                    Dividend.compute([dividend])
                    self.assertEqual(dividend.gross, Decimal(gross))
