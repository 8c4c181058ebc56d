# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from unittest.mock import patch

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons.exceptions import AddressError, RejectedError
from trytond.modules.coop_commons_cost.tests.documents import (
    CommonsCostDocuments)
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import create_members
from trytond.pool import Pool
from trytond.tests.test_tryton import (
    activate_module, drop_db, with_transaction)


class EngagementTestCase(CommonsCostDocuments, unittest.TestCase):
    "Test what a member has engaged"

    @classmethod
    def setUpClass(cls):
        drop_db()
        activate_module('coop_commons_cost')

    @classmethod
    def tearDownClass(cls):
        drop_db()

    @with_transaction()
    def test_rejected(self):
        "Test what an applicant has engaged ends when he is rejected"
        pool = Pool()
        Date = pool.get('ir.date')
        Engagement = pool.get('coop.commons.engagement')
        Member = pool.get('coop.member')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            applicant, = create_members(
                self.company, self._members[0].category, 1)
            cost_pool = self._create_cost_pool()
            running, later, draft, again = Engagement.create([{
                        'company': self.company.id,
                        'cost_pool': cost_pool.id,
                        'member': applicant.id,
                        'units': 10,
                        'start_date': dt.date(year, 1, 1),
                        'end_date': dt.date(2026, 12, 31),
                        } for year in [2024, 2025, 2024, 2024]])
            Engagement.confirm([running, later])
            Engagement.cancel([again])
            with patch.object(
                    Date, 'today', return_value=dt.date(2024, 3, 31)):
                Member.reject([Member(applicant.id)])
            self.assertEqual(
                [Engagement(e.id).state for e in [running, later, draft]],
                ['confirmed', 'cancelled', 'cancelled'])
            self.assertEqual(
                Engagement(running.id).end_date, dt.date(2024, 3, 31))
            again = Engagement(again.id)
            again.draft([again])
            with self.assertRaises(RejectedError):
                again.confirm([again])

    @with_transaction()
    def test_no_address(self):
        "Test who can not be invoiced is named"
        pool = Pool()
        Address = pool.get('party.address')
        Billing = pool.get('coop.commons.engagement.billing')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            billing = self.make(Billing, 'computed')
            Address.delete(Address.search([]))
            with self.assertRaisesRegex(
                    AddressError, "Party .* has no address"), savepoint():
                Billing.post([billing])
