# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .exceptions import CancelError, PostError


class RetainPosting:
    "Post and cancel a per-unit retain, and check it against the books"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, retains):
        cls.lock(retains)
        lock_members(line.member for r in retains for line in r.lines)
        for retain in retains:
            retain.check_inputs(PostError)
            retain._post()

    def _post(self):
        pool = Pool()
        Line = pool.get('coop.equity.retain.line')
        Move = pool.get('account.move')
        ShareMove = pool.get('coop.share.move')
        books = Books(self.company)
        for chunk in grouped_slice(self.lines, SLICE // 2):
            chunk = list(chunk)
            move = books.move(
                self.posting_date, [], origin=self,
                description=self.description)
            move.save()
            pairs = [line.get_move_lines(books, move) for line in chunk]
            save_records([l for pair in pairs for l in pair])
            for line, (payable, _) in zip(chunk, pairs):
                line.account_move_line = payable
            ShareMove.do([line.get_share_move(move) for line in chunk])
            Line.save(chunk)
            Move.post([move])

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, retains):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('coop.equity.retain.line')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        cls.lock(retains)
        for retain in retains:
            if retain.state != 'posted':
                continue
            used = Line.search([
                    ('retain', '=', retain.id),
                    ('account_move_line.reconciliation', '!=', None),
                    ], limit=1)
            if used:
                line, = used
                raise CancelError(gettext(
                        'coop_patronage.msg_retain_used',
                        retain=retain.rec_name,
                        member=line.member.rec_name))
            books = Books(retain.company)
            moves = AdditionalMove.get_own(retain.moves)
            reversals = [
                books.reversal(m, retain.posting_date) for m in moves]
            Books.post(reversals)
            ShareMove.reverse(
                [m for line in retain.lines for m in line.share_moves
                    if not m.reversal_of],
                dict(zip(moves, reversals)))
            payables = {}
            for move in moves + reversals:
                for line in move.lines:
                    if line.account.type.payable and line.account.reconcile:
                        payables.setdefault(
                            (line.account, line.party), []).append(line)
            if payables:
                MoveLine.reconcile(*payables.values())

    @classmethod
    def check_books(cls, company, date):
        AdditionalMove = Pool().get('coop.document.move')
        differences = super().check_books(company, date)
        for retain in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            posted = sum((
                    line.credit - line.debit
                    for move in AdditionalMove.get_own(retain.moves)
                    for line in move.lines
                    if line.account == retain.share_class.account_capital),
                Decimal(0))
            if posted != retain.amount:
                differences.append(Difference(
                        retain,
                        gettext('coop_patronage.msg_check_retain',
                            retain=retain.rec_name),
                        retain.amount, posted))
        return differences
