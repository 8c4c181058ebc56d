# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Attack what must stay as it is, as users do who know the protocol

The models are found in the pool: one that is new fails the test until it is a
document, a part, a result, a row of a ledger or a value of a configuration,
or is named as a master with the reason.
"""
from collections import Counter
from contextlib import contextmanager, nullcontext
from itertools import count
from unittest.mock import patch

from trytond import backend
from trytond.exceptions import UserError
from trytond.model import ModelSingleton, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessButtonError, AccessError
from trytond.model.modelsql import SQLConstraintError
from trytond.model.modelstorage import _record_eval_pyson
from trytond.modules.account.tests import create_chart
from trytond.modules.company.model import CompanyValueMixin
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.document import (
    DocumentMixin, LedgerMixin, PartMixin, ResultMixin, part_fields)
from trytond.modules.coop_membership.exceptions import WizardError
from trytond.modules.coop_membership.tests.parties import PartyTestMixin
from trytond.modules.coop_membership.tests.wizard_attacks import WizardAttacks
from trytond.pool import Pool, isregisteredby
from trytond.pyson import PYSONEncoder
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import (
    Transaction, check_access, inactive_records, without_check_access)

__all__ = ['DocumentTestMixin', 'StrangerTestMixin', 'savepoint']

# No two tests have the same, whatever one of them leaves behind
_logins = count(1)
_LOG = {'id', 'create_uid', 'create_date', 'write_uid', 'write_date'}


class DocumentTestMixin:
    """The modules tell how their records are made, the rest is here"""

    # What is neither document, part, result nor row of a ledger: the reason
    masters = {}
    # What can not be made, by pair of model and state: the reason
    excused = {}
    # The models that every employee may create, and the wizards that anybody
    # may start: the reason
    open_models = {}
    open_wizards = {}

    def prepare_documents(self, company):
        "Set up what the documents of the company need"
        create_chart(company)

    def make(self, Model, state):
        """Return a record of the document in the state

        Each time another one, of `self.company`.
        """
        raise NotImplementedError

    @property
    def _models(self):
        for name, Model in sorted(Pool().iterobject()):
            if (issubclass(Model, ModelSQL)
                    and name.startswith('coop.')
                    and _is_made_by(Model, self.module)
                    and not callable(getattr(Model, 'table_query', None))):
                yield Model

    @property
    def _documents(self):
        for Model in self._models:
            if issubclass(Model, DocumentMixin):
                yield Model

    @with_transaction()
    def test_document_kinds(self):
        "Test each model is of one of the kinds that are guarded"
        kinds = (
            DocumentMixin, PartMixin, ResultMixin, LedgerMixin,
            CompanyValueMixin, ModelSingleton)
        for Model in self._models:
            with self.subTest(model=Model.__name__):
                state = Model._fields.get('state')
                if state and not isinstance(state, fields.Function):
                    self.assertTrue(
                        issubclass(Model, (DocumentMixin, ResultMixin)),
                        "has a state, but is not guarded as a document")
                elif not issubclass(Model, kinds):
                    self.assertTrue(
                        self.masters.get(Model.__name__),
                        "is of no kind, and not named as master")
                if issubclass(Model, PartMixin):
                    self.assertTrue(Model._holding_name())

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and name.startswith('coop.')
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    @with_transaction()
    def test_document_attacks(self):
        "Test what is done stays done, whoever tries"
        attempts = Counter()
        self._prepare()
        for Model in self._documents:
            made = self._attack_document(Model, attempts)
            with self.subTest(model=Model.__name__):
                # In each state at least the state itself was tried
                self.assertTrue(made)
                self.assertGreaterEqual(
                    attempts[Model.__name__], made * len(Model._fields) // 2)
        print(f"{self.module}: {sum(attempts.values())} attempts")  # noqa: T201

    @with_transaction()
    def test_document_rights(self):
        "Test who has no group can neither write nor start anything"
        attempts = 0
        self._prepare()
        nobody = self._attacker(groups=False)
        for Model in self._models:
            if issubclass(Model, ModelSingleton):
                modes = ['write']
            else:
                modes = ['create', 'write', 'delete']
            for mode in modes:
                if mode in self.open_models.get(Model.__name__, ()):
                    continue
                attempts += 1
                with self.subTest(model=Model.__name__, mode=mode), \
                        self._acting(nobody), self.assertRaises(AccessError):
                    Pool().get('ir.model.access').check(Model.__name__, mode)
        ActionWizard = Pool().get('ir.action.wizard')
        others = ActionWizard.search([
                ('wiz_name', 'not like', 'coop.%'),
                ], limit=1)
        for Wizard in self._wizards:
            if Wizard.__name__ in self.open_wizards:
                continue
            for action in [None, others[0].id]:
                attempts += 1
                with self.subTest(wizard=Wizard.__name__, action=action), \
                        self._acting(nobody), \
                        Transaction().set_context(action_id=action), \
                        self.assertRaises(UserError):
                    Wizard.create()
        self.assertTrue(attempts)

    @with_transaction()
    def test_document_search(self):
        "Test documents are found by whom they are about, and only then"
        self._prepare()
        for Model in self._models:
            if not issubclass(Model, ModelView):
                continue
            if issubclass(Model, DocumentMixin):
                document = self._make(Model, Model._initial_state)
            else:
                records = Model.search([], order=[('id', 'DESC')], limit=1)
                if not records:
                    continue
                document, = records
            person = next(filter(None, (
                        getattr(document, n, None)
                        for n in ['member', 'party', 'owner'])), None)
            texts = [getattr(document, 'number', None)]
            if person:
                texts.append(person.rec_name.split('] ')[-1])
            for text in filter(None, texts):
                with self.subTest(model=Model.__name__, text=text):
                    found = Model.search([('rec_name', 'ilike', f'%{text}%')])
                    self.assertIn(document, found)
                    others = Model.search([
                            ('rec_name', 'not ilike', f'%{text}%')])
                    self.assertFalse(set(found) & set(others))
                    self.assertEqual(
                        len(found) + len(others),
                        Model.search([], count=True))

    @property
    def _wizards(self):
        for name, Wizard in sorted(Pool().iterobject(type='wizard')):
            if (isregisteredby(Wizard, self.module, type_='wizard')
                    and name.startswith('coop.')
                    and _is_made_by(Wizard, self.module)):
                yield Wizard

    def _prepare(self):
        self._attackers = {}
        self.company = create_company()
        self._other = create_company(name="Other Company")
        with set_company(self.company):
            self.prepare_documents(self.company)

    def _make(self, Model, state):
        with set_company(self.company):
            return Model(self.make(Model, state).id)

    def _attack_document(self, Model, attempts):
        """Try all on documents of the model in all states

        Return in how many states they could be made.
        """
        everything = self._attacker()
        stranger = self._attacker(company=self._other)
        made = 0
        states = [s for s, _ in Model.state.selection]
        for state in states:
            if (Model.__name__, state) in self.excused:
                self.assertTrue(self.excused[Model.__name__, state])
                continue
            # Outside of a subtest, where a lock could not start over
            document = self._make(Model, state)
            self.assertEqual(document.state, state)
            made += 1
            for text, user, attack in [
                    *self._writes(document, everything),
                    *self._creations(document, everything),
                    *self._deletions(document, everything),
                    *self._buttons(document, everything),
                    *self._parts(document, everything),
                    ('read by a stranger', stranger, _read(document)),
                    ]:
                attempts[Model.__name__] += 1
                with self.subTest(
                        model=Model.__name__, state=state, attack=text):
                    self._refused(user, attack)
            with self.subTest(
                    model=Model.__name__, state=state, attack='copy'):
                self._copy(document, everything)
        return made

    def _refused(self, user, attack):
        "Assert that the attack is refused for the user"
        with self._acting(user), savepoint():
            try:
                attack()
            except (AccessButtonError, AccessError, WizardError):
                return
            self.fail("was let through")

    def _writes(self, document, user):
        "Each field that is frozen, and the state"
        Model = document.__class__
        open_ = Model.modifiable(document.state)
        parts = part_fields(Model)
        for name, field in Model._fields.items():
            if (name in _LOG or name in open_ or name in parts
                    or isinstance(field, fields.Function)
                    and not field.setter):
                continue
            if field._type in {'one2many', 'many2many'}:
                value = []
            else:
                value, = Model.read([document.id], [name])
                value = value[name]
            yield f'write {name}', user, _write(document, {name: value})
        for state, _ in Model.state.selection:
            yield f'write {state}', user, _write(document, {'state': state})

    def _creations(self, document, user):
        "A record that begins in a later state"
        Model = document.__class__
        if document.state == Model._initial_state:
            return

        def create():
            try:
                with savepoint():
                    Model.create([_get_values(document)])
            except AccessError:
                raise
            except UserError:
                # Refused for its values: what about its state?
                Model.check_modification('create', [document], external=True)

        yield f'create {document.state}', user, create

    def _deletions(self, document, user):
        Model = document.__class__
        if (document.state not in (
                    Model._delete_states or {Model._initial_state})
                or getattr(document, 'number', None)):
            yield 'delete', user, lambda: Model.delete([document])

    def _buttons(self, document, user):
        "Each button where it is not shown, and by who has no group"
        Model = document.__class__
        nobody = self._attacker(groups=False)
        for button, states in Model._buttons.items():
            method = getattr(Model, button)
            if button not in self.open_models.get(Model.__name__, ()):
                yield f'{button} by nobody', nobody, _call(method, document)
            with self._acting(user):
                hidden = any(
                    _evaluate(document, states[key])
                    for key in ['invisible', 'readonly'] if key in states)
            if hidden:
                yield f'{button} out of order', user, _call(method, document)

    def _parts(self, document, user):
        "What the document holds: changed, deleted, moved away and in"
        Model = document.__class__
        open_ = Model.modifiable(document.state)
        for name, Part in part_fields(Model).items():
            if name in open_:
                continue
            if Model._fields[name]._type == 'many2many':
                parts = Part.search([(Part._document, '=', document.id)])
            else:
                parts = getattr(document, name)
            allowed = Part._modify_states.get(document.state, set())
            for part in parts[:1]:
                yield f'delete {name}', user, _call(Part.delete, part)
                yield f'move {name}', user, _write(
                    part, {Part._document: document.id})
                for field in Part._fields.values():
                    if (field.name in _LOG or field.name in allowed
                            or isinstance(field, fields.Function)
                            and not field.setter
                            or field.name in part_fields(Part)
                            or field._type in {'one2many', 'many2many'}):
                        continue
                    value, = Part.read([part.id], [field.name])
                    yield f'write {name}.{field.name}', user, _write(
                        part, {field.name: value[field.name]})
                yield f'create in {name}', user, _create(part)
            if Model._initial_state != document.state:
                yield from self._enter(document, name, Part, user)

    def _enter(self, document, name, Part, user):
        "A part of an open document that is moved into this one"
        Model = document.__class__
        other = self._make(Model, Model._initial_state)
        parts = Part.search([(Part._document, '=', other.id)], limit=1)
        for part in parts:
            yield f'enter {name}', user, _write(
                part, {Part._document: document.id})

    def _copy(self, document, user):
        "A copy begins anew, with nothing of what was done"
        Model = document.__class__
        with self._acting(user), savepoint():
            try:
                copy, = Model.copy([document])
            except UserError:
                # A copy that would contradict another one
                return
            self.assertEqual(copy.state, Model._initial_state)
            internal = Model.internal_names() - {'state'}
            empty = {
                n for n in internal
                if n not in Model._defaults
                and not Model._fields[n].required}
            for name in empty - Model._internal_given:
                self.assertFalse(
                    getattr(copy, name), msg=f'copied {name}')

    def _attacker(self, groups=True, company=None):
        "Return a user of the company with all groups or with none"
        pool = Pool()
        Group = pool.get('res.group')
        User = pool.get('res.user')
        company = company or self.company
        key = (groups, company)
        if key not in self._attackers:
            user = User(
                name="Attacker", login=f'attacker-{next(_logins)}',
                companies=[company], company=company)
            if groups:
                # Who acts in the portal sees less than who does not
                user.groups = Group.search([
                        ('name', 'not in', [
                                "Administration", "Members' Portal"])])
            user.save()
            self._attackers[key] = user
        return self._attackers[key]

    @contextmanager
    def _acting(self, user):
        context = {
            'company': user.company.id,
            'companies': [c.id for c in user.companies],
            'groups': [g.id for g in user.groups],
            }
        with Transaction().set_user(user.id), \
                Transaction().set_context(context), check_access():
            yield


class StrangerTestMixin(PartyTestMixin, DocumentTestMixin):
    "Attack what is of another company too, directly and by wizards"

    @with_transaction()
    def test_document_strangers(self):
        "Test nobody touches what is of another company, nor does a wizard"
        attempts = Counter()
        self._prepare()
        strange = self._make_strange()
        mine = self._make_some(every=True)
        user = self._attacker()
        for records in strange.values():
            # The documents among them are in their first and last states
            for record in records[:1] + records[1:][-1:]:
                name = record.__class__.__name__
                for text, attack in self._strange_attacks(record):
                    attempts[name] += 1
                    with self.subTest(model=name, attack=text):
                        self._refused(user, attack)
        for Wizard in self._wizards:
            with self._acting(user), savepoint():
                attacks = list(WizardAttacks(
                        Wizard, self._finder(mine, self.company),
                        self._finder(strange, self._other)))
                for text, attack in attacks:
                    attempts[Wizard.__name__] += 1
                    with self.subTest(wizard=Wizard.__name__, attack=text):
                        self._refused(user, attack)
        for Model in self._documents:
            self.assertTrue(attempts[Model.__name__])
        print(  # noqa: T201
            f"{self.module}, strangers: {sum(attempts.values())} attempts")

    def _make_some(self, every=False):
        """Make each document in its first and its last states, or in each

        Return by model what there is more than before.
        """
        def find():
            with inactive_records():
                return {
                    Model: set(Model.search([], order=[]))
                    for Model in self._models}

        before = find()
        if self.company == self._other:
            with set_company(self.company):
                self.prepare_documents(self.company)
        for Model in self._documents:
            states = [
                s for s, _ in Model.state.selection
                if (Model.__name__, s) not in self.excused]
            for state in dict.fromkeys(
                    states if every else states[:1] + states[-2:]):
                self._make(Model, state)
        return {
            Model: sorted(records - before[Model], key=int)
            for Model, records in find().items()}

    def _make_strange(self):
        "Return by model what another company has made"
        attributes = self.__dict__.copy()
        self.company = self._other
        try:
            return self._make_some()
        finally:
            self.__dict__.update(attributes)

    def _finder(self, made, company):
        "Return what finds the records of the company by their model"
        def find(name):
            Model = Pool().get(name)
            if Model.__name__ == 'company.company':
                return [company]
            with without_check_access(), inactive_records():
                if Model in made:
                    return made[Model][::-1]
                if 'company' in Model._fields:
                    return Model.search([
                            ('company', '=', company.id),
                            ], limit=1)
            return []

        return find

    def _strange_attacks(self, record):
        "All that could be done to a record"
        Model = record.__class__
        record = Model(record.id)
        values = _get_values(record)
        yield 'read', _read(record)
        yield 'delete', _call(Model.delete, record)
        yield 'copy', _copy_of(record)
        for name, value in values.items():
            yield f'write {name}', _write(record, {name: value})
        for button in getattr(Model, '_buttons', ()):
            yield button, _call(getattr(Model, button), record)


def _is_made_by(Model, module):
    "Return whether the model is of the module, not only extended by it"
    for cls in reversed(Model.__mro__):
        if cls.__dict__.get('__name__') == Model.__name__:
            return cls.__module__.startswith(f'trytond.modules.{module}.')
    return False


@contextmanager
def savepoint():
    "Take back what is written"
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    cursor.execute('SAVEPOINT attack')
    try:
        if backend.name == 'sqlite':
            # To tell a constraint by its name Tryton begins another
            # transaction, which would take back all: it has the same
            # connection there
            with patch.object(Transaction, 'new_transaction', nullcontext):
                yield
        else:
            yield
    finally:
        cursor.execute('ROLLBACK TO SAVEPOINT attack')
        cursor.execute('RELEASE SAVEPOINT attack')
        transaction.counter += 1
        for cache in transaction.cache.values():
            cache.clear()


def _read(record):
    return lambda: record.__class__.read([record.id], ['create_date'])


def _write(record, values):
    Model = record.__class__
    return lambda: Model.write([Model(record.id)], values)


def _create(part):
    "Create another one with the values of the part"
    Part = part.__class__
    values = _get_values(part)

    def create():
        try:
            with savepoint():
                Part.create([values])
        except AccessError:
            raise
        except UserError:
            # Refused for its values: what about its document?
            Part.check_modification('create', [part], external=True)

    return create


def _call(method, record):
    return lambda: method([record.__class__(record.id)])


def _copy_of(record):
    def copy():
        try:
            with savepoint():
                record.__class__.copy([record])
        except AccessError:
            raise
        except SQLConstraintError:
            # Refused because there is one already: what about reading it?
            record.__class__.read([record.id], ['create_date'])

    return copy


def _get_values(record):
    "Return what makes a record as this one"
    values = {}
    for name, field in record._fields.items():
        # No two have the same number
        if (name in _LOG or name == 'number'
                or isinstance(field, fields.Function)
                or field._type in {'one2many', 'many2many'}):
            continue
        values[name] = record.__class__.read([record.id], [name])[0][name]
    return values


def _evaluate(record, expression):
    return _record_eval_pyson(
        record, PYSONEncoder().encode(expression), encoded=True)
