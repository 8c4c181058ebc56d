# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The moves that replace what a document claims or owes by other lines.

Rescheduling, delegating and grouping lines reconciles them without any money.
What took their place is kept here, because Tryton leaves no trace of it that
serves for all three.
"""
from collections import defaultdict

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, fields
from trytond.model.exceptions import AccessError
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .agreement import BooksMixin, Difference
from .books import SLICE, save_records
from .document import ResultMixin, full_name

# The key of the context that tells that no money is behind a reconciliation
REPLACING = 'coop_replacing'
# What of the moves of documents is for documents only
_MOVE_FIELDS = {'company', 'period', 'date', 'origin', 'lines'}
_LINE_FIELDS = {'move', 'account', 'party', 'debit', 'credit', 'origin'}


def is_document(record):
    "Return whether the origin of a move is a document of the cooperative"
    return bool(record) and record.__name__.startswith('coop.')


def get_move_document(move):
    "Return the document a move belongs to, be it by an invoice, if any"
    if is_document(move.origin):
        return move.origin
    if move in getattr(move.origin, 'additional_moves', ()):
        # It only replaces lines of an invoice
        return
    return _get_invoice(move)


def _get_invoice(move):
    "Return the invoice of a document that the move is of, if any"
    for line in getattr(move.origin, 'lines', ()):
        if is_document(getattr(line, 'origin', None)):
            return move.origin


def get_document(line):
    "Return the document whose claim or debt the line is, if any"
    if is_document(line.move.origin):
        return line.origin if is_document(line.origin) else line.move.origin


def _copy_origin(data):
    origin = data['origin']
    if origin and not origin.startswith('coop.'):
        return origin


class AdditionalMove(ResultMixin, ModelSQL, ModelView):
    __name__ = 'coop.document.move'
    __string__ = "Additional Move"

    document = fields.Reference(
        "Document", selection='get_documents', required=True, readonly=True)
    claim = fields.Many2One(
        'account.move.line', "Claim", required=True, readonly=True,
        ondelete='CASCADE',
        help="The line in which the document made the claim or the debt.")
    replaced = fields.Many2One(
        'account.move.line', "Replaced Line", required=True, readonly=True,
        ondelete='CASCADE')
    move = fields.Many2One(
        'account.move', "Move", required=True, readonly=True,
        ondelete='CASCADE',
        help="The move that replaces the line.")
    line = fields.Many2One(
        'account.move.line', "Line", readonly=True, ondelete='CASCADE',
        help="The line that takes its place.\n"
        "Empty if nothing is left.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('move')
        cls._sql_indexes.update({
                Index(t, (t.claim, Index.Range())),
                Index(t, (t.replaced, Index.Range())),
                Index(t, (t.move, Index.Range())),
                Index(t, (t.line, Index.Range())),
                Index(t, (t.document, Index.Equality())),
                })

    @classmethod
    def get_documents(cls):
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        return sorted({
                (name, string)
                for name, string in Move.get_origin() + Line.get_origin()
                if name and name.startswith('coop.')})

    @classmethod
    def check_lines(cls, lines):
        "Check that what the lines are replaced by can be followed"

    @classmethod
    def add(cls, replacements, move):
        """Keep the lines of the move by which each line is replaced

        For the lines that are claims or debts of documents or have replaced
        some.
        """
        claims = cls.get_claims(replacements)
        rows = []
        for replaced, lines in replacements.items():
            for claim in claims.get(replaced, []):
                for line in lines or [None]:
                    rows.append(cls(
                            document=get_document(claim), claim=claim,
                            replaced=replaced, move=move, line=line))
        cls.save(rows)
        cls.added(move, list(replacements))

    @classmethod
    def add_parts(cls, replacements):
        "Keep the lines by which a document itself has replaced claims"
        claims = cls.get_claims(replacements)
        save_records([
                cls(
                    document=get_document(claim), claim=claim,
                    replaced=replaced, move=line.move, line=line)
                for replaced, lines in replacements.items()
                for claim in claims.get(replaced, [])
                for line in lines])

    @classmethod
    def added(cls, move, lines):
        "Follow what the move that replaces the lines means for documents"

    @classmethod
    def get_own(cls, moves):
        "Return the moves but for those that only replace claims"
        moves = list(moves)
        additional = {
            row.move for row in cls.search([
                    ('move', 'in', [m.id for m in moves])])}
        return [m for m in moves if m not in additional]

    @classmethod
    def get_claims(cls, lines):
        """Return by line the lines of documents that it stands for

        The oldest maturity first.
        """
        claims = defaultdict(set)
        for row in cls.search([('line', 'in', [l.id for l in lines])]):
            claims[row.line].add(row.claim)
        for line in lines:
            if line not in claims and get_document(line):
                claims[line].add(line)
        return {
            line: sorted(c, key=lambda l: (l.maturity_date or l.date, l.id))
            for line, c in claims.items()}

    @classmethod
    def get_claimant(cls, line, claims):
        "Return what claims or owes the line of the claims, if any"
        if line in claims:
            return get_document(claims[line][0])
        return _get_invoice(line.move)


class Move(BooksMixin, metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def check_modification(cls, mode, moves, values=None, external=False):
        super().check_modification(
            mode, moves, values=values, external=external)
        if external and (
                mode == 'delete'
                or mode == 'write' and values.keys() & _MOVE_FIELDS):
            cls.check_documents(moves)

    @classmethod
    def copy(cls, moves, default=None):
        # A copy is nothing that the document knows
        default = default.copy() if default is not None else {}
        default.setdefault('origin', _copy_origin)
        default.setdefault('lines.origin', _copy_origin)
        return super().copy(moves, default=default)

    @classmethod
    def check_documents(cls, moves):
        "Check that the moves belong to no documents"
        for move in moves:
            if is_document(move.origin):
                raise AccessError(gettext(
                        'coop_membership.msg_move_document_modify',
                        move=move.rec_name,
                        document=move.origin.rec_name))
        for move, document in cls.counted_drafts(moves).items():
            raise AccessError(gettext(
                    'coop_membership.msg_move_counted_modify',
                    move=move.rec_name,
                    document=document.rec_name))

    @classmethod
    def counted_drafts(cls, moves):
        """Return by move the document that counts on it though it is a draft

        Because it pays or replaces what the document claims or owes.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        documents = {}
        drafts = [m for m in moves if m.state == 'draft']
        for sub_drafts in grouped_slice(drafts, SLICE):
            ids = [m.id for m in sub_drafts]
            for row in AdditionalMove.search([('move', 'in', ids)]):
                documents.setdefault(row.move, row.document)
            others = {
                line: [
                    other for other in line.reconciliation.lines
                    if other.move != line.move]
                for line in Line.search([
                        ('move', 'in', ids),
                        ('reconciliation', '!=', None),
                        ])}
            claims = AdditionalMove.get_claims({
                    other for lines in others.values() for other in lines})
            for line, lines in others.items():
                for other in lines:
                    document = AdditionalMove.get_claimant(other, claims)
                    if document:
                        documents.setdefault(line.move, document)
        return documents

    @classmethod
    def check_books(cls, company, date):
        "Name what documents count on and is still to be posted"
        drafts = cls.search([
                ('company', '=', company.id),
                ('state', '=', 'draft'),
                ('date', '<=', date),
                ], order=[('id', 'ASC')])
        return super().check_books(company, date) + [
            Difference(
                move, gettext(
                    'coop_membership.msg_books_draft',
                    document=full_name(document)),
                kind='pending')
            for move, document in cls.counted_drafts(drafts).items()]


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @classmethod
    def check_modification(cls, mode, lines, values=None, external=False):
        pool = Pool()
        Move = pool.get('account.move')
        super().check_modification(
            mode, lines, values=values, external=external)
        if external and (
                mode != 'write' or values.keys() & _LINE_FIELDS):
            Move.check_documents({l.move for l in lines if l.move})


class RescheduleLines(metaclass=PoolMeta):
    __name__ = 'account.move.line.reschedule'

    @classmethod
    def reschedule_lines(cls, lines, journal, terms):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        AdditionalMove.check_lines(lines)
        with Transaction().set_context(**{REPLACING: True}):
            move, balance_line = super().reschedule_lines(
                lines, journal, terms)
        parts = [l for l in move.lines if l != balance_line]
        AdditionalMove.add({line: parts for line in lines}, move)
        return move, balance_line


class DelegateLines(metaclass=PoolMeta):
    __name__ = 'account.move.line.delegate'

    @classmethod
    def delegate_lines(cls, lines, party, journal, date=None):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        AdditionalMove.check_lines(lines)
        with Transaction().set_context(**{REPLACING: True}):
            move = super().delegate_lines(lines, party, journal, date=date)
        AdditionalMove.add({
                line: [line.reconciliation.delegate_to]
                for line in Line.browse(lines)}, move)
        return move


class GroupLines(metaclass=PoolMeta):
    __name__ = 'account.move.line.group'

    @classmethod
    def _counterpart_line(cls, line):
        counterpart = super()._counterpart_line(line)
        counterpart.origin = line
        return counterpart

    @classmethod
    def group_lines(cls, lines, journal, date=None):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        AdditionalMove.check_lines(lines)
        with Transaction().set_context(**{REPLACING: True}):
            move, balance_line = super().group_lines(
                lines, journal, date=date)
        left = []
        if balance_line and (balance_line.debit or balance_line.credit):
            left.append(balance_line)
        AdditionalMove.add({
                # What is on the smaller side is set off
                line: left if left and (
                    bool(line.debit) == bool(balance_line.debit)) else []
                for line in lines}, move)
        return move, balance_line


class CancelMoves(metaclass=PoolMeta):
    __name__ = 'account.move.cancel'

    def transition_cancel(self):
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Unreconcile = pool.get('account.move.unreconcile_lines', type='wizard')
        moves = list(self.records)
        rows = AdditionalMove.search([
                ('move', 'in', [m.id for m in moves])])
        additional = {row.move for row in rows}
        for move in moves:
            if get_move_document(move) and (
                    move not in additional
                    or getattr(move.origin, 'replaces_claims', False)):
                raise AccessError(gettext(
                        'coop_membership.msg_move_document_cancel',
                        move=move.rec_name,
                        document=move.origin.rec_name))
        # What they replaced or paid is open again, as it is by itself for the
        # lines that were delegated
        lines = [
            l for m in moves for l in m.lines
            if l.reconciliation and not l.reconciliation.delegate_to]
        claims = AdditionalMove.get_claims({
                other for l in lines for other in l.reconciliation.lines
                if other.move != l.move})
        replaced = {row.replaced for row in rows}
        Unreconcile.make_unreconciliation([
                l for l in lines
                if any(
                    other in claims or other in replaced
                    or get_move_document(other.move)
                    for other in l.reconciliation.lines
                    if other.move != l.move)])
        return super().transition_cancel()
