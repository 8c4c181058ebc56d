# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pyson import Eval

from .quantity import QUANTITY_DIGITS


class RevaluationLine(SearchMixin, ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.revaluation.line'
    __string__ = "Share Revaluation Line"
    _subject = 'revaluation'
    _search_names = ('revaluation.rec_name', 'member.rec_name')

    revaluation = fields.Many2One(
        'coop.share.revaluation', "Share Revaluation", required=True,
        ondelete='CASCADE')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT')
    basis = Monetary(
        "Paid Capital", currency='currency', digits='currency', required=True,
        help="What was paid on the record date and is still held.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="What becomes capital of the member.")
    quantity = fields.Numeric(
        "New Shares", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)),
        required=True)
    rest = Monetary(
        "Left in the Fund", currency='currency', digits='currency',
        required=True, help="What makes no share.")
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('revaluation')
        cls._order = [('revaluation', 'DESC'), ('id', 'ASC')]
        cls._sql_constraints.append((
                'member_unique', Unique(t, t.revaluation, t.member),
                'coop_shares.msg_revaluation_line_unique'))

    @fields.depends('revaluation', '_parent_revaluation.quantity_digits')
    def on_change_with_quantity_digits(self, name=None):
        return self.revaluation.quantity_digits if self.revaluation else None

    @fields.depends('revaluation', '_parent_revaluation.currency')
    def on_change_with_currency(self, name=None):
        return self.revaluation.currency if self.revaluation else None

    def get_rec_name(self, name):
        return f'{self.revaluation.rec_name} @ {self.member.rec_name}'
