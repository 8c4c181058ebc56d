# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What a move and its lines are, in words: no entry goes unexplained

The documents narrate what they post themselves; what the assistants of Tryton
make of it, and what is made of invoices, assets and payments, is narrated
when it is posted.
"""
from collections import defaultdict

from trytond.i18n import gettext
from trytond.model import ModelStorage, ModelView, dualmethod
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .books import SLICE, Books
from .document import by_company

# How many records a narration names
NAMED = 3


class Move(metaclass=PoolMeta):
    __name__ = 'account.move'

    @property
    def narration(self):
        "What the move is called where another one refers to it"
        return self.description_used or self.rec_name

    def cancel(self, default=None, reversal=False):
        default = default.copy() if default is not None else {}
        if not default.get('description'):
            books = Books(self.company)
            default['description'] = books.reversed_(
                self.description_used or books.narrate(self))
        return super().cancel(default=default, reversal=reversal)

    @dualmethod
    @ModelView.button
    def post(cls, moves):
        # To read them together
        cls.narrate([m for m in cls.browse(moves) if m.state == 'draft'])
        super().post(moves)

    @classmethod
    def narrate(cls, moves):
        "Describe the moves, and the lines, that nobody has described"
        pool = Pool()
        Line = pool.get('account.move.line')
        silent = defaultdict(list)
        for sub_moves in grouped_slice(moves, SLICE):
            for line in Line.search([
                        ('move', 'in', [m.id for m in sub_moves]),
                        ['OR', ('description', '=', None),
                            ('description', '=', '')],
                        ], order=[('id', 'ASC')]):
                if not line.description_used:
                    silent[line.move].append(line)
        to_write = [m for m in moves if m in silent or not m.description_used]
        move_values, line_values = [], []
        for company, c_moves in by_company(to_write):
            books = Books(company)
            for move in c_moves:
                description = (
                    move.description_used or move._narrate(books))
                if not description:
                    continue
                if not move.description_used:
                    move_values.extend(
                        ([move], {'description': description}))
                if move in silent:
                    line_values.extend((
                            silent[move], {'description': description}))
        if move_values:
            cls.write(*move_values)
        if line_values:
            Line.write(*line_values)

    def _narrate(self, books):
        origins = list(dict.fromkeys(self._narrated()))
        texts = list(dict.fromkeys(
                filter(None, map(books.narrate, origins[:NAMED]))))
        if len(origins) > NAMED:
            texts.append('…')
        return '; '.join(texts)

    def _narrated(self):
        "Return the records that tell what the move is"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        if isinstance(self.origin, ModelStorage):
            return [self.origin]
        # In the order of the lines, which is not that of their ids, they are
        # read together
        origins = {
            l.id: l.origin for l in self.lines
            if isinstance(l.origin, ModelStorage)}
        if origins:
            return [origins[id_] for id_ in sorted(origins)]
        rows = AdditionalMove.search([('move', '=', self.id)])
        return sorted({r.replaced for r in rows}, key=int)


class MoveLine(metaclass=PoolMeta):
    __name__ = 'account.move.line'

    @property
    def narration(self):
        "What the line is called where another one refers to it"
        return self.description_used or self.move.narration

    @classmethod
    def _get_writeoff_move(
            cls, reconcile_account, reconcile_party, amount, currency,
            writeoff, date=None, description=None):
        "Say what is written off and whose it is"
        if not description:
            company = reconcile_account.company
            description = Books(company).translate(lambda: gettext(
                    'coop_membership.msg_narration_write_off',
                    method=writeoff.rec_name,
                    party=(
                        reconcile_party.rec_name if reconcile_party
                        else reconcile_account.rec_name)))
        return super()._get_writeoff_move(
            reconcile_account, reconcile_party, amount, currency, writeoff,
            date=date, description=description)
