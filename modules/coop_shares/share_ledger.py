# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql import Null, Union, Window
from sql.aggregate import Sum
from sql.conditionals import Coalesce
from sql.functions import Round

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .exceptions import HoldingError
from .lot import Lot
from .quantity import QUANTITY_DIGITS, plain_number


class ShareLedger:
    "What the share moves add up to: who holds what on a day"
    __slots__ = ()

    @classmethod
    def _rows(cls, columns, where):
        """Return the query of the signed changes of the holdings.

        `columns` and `where` are called with the table and the member.
        """
        def select(member, sign):
            t = cls.__table__()
            member = getattr(t, member)
            query = t.select(
                *columns(t, member, sign),
                where=(member != Null) & where(t, member))
            return query
        return Union(
            select('to_member', 1), select('from_member', -1), all_=True)

    @classmethod
    def check_holdings(cls, company, moves):
        "Check that no holding the moves change is negative on any day"
        pool = Pool()
        Member = pool.get('coop.member')
        cursor = Transaction().connection.cursor()
        members = {
            m.id for move in moves
            for m in [move.from_member, move.to_member] if m}
        classes = {m.share_class.id for m in moves}
        in_ = fields.SQL_OPERATORS['in']

        for sub_members in grouped_slice(members, 10 * SLICE):
            sub_members = list(sub_members)
            rows = cls._rows(
                lambda t, member, sign: [
                    member.as_('member'),
                    t.share_class.as_('share_class'),
                    Coalesce(t.vintage, 0).as_('vintage'),
                    t.date.as_('date'),
                    (t.quantity * sign).as_('quantity'),
                    ],
                lambda t, member, ids=sub_members: (
                    (t.state == 'done')
                    & in_(member, ids)
                    & in_(t.share_class, classes)))
            keys = [rows.member, rows.share_class, rows.vintage]
            days = rows.select(
                *keys, rows.date, Sum(rows.quantity).as_('quantity'),
                group_by=[*keys, rows.date])
            keys = [days.member, days.share_class, days.vintage]
            balances = days.select(
                *keys, days.date,
                Round(
                    Sum(days.quantity,
                        window=Window(keys, order_by=[days.date.asc])),
                    QUANTITY_DIGITS).as_('balance'))
            cursor.execute(*balances.select(
                    balances.member, balances.share_class, balances.date,
                    balances.balance,
                    where=balances.balance < 0,
                    order_by=[balances.date.asc, balances.member.asc],
                    limit=1))
            row = cursor.fetchone()
            if row:
                member, class_, date, balance = row
                if not isinstance(date, dt.date):
                    date = dt.date.fromisoformat(date)
                ShareClass = pool.get('coop.share.class')
                lang = pool.get('ir.lang').get()
                raise HoldingError(gettext(
                        'coop_shares.msg_holding_negative',
                        member=Member(member).rec_name,
                        share_class=ShareClass(class_).rec_name,
                        quantity=plain_number(-Decimal(str(balance))),
                        date=lang.strftime(date)))

    @classmethod
    def holdings_at(
            cls, company, date, members=None, classes=None,
            by=('member', 'share_class')):
        """Return the quantity and amount held at the end of the date.

        The keys of the result are tuples of the values of `by`, that are
        member, share_class, vintage or acquired_date.  Without a date all
        the moves count.  What is zero is left out.
        """
        if members is None:
            return cls._holdings_at(company, date, None, classes, by)
        holdings = {}
        for sub_members in grouped_slice(
                sorted({int(m) for m in members}), 10 * SLICE):
            for key, (quantity, amount) in cls._holdings_at(
                    company, date, list(sub_members), classes, by).items():
                before = holdings.get(key, (0, 0))
                holdings[key] = before[0] + quantity, before[1] + amount
        return holdings

    @classmethod
    def _holdings_at(cls, company, date, members, classes, by):
        cursor = Transaction().connection.cursor()
        in_ = fields.SQL_OPERATORS['in']
        company_id = int(company)

        def where(t, member):
            result = (t.state == 'done') & (t.company == company_id)
            if date:
                result &= t.date <= date
            if members is not None:
                result &= in_(member, members)
            if classes is not None:
                result &= in_(
                    t.share_class, sorted({int(c) for c in classes}))
            return result

        if classes is not None and not classes:
            return {}
        rows = cls._rows(
            lambda t, member, sign: [
                *((member if name == 'member' else getattr(t, name)).as_(
                        name) for name in by),
                (t.quantity * sign).as_('quantity'),
                (t.amount * sign).as_('amount'),
                ],
            where)
        keys = [getattr(rows, name) for name in by]
        query = rows.select(
            *(key.as_(name) for key, name in zip(keys, by)),
            Sum(rows.quantity).as_('quantity'),
            Sum(rows.amount).as_('amount'),
            group_by=keys)
        if backend.name == 'sqlite':
            sqlite_apply_types(
                query, [
                    *('DATE' if name == 'acquired_date' else None
                        for name in by),
                    'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        holdings = {}
        for *key, quantity, amount in cursor:
            quantity = round(Decimal(quantity), QUANTITY_DIGITS)
            amount = round(Decimal(amount), QUANTITY_DIGITS)
            if quantity or amount:
                holdings[tuple(key)] = (
                    quantity.normalize() + 0, amount.normalize() + 0)
        return holdings

    @classmethod
    def lots_at(cls, company, date, members, classes):
        "Return the lots that make up each holding, by member and class"
        lots = defaultdict(list)
        for (member, class_, vintage, acquired), (quantity, amount) in (
                cls.holdings_at(
                    company, date, members=members, classes=classes,
                    by=(
                        'member', 'share_class', 'vintage',
                        'acquired_date')).items()):
            lots[member, class_].append(
                Lot(vintage, acquired, quantity, amount))
        return lots

    @classmethod
    def holders(cls, company, from_date, date):
        """Return the ids of the members who hold shares on the date.

        Or gave some away since the other one, if there is one.
        """
        holdings = cls.holdings_at(company, date, by=('member',))
        ids = {member for member, in holdings}
        if from_date:
            for move in cls.search([
                        ('company', '=', company.id),
                        ('state', '=', 'done'),
                        ('date', '>=', from_date),
                        ('date', '<=', date),
                        ('from_member', '!=', None),
                        ]):
                ids.add(move.from_member.id)
        return ids
