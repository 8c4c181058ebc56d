# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re
from pathlib import Path

from lxml import etree

from trytond.model import ModelView
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.pyson import PYSONDecoder, PYSONEncoder
from trytond.tests.test_tryton import with_transaction

# What can be opened or printed from a record
RELATES = {
    'party.party': {'coop.member', 'coop.patronage.allocation'},
    'coop.member': {
        'coop.share.holding', 'coop.share.move', 'coop.share.subscription',
        'coop.share.transfer', 'coop.share.redemption',
        'coop.share.dividend.line', 'coop.share.revaluation.line',
        'coop.share.certificate',
        'coop.patronage.activity', 'coop.patronage.allocation',
        'coop.equity.statement', 'coop.commons.booking',
        'coop.commons.usage', 'coop.commons.usage.charge',
        'coop.meeting.attendance', 'coop.member.statement'},
    'coop.share.call': {'coop.share.call.line'},
    'coop.meeting': {
        'coop.share.call', 'coop.share.dividend', 'coop.share.revaluation',
        'coop.surplus', 'coop.equity.revolvement',
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


class ScreensTestCase(DatabaseTestCase):
    "Test what the screens let do and show"
    module = 'coop'
    extras = EXTRAS

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
    def test_columns(self):
        "Test the web client has a column for each field of each list"
        pool = Pool()
        View = pool.get('ir.ui.view')
        columns = 0
        for view in View.search([
                    ('module', 'like', 'coop%'),
                    ('type', '=', 'tree'),
                    ('inherit', '=', None),
                    ]):
            Model = pool.get(view.model)
            for node in etree.fromstring(view.arch.encode()).iter('field'):
                field = Model._fields[node.get('name')]
                with self.subTest(view=view.rec_name, field=field.name):
                    # There is one for the date and one for the time only
                    self.assertNotIn(
                        node.get('widget', field._type),
                        {'datetime', 'timestamp'})
                    columns += 1
        self.assertGreater(columns, 500)

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
