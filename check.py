# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"What keeps the books of a company from being in order"
from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference, check_books
from trytond.modules.coop_membership.document import collect
from trytond.pool import Pool


def get_differences(company, date):
    "Return the differences with what is not brought to its end"
    return [
        *check_books(company, date),
        *get_pending(company, date),
        *get_setup(company),
        ]


def get_pending(company, date):
    "Return what is approved or computed but not posted"
    for Model in collect('_pending'):
        for name in sorted(set(Model._pending.values())):
            for record in Model.search([
                        ('company', '=', company.id),
                        ('state', 'in', [
                                s for s, n in Model._pending.items()
                                if n == name]),
                        (name, '<=', date),
                        ], order=[(name, 'ASC'), ('id', 'ASC')]):
                yield Difference(
                    record, gettext('coop.msg_check_pending'),
                    kind='pending')


def get_setup(company):
    "Return what is missing or does not fit in the configuration"
    pool = Pool()
    for Model in collect('_sequence'):
        name, field = Model._sequence
        Configuration = pool.get(name)
        sequence = Configuration(1).get_multivalue(
            field, company=company.id)
        if not sequence:
            yield Difference(
                company, gettext('coop.msg_check_sequence',
                    **Configuration.__names__(field)),
                kind='setup')
        elif used := Model.search([
                    ('company', '=', company.id),
                    ('number', '=', sequence.preview),
                    ], limit=1):
            yield Difference(
                sequence, gettext('coop.msg_check_number',
                    number=sequence.preview,
                    record=used[0].rec_name),
                kind='setup')
    yield from _get_closed_accounts(company)


def _get_closed_accounts(company):
    "Look for share classes whose accounts are closed"
    ShareClass = Pool().get('coop.share.class')
    accounts = [
        n for n in ShareClass._fields if n.startswith('account_')]
    for share_class in ShareClass.search([
                ('company', '=', company.id),
                ]):
        for name in accounts:
            account = getattr(share_class, name)
            if account and account.closed:
                yield Difference(
                    share_class, gettext('coop.msg_check_account',
                        account=account.rec_name),
                    kind='setup')
