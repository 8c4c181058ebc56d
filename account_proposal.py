# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Which accounts a cooperative needs that a chart may not have

What is needed are the accounts by which the modules extend the universal
charts.  In another chart each is an account that exists, or is proposed
beside its like: with the code, the type and the parent that it would have.
"""
import csv
from collections import Counter, defaultdict
from functools import cached_property
from typing import Any, NamedTuple

from trytond.model import ModelSingleton
from trytond.modules.coop_membership.chart import (
    find_account, get_templates, split_template)
from trytond.modules.coop_membership.document import collect
from trytond.pool import Pool
from trytond.tools import file_open

TEMPLATE = 'account.account.template'
CASH = ('account', 'account_template_1_1_1')
# The clearing accounts, which are used by nothing else
_CLEARING = {'share_dividend', 'patronage', 'fund', 'settlement'}
_FLAGS = ['receivable', 'payable', 'revenue', 'expense']


class Proposal(NamedTuple):
    """An account that is needed: one that exists, or what to create

    `type` is the type under which the account has its own, or its type where
    the template has one of the chart.
    """
    template: Any
    account: Any = None
    name: str | None = None
    code: str | None = None
    parent: Any = None
    type: Any = None


class Chart:
    "The accounts of a company, and what a cooperative misses among them"

    def __init__(self, company):
        pool = Pool()
        Account = pool.get('account.account')
        Type = pool.get('account.account.type')
        self.company = company
        own = [('company', '=', company.id)]
        self.accounts = Account.search(
            own, order=[('code', 'ASC'), ('id', 'ASC')])
        self.types = Type.search(own, order=[('id', 'ASC')])
        self.codes = {a.code for a in self.accounts if a.code}
        self.used = set()

    @cached_property
    def needed(self):
        "The templates of the accounts, by module and name"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        Template = pool.get(TEMPLATE)
        names = dict.fromkeys(
            (data.module, split_template(data.fs_id)[0])
            for data in ModelData.search([
                    ('module', 'like', r'coop\_%'),
                    ('model', '=', TEMPLATE),
                    ], order=[('id', 'ASC')]))
        language = self.company.party.lang
        needed = {}
        for module, name in [*names, CASH]:
            templates = get_templates(module, name)
            id_ = templates.get(
                language.code if language else None, templates.get('en'))
            if id_:
                needed[module, name] = Template(id_)
        # Else their codes would follow from how the modules were loaded
        return dict(sorted(
                needed.items(),
                key=lambda n: [int(p) for p in n[1].code.split('.')]))

    @cached_property
    def configured(self):
        "The accounts that are chosen already, by module and name"
        accounts = {}

        def choose(key, account):
            # Not each class has all of them
            if account:
                accounts.setdefault(key, account)
        for Model in collect('_chart_accounts'):
            if issubclass(Model, ModelSingleton):
                configuration = Model(1)
                for field, key in Model._chart_accounts.items():
                    choose(key, configuration.get_multivalue(
                            field, company=self.company.id))
            else:
                for record in Model.search([
                            ('company', '=', self.company.id),
                            ], order=[('id', 'ASC')]):
                    for field, key in Model._chart_accounts.items():
                        choose(key, getattr(record, field))
        return accounts

    def get_account(self, key):
        "Return the account that serves, if there is one"
        return self.configured.get(key) or find_account(self.company, *key)

    @property
    def missing(self):
        "The proposals for what is needed and not there"
        pool = Pool()
        PaymentMethod = pool.get('account.invoice.payment.method')
        paid = PaymentMethod.search([
                ('company', '=', self.company.id),
                ], limit=1)
        proposals = {
            key: self.propose(key, template)
            for key, template in self.needed.items()
            if not self.get_account(key) and not (key == CASH and paid)}
        configurable = {
            key for Model in collect('_chart_accounts')
            for key in Model._chart_accounts.values()}
        if not (proposals.keys() & configurable) and all(
                p.account for p in proposals.values()):
            # All that is needed is there, though nothing refers to it
            return []
        return list(proposals.values())

    @cached_property
    def hints(self):
        "The codes that the chart of the company has for the accounts"
        ModelData = Pool().get('ir.model.data')
        roots = [
            a.template.id for a in self.accounts
            if a.template and not a.parent]
        charts = {
            f'{data.module}.{data.fs_id}'
            for data in ModelData.search([
                        ('model', '=', TEMPLATE),
                        ('db_id', 'in', roots),
                        ])}
        with file_open('coop/account_hints.csv', encoding='utf-8') as file:
            return {
                row['name']: row['code'] for row in csv.DictReader(file)
                if row['chart'] in charts}

    def propose(self, key, template):
        module, name = key
        name = name.removeprefix('account_template_')
        hint = self._find_hint(name)
        account = self._find_name(*key, template)
        if (not account and hint and name not in _CLEARING and (
                    self._fits(hint, template)
                    or key == CASH and not hint.closed)):
            account = hint
        if account:
            # Two needs are never met by the same account unseen
            self.used.add(account)
            return Proposal(template, account=account)
        type_ = self._find_type(template, hint)
        parent = hint or self._find_parent(template, type_)
        if template.type and not is_common(template.type):
            parent = untyped(parent)
        return Proposal(
            template, name=template.name, parent=parent, type=type_,
            code=self._get_code(template, type_, hint))

    def _find_hint(self, name):
        code = self.hints.get(name)
        if code:
            for account in self.accounts:
                if account.code == code:
                    return account

    def _find_name(self, module, name, template):
        "Return the account that is called as in one of the languages"
        Template = Pool().get(TEMPLATE)
        names = {
            t.name.casefold() for t in Template.browse(
                list(get_templates(module, name).values()))}
        for account in self.accounts:
            if (account.name.casefold() in names
                    and self._fits(account, template)):
                return account

    def _fits(self, account, template):
        if account.closed or not account.type or account in self.used:
            return False
        type_, wanted = account.type, template.type
        return (
            type_.statement == wanted.statement
            and all(
                getattr(type_, flag) == getattr(wanted, flag)
                for flag in ['receivable', 'payable'])
            and (type_.deferred or not wanted.deferred)
            and account.party_required == template.party_required
            and (account.reconcile or not template.reconcile))

    def _find_type(self, template, hint):
        "Return under which type, or of which, the new account is"
        wanted = template.type
        if hint and hint.type and hint.type.statement == wanted.statement:
            return hint.type
        flags = self._get_flags(wanted)
        same = [
            t for t in self.types
            if t.statement == wanted.statement
            and all(getattr(t, f) for f in flags)]
        if wanted.statement == 'income':
            return self._most_used(same)
        if flags:
            # Beside those of the same kind
            type_ = self._most_used(same)
            return type_ and type_.parent or type_
        if wanted.assets:
            return self._most_used([t for t in same if t.assets])
        side = self._get_side(wanted)
        words = self._get_words(side)
        free = [
            t for t in same if not (t.assets or t.receivable or t.payable)]
        for type_ in free:
            if any(w in type_.name.casefold() for w in words):
                return type_
        if side == 'account_type_template_current_liabilities':
            for type_ in self.types:
                if type_.payable and type_.parent:
                    return type_.parent
        return free[0] if free else None

    @staticmethod
    def _get_flags(wanted):
        "Return the flags of the type, or of what it is part of"
        while wanted:
            flags = [f for f in _FLAGS if getattr(wanted, f)]
            if flags or wanted.statement == 'balance':
                return flags
            wanted = wanted.parent
        return []

    def _get_side(self, wanted):
        "Return the name of the type of the universal charts above it"
        ModelData = Pool().get('ir.model.data')
        while wanted:
            for data in ModelData.search([
                        ('module', '=', 'account'),
                        ('model', '=', 'account.account.type.template'),
                        ('db_id', '=', wanted.id),
                        ]):
                name, _ = split_template(data.fs_id)
                if name != 'account_type_template_capital':
                    return name
            wanted = wanted.parent

    def _get_words(self, side):
        "Return how the side of a balance sheet is called in the languages"
        pool = Pool()
        TypeTemplate = pool.get('account.account.type.template')
        templates = TypeTemplate.browse(list(get_templates(
                    'account', side, 'account.account.type.template'
                    ).values())) if side else []
        return [
            word.strip().casefold()
            for template in templates for word in template.name.split('/')]

    def _most_used(self, types):
        "Return the type of most accounts"
        count = Counter(a.type for a in self.accounts if a.type in types)
        if count:
            return max(types, key=lambda t: (count[t], -t.id))
        return types[0] if types else None

    def _find_parent(self, template, type_):
        "Return the account that has most of the accounts like it"
        parents = defaultdict(int)
        for account in self.accounts:
            if account.parent and account.type and (
                    account.type == type_ or account.type.parent == type_):
                parents[account.parent] += 1
        if parents:
            return max(parents, key=lambda p: (parents[p], -p.id))
        roots = [a for a in self.accounts if not a.parent]
        return roots[0] if len(roots) == 1 and roots[0].childs else None

    def _get_code(self, template, type_, hint):
        "Return a free code after those of the same kind"
        code = None
        if hint and hint.code:
            code = next(
                f'{hint.code}{i}' for i in range(1, len(self.codes) + 2)
                if f'{hint.code}{i}' not in self.codes)
        else:
            codes = [
                a.code for a in self.accounts
                if a.type and type_ in {a.type, a.type.parent}
                and a.code and a.code.isdecimal()]
            if codes:
                last = max(codes, key=int)
                number = int(last) + 1
                while str(number).zfill(len(last)) in self.codes:
                    number += 1
                code = str(number).zfill(len(last))
            elif template.code not in self.codes:
                code = template.code
        self.codes.add(code)
        return code


def is_common(template):
    "Return whether the template of a type is one of the universal charts"
    ModelData = Pool().get('ir.model.data')
    data, = ModelData.search([
            ('model', '=', template.__name__),
            ('db_id', '=', template.id),
            ])
    return data.module == 'account'


def untyped(account):
    """Return the account or the first above it that may have others

    What is below an account with a type is of the same type, unless it is the
    root.
    """
    while account and account.type and account.parent:
        account = account.parent
    return account


def create_account(company, template, name, code, parent, type_):
    "Create the account of the template in a chart of another kind"
    Account = Pool().get('account.account')
    values = template._get_account_value()
    type_ = get_type(company, template.type, type_)
    if parent and parent.type != type_:
        parent = untyped(parent)
    values.update({
            'company': company.id,
            'name': name,
            'code': code,
            'parent': parent.id if parent else None,
            'type': type_.id,
            # The chart it is in is not that of the template
            'template_override': True,
            })
    account, = Account.create([values])
    return account


def get_type(company, template, parent):
    "Return the type of the template, which is created where it is missing"
    pool = Pool()
    ModelData = pool.get('ir.model.data')
    Type = pool.get('account.account.type')
    if is_common(template) and parent:
        return parent
    data, = ModelData.search([
            ('model', '=', template.__name__),
            ('db_id', '=', template.id),
            ])
    name, _ = split_template(data.fs_id)
    types = Type.search([
            ('company', '=', company.id),
            ('template', 'in', list(get_templates(
                        data.module, name, template.__name__).values())),
            ], limit=1)
    if types:
        return types[0]
    values = template._get_type_value()
    values.update({
            'company': company.id,
            'parent': parent.id if parent else None,
            'template_override': True,
            })
    type_, = Type.create([values])
    return type_


def configure(company, accounts):
    "Let the configurations of the company use the accounts"
    for Model in collect('_chart_accounts'):
        if not issubclass(Model, ModelSingleton):
            continue
        configuration = Model(1)
        for field, key in Model._chart_accounts.items():
            account = accounts.get(key)
            if account and configuration.get_multivalue(
                    field, company=company.id) != account:
                setattr(configuration, field, account)
        # Without a record its screen would only show the defaults
        configuration.save()
