# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool

from .document import lock_members


class SubscriptionCorrection:
    "Enter a wrong subscription again, with what was paid of it"
    __slots__ = ()

    @classmethod
    def refusals_correct(cls, subscriptions):
        Payment = Pool().get('coop.share.subscription.payment')
        refused = {}
        for subscription in subscriptions:
            if subscription.state not in {'confirmed', 'paid'}:
                refused[subscription] = gettext(
                    'coop_shares.msg_subscription_correct_state',
                    subscription=subscription.rec_name)
            else:
                reason = Payment.refuse_deposits(subscription)
                if reason:
                    refused[subscription] = reason
        return refused

    @classmethod
    def enter_again(cls, subscriptions):
        """Cancel the subscriptions and return drafts in their place

        What was paid of them is a deposit of these.
        """
        Payment = Pool().get('coop.share.subscription.payment')
        if not subscriptions:
            return []
        lock_members(s.member for s in subscriptions)
        cls.check_step('correct', subscriptions)
        drafts = cls.copy(subscriptions)
        for subscription, draft in zip(subscriptions, drafts):
            draft.corrects = subscription
            draft.subscribed_on = (
                subscription.subscribed_on or subscription.date)
            draft.outside_offer = subscription.outside_offer
            draft.entry_fee = subscription.entry_fee
        cls.save(drafts)
        for subscription, draft in zip(subscriptions, drafts):
            Payment.turn_back(subscription, draft)
        # They have just got unpaid
        cls.cancel(cls.browse(subscriptions))
        return cls.browse(drafts)
