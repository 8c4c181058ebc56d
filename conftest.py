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
import hashlib
import os
import tempfile
import unittest
from configparser import ConfigParser
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent
if os.environ.get('TRYTOND_DATABASE_URI', '').startswith('postgresql'):
    os.environ['DB_NAME'] = 'test_' + os.environ.get(
        'PYTEST_XDIST_WORKER', 'main')


# A busy machine is not an error
settings.register_profile(
    'coop', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('coop')


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


def pytest_pycollect_makemodule(module_path, parent):
    if module_path.name == 'test_scenario.py':
        return ScenarioModule.from_parent(parent, path=module_path)


@lru_cache
def _sources(directory):
    """Return the digest of what a database for the tests there is made from

    The translations are not: the tests are in English.
    """
    digest = hashlib.sha1((ROOT / 'constraints.txt').read_bytes())
    config = ConfigParser()
    config.read(directory / 'tryton.cfg')
    names = [
        name for key in ['depends', 'extras_depend']
        for name in config['tryton'].get(key, '').split()]
    for name in sorted(names):
        if (ROOT / 'modules' / name).is_dir():
            digest.update(_sources(ROOT / 'modules' / name).encode())
    for pattern in [
            '*.py', '*.xml', '*.fodt', 'tryton.cfg', 'view/*.xml',
            'icons/*.svg', 'tests/tools.py']:
        for path in sorted(directory.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class PreparedDatabases:
    """Let workers share prepared databases

    Who finds none holds a lock until it has made and kept it; the others
    wait for it.
    """

    def __init__(self, test_tryton, tools):
        self.directory = None
        self.lock = None
        self.restore = test_tryton.restore_db_cache
        self.backup = test_tryton.backup_db_cache
        for module in [test_tryton, tools]:
            module.restore_db_cache = self.restore_db_cache
            module.backup_db_cache = self.backup_db_cache

    def _name(self, name):
        return f'{self.directory.name} {_sources(self.directory)} {name}'

    def restore_db_cache(self, name):
        name = self._name(name)
        self.release()
        key = hashlib.sha1(f'{ROOT} {name}'.encode()).hexdigest()
        self.lock = (Path(tempfile.gettempdir()) / f'coop-{key}.lock').open(
            'w')
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        result = self.restore(name)
        if result:
            self.release()
        return result

    def backup_db_cache(self, name):
        self.backup(self._name(name))
        self.release()

    def release(self):
        if self.lock:
            Path(self.lock.name).unlink(missing_ok=True)
            self.lock.close()
            self.lock = None


@lru_cache
def _prepared_databases():
    from trytond.tests import test_tryton, tools
    return PreparedDatabases(test_tryton, tools)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    directory = item.path.parent.parent
    if (directory / 'tryton.cfg').exists():
        _prepared_databases().directory = directory
