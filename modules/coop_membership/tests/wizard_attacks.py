# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Attack a wizard, as users do who know the protocol

What is typed in is that of another company, or nothing that could be chosen:
the rest is as the wizard proposes it, so that only this can be the reason why
it is refused.
"""
import datetime as dt

from trytond.exceptions import UserError
from trytond.model import ModelStorage
from trytond.model.modelstorage import _record_eval_pyson
from trytond.pool import Pool
from trytond.tools.domain_inversion import eval_domain
from trytond.transaction import Transaction
from trytond.wizard import StateView

__all__ = ['WizardAttacks']


class WizardAttacks:
    """The attacks on the wizard, as pairs of a text and what is to fail

    `mine` and `strange` return records of a model: those of the company of
    the user, and those of another.
    """

    def __init__(self, Wizard, mine, strange):
        self.Wizard = Wizard
        self._mine = mine
        self._strange = strange
        ActionWizard = Pool().get('ir.action.wizard')
        models = (ActionWizard.get_models(Wizard.__name__)
            or set(Wizard._record_models))
        self.record = self._choose(models) if models else None
        self.model = self.record.__class__.__name__ if models else None

    def _choose(self, models):
        "Return a record of which the wizard takes what it proposes"
        records = [r for m in sorted(models) for r in self._mine(m)]
        assert records, models
        for record in records:
            self.record = record
            try:
                for name, _ in self._views():
                    with self._context():
                        session, base = self._reach(name)
                        if base is not None:
                            self.Wizard._check_data(session, {name: base})
            except UserError:
                continue
            return record
        raise AssertionError(f"{self.Wizard.__name__} takes nothing")

    def __iter__(self):
        if self.model:
            yield from self._record_attacks()
        for name, state in self._views():
            yield from self._view_attacks(name, state)

    def _context(self, record=None):
        "Start the wizard on the record"
        record = record or self.record
        return Transaction().set_context(
            active_model=record.__class__.__name__ if record else None,
            active_id=record.id if record else None,
            active_ids=[record.id] if record else [])

    def _views(self):
        for name, state in self.Wizard.states.items():
            if isinstance(state, StateView):
                yield name, state

    def _targets(self, state):
        "Return the states that the buttons of the view lead to"
        return [
            b.state for b in state.buttons if b.state != self.Wizard.end_state]

    def _record_attacks(self):
        Wizard = self.Wizard
        strange, *_ = self._strange(self.model)
        with self._context():
            session, start, _ = Wizard.create()

        def create():
            with self._context(strange):
                Wizard.create()

        def execute():
            with self._context(strange):
                Wizard.execute(session, {}, start)

        def without():
            with Transaction().set_context(
                    active_model=None, active_id=None, active_ids=None):
                Wizard.execute(session, {}, start)

        def another():
            with self._context(Pool().get('res.user')(
                        Transaction().user)):
                Wizard.execute(session, {}, start)

        yield 'started on what is of another company', create
        yield 'continued on what is of another company', execute
        yield 'on nothing', without
        yield 'on another model', another

    def _view_attacks(self, name, state):
        with self._context():
            session, base = self._reach(name)
            if base is None:
                return
            # Only what is hostile is refused
            self.Wizard._check_data(session, {name: base})
        View = Pool().get(state.model_name)
        for field in View._fields.values():
            for kind, value in self._hostile(View(**base), field):
                for target in self._targets(state):
                    yield f'{name}.{field.name} {kind} to {target}', (
                        self._execute(
                            session, {name: {**base, field.name: value}},
                            target))
        yield 'what is no view', self._execute(
            session, {self.Wizard.end_state: {}}, name)

    def _execute(self, session, data, target):
        def execute():
            with self._context():
                self.Wizard.execute(session, data, target)

        return execute

    def _reach(self, name):
        "Return a session that shows the view, and what may be filled in"
        Wizard = self.Wizard
        session, start, _ = Wizard.create()
        if start == name:
            return session, self._fill(name, Wizard.execute(
                    session, {}, start)['view']['defaults'])
        for previous, state in self._views():
            if name in self._targets(state) and previous == start:
                values = self._fill(previous, Wizard.execute(
                        session, {}, start)['view']['defaults'])
                result = Wizard.execute(session, {previous: values}, name)
                return session, self._fill(name, result['view']['defaults'])
        # It shows what a run has found
        return session, None

    def _fill(self, name, defaults):
        "Complete the values that the view proposes"
        View = Pool().get(self.Wizard.states[name].model_name)
        values = {n: v for n, v in defaults.items() if not n.endswith('.')}
        # The others may follow from the records that are chosen
        for field in sorted(
                View._fields.values(), key=lambda f: f._type != 'many2one'):
            view = View(**{**dict.fromkeys(View._fields), **values})
            required = field.required or _record_eval_pyson(
                view, field.states.get('required', False))
            if values.get(field.name) is not None or not required:
                continue
            if compute := getattr(
                    view, f'on_change_with_{field.name}', None):
                values[field.name] = compute()
            elif field._type == 'many2one':
                found = field.get_target().search(
                    _record_eval_pyson(view, field.domain), limit=1)
                assert found, field.name
                values[field.name] = found[0].id
            else:
                values[field.name] = {
                    'date': dt.date.today(),
                    'integer': 1,
                    'binary': b'',
                    }[field._type]
        return values

    def _hostile(self, view, field):
        "Return the values that nobody could choose"
        if field._type in {'many2one', 'many2many'}:
            Target = field.get_target()
            if not issubclass(Target, ModelStorage):
                return
            for strange in self._strange(Target.__name__)[:1]:
                yield 'of another company', (
                    strange.id if field._type == 'many2one'
                    else [strange.id])
        elif field._type == 'selection':
            yield 'unknown', 'hostile'
        elif field._type in {'integer', 'numeric'} and not eval_domain(
                _record_eval_pyson(view, field.domain), {field.name: -1}):
            yield 'negative', -1
        if field.required and field._type != 'boolean':
            yield 'empty', None
