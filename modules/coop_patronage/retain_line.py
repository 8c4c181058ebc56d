# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool

from .equity_line import EquityLineMixin


class RetainLine(EquityLineMixin, ModelSQL, ModelView):
    __name__ = 'coop.equity.retain.line'
    __string__ = "Per-Unit Retain Line"
    _run = 'retain'
    _search_names = ('retain.rec_name', 'member.rec_name')

    retain = fields.Many2One(
        'coop.equity.retain', "Retain", required=True, readonly=True,
        ondelete='CASCADE')
    basis = fields.Numeric("Basis", readonly=True,
        help="The units or the price of what was delivered.")
    quantity = fields.Numeric("Shares", readonly=True)
    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.amount.help = "What is retained."
        cls.account_move_line.help = "What lowers the debt to the member."
        cls._order = [
            ('member', 'ASC'),
            ('id', 'ASC'),
            ]

    @property
    def row(self):
        "What is computed of it"
        return {
            'member': self.member.id,
            'basis': self.basis,
            'quantity': self.quantity,
            'amount': self.amount,
            }

    def get_move_lines(self, books, move):
        "Return the unsaved lines: what is owed gets less, the equity more"
        party = self.member.party
        capital = self.retain.share_class.account_capital
        return [
            books.line(
                party.account_payable_used, self.amount, party=party,
                maturity_date=self.retain.posting_date, move=move,
                origin=self),
            books.line(
                capital, -self.amount,
                party=party if capital.party_required else None,
                move=move),
            ]

    def get_share_move(self, move):
        "Return the unsaved row of the share ledger"
        ShareMove = Pool().get('coop.share.move')
        retain = self.retain
        return ShareMove.acquire(
            retain.share_class, self.quantity, self.member,
            retain.posting_date, kind='allocation', amount=self.amount,
            vintage=retain.end_date.year, origin=self, account_move=move)
