# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from contextlib import contextmanager

from proteus import Model
from proteus.config import get_config
from sql import Null

from trytond.model import ModelSQL, fields
from trytond.modules.company.tests.tools import get_company
from trytond.modules.coop_membership.agreement import (
    check_books as _check_books)
from trytond.pool import Pool
from trytond.transaction import Transaction

__all__ = ['create_category', 'create_member', 'check_books', 'check_days']


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
    with _transaction(company, config) as company:
        return _differences(company, date or dt.date.today())


def check_days(start, end, company=None, config=None):
    """Return the differences on each day between, as pairs of day and text

    They only change with a date: the others are as the day before.
    """
    with _transaction(company, config) as company:
        dates = {d for d in _dates() if start < d <= end}
        days = dates | {d - dt.timedelta(days=1) for d in dates} | {start, end}
        return [
            (day, text) for day in sorted(days)
            for text in _differences(company, day)]


@contextmanager
def _transaction(company, config):
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
        yield Pool().get('company.company')(company.id)


def _differences(company, date):
    return [
        ' '.join(str(v) for v in [
                d.kind, d.description, d.party and d.party.rec_name,
                d.expected, d.found] if v is not None)
        for d in _check_books(company, date)]


def _dates():
    "Return each date of what is in the books or of the cooperative"
    cursor = Transaction().connection.cursor()
    result = set()
    for name, model in Pool().iterobject():
        if (not name.startswith(('account.', 'coop.'))
                or not issubclass(model, ModelSQL)
                or callable(getattr(model, 'table_query', None))):
            continue
        table = model.__table__()
        for field in model._fields.values():
            if field._type == 'date' and not isinstance(
                    field, (fields.Function, fields.MultiValue)):
                column = getattr(table, field.name)
                cursor.execute(*table.select(
                        column, where=column != Null, group_by=column))
                result.update(
                    d if isinstance(d, dt.date) else dt.date.fromisoformat(d)
                    for d, in cursor)
    return result
