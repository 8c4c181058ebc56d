# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import re
from contextlib import contextmanager
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import polib
from lxml import etree

from trytond.model import ModelSQL, ModelView
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import (
    CompanyTestMixin, create_company, set_company)
from trytond.modules.coop.tests.translations import (
    EXTRAS, LANGUAGES, MODULES, po_path, set_sources)
from trytond.modules.coop_membership.agreement import check_books
from trytond.pool import Pool, isregisteredby
from trytond.pyson import PYSONDecoder, PYSONEncoder
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.transaction import Transaction, check_access

ROLES = {
    'staff': [],
    'clerk': ['coop_membership.group_coop_membership'],
    'accountant': ['coop_membership.group_coop_accounting'],
    'director': ['coop_membership.group_coop_board'],
    'steward': ['coop_commons.group_commons_stewardship'],
    }
MEMBERS = {
    'coop.meeting', 'coop.member', 'coop.member.category',
    'coop.member.movement', 'coop.member.register', 'coop.membership',
    'coop.membership.document'}
CAPITAL = {
    'coop.share.capital', 'coop.share.certificate', 'coop.share.class',
    'coop.share.distribution', 'coop.share.holding', 'coop.share.move',
    'coop.share.redemption', 'coop.share.subscription',
    'coop.share.transfer', 'coop.share.valuation'}
PATRONAGE = {
    'coop.equity.revolvement', 'coop.equity.statement',
    'coop.patronage.activity', 'coop.patronage.allocation',
    'coop.patronage.category', 'coop.patronage.entry',
    'coop.patronage.reassignment', 'coop.surplus', 'coop.surplus.plan'}
# What everybody needs to book
BOOKINGS = {
    'coop.commons.blackout', 'coop.commons.booking', 'coop.commons.category',
    'coop.commons.resource', 'coop.commons.rule'}
USE = {
    'coop.commons.billing', 'coop.commons.cost_pool',
    'coop.commons.engagement', 'coop.commons.settlement',
    'coop.commons.tariff', 'coop.commons.usage', 'coop.commons.utilization'}
OTHERS = {
    'coop.commons.authorization', 'coop.commons.engagement.billing',
    'coop.commons.meter', 'coop.commons.rate', 'coop.commons.reading',
    'coop.share.dividend', 'coop.work'}
READ = {
    'staff': BOOKINGS,
    'clerk': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | {
        'coop.commons.authorization', 'coop.work'},
    'accountant': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | USE | OTHERS - {
        'coop.commons.authorization'},
    'director': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | USE | OTHERS - {
        'coop.commons.authorization', 'coop.commons.meter',
        'coop.commons.reading'},
    'steward': BOOKINGS | USE | {
        'coop.commons.authorization', 'coop.commons.meter',
        'coop.commons.reading', 'coop.member', 'coop.work'},
    }
WRITE = {
    'staff': {'coop.commons.booking'},
    'clerk': {
        'coop.commons.booking', 'coop.meeting', 'coop.member',
        'coop.patronage.reassignment'},
    'accountant': {
        'coop.commons.billing', 'coop.commons.booking',
        'coop.commons.engagement', 'coop.commons.engagement.billing',
        'coop.commons.rate', 'coop.commons.settlement',
        'coop.equity.revolvement', 'coop.patronage.allocation',
        'coop.patronage.entry', 'coop.patronage.reassignment',
        'coop.share.dividend',
        'coop.share.move', 'coop.share.redemption',
        'coop.share.subscription', 'coop.share.transfer',
        'coop.share.valuation', 'coop.surplus'},
    'director': {'coop.commons.booking', 'coop.meeting', 'coop.member'},
    'steward': {
        'coop.commons.authorization', 'coop.commons.blackout',
        'coop.commons.booking', 'coop.commons.engagement',
        'coop.commons.meter', 'coop.commons.reading',
        'coop.commons.resource', 'coop.commons.usage'},
    }
BOOK = {'coop.commons.booking': {'confirm', 'start_use', 'finish', 'cancel'}}
MEET = {'coop.meeting': {'draft', 'convene', 'open', 'close', 'cancel'}}
NOTICE = {'give_notice', 'withdraw_notice', 'change_category', 'leave'}
# Who approves does not post, and who posts does not approve
PRESS = {
    'staff': BOOK,
    'clerk': {**BOOK, **MEET, 'coop.member': NOTICE},
    'accountant': {
        **BOOK,
        'coop.commons.billing': {'draft', 'compute', 'post'},
        'coop.commons.cost_pool': {'propose_rate'},
        'coop.commons.engagement': {'draft', 'confirm', 'cancel'},
        'coop.commons.engagement.billing': {'draft', 'compute', 'post'},
        'coop.commons.rate': {'draft', 'cancel'},
        'coop.commons.settlement': {
            'draft', 'compute', 'post', 'issue', 'cancel'},
        'coop.commons.usage': {'rate'},
        'coop.equity.revolvement': {'draft', 'compute', 'post', 'cancel'},
        'coop.share.certificate': {'issue_again'},
        'coop.share.dividend': {'draft', 'compute', 'post', 'cancel'},
        'coop.share.move': {'do', 'reverse'},
        'coop.share.redemption': {'end', 'settle', 'cancel'},
        'coop.share.subscription': {'confirm', 'pay', 'certify', 'cancel'},
        'coop.share.transfer': {'do', 'cancel'},
        'coop.surplus': {'draft', 'compute', 'accrue', 'post', 'cancel'},
        },
    'director': {
        **BOOK,
        **MEET,
        'coop.commons.rate': {'approve'},
        'coop.commons.settlement': {'approve'},
        'coop.commons.tariff': {'draft', 'approve', 'cancel'},
        'coop.equity.revolvement': {'draft', 'approve'},
        'coop.member': NOTICE | {
            'admit', 'reject', 'reconsider', 'exclude', 'readmit'},
        'coop.share.dividend': {'approve'},
        'coop.share.redemption': {'approve', 'refuse'},
        'coop.share.valuation': {'draft', 'approve'},
        'coop.surplus': {'draft', 'approve'},
        },
    'steward': {
        'coop.commons.booking': BOOK['coop.commons.booking'] | {'no_show'},
        'coop.commons.engagement': {'draft', 'confirm', 'cancel'},
        'coop.commons.reading': {'do'},
        'coop.commons.usage': {
            'draft', 'confirm', 'rate', 'take_back', 'cancel'},
        },
    }
DESK = {
    'staff': set(),
    'clerk': {'menu_work', 'menu_desk_membership'},
    'accountant': {'menu_work', 'menu_desk_accounting'},
    'director': {'menu_work', 'menu_desk_board'},
    'steward': {'menu_work', 'menu_desk_stewardship'},
    }
# What can be opened or printed from a record
RELATES = {
    'party.party': {'coop.member', 'coop.patronage.allocation'},
    'coop.member': {
        'coop.share.holding', 'coop.share.move', 'coop.share.subscription',
        'coop.share.transfer', 'coop.share.redemption',
        'coop.share.dividend.line', 'coop.share.certificate',
        'coop.patronage.activity', 'coop.patronage.allocation',
        'coop.equity.statement', 'coop.commons.booking',
        'coop.commons.usage', 'coop.commons.usage.charge',
        'coop.meeting.attendance', 'coop.member.statement'},
    'coop.meeting': {
        'coop.surplus', 'coop.share.dividend', 'coop.equity.revolvement',
        'coop.commons.rate', 'coop.assembly.report'},
    'coop.surplus': {'coop.patronage.allocation'},
    'coop.commons.resource': {
        'coop.commons.booking', 'coop.commons.usage',
        'coop.commons.usage.charge', 'coop.commons.cost_pool',
        'coop.commons.tariff', 'coop.commons.utilization',
        'coop.commons.occupancy'},
    'coop.commons.cost_pool': {
        'coop.commons.cost_pool.year', 'coop.commons.rate',
        'coop.commons.settlement'},
    'coop.commons.billing': {
        'coop.commons.usage', 'coop.commons.usage.charge'},
    'account.invoice.line': {'coop.commons.usage.charge'},
    }


def allows_empty(domain, name):
    "Return whether the domain is true for a client if the field is empty"
    if not domain:
        return True
    first, *others = domain
    if first in ['AND', 'OR']:
        test = all if first == 'AND' else any
        return test(allows_empty(d, name) for d in others)
    if isinstance(first, str):
        operator, value, *_ = others
        return first != name or {
            '=': value is None,
            '!=': value is not None,
            }.get(operator, operator in {'in', 'not in'})
    return all(allows_empty(d, name) for d in domain)


class CoopTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop module"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    @contextmanager
    def _as(self, role, company):
        "Do as a user of the company in the groups of the role"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        users = User.search([('login', '=', role)])
        if not users:
            users = User.create([{
                        'name': role,
                        'login': role,
                        'companies': [('add', [company.id])],
                        'company': company.id,
                        'groups': [('add', [
                                    ModelData.get_id(*group.split('.'))
                                    for group in ROLES[role]])],
                        }])
        with Transaction().set_user(users[0].id):
            context = User.get_preferences(context_only=True)
            with Transaction().set_context(context), check_access():
                yield

    @with_transaction()
    def test_roles(self):
        "Test what each role may read, write and press"
        pool = Pool()
        Access = pool.get('ir.model.access')
        Button = pool.get('ir.model.button')
        ModelData = pool.get('ir.model.data')
        company = create_company()
        models = set().union(*READ.values())
        self.assertLessEqual(
            {m for p in PRESS.values() for m in p}, models)

        def may_press(groups, name, button):
            required = Button.get_groups(name, button)
            return (groups & required if required
                else Access.check(name, 'write', raise_exception=False))

        for role, names in ROLES.items():
            groups = {ModelData.get_id(*name.split('.')) for name in names}
            with self._as(role, company):
                for mode, expected in [('read', READ), ('write', WRITE)]:
                    with self.subTest(role=role, mode=mode):
                        self.assertEqual({
                                m for m in models
                                if Access.check(
                                    m, mode, raise_exception=False)},
                            expected[role])
                pressed = {}
                for name in models:
                    buttons = {
                        b for b in getattr(pool.get(name), '_buttons', {})
                        if may_press(groups, name, b)}
                    if buttons:
                        pressed[name] = buttons
                with self.subTest(role=role):
                    self.assertEqual(pressed, PRESS[role])

    @with_transaction()
    def test_desk_menu(self):
        "Test each role finds its desk and no other"
        pool = Pool()
        Menu = pool.get('ir.ui.menu')
        ModelData = pool.get('ir.model.data')
        company = create_company()
        menus = {
            ModelData.get_id('coop', name): name
            for name in set().union(*DESK.values())}
        for role, expected in DESK.items():
            with self.subTest(role=role), self._as(role, company):
                self.assertEqual({
                        menus[m.id] for m in Menu.search([
                                ('id', 'in', list(menus)),
                                ])}, expected)

    @with_transaction()
    def test_desk_boards(self):
        "Test the role of a board may read all that is on it"
        pool = Pool()
        Access = pool.get('ir.model.access')
        ActWindow = pool.get('ir.action.act_window')
        View = pool.get('ir.ui.view')
        company = create_company()
        for role, name in [
                ('clerk', 'membership'),
                ('accountant', 'accounting'),
                ('director', 'board'),
                ('steward', 'stewardship'),
                ]:
            with self._as(role, company):
                board = ActWindow.get(f'coop.act_desk_{name}')
                (view, type_), = board['views']
                self.assertEqual(type_, 'board')
                arch = View(view).view_get()['arch']
                for element in etree.fromstring(arch).iter('action'):
                    action = ActWindow.get(element.get('name'))
                    with self.subTest(role=role, action=action['name']):
                        self.assertTrue(Access.check(
                                action['res_model'], 'read',
                                raise_exception=False))

    @with_transaction()
    def test_optional(self):
        """Test the clients let be empty what need not be filled in

        Unlike the server, they test the domains of empty fields too.
        """
        pool = Pool()
        empty = []
        for name, Model in pool.iterobject():
            if not (name.startswith('coop.') and issubclass(Model, ModelView)):
                continue
            values = dict.fromkeys(Model._fields)
            values.update(Model.default_get(
                    list(Model._fields), with_rec_name=False))
            for field_name, field in Model._fields.items():
                if field.required or field.readonly:
                    continue
                decoder = PYSONDecoder({**values, field_name: None})
                domain = decoder.decode(PYSONEncoder().encode(field.domain))
                states = decoder.decode(PYSONEncoder().encode(field.states))
                if (not states.get('required')
                        and not allows_empty(domain, field_name)):
                    empty.append(f'{name}.{field_name}')
        self.assertEqual(empty, [])

    @with_transaction()
    def test_configuration(self):
        "Test a second company is configured with its own records"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Check = pool.get('coop.check', type='wizard')
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
            self.assertEqual(list(Check.get_setup(company)), [])
            sequence = ShareConfiguration(1).get_multivalue(
                'subscription_sequence', company=company.id)
            sequence.number_next = 1
            sequence.save()
            share_class.account_loss.closed = True
            share_class.account_loss.save()
            self.assertEqual([
                    (d.kind, d.record) for d in Check.get_setup(company)],
                [('setup', sequence), ('setup', share_class)])
        for Model in [Category, FiscalYear, ShareClass, Surplus]:
            self.assertFalse(Model.search([('company', '=', first.id)]))

    @with_transaction()
    def test_work(self):
        "Test what waits is shown to those who can do it"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        Open = pool.get('coop.work.open', type='wizard')
        Party = pool.get('party.party')
        Work = pool.get('coop.work')
        companies = [create_company()]
        companies.append(create_company(
                "Other", currency=companies[0].currency))
        for company in companies:
            with set_company(company):
                category, = Category.create([{
                            'name': "Users",
                            'company': company.id,
                            'exit_at': 'any_day',
                            }])
                parties = Party.create([
                        {'name': f"{company.party.name} {name}"}
                        for name in ["Applicant", "Leaver"]])
                applicant, leaver = Member.create([{
                            'company': company.id,
                            'party': party.id,
                            'category': category.id,
                            'application_date': dt.date(2024, 1, 1),
                            'admission_date': dt.date(2024, 1, 1),
                            } for party in parties])
                Member.admit([leaver])
                leaver.notice_date = dt.date(2024, 5, 31)
                leaver.exit_reason = 'resignation'
                leaver.save()
                Member.give_notice([leaver])
                meeting, = Meeting.create([{
                            'company': company.id,
                            'kind': 'ordinary',
                            'date': dt.date(2024, 4, 30),
                            }])
            admit = ('admit', applicant, dt.date(2024, 1, 1), False)
            leave = ('leave', leaver, dt.date(2024, 5, 31), True)
            hold = ('meeting', meeting, dt.date(2024, 4, 30), True)
            for role, expected in [
                    ('clerk', [hold, leave]),
                    ('director', [admit]),
                    ('accountant', []),
                    ('steward', []),
                    ]:
                login = f'{role} {company.id}'
                ROLES[login] = ROLES[role]
                with self.subTest(role=role, company=company.id), \
                        self._as(login, company):
                    works = Work.search([])
                    self.assertEqual([
                            (w.kind, w.record, w.date, w.overdue)
                            for w in works], expected)
                    self.assertEqual(
                        Work.search([('overdue', '=', True)]),
                        [w for w in works if w.overdue])
                    self.assertEqual(
                        Work.search([('overdue', '=', False)]),
                        [w for w in works if not w.overdue])
                    for work in works:
                        session, *_ = Open.create()
                        with Transaction().set_context(
                                active_model='coop.work',
                                active_id=work.id, active_ids=[work.id]):
                            result = Open.execute(session, {}, 'open_')
                        (action, data), = result['actions']
                        self.assertEqual(
                            action['res_model'], work.record.__name__)
                        self.assertEqual(data['res_id'], work.record.id)
                del ROLES[login]

    @with_transaction()
    def test_relates(self):
        "Test records lead to what belongs to them"
        pool = Pool()
        Keyword = pool.get('ir.action.keyword')
        names = {
            'ir.action.act_window': 'res_model',
            'ir.action.wizard': 'wiz_name',
            'ir.action.report': 'report_name',
            }
        for model, targets in RELATES.items():
            found = set()
            for keyword in Keyword.search([
                        ('model', 'like', f'{model},%'),
                        ('keyword', 'in', ['form_relate', 'form_print']),
                        ]):
                Action = pool.get(keyword.action.type)
                action, = Action.search([
                        ('action', '=', keyword.action.id),
                        ])
                found.add(getattr(action, names[Action.__name__]))
            with self.subTest(model=model):
                self.assertLessEqual(targets, found)

    @with_transaction()
    def test_documentation(self):
        "Test what the documentation tells to click is on a screen"
        pool = Pool()
        Menu = pool.get('ir.ui.menu')
        View = pool.get('ir.ui.view')
        menus = set()
        for menu in Menu.search([]):
            path = [menu.name]
            menus.add(menu.name)
            while menu.parent:
                menu = menu.parent
                path.insert(0, menu.name)
            menus.add(' --> '.join(path))
        labels = {'Create...', 'Save'}  # Of the client
        for name, field in [
                ('ir.action', 'name'),
                ('ir.action.act_window.domain', 'name'),
                ('ir.model', 'string'),
                ('ir.model.button', 'string'),
                ('ir.model.field', 'string'),
                ]:
            labels |= {getattr(r, field) for r in pool.get(name).search([])}
        for _, Model in pool.iterobject():
            for field in Model._fields.values():
                selection = getattr(field, 'selection', None)
                if isinstance(selection, (list, tuple)):
                    labels.update(string for _, string in selection)
        for _, Wizard in pool.iterobject(type='wizard'):
            for state in Wizard.states.values():
                labels |= {b.string for b in getattr(state, 'buttons', [])}
        for view in View.search([]):
            if view.arch:
                arch = etree.fromstring(view.arch.encode())
                labels.update(arch.xpath('//@string'))
        for path in (Path(__file__).parents[1] / 'doc').glob('*.rst'):
            text = ' '.join(path.read_text().split())
            for role, names in [
                    ('menuselection', menus), ('guilabel', labels)]:
                for name in re.findall(f':{role}:`([^`]+)`', text):
                    with self.subTest(path=path.name, name=name):
                        self.assertIn(name, names)

    @with_transaction()
    def test_report_languages(self):
        "Test the report to the assembly is printed in each language"
        pool = Pool()
        Report = pool.get('coop.assembly.report', type='report')
        Translation = pool.get('ir.translation')
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = get_fiscalyear(company)
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])

            def print_texts(language):
                with Transaction().set_context(language=language):
                    extension, content, *_ = Report.execute([fiscalyear.id], {
                            'model': 'account.fiscalyear',
                            'ids': [fiscalyear.id],
                            'meeting': None,
                            })
                self.assertEqual(extension, 'odt')
                with ZipFile(BytesIO(content)) as document:
                    tree = etree.fromstring(document.read('content.xml'))
                return {' '.join(t.split()) for t in tree.itertext()}

            printed = print_texts('en')
            self.assertIn("Balance Sheet", printed)
            for language in LANGUAGES:
                path = str(po_path('coop', language))
                Translation.translation_import(language, 'coop', path)
                translated = [
                    e.msgstr for e in polib.pofile(path)
                    if e.msgctxt == 'report:coop.assembly.report:'
                    and e.msgid in printed]
                self.assertGreater(len(translated), 20)
                self.assertEqual(
                    set(translated) - print_texts(language), set())

    @with_transaction()
    def test_translations(self):
        "Test every text is translated with the same placeholders"
        Translation = Pool().get('ir.translation')

        def texts(source):
            return {(e.msgctxt, e.msgid): e for e in polib.pofile(source)}

        set_sources()
        for module in MODULES:
            sources = texts(
                Translation.translation_export('en', module).decode())
            for language in LANGUAGES:
                with self.subTest(module=module, language=language):
                    entries = texts(str(po_path(module, language)))
                    self.assertEqual(
                        entries.keys() ^ sources.keys(), set(),
                        "bin/translations")
                    self.assertEqual([
                            key for key, entry in entries.items()
                            if not entry.translated()], [])
                    self.assertEqual([
                            key for key, entry in entries.items()
                            if placeholders(entry.msgid)
                            != placeholders(entry.msgstr)], [])


def placeholders(text):
    return sorted(re.findall(r'%\(\w+\)\w|%%', text))


del ModuleTestCase
