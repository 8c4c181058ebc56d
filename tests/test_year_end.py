# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.account.tests import create_chart
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.company_setup import create_fiscalyear
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop.year_end import STEPS
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class YearEndTestCase(DatabaseTestCase):
    "Test the assistant knows what is left at the end of a year"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_steps(self):
        "Test each step has its state and opens its screen"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        YearEnd = pool.get('coop.year_end')
        company = create_company()
        with set_company(company):
            create_chart(company)
            create_fiscalyear(
                company, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
            fiscalyear, = FiscalYear.search([])
            with Transaction().set_context(
                    company=company.id, fiscalyear=fiscalyear.id):
                steps = YearEnd.search([])
                self.assertEqual(
                    [s.step for s in steps], [name for name, *_ in STEPS])
                states = {s.step: s.state for s in steps}
                for step in steps:
                    with self.subTest(step=step.step):
                        action = YearEnd.do([step])
                        self.assertIn(action['type'], {
                                'ir.action.act_window', 'ir.action.wizard'})
            self.assertEqual(
                {name for name, state in states.items() if state == 'todo'},
                {'meeting', 'appropriation', 'lock', 'next_year'})
            self.assertEqual(
                {name for name, state in states.items() if state == 'any'},
                {'papers', 'audit'})

    @with_transaction()
    def test_renewed(self):
        "Test a year that is renewed can be closed as the one before"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        Renew = pool.get('account.fiscalyear.renew', type='wizard')
        company = create_company()
        with set_company(company):
            create_chart(company)
            create_fiscalyear(
                company, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
            fiscalyear, = FiscalYear.search([])
            session, *_ = Renew.create()
            renew = Renew(session)
            renew.start.previous_fiscalyear = fiscalyear
            renew.start.name = "2026"
            renew.start.start_date = dt.date(2026, 1, 1)
            renew.start.end_date = dt.date(2026, 12, 31)
            renew.start.reset_sequences = False
            renewed = renew.create_fiscalyear()
            period, = [p for p in renewed.periods if p.type == 'adjustment']
            self.assertEqual(
                [period.start_date, period.end_date],
                [dt.date(2026, 12, 31)] * 2)
            self.assertEqual(len(renewed.periods), 13)
