# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_shares.banked import BankedMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool

from .claim_unclaimed import ClaimMixin
from .equity_line import EquityLineMixin
from .exceptions import RevolvementError
from .loss_absorption import take_amount


class RevolvementLine(
        ClaimMixin, BankedMixin, EquityLineMixin, ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement.line'
    __string__ = "Equity Revolvement Line"
    _search_names = ('revolvement.rec_name', 'member.rec_name')
    _run = 'revolvement'
    _subject = 'revolvement'
    _bank_keyword = 'revolvement'
    _bank_name = 'revolvement.rec_name'
    _bank_sign = -1
    _bank_company = 'revolvement.company'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement", required=True,
        readonly=True, ondelete='CASCADE')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, readonly=True,
        ondelete='RESTRICT')
    vintage = fields.Integer("Vintage", readonly=True)
    balance = Monetary(
        "Balance", currency='currency', digits='currency', readonly=True,
        help="What is held before.")
    discount = Monetary(
        "Discount", currency='currency', digits='currency', readonly=True,
        help="What the cooperative keeps for paying early.")
    set_off = Monetary(
        "Set Off", currency='currency', digits='currency', readonly=True,
        help="What pays overdue debts of the member.")
    payable = Monetary(
        "Payable", currency='currency', digits='currency', readonly=True,
        help="What is paid, or credited on account.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.amount.help = "What is redeemed."
        cls._order = [
            ('vintage', 'ASC'),
            ('member', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def bank_open_domain(cls):
        return [
            ('revolvement.state', '=', 'posted'),
            ('is_open', '=', True),
            ]

    @classmethod
    def bank_return_domain(cls):
        return [('revolvement.state', '=', 'posted')]

    @property
    def row(self):
        "What is computed of it"
        return {
            'member': self.member.id,
            'share_class': self.share_class.id,
            'vintage': self.vintage,
            'balance': self.balance,
            'amount': self.amount,
            'discount': self.discount,
            'set_off': self.set_off,
            'payable': self.payable,
            }

    def get_move_lines(self, books, move):
        "Yield the line, the name of what is posted and the unsaved line of it"
        revolvement = self.revolvement
        party = self.member.party
        date = revolvement.payment_date or revolvement.posting_date
        payable = self.share_class.account_redemption
        if revolvement.payout == 'credit':
            payable = party.account_receivable_used
        for name, account, amount, values in [
                ('amount', self.share_class.account_capital, self.amount, {}),
                ('payable', payable, -self.payable,
                    {'maturity_date': date, 'origin': self}),
                ('set_off', self.share_class.account_redemption,
                    -self.set_off, {'maturity_date': date, 'origin': self}),
                ('discount', self.share_class.account_deduction,
                    -self.discount, {})]:
            if not amount:
                continue
            if not account:
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_account',
                        share_class=self.share_class.rec_name))
            yield self, name, books.line(
                account, amount, party=party, move=move, **values)

    def get_share_moves(self, move, lots):
        """Return the unsaved rows of the share ledger

        One for each of the lots of the vintage that is redeemed.
        """
        ShareMove = Pool().get('coop.share.move')
        class_ = self.share_class
        taken, _ = take_amount(
            [l for l in lots if l.vintage == self.vintage], self.amount,
            class_.par_value, class_.quantity_digits, self.currency.rounding)
        return ShareMove.give(
            class_, taken, self.member, self.revolvement.posting_date - DAY,
            kind='redemption', origin=self, account_move=move)

    @property
    def party(self):
        return self.member.party

    @property
    def address_lines(self):
        address = self.party.address_get()
        return address.full_address.splitlines() if address else []

    @property
    def unclaimed_of(self):
        return self.revolvement.rec_name

    @classmethod
    def _posted_domain(cls, company):
        return [
            ('revolvement.company', '=', company.id),
            ('revolvement.state', '=', 'posted'),
            ]
