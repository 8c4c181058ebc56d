# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What the documents of all modules have in common.

A document goes through states by its buttons.  What users may change in which
state is a list of names: the rest is frozen, for the screen and for the
server alike.  A part belongs to a document and is open as long as the field
of the document that holds it; a result is made by a run of its document and
edited by nobody; a row of a ledger is made at one place and stays.

These guards are for what comes from outside: a client, a script, an import.
Buttons run without access checks, and what they write is their own business.
Wizards and routes also run without them, and call buttons inside of
check_access().
"""
from itertools import groupby

from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, Unique, fields
from trytond.model.exceptions import AccessError
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction, inactive_records

from .exceptions import RefusedError

__all__ = [
    'DocumentMixin', 'LedgerMixin', 'NumberedMixin', 'PartMixin',
    'ResultMixin', 'SearchMixin', 'by_company', 'collect', 'full_name',
    'part_fields', 'set_numbers']

# The fields in which Tryton logs who did what and when
_LOG = {'id', 'create_uid', 'create_date', 'write_uid', 'write_date'}
# What the rows of large tables are found by
_SEARCHED = {
    'account.move', 'account.move.line', 'coop.member', 'party.party'}


def part_fields(Model):
    """Return by name the models of the parts that the fields of the model hold

    Parts ask their document themselves whether they may be changed.
    """
    pool = Pool()
    parts = {}
    for name, field in Model._fields.items():
        if field._type == 'one2many' and field.field:
            Part, document = pool.get(field.model_name), field.field
        elif field._type == 'many2many':
            Part, document = pool.get(field.relation_name), field.origin
        else:
            continue
        if issubclass(Part, PartMixin) and Part._document == document:
            parts[name] = Part
    return parts


def collect(name):
    "Yield the models that declare something by the attribute"
    for _, Model in sorted(Pool().iterobject()):
        if getattr(Model, name, None):
            yield Model


def full_name(record):
    "Return the name of the record with what it is: Share Subscription 12"
    return ' '.join([record.__names__()['model'], record.rec_name])


def by_company(records):
    "Yield each company with the list of its records"
    for company, c_records in groupby(
            sorted(records, key=lambda r: r.company.id),
            key=lambda r: r.company):
        yield company, list(c_records)


def set_numbers(records, sequence):
    """Number the records that have no number, in their order

    `sequence` is the configuration and its field.
    """
    configuration, name = sequence
    Configuration = Pool().get(configuration)
    # Those that are not saved yet may not have the attribute
    for company, c_records in by_company(
            r for r in records if not getattr(r, 'number', None)):
        sequence = Configuration(1).get_multivalue(name, company=company.id)
        for record, number in zip(
                c_records, sequence.get_many(len(c_records))):
            record.number = number


def _value(value):
    return getattr(value, 'id', value)


def _string(record, name):
    "Return the value of the selection as users see it"
    field = record._fields[name]
    return field.get_selection_string(
        field.get_selection(record.__class__, name, record),
        getattr(record, name))


class _IndexMixin:
    __slots__ = ()

    @classmethod
    def __post_setup__(cls):
        super().__post_setup__()
        if not issubclass(cls, ModelSQL) or cls._is_table_query():
            return
        t = cls.__table__()
        for name, field in cls._fields.items():
            if (field._type == 'many2one'
                    and field.model_name in _SEARCHED
                    and not isinstance(field, fields.Function)):
                column = getattr(t, name)
                cls._sql_indexes.add(Index(
                        t, (column, Index.Range()),
                        where=None if field.required else column != Null))


class SearchMixin(_IndexMixin):
    """Search the record name in several fields

    `_search_names` are the paths of these fields.
    """
    __slots__ = ()
    _search_names = ()

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, operand, *extra = clause
        if not cls._search_names:
            return super().search_rec_name(name, clause)
        positive = operator.removeprefix('!').removeprefix('not ')
        domain = ['OR', *(
                (path, positive, operand, *extra)
                for path in cls._search_names)]
        if positive == operator:
            return domain
        # Of several addresses one that is like the operand is enough
        with inactive_records():
            return [('id', 'not in', cls.search(
                        domain, order=[], query=True))]


class _GuardMixin(_IndexMixin):
    __slots__ = ()
    # The field of the record that says what it is about, if not itself
    _subject = None
    # What only the program sets, besides the fields that are read-only
    _internal = frozenset()
    # What users may give on creation nevertheless
    _internal_given = frozenset()
    # What users set, but a copy begins without, as its base classes say too
    _not_copied = frozenset()

    @property
    def subject(self):
        """What payments and letters say that it is about

        In the language of the context, as "Share Subscription 12".
        """
        return full_name(getattr(self, self._subject) if self._subject
            else self)

    @classmethod
    def internal_names(cls):
        "Return the names of the fields that users never set"
        names = set(cls._internal)
        for name, field in cls._fields.items():
            who = (
                field._type == 'many2one'
                and field.model_name == 'company.employee'
                and name.endswith('_by'))
            if ((field.readonly or name == 'state' or who)
                    and name not in _LOG
                    and not (isinstance(field, fields.Function)
                        and not field.setter)):
                names.add(name)
        return names

    @classmethod
    def _check_given(cls, records):
        "Check that those who create the records give nothing internal"
        names = cls.internal_names() - cls._internal_given
        # Parts guard themselves
        names = {
            n for n in names
            if n != 'state' and not n.startswith('_')
            and cls._fields[n]._type not in {'one2many', 'many2many'}}
        defaults = cls.default_get(sorted(names), with_rec_name=False)
        for record in records:
            for name in sorted(names):
                value = getattr(record, name)
                if value and _value(value) != _value(defaults.get(name)):
                    raise AccessError(gettext(
                            'coop_membership.msg_document_internal',
                            **cls.__names__(field=name)))

    @classmethod
    def _copy_default(cls, default):
        "Return the default of a copy: nothing that the program has set"
        default = default.copy() if default is not None else {}
        for base in cls.__mro__:
            for name in vars(base).get('_not_copied', ()):
                default.setdefault(name)
        for name in cls.internal_names() - {'state'}:
            field = cls._fields[name]
            if isinstance(field, fields.MultiValue):
                continue
            if name in cls._defaults:
                default.setdefault(name, cls._defaults[name]())
            elif not field.required:
                default.setdefault(name)
        return default


class DocumentMixin(SearchMixin, _GuardMixin):
    """A document of a company with a workflow

    `_modify_states` maps states to the names of the fields that users may
    change in them; what is not named there is frozen.  A first state that is
    not named leaves all open but what is internal.

    `_sealed_states` maps states to the only names that may be written in them
    at all, by the program too: what is done stays done.
    """
    __slots__ = ()
    _initial_state = 'draft'
    # By button the states in which it is there, and the one it leads to, if
    # it leads to another
    _steps = {}
    _modify_states = {}
    _sealed_states = {}
    _delete_states = None
    # What waits for somebody: the state, what is to do and the field of the
    # day since when
    _work = ()
    # The states in which something is still to be posted, and the field of
    # the day from which on it should be
    _pending = {}
    # Pairs of dates of which the first is not after the second, and the
    # message if it is
    _date_order = ()

    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        for button, (states, target) in cls._steps.items():
            if target:
                cls._transitions.update((state, target) for state in states)
            cls._buttons[button] = {
                'invisible': ~Eval('state').in_(states),
                'depends': ['state'],
                }
        t = cls.__table__()
        for first, second, message in cls._date_order:
            earlier, later = getattr(t, first), getattr(t, second)
            cls._sql_constraints.append((
                    f'{first}_{second}',
                    Check(t, (earlier == Null) | (later == Null)
                        | (earlier <= later)),
                    message))

    @classmethod
    def __post_setup__(cls):
        super().__post_setup__()
        states = [state for state, _ in cls.state.selection]
        parts = part_fields(cls)
        internal = cls.internal_names()
        for name, field in cls._fields.items():
            if name in internal:
                field.readonly = True
            if name in _LOG or field.readonly:
                continue
            open_ = [
                s for s in states
                if name in cls.modifiable(s)
                or name in parts and parts[name]._modify_states.get(s)]
            if len(open_) == len(states):
                continue
            frozen = ~Eval('state', cls._initial_state).in_(open_)
            readonly = field.states.get('readonly')
            field.states['readonly'] = (
                frozen if readonly is None else readonly | frozen)

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_state(cls):
        return cls._initial_state

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @property
    def narration(self):
        """What the moves of the document say that it is

        In the language of the context, as "Share Subscription 12, member 17".
        """
        narration = self.subject
        member = getattr(self, 'member', None)
        if member:
            narration = gettext(
                'coop_membership.msg_narration_member',
                document=narration,
                member=member.number or member.party.rec_name)
        return narration

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('state') == 'cancelled', 'muted', ''), ['state']),
            ]

    @classmethod
    def copy(cls, documents, default=None):
        default = cls._copy_default(default)
        default.setdefault('state', cls._initial_state)
        return super().copy(documents, default=default)

    @classmethod
    def modifiable(cls, state):
        "Return the names of the fields that users may change in the state"
        if state in cls._modify_states:
            return set(cls._modify_states[state])
        elif state == cls._initial_state:
            return cls._fields.keys() - cls.internal_names() - _LOG
        else:
            return set()

    @classmethod
    def check_modifiable(cls, documents, names):
        "Check that users may change the fields of the documents"
        internal = names & cls.internal_names()
        if internal:
            raise AccessError(gettext(
                    'coop_membership.msg_document_internal',
                    **cls.__names__(field=min(internal))))
        for document in documents:
            frozen = names - cls.modifiable(document.state)
            if frozen:
                cls._raise_frozen(document, frozen)

    @classmethod
    def _raise_frozen(cls, document, names):
        raise AccessError(gettext(
                'coop_membership.msg_document_modify',
                document=document.rec_name,
                state=_string(document, 'state'),
                **cls.__names__(field=min(names))))

    @classmethod
    def check_modification(cls, mode, documents, values=None, external=False):
        super().check_modification(
            mode, documents, values=values, external=external)
        if mode == 'delete':
            cls.check_deletion(documents)
        elif mode == 'create':
            if external:
                for document in documents:
                    if document.state != cls._initial_state:
                        raise AccessError(gettext(
                                'coop_membership.msg_document_create',
                                state=_string(document, 'state'),
                                **cls.__names__()))
                cls._check_given(documents)
        else:
            if external:
                cls.check_modifiable(
                    documents,
                    values.keys() - part_fields(cls).keys() - _LOG)
            for document in documents:
                open_ = cls._sealed_states.get(document.state)
                if open_ is not None:
                    frozen = values.keys() - open_ - _LOG
                    if frozen:
                        cls._raise_frozen(document, frozen)

    @classmethod
    def check_deletion(cls, documents):
        "Check that the documents may be deleted: what is done stays"
        states = cls._delete_states or {cls._initial_state}
        for document in documents:
            if document.state not in states:
                raise AccessError(gettext(
                        'coop_membership.msg_document_delete',
                        document=document.rec_name,
                        state=_string(document, 'state'),
                        **cls.__names__()))

    @classmethod
    def refusals(cls, step, documents):
        """Return the reasons why the step can not be taken, by document

        Each step may have a method refusals_<step>(documents), which returns
        them, as texts for users, before anything is written.
        """
        find = getattr(cls, f'refusals_{step}', None)
        return find(documents) if find else {}

    @classmethod
    def check_step(cls, step, documents, error=RefusedError):
        "Raise the reasons why the step can not be taken for all documents"
        refused = cls.refusals(step, documents)
        if refused:
            raise error('\n'.join(refused.values()))

    @classmethod
    def run_step(cls, step, documents):
        """Take the step for all documents that can, return the others

        As reasons by document.
        """
        refused = cls.refusals(step, documents)
        ready = [d for d in documents if d not in refused]
        if ready:
            getattr(cls, step)(ready)
        return refused


class NumberedMixin(DocumentMixin):
    "A document with a number, which is never deleted once it has it"
    __slots__ = ()
    _rec_name = 'number'
    _search_names = ('number',)
    # The configuration and its field that holds the sequence
    _sequence = None

    number = fields.Char("Number", readonly=True)

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints.append((
                'number_unique', Unique(t, t.company, t.number),
                'coop_membership.msg_document_number_unique'))

    def get_rec_name(self, name):
        return self.number or f'({self.id})'

    @classmethod
    def check_deletion(cls, documents):
        super().check_deletion(documents)
        for document in documents:
            if document.number:
                raise AccessError(gettext(
                        'coop_membership.msg_document_delete_number',
                        document=document.rec_name,
                        **cls.__names__()))

    @classmethod
    def set_number(cls, documents):
        "Number the documents that have no number, in their order"
        set_numbers(documents, cls._sequence)


def _get_root(record):
    "Return the document at the top of the parts"
    while isinstance(record, PartMixin):
        record = getattr(record, record._document)
    return record


class PartMixin(_GuardMixin):
    """A part of a document, or of another part

    `_document` is the field of what it is part of.  Users may make, change,
    delete and move it as long as they may change the field that holds it, of
    the document it leaves and of the one it enters.  `_modify_states` maps
    later states of the document to the names of the fields of the part that
    may still be changed.
    """
    __slots__ = ()
    _document = None
    _modify_states = {}

    @classmethod
    def _holding_name(cls):
        """Return the name of the field of the document that holds the part

        If there are several, one that users may change.
        """
        Document = cls._fields[cls._document].get_target()
        return min(
            (n for n, Part in part_fields(Document).items()
                if Part.__name__ == cls.__name__),
            key=lambda n: (Document._fields[n].readonly, n))

    @classmethod
    def copy(cls, parts, default=None):
        return super().copy(parts, default=cls._copy_default(default))

    @classmethod
    def check_modifiable(cls, parts, names):
        "Check that users may change the fields of the parts"
        Document = cls._fields[cls._document].get_target()
        documents = {getattr(p, cls._document) for p in parts} - {None}
        Document.check_modifiable([
                d for d in documents
                if not names <= cls._modify_states.get(
                    _get_root(d).state, set())],
            {cls._holding_name()})

    @classmethod
    def check_modification(cls, mode, parts, values=None, external=False):
        super().check_modification(
            mode, parts, values=values, external=external)
        if not external:
            return
        if mode == 'create':
            cls._check_given(parts)
        if mode == 'write':
            names = values.keys() - _LOG
            internal = names & cls.internal_names()
            if internal:
                raise AccessError(gettext(
                        'coop_membership.msg_document_internal',
                        **cls.__names__(field=min(internal))))
            # What these hold asks by itself
            names -= part_fields(cls).keys()
            if not names:
                return
        else:
            names = {cls._document}
        cls.check_modifiable(parts, names)
        if mode == 'write' and values.get(cls._document):
            Document = cls._fields[cls._document].get_target()
            Document.check_modifiable(
                [Document(_value(values[cls._document]))],
                {cls._holding_name()})


class ResultMixin(_IndexMixin):
    """What a run of a document makes, and what belongs to it

    Users never make, change or delete it but for the names in
    `_modify_always`.
    """
    __slots__ = ()
    _modify_always = frozenset()

    @classmethod
    def check_modification(cls, mode, results, values=None, external=False):
        super().check_modification(
            mode, results, values=values, external=external)
        if external and (
                mode != 'write' or values.keys() - cls._modify_always - _LOG):
            raise AccessError(gettext(
                    'coop_membership.msg_result_modify', **cls.__names__()))

    @classmethod
    def copy(cls, results, default=None):
        if results:
            raise AccessError(gettext(
                    'coop_membership.msg_result_modify', **cls.__names__()))
        return super().copy(results, default=default)


class LedgerMixin(ResultMixin):
    """A row of a ledger: made at one place, and never changed or deleted

    `_linked` names what the program may still fill in once it is made.
    """
    __slots__ = ()
    _linked = frozenset()

    @classmethod
    def check_modification(cls, mode, rows, values=None, external=False):
        super().check_modification(
            mode, rows, values=values, external=external)
        if mode == 'delete' or (
                mode == 'write' and values.keys() - cls._linked - _LOG):
            raise AccessError(gettext(
                    'coop_membership.msg_result_modify', **cls.__names__()))
