# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from unittest.mock import patch

from trytond.model.exceptions import ValidationError
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import AdmissionError
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members, insert_applicants)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class AdmissionTestCase(DatabaseTestCase):
    "Test the admission of members"
    module = 'coop_membership'

    @with_transaction()
    def test_admit_queries(self):
        "Test the number of queries does not depend on the number of members"
        pool = Pool()
        Document = pool.get('coop.membership.document')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company, minimum_age=16)
            document, = Document.create([{
                        'name': "Statutes",
                        'company': company.id,
                        'valid_from': dt.date(2024, 1, 1),
                        }])
            counts = []
            # More than Tryton reads at once; the first run fills the caches
            for count in [250, 300, 600]:
                members = insert_applicants(
                    company, category, document, count, dt.date(2024, 1, 1))
                # As for users: the call starts with nothing read, and what is
                # computed is validated in tests only
                Transaction().cache.clear()
                with count_queries() as queries, \
                        patch.object(Pool, 'test', False), \
                        Transaction().set_context(_record_cache_size=100):
                    Member.admit(Member.browse(members))
                members = Member.browse(members)
                self.assertEqual({m.state for m in members}, {'member'})
                counts.append(queries)
            _, few, many = counts
            # SQLite has no insert of many rows, and PostgreSQL one of as many
            # as have 65,535 values
            for queries in [few, many]:
                del queries['Insert', 'coop_membership']
            self.assertEqual(few, many)
            self.assertEqual(len({m.number for m in members}), 600)

    @with_transaction()
    def test_application_date(self):
        "Test the admission is not before the application, nor changes it"
        pool = Pool()
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            tomorrow = dt.date.today() + dt.timedelta(days=1)
            early, = create_members(
                company, category, 1, application_date=tomorrow)
            with self.assertRaisesRegex(AdmissionError, "the application"):
                Member.admit([early])
            # Who is entered afterwards has applied by then
            late, = create_members(
                company, category, 1, dt.date(2024, 1, 1))
            self.assertEqual(late.application_date, dt.date(2024, 1, 1))
            member, = create_members(
                company, category, 1,
                application_date=dt.date(2024, 5, 10))
            with self.assertRaisesRegex(
                    ValidationError, "05/01/2024.* 05/10/2024"):
                member.admission_date = dt.date(2024, 5, 1)
                member.save()

    @with_transaction()
    def test_undo_admission(self):
        "Test an admission is taken back and the number stays used"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        Register = pool.get('coop.member.register')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            date = dt.date(2024, 1, 1)
            member, other = create_members(company, category, 2, date)
            Member.admit([member])
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 5, 1),
                        }])
            Meeting.convene([meeting])
            with self.assertRaisesRegex(AdmissionError, "roll of meeting"):
                Member.undo_admission([member])
            Meeting.draft([meeting])
            Member.undo_admission([member])
            member = Member(member.id)
            self.assertEqual(
                (member.state, member.number, member.category,
                    member.admission_date, member.memberships),
                ('applicant', '1', category, date, ()))
            self.assertEqual(Register.search([]), [])
            with self.assertRaisesRegex(ValidationError, "given once"):
                Member.write([other], {'number': '1'})
            Member.write([member], {'number': '1'})
            Member.admit([member])
            self.assertEqual(Member(member.id).number, '1')
            Member.undo_admission([member])
            Member.delete([member])
            Member.admit([other])
            self.assertEqual(Member(other.id).number, '2')

            Member.set_category(
                [other], create_category(company, "Friends"),
                dt.date(2024, 7, 1))
            with self.assertRaisesRegex(AdmissionError, "the category"):
                Member.undo_admission([other])
