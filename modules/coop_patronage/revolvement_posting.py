# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import CancelError, PostError
from .pool_set_off import SetOffMixin


class RevolvementPosting(SetOffMixin):
    "Post and cancel a revolvement, and check it against the books"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, revolvements):
        cls.lock(revolvements)
        lock_members(line.member for r in revolvements for line in r.lines)
        for revolvement in revolvements:
            revolvement.check_inputs(PostError)
            revolvement._post()

    def _post(self):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        books = Books(self.company)
        chunks = [
            list(chunk) for chunk in grouped_slice(self.lines, SLICE // 2)]
        moves = [
            books.move(
                self.posting_date, [], origin=self,
                description=self.description) for _ in chunks]
        Move.save(moves)
        set_offs = []
        for move, chunk in zip(moves, chunks):
            rows = [row for line in chunk for row in line.get_move_lines(move)]
            created = MoveLine.create([values for _, _, values in rows])
            for (line, name, _), move_line in zip(rows, created):
                if name == 'payable' and self.payout == 'money':
                    line.account_move_line = move_line
                elif name == 'set_off':
                    set_offs.append(move_line)
            lots = ShareMove.lots_at(
                self.company, None, [line.member for line in chunk],
                self.classes)
            ShareMove.do([
                    share_move for line in chunk
                    for share_move in line.get_share_moves(
                        move, lots[line.member.id, line.share_class.id])])
            Line.save(chunk)
            Move.post([move])
        self._post_set_offs(
            books, self.posting_date, set_offs, self.description)
        self.lower_requests()

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, revolvements):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('coop.equity.revolvement.line')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        cls.lock(revolvements)
        for revolvement in revolvements:
            if revolvement.state != 'posted':
                continue
            paid = Line.search([
                    ('revolvement', '=', revolvement.id),
                    ('account_move_line', 'where', MoveLine.get_paid_domain()),
                    ], limit=1)
            if paid:
                line, = paid
                raise CancelError(gettext(
                        'coop_patronage.msg_revolvement_paid',
                        revolvement=revolvement.rec_name,
                        member=line.member.rec_name))
            books = Books(revolvement.company)
            # What replaced claims is cancelled before
            moves = AdditionalMove.get_own(revolvement.moves)
            revolvement._take_back_set_offs(moves)
            reversals = {
                m: books.reversal(m, revolvement.posting_date)
                for m in moves}
            Books.post(list(reversals.values()))
            ShareMove.reverse(
                [m for line in revolvement.lines for m in line.share_moves
                    if not m.reversal_of],
                reversals)
            revolvement.raise_requests()
            payables = {}
            for move in [*moves, *reversals.values()]:
                for line in move.lines:
                    type_ = line.account.type
                    if (line.account.reconcile
                            and (type_.payable or type_.receivable)):
                        key = line.account, line.party
                        payables.setdefault(key, []).append(line)
            if payables:
                MoveLine.reconcile(*payables.values())

    def _take_back_set_offs(self, moves):
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
        Payment.take_back(Payment.search([
                    ('line.move', 'in', [m.id for m in moves]),
                    ]))

    @classmethod
    def check_books(cls, company, date):
        AdditionalMove = Pool().get('coop.document.move')
        differences = super().check_books(company, date)
        for revolvement in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            accounts = {c.account_capital for c in revolvement.classes}
            posted = sum((
                    line.debit - line.credit
                    for move in AdditionalMove.get_own(revolvement.moves)
                    for line in move.lines
                    if line.account in accounts), Decimal(0))
            if posted != revolvement.amount:
                differences.append(Difference(
                        revolvement,
                        gettext('coop_patronage.msg_check_revolvement',
                            revolvement=revolvement.rec_name),
                        revolvement.amount, posted))
        return differences
