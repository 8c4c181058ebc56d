# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_membership.books import SLICE, save_records
from trytond.modules.coop_shares.instalment import instalment_parts
from trytond.pool import Pool
from trytond.tools import grouped_slice


class PoolRequiredShares:
    "Withhold money of a pool for the shares its members must hold"
    __slots__ = ()

    def _get_owed(self, members, date):
        "Return what the members have to pay for the shares they must hold"
        missing = self._get_missing(members, date)
        owed = defaultdict(Decimal)
        for subscription, amount in self._get_subscriptions(members).items():
            owed[subscription.member] += amount
        for (member, share_class), quantity in missing.items():
            owed[member] += self.currency.round(
                quantity * share_class.par_value)
        return owed

    def _get_subscriptions(self, members):
        """Return what the members have to pay of their subscriptions

        The oldest first, and without what is about to be paid.
        """
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        subscriptions = []
        for sub_members in grouped_slice(members, SLICE):
            subscriptions.extend(Subscription.search([
                        ('company', '=', self.company.id),
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', '=', 'confirmed'),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]))
        coming = Subscription.on_its_way(subscriptions)
        return {s: s.amount_to_pay - coming[s] for s in subscriptions}

    def _get_missing(self, members, date):
        "Return the shares members must hold and did not subscribe"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        if not members:
            return {}
        classes = ShareClass.search([
                ('company', '=', self.company.id),
                ('kind', '=', 'membership'),
                ('minimum', '>', 0),
                ])
        categories = Member.categories_at(members, date)
        held = ShareMove.holdings_at(
            self.company, None, members=members, classes=classes)
        pending = Subscription.pending_quantities(
            [m.id for m in members], classes)
        missing = {}
        for share_class in classes:
            allowed = {c.id for c in share_class.categories}
            for member in members:
                category = categories.get(member.id)
                if not category or allowed and category not in allowed:
                    continue
                key = member.id, share_class.id
                quantity, _ = held.get(key, (Decimal(0), Decimal(0)))
                quantity = share_class.minimum - quantity - pending[key]
                if quantity > 0:
                    missing[member, share_class] = quantity
        return missing

    def _post_to_shares(self, books, date, payables):
        "Pay the subscriptions of the members with the payable lines"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        if not payables:
            return
        members = {
            a.member: a for a in Allocation.browse(
                [line.origin.id for line in payables])}
        open_ = self._get_subscriptions(list(members))
        left = {m: a.to_shares for m, a in members.items()}
        for subscription, amount in open_.items():
            left[subscription.member] -= amount
        short = [m for m, amount in left.items() if amount > 0]
        created = [Subscription(
                company=self.company, member=member, share_class=share_class,
                quantity=quantity, date=date, outside_offer=True)
            for (member, share_class), quantity in self._get_missing(
                short, date).items()]
        if created:
            Subscription.save(created)
            Subscription.confirm(created)
            for subscription in created:
                members[subscription.member].subscriptions += (subscription,)
            Allocation.save(list({
                        members[s.member] for s in created}))
        by_member = defaultdict(list)
        for subscription in Subscription.browse(created):
            open_[subscription] = subscription.amount_to_pay
        for subscription in open_:
            by_member[subscription.member].append(subscription)
        open_lines = Subscription._open_lines(
            [s for group in by_member.values() for s in group])
        move = books.move(date, [], origin=self, description=self.name)
        move.save()
        lines, payments, groups = [], [], []
        for payable in payables:
            amount = payable.credit
            line = self._get_line(
                move, payable.account, amount, party=payable.party)
            lines.append(line)
            groups.append([payable, line])
            for subscription in by_member[payable.origin.member]:
                part = min(amount, open_[subscription])
                paid = sum(
                    p.amount for p in subscription.payments
                    if p.line and not p.line.reconciliation)
                for instalment in instalment_parts(
                        [line.debit for line in open_lines[subscription]],
                        paid, part):
                    line = self._get_line(
                        move, subscription.share_class.account_subscribed,
                        -instalment, party=payable.party,
                        origin=subscription)
                    lines.append(line)
                    payments.append((subscription, instalment, line))
                amount -= part
        save_records(lines)
        Move.post([move])
        Payment.enter([
                Payment(
                    subscription=subscription, date=move.date, amount=amount,
                    line=line)
                for subscription, amount, line in payments])
        Subscription.reconcile(list({s for s, *_ in payments}))
        Line.reconcile(*groups)
