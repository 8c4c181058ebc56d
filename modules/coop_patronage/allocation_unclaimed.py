# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_shares.debt import close_claims, open_claims
from trytond.pool import Pool

from .exceptions import UnclaimedError


class AllocationUnclaimed:
    "An allocation of which the money may be unclaimed"
    __slots__ = ()

    notice_date = fields.Date("Notice on", readonly=True,
        help="When the notice of the unclaimed money was printed.")
    unclaimed_move = fields.Many2One(
        'account.move', "Unclaimed Move", readonly=True, ondelete='RESTRICT',
        help="The move that took back what nobody claimed.")

    @classmethod
    def search_unclaimed(cls, company, date, years):
        """Return what is open of allocations due years before the date.

        For those who are no members what they did not claim by joining
        before the pool's expiry date.
        """
        allocations = cls.search([
                ('company', '=', company.id),
                ('pool.surplus.state', '=', 'posted'),
                ['OR', [
                        ('account_move_line.reconciliation', '=', None),
                        ('account_move_line.maturity_date', '<=',
                            date - relativedelta(years=years)),
                        ], [
                        ('member', '=', None),
                        ('held_line', '!=', None),
                        ('held_line.reconciliation', '=', None),
                        ('pool.expiry_date', '<', date),
                        ],
                    ],
                ])
        claims = open_claims(a.unclaimed_line for a in allocations)
        return {
            a: claims[a.unclaimed_line] for a in allocations
            if claims[a.unclaimed_line]}

    @property
    def unclaimed_line(self):
        "The line of what is not paid"
        return self.account_move_line or self.held_line

    @classmethod
    def reissue(cls, allocations, date):
        "Make what is payable due again on the date"
        pool = Pool()
        Line = pool.get('account.move.line')
        allocations = [a for a in allocations if a.account_move_line]
        if allocations:
            Line.write(
                [a.account_move_line for a in allocations],
                {'maturity_date': date})
            cls.write(allocations, {'notice_date': None})

    @classmethod
    def take_back(cls, claims, date, account):
        """Post what is unclaimed to the account, but never the equity.

        `claims` maps the allocations to what is open of them.
        """
        allocations = list(claims)
        for allocation in allocations:
            if not allocation.notice_date:
                raise UnclaimedError(gettext(
                        'coop_patronage.msg_unclaimed_notice',
                        allocation=allocation.rec_name))
        books = Books(allocations[0].company)
        for allocation in allocations:
            line = allocation.unclaimed_line
            amount = claims[allocation]
            allocation.unclaimed_move = books.move(date, [
                    books.line(line.account, amount, party=line.party),
                    books.line(account, -amount),
                    ], origin=allocation)
        Books.post([a.unclaimed_move for a in allocations])
        save_records(allocations)
        close_claims({
                a.unclaimed_line: next(
                    line for line in a.unclaimed_move.lines
                    if line.account == a.unclaimed_line.account)
                for a in allocations})
