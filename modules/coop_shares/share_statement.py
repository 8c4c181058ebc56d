# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from functools import partial
from typing import Any, NamedTuple

from trytond.i18n import gettext
from trytond.modules.company import CompanyReport
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction


class StatementRow(NamedTuple):
    date: Any
    number: str
    text: str
    quantity: Any
    amount: Any
    balance: Any


class ClassStatement(NamedTuple):
    share_class: Any
    rows: list
    quantity: Any
    amount: Any
    paid_amount: Any


class StatementReport(CompanyReport):
    __name__ = 'coop.share.statement'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        context = super().get_context(records, header, data)
        from_date = data.get('from_date')
        date = data.get('date') or Date.today()
        statements = cls.get_statements(records, from_date, date)
        context['from_date'] = from_date
        context['date'] = date
        context['statements'] = lambda member: statements[member.id]
        context['claims'] = lambda member: cls.get_claims(
            member, from_date, date)
        context['letters'] = [
            (member, recipient) for member in records
            for recipient in member.recipients(Date.today())]
        context['address'] = lambda party: (
            party.address_get().full_address if party.addresses else '')
        return context

    @classmethod
    def get_statements(cls, members, from_date, date):
        "Return the statements per class of each member"
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        ShareMove = pool.get('coop.share.move')
        rows = defaultdict(list)
        paid = defaultdict(int)
        ids = {m.id for m in members}
        for sub_ids in grouped_slice(ids, SLICE):
            sub_ids = list(sub_ids)
            for move in ShareMove.search([
                        ('state', '=', 'done'),
                        ('date', '<=', date),
                        ['OR',
                            ('from_member', 'in', sub_ids),
                            ('to_member', 'in', sub_ids),
                            ],
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                for member, other, sign in [
                        (move.to_member, move.from_member, 1),
                        (move.from_member, move.to_member, -1)]:
                    if member and member.id in sub_ids:
                        rows[member.id, move.share_class].append(
                            (move, other, sign))
            for company in {m.company for m in members}:
                with Transaction().set_context(
                        company=company.id, date=date):
                    for holding in Holding.search([
                                ('member', 'in', sub_ids),
                                ]):
                        key = holding.member.id, holding.share_class
                        paid[key] += holding.paid_amount
        statements = {id_: [] for id_ in ids}
        for (member, class_), moves in sorted(
                rows.items(), key=lambda i: (i[0][0], i[0][1].code)):
            statement = cls._get_statement(
                class_, moves, from_date, date, paid[member, class_])
            if statement.rows:
                statements[member].append(statement)
        return statements

    @classmethod
    def get_claims(cls, member, from_date, date):
        "Return what is owed to the member for redemptions, as texts"
        pool = Pool()
        Lang = pool.get('ir.lang')
        Redemption = pool.get('coop.share.redemption')
        lang = Lang.get()
        texts = []
        redemptions = Redemption.search([
                ('member', '=', member.id),
                ('state', 'in', ['ended', 'settled', 'paid']),
                ('end_date', '<', date),
                ], order=[('end_date', 'ASC'), ('id', 'ASC')])
        for redemption, parts in Redemption.owed_at(
                redemptions, date).items():
            money = partial(lang.currency, currency=redemption.currency)
            for row in reversed(redemption.interests):
                if row.date <= date and (
                        not from_date or row.date >= from_date):
                    texts.append(gettext(
                            'coop_shares.msg_statement_interest',
                            redemption=redemption.rec_name,
                            date=lang.strftime(row.date),
                            amount=money(row.amount),
                            withholding=money(row.withholding)))
            for day, amount in parts:
                texts.append(gettext(
                        'coop_shares.msg_statement_claim',
                        redemption=redemption.rec_name,
                        date=lang.strftime(day),
                        amount=money(amount)))
        return texts

    @classmethod
    def _get_statement(cls, share_class, moves, from_date, date, paid):
        quantity = amount = 0
        rows = []
        opening = None
        for move, other, sign in moves:
            if from_date and move.date >= from_date and opening is None:
                opening = quantity, amount
            quantity += sign * move.quantity
            amount += sign * move.amount
            if from_date and move.date < from_date:
                continue
            text = move.kind_string
            if other:
                text = f'{text}: {other.rec_name}'
            rows.append(StatementRow(
                    move.date, move.number, text, sign * move.quantity,
                    sign * move.amount, amount))
        if from_date:
            if opening is None:
                opening = quantity, amount
            if any(opening):
                rows.insert(0, StatementRow(
                        from_date - DAY, '',
                        gettext('coop_shares.msg_statement_opening'),
                        *opening, opening[1]))
        return ClassStatement(share_class, rows, quantity, amount, paid)
