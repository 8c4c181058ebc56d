# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.modules.coop_membership.books import save_records
from trytond.pool import Pool
from trytond.transaction import Transaction

from .equity_posting import EquityPosting
from .exceptions import CancelError
from .pool_set_off import SetOffMixin


class RevolvementPosting(SetOffMixin, EquityPosting):
    "Post and cancel a revolvement, and check it against the books"
    __slots__ = ()
    _equity_sign = -1

    def _post_lines(self, books, move, lines):
        rows = [
            row for line in lines for row in line.get_move_lines(books, move)]
        save_records([move_line for *_, move_line in rows])
        set_offs = []
        for line, name, move_line in rows:
            if name == 'payable' and self.payout == 'money':
                line.account_move_line = move_line
            elif name == 'set_off':
                set_offs.append(move_line)
        return set_offs

    def _get_share_moves(self, move, lines):
        ShareMove = Pool().get('coop.share.move')
        lots = ShareMove.lots_at(
            self.company, None, [line.member for line in lines],
            self.classes)
        return [
            share_move for line in lines
            for share_move in line.get_share_moves(
                move, lots[line.member.id, line.share_class.id])]

    def _posted(self, books, set_offs):
        self._post_set_offs(
            books, self.posting_date, set_offs, self.description)
        self.lower_requests()

    def _check_unused(self):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        MoveLine = pool.get('account.move.line')
        paid = Line.search([
                ('revolvement', '=', self.id),
                ('account_move_line', 'where', MoveLine.get_paid_domain()),
                ], limit=1)
        if paid:
            line, = paid
            raise CancelError(gettext(
                    'coop_patronage.msg_revolvement_paid',
                    revolvement=self.rec_name,
                    member=line.member.rec_name))

    def _open_again(self, moves):
        "Open again what the moves have paid, unless others used it"
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        Payment = pool.get('coop.share.subscription.payment')
        Reconciliation = pool.get('account.move.reconciliation')
        reconciled = [
            line for move in moves for line in move.lines
            if line.reconciliation]
        for line in reconciled:
            # What is credited pays bills
            if (line.account.type.receivable and isinstance(line.origin, Line)
                    and any(other.move not in moves
                        for other in line.reconciliation.lines)):
                raise CancelError(gettext(
                        'coop_patronage.msg_revolvement_paid',
                        revolvement=self.rec_name,
                        member=line.origin.member.rec_name))
        with Transaction().set_context(keep_share_payments=True):
            Reconciliation.delete(list({
                        line.reconciliation for line in reconciled}))
        Payment.enter_opposite(Payment.search([
                    ('line.move', 'in', [m.id for m in moves]),
                    ]))

    def _equity_restored(self):
        self.raise_requests()

    @property
    def _equity_accounts(self):
        return {c.account_capital for c in self.classes}

    def _get_difference_text(self):
        return gettext(
            'coop_patronage.msg_check_revolvement',
            revolvement=self.rec_name)
