# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal

from trytond.model import ModelSingleton, ModelSQL, ModelView
from trytond.model.exceptions import AccessButtonError, AccessError
from trytond.modules.company.tests import (
    CompanyTestMixin, create_company, set_company)
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.transaction import Transaction, check_access

GROUPS = {
    'admin': 'coop_membership.group_coop_admin',
    'membership': 'coop_membership.group_coop_membership',
    'accounting': 'coop_membership.group_coop_accounting',
    'board': 'coop_membership.group_coop_board',
    'stewardship': 'coop_commons.group_commons_stewardship',
    }
# Who may read, write, create and delete, everybody without a group
RIGHTS = {
    # Administration is membership too
    'authorization': {
        'stewardship': 'rwcd', 'membership': 'r', 'admin': 'r'},
    'billing': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'blackout': {None: 'r', 'stewardship': 'rwcd'},
    # A record rule lets each change his own
    'booking': {None: 'rwcd'},
    'category': {None: 'r', 'admin': 'rwcd'},
    'commitment': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'configuration': {None: 'r', 'admin': 'rw'},
    'cost_pool': {
        'admin': 'rwcd', 'accounting': 'r', 'board': 'r',
        'stewardship': 'r'},
    'engagement': {
        'accounting': 'rwcd', 'stewardship': 'rwcd', 'board': 'r'},
    'engagement.billing': {'accounting': 'rwcd', 'board': 'r'},
    'meter': {'stewardship': 'rwcd', 'accounting': 'r'},
    'occupancy': {'stewardship': 'r', 'accounting': 'r', 'board': 'r'},
    'output': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'output.key': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'pack': {'accounting': 'rwcd', 'stewardship': 'r'},
    'pack.offer': {'admin': 'rwcd', 'accounting': 'r', 'stewardship': 'r'},
    'rate': {'accounting': 'rwcd', 'admin': 'r', 'board': 'r'},
    'reading': {'stewardship': 'rwcd', 'accounting': 'r'},
    'resource': {None: 'r', 'admin': 'rwcd', 'stewardship': 'rwcd'},
    'rule': {None: 'r', 'admin': 'rwcd'},
    'settlement': {'accounting': 'rwcd', 'stewardship': 'r', 'board': 'r'},
    'tariff': {
        'admin': 'rwcd', 'accounting': 'r', 'board': 'r',
        'stewardship': 'r'},
    'usage': {'stewardship': 'rwcd', 'accounting': 'r', 'board': 'r'},
    'utilization': {'stewardship': 'r', 'accounting': 'r', 'board': 'r'},
    }
# Who may press which buttons
BUTTONS = {
    'billing': {'accounting': {'draft', 'compute', 'post'}},
    # Everybody on his own bookings
    'booking': {
        None: {'confirm', 'start_use', 'finish', 'cancel'},
        'stewardship': {'no_show'}},
    'commitment': {'accounting': {'draft', 'confirm', 'cancel'}},
    'cost_pool': {'accounting': {'propose_rate'}},
    'engagement': {
        'accounting': {'draft', 'confirm', 'cancel'},
        'stewardship': {'draft', 'confirm', 'cancel'}},
    'engagement.billing': {'accounting': {'draft', 'compute', 'post'}},
    'engagement.billing.line': {'board': {'waive', 'unwaive'}},
    'output': {
        'stewardship': {'draft', 'import_', 'compute', 'post', 'cancel'}},
    'output.key': {'board': {'draft', 'approve'}},
    'pack': {'accounting': {'sell', 'expire', 'cancel'}},
    'rate': {
        'accounting': {'draft', 'cancel'}, 'board': {'approve'},
        'admin': {'create_tariffs'}},
    'reading': {'stewardship': {'do'}},
    'settlement': {
        'accounting': {'draft', 'compute', 'post', 'issue', 'cancel'},
        'board': {'approve'}},
    'tariff': {
        'admin': {'draft', 'cancel'},
        'board': {'draft', 'approve', 'cancel'}},
    'usage': {
        'stewardship': {'draft', 'cancel', 'confirm', 'rate', 'take_back'},
        'accounting': {'rate'}},
    }


class CoopCommonsTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop Commons module"
    module = 'coop_commons'

    def _iter_models(self):
        for name, model in Pool().iterobject():
            if (isregisteredby(model, self.module)
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

    def _create_records(self, company):
        """Return a pack, a commitment, an output and what belongs to them

        The output is of 500 units in each half of a day, for two who share.
        """
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Category = pool.get('coop.member.category')
        Commitment = pool.get('coop.commons.commitment')
        Key = pool.get('coop.commons.output.key')
        Member = pool.get('coop.member')
        Offer = pool.get('coop.commons.pack.offer')
        Output = pool.get('coop.commons.output')
        Pack = pool.get('coop.commons.pack')
        Party = pool.get('party.party')
        Resource = pool.get('coop.commons.resource')
        Template = pool.get('product.template')
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
        account_type = AccountType(
            name="Deferred Revenue", company=company, statement='balance',
            deferred=True)
        account_type.save()
        account = Account(
            name="Deferred Revenue", company=company, type=account_type)
        account.save()
        template = Template(
            name="Use", type='service', default_uom=unit, products=[{}])
        template.save()
        product, = template.products
        offer = Offer(
            name="100 Units", company=company, resource=resource, unit=unit,
            quantity=Decimal(100), price=Decimal(20), product=product,
            deferred_account=account)
        offer.save()
        pack, = Pack.create([{
                    'company': company.id, 'party': parties[0].id,
                    'offer': offer.id, 'date': dt.date(2026, 1, 1),
                    'quantity': offer.quantity, 'price': offer.price,
                    }])
        commitment, = Commitment.create([{
                    'company': company.id, 'member': members[0].id,
                    'valid_from': dt.date(2026, 1, 1),
                    'minimum': Decimal(10), 'product': product.id,
                    }])
        key, = Key.create([{
                    'company': company.id, 'resource': resource.id,
                    'valid_from': dt.date(2026, 1, 1),
                    'shares': [('create', [{
                                    'member': member.id,
                                    'coefficient': Decimal('0.5'),
                                    } for member in members])],
                    }])
        output, = Output.create([{
                    'company': company.id, 'resource': resource.id,
                    'start_date': dt.date(2026, 1, 1),
                    'end_date': dt.date(2026, 1, 1),
                    'interval': dt.timedelta(hours=12),
                    'intervals': [('create', [{
                                    'start': dt.datetime(2026, 1, 1, hour),
                                    'quantity': Decimal(500),
                                    'consumptions': [('create', [{
                                                    'member': members[0].id,
                                                    'quantity': Decimal(1),
                                                    }])],
                                    } for hour in [0, 12]])],
                    }])
        return {
            'pack.offer': offer, 'pack': pack, 'commitment': commitment,
            'output.key': key, 'output': output,
            'output.share': key.shares[0],
            'output.interval': output.intervals[0],
            'output.consumption': output.intervals[0].consumptions[0],
            }

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
                for model, rights in RIGHTS.items():
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
            RIGHTS.keys(), {
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
        self.assertEqual(pressed, BUTTONS)

    @with_transaction()
    def test_press(self):
        "Test who presses the buttons of packs, commitments and outputs"
        company = create_company()
        with set_company(company):
            records = self._create_records(company)
        users = self._create_users(company)

        def refused(name, buttons):
            "All are refused each button before one of the group presses it"
            record = records[name]
            model = record.__class__
            for group, user in users.items():
                allowed = BUTTONS[name].get(group, set())
                for button in buttons:
                    if button in allowed:
                        continue
                    with self.subTest(group=group, button=button), \
                            self._as_user(user), \
                            self.assertRaises(
                                (AccessError, AccessButtonError)):
                        getattr(model, button)([model(record.id)])

        for name, group, buttons in [
                ('commitment', 'accounting', [
                        'confirm', 'draft', 'cancel', 'draft']),
                ('output.key', 'board', ['approve', 'draft', 'approve']),
                ('output', 'stewardship', [
                        'compute', 'draft', 'compute', 'post', 'cancel']),
                ('pack', 'accounting', ['cancel'])]:
            model = records[name].__class__
            refused(name, set().union(*BUTTONS[name].values()))
            for button in buttons:
                with self.subTest(name=name, button=button), \
                        self._as_user(users[group]):
                    getattr(model, button)([model(records[name].id)])
        self.assertEqual({
                name: model(record.id).state for name, record, model in [
                    (n, r, r.__class__) for n, r in records.items()]
                if hasattr(model, 'state')}, {
                'commitment': 'draft', 'output.key': 'approved',
                'output': 'cancelled', 'pack': 'cancelled'})

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


del ModuleTestCase
