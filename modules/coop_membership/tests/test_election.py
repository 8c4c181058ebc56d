# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re
import unittest
from io import BytesIO
from zipfile import ZipFile

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import (
    ExitError, MeetingValidationError)
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_membership.voting import elect
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

DAY = dt.date(2024, 5, 1)


class ElectTestCase(unittest.TestCase):
    "Test whom votes elect"

    def test_elect(self):
        "Test the seats, the majority, equal votes and the lot"
        votes = {'a': 7, 'b': 5, 'c': 5, 'd': 0}
        for arguments, result in [
                ({'seats': 1}, (['a'], [])),
                ({'seats': 2}, (['a'], ['b', 'c'])),
                ({'seats': 2, 'drawn': ['c']}, (['a', 'c'], [])),
                ({'seats': 3}, (['a', 'b', 'c'], [])),
                # Nobody is elected without a vote
                ({'seats': 4}, (['a', 'b', 'c'], [])),
                # More than half of ten ballots
                ({'seats': 2, 'needed': 6}, (['a'], [])),
                ({'seats': 1, 'needed': 8}, ([], [])),
                ]:
            with self.subTest(**arguments):
                self.assertEqual(elect(votes, **arguments), result)


class ElectionTestCase(DatabaseTestCase):
    "Test elections, offices and who may not vote"
    module = 'coop_membership'

    def _set_up(self, **item):
        "Return an open meeting of ten members with one item"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            configuration = Configuration(1)
            configuration.elections = True
            configuration.formal_minutes = True
            configuration.save()
            members = create_members(
                company, create_category(company, exit_at='any_day'), 10,
                dt.date(2024, 1, 1))
            Member.admit(members)
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': DAY,
                        'items': [('create', [{
                                        'subject': "Board", **item}])],
                        }])
            Meeting.convene([meeting])
            Meeting.open([meeting])
            for attendance in meeting.attendances:
                attendance.presence = 'present'
            meeting.attendances = meeting.attendances
            meeting.save()
        return company, Meeting(meeting.id), members

    def _elect(self, item, members, votes, **values):
        "Enter the candidates and their votes"
        Item = Pool().get('coop.meeting.item')
        Item.write([item], {
                'candidates': [('create', [{
                                'party': member.party.id,
                                'votes': votes,
                                } for member, votes in zip(members, votes)])],
                **values,
                })
        return Item(item.id)

    def _offices(self, company):
        Office = Pool().get('coop.member.office')
        return {
            (o.party.name, o.start_date, o.end_date)
            for o in Office.search([('company', '=', company.id)])}

    @with_transaction()
    def test_absolute(self):
        """Test two seats by more than half of the valid ballots

        Ten ballots need six votes: 7, 5 and 5 fill one of the two seats.
        """
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Office = pool.get('coop.member.office')
        company, meeting, members = self._set_up(
            kind='election', majority='absolute', seats=2, role='board',
            office_end=dt.date(2027, 5, 1))
        with set_company(company):
            Office.create([{
                        'company': company.id,
                        'party': members[0].party.id,
                        'role': 'board',
                        'start_date': dt.date(2021, 5, 1),
                        }])
            item, = meeting.items
            item = self._elect(item, members, [7, 5, 5])
            with self.assertRaisesRegex(MeetingValidationError, "ballots"):
                Meeting.close([meeting])
            item.ballots = 10
            item.save()
            self.assertEqual(item.result, 'carried')
            Meeting.close([meeting])
            self.assertEqual(
                [c.elected for c in item.candidates], [True, False, False])
            self.assertEqual(self._offices(company), {
                    ("Party 0", dt.date(2021, 5, 1), dt.date(2024, 4, 30)),
                    ("Party 0", DAY, dt.date(2027, 5, 1)),
                    })
            self.assertEqual(
                [o.item for o in Office.at_date(company, DAY)], [item])
            self.assertFalse(
                Office.at_date(company, dt.date(2027, 5, 2)))

    @with_transaction()
    def test_lot(self):
        "Test equal votes for the last seat are decided by lot"
        pool = Pool()
        Candidate = pool.get('coop.meeting.candidate')
        Meeting = pool.get('coop.meeting')
        company, meeting, members = self._set_up(
            kind='election', seats=2, role='supervisory')
        with set_company(company):
            item, = meeting.items
            item = self._elect(item, members, [7, 5, 5], ballots=10)
            with self.assertRaisesRegex(
                    MeetingValidationError, "Party 1, Party 2"):
                Meeting.close([meeting])
            _, _, last = item.candidates
            Candidate.write([last], {'drawn': True})
            Meeting.close([Meeting(meeting.id)])
            self.assertEqual(self._offices(company), {
                    ("Party 0", DAY, None),
                    ("Party 2", DAY, None),
                    })

    @with_transaction()
    def test_votes(self):
        "Test candidates have no more votes than the ballots allow"
        company, meeting, members = self._set_up(
            kind='election', seats=2)
        with set_company(company):
            item, = meeting.items
            for votes, values in [
                    # More than the ten present
                    ([11], {}),
                    ([6], {'ballots': 9, 'votes_abstain': 2}),
                    ([7, 1], {'ballots': 6}),
                    # Six ballots for two have twelve votes
                    ([5, 5, 3], {'ballots': 6}),
                    ]:
                with self.subTest(votes=votes), savepoint(), \
                        self.assertRaises(MeetingValidationError):
                    self._elect(item, members, votes, **values)
            self._elect(item, members, [5, 5, 2], ballots=6)

    @with_transaction()
    def test_single(self):
        "Test one candidate is voted for or against"
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        for votes, elected in [(6, 1), (4, 0)]:
            company, meeting, members = self._set_up(
                kind='election', role='chair')
            with set_company(company):
                Item.write(list(meeting.items), {
                        'candidate': members[3].party.id,
                        'votes_for': votes,
                        'votes_against': 10 - votes,
                        })
                Meeting.close([Meeting(meeting.id)])
                self.assertEqual(len(self._offices(company)), elected)

    @with_transaction()
    def test_twice(self):
        "Test whom two items of a meeting elect holds the office once"
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        company, meeting, members = self._set_up(
            kind='election', role='board', office_end=dt.date(2025, 5, 1))
        with set_company(company):
            Item.create([{
                        'meeting': meeting.id,
                        'subject': "Board, long term",
                        'kind': 'election',
                        'role': 'board',
                        'office_end': dt.date(2027, 5, 1),
                        }, {
                        'meeting': meeting.id,
                        'subject': "Chair",
                        'kind': 'election',
                        'role': 'chair',
                        'office_end': dt.date(2026, 5, 1),
                        }])
            meeting = Meeting(meeting.id)
            Item.write(list(meeting.items), {
                    'candidate': members[3].party.id,
                    'votes_for': 10,
                    'votes_against': 0,
                    })
            Meeting.close([Meeting(meeting.id)])
            self.assertEqual(self._offices(company), {
                    ("Party 3", DAY, dt.date(2027, 5, 1)),
                    ("Party 3", DAY, dt.date(2026, 5, 1)),
                    })

    @with_transaction()
    def test_kind(self):
        "Test the candidates of what is no election any more do not count"
        Item = Pool().get('coop.meeting.item')
        company, meeting, members = self._set_up(kind='election')
        with set_company(company):
            item, = meeting.items
            item = self._elect(item, members, [6, 4], ballots=10)
            self.assertEqual(item.result, 'carried')
            Item.write([item], {'kind': 'resolution'})
            self.assertIsNone(Item(item.id).result)
            Item.write([item], {'votes_for': 3, 'votes_against': 7})
            self.assertEqual(Item(item.id).result, 'rejected')
            Item.write([item], {'votes_for': 7, 'votes_against': 3})
            self.assertEqual(Item(item.id).result, 'carried')

    @with_transaction()
    def test_discharge(self):
        """Test who is to be discharged has no vote, nor for somebody else

        GenG § 43 (6): of ten votes two are of the board and one is held by
        it; 7 are left, of which 5 are two thirds (14/3 rounded up).
        """
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        company, meeting, members = self._set_up(
            purpose='discharge', majority='two_thirds',
            majority_basis='present')
        with set_company(company):
            item, = meeting.items
            board = members[:2]
            for attendance in meeting.attendances:
                if attendance.member == members[2]:
                    attendance.presence = 'represented'
                    attendance.representative = board[0].party
            meeting.attendances = meeting.attendances
            meeting.save()
            Item.write([item], {
                    'excluded_members': [('add', [m.id for m in board])],
                    })
            item = Item(item.id)
            self.assertEqual((item.present_votes, item.eligible_votes), (7, 8))
            with savepoint(), self.assertRaises(MeetingValidationError):
                Item.write([item], {'votes_for': 8})
            for votes, result in [(5, 'carried'), (4, 'rejected')]:
                Item.write([item], {
                        'votes_for': votes, 'votes_against': 7 - votes})
                self.assertEqual(Item(item.id).result, result)

    @with_transaction()
    def test_minutes(self):
        "Test the minutes name who signs them, the times and the annexes"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Minutes = pool.get('coop.meeting.minutes', type='report')
        company, meeting, members = self._set_up(
            kind='election', seats=2)
        with set_company(company):
            item, = meeting.items
            self._elect(item, members, [6, 4], ballots=9, votes_abstain=1)
            Meeting.close([Meeting(meeting.id)])
            Meeting.write([meeting], {
                    'chair': members[4].party.id,
                    'secretary': members[5].party.id,
                    'start_time': dt.time(18, 5),
                    'end_time': dt.time(20, 40),
                    'convocation_proof': "By letter of 10 April",
                    'annexes': [('create', [
                                {'name': "Roll"}, {'name': "Accounts"}])],
                    })
            _, content, _, _ = Minutes.execute(
                [meeting.id], {'model': 'coop.meeting', 'id': meeting.id})
            with ZipFile(BytesIO(content)) as odt:
                content = re.sub(
                    '<[^>]*>', '', odt.read('content.xml').decode())
            for text in [
                    "Chair: Party 4", "Secretary: Party 5", "18:05", "20:40",
                    "By letter of 10 April", "1. Roll", "2. Accounts",
                    "Seats: 2. Valid ballots: 9. Abstentions: 1.",
                    "Party 0: 6 votes, elected", "No quorum is needed"]:
                with self.subTest(text=text):
                    self.assertIn(text, content)

    @with_transaction()
    def test_leave(self):
        "Test who holds an office cannot leave before it ends"
        pool = Pool()
        Member = pool.get('coop.member')
        Office = pool.get('coop.member.office')
        company, _, members = self._set_up()
        member = members[0]
        with set_company(company):
            office, = Office.create([{
                        'company': company.id,
                        'party': member.party.id,
                        'role': 'treasurer',
                        'start_date': DAY,
                        }])
            member.notice_date = dt.date(2024, 6, 30)
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            with self.assertRaisesRegex(ExitError, "Treasurer"):
                Member.leave([member])
            office.end_date = dt.date(2024, 6, 30)
            office.save()
            Member.leave([member])
            self.assertEqual(member.state, 'left')

    @with_transaction()
    def test_exit_reasons(self):
        """Test a creditor and an administrator give the notice of the member

        GenG §§ 66, 66a: with the notice of the statutes, here three months
        before the end of a fiscal year.
        """
        Member = Pool().get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company, notice_months=3)
            for reason in ['creditor_notice', 'insolvency']:
                member, = create_members(
                    company, category, 1, dt.date(2024, 1, 1))
                Member.admit([member])
                member.notice_date = dt.date(2024, 10, 15)
                member.exit_reason = reason
                member.save()
                Member.give_notice([member])
                self.assertEqual(
                    (member.state, member.exit_date),
                    ('leaving', dt.date(2025, 12, 31)))
