# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal as D

from trytond.model.exceptions import SQLConstraintError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_shares.exceptions import DividendError
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

DAY = dt.timedelta(days=1)
JUNE = dt.date(2024, 6, 30)
SEPTEMBER = dt.date(2024, 9, 30)


class WithholdingTestCase(SharesTestCase):
    "Test who has terms of his own is taxed by them"

    def _set_terms(self, party, start_date=START, **values):
        Withholding = Pool().get('coop.withholding')
        terms = Withholding(
            company=self.company, party=party, start_date=start_date,
            **values)
        terms.save()
        return terms

    def _create_dividend(self, start_date, end_date, class_, rate, **values):
        Dividend = Pool().get('coop.share.dividend')
        dividend = Dividend(**{
                'company': self.company, 'classes': [class_],
                'start_date': start_date, 'end_date': end_date, 'rate': rate,
                'year_length': 'period', 'withholding_rate': D('0.26375'),
                'posting_date': end_date, 'payment_date': end_date,
                'account': get_account(self.company, type='expense'),
                'account_payable': get_account(self.company, type='payable'),
                'account_withholding': get_account(
                    self.company, "Share Premium"),
                **values})
        dividend.save()
        Dividend.compute([dividend])
        return Dividend(dividend.id)

    def _get_taxes(self, dividend):
        return [
            (l.withholding, l.church_tax, l.exempt) for l in sorted(
                dividend.lines, key=lambda l: l.member.id)]

    @with_transaction()
    def test_year(self):
        """Test the dividends and the interest of a year

        Germany: 25 % with a surcharge of 5.5 % of it.  1,000.00 is what each
        of four members gets, then 1,000.00 again: of one 1,500.00 are exempt,
        one pays 9 % church tax, one has a certificate until June.
        """
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        Redemption = pool.get('coop.share.redemption')
        Rate = pool.get('coop.share.class.interest')
        Withholding = pool.get('coop.withholding')
        self.company, category, _ = self._set_up()
        with set_company(self.company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.withholding_surcharge = D('0.055')
            configuration.save()
            class_ = create_share_class(
                self.company, code='W',
                account_interest=get_account(self.company, type='expense'),
                interest_withholding_rate=D('0.26375'),
                account_interest_withholding=get_account(
                    self.company, "Share Premium"),
                interest_rates=[Rate(start_date=START, rate=D('0.10'))])
            members = self._admit(self.company, category, 4)
            for member in members:
                subscription = self._subscribe(member, class_, 1000)
                self._pay(subscription, 10_000, START)
            self._set_terms(members[1].party, exemption=D(1500))
            self._set_terms(members[2].party, church_rate=D('0.09'))
            self._set_terms(members[3].party, end_date=JUNE, rate=D(0))
            first = self._create_dividend(START, JUNE, class_, D('0.10'))
            self.assertEqual(self._get_taxes(first), [
                    (D('263.75'), None, None),
                    (D(0), None, D(1000)),
                    (D('279.95'), D('22.00'), None),
                    (D(0), None, None),
                    ])
            Dividend.approve([first])
            second = self._create_dividend(
                JUNE + DAY, SEPTEMBER, class_, D('0.10'))
            self.assertEqual(self._get_taxes(second), [
                    (D('263.75'), None, None),
                    (D('131.88'), None, D(500)),
                    (D('279.95'), D('22.00'), None),
                    (D('263.75'), None, None),
                    ])
            self.assertEqual(second.church_tax, D('22.00'))
            Dividend.post([first])
            self.assertEqual(check_books(self.company, JUNE), [])
            # What came between is named before it is approved
            terms = self._set_terms(members[0].party, exemption=D(10))
            with self.assertRaisesRegex(
                    DividendError, "Party 0"), savepoint():
                Dividend.approve([Dividend(second.id)])
            terms.exemption = None
            terms.save()
            Dividend.approve([Dividend(second.id)])
            Dividend.post([Dividend(second.id)])
            self.assertEqual(check_books(self.company, SEPTEMBER), [])
            # The withholding account has what the lines say
            account = get_account(self.company, "Share Premium")
            self.assertEqual(account.balance, -D('1483.03'))
            # Another year has its own exemption, here for interest:
            # 10,000.00 for 31 days at 10 % are 84.93
            redemption = self._redeem(
                members[1], class_, 1000, end_date=END,
                settlement_date=END + DAY, payment_date=END + DAY)
            row, = Redemption.accrue_interest(
                self.company, dt.date(2025, 2, 1))
            self.assertEqual(
                (row.redemption, row.amount, row.withholding, row.exempt,
                    row.net), (redemption, D('84.93'), 0, D('84.93'),
                    D('84.93')))
            self.assertEqual(
                check_books(self.company, dt.date(2025, 2, 1)), [])
            self.assertEqual(
                Withholding.exempted(self.company, row.date),
                {members[1].party.id: D('84.93')})
            self.assertEqual(
                Withholding.exempted(self.company, END),
                {members[1].party.id: D(1500)})

    @with_transaction()
    def test_approved(self):
        "Test an exemption is used by what is approved without its date"
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        self.company, category, _ = self._set_up()
        with set_company(self.company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            class_ = create_share_class(self.company, code='W')
            member, = self._admit(self.company, category)
            subscription = self._subscribe(member, class_, 1000)
            self._pay(subscription, 10_000, START)
            self._set_terms(member.party, exemption=D(1500))
            first = self._create_dividend(
                START, JUNE, class_, D('0.10'), posting_date=None)
            self.assertEqual(
                self._get_taxes(first), [(D(0), None, D(1000))])
            Dividend.approve([first])
            second = self._create_dividend(
                JUNE + DAY, SEPTEMBER, class_, D('0.10'))
            self.assertEqual(
                self._get_taxes(second), [(D('131.88'), None, D(500))])

    @with_transaction()
    def test_dates(self):
        "Test a party has one set of terms on a day"
        self.company, category, _ = self._set_up()
        with set_company(self.company):
            member, = self._admit(self.company, category)
            self._set_terms(member.party, end_date=JUNE, rate=D(0))
            self._set_terms(member.party, JUNE + DAY, rate=D('0.15'))
            with self.assertRaises(SQLConstraintError), savepoint():
                self._set_terms(member.party, JUNE, rate=D(0))
