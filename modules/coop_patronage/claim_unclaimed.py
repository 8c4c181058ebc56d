# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_shares.debt import close_claims, open_claims
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.transaction import check_access

from .exceptions import UnclaimedError


class ClaimMixin:
    "A result of which the money may be unclaimed"
    __slots__ = ()

    notice_date = fields.Date("Notice on", readonly=True,
        help="When the notice of the unclaimed money was printed.")
    unclaimed_move = fields.Many2One(
        'account.move', "Unclaimed Move", readonly=True, ondelete='RESTRICT',
        help="The move that took back what nobody claimed.")

    @property
    def keeps_equity(self):
        "Whether who does not claim the money has got shares with it"
        return False

    @property
    def unclaimed_line(self):
        "The line of what is not paid"
        return self.account_move_line

    @classmethod
    def bank_claims(cls, records):
        return {
            r: [r.account_move_line] if r.account_move_line else []
            for r in records}

    @classmethod
    def _unclaimed_domain(cls, date, years):
        "Return the domain of what is due for the years and not reconciled"
        return [
            ('account_move_line.reconciliation', '=', None),
            ('account_move_line.maturity_date', '<=',
                date - relativedelta(years=years)),
            ]

    @classmethod
    def _posted_domain(cls, company):
        "Return the domain of what the company has posted"
        raise NotImplementedError

    @classmethod
    def search_unclaimed(cls, company, date, years):
        "Return what is open of what was due years before the date"
        records = cls.search([
                cls._posted_domain(company),
                cls._unclaimed_domain(date, years),
                ])
        claims = open_claims(r.unclaimed_line for r in records)
        return {
            r: claims[r.unclaimed_line] for r in records
            if claims[r.unclaimed_line]}

    @classmethod
    def list_unclaimed(cls, company, date, years):
        "Return of what is unclaimed what the user may read"
        # Wizards run without access checks
        with check_access():
            return cls.search_unclaimed(company, date, years)

    @classmethod
    def get_claims(cls, records, company, date, years):
        "Return what is open of the records that the user chose"
        lock_members(r.member for r in records)
        claims = cls.list_unclaimed(company, date, years)
        # Some may have been paid since they were listed
        return {r: claims[r] for r in records if r in claims}

    @classmethod
    def reissue(cls, records, date):
        "Make what is payable due again on the date"
        pool = Pool()
        Line = pool.get('account.move.line')
        records = [r for r in records if r.account_move_line]
        if records:
            Line.write(
                [r.account_move_line for r in records],
                {'maturity_date': date})
            cls.write(records, {'notice_date': None})

    @classmethod
    def take_back(cls, claims, date, get_account, notice=True):
        """Post what is unclaimed to the account, but never the equity.

        `claims` maps the records to what is open of them, and `notice` tells
        if who it belongs to must have been told before.
        """
        if not claims:
            return
        records = list(claims)
        for record in records:
            if notice and not record.notice_date:
                raise UnclaimedError(gettext(
                        'coop_patronage.msg_unclaimed_notice',
                        record=record.rec_name))
        books = Books(records[0].company)
        for record in records:
            line = record.unclaimed_line
            amount = claims[record]
            record.unclaimed_move = books.move(date, [
                    books.line(line.account, amount, party=line.party),
                    books.line(get_account(record), -amount),
                    ], origin=record)
        Books.post([r.unclaimed_move for r in records])
        save_records(records)
        close_claims({
                r.unclaimed_line: next(
                    line for line in r.unclaimed_move.lines
                    if line.account == r.unclaimed_line.account)
                for r in records})
