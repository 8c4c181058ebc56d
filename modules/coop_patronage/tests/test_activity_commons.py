# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class CommonsTestCase(PatronageTestCase):
    "Test the use of the commons as activity"

    @with_transaction()
    def test_usage_end_date(self):
        "Test the usages from before the activation get the date of the end"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        company = create_company()
        with set_company(company):
            resource = Resource(
                name="Press", timezone='Europe/Berlin',
                unit=ModelData.get_id('product', 'uom_hour'))
            resource.save()
            self._insert(Usage, [{
                        'company': company.id,
                        'resource': resource.id,
                        'party': company.party.id,
                        'start': dt.datetime(2024, 12, 31, 8),
                        'end': end,
                        'seats': 1,
                        'state': 'confirmed',
                        } for end in [
                        dt.datetime(2024, 12, 31, 22, 59),
                        dt.datetime(2024, 12, 31, 23), None]])
            Usage._fill_end_date()
            self.assertEqual(
                [u.end_date for u in Usage.search([], order=[('id', 'ASC')])],
                [dt.date(2024, 12, 31), dt.date(2025, 1, 1),
                    dt.date(2024, 12, 31)])
