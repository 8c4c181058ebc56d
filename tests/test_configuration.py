# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.check import get_setup
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class ConfigurationTestCase(DatabaseTestCase):
    "Test the configuration of a cooperative"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_configuration(self):
        "Test a second company is configured with its own records"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Configuration = pool.get('coop.configuration', type='wizard')
        FiscalYear = pool.get('account.fiscalyear')
        Member = pool.get('coop.member')
        ModelData = pool.get('ir.model.data')
        Party = pool.get('party.party')
        Plan = pool.get('coop.surplus.plan')
        ShareClass = pool.get('coop.share.class')
        ShareConfiguration = pool.get('coop.share.configuration')
        Subscription = pool.get('coop.share.subscription')
        Surplus = pool.get('coop.surplus')
        Template = pool.get('account.account.template')
        template, = Template.search([
                ('parent', '=', None),
                ('name', 'like', "Universal%"),
                ], limit=1)
        plan = Plan(ModelData.get_id('coop_patronage', 'plan_it'))
        first = create_company()
        company = create_company("Other", currency=first.currency)
        own = [('company', '=', company.id)]
        with set_company(company):
            session, *_ = Configuration.create()
            configure = Configuration(session)
            start = configure.start
            start.company = company
            start.has_chart = start.has_fiscalyear = False
            start.account_template = template
            start.start_date = dt.date(2025, 7, 1)
            start.end_date = dt.date(2026, 6, 30)
            start.category_name = "Users"
            start.notice_months = 3
            start.share_name = "Shares"
            start.share_code = 'A'
            start.par_value = Decimal('100.00')
            start.plan = plan
            configure.transition_configure()
            fiscalyear, = FiscalYear.search(own)
            self.assertEqual(fiscalyear.name, "2025/2026")
            # Who gives notice for a later year leaves at the end of June too
            self.assertEqual(
                pool.get('coop.membership.configuration')(1).get_multivalue(
                    'year_end_month', company=company.id), '6')
            category, = Category.search(own)
            share_class, = ShareClass.search(own)
            self.assertEqual(share_class.par_value, Decimal('100.00'))
            for name in ['capital', 'subscribed', 'redemption']:
                account = getattr(share_class, f'account_{name}')
                self.assertEqual(account.company, company)
            surplus, = Surplus.search(own)
            self.assertEqual(surplus.fiscalyear, fiscalyear)
            self.assertEqual(
                [(l.kind, l.rate) for l in surplus.lines],
                [(l.kind, l.rate) for l in plan.lines])
            # It works at once
            party, = Party.create([{'name': "Ann"}])
            member = Member(
                party=party, company=company,
                application_date=dt.date(2025, 7, 1),
                admission_date=dt.date(2025, 7, 1))
            member.category = Member.default_category()
            member.save()
            self.assertEqual(member.category, category)
            Member.admit([member])
            self.assertEqual(
                Subscription.default_share_class(), share_class.id)
            subscription = Subscription(
                company=company, member=member, share_class=share_class,
                quantity=Decimal(3), date=dt.date(2025, 7, 2))
            subscription.save()
            Subscription.confirm([subscription])
            self.assertEqual(subscription.state, 'confirmed')
            self.assertEqual(
                check_books(company, dt.date(2025, 7, 31)), [])
            # What would refuse the next document is found before
            self.assertEqual(list(get_setup(company)), [])
            sequence = ShareConfiguration(1).get_multivalue(
                'subscription_sequence', company=company.id)
            sequence.number_next = 1
            sequence.save()
            share_class.account_loss.closed = True
            share_class.account_loss.save()
            self.assertEqual([
                    (d.kind, d.record) for d in get_setup(company)],
                [('setup', sequence), ('setup', share_class)])
        for Model in [Category, FiscalYear, ShareClass, Surplus]:
            self.assertFalse(Model.search([('company', '=', first.id)]))
