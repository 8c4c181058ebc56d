# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The accounts that are made from templates, in any language of a chart."""
import re

from trytond.pool import Pool
from trytond.tools import escape_wildcard
from trytond.transaction import Transaction

_LANGUAGE = re.compile(r'_(?P<language>[a-z]{2})$')


def split_template(fs_id):
    "Return the name of a template without its language, and the language"
    found = _LANGUAGE.search(fs_id)
    if not found:
        return fs_id, None
    return fs_id[:found.start()], found['language']


def get_templates(module, name, model='account.account.template'):
    "Return by language the ids of the templates of the name"
    ModelData = Pool().get('ir.model.data')
    # Those of a language are loaded with its translations
    return {
        language: data.db_id
        for data in ModelData.search([
                    ('module', '=', module),
                    ('fs_id', 'like', escape_wildcard(name) + r'\___'),
                    ('model', '=', model),
                    ])
        for template, language in [split_template(data.fs_id)]
        if template == name}


def find_account(company, module, name):
    "Return the account of the company that is made from the template"
    Account = Pool().get('account.account')
    templates = get_templates(module, name)
    if not templates:
        return
    accounts = Account.search([
            ('company', '=', int(company)),
            ('template', 'in', list(templates.values())),
            ('closed', '!=', True),
            ], order=[('id', 'ASC')], limit=1)
    return accounts[0] if accounts else None


def default_account(module, name):
    "Return the default of a configured account that a chart may have"
    @classmethod
    def default(cls, **pattern):
        company = pattern.get('company', Transaction().context.get('company'))
        if company:
            account = find_account(company, module, name)
            return account.id if account else None
    return default
