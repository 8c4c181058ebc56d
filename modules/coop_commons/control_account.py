# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool


def get_differences(company, date, expected, message):
    """Yield the accounts whose balance is not what is expected

    `expected` is by the id of the account what it owes at the date.
    """
    pool = Pool()
    Account = pool.get('account.account')
    Line = pool.get('account.move.line')
    Move = pool.get('account.move')
    if not expected:
        return
    line = Line.__table__()
    move = Move.__table__()
    found = dict(fetch_sums(line
            .join(move, condition=line.move == move.id)
            .select(
                line.account, Sum(line.credit - line.debit).as_('amount'),
                where=(move.state == 'posted') & (move.date <= date)
                & fields.SQL_OPERATORS['in'](line.account, list(expected)),
                group_by=line.account)))
    for account in Account.browse(sorted(expected)):
        amounts = [
            company.currency.round(a) for a in [
                expected[account.id], found.get(account.id, Decimal(0))]]
        if amounts[0] != amounts[1]:
            yield Difference(
                account, gettext(message, account=account.rec_name),
                *amounts)
