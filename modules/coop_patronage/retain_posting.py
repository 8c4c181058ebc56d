# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.modules.coop_membership.books import save_records
from trytond.pool import Pool

from .equity_posting import EquityPosting
from .exceptions import CancelError


class RetainPosting(EquityPosting):
    "Post and cancel a per-unit retain, and check it against the books"
    __slots__ = ()

    def _post_lines(self, books, move, lines):
        capital = []
        for line in lines:
            line.account_move_line, equity = line.get_move_lines(books, move)
            capital.append(equity)
        save_records([*(l.account_move_line for l in lines), *capital])
        return []

    def _get_share_moves(self, move, lines):
        return [line.get_share_move(move) for line in lines]

    def _check_unused(self):
        Line = Pool().get('coop.equity.retain.line')
        used = Line.search([
                ('retain', '=', self.id),
                ('account_move_line.reconciliation', '!=', None),
                ], limit=1)
        if used:
            line, = used
            raise CancelError(gettext(
                    'coop_patronage.msg_retain_used',
                    retain=self.rec_name,
                    member=line.member.rec_name))

    @property
    def _equity_accounts(self):
        return {self.share_class.account_capital}

    def _get_difference_text(self):
        return gettext(
            'coop_patronage.msg_check_retain', retain=self.rec_name)
