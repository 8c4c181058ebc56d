# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.pool import Pool

from .exceptions import LimitError
from .quantity import plain_number


class ShareClassLimits:
    "What a member may hold of a share class"
    __slots__ = ()

    @classmethod
    def check_limits(cls, changes, date=None):
        """Check the limits of the holdings that have changed.

        `changes` are tuples of member, class, whether the quantity has been
        increased, and the day.  The holding that counts is the one after
        all the moves known.
        """
        pool = Pool()
        Move = pool.get('coop.share.move')
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        changes = list(changes)
        classes = {c for _, c, _, _ in changes}
        members = {int(m) for m, _, _, _ in changes}
        if not changes:
            return
        company = next(iter(classes)).company
        holdings = Move.holdings_at(
            company, None, members=members, classes=classes)
        pending = Subscription.pending_quantities(members, classes)
        capital = {}
        if any(c.maximum_percent for c in classes):
            capital = Move.holdings_at(
                company, None, classes=classes, by=('share_class',))

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
            key = int(member), class_.id
            quantity, amount = holdings.get(key, (0, 0))
            quantity += pending.get(key, 0)

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
            if class_.maximum_percent:
                _, total = capital.get((class_.id,), (0, 0))
                # The first member holds all the capital there is
                if (amount != total
                        and amount * 100 > total * class_.maximum_percent):
                    class_._raise_limit(
                        member, 'msg_limit_maximum_percent',
                        maximum=plain_number(class_.maximum_percent))

    def check_minimum(self, member, quantity):
        "Check that the member holds enough, or nothing"
        if self.minimum and 0 < quantity < self.minimum:
            self._raise_limit(
                member, 'msg_limit_minimum',
                quantity=plain_number(quantity),
                minimum=plain_number(self.minimum))

    def _raise_limit(self, member, message, **variables):
        raise LimitError(gettext(
                f'coop_shares.{message}',
                member=member.rec_name,
                share_class=self.rec_name,
                **variables))
