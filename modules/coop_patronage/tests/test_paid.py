# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens on allocations and revolvements"""
import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

from trytond.modules.account.tests import get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.claim import open_lines
from trytond.modules.coop_membership.tests.bank import BankPlayer
from trytond.modules.coop_membership.tests.player import AccountPlayer
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

MONTH = dt.timedelta(30)


class PaidTestCase(
        BankPlayer, AccountPlayer, PatronageDocuments, PatronageTestCase):
    "Test no use of the accounting screens parts patronage from the books"
    screens = [*AccountPlayer.screens, *BankPlayer.bank_screens]

    @with_transaction(context={'_skip_warnings': True})
    def test_sequence(self):
        "Test random sequences on two documents of each kind"
        self.company = create_company()
        with set_company(self.company):
            self._prepare()
            self._play_sequences()

    @with_transaction(context={'_skip_warnings': True})
    def test_rescheduled(self):
        "Test what is rescheduled is paid by the lines related to it"
        self.company = create_company()
        with set_company(self.company):
            self._prepare()
            with self._on(self.days[0]):
                self._start()
                documents = [self.allocations[0], self.lines[0]]
                for document in documents:
                    with self.subTest(document=document.__name__):
                        self._pay_rescheduled(document)
                self._check('paid', days=self.month_ends)

    @with_transaction(context={'_skip_warnings': True})
    def test_delegated(self):
        "Test another party is paid what was delegated to it"
        self.company = create_company()
        with set_company(self.company):
            self._prepare()
            with self._on(self.days[0]):
                self._start()
                for document in [self.allocations[0], self.lines[0]]:
                    with self.subTest(document=document.__name__):
                        self._pay_delegated(
                            document, document.account_move_line,
                            self._other_party(document.party))
                self._check('paid', days=self.month_ends)

    def _other_party(self, party):
        return next(m.party for m in self.members if m.party != party)

    @with_transaction(context={'_skip_warnings': True})
    def test_lapsed(self):
        "Test what is rescheduled and nobody claims is taken back"
        Wizard = Pool().get('account.move.line.reschedule', type='wizard')
        self.company = create_company()
        with set_company(self.company):
            self._prepare()
            with self._on(self.days[0]):
                self._start()
                line = self.lines[0].account_move_line
                move, _ = Wizard.reschedule_lines([line], self._journal, [
                        SimpleNamespace(amount=-line.credit / 2, date=date)
                        for date in self.days[1:3]])
                move.post()
            with self._on(self.days[-1]):
                Line = self.lines[0].__class__
                claims = Line.search_unclaimed(self.company, self.day, 0)
                self.assertEqual(
                    sorted(claims[self.lines[0]].values()),
                    [line.credit / 2] * 2)
                Line.take_back(
                    {self.lines[0]: claims[self.lines[0]]}, self.day,
                    lambda line: self.cash, notice=False)
                self.assertFalse(open_lines([line])[line])
                self.assertFalse(Line(self.lines[0].id).is_open)
                self._check('lapsed', days=self.month_ends)

    def _pay_rescheduled(self, document):
        Model = document.__class__
        Wizard = Pool().get('account.move.line.reschedule', type='wizard')
        line = document.account_move_line
        # 6 of 10 next month, the rest later
        parts = [line.credit * 6 / 10, line.credit * 4 / 10]
        self.assertTrue(all(parts))
        move, _ = Wizard.reschedule_lines([line], self._journal, [
                SimpleNamespace(amount=-part, date=self.day + month)
                for part, month in zip(parts, [MONTH, 2 * MONTH])])
        move.post()
        # The last part is due in April
        for date, unclaimed in [
                (dt.date(2025, 4, 1), {}),
                (dt.date(2025, 5, 1), {
                        l: l.credit for l in open_lines([line])[line]})]:
            self.assertEqual(
                Model.search_unclaimed(self.company, date, 1).get(
                    document, {}),
                unclaimed)
        for part in parts:
            self.assertIn(
                document, self._find_related(document, document.party, -part))
            name = (
                document.revolvement.description
                if document.__name__.startswith('coop.equity')
                else document.surplus.fiscalyear.rec_name)
            self.assertEqual(
                [d for d in Model.bank_find(
                        self.company, name, document.party)
                    if d == document], [document])
            self._post_statement(document, -part)
            document = Model(document.id)
        self.assertNotIn(
            document, self._find_related(document, document.party, -part))
        self.assertFalse(open_lines([line])[line])

    def _prepare(self):
        Account = Pool().get('account.account')
        self.prepare_documents(self.company)
        self._create_year()
        accounts = {
            a.code: a for a in Account.search([
                    ('company', '=', self.company.id),
                    ('closed', '!=', True)])}
        self.cash, = Account.search([
                ('name', '=', "Cash and Cash Equivalents"),
                ('company', '=', self.company.id)])
        self.accounts = [
            self._find_payable(), accounts['2.1.5']]
        self.members = self._members
        # The opening equity is in the ledger only
        with self._on(dt.date(2020, 1, 1)):
            for member in self.members:
                self._money(
                    member.party, self._equity.account_capital,
                    Decimal(1000))
        self._create_bank()
        self._create_write_off(*(
                next(a for a in accounts.values()
                    if a.type and getattr(a.type, kind))
                for kind in ['expense', 'revenue']))

    def _find_payable(self):
        Configuration = Pool().get('coop.patronage.configuration')
        return Configuration(1).get_multivalue(
            'account_patronage_payable', company=self.company.id)

    def _create_year(self):
        "Create the years, of which that of the play has months to close"
        Sequence = Pool().get('ir.sequence.strict')
        # The two that are allocated, and the one after them
        for year in range(2021, self.year):
            self._get_fiscalyear(self.company, year)
        for year in [self.year, self.year + 1]:
            fiscalyear = set_invoice_sequences(get_fiscalyear(
                    self.company, start_date=dt.date(year, 1, 1),
                    end_date=dt.date(year, 12, 31)))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
            self._fiscalyears[year] = fiscalyear
        Sequence.lock(Sequence.search([]))

    def _start(self):
        pool = Pool()
        Revolvement = pool.get('coop.equity.revolvement')
        Surplus = pool.get('coop.surplus')
        surpluses = [self._make_surplus() for _ in range(2)]
        revolvements = [self._make_revolvement() for _ in range(2)]
        revolvements[1].budget = Decimal(30)
        for document in [*surpluses, *revolvements]:
            document.posting_date = self.day
            document.save()
            Document = document.__class__
            for button in ['compute', 'approve', 'post']:
                getattr(Document, button)([document])
        self.surpluses = Surplus.browse(surpluses)
        self.revolvements = Revolvement.browse(revolvements)
        self.allocations = [
            a for s in self.surpluses for p in s.pools for a in p.allocations]
        self.lines = [l for r in self.revolvements for l in r.lines]
        self.assertEqual(
            (len(self.allocations), len(self.lines)), (4, 4))

    @property
    def documents(self):
        return [self.surpluses, self.revolvements]

    def _banked_documents(self):
        return [*self.allocations, *self.lines]

    def _check_documents(self, step):
        Allocation = Pool().get('coop.patronage.allocation')
        allocations = [
            a for a in Allocation.browse(self.allocations)
            if a.account_move_line]
        open_ = open_lines({a.account_move_line for a in allocations})
        for allocation in allocations:
            if allocation.is_paid:
                self.assertFalse(open_[allocation.account_move_line], step)
            if allocation.state != 'cancelled':
                self.assertEqual(
                    allocation.state == 'paid', allocation.is_paid, step)
