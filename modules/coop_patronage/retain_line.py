# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool


class RetainLine(ResultMixin, SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.equity.retain.line'
    __string__ = "Per-Unit Retain Line"
    _search_names = ('retain.rec_name', 'member.rec_name')

    retain = fields.Many2One(
        'coop.equity.retain', "Retain", required=True, readonly=True,
        ondelete='CASCADE')
    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'on_change_with_company')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    basis = fields.Numeric("Basis", readonly=True,
        help="The units or the price of what was delivered.")
    quantity = fields.Numeric("Shares", readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', readonly=True,
        help="What is retained.")
    account_move_line = fields.Many2One(
        'account.move.line', "Payable Line", readonly=True,
        ondelete='RESTRICT',
        help="What lowers the debt to the member.")
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('retain')
        cls._order = [
            ('member', 'ASC'),
            ('id', 'ASC'),
            ]

    @fields.depends('retain', '_parent_retain.company')
    def on_change_with_company(self, name=None):
        return self.retain.company if self.retain else None

    @fields.depends('retain', '_parent_retain.currency')
    def on_change_with_currency(self, name=None):
        return self.retain.currency if self.retain else None

    def get_rec_name(self, name):
        return f'{self.retain.rec_name} - {self.member.rec_name}'

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
