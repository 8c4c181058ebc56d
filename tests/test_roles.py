# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from lxml import etree

from trytond.modules.company.tests import create_company
from trytond.modules.coop.tests.roles import ROLES, as_role
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

MEMBERS = {
    'coop.meeting', 'coop.member', 'coop.member.anniversary',
    'coop.member.category', 'coop.member.movement', 'coop.member.office',
    'coop.member.register', 'coop.membership', 'coop.membership.document'}
CAPITAL = {
    'coop.share.call', 'coop.share.capital', 'coop.share.certificate',
    'coop.share.class',
    'coop.share.class.capital',
    'coop.share.distribution', 'coop.share.holding', 'coop.share.move',
    'coop.share.redemption', 'coop.share.revaluation',
    'coop.share.subscription', 'coop.share.transfer', 'coop.share.valuation'}
PATRONAGE = {
    'coop.equity.retain', 'coop.equity.revolvement',
    'coop.equity.statement',
    'coop.patronage.activity', 'coop.patronage.allocation',
    'coop.patronage.category', 'coop.patronage.entry',
    'coop.patronage.reassignment', 'coop.surplus', 'coop.surplus.plan'}
# What everybody needs to book
BOOKINGS = {
    'coop.commons.blackout', 'coop.commons.booking', 'coop.commons.category',
    'coop.commons.resource', 'coop.commons.rule', 'coop.commons.series'}
USE = {
    'coop.commons.billing', 'coop.commons.cost_pool',
    'coop.commons.engagement', 'coop.commons.settlement',
    'coop.commons.tariff', 'coop.commons.usage', 'coop.commons.utilization'}
OTHERS = {
    'coop.commons.authorization', 'coop.commons.engagement.billing',
    'coop.commons.meter', 'coop.commons.rate', 'coop.commons.reading',
    'coop.member.fee.run', 'coop.share.dividend', 'coop.work'}
READ = {
    'staff': BOOKINGS,
    'clerk': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | {
        'coop.commons.authorization', 'coop.work'},
    'accountant': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | USE | OTHERS - {
        'coop.commons.authorization'} | {
            'coop.withheld', 'coop.withholding'},
    'director': MEMBERS | CAPITAL | PATRONAGE | BOOKINGS | USE | OTHERS - {
        'coop.commons.authorization', 'coop.commons.meter'},
    'steward': BOOKINGS | USE | {
        'coop.commons.authorization', 'coop.commons.meter',
        'coop.commons.reading', 'coop.member', 'coop.work'},
    }
WRITE = {
    'staff': {'coop.commons.booking', 'coop.commons.series'},
    'clerk': {
        'coop.commons.booking', 'coop.commons.series', 'coop.meeting',
        'coop.member', 'coop.member.office', 'coop.patronage.reassignment'},
    'accountant': {
        'coop.commons.billing', 'coop.commons.booking',
        'coop.commons.engagement', 'coop.commons.engagement.billing',
        'coop.commons.rate', 'coop.commons.series',
        'coop.commons.settlement',
        'coop.equity.retain', 'coop.equity.revolvement',
        'coop.member.fee.run',
        'coop.patronage.allocation', 'coop.patronage.entry',
        'coop.patronage.reassignment',
        'coop.share.call', 'coop.share.dividend',
        'coop.share.move', 'coop.share.redemption',
        'coop.share.revaluation', 'coop.share.subscription',
        'coop.share.transfer', 'coop.share.valuation', 'coop.surplus',
        'coop.withholding'},
    'director': {
        'coop.commons.booking', 'coop.commons.series', 'coop.meeting',
        'coop.member', 'coop.member.office'},
    'steward': {
        'coop.commons.authorization', 'coop.commons.blackout',
        'coop.commons.booking', 'coop.commons.engagement',
        'coop.commons.meter', 'coop.commons.reading',
        'coop.commons.resource', 'coop.commons.series',
        'coop.commons.usage'},
    }
BOOK = {
    'coop.commons.booking': {
        'confirm', 'change', 'extend', 'shorten', 'start_use', 'finish',
        'cancel'},
    'coop.commons.series': {'confirm', 'cancel'},
    }
MEET = {'coop.meeting': {
        'draft', 'convene', 'open', 'take_proxies', 'close', 'cancel'}}
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
        'coop.equity.retain': {'draft', 'compute', 'post', 'cancel'},
        'coop.equity.revolvement': {'draft', 'compute', 'post', 'cancel'},
        'coop.member.fee.run': {'draft', 'compute', 'invoice'},
        'coop.share.call': {'draft', 'compute', 'post', 'cancel'},
        'coop.share.certificate': {'issue_again'},
        'coop.share.dividend': {'draft', 'compute', 'post', 'cancel'},
        'coop.share.move': {'do', 'reverse'},
        'coop.share.redemption': {'end', 'settle', 'pay', 'cancel'},
        'coop.share.revaluation': {'draft', 'compute', 'post', 'cancel'},
        'coop.share.subscription': {
            'confirm', 'pay', 'certify', 'correct', 'cancel'},
        'coop.share.transfer': {'do', 'cancel'},
        'coop.surplus': {'draft', 'compute', 'accrue', 'post', 'cancel'},
        },
    'director': {
        **BOOK,
        **MEET,
        'coop.commons.rate': {'approve'},
        'coop.commons.settlement': {'approve'},
        'coop.commons.tariff': {'draft', 'approve', 'cancel'},
        'coop.equity.retain': {'draft', 'approve'},
        'coop.equity.revolvement': {'draft', 'approve'},
        'coop.member': NOTICE | {
            'admit', 'reject', 'reconsider', 'exclude', 'readmit',
            'undo_admission'},
        'coop.share.call': {'approve', 'forfeit'},
        'coop.share.dividend': {'approve'},
        'coop.share.redemption': {'approve', 'refuse'},
        'coop.share.revaluation': {'approve'},
        'coop.share.valuation': {'draft', 'approve'},
        'coop.surplus': {'draft', 'approve'},
        },
    'steward': {
        **BOOK,
        'coop.commons.booking': BOOK['coop.commons.booking'] | {'no_show'},
        'coop.commons.engagement': {'draft', 'confirm', 'cancel'},
        'coop.commons.reading': {'do', 'correct'},
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


class RolesTestCase(DatabaseTestCase):
    "Test what each role may see and do"
    module = 'coop'
    maxDiff = None
    extras = EXTRAS

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
            with as_role(role, company):
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
            with self.subTest(role=role), as_role(role, company):
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
            with as_role(role, company):
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
