# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Let members leave at the end of a year, many at once

COOP_EXITS sets how many.
"""
import datetime as dt
import os
from unittest.mock import patch

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_shares.tests.case import END, START, SharesTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

EXITS = int(os.environ.get('COOP_EXITS', 40))
AFTER = dt.date(2025, 1, 2)


class ExitsTestCase(SharesTestCase):
    "Test many members leave together"

    @with_transaction(context={'_skip_warnings': True})
    def test_leave(self):
        "Test the queries do not grow, and who is stuck stops nobody"
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            counts = []
            # The first one fills the caches
            for count in [3, 10, EXITS]:
                members = self._admit(company, category, count)
                subscriptions = Subscription.create([{
                            'company': company.id,
                            'member': member.id,
                            'share_class': class_.id,
                            'quantity': 3,
                            'date': START,
                            } for member in members])
                Subscription.confirm(subscriptions)
                # One has something open
                stuck, *others = members
                Subscription.create([{
                            'company': company.id,
                            'member': stuck.id,
                            'share_class': class_.id,
                            'quantity': 1,
                            'date': START,
                            }])
                for member in members:
                    member.notice_date = dt.date(2024, 6, 30)
                    member.exit_reason = 'resignation'
                Member.save(members)
                Member.give_notice(members)
                Redemption.approve(Redemption.search([
                            ('member', 'in', [m.id for m in members])]))
                with patch.object(
                        Date, 'today', lambda timezone=None: AFTER), \
                        Transaction().set_context(company=company.id), \
                        count_queries() as queries:
                    refused = Member.leave_due()
                counts.append(queries)
                self.assertEqual(list(refused), [stuck])
                self.assertIn(stuck.rec_name, refused[stuck])
                self.assertEqual(
                    {m.state for m in Member.browse(others)}, {'left'})
                self.assertEqual(
                    {m.exit_date for m in Member.browse(others)}, {END})
                self.assertEqual(Member(stuck.id).state, 'leaving')
                # The next ones do not find it again
                with patch.object(
                        Date, 'today', lambda timezone=None: AFTER):
                    Subscription.delete(Subscription.search([
                                ('member', '=', stuck.id),
                                ('state', '=', 'draft')]))
                    self.assertEqual(Member.leave_due(), {})
            self.assertSameQueries(counts[1], counts[2], updates=False)
            self.assertEqual(check_books(company, AFTER), [])
