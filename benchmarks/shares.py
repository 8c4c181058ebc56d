# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Shares for the benchmarks."""
from decimal import Decimal

from common import insert

from trytond.pool import Pool

PAR_VALUE = Decimal(50)


def create_class(company, **values):
    "Create a share class on the accounts of the chart and return its id"
    pool = Pool()
    Account = pool.get('account.account')
    ShareClass = pool.get('coop.share.class')

    def account(name):
        account, = Account.search([
                ('company', '=', company), ('name', '=', name)])
        return account

    values.setdefault('par_value', PAR_VALUE)
    class_ = ShareClass(
        name="Share", code='A', company=company,
        account_capital=account("Member Shares"),
        account_subscribed=account("Subscribed Shares Receivable"),
        account_redemption=account("Redeemed Shares Payable"),
        **values)
    class_.save()
    return class_.id


def insert_moves(company, share_class, rows):
    """Insert ledger rows of member, date and quantity.

    They have no accounting moves.
    """
    return insert(
        'coop.share.move',
        ['company', 'share_class', 'kind', 'quantity', 'to_member',
            'start_date', 'date', 'acquired_date', 'par_value', 'amount',
            'state'],
        ((company, share_class, 'issue', quantity, member, date, date, date,
                PAR_VALUE, quantity * PAR_VALUE, 'done')
            for member, date, quantity in rows))
