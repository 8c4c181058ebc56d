# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool

from .banked import BankedMixin


class DividendLine(
        BankedMixin, SearchMixin, ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.dividend.line'
    __string__ = "Share Dividend Line"
    _search_names = ('dividend.rec_name', 'member.rec_name')
    _subject = 'dividend'
    _bank_keyword = 'dividend'
    _bank_name = 'dividend.number'
    _bank_sign = -1
    _bank_company = 'dividend.company'

    dividend = fields.Many2One(
        'coop.share.dividend', "Share Dividend", required=True,
        ondelete='CASCADE')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT')
    basis = fields.Numeric("Basis", digits=(None, 4), required=True,
        help="The amount for each day it was held, or the amount held.")
    gross = Monetary(
        "Gross", currency='currency', digits='currency', required=True)
    withholding = Monetary(
        "Withholding", currency='currency', digits='currency', required=True)
    church_tax = Monetary(
        "Church Tax", currency='currency', digits='currency',
        help="What of the withholding is church tax.")
    exempt = Monetary(
        "Exempt", currency='currency', digits='currency',
        help="What of the gross the exemption of the member takes.")
    net = fields.Function(Monetary(
            "Net", currency='currency', digits='currency'),
        'on_change_with_net')
    to_shares = Monetary(
        "To Shares", currency='currency', digits='currency',
        help="The part of the net that pays shares of the member.")
    payout = fields.Function(Monetary(
            "Payout", currency='currency', digits='currency',
            help="What is left of the net."),
        'on_change_with_payout')
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", ondelete='RESTRICT',
        help="The new shares that the member has chosen.")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    move = fields.Many2One(
        'account.move', "Account Move", ondelete='RESTRICT')
    cancel_move = fields.Many2One(
        'account.move', "Cancel Move", ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('dividend')
        cls._order = [('dividend', 'DESC'), ('id', 'ASC')]
        cls._sql_constraints += [
            ('member_unique', Unique(t, t.dividend, t.member),
                'coop_shares.msg_dividend_line_member_unique'),
            ]

    @classmethod
    def bank_open_domain(cls):
        return [('dividend.state', '=', 'posted')]

    @classmethod
    def bank_claims(cls, lines):
        Line = Pool().get('account.move.line')
        claims = {l: [] for l in lines}
        for claim in Line.search([
                    ('origin', 'in', [str(l) for l in lines]),
                    ('credit', '>', 0),
                    ]):
            if claim.move == claim.origin.move:
                claims[claim.origin].append(claim)
        return claims

    @classmethod
    def column_net(cls, tables):
        table, _ = tables[None]
        return table.gross - table.withholding

    @fields.depends('gross', 'withholding')
    def on_change_with_net(self, name=None):
        return (self.gross or 0) - (self.withholding or 0)

    @fields.depends('to_shares', methods=['on_change_with_net'])
    def on_change_with_payout(self, name=None):
        return self.on_change_with_net() - (self.to_shares or 0)

    @fields.depends('dividend', '_parent_dividend.currency')
    def on_change_with_currency(self, name=None):
        return self.dividend.currency if self.dividend else None

    def get_rec_name(self, name):
        return f'{self.dividend.rec_name} @ {self.member.rec_name}'
