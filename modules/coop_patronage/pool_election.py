# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from trytond.i18n import gettext
from trytond.pool import Pool

from .exceptions import AllocationError
from .pool_distribution import ceil, elect


class PoolElection:
    "Divide the money of a pool by what its members elected"
    __slots__ = ()

    def get_elections(self):
        """Return the elections of the members that the pool follows.

        By the id of the member the shares of the uses, how much may be
        capitalised and what is still to pay for shares.
        """
        pool = Pool()
        Election = pool.get('coop.patronage.election')
        if not self.elections:
            return {}
        date = self.surplus.posting_date or self.surplus.fiscalyear.end_date
        in_force = Election.in_force(self.company, self.categories, date)
        uses = {
            member: {e.cash_use: e for e in elections}
            for member, elections in in_force.items()}
        held = defaultdict(Decimal)
        limited = [
            m for m, by_use in uses.items()
            if 'capitalise' in by_use and by_use['capitalise'].target]
        if limited:
            for (member, _), amount in self._get_equity(limited).items():
                held[member] += amount
        withheld = [m for m, by_use in uses.items() if 'withhold' in by_use]
        owed = self._get_owed(withheld, date)
        result = {}
        for member, by_use in uses.items():
            room = None
            if 'capitalise' in by_use and by_use['capitalise'].target:
                room = max(
                    by_use['capitalise'].target - held[member.id],
                    Decimal(0))
            result[member.id] = (
                {use: e.share for use, e in by_use.items()}, room,
                owed.get(member, Decimal(0)))
        return result

    def _get_uses(self, gross, cash, members, debts, earlier):
        "Return what becomes of the money of who elected, by the uses"
        pool = Pool()
        Member = pool.get('coop.member')
        done = {
            name: defaultdict(Decimal) for name in ['to_shares', 'capital']}
        for row in earlier:
            _, for_shares = debts.get(row['party'], (0, 0))
            done['to_shares'][row['member']] += (
                row.get('to_shares', 0)
                + min(row.get('set_off', 0), for_shares))
            if row['equity_class'] == self.equity_class:
                done['capital'][row['member']] += row.get('equity', 0)
        elections = self.get_elections()
        uses = {}
        for party, money in cash.items():
            member = members[party]
            if member not in elections:
                continue
            shares, room, owed = elections[member]
            if 'capitalise' in shares and not self.equity_class:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_election_class',
                        pool=self.rec_name,
                        member=Member(member).rec_name))
            least = Decimal(0)
            if self.cash_floor:
                least = min(money, ceil(
                        Fraction(self.cash_floor) * Fraction(gross[party]),
                        self.rounding))
            if room is not None:
                # What is allocated anyway counts for the target too
                room = max(
                    room - done['capital'][member]
                    - (gross[party] - money), Decimal(0))
            parts = elect(
                money, shares, self.currency.rounding, least, room)
            parts['withhold'] = min(
                parts.get('withhold', Decimal(0)),
                max(owed - done['to_shares'][member], Decimal(0)))
            uses[party] = parts
        return uses
