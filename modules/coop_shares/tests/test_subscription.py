# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from stdnum import iso11649

from trytond.exceptions import UserError
from trytond.model.exceptions import SQLConstraintError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.exceptions import RefusedError
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.exceptions import (
    PaymentError, ShareMoveValidationError)
from trytond.modules.coop_shares.tests.case import START, SharesTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class SubscriptionTestCase(SharesTestCase):
    "Test what is subscribed, and what of it is paid when"

    @with_transaction()
    def test_payment_before(self):
        "Test a payment is not dated before its subscription"
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            subscription = self._subscribe(
                member, class_, 6, date=dt.date(2024, 5, 1))
            subscription = self._pay(subscription, 4, dt.date(2024, 5, 1))
            with self.assertRaisesRegex(PaymentError, "04/30/2024"):
                self._pay(subscription, 56, dt.date(2024, 4, 30))

    @with_transaction()
    def test_reference(self):
        "Test what was numbered before gets its payment reference"
        Subscription = Pool().get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            subscription = self._subscribe(member, class_, 1)
            cursor = Transaction().connection.cursor()
            table = Subscription.__table__()
            cursor.execute(*table.update([table.payment_reference], [None]))
            Subscription.fill_references()
            cursor.execute(*table.select(table.payment_reference))
            reference, = cursor.fetchone()
            self.assertTrue(iso11649.is_valid(reference))
            self.assertTrue(reference.endswith('SUB' + subscription.number))

    @with_transaction()
    def test_deposit(self):
        """Test a draft that is paid, then confirmed with an earlier date

        Nor with a later one is there a difference on any day.
        """
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            for date in [dt.date(2024, 11, 1), dt.date(2024, 11, 20)]:
                subscription = self._process(
                    'subscription', [], company, member=member.id,
                    share_class=class_.id, quantity=Decimal(3), date=date)
                subscription = self._pay(
                    subscription, 10, dt.date(2024, 11, 12))
                Subscription.confirm([subscription])
                subscription = Subscription(subscription.id)
                payment, = subscription.payments
                self.assertEqual(
                    payment.date, max(date, dt.date(2024, 11, 12)))
                for day in [1, 11, 12, 15, 19, 20, 30]:
                    day = dt.date(2024, 11, day)
                    with self.subTest(subscribed=date, day=day):
                        self.assertEqual(check_books(company, day), [])

    @with_transaction()
    def test_pay_closed(self):
        "Test who comes too late to pay is told so"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            paid, cancelled = [
                self._subscribe(member, class_, 1) for _ in range(2)]
            self._pay(paid, paid.amount_to_pay, dt.date(2024, 11, 20))
            Subscription.cancel([cancelled])
            for subscription, text in [
                    (paid, 'paid.*payment was entered by "Administrator"'),
                    (cancelled, 'cancelled, last changed by "Administrator"'),
                    ]:
                with self.subTest(text=text), \
                        self.assertRaisesRegex(RefusedError, text):
                    Subscription.check_step(
                        'pay', Subscription.browse([subscription]))

    @with_transaction()
    def test_search(self):
        "Test the documents are found by number and by member"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        ShareMove = pool.get('coop.share.move')
        Holding = pool.get('coop.share.holding')
        company, category, class_ = self._set_up()
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            subscriptions = [
                self._subscribe(member, class_, 1) for member in [ann, bob]]
            name = ann.party.name
            for Model, member in [
                    (Subscription, 'member'), (ShareMove, 'to_member'),
                    (Holding, 'member')]:
                with self.subTest(model=Model.__name__):
                    found, = Model.search([('rec_name', 'ilike', name)])
                    self.assertEqual(getattr(found, member), ann)
                    found, = Model.search([('rec_name', 'not ilike', name)])
                    self.assertEqual(getattr(found, member), bob)
            # It may be the number of a member too
            self.assertIn(
                subscriptions[1], Subscription.search([
                        ('rec_name', '=', subscriptions[1].number)]))

    @with_transaction()
    def test_opening(self):
        "Test the rows that open the ledger have the amount of their shares"
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        ShareMove = pool.get('coop.share.move')
        company, category, class_ = self._set_up()
        with set_company(company):
            configuration = Configuration(1)
            configuration.cutover_date = START
            configuration.save()
            member, = create_members(company, category, 1, START)

            def create(**values):
                move, = ShareMove.create([{
                            'company': company.id,
                            'share_class': class_.id,
                            'quantity': Decimal(3),
                            'to_member': member.id,
                            'start_date': START,
                            'par_value': Decimal(10),
                            'amount': Decimal(30),
                            **values,
                            }])
                return move

            for amount in [-30, 99_999]:
                with savepoint(), self.assertRaises(UserError):
                    create(amount=Decimal(amount))
            with savepoint(), self.assertRaises(ShareMoveValidationError):
                create(amount=Decimal(31))
            with savepoint(), self.assertRaises(SQLConstraintError):
                create(quantity=Decimal(-3), amount=Decimal(-30))
            moves = [create(), create()]
            ShareMove.do(moves)
            with self.assertRaises(SQLConstraintError):
                create(number=moves[0].number)
