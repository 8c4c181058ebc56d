# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Let pytest run Tryton's tests.

pytest does not know the load_tests protocol, by which Tryton's modules
collect their scenarios: each scenario becomes an item of its own.

Each worker of xdist has databases of its own, but prepared databases are
shared.  Tryton names them after their modules only; here the name also has
what they were made from, so that they serve until a source changes.
"""
import fcntl
import functools
import gc
import hashlib
import os
import tempfile
import unittest
from configparser import ConfigParser
from functools import cache
from itertools import chain, groupby, zip_longest
from pathlib import Path

import pytest
from _pytest.unittest import TestCaseFunction
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent
if os.environ.get('TRYTOND_DATABASE_URI', '').startswith('postgresql'):
    os.environ['DB_NAME'] = 'test_' + os.environ.get(
        'PYTEST_XDIST_WORKER', 'main')
    # The planner misjudges the catalogs, which grow in one transaction when
    # modules are activated
    os.environ['PGOPTIONS'] = '-c enable_hashjoin=off -c enable_mergejoin=off'
else:
    # On SQLite the transaction that polls the caches, after five minutes,
    # would commit what the test has written
    os.environ['TRYTOND_CACHE__CLEAN_TIMEOUT'] = '31536000'


# A busy machine is not an error
settings.register_profile(
    'coop', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('coop')
# A change is judged by the same examples each time; who develops gets others
settings.register_profile('ci', settings.get_profile('coop'), derandomize=True)
# What needs no database is judged once by all examples
settings.register_profile('few', settings.get_profile('ci'), max_examples=10)


class ScenarioItem(pytest.Item):

    def __init__(self, *, case, **kwargs):
        super().__init__(**kwargs)
        self.case = case

    def runtest(self):
        result = unittest.TestResult()
        self.case.run(result)
        for _, reason in result.skipped:
            pytest.skip(reason)
        for _, trace in [*result.failures, *result.errors]:
            raise ScenarioError(trace)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, ScenarioError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, self.name


class ScenarioError(Exception):
    pass


class ScenarioModule(pytest.Module):

    def collect(self):
        suite = self.obj.load_tests(
            unittest.TestLoader(), unittest.TestSuite(), None)
        for i, case in enumerate(_flatten(suite)):
            name = os.path.basename(case.id()).replace('.', '_')
            yield ScenarioItem.from_parent(
                self, name=f'{name}[{i}]', case=case)


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test


def pytest_collection_modifyitems(items):
    """Let databases be prepared while other tests run

    Workers take them in this order: the first test of a module, which
    prepares its database, comes before those of the former one.
    """
    free = [i for i in items if not _has_database(i)]
    order = _sort({_module(i) for i in items})
    groups = [
        list(group) for _, group in groupby(
            sorted(
                filter(_has_database, items),
                key=lambda i: order.index(_module(i))),
            key=_module)]
    firsts = [group.pop(0) for group in groups]
    items[:] = firsts[:1] + free
    for group, first in zip_longest(groups, firsts[1:]):
        if first:
            items.append(first)
        items.extend(group)


def _module(item):
    directory = item.path.parent.parent
    return directory.name if directory.parent.name == 'modules' else 'coop'


def _has_database(item):
    if isinstance(item, ScenarioItem):
        return True
    set_up = getattr(item.cls, 'setUpClass', None)
    return bool(set_up) and (
        set_up.__func__ is not unittest.TestCase.setUpClass.__func__)


def pytest_xdist_make_scheduler(config, log):
    return ClassScheduling(config, log)


class ClassScheduling(LoadScopeScheduling):
    "Set up each class once: one worker takes all its tests"

    def _split_scope(self, nodeid):
        file, class_, *test = nodeid.split('::')
        return f'{file}::{class_}' if test else nodeid


def pytest_terminal_summary(terminalreporter):
    "Tell how often the documents were attacked"
    for report in terminalreporter.getreports('passed'):
        for line in report.capstdout.splitlines():
            if line.endswith(' attempts'):
                terminalreporter.write_line(line)


def pytest_pycollect_makemodule(module_path, parent):
    if module_path.name == 'test_scenario.py':
        return ScenarioModule.from_parent(parent, path=module_path)


def _directory(module):
    return ROOT if module == 'coop' else ROOT / 'modules' / module


@cache
def _config(module):
    config = ConfigParser()
    config.read(_directory(module) / 'tryton.cfg')
    return {
        key: [
            name for name in config['tryton'].get(key, '').split()
            if (_directory(name) / 'tryton.cfg').exists()]
        for key in ['depends', 'extras_depend']}


def _sort(modules):
    "Return the modules of ours, those first that others depend on"
    result = []

    def add(module):
        if module not in result:
            for name in chain(*_config(module).values()):
                add(name)
            result.append(module)

    for module in sorted(modules):
        if (_directory(module) / 'tryton.cfg').exists():
            add(module)
    return result


@cache
def _sources(module):
    """Return the digest of what a database with the module is made from

    The translations are not: the tests are in English.
    """
    digest = hashlib.sha1((ROOT / 'constraints.txt').read_bytes())
    for names in _config(module).values():
        for name in sorted(names):
            digest.update(_sources(name).encode())
    for pattern in [
            '*.py', '*.xml', '*.fodt', '*.html', 'tryton.cfg', 'view/*.xml',
            'icons/*.svg', 'tests/tools.py']:
        for path in sorted(_directory(module).glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _depends(module):
    "Return the modules that are activated with the module, itself too"
    from trytond.modules import get_module_info

    result = {module}
    for name in get_module_info(module).get('depends', []):
        result |= _depends(name)
    return result


def _closure(modules):
    return set().union(*map(_depends, modules))


def _digest(text):
    return hashlib.sha1(text.encode()).hexdigest()


class PreparedDatabases:
    """Let workers share prepared databases

    Who finds none holds a lock until it has made and kept it; the others
    wait for it.  It is made from one with fewer modules: the modules that
    databases share are activated once.
    """

    def __init__(self, test_tryton, tools):
        self.locks = []
        server = _digest(os.environ.get('TRYTOND_DATABASE_URI', ''))
        self.list = ROOT / '.cache' / 'tests' / f'{server}.list'
        self.tools = tools
        self.test_tryton = test_tryton
        self.backup = test_tryton.backup_db_cache
        self.drop = test_tryton.drop_db
        self.activate = test_tryton.activate_module
        test_tryton.restore_db_cache = self.restore_db_cache
        test_tryton.backup_db_cache = self.backup_db_cache
        tools.activate_modules = self.activate_modules

    def activate_modules(self, modules, *setup):
        "Activate the modules and set up for proteus"
        if isinstance(modules, str):
            modules = [modules]
        name = '-'.join(sorted(modules))
        functions = '|'.join(map(self.tools._func_name, setup))
        restored = self._restore(f'{name}--{functions}')
        # This loads the modules
        config = self.tools._get_config()
        if not restored:
            for function in setup:
                function(config=config)
            self.backup_db_cache(f'{name}--{functions}')
        return config

    def restore_db_cache(self, name):
        from trytond.pool import Pool

        result = self._restore(name)
        if result:
            Pool(self.test_tryton.DB_NAME).init()
        return result

    def _restore(self, name):
        from trytond import backend

        key = self._key(name)
        digest = _digest(f'{ROOT} {key}')
        lock = (Path(tempfile.gettempdir()) / f'coop-{digest}.lock').open('w')
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.locks.append(lock)
        # The list of the databases is cached, also without those that others
        # have made meanwhile
        backend.Database.clear_cache()
        result = self._copy(key)
        if result:
            self.release()
        else:
            self.restore_base(name)
        return result

    def _copy(self, key):
        "Copy what is prepared, if it is"
        from trytond import backend

        tests = self.test_tryton
        if not tests.DB_CACHE:
            return False
        file = tests._db_cache_file(tests.DB_CACHE, key)
        if backend.name == 'sqlite':
            return tests._sqlite_copy(file, restore=True)
        return tests._pg_restore(file)

    def backup_db_cache(self, name):
        _analyze()
        self.backup(self._key(name))
        if self.test_tryton.DB_CACHE and '--' not in name:
            self.list.parent.mkdir(parents=True, exist_ok=True)
            with self.list.open('a') as file:
                file.write(f'{name} {_digest(self._key(name))}\n')
        self.release()

    def _key(self, name):
        modules, _, setup = name.partition('--')
        modules = sorted(set(modules.split('-')))
        sources = ' '.join(_sources(m) for m in _sort(modules))
        return f'{"-".join(modules)}--{setup} {sources}'

    def restore_base(self, name):
        """Restore the database to start from

        It is the one without the set up, else of those that are prepared the
        one with most of the modules, else that of the last dependency.
        """
        modules, _, setup = name.partition('--')
        modules = modules.split('-')
        if setup:
            base = modules
        else:
            all_ = _closure(modules)
            own = [m for m in _sort(modules) if m in modules]
            base = max([
                    _sort(_config(own[-1])['depends'])[-1:],
                    *(p for p in self._prepared() if _closure(p) < all_),
                    ], key=lambda m: len(_closure(m)))
        if base:
            self.drop()
            self.activate(base)

    def _prepared(self):
        "Yield the modules of each database that is prepared"
        if self.list.exists():
            for line in self.list.read_text().splitlines():
                name, digest = line.split()
                if digest == _digest(self._key(name)):
                    yield name.split('-')

    def release(self):
        lock = self.locks.pop()
        Path(lock.name).unlink(missing_ok=True)
        lock.close()

    def release_failed(self):
        "Release what a test that failed has not"
        while self.locks:
            self.release()


def _read_narrations():
    """Read each move that any test posts: what is it, and each of its lines?

    What users make by hand says what they wrote.
    """
    from trytond.model import dualmethod
    from trytond.modules.account.move import Move
    from trytond.pool import Pool

    post = Move.__dict__['post'].func

    @functools.wraps(post)
    def post_and_read(cls, moves):
        post(cls, moves)
        pool = Pool()
        try:
            AdditionalMove = pool.get('coop.document.move')
        except KeyError:
            return
        additional = {
            a.move for a in AdditionalMove.search([
                    ('move', 'in', [m.id for m in moves]),
                    ])}
        read = [
            m for m in cls.browse(moves)
            if getattr(m.origin, 'id', None) is not None or m in additional]
        for move in read:
            assert move.description_used, f"{move} of {move.origin}"
        for line in pool.get('account.move.line').search([
                    ('move', 'in', [m.id for m in read]),
                    ['OR', ('description', '=', None),
                        ('description', '=', '')],
                    ]):
            assert line.description_used, f"{line} of {line.move.origin}"

    Move.post = dualmethod(post_and_read)


def _resolve_once():
    """Find each class of a module once

    Tryton's checks of a module ask for all its classes at each model.
    """
    from trytond import pool

    pool.resolve = cache(pool.resolve)


def _report_failed_subtests():
    "Of those that pass, thousands in an attack, there is nothing to tell"
    add = TestCaseFunction.addSubTest

    def add_failed(self, test_case, test, exc_info):
        if exc_info is not None:
            add(self, test_case, test, exc_info)

    TestCaseFunction.addSubTest = add_failed


def _analyze():
    """Let PostgreSQL know its catalogs, which Tryton asks for each table

    What is restored has their statistics.
    """
    from trytond import backend
    from trytond.tests.test_tryton import DB_NAME
    from trytond.transaction import Transaction

    if backend.name == 'postgresql':
        with Transaction().start(
                DB_NAME, 0, autocommit=True, close=True) as transaction:
            transaction.connection.cursor().execute('ANALYZE')


@cache
def _prepared_databases():
    from trytond.tests import test_tryton, tools

    return PreparedDatabases(test_tryton, tools)


@pytest.hookimpl(tryfirst=True)
def pytest_collection():
    # What a test leaves is little beside the classes that stay
    gc.set_threshold(50_000, 20, 20)
    # Before tests import what it replaces
    _prepared_databases()
    _resolve_once()
    _report_failed_subtests()
    _read_narrations()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    _prepared_databases().release_failed()
