# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What became of the lines in which documents claim or owe money."""
from collections import defaultdict

from sql import Null, Union
from sql.aggregate import Min, Sum
from sql.operators import Concat

from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .additional_move import REPLACING, get_document
from .books import SLICE, Books
from .exceptions import ClaimError


def get_rows(claims):
    "Return by replaced line what has replaced it, of all the claims"
    AdditionalMove = Pool().get('coop.document.move')
    rows = defaultdict(list)
    for sub_claims in grouped_slice({c.id for c in claims}, SLICE):
        for row in AdditionalMove.search([
                    ('claim', 'in', list(sub_claims)),
                    ]):
            rows[row.replaced].append(row)
    return rows


def standing_lines(claims):
    """Return by claim the lines that stand for it now

    The claim itself as long as nothing replaces it.  A replacement is over
    when its reconciliation is undone.
    """
    claims = list(claims)
    rows = get_rows(claims)

    def follow(claim, line):
        moves = set()
        if line in rows and line.reconciliation:
            moves = {l.move for l in line.reconciliation.lines}
        replacing = [
            r for r in rows.get(line, [])
            if r.claim == claim and r.move in moves]
        if not replacing:
            yield line
        for row in replacing:
            if row.line:
                yield from follow(claim, row.line)
    return {
        claim: sorted(
            set(follow(claim, claim)),
            key=lambda l: (l.maturity_date or l.date, l.id))
        for claim in claims}


def open_lines(claims):
    "Return by claim the lines that stand for it and are not reconciled"
    return {
        claim: [l for l in lines if not l.reconciliation]
        for claim, lines in standing_lines(claims).items()}


def paid_claims(claims):
    """Return the set of the claims that are completely paid

    Money came, or a set-off, for each line that stands for them: what is
    only written off is not paid.
    """
    paid = set()
    for claim, lines in standing_lines(claims).items():
        if (all(l.reconciliation for l in lines)
                and (not lines or any(_is_paid(l) for l in lines))):
            paid.add(claim)
    return paid


def open_replacements(claim):
    "Return the query of what has replaced the claim and is open"
    pool = Pool()
    AdditionalMove = pool.get('coop.document.move')
    Line = pool.get('account.move.line')
    additional = AdditionalMove.__table__()
    line, replaced = Line.__table__(), Line.__table__()
    return (additional
        .join(line, condition=additional.line == line.id)
        .join(replaced, condition=additional.replaced == replaced.id)
        .select(
            additional.id,
            where=(additional.claim == claim)
            & (line.reconciliation == Null)
            # Else it was taken back
            & (replaced.reconciliation != Null)))


def what_pays(claim):
    """Return the query of the lines that pay the claim, or what replaced it

    Money or a set-off, but not what only replaces or waives it.
    """
    pool = Pool()
    AdditionalMove = pool.get('coop.document.move')
    Journal = pool.get('account.journal')
    Line = pool.get('account.move.line')
    Move = pool.get('account.move')
    additional = AdditionalMove.__table__()
    line, other = Line.__table__(), Line.__table__()
    replaced, closing = Line.__table__(), Line.__table__()
    move, journal = Move.__table__(), Journal.__table__()
    replacing = (additional.claim == claim) & (additional.line != Null)
    # What a move replaced no more was taken back with it
    own = (line.id == claim) | line.id.in_(additional
        .join(replaced, condition=additional.replaced == replaced.id)
        .join(closing,
            condition=(closing.move == additional.move)
            & (closing.reconciliation == replaced.reconciliation))
        .select(additional.line, where=replacing))
    return (line
        .join(other, condition=other.reconciliation == line.reconciliation)
        .join(move, condition=other.move == move.id)
        .join(journal, condition=move.journal == journal.id)
        .select(
            other.id,
            where=own
            & ((line.debit - line.credit) * (other.debit - other.credit) < 0)
            & (journal.type != 'write-off')
            & ~other.move.in_(
                additional.select(additional.move, where=replacing))))


def open_due(Model, name=None, until=None):
    """Return the query of the documents of the model with what is open

    As document, the first day it is due and the amount, positive if it is
    claimed, of what is due until the day, if any.  `name` is the field of the
    move the documents made, without which they are the origin of their lines.
    """
    pool = Pool()
    AdditionalMove = pool.get('coop.document.move')
    Line = pool.get('account.move.line')
    table, additional = Model.__table__(), AdditionalMove.__table__()
    line, replaced = Line.__table__(), Line.__table__()
    key = Concat(Model.__name__ + ',', table.id)
    own = table.join(line, condition=(
            getattr(table, name) == line.move if name
            else line.origin == key)
        ).select(table.id.as_('document'), line.id.as_('line'))
    others = (table
        .join(additional, condition=additional.document == key)
        .join(replaced, condition=additional.replaced == replaced.id)
        .select(
            table.id, additional.line,
            # Else it was taken back
            where=replaced.reconciliation != Null))
    lines, line = Union(own, others), Line.__table__()
    where = (line.reconciliation == Null) & (line.maturity_date != Null)
    if until:
        where &= line.maturity_date <= until
    return lines.join(line, condition=lines.line == line.id).select(
        lines.document,
        Min(line.maturity_date).as_('date'),
        Sum(line.debit - line.credit).as_('amount'),
        where=where,
        group_by=lines.document)


def _is_paid(line):
    return any(
        other.move.journal.type != 'write-off'
        for other in line.reconciliation.lines
        if bool(other.debit) != bool(line.debit))


def is_money(line, additional):
    """Return whether a line that a claim is reconciled with is money

    `additional` are the moves that only replace claims.
    """
    return (
        line.move not in additional
        and line.move.journal.type != 'write-off'
        # The cancellation of another move
        and getattr(line.move.origin, '__name__', None) != 'account.move')


def take_back(claims, date):
    """Take back the moves that replaced the claims, which are open again

    As long as nothing of it is paid, and the moves replace nothing else.
    """
    pool = Pool()
    AdditionalMove = pool.get('coop.document.move')
    Line = pool.get('account.move.line')
    Reconciliation = pool.get('account.move.reconciliation')
    claims = set(claims)
    for claim, lines in standing_lines(claims).items():
        if claim in lines:
            continue
        for line in lines:
            if line.reconciliation:
                raise ClaimError(gettext(
                        'coop_membership.msg_claim_paid',
                        document=get_document(claim).rec_name,
                        move=line.move.rec_name))
    rows = [r for rows in get_rows(claims).values() for r in rows]
    if not rows:
        return
    moves = sorted({r.move for r in rows}, key=lambda m: m.id)
    for row in AdditionalMove.search([
                ('move', 'in', [m.id for m in moves]),
                ]):
        if row.claim not in claims:
            raise ClaimError(gettext(
                    'coop_membership.msg_claim_shared',
                    document=get_document(
                        min(claims, key=lambda c: c.id)).rec_name,
                    move=row.move.rec_name))
    # Those that were cancelled replace nothing any more
    replaced = {
        r.replaced.reconciliation: r.move for r in rows
        if r.replaced.reconciliation
        and r.move in {l.move for l in r.replaced.reconciliation.lines}}
    moves = [m for m in moves if m in replaced.values()]
    with Transaction().set_context(_skip_warnings=True):
        Reconciliation.delete(list(replaced))
    reversals = {}
    for move in moves:
        if move.company not in reversals:
            reversals[move.company] = Books(move.company), []
        books, company_moves = reversals[move.company]
        company_moves.append(
            (move, books.reversal(move, max(move.date, date), origin=move)))
    for books, company_moves in reversals.values():
        books.post([reversal for _, reversal in company_moves])
        groups = defaultdict(list)
        for move, reversal in company_moves:
            for line in [*move.lines, *reversal.lines]:
                if line.account.reconcile:
                    groups[move, line.account, line.party].append(line)
        with Transaction().set_context(**{REPLACING: True}):
            Line.reconcile(*groups.values())
