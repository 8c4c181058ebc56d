# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.books import Books, save_records

from .debt import close_claims, overdue_parts, taking_lines
from .document import lock_members


class RedemptionLapse:
    "The claims that lapse because nobody collects them"
    __slots__ = ()

    @classmethod
    def get_unclaimed(cls, company, date, years):
        "Return by redemption what nobody has collected for the years"
        return {
            redemption: sum(lines.values())
            for redemption, lines in cls._unclaimed_lines(
                company, date, years).items()}

    @classmethod
    def _unclaimed_lines(cls, company, date, years):
        """Return by redemption the open lines and how much of each is open.

        The redemption may be rescheduled: it lapses when all of it was to be
        paid.  What is put together with others is left to them.
        """
        limit = date - relativedelta(years=years)
        return overdue_parts(
            cls.get_payables(cls.search([
                        ('company', '=', company.id),
                        ('state', '=', 'settled'),
                        ('payment_date', '<=', limit),
                        ])), limit)

    @classmethod
    def lapse(cls, redemptions, company, date, years):
        "Take back what of the redemptions nobody has collected"
        lock_members(r.member for r in redemptions)
        claims = cls._unclaimed_lines(company, date, years)
        # Some may have been paid since they were listed
        redemptions = [r for r in redemptions if r in claims]
        if not redemptions:
            return
        books = Books(company)
        for redemption in redemptions:
            class_ = redemption.share_class
            amounts = claims[redemption]
            redemption.lapse_move = books.move(date, [
                    *taking_lines(books, amounts),
                    books.line(
                        class_.get_account('lapsed'), -sum(amounts.values())),
                    ], origin=redemption)
            # Who does not collect it bears what the wait costs
            redemption.interest_complete = True
        Books.post([r.lapse_move for r in redemptions])
        save_records(redemptions)
        close_claims({
                line.origin: line
                for redemption in redemptions
                for line in redemption.lapse_move.lines if line.origin})
