# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"The roles of a cooperative and their groups"
from contextlib import contextmanager

from trytond.pool import Pool
from trytond.transaction import Transaction, check_access

ROLES = {
    'staff': [],
    'clerk': ['coop_membership.group_coop_membership'],
    'accountant': ['coop_membership.group_coop_accounting'],
    'director': ['coop_membership.group_coop_board'],
    'steward': ['coop_commons.group_commons_stewardship'],
    }


@contextmanager
def as_role(role, company):
    "Do as a user of the company in the groups of the role"
    pool = Pool()
    ModelData = pool.get('ir.model.data')
    User = pool.get('res.user')
    users = User.search([('login', '=', role)])
    if not users:
        users = User.create([{
                    'name': role,
                    'login': role,
                    'companies': [('add', [company.id])],
                    'company': company.id,
                    'groups': [('add', [
                                ModelData.get_id(*group.split('.'))
                                for group in ROLES[role]])],
                    }])
    with Transaction().set_user(users[0].id):
        context = User.get_preferences(context_only=True)
        with Transaction().set_context(context), check_access():
            yield
