# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.tests.case import (
    START, SharesTestCase, create_share_class, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class HoldingTestCase(SharesTestCase):
    "Test the holdings"

    @with_transaction()
    def test_holding_pages(self):
        "Test the pages of the holdings are parts of all of them, in order"
        Holding = Pool().get('coop.share.holding')
        company, category, class_ = self._set_up()
        other = create_share_class(company, code='B')
        with set_company(company):
            self.assertEqual(Holding.search([], limit=2), [])
            members = create_members(company, category, 12, START)
            # Some hold nothing, some both classes
            issue(members[3:9], class_)
            issue(members[7:], other)
            for order in [None, [('member', 'DESC'), ('id', 'ASC')]]:
                holdings = Holding.search([], order=order)
                self.assertEqual(len(holdings), 11)
                for limit in [1, 2, 5, 20]:
                    pages = []
                    for offset in range(0, 11, limit):
                        pages.extend(Holding.search(
                                [], offset=offset, limit=limit, order=order))
                    self.assertEqual(pages, holdings)
            page = Holding.search([], limit=1)
            self.assertEqual(page[0].member, members[3])
            self.assertEqual(page[0].quantity, 10)

    @with_transaction()
    def test_capital_by_class(self):
        "Test the capital by class has a row for each class only"
        pool = Pool()
        Capital = pool.get('coop.share.class.capital')
        Holding = pool.get('coop.share.holding')
        company, category, class_ = self._set_up()
        other = create_share_class(company, code='B')
        with set_company(company):
            members = create_members(company, category, 12, START)
            issue(members[3:9], class_)
            issue(members[7:], other)
            rows = Capital.search([])
            self.assertEqual(
                [(r.share_class, r.quantity) for r in rows],
                [(class_, Decimal(60)), (other, Decimal(50))])
            self.assertEqual(
                sum(r.amount for r in rows),
                sum(h.amount for h in Holding.search([])))
            # IFRIC 2: what has to be paid back is no equity
            self.assertEqual([r.liability for r in rows], [0, 0])
            class_.presented_equity = 'none'
            class_.save()
            other.presented_equity = 'minimum'
            other.minimum_capital = Decimal(220)
            other.save()
            self.assertEqual(
                [r.liability for r in Capital.search([])], [600, 280])
            with Transaction().set_context(date=START - dt.timedelta(1)):
                self.assertEqual(Capital.search([]), [])
