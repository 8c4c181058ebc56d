# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Literal, Null

from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.tools import grouped_slice


class SubscriptionUnpaid:
    "What is subscribed but not paid"
    __slots__ = ()

    @classmethod
    def pending_quantities(cls, members, classes):
        "Return what is subscribed but only counts when it is paid"
        pending = defaultdict(Decimal)
        for subscription in cls.get_pending(members, classes):
            key = subscription.member.id, subscription.share_class.id
            pending[key] += subscription.quantity
        return pending

    @classmethod
    def get_pending(cls, members, classes):
        """Return the subscriptions that only count when they are paid

        Without members of all of them.
        """
        domain = [
            ('share_class', 'in', [int(c) for c in classes]),
            ('state', '=', 'confirmed'),
            ('effective', '=', 'payment'),
            ]
        if members is None:
            return cls.search(domain)
        pending = []
        for sub_members in grouped_slice(members, SLICE):
            pending.extend(cls.search([
                        domain, ('member', 'in', list(sub_members))]))
        return pending

    @classmethod
    def unpaid_capital(cls, members, classes):
        """Return what members have not paid of the shares they hold.

        Per member and class: the subscriptions, the oldest first, with the
        amount.
        """
        unpaid = defaultdict(list)
        for sub_members in grouped_slice(members, SLICE):
            for subscription in cls.search([
                        ('member', 'in', list(sub_members)),
                        ('share_class', 'in', [int(c) for c in classes]),
                        ('state', '=', 'confirmed'),
                        ('effective', '=', 'confirmation'),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                amount = subscription.amount - sum(
                    p.capital_amount for p in subscription.payments)
                if amount:
                    key = subscription.member.id, subscription.share_class.id
                    unpaid[key].append((subscription, amount))
        return unpaid

    @classmethod
    def _unpaid_where(cls, table, company, date):
        return (
            (table.company == company)
            & table.state.in_(['confirmed', 'paid'])
            & (table.date <= date))

    @classmethod
    def unpaid_rows(cls, company, date, members=None):
        """Return the queries of what is not paid of the held shares.

        They have the columns of the rows of the holdings.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        table = cls.__table__()
        payment = Payment.__table__()

        def columns(amount):
            return [
                Literal(Null).as_('id'),
                table.company.as_('company'),
                table.member.as_('member'),
                table.share_class.as_('share_class'),
                Literal(Null).as_('vintage'),
                Literal(0).as_('quantity'),
                Literal(0).as_('amount'),
                amount.as_('unpaid'),
                ]
        where = (
            cls._unpaid_where(table, company, date)
            & (table.effective == 'confirmation'))
        if members is not None:
            where &= fields.SQL_OPERATORS['in'](table.member, members)
        yield table.select(*columns(table.amount), where=where)
        yield payment.join(
            table, condition=payment.subscription == table.id).select(
            *columns(-payment.capital_amount),
            where=where & (payment.date <= date))
