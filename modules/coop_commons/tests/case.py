# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from contextlib import contextmanager

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_commons.tests.documents import CommonsDocuments
from trytond.modules.coop_membership.tests.database import PreparedTestCase
from trytond.pool import Pool
from trytond.transaction import Transaction, check_access

__all__ = ['CommonsTestCase']


class CommonsTestCase(CommonsDocuments, PreparedTestCase):
    "Test with the documents of a company"
    module = 'coop_commons'

    def prepare(self):
        "Prepare a company with two members, a resource and its tariff"
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)

    @contextmanager
    def in_company(self):
        self.lock_documents()
        self.load()
        with set_company(self.company):
            yield

    def make(self, name, state, **values):
        "Make the document by its name, with other values if given"
        Model = Pool().get(f'coop.commons.{name}')
        if not values:
            return Model(super().make(Model, state).id)
        document = self._make_document(name, **values)
        for button in self.state_buttons[Model.__name__][state]:
            getattr(Model, button)([document])
        return Model(document.id)

    @contextmanager
    def as_employee(self, party):
        "Act as an employee without a group"
        pool = Pool()
        Employee = pool.get('company.employee')
        User = pool.get('res.user')
        employee = Employee(party=party, company=self.company)
        employee.save()
        user = User(
            name="Employee", login="employee", companies=[self.company],
            company=self.company, employees=[employee], employee=employee)
        user.save()
        with Transaction().set_user(user.id):
            context = User.get_preferences(context_only=True)
            with Transaction().set_context(context), check_access():
                yield
