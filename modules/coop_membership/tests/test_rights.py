# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager

from trytond.model.exceptions import AccessButtonError, AccessError
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import NoticeError
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access


class RightsTestCase(DatabaseTestCase):
    "Test what the groups and companies may see and do"
    module = 'coop_membership'

    def _create_user(self, name, company, *groups):
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        user, = User.create([{
                    'name': name,
                    'login': name,
                    'companies': [('add', [company.id])],
                    'company': company.id,
                    'groups': [('add', [
                                ModelData.get_id(
                                    'coop_membership', f'group_coop_{group}')
                                for group in groups])],
                    }])
        return user

    @contextmanager
    def _as_user(self, user):
        User = Pool().get('res.user')
        with Transaction().set_user(user.id):
            context = User.get_preferences(context_only=True)
            with Transaction().set_context(context), check_access():
                yield

    @with_transaction()
    def test_model_access_groups(self):
        "Test what each group may read, write, create and delete"
        pool = Pool()
        ModelAccess = pool.get('ir.model.access')
        company = create_company()
        read = {
            'coop.member', 'coop.membership', 'coop.member.category',
            'coop.membership.document', 'coop.meeting',
            'coop.member.register', 'coop.member.movement',
            'coop.member.anniversary'}
        members = {
            'coop.member', 'coop.member.consent', 'coop.member.holder',
            'coop.member.person', 'coop.member.representative',
            'coop.member.suspension'}
        meetings = {
            'coop.meeting', 'coop.meeting.annex', 'coop.meeting.attendance',
            'coop.meeting.candidate', 'coop.meeting.item',
            'coop.member.office'}
        settings = {
            'coop.member.category', 'coop.membership.document'}
        read |= members | meetings
        modes = ['read', 'write', 'create', 'delete']
        for groups, expected in [
                ((), {}),
                (('accounting',), {'read': read}),
                (('membership',), {
                        'read': read,
                        'write': members | meetings,
                        'create': members | meetings,
                        'delete': members | meetings,
                        }),
                (('board',), {
                        'read': read,
                        'write': members | meetings,
                        'create': meetings,
                        'delete': meetings,
                        }),
                (('admin',), {
                        'read': read,
                        'write': members | meetings | settings,
                        'create': members | meetings | settings,
                        'delete': members | meetings | settings,
                        }),
                ]:
            user = self._create_user(
                '-'.join(('user', *groups)), company, *groups)
            with self._as_user(user):
                for mode in modes:
                    with self.subTest(groups=groups, mode=mode):
                        self.assertEqual({
                                m for m in read
                                if ModelAccess.check(
                                    m, mode, raise_exception=False)},
                            expected.get(mode, set()))

    @with_transaction()
    def test_button_access_groups(self):
        "Test which group may press which button"
        pool = Pool()
        Button = pool.get('ir.model.button')
        Group = pool.get('res.group')
        ModelData = pool.get('ir.model.data')
        board = Group(
            ModelData.get_id('coop_membership', 'group_coop_board'))
        for name, approved in [
                ('coop.member', {
                        'admit', 'reject', 'reconsider', 'exclude',
                        'readmit', 'undo_admission'}),
                ('coop.meeting', set()),
                ]:
            Model = pool.get(name)
            for button in Model._buttons:
                with self.subTest(model=name, button=button):
                    self.assertEqual(
                        Button.get_groups(name, button),
                        {board.id} if button in approved else set())

    @with_transaction()
    def test_button_access(self):
        "Test the board admits and the clerk does the rest"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company, exit_at='any_day')
            member, = create_members(
                company, category, 1, dt.date(2024, 1, 1))
            meeting, = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 2, 1),
                        'kind': 'ordinary',
                        }])
        clerk = self._create_user('clerk', company, 'membership')
        accountant = self._create_user('accountant', company, 'accounting')
        director = self._create_user('director', company, 'board')
        employee = self._create_user('employee', company)

        def refused(user, record, button):
            with self.subTest(user=user.name, button=button), \
                    self._as_user(user), \
                    self.assertRaises((AccessError, AccessButtonError)):
                getattr(record.__class__, button)([record])

        def press(user, record, button):
            with self._as_user(user):
                getattr(record.__class__, button)(
                    record.__class__.browse([record.id]))

        for user in [clerk, accountant]:
            refused(user, member, 'admit')
            refused(user, member, 'reject')
        press(director, member, 'reject')
        refused(clerk, member, 'reconsider')
        press(director, member, 'reconsider')
        press(director, member, 'admit')
        # The states of the buttons are enforced too
        refused(director, Member(member.id), 'admit')
        with self._as_user(clerk):
            Member.write([Member(member.id)], {
                    'notice_date': dt.date(2024, 6, 30),
                    'exit_reason': 'resignation',
                    })
        refused(accountant, Member(member.id), 'give_notice')
        refused(clerk, Member(member.id), 'exclude')
        press(clerk, member, 'give_notice')
        refused(accountant, Member(member.id), 'withdraw_notice')
        press(clerk, member, 'withdraw_notice')
        with self._as_user(clerk):
            Member.write([Member(member.id)], {
                    'notice_date': dt.date(2024, 6, 30),
                    'exit_reason': 'resignation',
                    })
        press(clerk, member, 'give_notice')
        refused(accountant, Member(member.id), 'leave')
        press(clerk, member, 'leave')
        refused(clerk, Member(member.id), 'readmit')
        press(director, member, 'readmit')
        press(director, member, 'exclude')
        # What the board decided the clerk does not take back
        with self._as_user(clerk), self.assertRaisesRegex(
                NoticeError, "Only the board"):
            Member.withdraw_notice([Member(member.id)])
        press(director, member, 'withdraw_notice')
        with self._as_user(clerk):
            Member.write([Member(member.id)], {'exit_reason': 'exclusion'})
            with self.assertRaisesRegex(NoticeError, "Only the board"):
                Member.give_notice([Member(member.id)])
        press(director, member, 'exclude')
        for user, button in [
                (director, 'convene'), (director, 'draft'),
                (clerk, 'convene'), (clerk, 'draft'),
                (clerk, 'cancel'), (director, 'draft'),
                (director, 'cancel'), (clerk, 'draft'),
                (clerk, 'convene'), (director, 'open'),
                (clerk, 'close'),
                ]:
            refused(accountant, Meeting(meeting.id), button)
            refused(employee, Meeting(meeting.id), button)
            press(user, meeting, button)
        for button in Member._buttons:
            refused(employee, Member(member.id), button)
        for button in Meeting._buttons:
            refused(employee, Meeting(meeting.id), button)

        with self._as_user(clerk), self.assertRaises(AccessError):
            Member.create([{
                        'company': company.id,
                        'party': company.party.id,
                        'category': category.id,
                        'number': '99',
                        'state': 'member',
                        }])

    @with_transaction()
    def test_roll(self):
        "Test nobody brings votes into the roll of the members"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        Meeting = pool.get('coop.meeting')
        company = create_company()
        with set_company(company):
            director, _ = create_members(
                company, create_category(company), 2, dt.date(2024, 1, 1))
            meetings = Meeting.create([{
                        'company': company.id,
                        'date': dt.date(2024, 2, 1),
                        'kind': kind,
                        } for kind in ['board', 'ordinary']])
            Meeting.convene(meetings)
        board, general = meetings
        clerk = self._create_user('clerk', company, 'membership')
        with self._as_user(clerk):
            attendance, = Attendance.create([{
                        'meeting': board.id,
                        'member': director.id,
                        'votes': 100,
                        'presence': 'present',
                        }])
            with self.assertRaises(AccessError):
                Attendance.write([attendance], {'meeting': general.id})

    @with_transaction()
    def test_wizard_access(self):
        "Test the clerk and the board change categories and print"
        pool = Pool()
        ChangeCategory = pool.get(
            'coop.member.change_category', type='wizard')
        Member = pool.get('coop.member')
        PrintRegister = pool.get('coop.member.register.print', type='wizard')
        company = create_company()
        with set_company(company):
            categories = [
                create_category(company, name) for name in ["A", "B", "C"]]
            member, = create_members(
                company, categories[0], 1, dt.date(2024, 1, 1))
            Member.admit([member])
        def change(category, date):
            session_id, _, _ = ChangeCategory.create()
            with Transaction().set_context(
                    active_model='coop.member', active_id=member.id,
                    active_ids=[member.id]):
                ChangeCategory.execute(session_id, {
                        'start': {
                            'company': company.id,
                            'category': category.id,
                            'date': date,
                            },
                        }, 'change')

        def print_(category, date):
            session_id, _, _ = PrintRegister.create()
            PrintRegister.execute(session_id, {}, 'start')

        users, friends, guests = categories
        for groups, may_change, may_print, category, date in [
                (['membership'], True, True, friends, dt.date(2024, 2, 1)),
                (['board'], True, True, guests, dt.date(2024, 3, 1)),
                (['accounting'], False, True, users, dt.date(2024, 4, 1)),
                ([], False, False, users, dt.date(2024, 4, 1)),
                ]:
            user = self._create_user(
                '-'.join(('user', *groups)), company, *groups)
            for do, allowed in [(change, may_change), (print_, may_print)]:
                with self.subTest(groups=groups, do=do.__name__), \
                        self._as_user(user):
                    if allowed:
                        do(category, date)
                    else:
                        with self.assertRaises(AccessError):
                            do(category, date)
        self.assertEqual(
            [m.category for m in Member(member.id).memberships], categories)

    @with_transaction()
    def test_companies(self):
        "Test two companies see nothing of each other"
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        company1 = create_company()
        company2 = create_company(
            "Michael Scott Paper Company", currency=company1.currency)
        users, records = [], []
        for company in [company1, company2]:
            with set_company(company):
                category = create_category(company)
                members = create_members(
                    company, category, 2, dt.date(2024, 1, 1))
                document, = pool.get('coop.membership.document').create([{
                            'name': "Statutes",
                            'company': company.id,
                            'required': False,
                            'valid_from': dt.date(2024, 1, 1),
                            }])
                pool.get('coop.member').write(members, {
                        'consents': [('create', [{
                                        'document': document.id,
                                        'date': dt.date(2024, 1, 1),
                                        }])],
                        'representatives': [('create', [{
                                        'party': company.party.id,
                                        'role': 'agent',
                                        }])],
                        })
                pool.get('coop.member').admit(members)
                meeting, = Meeting.create([{
                            'company': company.id,
                            'date': dt.date(2024, 2, 1),
                            'kind': 'ordinary',
                            'items': [('create', [{'subject': "Accounts"}])],
                            }])
                Meeting.convene([meeting])
            users.append(
                self._create_user(company.party.name, company, 'admin'))
            records.append({
                    'coop.member.category': [category],
                    'coop.member': members,
                    'coop.membership': [
                        m for member in members for m in member.memberships],
                    'coop.meeting': [meeting],
                    'coop.member.consent': [
                        c for member in members for c in member.consents],
                    'coop.member.representative': [
                        r for member in members
                        for r in member.representatives],
                    'coop.membership.document': [document],
                    'coop.meeting.attendance': meeting.attendances,
                    'coop.meeting.item': meeting.items,
                    })
        # The numbers come from the same sequence but belong to the company
        for company, user, own, other in [
                (company1, users[0], records[0], records[1]),
                (company2, users[1], records[1], records[0]),
                ]:
            with self._as_user(user), Transaction().set_context(
                    date=dt.date(2024, 3, 1)):
                for name in own:
                    Model = pool.get(name)
                    with self.subTest(company=company.id, model=name):
                        self.assertEqual(
                            {r.id for r in Model.search([])},
                            {r.id for r in own[name]})
                        with self.assertRaises(AccessError):
                            Model.read([r.id for r in other[name]], ['id'])
                for name in ['coop.member.register', 'coop.member.movement']:
                    Model = pool.get(name)
                    # Not even by asking for the other company
                    for context, count in [
                            (company, 2),
                            (company1 if company == company2 else company2,
                                0),
                            ]:
                        with self.subTest(company=company.id, model=name), \
                                Transaction().set_context(
                                    company=context.id,
                                    from_date=dt.date(2024, 1, 1),
                                    to_date=dt.date(2024, 1, 31)):
                            found = Model.search([])
                            if name == 'coop.member.movement':
                                self.assertEqual(
                                    sum(m.joined for m in found), count)
                            else:
                                self.assertEqual(len(found), count)
