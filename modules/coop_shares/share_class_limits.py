# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.report import Report
from trytond.transaction import inactive_records

from .exceptions import LimitError
from .quantity import part, plain_number


class ShareClassLimits:
    "What a member may hold of a share class"
    __slots__ = ()

    @classmethod
    def check_limits(cls, changes, confirming=(), issued=(), planned=()):
        """Check the limits of the holdings that have changed.

        `changes` are tuples of member, class, whether the quantity has been
        increased, and the day.  What counts are all the moves known and what
        is subscribed but not paid, with the subscriptions that are being
        confirmed or are only planned, and without those that have been issued.
        """
        by_company = defaultdict(list)
        for change in changes:
            by_company[change[1].company].append(change)
        for company, c_changes in by_company.items():
            cls._check_limits(
                company, c_changes, confirming, issued, planned)

    @classmethod
    def find_allowed(cls, subscriptions):
        "Return those of the drafts of subscriptions that the limits allow"
        def check(planned):
            cls.check_limits([
                    (s.member, s.share_class, True, s.date)
                    for s in planned], planned=planned)
        try:
            check(subscriptions)
            return subscriptions
        except LimitError:
            allowed = []
            for subscription in subscriptions:
                try:
                    check([*allowed, subscription])
                    allowed.append(subscription)
                except LimitError:
                    continue
            return allowed

    @classmethod
    def _check_limits(cls, company, changes, confirming, issued, planned):
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
            *planned,
            } - set(issued)
        holdings = _add_pending(
            Move.holdings_at(company, None, members=members, classes=classes),
            pending, lambda s: (s.member.id, s.share_class.id))
        capital = _add_pending(
            Move.holdings_at(
                company, None, classes=limited, by=('share_class',)),
            pending, lambda s: (s.share_class.id,))

        limits = Configuration(1).get_member_limits(company)
        days = defaultdict(set)
        for member, class_, increased, day in changes:
            if increased and (class_.categories or any(limits)):
                days[day].add(int(member))
        categories = {
            (day, member): category
            for day, ids in days.items()
            for member, category in Member.categories_at(
                sorted(ids), day).items()}

        for member, class_, increased, day in changes:
            quantity, amount = holdings[int(member), class_.id]

            class_.check_minimum(member, quantity, day)
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
        if any(limits):
            cls._check_member_limits(
                company, changes, categories, confirming, issued, planned,
                *limits, founding_date)

    @classmethod
    def _check_member_limits(
            cls, company, changes, categories, confirming, issued, planned,
            limit, percent, founding_date):
        "Check what members hold of all the classes that count"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Move = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        exempt = set()
        if categories:
            exempt = {
                c.id for c in Category.browse(set(categories.values()))
                if c.limit_exempt}
        members = {}
        for member, class_, increased, day in changes:
            if (increased and not class_.outside_limit
                    and categories.get((day, int(member))) not in exempt):
                members[member] = max(day, members.get(member, day))
        if not members:
            return
        with inactive_records():
            classes = cls.search([
                    ('company', '=', company.id),
                    ('outside_limit', '!=', True),
                    ])
        ids = {int(m) for m in members}
        pending = {
            *Subscription.get_pending(ids, classes),
            *(s for s in confirming
                if s.effective == 'payment' and s.share_class in classes),
            *(s for s in planned if s.share_class in classes),
            }
        if percent:
            pending |= set(Subscription.get_pending(None, classes))
        pending -= set(issued)
        holdings = _add_pending(
            Move.holdings_at(
                company, None, members=ids, classes=classes, by=('member',)),
            pending, lambda s: (s.member.id,))
        capital = 0
        if percent:
            capital = sum(
                amount for _, amount in _add_pending(
                    Move.holdings_at(
                        company, None, classes=classes, by=('share_class',)),
                    pending, lambda s: (s.share_class.id,)).values())
        for member, day in members.items():
            _, amount = holdings[int(member),]
            if limit and amount > limit:
                raise LimitError(gettext(
                        'coop_shares.msg_limit_member',
                        member=member.rec_name,
                        amount=Report.format_currency(
                            amount, None, company.currency),
                        limit=Report.format_currency(
                            limit, None, company.currency)))
            if (percent and not (founding_date and day < founding_date)
                    # The first member holds all the capital there is
                    and amount != capital
                    and Fraction(amount) > Fraction(capital) * part(percent)):
                raise LimitError(gettext(
                        'coop_shares.msg_limit_member_part',
                        member=member.rec_name,
                        amount=Report.format_currency(
                            amount, None, company.currency),
                        percent=plain_number(percent),
                        capital=Report.format_currency(
                            capital, None, company.currency)))

    def check_minimum(self, member, quantity, date):
        "Check that the member holds enough on the day, or nothing"
        reason = self.refuse_minimum(member, quantity, date)
        if reason:
            raise LimitError(reason)

    def minimum_at(self, admission_date, date):
        "Return what who was admitted holds at least on the day, if anything"
        return max([
                *(s.minimum for s in self.minimum_steps
                    if s.is_asked(admission_date, date)),
                self.minimum or 0]) or None

    def refuse_minimum(self, member, quantity, date):
        "Return why the member can not hold the quantity, if it is too small"
        minimum = self.minimum
        if self.minimum_steps:
            memberships = member.memberships
            minimum = self.minimum_at(
                memberships[-1].admission_date if memberships else None, date)
        if minimum and 0 < quantity < minimum:
            return gettext(
                'coop_shares.msg_limit_minimum',
                member=member.rec_name,
                share_class=self.rec_name,
                quantity=plain_number(quantity),
                minimum=plain_number(minimum))

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
