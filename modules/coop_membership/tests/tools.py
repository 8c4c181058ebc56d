# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from proteus import Model
from proteus.config import get_config

from trytond.modules.company.tests.tools import get_company
from trytond.modules.coop_membership.agreement import (
    check_books as _check_books)
from trytond.pool import Pool
from trytond.transaction import Transaction

__all__ = ['create_category', 'create_member', 'check_books']


def create_category(name="Users", company=None, config=None, **values):
    "Create a member category"
    Category = Model.get('coop.member.category', config=config)

    if not company:
        company = get_company(config=config)

    category = Category(name=name, company=company, **values)
    category.save()
    return category


def create_member(
        name, category=None, date=None, admit=True, company=None,
        config=None, **values):
    "Create a party that applies and, by default, is admitted on the date"
    Member = Model.get('coop.member', config=config)
    Party = Model.get('party.party', config=config)

    if not company:
        company = get_company(config=config)

    party = Party(name=name)
    party.addresses.new()
    party.save()
    member = Member(party=party, company=company, **values)
    if category:
        member.category = category
    if date:
        member.application_date = date
        member.admission_date = date
    member.save()
    if admit:
        member.click('admit')
    return member


def check_books(date=None, company=None, config=None):
    "Return the differences between the ledgers and the books, as texts"
    if not company:
        company = get_company(config=config)
    if config is None:
        config = get_config()
    context = {
        **config.context,
        'company': company.id,
        'companies': [company.id],
        }
    with Transaction().start(
            config.database_name, config.user, readonly=True,
            context=context):
        Company = Pool().get('company.company')
        return [
            ' '.join(str(v) for v in [
                    d.kind, d.description, d.party and d.party.rec_name,
                    d.expected, d.found] if v is not None)
            for d in _check_books(
                Company(company.id), date or dt.date.today())]
