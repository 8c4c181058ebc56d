# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.books import Books, save_records

from .debt import close_claims, open_claims
from .document import lock_members


class RedemptionLapse:
    "The claims that lapse because nobody collects them"
    __slots__ = ()

    @classmethod
    def get_unclaimed(cls, company, date, years):
        "Return by redemption what nobody has collected for the years"
        redemptions = cls.search([
                ('company', '=', company.id),
                ('state', '=', 'settled'),
                ('payment_date', '<=', date - relativedelta(years=years)),
                ('payable_line.reconciliation', '=', None),
                ('payable_line', '!=', None),
                ])
        claims = open_claims(r.payable_line for r in redemptions)
        return {
            r: claims[r.payable_line] for r in redemptions
            if claims[r.payable_line]}

    @classmethod
    def lapse(cls, redemptions, company, date, years):
        "Take back what of the redemptions nobody has collected"
        lock_members(r.member for r in redemptions)
        claims = cls.get_unclaimed(company, date, years)
        # Some may have been paid since they were listed
        redemptions = [r for r in redemptions if r in claims]
        if not redemptions:
            return
        books = Books(company)
        for redemption in redemptions:
            class_ = redemption.share_class
            line = redemption.payable_line
            amount = claims[redemption]
            redemption.lapse_move = books.move(date, [
                    books.line(line.account, amount, party=line.party),
                    books.line(class_.get_account('lapsed'), -amount),
                    ], origin=redemption)
        Books.post([r.lapse_move for r in redemptions])
        save_records(redemptions)
        close_claims({
                r.payable_line: next(
                    line for line in r.lapse_move.lines
                    if line.account == r.payable_line.account)
                for r in redemptions})
