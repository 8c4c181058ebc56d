# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

START = dt.date(2020, 2, 29)
TODAY = dt.date(2024, 6, 15)


class ContactTestCase(DatabaseTestCase):
    "Test how members are reached, when and why"
    module = 'coop_membership'

    def _admit(self, company):
        members = create_members(
            company, create_category(company), 2, START)
        Pool().get('coop.member').admit(members)
        return members

    @with_transaction()
    def test_contact(self):
        "Test a member is found by what reaches the party"
        pool = Pool()
        Address = pool.get('party.address')
        Member = pool.get('coop.member')
        company = create_company()
        with set_company(company):
            ann, bob = self._admit(company)
            ann.party.email = 'ann@example.com'
            ann.party.phone = '+1 555 0100'
            ann.party.save()
            Address.create([{
                        'party': ann.party.id,
                        'street_unstructured': "Main Street 1",
                        'city': "Springfield",
                        }])
            ann, bob = Member.browse([ann, bob])
            self.assertEqual(ann.email, 'ann@example.com')
            self.assertTrue(ann.phone)
            self.assertIn("Main Street 1, ", ann.address)
            self.assertFalse(bob.email or bob.phone)
            self.assertEqual(
                Member.search([('email', 'ilike', '%example%')]), [ann])
            self.assertEqual(
                Member.search([('phone', 'ilike', '%555%')]), [ann])

    @with_transaction()
    def test_open_amounts(self):
        """Test what a member owes and is owed

        By hand: 60.00 due and 40.00 due later, 15.00 to pay out.
        """
        pool = Pool()
        Account = pool.get('account.account')
        Date = pool.get('ir.date')
        Journal = pool.get('account.journal')
        Member = pool.get('coop.member')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        Sequence = pool.get('ir.sequence.strict')
        Sequence.lock(Sequence.search([]))
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = get_fiscalyear(
                company, start_date=dt.date(2024, 1, 1),
                end_date=dt.date(2024, 12, 31))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
            ann, bob = self._admit(company)

            def account(kind):
                return Account.search([
                        ('company', '=', company.id),
                        (f'type.{kind}', '=', True),
                        ('closed', '!=', True),
                        ('party_required', '=', kind != 'revenue'),
                        ], limit=1)[0].id
            journal, = Journal.search([('type', '=', 'general')], limit=1)
            move, = Move.create([{
                        'company': company.id,
                        'journal': journal.id,
                        'date': dt.date(2024, 5, 1),
                        'period': Period.find(
                            company, date=dt.date(2024, 5, 1)).id,
                        'lines': [('create', [{
                                        'account': account(kind),
                                        'party': ann.party.id,
                                        'debit': Decimal(debit),
                                        'credit': Decimal(credit),
                                        'maturity_date': maturity_date,
                                        } for kind, debit, credit,
                                    maturity_date in [
                                        ('receivable', 60, 0,
                                            dt.date(2024, 6, 14)),
                                        ('receivable', 40, 0, TODAY),
                                        ('payable', 0, 15, TODAY)]] + [{
                                        'account': account('revenue'),
                                        'credit': Decimal(85),
                                        }])],
                        }])
            Move.post([move])
            with patch.object(Date, 'today', lambda timezone=None: TODAY):
                ann, bob = Member.browse([ann, bob])
                self.assertEqual(
                    [ann.receivable, ann.overdue, ann.payable],
                    [Decimal(100), Decimal(60), Decimal(15)])
                self.assertEqual(
                    [bob.receivable, bob.overdue, bob.payable],
                    [Decimal(0)] * 3)
                for domain, found in [
                        (('overdue', '>', 0), [ann]),
                        (('overdue', '>', 60), []),
                        (('receivable', '=', 0), [bob]),
                        (('payable', '>=', Decimal(15)), [ann])]:
                    self.assertEqual(Member.search([domain]), found, domain)

    @with_transaction()
    def test_anniversary(self):
        "Test the birthdays and anniversaries of a month"
        pool = Pool()
        Anniversary = pool.get('coop.member.anniversary')
        Date = pool.get('ir.date')
        Month = pool.get('ir.calendar.month')
        company = create_company()
        with set_company(company):
            ann, bob = self._admit(company)
            ann.party.birth_date = dt.date(1960, 2, 3)
            ann.party.save()
            with patch.object(Date, 'today', lambda timezone=None: TODAY):
                for index, expected in [
                        (2, [
                                (3, ann, 'birthday', 64),
                                (29, ann, 'membership', 4),
                                (29, bob, 'membership', 4)]),
                        (3, [])]:
                    month, = Month.search([('index', '=', index)])
                    with Transaction().set_context(month=month.id):
                        self.assertEqual([
                                (a.day, a.member, a.kind, a.years)
                                for a in Anniversary.search([])], expected)
            # Who has left is not congratulated
            membership, = bob.memberships
            membership.end_date = dt.date(2024, 1, 1)
            membership.save()
            with patch.object(Date, 'today', lambda timezone=None: TODAY):
                self.assertEqual(
                    {a.member for a in Anniversary.search([])}, {ann})
