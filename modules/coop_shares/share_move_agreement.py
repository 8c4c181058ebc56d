# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Literal
from sql.aggregate import Sum
from sql.conditionals import Case

from trytond import backend
from trytond.modules.coop_membership.agreement import BooksMixin, compare
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction, inactive_records


class ShareMoveAgreement(BooksMixin):
    "The agreement of the capital accounts with the share moves"
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        """Compare the capital accounts with the ledger.

        Per account and party: capital and unpaid capital.
        """
        differences = super().check_books(company, date)
        expected, later = cls._expected_balances(company, date)
        accounts = {a for a, _ in expected} | set(
            cls._control_accounts(company))
        differences.extend(compare(
                company, date, accounts, expected, later,
                'coop_shares.msg_books_capital'))
        return differences

    @classmethod
    def _control_accounts(cls, company):
        pool = Pool()
        Class = pool.get('coop.share.class')
        with inactive_records():
            classes = Class.search([('company', '=', company.id)])
        for class_ in classes:
            yield class_.account_capital.id
            if class_.account_unpaid:
                yield class_.account_unpaid.id

    @classmethod
    def _expected_balances(cls, company, date):
        """Return the balances by account and party the ledger expects.

        Together with what is posted after the date only, because the period
        of the event was closed.
        """
        pool = Pool()
        Account = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Configuration = pool.get('coop.share.configuration')
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        cursor = Transaction().connection.cursor()
        expected = defaultdict(Decimal)
        later = defaultdict(Decimal)
        cutover_date = Configuration(1).get_multivalue(
            'cutover_date', company=company.id)
        if cutover_date and date < cutover_date:
            return expected, later

        member = Member.__table__()
        class_ = Class.__table__()
        account_move = Account.__table__()
        rows = cls._rows(
            lambda t, member, sign: [
                member.as_('member'),
                t.share_class.as_('share_class'),
                t.account_move.as_('account_move'),
                (t.amount * sign).as_('amount'),
                ],
            lambda t, member: (
                (t.state == 'done') & (t.company == company.id)
                & (t.date <= date)))
        query = (rows
            .join(member, condition=rows.member == member.id)
            .join(class_, condition=rows.share_class == class_.id)
            .join(account_move, 'LEFT',
                condition=rows.account_move == account_move.id)
            .select(
                class_.account_capital, member.party,
                Sum(rows.amount).as_('amount'),
                Sum(Case((account_move.date > date, rows.amount),
                        else_=Literal(0))).as_('later'),
                group_by=[class_.account_capital, member.party]))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        for account, party, amount, amount_later in cursor:
            expected[account, party] += Decimal(amount)
            later[account, party] += Decimal(amount_later)
        for (account, party), amount, amount_later in (
                Subscription.unpaid_balances(company, date)):
            expected[account, party] += amount
            later[account, party] += amount_later
        return expected, later
