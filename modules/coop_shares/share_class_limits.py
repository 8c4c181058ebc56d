# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from trytond.i18n import gettext
from trytond.pool import Pool

from .exceptions import LimitError
from .quantity import part, plain_number


class ShareClassLimits:
    "What a member may hold of a share class"
    __slots__ = ()

    @classmethod
    def check_limits(cls, changes, confirming=(), issued=()):
        """Check the limits of the holdings that have changed.

        `changes` are tuples of member, class, whether the quantity has been
        increased, and the day.  What counts are all the moves known and what
        is subscribed but not paid, with the subscriptions that are being
        confirmed and without those that have been issued.
        """
        by_company = defaultdict(list)
        for change in changes:
            by_company[change[1].company].append(change)
        for company, c_changes in by_company.items():
            cls._check_limits(company, c_changes, confirming, issued)

    @classmethod
    def _check_limits(cls, company, changes, confirming, issued):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Move = pool.get('coop.share.move')
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        classes = {c for _, c, _, _ in changes}
        members = {int(m) for m, _, _, _ in changes}
        limited = {c for c in classes if c.maximum_percent}
        founding_date = Configuration(1).get_multivalue(
            'founding_date', company=company.id)
        pending = {
            *Subscription.get_pending(members, classes),
            *Subscription.get_pending(None, limited),
            *(s for s in confirming if s.effective == 'payment'),
            } - set(issued)
        holdings = _add_pending(
            Move.holdings_at(company, None, members=members, classes=classes),
            pending, lambda s: (s.member.id, s.share_class.id))
        capital = _add_pending(
            Move.holdings_at(
                company, None, classes=limited, by=('share_class',)),
            pending, lambda s: (s.share_class.id,))

        days = defaultdict(set)
        for member, class_, increased, day in changes:
            if increased and class_.categories:
                days[day].add(int(member))
        categories = {
            (day, member): category
            for day, ids in days.items()
            for member, category in Member.categories_at(
                sorted(ids), day).items()}

        for member, class_, increased, day in changes:
            quantity, amount = holdings[int(member), class_.id]

            class_.check_minimum(member, quantity)
            if not increased:
                continue
            if class_.categories:
                category = categories.get((day, int(member)))
                if category not in {c.id for c in class_.categories}:
                    class_._raise_limit(member, 'msg_limit_category')
            if class_.maximum is not None and quantity > class_.maximum:
                class_._raise_limit(
                    member, 'msg_limit_maximum',
                    quantity=plain_number(quantity),
                    maximum=plain_number(class_.maximum))
            if class_.maximum_percent and not (
                    founding_date and day < founding_date):
                _, total = capital[class_.id,]
                # The first member holds all the capital there is
                if (amount != total
                        and Fraction(amount) > Fraction(total) * part(
                            class_.maximum_percent)):
                    class_._raise_limit(
                        member, 'msg_limit_maximum_percent',
                        maximum=plain_number(class_.maximum_percent))

    def check_minimum(self, member, quantity):
        "Check that the member holds enough, or nothing"
        reason = self.refuse_minimum(member, quantity)
        if reason:
            raise LimitError(reason)

    def refuse_minimum(self, member, quantity):
        "Return why the member can not hold the quantity, if it is too small"
        if self.minimum and 0 < quantity < self.minimum:
            return gettext(
                'coop_shares.msg_limit_minimum',
                member=member.rec_name,
                share_class=self.rec_name,
                quantity=plain_number(quantity),
                minimum=plain_number(self.minimum))

    def _raise_limit(self, member, message, **variables):
        raise LimitError(gettext(
                f'coop_shares.{message}',
                member=member.rec_name,
                share_class=self.rec_name,
                **variables))


def _add_pending(holdings, pending, get_key):
    "Return the quantity and amount of the holdings with what is pending"
    result = defaultdict(lambda: (Decimal(0), Decimal(0)), holdings)
    for subscription in pending:
        key = get_key(subscription)
        quantity, amount = result[key]
        result[key] = (
            quantity + subscription.quantity, amount + subscription.amount)
    return result
