# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.tools import grouped_slice


class SubscriptionFee:
    "The entry fee, which a member pays once in a stay"
    __slots__ = ()

    @classmethod
    def get_entry_fee(cls, member, share_class, but=()):
        """Return the fee, unless the member has paid one in this stay

        By another subscription than some.
        """
        domain = [
            ('member', '=', member.id),
            ('entry_fee', '>', 0),
            ('state', '!=', 'cancelled'),
            ('id', 'not in', [s.id for s in but if s.id is not None]),
            ]
        if member.memberships:
            admission_date = member.memberships[-1].admission_date
            exits = [
                m.exit_date for m in member.memberships
                if m.exit_date and m.exit_date < admission_date]
            if exits:
                domain.append(('date', '>', max(exits)))
        if not cls.search(domain, limit=1):
            return share_class.entry_fee

    @classmethod
    def create(cls, vlist):
        # The hooks see one subscription at a time
        return super().create(cls._propose_fees(vlist))

    @classmethod
    def _propose_fees(cls, vlist):
        """Ask each member once for the fee, of what is entered together

        What is given stays.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        ShareClass = pool.get('coop.share.class')
        vlist = [values.copy() for values in vlist]
        asked = {v.get('member') for v in vlist if v.get('entry_fee')}
        for values in vlist:
            member = values.get('member')
            share_class = values.get(
                'share_class', cls.default_share_class())
            if 'entry_fee' in values or not member or not share_class:
                continue
            class_ = ShareClass(share_class)
            if class_.entry_fee and member not in asked:
                values['entry_fee'] = cls.get_entry_fee(
                    Member(member), class_)
                asked.add(member)
        return vlist

    @classmethod
    def on_modification(cls, mode, subscriptions, field_names=None):
        super().on_modification(mode, subscriptions, field_names=field_names)
        if mode == 'write' and 'state' in field_names:
            cls._ask_fee_again(
                [s for s in subscriptions if s.state == 'cancelled'])
        elif (mode == 'write'
                and field_names & {'member', 'share_class'}
                and 'entry_fee' not in field_names):
            drafts = [s for s in subscriptions if s.state == 'draft']
            for draft in drafts:
                draft.entry_fee = cls.get_entry_fee(
                    draft.member, draft.share_class, but=drafts)
            cls._ask_fee_once(drafts)
            cls.save(drafts)

    @classmethod
    def _ask_fee_once(cls, subscriptions):
        "Ask each member once for the fee, of what is entered together"
        asked, free = set(), []
        for subscription in subscriptions:
            if subscription.entry_fee:
                if subscription.member in asked:
                    subscription.entry_fee = None
                    free.append(subscription)
                asked.add(subscription.member)
        cls.save(free)

    @classmethod
    def on_delete(cls, subscriptions):
        callables = super().on_delete(subscriptions)
        members = [
            cls(member=s.member, entry_fee=s.entry_fee)
            for s in subscriptions if s.entry_fee]
        if members:
            callables.append(lambda: cls._ask_fee_again(members))
        return callables

    @classmethod
    def _ask_fee_again(cls, subscriptions):
        "Ask for the fee with another draft of those that are gone"
        members = {s.member for s in subscriptions if s.entry_fee}
        drafts = []
        for sub_members in grouped_slice(members, SLICE):
            for draft in cls.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', '=', 'draft'),
                        ('entry_fee', '=', None),
                        ('share_class.entry_fee', '!=', None),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                if draft.member in members:
                    members.remove(draft.member)
                    draft.entry_fee = cls.get_entry_fee(
                        draft.member, draft.share_class)
                    drafts.append(draft)
        cls.save(drafts)
