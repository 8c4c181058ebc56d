# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class MeetingTestCase(DatabaseTestCase):
    "Test meetings"
    module = 'coop_membership'

    @with_transaction()
    def test_results(self):
        "Test the results by each basis and with nobody for or against"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            Member.admit(create_members(
                    company, category, 10, dt.date(2024, 1, 1)))
            # Eligible are 10, present 8, cast 7
            votes = {'votes_for': 6, 'votes_against': 1, 'votes_abstain': 1}
            results = [
                ('absolute', 'eligible', votes, 'carried'),
                ('two_thirds', 'cast', votes, 'carried'),
                ('two_thirds', 'present', votes, 'carried'),
                ('two_thirds', 'eligible', votes, 'rejected'),
                ('three_quarters', 'cast', votes, 'carried'),
                ('three_quarters', 'present', votes, 'carried'),
                ('nine_tenths', 'cast', votes, 'rejected'),
                ('unanimous', 'cast', {'votes_for': 3}, 'carried'),
                ('unanimous', 'present', {'votes_for': 7}, 'rejected'),
                ('simple', 'cast', {'votes_abstain': 8}, 'rejected'),
                ('unanimous', 'cast', {'votes_abstain': 8}, 'rejected'),
                ('simple', 'cast', {}, None),
                ]
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 5, 1),
                        'quorum_percent': Decimal(75),
                        'items': [('create', [{
                                        'subject': f"Item {i}",
                                        'majority': majority,
                                        'majority_basis': basis,
                                        } for i, (majority, basis, *_)
                                    in enumerate(results)])],
                        }])
            Meeting.convene([meeting])
            Meeting.open([meeting])
            for attendance in meeting.attendances[:8]:
                attendance.presence = 'present'
            meeting.attendances = meeting.attendances
            meeting.save()
            self.assertEqual(
                (meeting.quorum_needed, meeting.quorum_reached), (8, True))
            for item, (_, _, votes, _) in zip(meeting.items, results):
                for name, value in votes.items():
                    setattr(item, name, value)
            meeting.items = meeting.items
            meeting.save()
            Meeting.close([meeting])
            for item, (majority, basis, _, result) in zip(
                    Meeting(meeting.id).items, results):
                with self.subTest(majority=majority, basis=basis):
                    self.assertEqual(item.result, result)
