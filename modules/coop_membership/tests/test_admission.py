# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from unittest.mock import patch

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import (
    create_category, insert_applicants)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class AdmissionTestCase(DatabaseTestCase):
    "Test the admission of members"
    module = 'coop_membership'

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
