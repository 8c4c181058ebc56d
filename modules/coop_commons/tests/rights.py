# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The rights of the groups and the walls between companies, for the tests of
the modules of the commons"""
from collections import defaultdict
from contextlib import contextmanager

from trytond.model import ModelSingleton, ModelSQL, ModelView
from trytond.model.exceptions import AccessButtonError, AccessError
from trytond.modules.company.tests import create_company, set_company
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

GROUPS = {
    'admin': 'coop_membership.group_coop_admin',
    'membership': 'coop_membership.group_coop_membership',
    'accounting': 'coop_membership.group_coop_accounting',
    'board': 'coop_membership.group_coop_board',
    'stewardship': 'coop_commons.group_commons_stewardship',
    }


class RightsTestMixin:
    "Test who may do what with the models of the module"
    # By model, who may read, write, create and delete
    rights = {}
    # By model, which group may press which buttons
    buttons = {}

    def _iter_models(self):
        "Yield the models of the module, not those it extends"
        for name, model in Pool().iterobject():
            if (isregisteredby(model, self.module)
                    and (self.module == 'coop_commons'
                        or not isregisteredby(model, 'coop_commons'))
                    and name.startswith('coop.commons.')
                    and issubclass(model, ModelView)):
                yield name.removeprefix('coop.commons.'), model

    def _create_user(self, name, company, *groups):
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        user, = User.create([{
                    'name': name,
                    'login': f'commons-{name}',
                    'companies': [('add', [company.id])],
                    'company': company.id,
                    'groups': [('add', [
                                ModelData.get_id(GROUPS[group])
                                for group in groups])],
                    }])
        return user

    def _create_users(self, company):
        "Return a user without a group and one of each"
        return {
            group: self._create_user(
                group or 'employee', company, *filter(None, [group]))
            for group in [None, *GROUPS]}

    @contextmanager
    def _as_user(self, user):
        User = Pool().get('res.user')
        with Transaction().set_user(user.id):
            context = User.get_preferences(context_only=True)
            with Transaction().set_context(context), check_access():
                yield

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights and is in one company"
        pool = Pool()
        Access = pool.get('ir.model.access')
        RuleGroup = pool.get('ir.rule.group')
        models = {a.model for a in Access.search([])}
        walls = {
            g.model for g in RuleGroup.search([('global_p', '=', True)])}
        for name, model in self._iter_models():
            if issubclass(model, ModelSQL):
                with self.subTest(model=name):
                    self.assertTrue(
                        model.__access__ or model.__name__ in models)
                    if not issubclass(model, ModelSingleton):
                        self.assertTrue(
                            model.__access__ or model.__name__ in walls)

    @with_transaction()
    def test_access_groups(self):
        "Test what each group may read, write, create and delete"
        ModelAccess = Pool().get('ir.model.access')
        users = self._create_users(create_company())
        for group, user in users.items():
            with self._as_user(user):
                for model, rights in self.rights.items():
                    expected = rights.get(None, '')
                    if group:
                        expected = rights.get(group, expected)
                    with self.subTest(group=group, model=model):
                        self.assertEqual([
                                mode for mode in [
                                    'read', 'write', 'create', 'delete']
                                if ModelAccess.check(
                                    f'coop.commons.{model}', mode,
                                    raise_exception=False)],
                            [mode for mode in [
                                    'read', 'write', 'create', 'delete']
                                if mode[0] in expected])
        self.assertEqual(
            self.rights.keys(), {
                name for name, model in self._iter_models()
                if issubclass(model, ModelSQL) and not model.__access__})

    @with_transaction()
    def test_button_groups(self):
        "Test which group may press which button"
        pool = Pool()
        Button = pool.get('ir.model.button')
        ModelData = pool.get('ir.model.data')
        groups = {
            ModelData.get_id(id_): name for name, id_ in GROUPS.items()}
        pressed = defaultdict(lambda: defaultdict(set))
        for name, model in self._iter_models():
            for button in getattr(model, '_buttons', {}):
                for group in Button.get_groups(
                        model.__name__, button) or [None]:
                    pressed[name][groups.get(group)].add(button)
        self.assertEqual(pressed, self.buttons)


class RecordsTestMixin(RightsTestMixin):
    "Test who may do what with records of the module"
    # The buttons that are pressed one after the other on a record, which each
    # is refused to all but the group
    presses = []
    # The states of the records afterwards
    pressed = {}

    def _create_members(self, company):
        "Return a resource, its unit and two members"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Resource = pool.get('coop.commons.resource')
        Uom = pool.get('product.uom')

        unit, = Uom.search([('name', '=', "Unit")])
        resource = Resource(
            name="Solar Roof", company=company, unit=unit, timezone='UTC')
        resource.save()
        category = Category(name="Users", company=company)
        category.save()
        parties = Party.create([
                {'name': f"Party {i} {company.id}"} for i in range(2)])
        members = Member.create([{
                    'party': party.id,
                    'company': company.id,
                    'category': category.id,
                    } for party in parties])
        return resource, unit, members

    def _create_records(self, company):
        "Return records of the company by the names of their models"
        raise NotImplementedError

    @with_transaction()
    def test_press(self):
        "Test who presses the buttons of the records"
        company = create_company()
        with set_company(company):
            records = self._create_records(company)
        users = self._create_users(company)

        def refused(name, buttons):
            "All are refused each button before one of the group presses it"
            record = records[name]
            model = record.__class__
            for group, user in users.items():
                allowed = self.buttons[name].get(group, set())
                for button in buttons:
                    if button in allowed:
                        continue
                    with self.subTest(group=group, button=button), \
                            self._as_user(user), \
                            self.assertRaises(
                                (AccessError, AccessButtonError)):
                        getattr(model, button)([model(record.id)])

        for name, group, buttons in self.presses:
            model = records[name].__class__
            refused(name, set().union(*self.buttons[name].values()))
            for button in buttons:
                with self.subTest(name=name, button=button), \
                        self._as_user(users[group]):
                    getattr(model, button)([model(records[name].id)])
        self.assertEqual({
                name: model(record.id).state for name, record, model in [
                    (n, r, r.__class__) for n, r in records.items()]
                if hasattr(model, 'state')}, self.pressed)

    @with_transaction()
    def test_companies(self):
        "Test two companies see nothing of each other"
        users, records = [], []
        for name in ["First", "Second"]:
            company = create_company(name)
            with set_company(company):
                records.append(self._create_records(company))
            users.append(self._create_user(name, company, *GROUPS))
        for user, own, other in [
                (users[0], records[0], records[1]),
                (users[1], records[1], records[0])]:
            for name, record in own.items():
                model = record.__class__
                with self.subTest(user=user.name, model=name), \
                        self._as_user(user):
                    found = set(model.search([]))
                    self.assertIn(record, found)
                    self.assertNotIn(other[name], found)
                    with self.assertRaises(AccessError):
                        model.read([other[name].id], ['id'])
                    with self.assertRaises(AccessError):
                        model.write([model(other[name].id)], {})
                    with self.assertRaises(AccessError):
                        model.delete([model(other[name].id)])
