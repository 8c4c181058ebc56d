# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Let pytest run Tryton's tests.

pytest does not know the load_tests protocol, by which Tryton's modules
collect their scenarios: each scenario becomes an item of its own.  With
xdist the tests of one module run on one worker, and each worker has databases
of its own.
"""
import os
import unittest
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent
WORKER = os.environ.get('PYTEST_XDIST_WORKER')
if WORKER:
    if os.environ.get('TRYTOND_DATABASE_URI', '').startswith('postgresql'):
        os.environ['DB_NAME'] = f'test_{WORKER}'
    elif 'DB_CACHE' in os.environ:
        os.environ['DB_CACHE'] = os.path.join(os.environ['DB_CACHE'], WORKER)


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


def pytest_collection_modifyitems(items):
    for item in items:
        directory = item.path.relative_to(ROOT).parent
        item.add_marker(pytest.mark.xdist_group(str(directory)))
