# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.model.exceptions import ValidationError
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.party.exceptions import EraseError
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import inactive_records


class PartyTestCase(DatabaseTestCase):
    "Test members whose party is erased or replaced"
    module = 'coop_membership'

    @with_transaction()
    def test_erase_party(self):
        "Test a party is erased after the retention"
        pool = Pool()
        Erase = pool.get('party.erase', type='wizard')
        Member = pool.get('coop.member')
        Suspension = pool.get('coop.member.suspension')
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
            suspension, = Suspension.create([{
                        'member': member.id,
                        'start_date': dt.date(2001, 1, 1),
                        'end_date': dt.date(2001, 6, 30),
                        'reason': 'other',
                        'note': "In hospital",
                        }])

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
            values, = Suspension.read([suspension.id], ['note'])
            self.assertIsNone(values['note'])

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
    def test_erase_representative(self):
        "Test who acts for a member is not erased"
        pool = Pool()
        Erase = pool.get('party.erase', type='wizard')
        Party = pool.get('party.party')
        company = create_company()
        with set_company(company):
            guardian, = Party.create([{'name': "Guardian", 'active': False}])
            category = create_category(company)
            member, = create_members(
                company, category, 1, dt.date(2024, 1, 1),
                representatives=[('create', [{
                                'party': guardian.id,
                                'role': 'guardian',
                                }])])
            session_id, _, _ = Erase.create()
            wizard = Erase(session_id)
            wizard.ask.party = guardian
            with self.assertRaisesRegex(EraseError, "Party 0"):
                wizard.transition_erase()
            representative, = member.representatives
            representative.end_date = dt.date(2024, 1, 31)
            representative.save()
            wizard.transition_erase()
            with inactive_records():
                guardian, = Party.search([('id', '=', guardian.id)])
                self.assertFalse(guardian.name)

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
