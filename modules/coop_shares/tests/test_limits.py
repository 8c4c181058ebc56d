# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.exceptions import UserError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.exceptions import RedemptionError
from trytond.modules.coop_shares.tests.case import (
    START, SharesTestCase, create_share_class, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class LimitsTestCase(SharesTestCase):
    "Test what shares allow"

    @with_transaction()
    def test_refused(self):
        "Test what is not allowed is refused and what is concerned is named"
        pool = Pool()
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            other = create_category(company, name="Others")
            limited = create_share_class(
                company, code='L', minimum=Decimal(5), maximum=Decimal(20))
            percent = create_share_class(
                company, code='P', maximum_percent=Decimal(40))
            others = create_share_class(company, code='O', categories=[other])
            fixed = create_share_class(company, code='F', transferable=False)
            locked = create_share_class(company, code='K', lock_in_months=24)
            members = create_members(company, category, 4, START)
            Member.admit(members)
            ann, bob, carl, dora = members
            for share_class in [class_, limited, percent, fixed, locked]:
                issue([ann, bob, dora], share_class)
            for name, function, args, values, words in [
                    ("minimum", self._subscribe, [carl, limited, 4], {},
                        [carl, limited, '4', '5']),
                    ("maximum", self._subscribe, [ann, limited, 11], {},
                        [ann, limited, '21', '20']),
                    ("percentage", self._subscribe, [ann, percent, 10], {},
                        [ann, percent, '40 %']),
                    ("category", self._subscribe, [ann, others, 1], {},
                        [ann, others]),
                    ("not a member", self._subscribe,
                        [ann, class_, 1, dt.date(2023, 12, 31)], {},
                        [ann, '12/31/2023']),
                    ("nothing", self._subscribe, [ann, class_, 0], {},
                        ["Quantity"]),
                    ("more than held", self._transfer,
                        [ann, bob, class_, 11], {}, [ann, class_, '10']),
                    ("rest below minimum", self._transfer,
                        [dora, carl, limited, 6], {}, [dora, limited, '4']),
                    ("lock-in", self._transfer, [ann, bob, locked, 1], {},
                        [ann, locked]),
                    ("oneself", self._transfer, [ann, ann, class_, 1], {},
                        [ann]),
                    ("class", self._transfer, [ann, bob, fixed, 1], {},
                        [fixed]),
                    ("more than held", self._redeem, [ann, class_, 11], {},
                        [ann, class_, '10']),
                    ("lock-in", self._redeem, [ann, locked, 1], {},
                        [ann, locked]),
                    ("account", self._redeem, [ann, class_, 1],
                        {'price': Decimal(9)}, ["Account Loss", class_]),
                    ("above par", self._redeem, [ann, class_, 1],
                        {'price': Decimal(11)}, ['11']),
                    ("no share left", self._redeem, [carl, class_, 1], {},
                        [carl, class_, '0']),
                    ]:
                with self.assertRaises(
                        UserError, msg=(function.__name__, name)) as cm:
                    function(*args, **values)
                for word in words:
                    self.assertIn(
                        getattr(word, 'rec_name', word), str(cm.exception))
            # The heirs get the shares in any case, hardship ends a lock-in
            self._transfer(ann, bob, fixed, 1, reason='inheritance')
            self._transfer(ann, bob, locked, 1, reason='inheritance')
            self._redeem(ann, locked, 1, reason='hardship')
            # Who is excluded gets them back in any case
            bob.notice_date = dt.date(2024, 6, 30)
            bob.exit_reason = 'exclusion'
            bob.save()
            Member.exclude([bob])
            redemptions = Redemption.search([('member', '=', bob.id)])
            self.assertEqual({r.reason for r in redemptions}, {'exclusion'})
            self.assertEqual(
                {r.share_class.code: r.quantity for r in redemptions},
                {'A': 10, 'L': 10, 'P': 10, 'F': 11, 'K': 11})
            with self.assertRaises(RedemptionError):
                Redemption.refuse(redemptions)
