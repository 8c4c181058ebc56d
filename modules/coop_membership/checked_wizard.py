# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelStorage, fields
from trytond.model.exceptions import AccessError
from trytond.model.modelstorage import _record_eval_pyson
from trytond.pool import Pool
from trytond.tools.domain_inversion import eval_domain
from trytond.transaction import Transaction, check_access
from trytond.wizard import StateView, Wizard

from .exceptions import WizardError

__all__ = ['CheckedWizard']


class CheckedWizard(Wizard):
    """A wizard that takes nothing of what its user could not have chosen

    Tryton runs wizards without access checks, and checks neither the domain
    of what is typed in nor whether the user may read it: this is left to the
    client, which is not to be trusted.

    `_record_models` are the models of the records that it is about, if its
    action does not tell them.
    """
    _record_models = ()

    @classmethod
    def check_access(cls):
        # The action of another wizard would have other groups, or none
        with Transaction().set_context(action_id=None):
            super().check_access()

    @classmethod
    def execute(cls, session_id, data, state_name):
        if state_name == cls.end_state:
            # What would be stored here was not checked
            data = {}
        else:
            cls.check_access()
            cls._check_records()
            cls._check_data(session_id, data)
        return super().execute(session_id, data, state_name)

    @classmethod
    def _check_records(cls):
        "Check that there are records if the wizard is about some"
        ActionWizard = Pool().get('ir.action.wizard')
        context = Transaction().context
        models = cls._record_models
        if (models or ActionWizard.get_models(cls.__name__)) and not (
                context.get('active_model') in (
                    models or {context.get('active_model')} - {None})
                and context.get('active_ids')
                and context.get('active_id') in context['active_ids']):
            raise WizardError(gettext('coop_membership.msg_wizard_records'))

    @classmethod
    def _check_data(cls, session_id, data):
        wizard = cls(session_id)
        for name, values in data.items():
            if not isinstance(cls.states.get(name), StateView):
                raise AccessError(gettext(
                        'coop_membership.msg_wizard_view', view=name))
            view = getattr(wizard, name)
            for field, value in values.items():
                if field != 'id':
                    setattr(view, field, value)
            _compute(view)
            for field in view._fields.values():
                _check_field(view, field)


def _compute(view):
    "Set what follows from other fields, whatever was sent"
    for name, field in view._fields.items():
        if isinstance(field, fields.Function) and not field.setter:
            setattr(view, name, getattr(view, field.getter)())


def _check_field(view, field):
    value = getattr(view, field.name, None)
    if value is None or value in ('', (), []):
        required = field.required or _record_eval_pyson(
            view, field.states.get('required', False))
        if required and field._type != 'boolean':
            raise WizardError(gettext(
                    'coop_membership.msg_wizard_required',
                    **view.__names__(field=field.name)))
        return
    if field._type in {'many2one', 'many2many', 'one2many'}:
        valid = _is_chosen(view, field, value)
    elif field._type == 'selection':
        valid = value in dict(
            field.get_selection(view.__class__, field.name, view))
    else:
        valid = eval_domain(
            _record_eval_pyson(view, field.domain) or [],
            {field.name: value})
    if not valid:
        raise WizardError(gettext(
                'coop_membership.msg_wizard_value',
                **view.__names__(field=field.name)))


def _is_chosen(view, field, value):
    "Return whether the user could have chosen the records"
    pool = Pool()
    User = pool.get('res.user')
    Target = field.get_target()
    if not issubclass(Target, ModelStorage):
        return True
    ids = {int(r) for r in (
            [value] if field._type == 'many2one' else value)}
    if (Target.__name__ == 'company.company'
            and Transaction().user
            and not ids <= set(User.get_companies())):
        return False
    domain = [('id', 'in', list(ids))]
    with check_access():
        readable = Target.search(domain, count=True)
    if readable != len(ids):
        return False
    # The records may follow from what their user may not read
    return Target.search(
        [domain, _record_eval_pyson(view, field.domain)],
        count=True) == len(ids)
