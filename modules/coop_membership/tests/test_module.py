# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

from sql import From, Join, Query, Select, Table
from sql.aggregate import Max
from sql.conditionals import Coalesce

from trytond.model import ModelSQL, ModelView
from trytond.model.exceptions import (
    AccessButtonError, AccessError, ValidationError)
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import (
    CompanyTestMixin, PartyCompanyCheckEraseMixin, create_company, set_company)
from trytond.modules.coop_membership.exceptions import ExitError, NoticeError
from trytond.modules.coop_membership.member import stays
from trytond.modules.party.exceptions import EraseError
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, check_access


@contextmanager
def count_queries():
    "Count the queries by kind and table"
    queries = Counter()
    iter_ = Query.__iter__

    def counted(query):
        # Any attribute of a select is a column
        table = query.from_ if isinstance(query, Select) else query.table
        while not isinstance(table, Table):
            if isinstance(table, From):
                table, *_ = table
            elif isinstance(table, Join):
                table = table.left
            elif isinstance(table, Select):
                table = table.from_
            else:
                break
        name = table._name if isinstance(table, Table) else None
        queries[query.__class__.__name__, name] += 1
        return iter_(query)

    # Tryton counts the records of a table again at random
    with patch.object(Query, '__iter__', counted), \
            patch('random.random', return_value=1):
        yield queries


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


def insert_applicants(company, category, document, count, date):
    "Insert applicants by SQL as creating them would take most of the time"
    Member = Pool().get('coop.member')
    cursor = Transaction().connection.cursor()

    def insert(model, rows):
        table = Pool().get(model).__table__()
        cursor.execute(*table.select(Coalesce(Max(table.id), 0)))
        last, = cursor.fetchone()
        for sub_rows in grouped_slice(rows, 100):
            sub_rows = list(sub_rows)
            cursor.execute(*table.insert(
                    [getattr(table, n) for n in sub_rows[0]],
                    [list(r.values()) for r in sub_rows]))
        cursor.execute(*table.select(
                table.id, where=table.id > last, order_by=table.id))
        return [id_ for id_, in cursor]

    parties = insert('party.party', [{
                'code': f'{count}-{i}',
                'name': f"Party {i}",
                'active': True,
                } for i in range(count)])
    members = insert('coop.member', [{
                'company': company.id,
                'party': party,
                'state': 'applicant',
                'application_date': date,
                'requested_category': category.id,
                'requested_admission_date': date,
                } for party in parties])
    insert('coop.member.consent', [{
                'member': member,
                'document': document.id,
                'date': date,
                'method': 'signature',
                } for member in members])
    return Member.browse(members)


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

    @with_transaction()
    def test_erase_party_accounting(self):
        "Test a party is kept for the years of the last accounting move"
        pool = Pool()
        Account = pool.get('account.account')
        Configuration = pool.get('coop.membership.configuration')
        Erase = pool.get('party.erase', type='wizard')
        Journal = pool.get('account.journal')
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        Move = pool.get('account.move')
        company = create_company()
        with set_company(company):
            create_chart(company, chart='account.account_template_root_en')
            fiscalyear = get_fiscalyear(company, today=dt.date(2020, 5, 5))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
            category = create_category(company, exit_at='any_day')
            left, rejected = create_members(
                company, category, 2, dt.date(2000, 1, 1))
            Member.reject([rejected])
            Member.admit([left])
            left.notice_date = dt.date(2010, 6, 30)
            left.exit_reason = 'resignation'
            left.save()
            Member.give_notice([left])
            Member.leave([left])
            self.assertEqual(
                Member(left.id).retention_date, dt.date(2013, 12, 31))
            self.assertIsNone(Member(rejected.id).retention_date)

            receivable, = Account.search([
                    ('company', '=', company.id),
                    ('type.receivable', '=', True),
                    ('closed', '!=', True),
                    ], limit=1)
            other, = Account.search([
                    ('company', '=', company.id),
                    ('type.payable', '=', True),
                    ('closed', '!=', True),
                    ], limit=1)
            journal, = Journal.search([('type', '=', 'revenue')], limit=1)

            def post(amount):
                Move.post(Move.create([{
                                'company': company.id,
                                'journal': journal.id,
                                'period': fiscalyear.periods[4].id,
                                'date': dt.date(2020, 5, 5),
                                'lines': [('create', [{
                                                'account': receivable.id,
                                                'party': member.party.id,
                                                'debit': amount,
                                                'credit': Decimal(0),
                                                } for member in [
                                                left, rejected]] + [{
                                                'account': other.id,
                                                'party': company.party.id,
                                                'debit': Decimal(0),
                                                'credit': 2 * amount,
                                                }])],
                                }]))

            def erase(member):
                party = member.party
                party.active = False
                party.save()
                session_id, _, _ = Erase.create()
                wizard = Erase(session_id)
                wizard.ask.party = party
                wizard.transition_erase()

            post(Decimal(10))
            # Ten years after the end of the year of the last move
            for member in [left, rejected]:
                self.assertEqual(
                    Member(member.id).retention_date,
                    dt.date(2030, 12, 31))
                with self.assertRaisesRegex(EraseError, "12/31/2030"):
                    erase(member)
            configuration = Configuration(1)
            configuration.accounting_retention_years = 2
            configuration.save()
            self.assertEqual(
                Member(left.id).retention_date, dt.date(2022, 12, 31))
            # Open items keep it too
            with self.assertRaises(EraseError):
                erase(left)
            post(Decimal(-10))
            for member in [left, rejected]:
                erase(member)
            membership, = Membership.search([('member', '=', left.id)])
            self.assertEqual(membership.end_date, dt.date(2010, 6, 30))

    @with_transaction()
    def test_replace_party(self):
        "Test two members of a company can not become one party"
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Replace = pool.get('party.replace', type='wizard')
        company = create_company()
        with set_company(company):
            category = create_category(company)
            first, second = create_members(
                company, category, 2, dt.date(2024, 1, 1))
            Member.admit([first, second])
            other, = Party.create([{'name': "Party 0"}])

            def replace(source, destination):
                source.name = destination.name
                source.save()
                session_id, _, _ = Replace.create()
                wizard = Replace(session_id)
                wizard.ask.source = source
                wizard.ask.destination = destination
                wizard.transition_replace()

            with self.assertRaises(ValidationError):
                replace(second.party, first.party)
            replace(first.party, other)
            self.assertEqual(
                Member.search([('party', '=', other.id)]), [first])

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
                    lambda member: ["shares are held", "a booking is open"]):
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
                Member.leave_due()
                self.assertEqual({m.state for m in members}, {'leaving'})
            Member.leave_due()
            self.assertEqual(
                [m.state for m in Member.browse(members)],
                ['left', 'leaving'])

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
            'coop.member.register', 'coop.member.movement'}
        members = {
            'coop.member', 'coop.member.consent',
            'coop.member.representative'}
        meetings = {
            'coop.meeting', 'coop.meeting.attendance', 'coop.meeting.item'}
        settings = {
            'coop.member.category', 'coop.membership',
            'coop.membership.document'}
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
                        'readmit'}),
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
                        'state': 'member',
                        }])

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


del ModuleTestCase
