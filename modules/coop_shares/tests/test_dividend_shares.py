# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class DividendSharesTestCase(SharesTestCase):
    "Test share dividends pay shares"

    def _dividend(self, company, class_, rate='0.05'):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        configuration = Configuration(1)
        configuration.dividend_resolution = False
        configuration.save()
        return self._process(
            'dividend', ['compute', 'approve', 'post'], company,
            classes=[('add', [class_.id])], start_date=START, end_date=END,
            rate=Decimal(rate), posting_date=END, payment_date=END,
            account=get_account(company, type='expense').id,
            account_payable=get_account(company, type='payable').id)

    def _read(self, dividend):
        return {
            l.member: (l.net, l.to_shares or 0, l.payout)
            for l in dividend.__class__(dividend.id).lines}

    @with_transaction()
    def test_fill(self):
        """Test the dividend fills unpaid shares before it is paid out

        DE, § 19 Abs. 1 GenG.  By hand, 5 % on shares of 1,000.00: of 50.00
        Ann pays the 30.00 she owes, Bob all, as he has paid nothing.
        """
        Subscription = Pool().get('coop.share.subscription')
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='F', par_value=Decimal(1000),
                dividend_use='fill')
            ann, bob, carl = self._admit(company, category, 3)
            subscriptions = [
                self._subscribe(m, class_, 1) for m in [ann, bob, carl]]
            for subscription, amount in zip(
                    subscriptions, [970, 0, 1000]):
                if amount:
                    self._pay(subscription, amount, START)
            dividend = self._dividend(company, class_)
            self.assertEqual(self._read(dividend), {
                    ann: (50, 30, 20),
                    bob: (50, 50, 0),
                    carl: (50, 0, 50),
                    })
            self.assertEqual(dividend.__class__(dividend.id).to_shares, 80)
            self.assertEqual([
                    (s.state, s.paid_amount)
                    for s in Subscription.browse(subscriptions)], [
                    ('paid', 1000), ('confirmed', 50), ('paid', 1000)])
            self.assertEqual(check_books(company, END), [])
            Line = Pool().get('account.move.line')
            self.assertEqual({
                    l.party: l.credit for l in Line.search([
                            ('account', '=', dividend.account_payable.id)])},
                {ann.party: 20, carl.party: 50})

            # All of it is taken back
            dividend.__class__.cancel([dividend])
            self.assertEqual([
                    (s.state, s.paid_amount)
                    for s in Subscription.browse(subscriptions)], [
                    ('confirmed', 970), ('confirmed', 0), ('paid', 1000)])
            self.assertEqual(check_books(company, END), [])
            # And what is owed is paid as before
            subscription = self._pay(
                Subscription(subscriptions[0].id), 30,
                dt.date(2025, 1, 1))
            self.assertEqual(subscription.state, 'paid')
            self.assertTrue(all(
                    l.reconciliation for l in subscription.move.lines
                    if l.account == class_.account_subscribed))

    @with_transaction()
    def test_limit(self):
        "Test who must not hold more is paid out, and the others buy"
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='C', dividend_use='choice', maximum=Decimal(44))
            ann, bob = self._admit(company, category, 2)
            # 5 % on 43 and 40 shares of 10.00 buy two each
            for member, quantity in [(ann, 43), (bob, 40)]:
                member.dividend_choice = 'shares'
                member.save()
                self._pay(
                    self._subscribe(member, class_, quantity), quantity * 10,
                    START)
            dividend = self._dividend(company, class_)
            self.assertEqual(self._read(dividend), {
                    ann: (Decimal('21.50'), 0, Decimal('21.50')),
                    bob: (20, 20, 0),
                    })
            self.assertEqual(check_books(company, END), [])

    @with_transaction()
    def test_choice(self):
        """Test members choose what they do with the dividend

        By hand, 5 % on 43 shares of 10.00: 21.50, of which 12.00 fill what is
        unpaid, and the 9.50 that are left buy no share of 10.00.  If nothing
        is unpaid, 21.50 buy two.
        """
        Subscription = Pool().get('coop.share.subscription')
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='C', dividend_use='choice')
            members = self._admit(company, category, 4)
            for member, choice in zip(
                    members, ['pay', 'fill', 'shares', 'shares']):
                self.assertTrue(member.chooses_dividend)
                self.assertEqual(member.dividend_choice, 'pay')
                member.dividend_choice = choice
                member.save()
            for member, paid in zip(members, [418, 418, 418, 430]):
                self._pay(
                    self._subscribe(member, class_, 43), paid, START)
            dividend = self._dividend(company, class_)
            ann, bob, carl, dora = members
            self.assertEqual(self._read(dividend), {
                    ann: (Decimal('21.50'), 0, Decimal('21.50')),
                    bob: (Decimal('21.50'), 12, Decimal('9.50')),
                    carl: (Decimal('21.50'), 12, Decimal('9.50')),
                    dora: (Decimal('21.50'), 20, Decimal('1.50')),
                    })
            bought, = Subscription.search([('quantity', '=', 2)])
            self.assertEqual(
                (bought.member, bought.state, bought.paid_amount),
                (dora, 'paid', 20))
            self.assertEqual(check_books(company, END), [])
            dividend.__class__.cancel([dividend])
            self.assertEqual(Subscription(bought.id).state, 'cancelled')
            self.assertEqual(check_books(company, END), [])

    @with_transaction()
    def test_hidden(self):
        "Test members choose nothing if no class lets them"
        company, category, class_ = self._set_up()
        with set_company(company):
            self.assertEqual(class_.dividend_use, 'pay')
            member, = self._admit(company, category)
            self.assertFalse(member.chooses_dividend)
