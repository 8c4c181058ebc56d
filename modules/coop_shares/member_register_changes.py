# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from typing import Any, NamedTuple

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice


class Change(NamedTuple):
    "What has changed the shares of a member, or what is paid of them"
    member: Any
    date: Any
    number: str
    share_class: Any
    ground: str
    quantity: Any
    amount: Any
    paid: Any


class PrintRegister(metaclass=PoolMeta):
    __name__ = 'coop.member.register.print'

    def do_print_(self, action):
        action, data = super().do_print_(action)
        data['changes'] = self.start.changes
        return action, data


class PrintRegisterStart(metaclass=PoolMeta):
    __name__ = 'coop.member.register.print.start'

    changes = fields.Boolean("Changes of Shares",
        help="Check to add each change of the shares and each payment of "
        "them, with its day and its ground.")

    @classmethod
    def default_changes(cls):
        return False


class RegisterReport(metaclass=PoolMeta):
    __name__ = 'coop.member.register'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        if data.get('changes'):
            members = [r.member for r in context['records']]
            changes = cls._get_changes(members, context['date'])
            # Code de commerce, art. R. 228-8: movements in their order; the
            # others have an account of each member
            if data.get('columns') != 'fr':
                order = {m.id: i for i, m in enumerate(members)}
                changes.sort(key=lambda c: order[c.member.id])
            context['changes'] = changes
            language = context['user'].language

            def change_money(amount):
                if amount is None:
                    return ''
                return cls.format_currency(
                    amount, language, context['company'].currency)

            def change_number(quantity):
                if quantity is None:
                    return ''
                digits = max(
                    -Decimal(quantity).normalize().as_tuple().exponent, 0)
                return cls.format_number(quantity, language, digits=digits)

            context['change_money'] = change_money
            context['change_number'] = change_number
        return context

    @classmethod
    def _get_changes(cls, members, date):
        "Return the changes of the members up to the date, in their order"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        ShareMove = pool.get('coop.share.move')
        moves, payments = {}, []
        ids = {m.id for m in members}
        for sub_ids in grouped_slice(sorted(ids), SLICE):
            sub_ids = list(sub_ids)
            for move in ShareMove.search([
                        ('state', '=', 'done'),
                        ('date', '<=', date),
                        ['OR',
                            ('from_member', 'in', sub_ids),
                            ('to_member', 'in', sub_ids),
                            ],
                        ]):
                moves[move.id] = move
            payments.extend(Payment.search([
                        ('subscription.member', 'in', sub_ids),
                        ('subscription.state', 'in', ['confirmed', 'paid']),
                        ('redemption', '=', None),
                        ('capital_amount', '!=', 0),
                        ('date', '<=', date),
                        ]))
        changes = [
            (move.date, 0, move.id, Change(
                    member, move.date, move.number, move.share_class,
                    cls._get_ground(move, other), sign * move.quantity,
                    sign * move.amount, None))
            for move in moves.values()
            for member, other, sign in [
                (move.from_member, move.to_member, -1),
                (move.to_member, move.from_member, 1)]
            if member and member.id in ids]
        changes += [
            (payment.date, 1, payment.id, Change(
                    payment.subscription.member, payment.date,
                    payment.subscription.number,
                    payment.subscription.share_class,
                    gettext('coop_shares.msg_register_payment'),
                    None, None, payment.capital_amount))
            for payment in payments]
        return [c for *_, c in sorted(changes, key=lambda c: c[:3])]

    @classmethod
    def _get_ground(cls, move, other):
        "Return why the shares have changed, and from whom or to whom"
        texts = [move.kind_string]
        reason = getattr(move.origin, 'reason_string', None)
        if reason:
            texts.append(reason)
        if other:
            texts.append(other.rec_name)
        return ', '.join(texts)
