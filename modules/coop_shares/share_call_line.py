# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool

from .document import move_field


class CallLine(SearchMixin, ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.call.line'
    __string__ = "Share Call Line"
    _subject = 'call'
    _search_names = ('call.rec_name', 'member.rec_name')

    call = fields.Many2One(
        'coop.share.call', "Share Call", required=True, ondelete='CASCADE')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT')
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", required=True,
        ondelete='RESTRICT')
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="What is called of the subscription.")
    open_amount = fields.Function(Monetary(
            "Open Amount", currency='currency', digits='currency',
            help="What of it is still to be paid.\n"
            "What was agreed upon in other terms is not open any more."),
        'get_open_amount')
    move = move_field('move', "Account Move")
    redemptions = fields.One2Many(
        'coop.share.redemption', 'call_line', "Forfeitures", readonly=True,
        help="The redemptions by which the shares are forfeited.")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    company = fields.Function(fields.Many2One(
            'company.company', "Company"), 'on_change_with_company')
    state = fields.Function(fields.Selection('get_states', "State"),
        'on_change_with_state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('call')
        cls._order = [('call', 'DESC'), ('id', 'ASC')]
        cls._sql_constraints.append((
                'subscription_unique', Unique(t, t.call, t.subscription),
                'coop_shares.msg_call_line_unique'))

    @classmethod
    def get_states(cls):
        Call = Pool().get('coop.share.call')
        return Call.fields_get(['state'])['state']['selection']

    @fields.depends('call', '_parent_call.currency')
    def on_change_with_currency(self, name=None):
        return self.call.currency if self.call else None

    @fields.depends('call', '_parent_call.company')
    def on_change_with_company(self, name=None):
        return self.call.company if self.call else None

    @fields.depends('call', '_parent_call.state')
    def on_change_with_state(self, name=None):
        return self.call.state if self.call else None

    def get_rec_name(self, name):
        return f'{self.call.rec_name} @ {self.member.rec_name}'

    @classmethod
    def get_open_amount(cls, lines, name):
        pool = Pool()
        MoveLine = pool.get('account.move.line')
        Subscription = pool.get('coop.share.subscription')
        amounts = {l.id: l.currency.round(Decimal(0)) for l in lines}
        by_move = {l.move: l for l in lines if l.move}
        open_ = Subscription.open_amounts(MoveLine.search([
                    ('move', 'in', [m.id for m in by_move]),
                    ('debit', '>', 0),
                    ('maturity_date', '!=', None),
                    ('reconciliation', '=', None),
                    ]))
        for move_line, amount in open_.items():
            amounts[by_move[move_line.move].id] += amount
        return amounts

    def get_move(self, books, uncalled):
        "Return the unsaved move that lets the amount become due"
        left, lines = self.amount, []
        for line in uncalled:
            called = min(line.debit, left)
            left -= called
            if called:
                lines.extend(
                    books.line(
                        line.account, amount, party=line.party,
                        maturity_date=date, origin=line)
                    for amount, date in [
                        (-line.debit, None),
                        (called, self.call.due_date),
                        (line.debit - called, None)]
                    if amount)
        return books.move(self.call.date, lines, origin=self.call)
