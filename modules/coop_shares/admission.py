# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .exceptions import ObligatorySharesWarning
from .quantity import plain_number


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def _refuse_admissions(cls, memberships):
        refused = super()._refuse_admissions(memberships)
        missing = cls._missing_shares([
                m for m in memberships
                if m.category and m.category.obligatory_shares == 'wait'
                # Who has left subscribes only as a member again
                and m.member.state == 'applicant'])
        return {**missing, **refused}

    @classmethod
    def _admit(cls, members):
        Warning = Pool().get('res.user.warning')
        missing = cls._missing_shares([
                m for m in cls._get_admissions(members)
                if m.category and (
                    m.category.obligatory_shares == 'warn'
                    or m.member.state == 'left')])
        if missing:
            key = Warning.format('obligatory_shares', list(missing))
            if Warning.check(key):
                raise ObligatorySharesWarning(
                    key, '\n'.join(missing.values()))
        super()._admit(members)

    @classmethod
    def _missing_shares(cls, memberships):
        """Return by member which obligatory shares are missing, as texts

        What is subscribed or transferred with the admission counts.
        """
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        Transfer = pool.get('coop.share.transfer')
        memberships = [
            m for m in memberships if m.category.obligatory_class]
        quantities = defaultdict(Decimal)
        by_company = defaultdict(list)
        for membership in memberships:
            by_company[membership.member.company].append(membership.member)
        for company, members in by_company.items():
            for key, (quantity, _) in ShareMove.holdings_at(
                    company, None, members=members).items():
                quantities[key] += quantity
            for sub_members in grouped_slice(members, SLICE):
                ids = [m.id for m in sub_members]
                for subscription in Subscription.search([
                            ('member', 'in', ids),
                            ('state', '=', 'draft'),
                            ]):
                    quantities[
                        subscription.member.id,
                        subscription.share_class.id] += subscription.quantity
                for transfer in Transfer.search([
                            ('to_member', 'in', ids),
                            ('state', '=', 'draft'),
                            ]):
                    class_ = transfer.to_class or transfer.share_class
                    quantities[
                        transfer.to_member.id, class_.id] += transfer.quantity
        missing = {}
        for membership in memberships:
            member = membership.member
            class_ = membership.category.obligatory_class
            minimum = class_.minimum_at(
                membership.admission_date, membership.start_date)
            minimum = max(minimum or 0, class_.unit)
            quantity = quantities[member.id, class_.id]
            if quantity < minimum:
                missing[member] = gettext(
                    'coop_shares.msg_member_obligatory_shares',
                    member=member.rec_name,
                    share_class=class_.rec_name,
                    quantity=plain_number(quantity),
                    minimum=plain_number(minimum))
        return missing
