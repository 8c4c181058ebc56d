# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal

from trytond.convert import TrytondXmlHandler
from trytond.model import ModelSingleton
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.account_proposal import Chart
from trytond.modules.coop.assembly import Assembly
from trytond.modules.coop.audit import Audit
from trytond.modules.coop.company_setup import (
    create_fiscalyear, create_share_class)
from trytond.modules.coop.datev import write_datev
from trytond.modules.coop.exceptions import DatevError
from trytond.modules.coop.tests.cooperative import configure, create_own_chart
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.document import collect
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.tools import file_open
from trytond.transaction import Transaction

OWN = ['coop_shares', 'coop_patronage', 'coop_commons', 'coop_commons_cost']
DAY = dt.date(2025, 3, 1)


class ChartTestCase(DatabaseTestCase):
    "Test a cooperative is configured with any chart of accounts"
    module = 'coop'
    extras = EXTRAS

    def subscribe(self, company):
        "Let a member subscribe three shares"
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        ShareClass = pool.get('coop.share.class')
        Subscription = pool.get('coop.share.subscription')
        party, = Party.create([{'name': "Ann"}])
        member = Member(
            party=party, company=company, application_date=DAY,
            admission_date=DAY)
        member.category = Member.default_category()
        member.save()
        Member.admit([member])
        share_class, = ShareClass.search([
                ('company', '=', company.id), ('code', '=', 'A')])
        subscription = Subscription(
            company=company, member=member, share_class=share_class,
            quantity=Decimal(3), date=DAY)
        subscription.save()
        Subscription.confirm([subscription])
        self.assertEqual(check_books(company, DAY), [])
        return subscription

    @with_transaction()
    def test_universal(self):
        "Test the universal chart is complete in each of its languages"
        pool = Pool()
        AccountType = pool.get('account.account.type')
        ModelData = pool.get('ir.model.data')
        Template = pool.get('account.account.template')
        for language in ['de', 'es', 'fr']:
            self._load(language)
        first = create_company()
        for language in ['en', 'de', 'es', 'fr']:
            company = create_company(
                language, currency=first.currency)
            template = Template(ModelData.get_id(
                    'account', f'account_template_root_{language}'))
            with set_company(company):
                asked = configure(company, template)
                # All of it is there
                self.assertEqual(asked, {})
                self.assertEqual(Chart(company).missing, [])
                subscription = self.subscribe(company)
                with Transaction().set_context(
                        date=DAY, cumulate=True, posted=True):
                    shown = {
                        t.template.id: t.amount
                        for t in AccountType.search([
                                ('company', '=', company.id),
                                ('statement', '=', 'balance'),
                                ]) if t.template}

                def amount(name, shown=shown, language=language):
                    return shown[ModelData.get_id(
                            'coop_shares',
                            f'account_type_template_{name}_{language}')]
                # The balance sheet has a line for each
                self.assertEqual(
                    amount('called_capital'), Decimal('300.00'))
                capital = subscription.share_class.account_capital
                self.assertEqual(
                    capital.type.template.id, ModelData.get_id(
                        'coop_shares', 'account_type_template_'
                        f'subscribed_capital_{language}'))

    @staticmethod
    def _load(language):
        "Load the charts of the language, as its translations do"
        pool = Pool()
        for module in ['account', *OWN]:
            parser = TrytondXmlHandler(
                pool, module, 'to activate', [module], [language])
            name = f'{module}/account_chart_{language}.xml'
            with file_open(name, 'rb') as file:
                parser.parse_xmlstream(file, base_path=module)

    @with_transaction()
    def test_own(self):
        "Test a small chart made by hand"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        FiscalYear = pool.get('account.fiscalyear')
        ShareClass = pool.get('coop.share.class')
        Type = pool.get('account.account.type')
        company = create_company()
        with set_company(company):
            accounts = create_own_chart(company)
            reserve, costs = accounts['3000'], accounts['5000']
            asked = configure(company)
            # What is called the same is found
            self.assertEqual(asked['reserve']['account'], reserve.id)
            # The rest is proposed beside its like, with codes of their own
            self.assertEqual(asked['capital']['type'], reserve.type.id)
            self.assertEqual(
                Type(asked['redemption']['type']).name, "Debts")
            self.assertEqual(
                Type(asked['subscribed']['type']).name, "Assets")
            self.assertEqual(
                asked['patronage_expense']['type'], costs.type.id)
            self.assertEqual(asked['capital']['code'], '3001')
            codes = [l['code'] for l in asked.values() if l['code']]
            self.assertEqual(len(codes), len(set(codes)))
            # and is there, for the modules to use
            share_class, = ShareClass.search([])
            self.assertEqual(share_class.account_capital.code, '3001')
            self.assertEqual(
                share_class.account_capital.type.parent, reserve.type)
            self.assertTrue(share_class.account_redemption.type.payable)
            self.assertEqual(
                share_class.account_redemption.type.parent,
                accounts['2000'].type.parent)
            configuration = Configuration(1)
            for name in Configuration._fields:
                if name.startswith('account_'):
                    with self.subTest(name=name):
                        self.assertTrue(configuration.get_multivalue(
                                name, company=company.id))
            self.assertEqual(
                configuration.get_multivalue(
                    'account_reserve', company=company.id), reserve)
            self.assertTrue(pool.get('coop.commons.configuration')(1)
                .get_multivalue(
                    'internal_charge_account', company=company.id))
            self.assertEqual(Chart(company).missing, [])

            # Another class has a line of its own in the balance sheet
            create_share_class(
                company, "More", 'B', Decimal('50.00'), Chart(company))
            other, = ShareClass.search([('code', '=', 'B')])
            self.assertEqual(other.account_capital.code, '3001B')
            self.assertEqual(
                other.account_capital.type.parent,
                share_class.account_capital.type)
            # A class without an account leaves it to the other
            key = 'coop_shares', 'account_template_premium'
            premium = other.account_premium
            share_class.account_premium = None
            share_class.save()
            self.assertEqual(Chart(company).configured.get(key), premium)

            # The year adds up for the auditor
            self.subscribe(company)
            fiscalyear, = FiscalYear.search([])
            audit = Audit(fiscalyear)
            self.assertEqual(
                [r[1:] for r in audit.control.rows if r[-1]], [])
            self.assertEqual(
                audit.trial_balance.rows[-1][2:],
                [0, Decimal('300.00'), Decimal('300.00'), 0])
            item, = audit.open_items.rows
            self.assertEqual(item[9:], [
                    Decimal('300.00'), None, None, None, None,
                    Decimal('300.00'), None])
            share, = audit.shares.rows
            self.assertEqual(
                [share[0], *share[3:5], *share[-2:]],
                ['A', 0, Decimal('300.00'), Decimal('300.00'), 3])
            self.assertTrue(all(len(t.columns) == len(r)
                    for t in audit.tables for r in t.rows))
            # Also of a class that nobody subscribes any more
            checks = audit.control.rows
            share_class.active = False
            share_class.save()
            self.assertEqual(Audit(fiscalyear).control.rows, checks)

            # and for the tax adviser who continues the books
            content, postings = write_datev(
                fiscalyear, audit.moves, 1001, 7,
                now=dt.datetime(2026, 2, 1, 12, 30))
            self.assertEqual(postings, 1)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                self.assertEqual(
                    archive.namelist(), ['EXTF_Buchungsstapel_1.csv'])
                text = archive.read(
                    'EXTF_Buchungsstapel_1.csv').decode('utf-8-sig')
            header, columns, row = list(csv.reader(
                    io.StringIO(text), delimiter=';'))
            self.assertEqual(header[:6], [
                    'EXTF', '700', '21', 'Buchungsstapel', '13',
                    '20260201123000000'])
            self.assertEqual(header[10:16], [
                    '1001', '7', '20250101', '4', '20250101', '20251231'])
            self.assertEqual(
                [len(header), len(columns), len(row)], [31, 125, 125])
            row = dict(zip(columns, row))
            self.assertEqual(
                [row[c] for c in [
                        'Umsatz (ohne Soll/Haben-Kz)',
                        'Soll/Haben-Kennzeichen', 'Konto',
                        'Gegenkonto (ohne BU-Schlüssel)', 'Belegdatum']],
                ['300,00', 'S', share_class.account_subscribed.code, '3001',
                    '0103'])
            self.assertIn("× A", row['Buchungstext'])
            share_class.account_capital.code = '3.001'
            share_class.account_capital.save()
            with self.assertRaisesRegex(DatevError, r'3\.001'):
                write_datev(fiscalyear, audit.moves, 1001, 7)

    @with_transaction()
    def test_notice(self):
        "Test shares under notice are equity until the exit, and shown apart"
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        ModelData = pool.get('ir.model.data')
        Redemption = pool.get('coop.share.redemption')
        Template = pool.get('account.account.template')
        company = create_company()
        with set_company(company):
            configure(company, Template(ModelData.get_id(
                        'account', 'account_template_root_en')))
            create_fiscalyear(
                company, dt.date(2026, 1, 1), dt.date(2026, 12, 31))
            subscription = self.subscribe(company)
            share_class = subscription.share_class
            end = dt.date(2025, 12, 31)
            redemption = Redemption(
                company=company, member=subscription.member,
                share_class=share_class, quantity=Decimal(1),
                request_date=DAY, end_date=end)
            redemption.save()
            Redemption.approve([redemption])
            years = FiscalYear.search([
                    ('company', '=', company.id),
                    ], order=[('start_date', 'ASC')])

            def shown(year):
                rows = Assembly(year).balance_sheet
                (i, capital), = [
                    (i, r) for i, r in enumerate(rows)
                    if r.type == share_class.account_capital.type]
                notice = rows[i + 1]
                return capital.amount, (
                    notice.amount
                    if notice.name == "of which shares under notice"
                    else None)

            self.assertEqual(
                shown(years[0]), (Decimal('300.00'), Decimal('100.00')))
            Redemption.end([Redemption(redemption.id)])
            # Who left with the year is in its balance sheet still
            self.assertEqual(
                shown(years[0]), (Decimal('300.00'), Decimal('100.00')))
            self.assertEqual(shown(years[1]), (Decimal('200.00'), 0))

    @with_transaction()
    def test_update(self):
        "Test the chart of a company that is there already is updated"
        pool = Pool()
        Account = pool.get('account.account')
        ModelData = pool.get('ir.model.data')
        ShareClass = pool.get('coop.share.class')
        Template = pool.get('account.account.template')
        Type = pool.get('account.account.type')
        UpdateChart = pool.get('account.update_chart', type='wizard')
        template = Template(ModelData.get_id(
                'account', 'account_template_root_en'))
        company = create_company()
        own = [('company', '=', company.id)]
        with set_company(company):
            configure(company, template)
            chart = Chart(company)
            create_share_class(company, "More", 'B', Decimal('50.00'), chart)
            other, = ShareClass.search([('code', '=', 'B')])
            self.subscribe(company)
            # As it was before the accounts of the funds came
            keys = [
                key for key, t in chart.needed.items()
                if t.name == "Funds Owed" or key[0] == 'coop_commons']
            missing = [chart.get_account(key) for key in keys]
            self.assertTrue(missing)
            codes = sorted(a.code for a in missing)
            for Model in collect('_chart_accounts'):
                for field, key in Model._chart_accounts.items():
                    if (key in keys
                            and issubclass(Model, ModelSingleton)):
                        Model(1).set_multivalue(
                            field, None, company=company.id)
            Account.delete(missing)
            # One is called otherwise here
            capital = other.account_capital
            before = {
                a.id: (a.code, a.name, a.type.id if a.type else None)
                for a in Account.search(own)}
            types = {t.id: t.parent.id if t.parent else None
                for t in Type.search(own)}

            root, = Account.search([own, ('parent', '=', None)])
            session, *_ = UpdateChart.create()
            update = UpdateChart(session)
            update.start.account = root
            update.transition_update()

            after = {
                a.id: (a.code, a.name, a.type.id if a.type else None)
                for a in Account.search(own)}
            # What was there is as it was
            self.assertEqual(
                {id_: after.get(id_) for id_ in before}, before)
            self.assertEqual(
                {t.id: t.parent.id if t.parent else None
                    for t in Type.search(own)}, types)
            self.assertEqual(ShareClass(other.id).account_capital, capital)
            # and what is new is there, once
            self.assertEqual(
                sorted(after[id_][0] for id_ in after.keys() - before.keys()),
                codes)
            self.assertEqual(Chart(company).missing, [])
            self.assertEqual(check_books(company, DAY), [])
