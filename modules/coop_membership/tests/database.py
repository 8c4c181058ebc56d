# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from copy import copy

from trytond.model import Model
from trytond.tests.test_tryton import (
    TestCase, activate_module, drop_db, with_transaction)
from trytond.transaction import Transaction


class DatabaseTestCase(TestCase):
    "Test in the database of a module"
    module = None
    extras = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        drop_db()
        activate_module([cls.module, *cls.extras])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        drop_db()


class PreparedTestCase(DatabaseTestCase):
    "Test with records that are made once for all tests of the class"

    def prepare(self):
        "Make the records and set them as attributes"
        raise NotImplementedError

    def load(self):
        "Set the attributes as they were prepared"
        for name, value in self._prepared.items():
            setattr(self, name, load(value))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        names = set(vars(case))

        @with_transaction()
        def prepare():
            case.prepare()
            Transaction().commit()

        prepare()
        cls._prepared = {
            name: value for name, value in vars(case).items()
            if name not in names}


def load(value):
    "Return what was prepared with its records as in this transaction"
    if isinstance(value, Model):
        return value.__class__(value.id)
    elif isinstance(value, list):
        return [load(v) for v in value]
    return copy(value)
