# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The documents of patronage in each state, made the ordinary way"""
import datetime as dt
from decimal import Decimal
from itertools import count

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool

_FUND_BUTTONS = {
    'draft': [],
    'posted': ['post'],
    'cancelled': ['post', 'cancel'],
    }
BUTTONS = {
    'draft': [],
    'computed': ['compute'],
    'approved': ['compute', 'approve'],
    'posted': ['compute', 'approve', 'post'],
    'cancelled': ['cancel'],
    }


class PatronageDocuments:
    "Make the documents of patronage for DocumentTestMixin"

    masters = {
        'coop.patronage.category':
            "what activity counts, which is set up once",
        'coop.patronage.category-product.category': "belongs to a master",
        'coop.patronage.category-account.account': "belongs to a master",
        'coop.patronage.entry':
            "activity, which is locked when its year is allocated",
        'coop.patronage.reassignment':
            "for whom activity counts, locked as the activity is",
        'coop.patronage.election':
            "what members want, of which a new one replaces the one before",
        'coop.patronage.consent':
            "what members agreed to in writing, which they may take back",
        'coop.fund': "what surpluses give to, which is set up once",
        'coop.surplus.plan': "a template, which is copied into documents",
        'coop.surplus.plan.line': "belongs to a master",
        'coop.surplus.plan.rule': "belongs to a master",
        }

    def prepare_documents(self, company):
        pool = Pool()
        Account = pool.get('account.account')
        Category = pool.get('coop.patronage.category')
        Configuration = pool.get('coop.patronage.configuration')
        Member = pool.get('coop.member')
        Sequence = pool.get('ir.sequence.strict')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')

        # Else each one that is used would start the test over
        Sequence.lock(Sequence.search([]))
        create_chart(company)
        accounts = {
            a.code: a for a in Account.search([('company', '=', company.id)])}
        configuration = Configuration(1)
        configuration.resolution_required = False
        configuration.save()
        self._years = count(2020)
        self._fiscalyears = {}
        self._get_fiscalyear(company, next(self._years))

        self._member_category = create_category(company)
        self._members = create_members(
            company, self._member_category, 2, dt.date(2020, 1, 1))
        Member.admit(self._members)
        self._equity = ShareClass(
            name="Equity", code='E', kind='allocated', company=company,
            par_value=Decimal(1), quantity_digits=2,
            account_capital=accounts['3.1.6'],
            account_subscribed=accounts['1.2.4'],
            account_redemption=accounts['2.1.5'])
        self._equity.save()
        ShareMove.do([ShareMove(
                    company=company, share_class=self._equity,
                    kind='allocation', quantity=Decimal(1000),
                    to_member=member, start_date=dt.date(2020, 1, 1),
                    par_value=Decimal(1), amount=Decimal(1000), vintage=2019)
                for member in self._members])
        self._purchases = Category(name="Purchases", company=company)
        self._purchases.save()

    def _get_fiscalyear(self, company, year):
        FiscalYear = Pool().get('account.fiscalyear')
        if year not in self._fiscalyears:
            fiscalyear = set_invoice_sequences(get_fiscalyear(
                    company, start_date=dt.date(year, 1, 1),
                    end_date=dt.date(year, 12, 31)))
            fiscalyear.save()
            FiscalYear.create_period([fiscalyear], interval=12)
            self._fiscalyears[year] = fiscalyear
        return self._fiscalyears[year]

    def make(self, Model, state):
        make = {
            'coop.surplus': self._make_surplus,
            'coop.equity.retain': self._make_retain,
            'coop.equity.revolvement': self._make_revolvement,
            'coop.fund.use': self._make_fund_use,
            }[Model.__name__]
        document = make()
        buttons = (
            _FUND_BUTTONS if Model.__name__ == 'coop.fund.use' else BUTTONS)
        for button in buttons[state]:
            getattr(Model, button)([document])
        return document

    def _make_surplus(self):
        "Return a draft, of which the year has no result of its own"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Pool_ = pool.get('coop.patronage.pool')
        Entry = pool.get('coop.patronage.entry')
        Rule = pool.get('coop.surplus.rule')
        Surplus = pool.get('coop.surplus')
        year = next(self._years)
        fiscalyear = self._get_fiscalyear(self.company, year)
        self._get_fiscalyear(self.company, year + 1)
        Entry.create([{
                    'company': self.company.id,
                    'party': member.party.id,
                    'category': self._purchases.id,
                    'date': dt.date(year, 6, 1),
                    'amount': Decimal(100),
                    } for member in self._members])
        surplus = Surplus(
            company=self.company, fiscalyear=fiscalyear,
            description="For the test",
            posting_date=dt.date(year + 1, 5, 1),
            brought_forward=Decimal(100),
            member_ratio_categories=[self._purchases])
        surplus.lines = [
            Line(
                name=kind, kind=kind, basis='remainder', rate=rate,
                account=Line.get_account(kind, self.company))
            for kind, rate in [
                ('reserve', Decimal('0.2')), ('patronage', None)]]
        surplus.rules = [Rule(
                name="Limit", kind='lines', line_kind='patronage',
                other_kind='reserve', rate=Decimal(1000),
                source="Statutes")]
        surplus.pools = [Pool_(
                name="Refund", categories=[self._purchases],
                member_categories=[self._member_category],
                eligible_on=dt.date(year, 12, 31),
                cash_percent=Decimal('0.5'), equity_class=self._equity)]
        surplus.save()
        return surplus

    def _make_revolvement(self):
        Revolvement = Pool().get('coop.equity.revolvement')
        revolvement = Revolvement(
            company=self.company, description="For the test",
            method='fifo', classes=[self._equity], budget=Decimal(10),
            members=self._members, member_categories=[self._member_category],
            use_categories=[self._purchases],
            posting_date=dt.date(2020, 5, 1))
        revolvement.save()
        return revolvement

    def _make_retain(self):
        "Return a draft of deliveries of a year of its own"
        pool = Pool()
        Entry = pool.get('coop.patronage.entry')
        Retain = pool.get('coop.equity.retain')
        year = next(self._years)
        self._get_fiscalyear(self.company, year)
        Entry.create([{
                    'company': self.company.id,
                    'party': member.party.id,
                    'category': self._purchases.id,
                    'date': dt.date(year, 2, 1),
                    'amount': Decimal(100),
                    } for member in self._members])
        retain = Retain(
            company=self.company, description="For the test",
            category=self._purchases, method='value', rate=Decimal('0.1'),
            start_date=dt.date(year, 1, 1), end_date=dt.date(year, 3, 31),
            posting_date=dt.date(year, 4, 15), share_class=self._equity)
        retain.save()
        return retain

    def _make_fund_use(self):
        "Return a draft, of a fund that has what it takes"
        pool = Pool()
        Account = pool.get('account.account')
        Fund = pool.get('coop.fund')
        FundUse = pool.get('coop.fund.use')
        year = next(self._years)
        self._get_fiscalyear(self.company, year)
        reserve, other = Account.search([
                ('company', '=', self.company.id),
                ('code', 'in', ['3.2.12', '3.2.13']),
                ], order=[('code', 'ASC')])
        funds = Fund.search([('company', '=', self.company.id)], limit=1)
        if not funds:
            funds = Fund.create([{
                        'company': self.company.id,
                        'name': "Education",
                        'account': reserve.id,
                        }])
        fund, = funds
        books = Books(self.company)
        date = dt.date(year, 1, 31)
        Books.post([books.move(date, [
                        books.line(reserve, Decimal(-10)),
                        books.line(other, Decimal(10))],
                    description="Given to the fund")])
        use = FundUse(
            company=self.company, fund=fund, date=dt.date(year, 2, 1),
            amount=Decimal(10), purpose="Course", account=other)
        use.save()
        return use
