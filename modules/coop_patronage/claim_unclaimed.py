# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta
from sql import Null
from sql.operators import Exists

from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.claim import open_replacements
from trytond.modules.coop_shares.debt import (
    close_claims, overdue_claims, taking_lines)
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
    is_open = fields.Function(fields.Boolean("Open",
            help="If something of it is to be paid."))

    @classmethod
    def column_is_open(cls, tables):
        Line = Pool().get('account.move.line')
        table, _ = tables[None]
        line = Line.__table__()
        return (table.unclaimed_move == Null) & (
            Exists(line.select(line.id,
                    where=(line.id == table.account_move_line)
                    & (line.reconciliation == Null)))
            | Exists(open_replacements(table.account_move_line)))

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
    def _unclaimed_domain(cls, date, limit):
        "Return the domain of what was due on the day and is not paid"
        return [
            ('is_open', '=', True),
            ('account_move_line.maturity_date', '<=', limit),
            ]

    @classmethod
    def _posted_domain(cls, company):
        "Return the domain of what the company has posted"
        raise NotImplementedError

    @classmethod
    def search_unclaimed(cls, company, date, years):
        """Return what was due years before the date

        The open lines and how much of each is open, by record.
        """
        limit = date - relativedelta(years=years)
        records = cls.search([
                cls._posted_domain(company),
                cls._unclaimed_domain(date, limit),
                ])
        overdue = overdue_claims({r.unclaimed_line for r in records}, limit)
        return {
            r: overdue[r.unclaimed_line] for r in records
            if r.unclaimed_line in overdue}

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
    def reissue(cls, claims, date):
        "Make what is payable due again on the date"
        pool = Pool()
        Line = pool.get('account.move.line')
        # What is held for who is no member is not due
        claims = {r: ls for r, ls in claims.items() if r.account_move_line}
        if claims:
            Line.write(
                [l for lines in claims.values() for l in lines],
                {'maturity_date': date})
            cls.write(list(claims), {'notice_date': None})

    @classmethod
    def take_back(cls, claims, date, get_account, notice=True):
        """Post what is unclaimed to the account, but never the equity.

        `claims` maps the records to their open lines and how much of each is
        open, and `notice` tells if who it belongs to must have been told
        before.
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
        for record, amounts in claims.items():
            record.unclaimed_move = books.move(date, [
                    *taking_lines(books, amounts),
                    books.line(
                        get_account(record), -sum(amounts.values())),
                    ], origin=record)
        Books.post([r.unclaimed_move for r in records])
        save_records(records)
        close_claims({
                line.origin: line
                for record in records
                for line in record.unclaimed_move.lines if line.origin})
