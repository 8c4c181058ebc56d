# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.exceptions import MemberValidationError
from trytond.modules.coop_membership.member_register_report import (
    RegisterColumn)
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.party.exceptions import EraseError
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

START = dt.date(2024, 1, 1)
MAY = dt.date(2024, 5, 1)


class JointTestCase(DatabaseTestCase):
    "Test who holds a membership together, and who uses it"
    module = 'coop_membership'

    def _set_up(self, **values):
        "Return a member, and parties who are none"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        company = create_company()
        with set_company(company):
            configuration = Configuration(1)
            self.assertFalse(configuration.joint_members)
            self.assertFalse(configuration.persons)
            configuration.joint_members = True
            configuration.persons = True
            configuration.save()
            category = create_category(company, **values)
            member, = create_members(company, category, 1, START)
            Member.admit([member])
            parties = Party.create([{'name': name} for name in [
                        "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus"]])
            return company, Member(member.id), parties

    def _add(self, name, member, *parties, **values):
        Member = Pool().get('coop.member')
        Member.write([member], {
                name: [('create', [
                            {'party': p.id, **values} for p in parties])]})
        return Member(member.id)

    @with_transaction()
    def test_holders(self):
        "Test two hold one number and one vote, and all papers are for both"
        pool = Pool()
        Member = pool.get('coop.member')
        Register = pool.get('coop.member.register')
        company, member, (ben, cleo, *_) = self._set_up()
        with set_company(company), \
                Transaction().set_context(
                    date=MAY, category=None, with_left=False):
            number = member.number
            member = self._add('holders', member, ben, start_date=MAY)
            party = member.party
            self.assertEqual(
                member.holders_at(dt.date(2024, 4, 30)), [party])
            self.assertEqual(member.holders_at(MAY), [party, ben])
            self.assertEqual(member.recipients(MAY), [party, ben])
            self.assertEqual(member.names, "Party 0, Ben")
            self.assertEqual(member.rec_name, f"[{number}] Party 0, Ben")
            self.assertEqual(
                Member.search([('rec_name', 'ilike', '%Ben%')]), [member])
            self.assertEqual(
                Member.search([('rec_name', 'ilike', '%Party 0, Ben%')]),
                [member])
            self.assertEqual(
                Member.search([('rec_name', 'not ilike', '%Party 0, Ben%')]),
                [])
            entry, = Register.search([])
            self.assertEqual((entry.number, entry.votes), (number, 1))
            self.assertEqual(
                RegisterColumn('party', {}).get(entry), "Party 0, Ben")
            letter = pool.get('coop.member.confirmation', type='report')
            context = letter.get_context([member], {}, {})
            self.assertEqual(
                [l.party for l in context['letters']], [party, ben])
            for text in context['letters'][0].paragraphs:
                self.assertIn("Party 0, Ben", text)
            # Nobody holds it twice
            for other in [party, ben]:
                with savepoint(), self.assertRaises(MemberValidationError):
                    self._add('holders', member, other, start_date=MAY)
            self._add('holders', member, cleo)
            Erase = pool.get('party.erase', type='wizard')
            session_id, _, _ = Erase.create()
            with self.assertRaisesRegex(EraseError, "belongs to member"):
                Erase(session_id).check_erase_company(ben, company)

    @with_transaction()
    def test_survivor(self):
        """Test the survivor keeps the membership with its number

        As the rules of British societies have it: the first of two joint
        holders dies on 30 April, the other one is the member from 1 May on.
        """
        pool = Pool()
        Holder = pool.get('coop.member.holder')
        Member = pool.get('coop.member')
        Register = pool.get('coop.member.register')
        company, member, (ben, *_) = self._set_up()
        last = MAY - dt.timedelta(1)
        with set_company(company), \
                Transaction().set_context(
                    date=MAY, category=None, with_left=False):
            party, number = member.party, member.number
            with savepoint(), self.assertRaisesRegex(
                    MemberValidationError, number):
                Member.write([member], {'party_end_date': last})
            member = self._add('holders', member, ben, start_date=START)
            Member.write([member], {'party_end_date': last})
            member = Member(member.id)
            self.assertEqual(member.holders_at(last), [party, ben])
            self.assertEqual(member.holders_at(MAY), [ben])
            self.assertEqual(member.recipients(MAY), [ben])
            self.assertEqual(member.rec_name, f"[{number}] Ben")
            self.assertEqual((member.state, member.number), ('member', number))
            # Nor can the last holder end
            with savepoint(), self.assertRaises(MemberValidationError):
                member.holders[0].end_date = last
                member.holders[0].save()
            with savepoint(), self.assertRaises(MemberValidationError):
                Holder.delete(member.holders)
            entry, = Register.search([])
            self.assertEqual((entry.number, entry.votes), (number, 1))
            self.assertEqual(RegisterColumn('party', {}).get(entry), "Ben")
            with Transaction().set_context(date=last):
                entry, = Register.search([])
                self.assertEqual(
                    RegisterColumn('party', {}).get(entry), "Party 0, Ben")

    @with_transaction()
    def test_persons(self):
        "Test a body names five who use what it may, and no sixth"
        company, member, parties = self._set_up(person_limit=5)
        ben, cleo, dora, emil, fay, gus = parties
        with set_company(company):
            member = self._add(
                'persons', member, ben, cleo, dora, emil, start_date=START)
            member = self._add(
                'persons', member, fay, start_date=START, licence="B 123",
                licence_until=dt.date(2024, 4, 30))
            with savepoint(), self.assertRaisesRegex(
                    MemberValidationError, "5 persons at most"):
                self._add('persons', member, gus, start_date=MAY)
            for party in [member.party, ben, emil, fay]:
                self.assertFalse(member.refuse_person(party, START))
            # The licence is out, the other has none, or not for long enough
            for party in [fay, gus]:
                self.assertIn(
                    party.name, member.refuse_person(party, MAY))
            self.assertTrue(
                member.refuse_person(fay, START, dt.date(2024, 5, 1)))
            # One makes room for another
            person, = [p for p in member.persons if p.party == ben]
            person.end_date = dt.date(2024, 4, 30)
            person.save()
            member = self._add('persons', member, gus, start_date=MAY)
            self.assertFalse(member.refuse_person(gus, MAY))
            self.assertTrue(member.refuse_person(ben, MAY))

    @with_transaction()
    def test_off(self):
        "Test everybody may use it as long as no persons are kept"
        company, member, parties = self._set_up()
        with set_company(company):
            configuration = Pool().get('coop.membership.configuration')(1)
            configuration.persons = False
            configuration.save()
            member = member.__class__(member.id)
            self.assertFalse(member.with_persons)
            self.assertFalse(member.refuse_person(parties[0], START))
