# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool

from .loss_absorption import take_loss


class AllocationPosting:
    "The lines and the shares by which an allocation is posted"
    __slots__ = ()

    @classmethod
    def make_due(cls, company, parties, date, maturity_date):
        "Make what was kept of the parties payable"
        pool = Pool()
        Line = pool.get('account.move.line')
        Pool_ = pool.get('coop.patronage.pool')
        parties = set(parties)
        allocations = [
            a for a in cls._search_kept(company) if a.party in parties]
        if allocations:
            Line.write(
                [a.account_move_line for a in allocations],
                {'maturity_date': maturity_date})
            Pool_.credit_kept(allocations, date, maturity_date)

    def get_move_lines(self, pool, move, accounts):
        """Yield the allocation, the name of the field that is posted and the
        unsaved line, for each with the party"""
        date = None if self.kept else pool.payment_deadline or move.date
        for name, account, maturity_date in [
                ('net', accounts['account_patronage_payable'], date),
                ('to_shares', accounts['account_patronage_payable'],
                    move.date),
                ('set_off', accounts['account_patronage_payable'], move.date),
                ('savings', accounts.get('account_savings'), None),
                ('held', accounts['account_toward_shares'], None),
                ('equity', pool.equity_class
                    and pool.equity_class.account_capital, None)]:
            amount = getattr(self, name)
            if amount:
                yield self, name, pool._get_line(
                    move, account, -amount,
                    party=self.party,
                    maturity_date=maturity_date,
                    origin=self)

    def get_share_move(self, pool, move, date):
        "Return the unsaved row of the share ledger"
        ShareMove = Pool().get('coop.share.move')
        return ShareMove.acquire(
            pool.equity_class, self.quantity, self.member, date,
            kind='allocation', amount=self.equity, vintage=self.vintage,
            origin=self, account_move=move)

    def get_loss_moves(self, pool, move, date, lots):
        "Return the unsaved rows that take the loss from the lots"
        ShareMove = Pool().get('coop.share.move')
        class_ = pool.equity_class
        taken, _ = take_loss(
            lots, -self.equity, class_.par_value, class_.quantity_digits,
            pool.currency.rounding, pool.loss_order == 'newest')
        return ShareMove.give(
            class_, taken, self.member, date - DAY, kind='loss', origin=self,
            account_move=move)
