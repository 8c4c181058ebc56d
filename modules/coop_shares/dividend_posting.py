# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .dividend_shares import DividendShares, filled


class DividendPosting(DividendShares):
    "How a dividend enters the books"
    __slots__ = ()

    @property
    def debit_account(self):
        "The account the dividend is taken from"
        return self.account

    @classmethod
    def post_lines(cls, dividend, first_id, last_id):
        "Post the lines that are not posted yet between the two included"
        pool = Pool()
        Line = pool.get('coop.share.dividend.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        Withholding = pool.get('coop.withholding')

        cls.lock([dividend])
        if dividend.state != 'approved':
            return
        ids = dividend._line_ids(
            to_post=True, first_id=first_id, last_id=last_id)
        if not ids:
            # It was posted already, and what goes on from there
            return
        books = Books(dividend.company)
        move = books.move(
            dividend.posting_date, [], origin=dividend,
            description=dividend.number)
        move.save()
        gross = withholding = 0
        payments = []
        for sub_ids in grouped_slice(ids, SLICE):
            lines = Line.browse(list(sub_ids))
            fills = dividend._get_fills(lines)
            for line, parts in fills.items():
                line.to_shares = filled(parts)
            save_records(list(fills))
            save_records([
                    books.line(
                        dividend.account_payable, -line.payout,
                        party=line.member.party,
                        maturity_date=dividend.payment_date,
                        move=move, origin=line)
                    for line in lines if line.payout])
            credits, sub_payments = cls._get_credits(books, move, fills)
            save_records(credits)
            payments.extend(sub_payments)
            Line.write(lines, {'move': move.id})
            gross += sum(l.gross for l in lines)
            withholding += sum(l.withholding for l in lines)
        lines = [books.line(dividend.debit_account, gross, move=move)]
        if withholding:
            lines.append(Withholding.get_line(
                    books, dividend.account_withholding, withholding,
                    dividend.posting_date, move=move))
        MoveLine.save(lines)
        Move.post([move])
        cls._enter_payments(payments)
        ids = dividend._line_ids(to_post=True)
        if ids:
            cls._post_next(dividend, ids)
        else:
            cls._posted([dividend])

    def _moves(self):
        "Return the moves that are not reversed"
        pool = Pool()
        Move = pool.get('account.move')
        line = pool.get('coop.share.dividend.line').__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*line.select(
                line.move,
                where=(line.dividend == self.id)
                & (line.move != Null) & (line.cancel_move == Null),
                group_by=line.move,
                order_by=line.move))
        return Move.browse([id_ for id_, in cursor])

    def _cancel_move(self, move):
        pool = Pool()
        Line = pool.get('coop.share.dividend.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        cursor = Transaction().connection.cursor()
        move_line = MoveLine.__table__()
        line = Line.__table__()

        books = Books(self.company)
        reversal = books.move(
            move.date, [], origin=move, description=move.description)
        reversal.save()
        cursor.execute(*move_line.select(
                move_line.id,
                where=move_line.move == move.id,
                order_by=move_line.id))
        to_reconcile = []
        for sub_ids in grouped_slice([i for i, in cursor], SLICE):
            lines = MoveLine.browse(list(sub_ids))
            reversals = [
                books.line(
                    l.account, l.credit - l.debit, party=l.party,
                    maturity_date=l.maturity_date, move=reversal, origin=l)
                for l in lines]
            MoveLine.save(reversals)
            to_reconcile.extend(
                [r.origin, r] for r in reversals if r.account.reconcile)
        Move.post([reversal])
        for pairs in grouped_slice(to_reconcile, SLICE):
            MoveLine.reconcile(*pairs)
        cursor.execute(*line.select(line.id, where=line.move == move.id))
        for sub_ids in grouped_slice([i for i, in cursor], SLICE):
            Line.write(
                Line.browse(list(sub_ids)), {'cancel_move': reversal.id})
