# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.pool import Pool, PoolMeta
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction


class AccountMove(BooksMixin, metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def check_books(cls, company, date):
        return [
            *super().check_books(company, date),
            *cls._check_balance(company, date),
            *cls._check_posted(company, date),
            ]

    @classmethod
    def _check_balance(cls, company, date):
        "Compare the sums of debit and credit"
        pool = Pool()
        Line = pool.get('account.move.line')
        cursor = Transaction().connection.cursor()
        move = cls.__table__()
        line = Line.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .select(
                Coalesce(Sum(line.debit), 0).as_('debit'),
                Coalesce(Sum(line.credit), 0).as_('credit'),
                where=(move.company == company.id)
                & (move.state == 'posted')
                & (move.date <= date)))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        (debit, credit), = cursor
        round_ = company.currency.round
        debit, credit = round_(Decimal(debit)), round_(Decimal(credit))
        if debit != credit:
            yield Difference(
                company, gettext('coop.msg_check_balance'), debit, credit)

    @classmethod
    def _check_posted(cls, company, date):
        "Look for moves of the cooperative that wait to be posted"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        journal = Configuration(1).get_multivalue(
            'journal', company=company.id)
        for move in cls.search([
                    ('company', '=', company.id),
                    ('journal', '=', journal),
                    ('state', '=', 'draft'),
                    ('date', '<=', date),
                    ]):
            yield Difference(move, gettext('coop.msg_check_draft'))
