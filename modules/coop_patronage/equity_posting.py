# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .exceptions import PostError


class EquityPosting:
    "Post and cancel a run that changes the equity, and check it in the books"
    __slots__ = ()
    # Whether its amount is what the equity gets or what it gives
    _equity_sign = 1

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, runs):
        cls.lock(runs)
        lock_members(line.member for r in runs for line in r.lines)
        for run in runs:
            run.check_inputs(PostError)
            run._post()

    def _post(self):
        "Post a move for each chunk of the lines, and enter their shares"
        pool = Pool()
        Line = self._fields['lines'].get_target()
        Move = pool.get('account.move')
        ShareMove = pool.get('coop.share.move')
        books = Books(self.company)
        moves, set_offs = [], []
        for chunk in grouped_slice(self.lines, SLICE // 2):
            chunk = list(chunk)
            move = books.move(
                self.posting_date, [], origin=self,
                description=self.description)
            move.save()
            moves.append(move)
            set_offs.extend(self._post_lines(books, move, chunk))
            ShareMove.do(self._get_share_moves(move, chunk))
            Line.save(chunk)
        # They are numbered together
        Move.post(moves)
        self._posted(books, set_offs)

    def _post_lines(self, books, move, lines):
        "Make the lines of the move, and return those that pay debts"
        raise NotImplementedError

    def _posted(self, books, set_offs):
        "Go on with what follows from the posting"

    def _get_share_moves(self, move, lines):
        "Return the unsaved rows of the share ledger"
        raise NotImplementedError

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, runs):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        cls.lock(runs)
        for run in runs:
            if run.state != 'posted':
                continue
            run._check_unused()
            # What replaced claims is cancelled before
            moves = AdditionalMove.get_own(run.moves)
            run._open_again(moves)
            books = Books(run.company)
            reversals = {
                m: books.reversal(m, run.posting_date) for m in moves}
            Books.post(list(reversals.values()))
            ShareMove.reverse(
                [m for line in run.lines for m in line.share_moves
                    if not m.reversal_of],
                reversals)
            run._equity_restored()
            claims = {}
            for move in [*moves, *reversals.values()]:
                for line in move.lines:
                    type_ = line.account.type
                    if (line.account.reconcile
                            and (type_.payable or type_.receivable)):
                        claims.setdefault(
                            (line.account, line.party), []).append(line)
            if claims:
                MoveLine.reconcile(*claims.values())

    def _check_unused(self):
        "Refuse to cancel it if somebody has used what it posted"
        raise NotImplementedError

    def _open_again(self, moves):
        "Open again what the moves have paid"

    def _equity_restored(self):
        "Follow what is held again"

    @property
    def _equity_accounts(self):
        "The accounts of the capital it changes"
        raise NotImplementedError

    @classmethod
    def check_books(cls, company, date):
        AdditionalMove = Pool().get('coop.document.move')
        differences = super().check_books(company, date)
        for run in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            accounts = run._equity_accounts
            posted = cls._equity_sign * sum((
                    line.credit - line.debit
                    for move in AdditionalMove.get_own(run.moves)
                    for line in move.lines
                    if line.account in accounts), Decimal(0))
            if posted != run.amount:
                differences.append(Difference(
                        run, run._get_difference_text(), run.amount, posted))
        return differences

    def _get_difference_text(self):
        raise NotImplementedError
