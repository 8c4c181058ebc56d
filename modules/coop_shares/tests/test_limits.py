# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from fractions import Fraction

from trytond.exceptions import UserError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.exceptions import RefusedError
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.exceptions import (
    LastShareWarning, LimitError, MinimumCapitalWarning, RedemptionError,
    SubscriptionError, TransferError)
from trytond.modules.coop_shares.quantity import part
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class _Undo(Exception):
    pass


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
            members = self._admit(company, category, 4)
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
                        ["uantity"]),
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
                    ("below nothing", self._redeem, [ann, class_, 1],
                        {'price': Decimal(-1)}, ["Price"]),
                    ("no share left", self._redeem, [carl, class_, 1], {},
                        [carl, class_, '0']),
                    ]:
                with self.assertRaises(
                        UserError, msg=(function.__name__, name)) as cm, \
                        savepoint():
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

    @with_transaction()
    def test_companies(self):
        "Test the limits of each company count in what is confirmed together"
        Subscription = Pool().get('coop.share.subscription')
        drafts = []
        self.load()
        for company, category in [
                (self._company, self._category), self._open_books("Other")]:
            with set_company(company):
                class_ = create_share_class(company)
                limited = create_share_class(
                    company, code='L', maximum=Decimal(20))
                member, = self._admit(company, category)
                issue([member], limited, 20)
                drafts.append(Subscription.create([{
                            'company': company.id,
                            'member': member.id,
                            'share_class': share_class.id,
                            'quantity': Decimal(1),
                            'date': START,
                            } for share_class in [limited, class_]]))
        (first, free), (second, other) = drafts
        for subscriptions in [[first, other], [free, second]]:
            with self.assertRaisesRegex(LimitError, '21'), savepoint():
                Subscription.confirm(Subscription.browse(subscriptions))
        Subscription.confirm(Subscription.browse([free, other]))

    @with_transaction()
    def test_grant(self):
        "Test nothing more is granted than what is still asked for"
        pool = Pool()
        Grant = pool.get('coop.share.redemption.grant')
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = self._admit(company, category)
            issue(members, class_)
            redemption, = Redemption.create([{
                        'company': company.id,
                        'member': members[0].id,
                        'share_class': class_.id,
                        'quantity': Decimal(5),
                        'request_date': START,
                        }])
            Redemption.approve([redemption])
            grant = Grant(
                redemption=redemption, quantity=Decimal(8), end_date=END)
            grant.save()
            Grant.grant([grant])
            redemption, = Redemption.search([])
            self.assertTrue(redemption.granted)
            self.assertEqual(redemption.quantity, 5)

    @with_transaction()
    def test_pending(self):
        "Test what only counts when it is paid is limited when it is asked"
        company, category, class_ = self._set_up()
        with set_company(company):
            values = {
                'effective': 'payment',
                'account_unpaid': get_account(
                    company, "Member Shares Subscribed, Not Paid In"),
                }
            limited = create_share_class(
                company, code='L', minimum=Decimal(3), maximum=Decimal(20),
                **values)
            percent = create_share_class(
                company, code='P', maximum_percent=Decimal(40), **values)
            members = self._admit(company, category, 3)
            ann, bob, carl = members
            for quantity, limit in [(21, '20'), (2, '3')]:
                with self.assertRaisesRegex(LimitError, limit):
                    self._subscribe(ann, limited, quantity)
            self._subscribe(ann, limited, 15)
            with self.assertRaisesRegex(LimitError, '21'):
                self._subscribe(ann, limited, 6)
            # What waits to be paid counts as capital for all
            self._subscribe(ann, percent, 4)
            with self.assertRaisesRegex(LimitError, '40 %'):
                self._subscribe(bob, percent, 4)

    @with_transaction()
    def test_pending_together(self):
        "Test subscriptions that are confirmed together count together"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up(maximum=Decimal(20))
        with set_company(company):
            member, = self._admit(company, category)
            subscriptions = [
                self._process(
                    'subscription', [], company, member=member.id,
                    share_class=class_.id, quantity=Decimal(11), date=START)
                for _ in range(2)]
            with self.assertRaisesRegex(LimitError, '22'):
                Subscription.confirm(subscriptions)

    @with_transaction()
    def test_third(self):
        "Test a third of the capital is a third"
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='T', maximum_percent=Decimal('33.3333'))
            members = self._admit(company, category, 3)
            issue(members, class_, 10)
            issue(members[:2], class_, 5)
            # 15 of 45 are a third, 16 of 46 are more
            self._subscribe(members[2], class_, 5)
            with self.assertRaisesRegex(LimitError, '33.3333 %'):
                self._subscribe(members[2], class_, 1)

    def test_part(self):
        "Test the exact part of a percentage"
        for percent, expected in [
                ('33.3333', Fraction(1, 3)),
                ('66.6667', Fraction(2, 3)),
                ('14.2857', Fraction(1, 7)),
                ('33.33', Fraction(3333, 10000)),
                ('40', Fraction(2, 5)),
                ('0.0001', Fraction(1, 1000000)),
                ('100', Fraction(1)),
                ]:
            with self.subTest(percent=percent):
                self.assertEqual(part(Decimal(percent)), expected)

    @with_transaction()
    def test_maximum_alone(self):
        "Test a maximum needs no minimum, but is not below one"
        company, _, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(company, code='M', maximum=Decimal(5))
            self.assertIsNone(class_.minimum)
            with self.assertRaises(UserError):
                class_.minimum = Decimal(6)
                class_.save()

    @with_transaction()
    def test_copy_twice(self):
        "Test a class can be copied more than once"
        company, _, class_ = self._set_up()
        with set_company(company):
            copies = [class_.copy([class_])[0] for _ in range(3)]
            self.assertEqual(
                [c.code for c in copies],
                ["A (copy)", "A (copy 2)", "A (copy 3)"])
            first, second = class_.copy([class_, copies[0]])
            self.assertNotEqual(first.code, second.code)

    @with_transaction()
    def test_last_share(self):
        "Test who redeems the last share of the membership is warned of it"
        company, category, class_ = self._set_up()
        with set_company(company):
            kept = create_share_class(company, code='K', keep_last=True)
            members = create_members(company, category, 1, START)
            issue(members, class_)
            issue(members, kept)
            member, = members
            for share_class, quantity, error in [
                    (class_, 10, LastShareWarning), (kept, 10, RefusedError),
                    (class_, 9, None), (kept, 9, None)]:
                redemption = self._process(
                    'redemption', [], company, member=member.id,
                    share_class=share_class.id, quantity=Decimal(quantity),
                    request_date=START, end_date=END)
                if error:
                    with self.assertRaises(error):
                        redemption.approve([redemption])
                    redemption.cancel([redemption])
                else:
                    redemption.approve([redemption])
                    self.assertEqual(
                        redemption.__class__(redemption.id).state, 'approved')

    @with_transaction()
    def test_lock_in_approval(self):
        "Test the lock-in is refused when approving"
        company, category, _ = self._set_up()
        with set_company(company):
            locked = create_share_class(company, code='L', lock_in_months=24)
            members = create_members(company, category, 1, START)
            issue(members, locked)
            with self.assertRaisesRegex(RefusedError, "held long enough"):
                self._redeem(members[0], locked, 1, buttons=['approve'])

    @with_transaction()
    def test_founding(self):
        """Test founders subscribe one by one before the percentage is checked

        By hand: of 10 + 10 each of two founders holds a half, and the third
        part is the limit; three of them keep it.
        """
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        company, category, _ = self._set_up()
        with set_company(company):
            third = create_share_class(
                company, code='T', maximum_percent=Decimal('33.3333'))
            members = self._admit(company, category, 4)
            self._subscribe(members[0], third, 10)
            with self.assertRaisesRegex(LimitError, "33.3333 %"), savepoint():
                self._subscribe(members[1], third, 10)
            config = Configuration(1)
            config.founding_date = dt.date(2024, 3, 1)
            config.save()
            for member in members[1:3]:
                self._subscribe(member, third, 10)
            for date, quantity, error in [
                    (dt.date(2024, 3, 1), 16, True),
                    (dt.date(2024, 2, 29), 16, False),
                    (dt.date(2024, 3, 1), 1, True)]:
                if error:
                    with self.assertRaises(LimitError), savepoint():
                        self._subscribe(members[3], third, quantity, date)
                else:
                    self._subscribe(members[3], third, quantity, date)

    @with_transaction()
    def test_payment(self):
        """Test the limits are checked again when shares come with payment

        And that nobody gets shares who is no member any more.
        """
        pool = Pool()
        Membership = pool.get('coop.membership')
        company, category, _ = self._set_up()
        with set_company(company):
            paid = create_share_class(
                company, code='P', maximum=Decimal(10), effective='payment',
                account_unpaid=get_account(
                    company, "Member Shares Subscribed, Not Paid In"))
            ann, bob = self._admit(company, category, 2)
            issue([ann], paid, 5)
            subscription = self._subscribe(ann, paid, 5)
            paid.maximum = Decimal(9)
            paid.save()
            with self.assertRaises(LimitError) as cm, savepoint():
                self._pay(subscription, 50, dt.date(2024, 2, 1))
            self.assertIn('10', str(cm.exception))
            # What is subscribed does not count twice
            paid.maximum = Decimal(10)
            paid.save()
            subscription = self._pay(
                subscription, 50, dt.date(2024, 2, 1))
            self.assertEqual(subscription.state, 'paid')
            subscription = self._subscribe(bob, paid, 1)
            membership, = bob.memberships
            Membership.write([membership], {'end_date': dt.date(2024, 3, 31)})
            with self.assertRaisesRegex(
                    SubscriptionError, "04/01/2024"), savepoint():
                self._pay(subscription, 10, dt.date(2024, 4, 1))
            subscription = self._pay(
                subscription, 10, dt.date(2024, 3, 31))
            self.assertEqual(subscription.effective_date, dt.date(2024, 3, 31))

    @with_transaction()
    def test_transfer_last_share(self):
        "Test who gives away the last share of the membership is warned of it"
        company, category, class_ = self._set_up()
        with set_company(company):
            kept = create_share_class(company, code='K', keep_last=True)
            other = create_share_class(company, code='O')
            more = create_share_class(company, code='M', kind='additional')
            members = self._admit(company, category, 2)
            ann, bob = members
            for share_class in [class_, kept, other, more]:
                issue([ann], share_class)
            for share_class, quantity, reason, error in [
                    (class_, 10, 'sale', LastShareWarning),
                    (class_, 10, 'gift', LastShareWarning),
                    (kept, 10, 'sale', TransferError),
                    (kept, 10, 'inheritance', None),
                    (class_, 9, 'sale', None),
                    (class_, 1, 'sale', LastShareWarning),
                    (more, 10, 'sale', None)]:
                if error:
                    with self.assertRaisesRegex(
                            error, "last share"), savepoint():
                        self._transfer(
                            ann, bob, share_class, quantity, reason=reason)
                else:
                    self._transfer(
                        ann, bob, share_class, quantity, reason=reason)
            # Into another class of the membership, and out of it
            for to_class, error in [(class_, None), (more, LastShareWarning)]:
                with self.assertRaises(error or _Undo), savepoint():
                    transfer = self._process(
                        'transfer', [], company, from_member=ann.id,
                        share_class=other.id, to_class=to_class.id,
                        quantity=Decimal(10), reason='conversion',
                        date=dt.date(2024, 6, 30))
                    transfer.do([transfer])
                    raise _Undo

    @with_transaction()
    def test_minimum_capital(self):
        """Test the minimum capital when approving and when ending

        By hand: of 300.00 capital 220.00 have to stay, so that 8 shares of
        10.00 can be redeemed.
        """
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='M', minimum_capital=Decimal(220))
            members = self._admit(company, category, 3)
            issue(members, class_)
            redemptions = [
                self._process(
                    'redemption', [], company, member=member.id,
                    share_class=class_.id, quantity=Decimal(4),
                    request_date=START, end_date=END)
                for member in members]
            Redemption.approve(redemptions[:2])
            with self.assertRaisesRegex(
                    MinimumCapitalWarning, "has to wait"), savepoint():
                Redemption.approve(redemptions[2:])
            self._allocate(class_)
            Redemption.write(redemptions[:2], {'end_date': END})
            # It rises after the budget was given
            class_.minimum_capital = Decimal(250)
            class_.save()
            first, second = Redemption.browse(redemptions[:2])
            self.assertEqual(
                list(Redemption.refusals('end', [first, second])), [second])
            with self.assertRaisesRegex(RefusedError, "minimum capital"):
                Redemption.end([first, second])
            Redemption.end([first])
            with self.assertRaisesRegex(RefusedError, "minimum capital"):
                Redemption.end([Redemption(second.id)])
