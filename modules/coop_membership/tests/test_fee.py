# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from itertools import product
from unittest.mock import patch

from trytond.model.exceptions import AccessError
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import FeeError
from trytond.modules.coop_membership.fee_run import FeeRun
from trytond.modules.coop_membership.tests.database import PreparedTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_fee, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

START = dt.date(2024, 1, 1)
END = dt.date(2024, 12, 31)


class FeeTestCase(PreparedTestCase):
    """Test the recurring fees of the members

    The amounts are calculated by hand, 2024 has 366 days.
    """
    module = 'coop_membership'
    extras = ['account_invoice', 'account_payment', 'notification_email']

    def prepare(self):
        with self._open_books("Cooperative") as self._company:
            pass

    @contextmanager
    def company(self, name=None):
        "Act in the company that is prepared, or in another one"
        if name:
            with self._open_books(name) as company:
                yield company
        else:
            self.load()
            with set_company(self._company):
                yield self._company

    @contextmanager
    def _open_books(self, name):
        pool = Pool()
        Sequence = pool.get('ir.sequence.strict')
        company = create_company(name=name)
        with set_company(company):
            create_chart(company)
            fiscalyear = get_fiscalyear(
                company, start_date=START, end_date=END)
            sequence = Sequence(
                name="Invoice", company=company,
                sequence_type=self._sequence_type())
            sequence.save()
            fiscalyear.invoice_sequences = [{
                    'company': company,
                    'out_invoice_sequence': sequence,
                    'out_credit_note_sequence': sequence,
                    'in_invoice_sequence': sequence,
                    'in_credit_note_sequence': sequence,
                    }]
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
            yield company

    def _sequence_type(self):
        SequenceType = Pool().get('ir.sequence.type')
        return SequenceType.search([('name', '=', "Invoice")])[0]

    def _members(self, company, category, dates):
        "Admit a member for each pair of first and last day"
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        members = []
        for start, end in dates:
            member, = create_members(company, category, 1, start)
            Party.write([member.party], {'addresses': [('create', [{}])]})
            member.application_date = start
            member.save()
            Member.admit([member])
            if end:
                self._leave(member, end)
            members.append(Member(member.id))
        return members

    def _leave(self, member, date):
        Member = Pool().get('coop.member')
        member = Member(member.id)
        member.notice_date = date
        member.exit_reason = 'resignation'
        member.exit_date = date
        member.save()
        Member.give_notice([member])

    def _compute(self, company, **values):
        Run = Pool().get('coop.member.fee.run')
        values.setdefault('date', END)
        run, = Run.create([{'company': company.id, **values}])
        Run.compute([run])
        return Run(run.id)

    def _amounts(self, run, members):
        amounts = dict.fromkeys(members, Decimal(0))
        for line in run.lines:
            amounts[line.member] += line.amount
        return [amounts[m] for m in members]

    def _play(self, pro_rata, expected):
        "Play a year of four members, down to the posted moves"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Run = pool.get('coop.member.fee.run')
        expected = [Decimal(a) for a in expected]
        with self.company() as company:
            category = create_category(company, exit_at='any_day')
            create_fee(category, Decimal(120), pro_rata=pro_rata)
            members = self._members(company, category, [
                    (START, None),
                    (dt.date(2024, 8, 20), None),
                    (START, dt.date(2024, 3, 31)),
                    (dt.date(2024, 12, 1), None),
                    ])
            run = self._compute(company, invoice_date=END)
            self.assertEqual(self._amounts(run, members), expected)
            self.assertEqual(run.amount, sum(expected))
            Run.invoice([run])
            self.assertEqual(run.state, 'invoiced')
            invoices = Invoice.search([])
            self.assertEqual([i.state for i in invoices], ['draft'] * 4)
            Invoice.post(invoices)
            lines = [l for i in invoices for l in i.move.lines]
            self.assertEqual(
                {l.party: l.debit for l in lines if l.account.type.receivable},
                {m.party: a for m, a in zip(members, expected)})
            self.assertEqual(
                sum(l.credit for l in lines if l.account.type.revenue),
                sum(expected))

    @with_transaction()
    def test_whole_periods(self):
        "Test a whole year is paid for a part of it"
        self._play('none', ['120.00'] * 4)

    @with_transaction()
    def test_begun_months(self):
        "Test 12, 5, 3 and 1 of 12 months are paid"
        self._play('month', ['120.00', '50.00', '30.00', '10.00'])

    @with_transaction()
    def test_days(self):
        "Test 366, 134, 91 and 31 of 366 days are paid"
        self._play('day', ['120.00', '43.93', '29.84', '10.16'])

    @with_transaction()
    def test_periods(self):
        "Test the quarters of years that begin in another month"
        with self.company() as company:
            category = create_category(company)
            fee = create_fee(
                category, Decimal(30), period='quarter', first_month='2')
            self.assertEqual(
                list(fee.periods(None, END)), [
                    (dt.date(2024, 2, 1), dt.date(2024, 4, 30)),
                    (dt.date(2024, 5, 1), dt.date(2024, 7, 31)),
                    (dt.date(2024, 8, 1), dt.date(2024, 10, 31)),
                    (dt.date(2024, 11, 1), dt.date(2025, 1, 31))])
            fee.end_date = dt.date(2024, 5, 1)
            self.assertEqual(
                [s for s, _ in fee.periods(dt.date(2024, 2, 2), END)],
                [dt.date(2024, 5, 1)])

    @with_transaction()
    def test_category(self):
        "Test who changes the category pays a month in the one it begins in"
        Member = Pool().get('coop.member')
        with self.company() as company:
            first = create_category(company, exit_at='any_day')
            second = create_category(company, "Others", code='O')
            create_fee(first, Decimal(120), pro_rata='month')
            create_fee(second, Decimal(240), pro_rata='month')
            member, = self._members(company, first, [(START, None)])
            Member.set_category([member], second, dt.date(2024, 4, 10))
            run = self._compute(company)
            # 4 months at 10.00 and 8 at 20.00
            self.assertEqual(
                sorted(l.amount for l in run.lines),
                [Decimal('40.00'), Decimal('160.00')])

    @with_transaction()
    def test_category_return(self):
        "Test who changes the category and returns pays a whole period once"
        pool = Pool()
        Member = pool.get('coop.member')
        Run = pool.get('coop.member.fee.run')
        # Without subtests, as the first lock starts the test over
        for dates, start, invoiced in product([
                    (dt.date(2024, 4, 10), dt.date(2024, 6, 1)),
                    (dt.date(2024, 2, 11), dt.date(2024, 2, 12)),
                    ], [START, dt.date(2024, 2, 10)], [False, True]):
            case = f"{dates} {start} {invoiced}"
            with self.company(case) as company:
                first = create_category(company, exit_at='any_day')
                second = create_category(company, "Others", code='O')
                for category in [first, second]:
                    create_fee(category, Decimal(120))
                member, = self._members(company, first, [(start, None)])
                amount = 0
                for category, date in zip([second, first], dates):
                    if invoiced:
                        run = self._compute(company)
                        Run.invoice([run])
                        amount += run.amount
                    Member.set_category([member], category, date)
                amount += self._compute(company).amount
                self.assertEqual(amount, Decimal(120), case)

    @with_transaction()
    def test_category_after(self):
        "Test what was paid in the category before is credited"
        pool = Pool()
        Member = pool.get('coop.member')
        Run = pool.get('coop.member.fee.run')
        with self.company() as company:
            first = create_category(company, exit_at='any_day')
            second = create_category(
                company, "Others", code='O', exit_at='any_day')
            create_fee(first, Decimal(120), pro_rata='month')
            create_fee(second, Decimal(240), pro_rata='month')
            member, = self._members(company, first, [(START, None)])
            Run.invoice([self._compute(company)])
            Member.set_category([member], second, dt.date(2024, 4, 10))
            self._leave(member, dt.date(2024, 9, 30))
            run = self._compute(company)
            # 8 months at 10.00 back, and 5 at 20.00 until the exit
            self.assertEqual(
                sorted(l.amount for l in run.lines),
                [Decimal('-80.00'), Decimal('100.00')])
            Run.invoice([run])
            invoice, = {l.invoice for l in run.lines}
            self.assertEqual(invoice.total_amount, Decimal('20.00'))

    @with_transaction()
    def test_again(self):
        "Test nobody is invoiced twice, and what is not invoiced is later"
        pool = Pool()
        Fee = pool.get('coop.member.fee')
        Invoice = pool.get('account.invoice')
        Run = pool.get('coop.member.fee.run')
        with self.company() as company:
            category = create_category(company, exit_at='any_day')
            fee = create_fee(category, Decimal(12), period='month')
            members = self._members(company, category, [(START, None)] * 3)
            run = self._compute(company, date=dt.date(2024, 2, 29))
            self.assertEqual(self._amounts(run, members), [Decimal(24)] * 3)
            # What another run has found is not found again
            other = self._compute(company, date=dt.date(2024, 3, 31))
            self.assertEqual(self._amounts(other, members), [Decimal(12)] * 3)
            Run.draft([other])
            self.assertFalse(other.lines)

            # The run is killed after the first of the members
            lines = FeeRun.get_invoice
            made = []

            def die(self, member):
                if made:
                    raise RuntimeError
                made.append(member)
                return lines(self, member)
            module = 'trytond.modules.coop_membership.fee_run'
            with patch(f'{module}.SLICE', 1):
                with patch.object(Run, 'get_invoice', die), \
                        self.assertRaises(RuntimeError):
                    Run.invoice([run])
                self.assertEqual(Invoice.search([], count=True), 1)
                run = Run(run.id)
                self.assertEqual(run.state, 'computed')
                with self.assertRaises(FeeError):
                    Run.draft([run])
                Run.invoice([run])
            self.assertEqual(run.state, 'invoiced')
            invoices = Invoice.search([])
            self.assertEqual(
                sorted(i.party.id for i in invoices),
                sorted(m.party.id for m in members))
            self.assertEqual(
                {i.untaxed_amount for i in invoices}, {Decimal(24)})
            self.assertFalse(
                self._compute(company, date=dt.date(2024, 2, 29)).lines)

            # What was deleted or cancelled is not invoiced
            Invoice.delete([i for i in invoices
                    if i.party == members[0].party])
            Invoice.cancel([i for i in invoices
                    if i.party == members[1].party])
            run = self._compute(company, date=dt.date(2024, 2, 29))
            self.assertEqual(
                self._amounts(run, members),
                [Decimal(24), Decimal(24), Decimal(0)])
            # And what decides on the amount stays
            for values in [{'amount': Decimal(13)}, {'period': 'year'}]:
                with self.assertRaises(AccessError):
                    fee.write([fee], values)
            with self.assertRaises(AccessError):
                fee.delete([fee])
            fee.write([fee], {'end_date': END})
            self.assertTrue(Fee.search([]))

    @with_transaction()
    def test_together(self):
        "Test runs that are computed together do not find the same"
        Run = Pool().get('coop.member.fee.run')
        with self.company() as company:
            category = create_category(company)
            create_fee(category, Decimal(12), period='month')
            self._members(company, category, [(START, None)])
            runs = Run.create([
                    {'company': company.id, 'date': date}
                    for date in [dt.date(2024, 2, 29), dt.date(2024, 3, 31)]])
            Run.compute(runs)
            self.assertEqual(
                [r.amount for r in Run.browse(runs)],
                [Decimal(24), Decimal(12)])

    @with_transaction()
    def test_other_company(self):
        "Test a run is invoiced from another company with its own accounts"
        Run = Pool().get('coop.member.fee.run')
        with self.company("First") as company:
            category = create_category(company)
            create_fee(category, Decimal(10))
            self._members(company, category, [(START, None)])
        with self.company("Second"):
            run = self._compute(company)
            Run.invoice([run])
            line, = Run(run.id).lines
            self.assertEqual(line.invoice_line.account.company, company)

    def _play_exit(self, refund):
        "Return what is credited, and what is paid in all"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Run = pool.get('coop.member.fee.run')
        with self.company() as company:
            category = create_category(company, exit_at='any_day')
            create_fee(
                category, Decimal(120), pro_rata='month', refund=refund)
            member, = self._members(company, category, [(START, None)])
            Run.invoice([self._compute(company)])
            self._leave(member, dt.date(2024, 3, 15))
            run = self._compute(company)
            Run.invoice([run])
            # With the credit it is even
            self.assertFalse(self._compute(company).lines)
            return (
                [l.amount for l in run.lines],
                sum(i.total_amount for i in Invoice.search([])))

    @with_transaction()
    def test_refund(self):
        "Test what was paid for the time after an exit is credited"
        self.assertEqual(
            self._play_exit(True), ([Decimal('-90.00')], Decimal('30.00')))

    @with_transaction()
    def test_refund_changed(self):
        """Test what is credited goes by what the draft was changed to

        By hand: of 60.00 instead of 120.00 for the year 3 of 12 months are
        paid, 15.00, and 45.00 come back.
        """
        pool = Pool()
        InvoiceLine = pool.get('account.invoice.line')
        Run = pool.get('coop.member.fee.run')
        with self.company() as company:
            category = create_category(company, exit_at='any_day')
            create_fee(category, Decimal(120), pro_rata='month', refund=True)
            member, = self._members(company, category, [(START, None)])
            run = self._compute(company)
            Run.invoice([run])
            line, = InvoiceLine.search([])
            line.unit_price = Decimal(60)
            line.save()
            # What was waived is not asked again
            self.assertFalse(self._compute(company).lines)
            self._leave(member, dt.date(2024, 3, 15))
            run = self._compute(company)
            self.assertEqual(
                [l.amount for l in run.lines], [Decimal('-45.00')])
            Run.invoice([run])
            self.assertFalse(self._compute(company).lines)
            self.assertEqual(
                sum(l.amount for l in InvoiceLine.search([])), Decimal(15))

    @with_transaction()
    def test_no_refund(self):
        "Test what was paid for the time after an exit is kept"
        self.assertEqual(self._play_exit(False), ([], Decimal('120.00')))

    @with_transaction()
    def test_companies(self):
        "Test each company invoices its own members, who have an address"
        pool = Pool()
        Party = pool.get('party.party')
        Run = pool.get('coop.member.fee.run')
        runs = []
        for name in ["First", "Second"]:
            with self.company(name) as company:
                category = create_category(company)
                create_fee(category, Decimal(10))
                member, nowhere = self._members(
                    company, category, [(START, None)] * 2)
                Party.write([nowhere.party], {
                        'addresses': [
                            ('delete', [
                                    a.id for a in nowhere.party.addresses])],
                        })
                run = self._compute(company)
                self.assertIn(nowhere.party.name, run.problems)
                Run.invoice([run])
                invoice, = {l.invoice for l in run.lines}
                self.assertEqual(
                    (invoice.company, invoice.party, invoice.untaxed_amount),
                    (company, member.party, Decimal(10)))
                runs.append(run)
        self.assertNotEqual(runs[0].company, runs[1].company)

    @with_transaction()
    def test_hidden(self):
        "Test categories show fees only where they are switched on"
        Configuration = Pool().get('coop.membership.configuration')
        with self.company() as company:
            category = create_category(company)
            self.assertFalse(category.with_fees)
            configuration = Configuration(1)
            configuration.membership_fees = True
            configuration.save()
            self.assertTrue(category.__class__(category.id).with_fees)
