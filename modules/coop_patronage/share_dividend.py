# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_shares.exceptions import DividendError
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.report import Report

from .balance import get_balances


class Dividend(metaclass=PoolMeta):
    __name__ = 'coop.share.dividend'

    rounding_move = fields.Many2One(
        'account.move', "Rounding Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="What rounding left of the surplus and was carried forward.")

    @classmethod
    @Workflow.transition('posted')
    def _posted(cls, dividends):
        super()._posted(dividends)
        for dividend in dividends:
            dividend.rounding_move = dividend._get_rounding_move()
        Books.post([d.rounding_move for d in dividends])
        cls.save(dividends)

    def _check_post(self):
        super()._check_post()
        if not self._get_surplus_line():
            return
        account = self.debit_account
        # What an interrupted posting has taken is still there for it
        held = get_balances(
            self.company, [account],
            lambda move: (move.state == 'posted')
            & ((move.origin == Null) | (move.origin != str(self)))
            )[account.id]
        # Rounding each amount may take more than what is there for all
        if self.gross > held and self.unrounded > held:
            raise DividendError(gettext(
                    'coop_patronage.msg_dividend_clearing',
                    dividend=self.rec_name,
                    account=account.rec_name,
                    held=Report.format_currency(held, None, self.currency),
                    amount=Report.format_currency(
                        self.gross, None, self.currency)))

    def _get_surplus_line(self):
        "Return the last line of a surplus that gives to the account"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        lines = Line.search([
                ('surplus.company', '=', self.company.id),
                ('surplus.state', '=', 'posted'),
                ('surplus.posting_date', '<=', self.posting_date),
                ('kind', '=', 'share_dividend'),
                ('account', '=', self.debit_account.id),
                ], order=[('surplus.posting_date', 'DESC')], limit=1)
        return lines[0] if lines else None

    def _get_rounding_move(self):
        "Return the unsaved move of what rounding left of the surplus"
        line = self._get_surplus_line()
        if not line:
            return
        account = self.debit_account
        carry_forward = line.surplus.get_carry_forward_line(
            line.get_section())
        left = get_balances(
            self.company, [account],
            lambda move: move.state == 'posted')[account.id]
        if not left or not carry_forward:
            return
        rounded = self.unrounded - self.gross
        if abs(rounded) > self.currency.rounding * len(self._line_ids()):
            # The ledger has changed since: the check reports what is left
            return
        # The rest waits for another dividend, but for the cent by which the
        # line was rounded itself
        if abs(left - rounded) > self.currency.rounding:
            left = rounded if abs(left) > abs(rounded) else 0
        if left:
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
