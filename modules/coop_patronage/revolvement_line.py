# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool

from .exceptions import RevolvementError


class RevolvementLine(ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement.line'
    __string__ = "Equity Revolvement Line"

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement", required=True,
        readonly=True, ondelete='CASCADE')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, readonly=True,
        ondelete='RESTRICT')
    vintage = fields.Integer("Vintage", readonly=True)
    balance = Monetary(
        "Balance", currency='currency', digits='currency', readonly=True,
        help="What is held before.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', readonly=True,
        help="What is redeemed.")
    discount = Monetary(
        "Discount", currency='currency', digits='currency', readonly=True,
        help="What the cooperative keeps for paying early.")
    payable = Monetary(
        "Payable", currency='currency', digits='currency', readonly=True)
    account_move_line = fields.Many2One(
        'account.move.line', "Payable Line", readonly=True,
        ondelete='RESTRICT')
    share_move = fields.Many2One(
        'coop.share.move', "Share Move", readonly=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('revolvement')
        cls._order = [
            ('vintage', 'ASC'),
            ('member', 'ASC'),
            ('id', 'ASC'),
            ]

    @fields.depends('revolvement', '_parent_revolvement.currency')
    def on_change_with_currency(self, name=None):
        return self.revolvement.currency if self.revolvement else None

    def get_rec_name(self, name):
        return f'{self.revolvement.rec_name} - {self.member.rec_name}'

    @classmethod
    def check_modification(cls, mode, lines, values=None, external=False):
        super().check_modification(
            mode, lines, values=values, external=external)
        if external:
            for line in lines:
                raise AccessError(gettext(
                        'coop_patronage.msg_revolvement_modify',
                        revolvement=line.revolvement.rec_name))

    def get_move_lines(self, move):
        "Yield the line, what is posted and the values"
        revolvement = self.revolvement
        party = self.member.party.id
        for name, account, amount in [
                ('amount', self.share_class.account_capital, self.amount),
                ('payable', self.share_class.account_redemption,
                    -self.payable),
                ('discount', self.share_class.account_deduction,
                    -self.discount)]:
            if not amount:
                continue
            if not account:
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_account',
                        share_class=self.share_class.rec_name))
            yield self, name, {
                'move': move.id,
                'account': account.id,
                'debit': max(amount, Decimal(0)),
                'credit': max(-amount, Decimal(0)),
                'party': party if account.party_required else None,
                'maturity_date': (
                    revolvement.payment_date or revolvement.posting_date
                    if name == 'payable' else None),
                }

    def get_share_moves(self, move, lots):
        """Return the unsaved rows of the share ledger

        `lots` is what the member holds of the class.
        """
        ShareMove = Pool().get('coop.share.move')
        return ShareMove.give_vintage(
            self.share_class, lots, self.vintage,
            self.amount / self.share_class.par_value, self.member,
            self.revolvement.posting_date - DAY, kind='redemption',
            origin=self, account_move=move)
