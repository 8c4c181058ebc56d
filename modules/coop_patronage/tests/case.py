# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest

from sql import Column

from trytond.modules.account.tests import get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.pool import Pool
from trytond.tests.test_tryton import activate_module, drop_db
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

EXTRAS = [
    'account_payment_clearing', 'account_statement_rule', 'analytic_account',
    'timesheet', 'coop_commons']


class PatronageTestCase(unittest.TestCase):
    "A test in a database with the module and all that it works with"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        drop_db()
        activate_module(['coop_patronage', *EXTRAS])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        drop_db()

    def _create_fiscalyear(self, company, year):
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        fiscalyear = set_invoice_sequences(get_fiscalyear(
                company, today=dt.date(year, 1, 1)))
        fiscalyear.save()
        FiscalYear.create_period([fiscalyear])
        return fiscalyear

    def _insert(self, Model, vlist):
        table = Model.__table__()
        cursor = Transaction().connection.cursor()
        names = list(vlist[0])
        for values in grouped_slice(vlist, 500):
            cursor.execute(*table.insert(
                    [Column(table, name) for name in names],
                    [[v[name] for name in names] for v in values]))

    def _create_members(self, names):
        "Return the parties of members since 2020, straight in the tables"
        pool = Pool()
        Member = pool.get('coop.member')
        MemberCategory = pool.get('coop.member.category')
        Membership = pool.get('coop.membership')
        Party = pool.get('party.party')
        company_id = Transaction().context['company']
        category = MemberCategory(name="Users")
        category.save()
        parties = Party.create([{'name': name} for name in names])
        self._insert(Member, [{
                    'company': company_id,
                    'party': party.id,
                    'number': party.name,
                    'application_date': dt.date(2020, 1, 1),
                    'state': 'member',
                    } for party in parties])
        self._insert(Membership, [{
                    'member': member.id,
                    'category': category.id,
                    'start_date': dt.date(2020, 1, 1),
                    } for member in Member.search([])])
        return parties
