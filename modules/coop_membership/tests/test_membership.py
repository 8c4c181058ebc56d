# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.model.exceptions import ValidationError
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class MembershipTestCase(DatabaseTestCase):
    "Test the memberships of members"
    module = 'coop_membership'

    @with_transaction()
    def test_membership_overlap(self):
        "Test memberships of a member can not overlap"
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            members = create_members(
                company, category, 2, dt.date(2024, 1, 1))
            Member.admit(members)
            membership = members[0].memberships[0]
            membership.end_date = dt.date(2024, 6, 30)
            membership.save()
            later = Membership(
                member=members[0], category=category,
                start_date=dt.date(2024, 7, 1))
            later.save()
            with self.assertRaises(ValidationError):
                Membership.create([{
                            'member': members[0].id,
                            'category': category.id,
                            'start_date': dt.date(2023, 1, 1),
                            'end_date': dt.date(2024, 1, 1),
                            }])

    @with_transaction()
    def test_at(self):
        "Test the members and their categories at a date"
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        company = create_company()
        with set_company(company):
            users = create_category(company)
            friends = create_category(company, "Friends")
            members = create_members(
                company, users, 2, dt.date(2024, 1, 1))
            Member.admit(members)
            first, second = members
            Member.set_category([first], friends, dt.date(2024, 7, 1))
            membership, = second.memberships
            membership.end_date = dt.date(2024, 12, 31)
            membership.save()
            self.assertEqual(
                [(m.admission_date, m.exit_date)
                    for m in Membership.search([('member', '=', first.id)])],
                [(dt.date(2024, 1, 1), None)] * 2)

            for date, categories in [
                    (dt.date(2023, 12, 31), {}),
                    (dt.date(2024, 1, 1), {
                            first.id: users.id, second.id: users.id}),
                    (dt.date(2024, 6, 30), {
                            first.id: users.id, second.id: users.id}),
                    (dt.date(2024, 12, 31), {
                            first.id: friends.id, second.id: users.id}),
                    (dt.date(2025, 1, 1), {first.id: friends.id}),
                    ]:
                with self.subTest(date=date):
                    self.assertEqual(
                        Member.categories_at(members, date), categories)
                    self.assertEqual(
                        Member.members_at(company, date),
                        {m.party.id: m.id for m in members
                            if m.id in categories})

    @with_transaction()
    def test_refusals(self):
        "Test what is not allowed is refused"
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        company = create_company()
        other_company = create_company("Other", currency=company.currency)
        with set_company(other_company):
            other = create_category(other_company)
        with set_company(company):
            category = create_category(company, exit_at='any_day')
            with self.assertRaises(ValidationError):
                create_members(company, other, 1)
            member, = create_members(
                company, category, 1, dt.date(2024, 1, 1))
            Member.admit([member])
            with self.assertRaises(ValidationError):
                Member.set_category([member], other, dt.date(2024, 6, 1))
            # PostgreSQL ends the transaction with it
            with self.assertRaises(ValidationError):
                Membership.create([{
                            'member': member.id,
                            'category': category.id,
                            'start_date': dt.date(2023, 6, 1),
                            'end_date': dt.date(2023, 5, 31),
                            }])

    @with_transaction()
    def test_change_category(self):
        "Test who changes is counted in one category on each day"
        pool = Pool()
        Member = pool.get('coop.member')
        Movement = pool.get('coop.member.movement')
        Register = pool.get('coop.member.register')
        company = create_company()
        with set_company(company):
            users = create_category(company, exit_at='any_day')
            friends = create_category(company, "Friends", exit_at='any_day')
            member, = create_members(
                company, users, 1, dt.date(2024, 1, 15))
            Member.admit([member])
            Member.set_category([member], friends, dt.date(2024, 6, 1))
            member.notice_date = dt.date(2024, 7, 31)
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])

            names = [
                'opening', 'joined', 'left', 'changed_in', 'changed_out',
                'closing']
            with Transaction().set_context(
                    from_date=dt.date(2023, 12, 1),
                    to_date=dt.date(2024, 8, 31)):
                movements = {
                    (m.month.month, m.category): [
                        getattr(m, n) for n in names]
                    for m in Movement.search([])}
            self.assertEqual(movements, {
                    (1, users): [0, 1, 0, 0, 0, 1],
                    **{(i, users): [1, 0, 0, 0, 0, 1] for i in [2, 3, 4, 5]},
                    (6, users): [1, 0, 0, 0, 1, 0],
                    (6, friends): [0, 0, 0, 1, 0, 1],
                    (7, friends): [1, 0, 1, 0, 0, 0],
                    })

            for date, category in [
                    (dt.date(2024, 5, 31), users),
                    (dt.date(2024, 6, 1), friends),
                    (dt.date(2024, 7, 31), friends),
                    ]:
                with self.subTest(date=date), \
                        Transaction().set_context(date=date):
                    entry, = Register.search([])
                    self.assertEqual(
                        (entry.category, entry.admission_date,
                            entry.exit_date, entry.exit_reason),
                        (category, dt.date(2024, 1, 15),
                            dt.date(2024, 7, 31), 'resignation'))

    @with_transaction()
    def test_search(self):
        "Test members are found by number first, and by name and e-mail"
        pool = Pool()
        ContactMechanism = pool.get('party.contact_mechanism')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            members = create_members(
                company, category, 3, dt.date(2024, 1, 1))
            coded, numbered, other = members
            coded.number, numbered.number, other.number = '5', '1711', '17110'
            coded.party.code = '1711'
            coded.party.save()
            Member.save(members)
            ContactMechanism.create([{
                        'party': other.party.id,
                        'type': 'email',
                        'value': 'other@example.com',
                        }])

            self.assertEqual(
                [m['id'] for m in Member.autocomplete('1711')],
                [numbered.id, coded.id, other.id])
            self.assertEqual(
                Member.search([('rec_name', 'ilike', '%1711%')], limit=1),
                [numbered])
            for operand, found in [
                    ("Party 1", {numbered}),
                    ('other@example.com', {other}),
                    ('1711', {coded, numbered, other}),
                    ]:
                with self.subTest(operand=operand):
                    operand = f'%{operand}%'
                    self.assertEqual(set(Member.search([
                                    ('rec_name', 'ilike', operand)])), found)
                    self.assertEqual(set(Member.search([
                                    ('rec_name', 'not ilike', operand)])),
                        set(members) - found)

    @with_transaction()
    def test_copy(self):
        "Test the copy of a member applies as another party"
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            member, = create_members(
                company, category, 1, dt.date(2024, 1, 1))
            Member.admit([member])
            with self.assertRaisesRegex(ValidationError, "already member"):
                Member.copy([member])
            party, = Party.create([{'name': "Other"}])
            copy, = Member.copy([member], default={'party': party.id})
            self.assertEqual(
                (copy.state, copy.number, copy.category, copy.memberships,
                    copy.application_date),
                ('applicant', None, category, (), dt.date.today()))
