# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .booking_availability import BLOCKING
from .slices import SLICE


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    @ModelView.button
    @Workflow.transition('left')
    def leave(cls, members):
        pool = Pool()
        Commitment = pool.get('coop.commons.commitment')
        Contract = pool.get('coop.commons.contract')
        Feed = pool.get('coop.commons.feed')
        super().leave(members)
        Commitment.end_with_exit(members)
        Contract.end_with_exit(members)
        Feed.end_with_exit(members)

    @classmethod
    @ModelView.button
    @Workflow.transition('rejected')
    def reject(cls, members):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Commitment = pool.get('coop.commons.commitment')
        Contract = pool.get('coop.commons.contract')
        Feed = pool.get('coop.commons.feed')
        super().reject(members)
        now = Booking._now()
        for sub_members in grouped_slice(members, SLICE):
            Booking.call_off(Booking.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['request', 'confirmed']),
                        ('start', '>', now),
                        ]))
        for Document in [Commitment, Contract]:
            Document.end_with_rejection(members)
        Feed.end_with_exit(members)

    @classmethod
    def exit_blockers(cls, members):
        blockers = super().exit_blockers(members)
        for sub_members in grouped_slice(members, SLICE):
            for member, text in cls._commons_blockers(list(sub_members)):
                blockers[member].append(text)
        return blockers

    @classmethod
    def _commons_blockers(cls, members):
        """Yield the members with what is open of their use of the commons,
        and what to do"""
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Commitment = pool.get('coop.commons.commitment')
        Contract = pool.get('coop.commons.contract')
        Deposit = pool.get('coop.commons.deposit')
        Pack = pool.get('coop.commons.pack')
        Usage = pool.get('coop.commons.usage')
        lang = pool.get('ir.lang').get()
        by_id = {m.id: m for m in members}
        by_party = {(m.company.id, m.party.id): m for m in members}
        of_party = [
            ('company', 'in', list({c for c, _ in by_party})),
            ('party', 'in', list({p for _, p in by_party})),
            ]

        for booking in Booking.search([
                    ('member', 'in', list(by_id)),
                    ('state', 'in', ['request', *BLOCKING]),
                    ], order=[('start', 'ASC'), ('id', 'ASC')]):
            yield by_id[booking.member.id], gettext(
                'coop_commons.msg_member_leave_booking',
                booking=booking.rec_name)

        usages = defaultdict(list)
        for usage in Usage.search([
                    ('member', 'in', list(by_id)),
                    ['OR',
                        ('state', 'in', ['draft', 'rated']),
                        [
                            ('state', '=', 'confirmed'),
                            # Nobody bills what is taken back
                            ('corrects', '=', None),
                            ('corrections', '=', None),
                            ],
                        ],
                    ], order=[('start', 'ASC'), ('id', 'ASC')]):
            usages[usage.member.id].append(usage)
        for member, member_usages in usages.items():
            first, *others = member_usages
            yield by_id[member], gettext(
                'coop_commons.msg_member_leave_usages' if others
                else 'coop_commons.msg_member_leave_usage',
                usage=first.rec_name, count=len(others))

        for pack in Pack.search(
                [of_party, ('state', '=', 'sold')], order=[('id', 'ASC')]):
            member = by_party.get((pack.company.id, pack.party.id))
            if member and pack.remaining:
                yield member, gettext(
                    'coop_commons.msg_member_leave_money'
                    if pack.kind == 'money'
                    else 'coop_commons.msg_member_leave_pack',
                    pack=pack.rec_name, remaining=pack.left)

        for deposit in Deposit.search(
                [of_party, ('state', '=', 'taken')], order=[('id', 'ASC')]):
            member = by_party.get((deposit.company.id, deposit.party.id))
            if member:
                yield member, gettext(
                    'coop_commons.msg_member_leave_deposit',
                    deposit=deposit.rec_name,
                    amount=lang.currency(
                        deposit.amount, deposit.currency, grouping=True))

        yield from Commitment.find_unbilled(members)
        yield from Contract.find_unbilled(members)
