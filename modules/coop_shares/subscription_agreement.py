# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Cast, Literal, Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond import backend
from trytond.model import fields
from trytond.modules.coop_membership.agreement import BooksMixin, compare
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction, inactive_records


class SubscriptionAgreement(BooksMixin):
    "The agreement of what is subscribed and paid with the accounts"
    __slots__ = ()

    @classmethod
    def check_books(cls, company, date):
        "Compare what is to pay per account and party with the books"
        pool = Pool()
        AccountConfiguration = pool.get('account.configuration')
        Configuration = pool.get('coop.share.configuration')
        ShareClass = pool.get('coop.share.class')
        differences = super().check_books(company, date)
        cutover_date = Configuration(1).get_multivalue(
            'cutover_date', company=company.id)
        if cutover_date and date < cutover_date:
            return differences
        with inactive_records():
            classes = ShareClass.search([('company', '=', company.id)])
        # Where invoices are owed too it can not be told apart
        accounts = list({c.account_subscribed.id for c in classes} - {
                int(a) for a in [AccountConfiguration(1).get_multivalue(
                        'default_account_receivable', company=company.id)]
                if a})
        if not accounts:
            return differences
        expected = defaultdict(Decimal)
        later = defaultdict(Decimal)
        for key, amount, amount_later in cls._open_balances(
                company, date, accounts):
            expected[key] += amount
            later[key] += amount_later
        differences.extend(compare(
                company, date, accounts, expected, later,
                'coop_shares.msg_books_subscription'))
        return differences

    @classmethod
    def _open_balances(cls, company, date, accounts):
        """Iterate over what is subscribed and over what was paid.

        As pair of account and party, the credit, and the part of it that is
        posted after the date.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        AdditionalMove = pool.get('coop.document.move')
        Class = pool.get('coop.share.class')
        Line = pool.get('account.move.line')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        additional = AdditionalMove.__table__()
        table = cls.__table__()
        class_ = Class.__table__()
        member = Member.__table__()
        payment = Payment.__table__()
        line = Line.__table__()
        move = AccountMove.__table__()
        tables = (table
            .join(class_, condition=table.share_class == class_.id)
            .join(member, condition=table.member == member.id))
        where = (
            cls._unpaid_where(table, company.id, date)
            & fields.SQL_OPERATORS['in'](class_.account_subscribed, accounts))

        def execute(tables, amount, where):
            query = tables.select(
                class_.account_subscribed, member.party,
                Sum(amount).as_('amount'),
                Sum(Case((move.date > date, amount),
                        else_=Literal(0))).as_('later'),
                where=where,
                group_by=[class_.account_subscribed, member.party])
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, None, 'NUMERIC', 'NUMERIC'])
            cursor.execute(*query)
            for account, party, amount, later in cursor:
                yield (account, party), Decimal(amount), Decimal(later)

        yield from execute(
            tables.join(move, condition=table.move == move.id),
            -(table.amount + Coalesce(table.premium, 0)
                + Coalesce(table.entry_fee, 0)), where)
        # Moves that replace claims, of which groups may set off some
        replacing = additional.select(
            additional.move,
            where=additional.document.like(cls.__name__ + ',%'))
        query = (tables
            .join(payment, condition=payment.subscription == table.id)
            .join(line, 'LEFT', condition=payment.line == line.id)
            .join(move, 'LEFT', condition=line.move == move.id)
            .select(
                Coalesce(line.account, class_.account_subscribed)
                .as_('account'),
                Coalesce(line.party, member.party).as_('party'),
                Sum(payment.amount).as_('amount'),
                Sum(Case((move.date > date, payment.amount),
                        else_=Literal(0))).as_('later'),
                where=where & (payment.date <= date)
                # What a draft pays is pending
                & ((move.id == Null) | (move.state == 'posted'))
                & ((move.id == Null) | ~move.id.in_(replacing)),
                group_by=[
                    Coalesce(line.account, class_.account_subscribed),
                    Coalesce(line.party, member.party)]))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        for account, party, amount, later in cursor:
            if account in accounts:
                yield (account, party), Decimal(amount), Decimal(later)

        # What is not assigned of money and of what takes it back
        # Before the subscription it was not for it yet
        subscribed = cls.__table__()
        assigned = (payment
            .join(subscribed,
                condition=payment.subscription == subscribed.id)
            .select(
                payment.line, Sum(payment.amount).as_('amount'),
                where=cls._unpaid_where(subscribed, company.id, date),
                group_by=payment.line))
        of_accounts = (
            fields.SQL_OPERATORS['in'](line.account, accounts)
            & (move.date <= date) & (move.state == 'posted'))
        # Which is given back by hand as long as it is there
        by_hand = (
            (line.reconciliation == Null)
            & (Cast(line.credit, 'NUMERIC') <= 0)
            & (assigned.line == Null))
        others = (line
            .join(move, condition=line.move == move.id)
            .join(assigned, 'LEFT', condition=assigned.line == line.id)
            .select(
                line.account, line.party,
                (line.credit - line.debit - Coalesce(assigned.amount, 0))
                .as_('amount'),
                Case((by_hand, 'given'),
                    (line.reconciliation == Null, 'left'),
                    else_='assigned').as_('kind'),
                where=of_accounts
                & ~move.id.in_(replacing)
                & ((move.origin == Null)
                    | ~move.origin.like(cls.__name__ + ',%'))))
        moved = (line
            .join(move, condition=line.move == move.id)
            .select(
                line.account, line.party,
                (line.credit - line.debit).as_('amount'),
                Literal('assigned').as_('kind'),
                where=of_accounts & move.id.in_(replacing)))
        yield from cls._taken_back(company, date, 'account_subscribed')
        left, given = defaultdict(Decimal), defaultdict(Decimal)
        for query in [others, moved]:
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, None, 'NUMERIC', None])
            cursor.execute(*query)
            for account, party, amount, kind in cursor:
                amount = Decimal(amount)
                if kind == 'given':
                    given[account, party] -= amount
                    continue
                if kind == 'left':
                    left[account, party] += amount
                yield (account, party), amount, Decimal(0)
        for key, amount in given.items():
            yield key, -min(amount, max(left[key], Decimal(0))), Decimal(0)

    @classmethod
    def _taken_back(cls, company, date, name):
        """Iterate over what takes back cancelled subscriptions after the date

        On the account of the class that has the name: the period of their own
        day was closed.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Line = pool.get('account.move.line')
        table = cls.__table__()
        class_ = Class.__table__()
        line = Line.__table__()
        move = AccountMove.__table__()
        query = (move
            .join(line, condition=line.move == move.id)
            .join(table,
                condition=AccountMove.origin.sql_id(move.origin, AccountMove)
                == table.id)
            .join(class_,
                condition=(table.share_class == class_.id)
                & (line.account == getattr(class_, name)))
            .select(
                line.account, line.party,
                Sum(line.credit - line.debit).as_('later'),
                where=move.origin.like(cls.__name__ + ',%')
                & (move.date > date) & (move.state == 'posted')
                & (table.company == company.id)
                & (table.state == 'cancelled'),
                group_by=[line.account, line.party]))
        for account, party, later in fetch_sums(query):
            yield (account, party), Decimal(0), Decimal(later)

    @classmethod
    def unpaid_balances(cls, company, date):
        """Iterate over the balances of capital that is subscribed, not paid.

        As pair of account and party, amount, and the part of it that is
        posted after the date.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        class_ = Class.__table__()
        member = Member.__table__()
        payment = Payment.__table__()
        account_move = AccountMove.__table__()
        tables = (table
            .join(class_, condition=table.share_class == class_.id)
            .join(member, condition=table.member == member.id))
        where = (
            cls._unpaid_where(table, company.id, date)
            & (class_.account_unpaid != Null))
        keys = [
            class_.account_capital, class_.account_unpaid, member.party,
            table.effective]

        def execute(tables, amount, where):
            later = Case(
                (account_move.date > date, amount), else_=Literal(0))
            query = tables.select(
                *keys, Sum(amount).as_('amount'), Sum(later).as_('later'),
                where=where, group_by=keys)
            if backend.name == 'sqlite':
                sqlite_apply_types(
                    query, [None] * 4 + ['NUMERIC', 'NUMERIC'])
            cursor.execute(*query)
            for capital, unpaid, party, effective, amount, later in cursor:
                amount, later = Decimal(amount), Decimal(later)
                yield (unpaid, party), amount, later
                if effective == 'confirmation':
                    yield (capital, party), -amount, -later

        yield from cls._taken_back(company, date, 'account_unpaid')
        yield from execute(
            tables.join(account_move, 'LEFT',
                condition=table.move == account_move.id),
            table.amount, where)
        # What has been paid, once the capital is effective
        yield from execute(
            tables
            .join(payment, condition=payment.subscription == table.id)
            .join(account_move, 'LEFT',
                condition=payment.account_move == account_move.id),
            -payment.capital_amount,
            where & (payment.date <= date)
            & (table.effective == 'confirmation'))
        yield from execute(
            tables.join(account_move, 'LEFT',
                condition=table.capital_move == account_move.id),
            -table.amount,
            where & (table.effective_date <= date)
            & (table.effective == 'payment'))
