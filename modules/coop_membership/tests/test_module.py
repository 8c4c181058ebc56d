# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.model import ModelSQL, ModelView
from trytond.model.exceptions import SQLConstraintError
from trytond.modules.company.tests import (
    CompanyTestMixin,
    PartyCompanyCheckEraseMixin,
    create_company,
    set_company,
)
from trytond.modules.coop_membership.member import stays
from trytond.modules.party.exceptions import EraseError
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction


def create_category(company, name="Users", **values):
    Category = Pool().get('coop.member.category')
    category = Category(name=name, company=company, **values)
    category.save()
    return category


def create_members(company, category, count, date=None, **values):
    pool = Pool()
    Member = pool.get('coop.member')
    Party = pool.get('party.party')
    parties = Party.create([{'name': f"Party {i}"} for i in range(count)])
    return Member.create([{
                'company': company.id,
                'party': party.id,
                'category': category.id,
                'admission_date': date,
                **values,
                } for party in parties])


class CoopMembershipTestCase(
        PartyCompanyCheckEraseMixin, PartyCheckReplaceMixin, CompanyTestMixin,
        ModuleTestCase):
    "Test Coop Membership module"
    module = 'coop_membership'

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and name.startswith('coop.')
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    def test_stays(self):
        "Test memberships without a gap are one stay"
        def date(day):
            return dt.date(2024, 1, day) if day else None
        for rows, expected in [
                ([], []),
                ([(1, 1, None)], [1]),
                ([(1, 1, 5), (1, 6, None)], [2]),
                ([(1, 1, 5), (1, 7, None)], [1, 1]),
                ([(1, 1, 5), (2, 6, None)], [1, 1]),
                ([(1, 1, 5), (1, 6, 9), (1, 11, 12), (1, 13, 14)], [2, 2]),
                ]:
            with self.subTest(rows=rows):
                self.assertEqual(
                    [len(s) for s in stays(
                            (m, date(s), date(e)) for m, s, e in rows)],
                    expected)

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
            with self.assertRaises(SQLConstraintError):
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
    def test_erase_party(self):
        "Test a party is erased after the retention"
        pool = Pool()
        Erase = pool.get('party.erase', type='wizard')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            member, = create_members(
                company, category, 1, dt.date(2000, 1, 1))
            party = member.party
            party.birth_date = dt.date(1980, 1, 1)
            party.active = False
            party.save()

            def erase():
                session_id, _, _ = Erase.create()
                wizard = Erase(session_id)
                wizard.ask.party = party
                wizard.transition_erase()

            with self.assertRaises(EraseError):
                erase()
            Member.admit([member])
            with self.assertRaises(EraseError):
                erase()

            today = dt.date.today()
            Member.write([member], {
                    'notice_date': today - dt.timedelta(days=1),
                    'exit_reason': 'transfer',
                    })
            Member.give_notice([member])
            Member.leave([member])
            self.assertEqual(
                member.retention_date, dt.date(today.year + 3, 12, 31))
            with self.assertRaises(EraseError):
                erase()

            membership, = member.memberships
            membership.end_date = dt.date(2010, 1, 1)
            membership.save()
            member = Member(member.id)
            self.assertEqual(member.retention_date, dt.date(2013, 12, 31))
            erase()
            values, = type(party).read([party.id], ['name', 'birth_date'])
            self.assertIsNone(values['name'])
            self.assertIsNone(values['birth_date'])


del ModuleTestCase
