# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import SimilarMemberWarning
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

START = dt.date(2024, 1, 1)


class SuspensionTestCase(DatabaseTestCase):
    "Test suspensions, and who may be a member already"
    module = 'coop_membership'

    def _votes(self, company, date):
        Register = Pool().get('coop.member.register')
        with Transaction().set_context(
                company=company.id, date=date, category=None,
                with_left=False):
            return [
                r.votes for r in Register.search(
                    [], order=[('number', 'ASC')])]

    def _configure(self, **values):
        Configuration = Pool().get('coop.membership.configuration')
        configuration = Configuration(1)
        for name, value in values.items():
            setattr(configuration, name, value)
        configuration.save()

    @with_transaction()
    def test_vote(self):
        "Test a suspension takes the vote from its first to its last day"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            members = create_members(
                company, create_category(company), 2, START)
            Member.admit(members)
            Member.write([members[0]], {
                    'suspensions': [('create', [{
                                    'start_date': dt.date(2024, 5, 1),
                                    'end_date': dt.date(2024, 5, 31),
                                    'reason': 'conduct',
                                    }])],
                    })
            for date, votes in [
                    (dt.date(2024, 4, 30), [1, 1]),
                    (dt.date(2024, 5, 1), [0, 1]),
                    (dt.date(2024, 5, 31), [0, 1]),
                    (dt.date(2024, 6, 1), [1, 1])]:
                with self.subTest(date=date):
                    self.assertEqual(self._votes(company, date), votes)
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 5, 15),
                        }])
            Meeting.convene([meeting])
            meeting = Meeting(meeting.id)
            self.assertEqual(
                (meeting.eligible_members, meeting.eligible_votes), (1, 1))

    def _owe(self, company, member, amount, maturity_date):
        pool = Pool()
        Account = pool.get('account.account')
        Journal = pool.get('account.journal')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        receivable, = Account.search([
                ('company', '=', company.id),
                ('type.receivable', '=', True),
                ('closed', '!=', True),
                ], limit=1)
        revenue, = Account.search([
                ('company', '=', company.id),
                ('type.revenue', '=', True),
                ('closed', '!=', True),
                ], limit=1)
        journal, = Journal.search([('type', '=', 'general')], limit=1)
        move, = Move.create([{
                    'company': company.id,
                    'journal': journal.id,
                    'date': START,
                    'period': Period.find(company, date=START).id,
                    'lines': [('create', [{
                                    'account': receivable.id,
                                    'party': member.party.id,
                                    'debit': amount,
                                    'maturity_date': maturity_date,
                                    }, {
                                    'account': revenue.id,
                                    'credit': amount,
                                    }])],
                    }])
        Move.post([move])
        return move

    @with_transaction()
    def test_arrears(self):
        """Test who is in arrears is suspended until it is paid

        With 30 days: due on 31 January, suspended from 2 March 2024, the
        first day more than 30 days later.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Line = pool.get('account.move.line')
        Sequence = pool.get('ir.sequence.strict')
        Sequence.lock(Sequence.search([]))
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = get_fiscalyear(
                company, start_date=START, end_date=dt.date(2024, 12, 31))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
            ann, bob = create_members(
                company, create_category(company), 2, START)
            Member.admit([ann, bob])
            move = self._owe(
                company, ann, Decimal(50), dt.date(2024, 1, 31))
            owed = self._owe(
                company, bob, Decimal(50), dt.date(2024, 2, 20))

            def run(date):
                with patch.object(
                        Date, 'today', lambda timezone=None: date):
                    Member.suspend_arrears()
                    return [
                        bool(Member(m.id).suspended) for m in [ann, bob]]

            day = dt.date(2024, 3, 2)
            # Nobody unless it is switched on
            self.assertEqual(run(day), [False, False])
            self._configure(suspensions=True)
            self.assertEqual(run(day), [False, False])
            self._configure(suspension_days=30)
            self.assertEqual(
                run(dt.date(2024, 3, 1)), [False, False])
            self.assertEqual(run(day), [True, False])
            self.assertEqual(run(day), [True, False])
            self.assertEqual(len(Member(ann.id).suspensions), 1)
            self.assertEqual(self._votes(company, day), [0, 1])
            line, = [l for l in move.lines if l.party]
            cancel = move.cancel()
            cancel.save()
            Line.reconcile([
                    line, *(l for l in cancel.lines if l.party)])
            self.assertEqual(
                run(dt.date(2024, 3, 10)), [False, False])
            suspension, = Member(ann.id).suspensions
            self.assertEqual(
                (suspension.start_date, suspension.end_date),
                (day, dt.date(2024, 3, 9)))
            # 20 February and more than 30 days
            self.assertEqual(
                run(dt.date(2024, 3, 22)), [False, True])
            # Who pays is let in again, though nobody is suspended any more
            self._configure(suspensions=False, suspension_days=None)
            self.assertEqual(
                run(dt.date(2024, 3, 23)), [False, True])
            line, = [l for l in owed.lines if l.party]
            cancel = owed.cancel()
            cancel.save()
            Line.reconcile([
                    line, *(l for l in cancel.lines if l.party)])
            self.assertEqual(
                run(dt.date(2024, 3, 24)), [False, False])

    @with_transaction()
    def test_similar(self):
        "Test who may be a member already is warned of"
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        company = create_company()
        with set_company(company):
            category = create_category(company)

            def apply(name, birth_date=None, email=None):
                party, = Party.create([{
                            'name': name,
                            'birth_date': birth_date,
                            'contact_mechanisms': [('create', [{
                                            'type': 'email',
                                            'value': email,
                                            }])] if email else [],
                            }])
                return {
                    'company': company.id,
                    'party': party.id,
                    'category': category.id,
                    'admission_date': START,
                    'application_date': START,
                    }
            day = dt.date(1960, 2, 29)
            zoe, = Member.create([
                    apply("Zoé Smith", day, 'zoe@example.org')])
            Member.admit([zoe])
            others = Member.create([
                    apply("Bob Smith", day), apply("Zoe Smith")])
            Member.admit(others)
            for birth_date, email, same in [
                    (day, None, "Birth Date"),
                    (None, 'ZOE@example.org', "Email")]:
                values = apply("ZOE  SMITH", birth_date, email)
                with self.subTest(same=same):
                    with savepoint(), self.assertRaisesRegex(
                            SimilarMemberWarning, f"Zoé Smith.*{same}"), \
                            check_access():
                        Member.create([values])
                    member, = Member.create([values])
                    with self.assertRaisesRegex(
                            SimilarMemberWarning, f"Zoé Smith.*{same}"):
                        Member.admit([member])
                    with Transaction().set_context(_skip_warnings=True):
                        Member.admit([member])
                    self.assertEqual(member.state, 'member')
                    Member.write([member], {'party': apply("Else")['party']})
