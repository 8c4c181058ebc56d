# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"What keeps the books of a company from being in order"
from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference, check_books
from trytond.pool import Pool

# The states of a document in which something is still to be posted, and the
# field of the day from which on it should be
PENDING = [
    ('coop.share.redemption', ['approved'], 'end_date'),
    ('coop.share.dividend', ['approved'], 'end_date'),
    ('coop.surplus', ['approved'], 'posting_date'),
    ('coop.equity.revolvement', ['approved'], 'posting_date'),
    ('coop.commons.billing', ['computed'], 'end'),
    ('coop.commons.engagement.billing', ['computed'], 'invoice_date'),
    ('coop.commons.settlement', ['computed', 'approved'],
        'fiscalyear.end_date'),
    ]
# The documents that get their numbers from the sequence of a configuration
NUMBERED = [
    ('coop.membership.configuration', 'meeting_sequence', 'coop.meeting'),
    ('coop.share.configuration', 'share_move_sequence', 'coop.share.move'),
    ('coop.share.configuration', 'subscription_sequence',
        'coop.share.subscription'),
    ('coop.share.configuration', 'transfer_sequence', 'coop.share.transfer'),
    ('coop.share.configuration', 'redemption_sequence',
        'coop.share.redemption'),
    ('coop.share.configuration', 'certificate_sequence',
        'coop.share.certificate'),
    ('coop.share.configuration', 'dividend_sequence', 'coop.share.dividend'),
    ('coop.commons.configuration', 'booking_sequence',
        'coop.commons.booking'),
    ('coop.commons.configuration', 'billing_sequence',
        'coop.commons.billing'),
    ]


def get_differences(company, date):
    "Return the differences with what is not brought to its end"
    return [
        *check_books(company, date),
        *get_pending(company, date),
        *get_setup(company),
        ]


def get_pending(company, date):
    "Return what is approved or computed but not posted"
    pool = Pool()
    for model, states, name in PENDING:
        Model = pool.get(model)
        for record in Model.search([
                    ('company', '=', company.id),
                    ('state', 'in', states),
                    (name, '<=', date),
                    ], order=[(name, 'ASC'), ('id', 'ASC')]):
            yield Difference(
                record, gettext('coop.msg_check_pending'),
                kind='pending')


def get_setup(company):
    "Return what is missing or does not fit in the configuration"
    pool = Pool()
    for name, field, model in NUMBERED:
        Configuration = pool.get(name)
        Model = pool.get(model)
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
