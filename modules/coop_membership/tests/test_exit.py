# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from unittest.mock import patch

from trytond.modules.account.tests import get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import ExitError, NoticeError
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class ExitTestCase(DatabaseTestCase):
    "Test how members leave"
    module = 'coop_membership'

    @with_transaction()
    def test_first_exit_date(self):
        "Test the exit follows the fiscal years and then the configuration"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            # From July to June
            fiscalyear = get_fiscalyear(company, today=dt.date(2024, 7, 1))
            fiscalyear.start_date = dt.date(2024, 7, 1)
            fiscalyear.end_date = dt.date(2025, 6, 30)
            fiscalyear.save()
            configuration = Configuration(1)
            configuration.year_end_month = '9'
            configuration.save()
            year = create_category(company, "Year", notice_months=3)
            month = create_category(
                company, "Month", notice_months=1, exit_at='month_end')
            fixed = create_category(
                company, "Fixed", notice_months=2, exit_month='3')
            stay = create_category(
                company, "Stay", minimum_months=18, exit_at='month_end')
            cases = [
                (year, dt.date(2025, 3, 30), dt.date(2025, 6, 30)),
                # No fiscal year yet
                (year, dt.date(2025, 4, 1), dt.date(2025, 9, 30)),
                (month, dt.date(2025, 1, 31), dt.date(2025, 2, 28)),
                (month, dt.date(2025, 2, 1), dt.date(2025, 3, 31)),
                (fixed, dt.date(2025, 1, 31), dt.date(2025, 3, 31)),
                (fixed, dt.date(2025, 2, 1), dt.date(2026, 3, 31)),
                # 18 months from 16 January 2024
                (stay, dt.date(2024, 12, 1), dt.date(2025, 7, 31)),
                ]
            members = create_members(
                company, year, len(cases), dt.date(2024, 1, 16))
            for member, (category, *_) in zip(members, cases):
                member.category = category
            Member.save(members)
            Member.admit(members)
            members = Member.browse(members)
            for member, (_, notice_date, _) in zip(members, cases):
                member.notice_date = notice_date
                member.exit_reason = 'resignation'
            Member.save(members)
            Member.give_notice(members)
            for member, (category, notice_date, exit_date) in zip(
                    Member.browse(members), cases):
                with self.subTest(
                        category=category.name, notice_date=notice_date):
                    self.assertEqual(member.exit_date, exit_date)

            # The category changed but not the stay
            member, = create_members(
                company, month, 1, dt.date(2023, 1, 16))
            Member.admit([member])
            Member.set_category([member], stay, dt.date(2024, 7, 1))
            member.notice_date = dt.date(2024, 7, 15)
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            self.assertEqual(
                Member(member.id).exit_date, dt.date(2024, 7, 31))
            # Who comes back starts a new stay
            Member.leave([member])
            member = Member(member.id)
            member.admission_date = dt.date(2024, 9, 16)
            member.save()
            Member.readmit([member])
            member = Member(member.id)
            member.notice_date = dt.date(2024, 10, 1)
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
            # 18 months from 16 September 2024
            self.assertEqual(
                Member(member.id).exit_date, dt.date(2026, 3, 31))

    @with_transaction()
    def test_exit_blockers(self):
        "Test all that stands in the way of an exit is in one error"
        pool = Pool()
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company, exit_at='any_day')
            members = create_members(
                company, category, 2, dt.date(2024, 1, 1))
            Member.admit(members)
            tomorrow = dt.date.today() + dt.timedelta(days=1)
            for member, date in zip(
                    members, [dt.date(2024, 6, 30), tomorrow]):
                member.notice_date = date
                member.exit_reason = 'resignation'
            Member.save(members)
            Member.give_notice(members)
            members = Member.browse(members)
            with patch.object(
                    Member, 'exit_blockers',
                    lambda members: {
                        m: ["shares are held", "a booking is open"]
                        for m in members}):
                with self.assertRaises(ExitError) as catched:
                    Member.leave(members)
                for member in members:
                    self.assertIn(member.rec_name, catched.exception.message)
                self.assertEqual(
                    catched.exception.message.count("- shares are held\n"
                        "- a booking is open"), 2)
                # The date of only one is not over
                self.assertEqual(
                    catched.exception.message.count("exit date"), 1)
                left_out, = Member.leave_due()
                self.assertEqual(left_out, members[0])
                self.assertEqual({m.state for m in members}, {'leaving'})
            Member.leave_due()
            self.assertEqual(
                [m.state for m in Member.browse(members)],
                ['left', 'leaving'])

    @with_transaction()
    def test_notice_within_membership(self):
        "Test notice is given within the membership"
        pool = Pool()
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company, exit_at='any_day')
            member, = create_members(
                company, category, 1, dt.date(1997, 1, 1))
            Member.admit([member])
            for notice, exit_, reason, message in [
                    (dt.date(1996, 12, 31), None, 'resignation',
                        "before the admission"),
                    (dt.date(1996, 12, 31), None, 'death',
                        "before the admission"),
                    (dt.date(1998, 2, 1), dt.date(1998, 1, 31), 'resignation',
                        "after the exit"),
                    ]:
                with self.subTest(notice=notice, reason=reason):
                    member = Member(member.id)
                    member.notice_date = notice
                    member.exit_date = exit_
                    member.exit_reason = reason
                    member.save()
                    with self.assertRaisesRegex(NoticeError, message):
                        Member.give_notice([member])
                    self.assertEqual(Member(member.id).state, 'member')
            # A death is heard of after its day
            member.exit_reason = 'death'
            member.save()
            with Transaction().set_context(_skip_warnings=True):
                Member.give_notice([member])
            self.assertEqual(
                Member(member.id).exit_date, dt.date(1998, 1, 31))

    @with_transaction()
    def test_leave_due_companies(self):
        "Test the task serves a company created later, and all who can leave"
        pool = Pool()
        Cron = pool.get('ir.cron')
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        cron, = Cron.search([('method', '=', 'coop.member|leave_due')])
        company = create_company()
        with set_company(company):
            category = create_category(company, exit_at='any_day')
            members = create_members(
                company, category, 3, dt.date(2024, 1, 1))
            Member.admit(members)
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 5, 1),
                        }])
            Meeting.convene([meeting])
            holder, represented, other = members
            for attendance in meeting.attendances:
                if attendance.member == holder:
                    attendance.presence = 'present'
            meeting.attendances = meeting.attendances
            meeting.save()
            for attendance in meeting.attendances:
                if attendance.member == represented:
                    attendance.presence = 'represented'
                    attendance.representative = holder.party
            meeting.attendances = meeting.attendances
            meeting.save()
            for member in [holder, other]:
                member.notice_date = dt.date(2024, 6, 30)
                member.exit_reason = 'resignation'
                member.save()
            Member.give_notice([holder, other])
        cron = Cron(cron.id)
        self.assertIn(company, cron.companies)
        for c_company in cron.companies:
            with set_company(c_company):
                Member.leave_due()
        holder, other = Member.browse([holder, other])
        self.assertEqual([holder.state, other.state], ['leaving', 'left'])
        self.assertIn("holds the proxy of", holder.blocked_by)
