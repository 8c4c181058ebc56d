# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Cast, Literal
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce
from sql.operators import Concat

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class RedemptionAgreement(BooksMixin):
    "The agreement of what is owed for redemptions with the accounts"
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        "Compare what is owed for each redemption with its moves"
        pool = Pool()
        AccountMove = pool.get('account.move')
        Line = pool.get('account.move.line')
        ShareClass = pool.get('coop.share.class')
        differences = super().check_books(company, date)
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        class_ = ShareClass.__table__()
        interest = pool.get('coop.share.redemption.interest').__table__()
        end, settle, lapse, move, accrual = (
            AccountMove.__table__() for _ in range(5))
        line, lapsed_line = Line.__table__(), Line.__table__()

        claim = table.amount - Coalesce(table.unpaid_amount, 0)
        kept = (
            Coalesce(table.loss, 0) - Coalesce(table.premium, 0)
            + Coalesce(table.deduction, 0) + Coalesce(table.set_off_amount, 0))
        lapsed = lapsed_line.select(
            Sum(lapsed_line.debit), where=lapsed_line.move == lapse.id)
        query = (table
            .join(end, condition=table.move == end.id)
            .join(settle, 'LEFT', condition=table.settle_move == settle.id)
            .join(lapse, 'LEFT', condition=table.lapse_move == lapse.id)
            .select(
                table.id,
                Case(
                    (lapse.date <= date, claim - kept - lapsed),
                    (settle.date <= date, claim - kept),
                    else_=claim).as_('amount'),
                where=(table.company == company.id)
                & table.state.in_(['ended', 'settled', 'paid'])
                & (end.date <= date)))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        expected = {
            id_: company.currency.round(Decimal(amount))
            for id_, amount in cursor}

        origin = cls.__name__ + ','
        query = (line
            .join(move, condition=line.move == move.id)
            .join(table, condition=(
                    move.origin == Concat(origin, Cast(
                            table.id, fields.Char('id').sql_type().base))))
            .join(class_, condition=(table.share_class == class_.id)
                & (line.account == class_.account_redemption))
            .select(
                table.id,
                Sum(Case((move.date <= date, line.credit - line.debit),
                        else_=Literal(0))).as_('amount'),
                Sum(line.credit - line.debit).as_('final'),
                where=(table.company == company.id)
                & (move.state == 'posted'),
                group_by=table.id))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        found, final = {}, {}
        for id_, amount, final_amount in cursor:
            found[id_] = company.currency.round(Decimal(amount))
            final[id_] = company.currency.round(Decimal(final_amount))
        for id_, amount in fetch_sums(interest.join(
                    accrual, condition=interest.account_move == accrual.id
                    ).join(
                    table, condition=interest.redemption == table.id
                    ).select(
                    interest.redemption,
                    Sum(interest.amount - interest.withholding).as_('amount'),
                    where=(table.company == company.id)
                    & table.state.in_(['settled', 'paid'])
                    & (accrual.date <= date),
                    group_by=interest.redemption)):
            if id_ in expected:
                expected[id_] += company.currency.round(Decimal(amount))
        for id_ in sorted(expected.keys() | found.keys()):
            amounts = [d.get(id_, Decimal(0)) for d in [expected, found]]
            if amounts[0] != amounts[1]:
                redemption = cls(id_)
                # What is taken back after the period is closed comes later
                timing = (
                    redemption.state == 'cancelled' and not final.get(id_))
                differences.append(Difference(
                        redemption,
                        gettext('coop_shares.msg_books_redemption',
                            redemption=redemption.rec_name,
                            account=redemption.share_class
                            .account_redemption.rec_name),
                        *amounts, party=redemption.member.party,
                        kind='timing' if timing else 'error'))
        return differences
