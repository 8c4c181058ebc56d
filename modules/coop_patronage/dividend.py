# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_shares.document import Books
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval

from .surplus import get_balances


class Dividend(metaclass=PoolMeta):
    __name__ = 'coop.share.dividend'

    rounding_move = fields.Many2One(
        'account.move', "Rounding Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="What rounding left of the surplus and was carried forward.")

    @classmethod
    def copy(cls, dividends, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('rounding_move')
        return super().copy(dividends, default=default)

    @classmethod
    @Workflow.transition('posted')
    def _posted(cls, dividends):
        super()._posted(dividends)
        for dividend in dividends:
            dividend.rounding_move = dividend._get_rounding_move()
        Books.post([d.rounding_move for d in dividends])
        cls.save(dividends)

    def _get_rounding_move(self):
        "Return the unsaved move of what rounding left of the surplus"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        account = self.debit_account
        lines = Line.search([
                ('surplus.company', '=', self.company.id),
                ('surplus.state', '=', 'posted'),
                ('surplus.posting_date', '<=', self.posting_date),
                ('kind', '=', 'share_dividend'),
                ('account', '=', account.id),
                ], order=[('surplus.posting_date', 'DESC')], limit=1)
        if not lines:
            return
        line, = lines
        carry_forward = line.surplus.carry_forward_line
        left = get_balances(
            self.company, [account],
            lambda move: move.state == 'posted')[account.id]
        # Each of the amounts was rounded
        if (left and carry_forward
                and abs(left) <= self.currency.rounding * len(
                    self._line_ids())):
            books = Books(self.company)
            return books.move(self.posting_date, [
                    books.line(account, left),
                    books.line(carry_forward.account, -left),
                    ], origin=self, description=self.number)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, dividends):
        super().cancel(dividends)
        Books.post([
                Books(d.company).reversal(
                    d.rounding_move, d.rounding_move.date)
                for d in dividends if d.rounding_move])
