# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Test eight kinds of cooperatives, founded by the assistant alone

Each has a small chart of its own and, where there is one, the preset of its
law, and plays its three most typical events of shares.  The figures are
worked out by hand.
"""
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.account_proposal import Chart
from trytond.modules.coop.company_setup import create_fiscalyear
from trytond.modules.coop.exceptions import LawSettingError
from trytond.modules.coop.tests.cooperative import configure, create_own_chart
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.player import savepoint
from trytond.modules.coop_shares.exceptions import LimitError
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, get_account)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

JULY = dt.date(2024, 7, 1)


class CooperativesTestCase(SharesTestCase):
    "Test kinds of cooperatives"
    module = 'coop'
    extras = EXTRAS

    def prepare(self):
        pass

    def _found(self, par_value, plan=None):
        "Found a cooperative, return its company, category and share class"
        pool = Pool()
        Category = pool.get('coop.member.category')
        ModelData = pool.get('ir.model.data')
        Plan = pool.get('coop.surplus.plan')
        ShareClass = pool.get('coop.share.class')
        company = create_company()
        with set_company(company):
            create_own_chart(company)
            configure(
                company,
                plan=plan and Plan(ModelData.get_id('coop_patronage', plan)),
                par_value=Decimal(par_value),
                start_date=START, end_date=END)
            create_fiscalyear(
                company, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
            category, = Category.search([('company', '=', company.id)])
            share_class, = ShareClass.search([('company', '=', company.id)])
        return company, category, share_class

    def _dividend(self, company, class_, rate, basis, **values):
        configuration = Pool().get('coop.share.configuration')(1)
        configuration.dividend_resolution = False
        configuration.save()
        dividend = self._process(
            'dividend', ['compute', 'approve', 'post'], company,
            classes=[('add', [class_.id])], start_date=START, end_date=END,
            rate=Decimal(rate), basis=basis, posting_date=END,
            payment_date=END,
            account=get_account(company, type='expense').id,
            account_payable=get_account(company, type='payable').id, **values)
        return {l.member: (l.net, l.to_shares or 0) for l in dividend.lines}

    def _give_notice(self, member, date, reason='resignation'):
        "Return the day of the exit"
        Member = Pool().get('coop.member')
        member.notice_date = date
        member.exit_reason = reason
        member.save()
        with Transaction().set_context(_skip_warnings=True):
            if reason == 'exclusion':
                Member.exclude([member])
            else:
                Member.give_notice([member])
        return Member(member.id).exit_date

    def _check(self, company):
        for date in [START, JULY, END, dt.date(2025, 12, 31)]:
            self.assertEqual(check_books(company, date), [])

    @with_transaction()
    def test_housing(self):
        """Test a German housing cooperative

        4 % on the 1,000.00 paid of 1,600.00 fill the shares (GenG § 19), who
        gives notice on 30 September leaves with the year (§ 65), who is
        excluded too (§ 68), and is paid six months later (§ 73).
        """
        company, category, class_ = self._found('160.00', 'plan_de')
        with set_company(company):
            ann, bob, eve, fay = self._admit(company, category, 4)
            self._pay(self._subscribe(ann, class_, 10), 1000, START)
            self._pay(self._subscribe(bob, class_, 5), 800, START)
            self.assertEqual(
                self._dividend(
                    company, class_, '0.04', 'paid_opening_balance'),
                {ann: (40, 40), bob: (32, 0)})
            self.assertEqual(
                self._give_notice(bob, dt.date(2024, 9, 30)), END)
            self.assertEqual(
                self._give_notice(eve, dt.date(2024, 10, 1)),
                dt.date(2025, 12, 31))
            self.assertEqual(
                self._give_notice(fay, dt.date(2024, 10, 2), 'exclusion'),
                END)
            redemption = self._redeem(bob, class_, 5)
            line, = redemption.payable_lines
            self.assertEqual(
                [line.credit, line.maturity_date],
                [800, dt.date(2025, 6, 30)])
            self._check(company)

    @with_transaction()
    def test_cuma(self):
        """Test a French cooperative for the use of machines

        Shares of 1.50 by what the members engage: 200 for 20 hectares, of
        which a successor takes over half, and the rest is paid back.
        """
        company, category, class_ = self._found('1.50')
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            self._pay(self._subscribe(ann, class_, 200), 300, START)
            self._transfer(ann, bob, class_, 100)
            redemption = self._redeem(ann, class_, 100)
            self.assertEqual(redemption.net_amount, 150)
            self.assertEqual(self._hold(class_), {bob.id: (100, 150)})
            self._check(company)

    @with_transaction()
    def test_energy(self):
        """Test a British community benefit society for energy

        Nobody but a society holds more than 100,000 (CCBSA 2014 s. 24).
        Interest of 4 % on 10,000.00 from July on: 10,000 * 4 % * 184 / 366.
        """
        company, category, class_ = self._found('1.00', 'plan_uk')
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            self._pay(self._subscribe(ann, class_, 100000), 100000, START)
            with self.assertRaises(LimitError), savepoint():
                self._subscribe(ann, class_, 1)
            self._pay(
                self._subscribe(bob, class_, 10000, JULY), 10000, JULY)
            self.assertEqual(
                self._dividend(
                    company, class_, '0.04', 'share_days',
                    first_day_counts=True, year_length='period'),
                {ann: (4000, 0), bob: (Decimal('201.09'), 0)})
            self.assertEqual(
                self._redeem(ann, class_, 20000).net_amount, 20000)
            self._check(company)

    @with_transaction()
    def test_worker(self):
        """Test a French SCOP

        A worker pays 20 shares of 50.00 in parts, subscribes more, and gets
        back what is paid when leaving.
        """
        company, category, class_ = self._found('50.00', 'plan_fr_scop')
        with set_company(company):
            ann, = self._admit(company, category)
            subscription = self._subscribe(ann, class_, 20)
            for month in [2, 3, 4]:
                subscription = self._pay(
                    subscription, 300, dt.date(2024, month, 1))
            self.assertEqual(
                [subscription.state, subscription.amount_to_pay],
                ['confirmed', 100])
            self._pay(self._subscribe(ann, class_, 2, JULY), 100, JULY)
            redemption = self._redeem(ann, class_, 22)
            self.assertEqual(
                [redemption.amount, redemption.unpaid_amount,
                    redemption.net_amount], [1100, 100, 1000])
            self._check(company)

    @with_transaction()
    def test_electric(self):
        """Test an electric cooperative of the United States

        A membership of 5.00 goes to the spouse, and what a leaver owes of
        the bill is set off.
        """
        company, category, class_ = self._found('5.00', 'plan_us')
        with set_company(company):
            ann, bob, eve = self._admit(company, category, 3)
            for member in [ann, eve]:
                self._pay(self._subscribe(member, class_, 1), 5, START)
            with Transaction().set_context(_skip_warnings=True):
                self._transfer(ann, bob, class_, 1)
            self._owe(eve, Decimal('3.20'))
            redemption = self._redeem(eve, class_, 1, set_off=True)
            self.assertEqual(
                [redemption.set_off_amount, redemption.net_amount],
                [Decimal('3.20'), Decimal('1.80')])
            self.assertEqual(self._hold(class_), {bob.id: (1, 5)})
            self._check(company)

    @with_transaction()
    def test_food(self):
        """Test a Spanish consumers' cooperative

        The entry fee is of the obligatory reserve (Ley 27/1999 art. 55),
        nobody holds more than a third (art. 45), and who leaves without a
        reason gets 30 % less (art. 51).
        """
        company, category, class_ = self._found('60.00', 'plan_es')
        with set_company(company):
            self.assertEqual(class_.account_entry_fee.code, '3000')
            class_.entry_fee = Decimal(15)
            class_.save()
            configuration = Pool().get('coop.share.configuration')(1)
            configuration.founding_date = dt.date(2024, 2, 1)
            configuration.save()
            members = self._admit(company, category, 3)
            for member in members:
                self._pay(self._subscribe(member, class_, 2), 135, START)
            with self.assertRaises(LimitError), savepoint():
                self._subscribe(members[0], class_, 1, JULY)
            self.assertEqual(
                self._balance(class_.account_entry_fee, company), -45)
            redemption = self._redeem(
                members[0], class_, 2, deduction=Decimal(36),
                deduction_reason="Ley 27/1999 art. 51")
            self.assertEqual(redemption.net_amount, 84)
            self._check(company)

    @with_transaction()
    def test_car_sharing(self):
        """Test an Italian cooperative for car sharing

        Shares of 25.00 (codice civile art. 2525), of which a part goes to
        another member (art. 2530), and who leaves gets the par value less
        the loss of 10 % (art. 2535).
        """
        company, category, class_ = self._found('25.00', 'plan_it')
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            self._pay(self._subscribe(ann, class_, 10), 250, START)
            self._transfer(ann, bob, class_, 4)
            self.assertEqual(
                self._give_notice(ann, dt.date(2024, 9, 30)), END)
            redemption = self._redeem(
                ann, class_, 6, price=Decimal('22.50'))
            self.assertEqual(
                [redemption.loss, redemption.net_amount], [15, 135])
            self.assertEqual(self._hold(class_), {bob.id: (4, 100)})
            self._check(company)

    @with_transaction()
    def test_savings(self):
        """Test a savings and credit cooperative of the Philippines

        Interest by the mean of the months: 6 % on 1,000.00 for the year and
        on 600.00 for its second half, and a part is withdrawn.
        """
        company, category, class_ = self._found('100.00', 'plan_ph')
        with set_company(company):
            ann, = self._admit(company, category)
            self._pay(self._subscribe(ann, class_, 10), 1000, START)
            self._pay(self._subscribe(ann, class_, 6, JULY), 600, JULY)
            self.assertEqual(
                self._dividend(
                    company, class_, '0.06', 'monthly_mean', cutoff_day=1),
                {ann: (78, 0)})
            self.assertEqual(
                self._redeem(ann, class_, 3).net_amount, 300)
            self._check(company)

    def _hold(self, class_):
        "Return the quantity and the amount of who holds shares in the end"
        Move = Pool().get('coop.share.move')
        return {
            key[0]: value for key, value in Move.holdings_at(
                class_.company, None, classes=[class_]).items() if any(value)}

    def _balance(self, account, company):
        Line = Pool().get('account.move.line')
        return sum(
            l.debit - l.credit for l in Line.search([
                    ('account', '=', account.id),
                    ('move.company', '=', company.id),
                    ]))

    @with_transaction()
    def test_settings(self):
        "Test each setting of each law is set by the assistant"
        pool = Pool()
        Setting = pool.get('coop.configuration.setting')
        ModelData = pool.get('ir.model.data')
        plans = {
            s.plan: s.plan.settings for s in Setting.search([])}
        self.assertEqual(
            {ModelData.search([
                        ('model', '=', 'coop.surplus.plan'),
                        ('db_id', '=', p.id)])[0].fs_id
                for p in plans},
            {f'plan_{n}' for n in [
                    'de', 'de_marketing', 'es', 'fr_scic', 'fr_scop', 'it',
                    'uk']})
        for plan, settings in plans.items():
            company = create_company(plan.name)
            with set_company(company):
                create_own_chart(company)
                configure(company, plan=plan)
                chart = Chart(company)
                for setting in settings:
                    with self.subTest(plan=plan.name, field=setting.field):
                        Model = pool.get(setting.model)
                        own = [('company', '=', company.id)]
                        if hasattr(Model, 'get_multivalue'):
                            value = Model(1).get_multivalue(
                                setting.field, company=company.id)
                        else:
                            record, = Model.search(own)
                            value = getattr(record, setting.field)
                        self.assertEqual(value, setting.get_value(chart))
                        self.assertTrue(setting.setting)
        with self.assertRaises(LawSettingError):
            Setting.create([{
                        'plan': next(iter(plans)).id,
                        'model': 'coop.share.configuration',
                        'field': 'nothing',
                        'value': '1',
                        'source': "§ 0",
                        }])
