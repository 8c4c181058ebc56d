# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.coop.check_questions import get_questions
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_commons_cost.tests import test_asset_use
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class QuestionsTestCase(DatabaseTestCase):
    "Test what only somebody can answer is asked"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_idle_asset(self):
        "Test an asset that nobody uses for a year is asked about"
        assets = test_asset_use.AssetUseTestCase()
        with assets.in_company():
            used, idle = (assets._create_resource() for _ in range(2))
            for resource in [used, idle]:
                assets._create_asset(resource, method='linear')
            assets._use(used, dt.date(2024, 12, 31), 1)
            assets._use(idle, dt.date(2024, 1, 1), 1)

            def asked(date):
                return [
                    (d.kind, d.record.resource)
                    for d in get_questions(assets.company, date)
                    if d.record.__name__ == 'account.asset']
            # The first day is still in the first year of the assets
            self.assertEqual(asked(dt.date(2024, 12, 30)), [])
            self.assertEqual(asked(dt.date(2024, 12, 31)), [])
            self.assertEqual(
                asked(dt.date(2025, 1, 1)), [('question', idle)])
            self.assertEqual(
                asked(dt.date(2025, 12, 31)),
                [('question', used), ('question', idle)])

    @with_transaction()
    def test_term(self):
        "Test an open invoice that nobody set a term for is asked about"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        Configuration = pool.get('account.configuration')
        Invoice = pool.get('account.invoice')
        Term = pool.get('account.invoice.payment_term')
        documents = test_asset_use.AssetUseTestCase()
        with documents.in_company():
            def bill():
                billing = documents._make_document('billing')
                Billing.compute([billing])
                Billing.post([billing])
                invoice, = Invoice.search([
                        ('company', '=', documents.company.id),
                        ], order=[('id', 'DESC')], limit=1)
                if invoice.state != 'posted':
                    Invoice.post([invoice])
                return invoice

            def asked():
                return [
                    (d.kind, d.record, d.party) for d in get_questions(
                        documents.company, dt.date(2024, 12, 31))]
            invoice = bill()
            self.assertEqual(asked(), [
                    ('question', invoice, invoice.party)])
            term, = Term.create([{
                        'name': "30 Days",
                        'lines': [('create', [{
                                        'relativedeltas': [('create', [{
                                                        'days': 30,
                                                        }])],
                                        }])],
                        }])
            configuration = Configuration(1)
            configuration.default_customer_payment_term = term
            configuration.save()
            other = bill()
            self.assertNotEqual(other, invoice)
            self.assertEqual(other.payment_term, term)
            self.assertEqual(
                [record for _, record, _ in asked()], [invoice])
