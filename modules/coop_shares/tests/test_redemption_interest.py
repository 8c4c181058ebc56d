# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_shares.tests.case import (
    SharesTestCase, create_payment_method, create_share_class, get_account,
    issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

JUNE = dt.date(2024, 6, 30)


class RedemptionInterestTestCase(SharesTestCase):
    "Test redemptions are paid in instalments and bear interest"

    def _class(self, company, rates, code='I', **values):
        Rate = Pool().get('coop.share.class.interest')
        return create_share_class(
            company, code=code,
            account_interest=get_account(company, type='expense'),
            interest_rates=[
                Rate(start_date=date, rate=Decimal(rate))
                for date, rate in rates],
            **values)

    def _term(self, *months):
        "Return the term of 40 %, 30 % and the rest after the months"
        Term = Pool().get('account.invoice.payment_term')
        lines = [
            {'type': 'percent_on_total', 'ratio': Decimal('0.4'),
                'divisor': Decimal('2.5')},
            {'type': 'percent_on_total', 'ratio': Decimal('0.3'),
                'divisor': Decimal('3.3333333333')},
            {'type': 'remainder'}]
        term, = Term.create([{
                    'name': "Instalments",
                    'lines': [('create', [{
                                    **line,
                                    'sequence': i,
                                    'relativedeltas': [('create', [
                                                {'months': month}])],
                                    } for i, (line, month) in enumerate(
                                    zip(lines, months))])],
                    }])
        return term

    def _settle(self, company, category, class_, **values):
        "Return the redemption of 100 shares of 10.00, paid up"
        member, = self._admit(company, category)
        subscription = self._subscribe(member, class_, 100)
        self._pay(subscription, 1000, dt.date(2024, 2, 1))
        return self._redeem(member, class_, 100, **values)

    def _accrue(self, company, *date):
        Redemption = Pool().get('coop.share.redemption')
        return [
            (r.amount, r.net)
            for r in Redemption.accrue_interest(company, dt.date(*date))]

    def _pay_out(self, redemption, amount, *date):
        Redemption = Pool().get('coop.share.redemption')
        PaymentMethod = Pool().get('account.invoice.payment.method')
        method, = PaymentMethod.search([])
        Redemption.pay_out(
            {Redemption(redemption.id): Decimal(amount)}, redemption.company,
            method, dt.date(*date))
        return Redemption(redemption.id)

    @with_transaction()
    def test_instalments(self):
        """Test instalments bear interest from the exit

        IT, art. 2535 c.c.: in instalments with the legal interest, 2.5 % in
        2024 and 2.0 % in 2025, of which 26 % are withheld.  By hand, of
        1,000.00 that end on 2024-06-30:

        1,000 * 184 days * 2.5 % / 365 = 12.6027, then
        600 * 181 days * 2 % / 365 = 5.9507, then, as the second instalment is
        three months late, (600 + 300) * 92 days * 2 % / 365 = 4.5370.
        """
        company, category, _ = self._set_up()
        with set_company(company):
            tax = get_account(company, "Share Premium")
            term = self._term(0, 6, 12)
            class_ = self._class(company, [
                    (dt.date(2024, 1, 1), '0.025'),
                    (dt.date(2025, 1, 1), '0.02'),
                    ], payment_term=term,
                interest_withholding_rate=Decimal('0.26'),
                account_interest_withholding=tax)
            redemption = self._settle(
                company, category, class_, end_date=JUNE,
                settlement_date=dt.date(2024, 9, 30),
                payment_date=dt.date(2024, 12, 31))
            self.assertEqual(redemption.payment_term, term)
            self.assertEqual([
                    (l.maturity_date, l.credit)
                    for l in redemption.payable_lines], [
                    (dt.date(2024, 12, 31), Decimal(400)),
                    (dt.date(2025, 6, 30), Decimal(300)),
                    (dt.date(2025, 12, 31), Decimal(300)),
                    ])
            self.assertEqual(self._accrue(company, 2024, 8, 31), [])
            self.assertEqual(
                self._accrue(company, 2024, 12, 31),
                [(Decimal('12.60'), Decimal('9.32'))])
            # Twice is once
            self.assertEqual(self._accrue(company, 2024, 12, 31), [])
            self.assertEqual(
                check_books(company, dt.date(2024, 12, 31)), [])
            Redemption = redemption.__class__
            redemption = Redemption(redemption.id)
            self.assertEqual(redemption.amount_to_pay, Decimal('1009.32'))
            self.assertEqual(redemption.payout_parts, [
                    (dt.date(2024, 12, 31), Decimal('409.32')),
                    (dt.date(2025, 6, 30), Decimal(300)),
                    (dt.date(2025, 12, 31), Decimal(300)),
                    ])
            Letter = Pool().get(
                'coop.share.redemption.settlement', type='report')
            Statement = Pool().get('coop.share.statement', type='report')
            with Transaction().set_context(language='en'):
                for (_, amount), expected in zip(
                        Letter.get_rows(redemption)[-3:],
                        ['400.00', '300.00', '300.00']):
                    self.assertIn(expected, amount)
                claims = Statement.get_claims(
                    redemption.member, None, dt.date(2024, 12, 31))
                # Before it was settled
                claim, = Statement.get_claims(
                    redemption.member, None, dt.date(2024, 7, 31))
            self.assertIn('1000.00', claim)
            self.assertEqual(len(claims), 5)
            for claim, expected in zip(
                    claims, ['12.60', '400.00', '9.32', '300.00', '300.00']):
                self.assertIn(expected, claim)
            self.assertIn('3.28', claims[0])
            redemption = self._pay_out(redemption, '409.32', 2024, 12, 31)
            self.assertEqual(len(Statement.get_claims(
                        redemption.member, None, dt.date(2024, 12, 31))), 3)
            self.assertEqual(
                self._accrue(company, 2025, 6, 30),
                [(Decimal('5.95'), Decimal('4.40'))])
            redemption = self._pay_out(redemption, '304.40', 2025, 9, 30)
            self.assertEqual(redemption.state, 'settled')
            self.assertEqual(
                self._accrue(company, 2025, 12, 31),
                [(Decimal('4.54'), Decimal('3.36'))])
            redemption = self._pay_out(redemption, '303.36', 2025, 12, 31)
            self.assertEqual(redemption.state, 'paid')
            self.assertEqual(
                sum(l.debit for r in redemption.interests
                    for l in r.account_move.lines
                    if l.account == class_.account_interest),
                Decimal('23.09'))
            self.assertEqual(self._accrue(company, 2026, 6, 30), [])
            self.assertTrue(Redemption(redemption.id).interest_complete)
            self.assertEqual(
                check_books(company, dt.date(2025, 12, 31)), [])

    @with_transaction()
    def test_late(self):
        """Test what is paid at once bears interest from its due date

        DE, § 288 BGB: five points above the base rates of 2.27 % and, from
        2025-07-01, 1.27 %.  By hand, of 1,000.00 due on 2025-03-31 and paid
        on 2025-08-31: 1,000 * (91 * 7.27 % + 62 * 6.27 %) / 365 = 28.7756.
        """
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = self._class(company, [
                    (dt.date(2025, 1, 1), '0.0727'),
                    (dt.date(2025, 7, 1), '0.0627'),
                    ])
            redemption = self._settle(
                company, category, class_, payment_date=dt.date(2025, 3, 31))
            self.assertEqual(self._accrue(company, 2025, 3, 31), [])
            redemption = self._pay_out(redemption, 1000, 2025, 8, 31)
            self.assertEqual(redemption.state, 'paid')
            self.assertEqual(
                self._accrue(company, 2025, 12, 31),
                [(Decimal('28.78'), Decimal('28.78'))])
            redemption = redemption.__class__(redemption.id)
            self.assertEqual(redemption.state, 'settled')
            self.assertEqual(redemption.amount_to_pay, Decimal('28.78'))
            redemption = self._pay_out(redemption, '28.78', 2025, 12, 31)
            self.assertEqual(redemption.state, 'paid')
            self.assertEqual(
                check_books(company, dt.date(2025, 12, 31)), [])

    @with_transaction()
    def test_grouped(self):
        """Test what is paid together bears its interest once

        By hand, of 1,000.00 each, due on 2025-03-31: 1,000 * 100 days * 3.65 %
        / 365 = 10.00, and after 500.00 of 2,000.00 for both 7.50.
        """
        pool = Pool()
        Group = pool.get('account.move.line.group', type='wizard')
        Journal = pool.get('account.journal')
        company, category, _ = self._set_up()
        due = dt.date(2025, 3, 31)
        with set_company(company):
            class_ = self._class(company, [(dt.date(2024, 1, 1), '0.0365')])
            member, = self._admit(company, category)
            subscription = self._subscribe(member, class_, 200)
            self._pay(subscription, 2000, dt.date(2024, 2, 1))
            first, second = redemptions = [
                self._redeem(member, class_, 100, payment_date=due)
                for _ in range(2)]
            journal, = Journal.search([('type', '=', 'general')], limit=1)
            move, _ = Group.group_lines(
                [*first.payable_lines, *second.payable_lines], journal,
                date=due)
            move.post()
            Redemption = first.__class__
            self.assertEqual([
                    amount for parts in Redemption.owed_at(
                        Redemption.browse(redemptions), due).values()
                    for _, amount in parts],
                [Decimal(1000)] * 2)
            self.assertEqual(
                self._accrue(company, 2025, 7, 9),
                [(Decimal(10), Decimal(10))] * 2)
            self.assertEqual(
                [r.amount_to_pay for r in Redemption.browse(redemptions)],
                [Decimal(1010)] * 2)
            self._pay_out(first, 500, 2025, 7, 9)
            self.assertEqual(
                self._accrue(company, 2025, 10, 17),
                [(Decimal('7.50'), Decimal('7.50'))] * 2)
            # Both at once
            amounts = {
                r: r.amount_to_pay for r in Redemption.browse(redemptions)}
            self.assertEqual(sum(amounts.values()), Decimal(1535))
            method, = pool.get('account.invoice.payment.method').search([])
            Redemption.pay_out(
                amounts, company, method, dt.date(2025, 10, 17))
            self.assertEqual(
                [r.state for r in Redemption.browse(redemptions)],
                ['paid'] * 2)
            self.assertEqual(
                check_books(company, dt.date(2025, 12, 31)), [])

    @with_transaction()
    def test_cancel(self):
        "Test the interest is taken back with the redemption"
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = self._class(
                company, [(dt.date(2024, 1, 1), '0.03')],
                payment_term=self._term(0, 6, 12))
            redemption = self._settle(company, category, class_)
            # By hand: 1,000 * 181 * 3 % / 365 = 14.8767
            self.assertEqual(
                self._accrue(company, 2025, 6, 30),
                [(Decimal('14.88'), Decimal('14.88'))])
            Redemption = redemption.__class__
            redemption = Redemption(redemption.id)
            Redemption.cancel([redemption])
            redemption = Redemption(redemption.id)
            self.assertEqual(redemption.state, 'cancelled')
            self.assertEqual(redemption.payable_lines, ())
            for date in [dt.date(2024, 12, 31), dt.date(2025, 12, 31)]:
                self.assertEqual(check_books(company, date), [])
            self.assertEqual(self._accrue(company, 2025, 12, 31), [])

    @with_transaction()
    def test_none(self):
        "Test nothing changes for a class without a term and rates"
        company, category, class_ = self._set_up()
        with set_company(company):
            create_payment_method(company)
            member, = self._admit(company, category)
            issue([member], class_)
            redemption = self._redeem(member, class_, 10)
            self.assertFalse(redemption.payment_term)
            self.assertFalse(redemption.settle_move)
            self.assertEqual(self._accrue(company, 2025, 12, 31), [])
