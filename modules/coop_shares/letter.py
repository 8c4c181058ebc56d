# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.modules.coop_membership.letter import LetterReport, get_iban

from .quantity import plain_number


class _SubscriptionLetter(LetterReport):
    __slots__ = ()
    _states = ('confirmed', 'paid')

    @classmethod
    def get_rows(cls, subscription):
        rows = [
            (cls.label(subscription, 'share_class'),
                subscription.share_class.name),
            (cls.label(subscription, 'quantity'),
                cls.format_number(
                    subscription.quantity, cls._lang(),
                    digits=subscription.quantity_digits)),
            (cls.label(subscription, 'price'),
                cls.money(subscription.price, subscription)),
            ]
        if subscription.entry_fee:
            rows.append((
                    cls.label(subscription, 'entry_fee'),
                    cls.money(subscription.entry_fee, subscription)))
        rows.append((
                cls.label(subscription, 'total_amount'),
                cls.money(subscription.total_amount, subscription)))
        return rows


class SubscriptionConfirmation(_SubscriptionLetter):
    __name__ = 'coop.share.subscription.confirmation'

    @classmethod
    def get_paragraphs(cls, subscription):
        return [gettext(
                'coop_shares.msg_letter_subscription',
                date=cls.day(subscription.date),
                company=subscription.company.party.name)]

    @classmethod
    def get_request(cls, subscription):
        due = subscription.amount_to_pay - subscription.uncalled_amount
        if due > 0:
            return cls.request(
                subscription.company, due,
                subscription.currency, subscription.formatted_reference,
                subscription.due_date or subscription.date)


class SubscriptionReceipt(_SubscriptionLetter):
    __name__ = 'coop.share.subscription.receipt'

    @classmethod
    def get_paragraphs(cls, subscription):
        return [gettext(
                'coop_shares.msg_letter_receipt',
                date=cls.day(subscription.date))]

    @classmethod
    def get_rows(cls, subscription):
        rows = super().get_rows(subscription)
        rows.extend(
            (cls.day(payment.date), cls.money(payment.amount, subscription))
            for payment in sorted(
                subscription.payments, key=lambda p: (p.date, p.id)))
        return [
            *rows,
            (cls.label(subscription, 'paid_amount'),
                cls.money(subscription.paid_amount, subscription)),
            (cls.label(subscription, 'amount_to_pay'),
                cls.money(subscription.amount_to_pay, subscription)),
            ]


class CallLetter(LetterReport):
    __name__ = 'coop.share.call.letter'
    _states = ('posted',)

    @classmethod
    def get_paragraphs(cls, line):
        return [gettext(
                'coop_shares.msg_letter_call',
                date=cls.day(line.call.date),
                percent=plain_number(line.call.percent))]

    @classmethod
    def get_rows(cls, line):
        subscription = line.subscription
        return [
            (cls.label(line.call, 'share_class'),
                line.call.share_class.name),
            (cls.label(subscription, 'quantity'),
                cls.format_number(
                    subscription.quantity, cls._lang(),
                    digits=subscription.quantity_digits)),
            (cls.label(line, 'amount'), cls.money(line.amount, line)),
            ]

    @classmethod
    def get_request(cls, line):
        if line.open_amount > 0:
            return cls.request(
                line.company, line.open_amount, line.currency,
                line.subscription.formatted_reference, line.call.due_date)

    @classmethod
    def get_end(cls, line):
        if not line.call.forfeit_date or not line.open_amount:
            return []
        return [gettext(
                'coop_shares.msg_letter_call_forfeit',
                date=cls.day(line.call.forfeit_date))]


class RedemptionSettlement(LetterReport):
    __name__ = 'coop.share.redemption.settlement'
    _states = ('settled', 'paid')

    @classmethod
    def get_paragraphs(cls, redemption):
        if redemption.reason == 'forfeiture':
            call = redemption.call_line.call
            return [gettext(
                    'coop_shares.msg_letter_forfeiture',
                    date=cls.day(redemption.end_date),
                    call=call.rec_name,
                    call_date=cls.day(call.date))]
        return [gettext(
                'coop_shares.msg_letter_settlement',
                date=cls.day(redemption.end_date))]

    @classmethod
    def get_rows(cls, redemption):
        rows = [
            (cls.label(redemption, 'share_class'),
                redemption.share_class.name),
            (cls.label(redemption, 'quantity'),
                cls.format_number(
                    redemption.quantity, cls._lang(),
                    digits=redemption.quantity_digits)),
            ]
        for name, sign in [
                ('amount', 1),
                ('unpaid_amount', -1),
                ('loss', -1),
                ('premium', 1),
                ('deduction', -1),
                ('set_off_amount', -1)]:
            amount = getattr(redemption, name)
            if amount:
                rows.append((
                        cls.label(redemption, name),
                        cls.money(sign * amount, redemption)))
        rows.append((
                cls.label(redemption, 'net_amount'),
                cls.money(redemption.net_amount, redemption)))
        if redemption.payment_term:
            interest = {r.account_move for r in redemption.interests}
            rows.extend(
                (cls.day(line.maturity_date),
                    cls.money(line.credit, redemption))
                for line in redemption.payable_lines
                if line.move not in interest)
        return rows

    @classmethod
    def get_end(cls, redemption):
        if not redemption.net_amount:
            return [gettext('coop_shares.msg_letter_settlement_nothing')]
        if redemption.state == 'paid':
            return [gettext('coop_shares.msg_letter_settlement_paid')]
        number = get_iban(redemption.member.party)
        if redemption.payment_term:
            if number:
                end = [gettext(
                        'coop_shares.msg_letter_settlement_instalments_account',
                        account=number.number)]
            else:
                end = [gettext(
                        'coop_shares.msg_letter_settlement_instalments')]
            if redemption.interest_table:
                end.append(gettext(
                        'coop_shares.msg_letter_settlement_interest'))
            return end
        values = {
            'amount': cls.money(redemption.net_amount, redemption),
            'date': cls.day(redemption.payment_date),
            }
        if number:
            return [gettext(
                    'coop_shares.msg_letter_settlement_account',
                    account=number.number, **values)]
        return [gettext(
                'coop_shares.msg_letter_settlement_no_account', **values)]
