# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Run an import and count what becomes of each row.

The rows go to the server at once and are stored in one transaction, so that
all are stored or none.  When it refuses them as a whole, by a rule that only
storing shows, those it is about are found by trying parts of them.
"""
from typing import NamedTuple

from .rows import Error

# How many rows are tried at once to find those that are refused
SLICE = 200


class Reason(NamedTuple):
    line: int
    column: str
    text: str

    def __str__(self):
        if self.column:
            return "line %s, column %s: %s" % self
        return "line %s: %s" % (self.line, self.text)


class RefusedError(Exception):
    "The server refuses the rows by a rule that only storing shows"


class Result:
    """What becomes of the rows of a file

    A row is new, changed, unchanged or rejected.  Those are rejected too that
    are held because others are refused: they have no reason of their own.
    """

    def __init__(self, rows):
        self.rows = rows
        self.created = 0
        self.updated = 0
        self.unchanged = 0
        self.rejected = 0
        self.held = set()
        self.reasons = []
        self.warnings = []
        self.rejects = None

    def count(self, answer, rejected):
        for name in ['created', 'updated', 'unchanged']:
            setattr(self, name, answer[name] if answer else 0)
        self.rejected = rejected
        total = self.created + self.updated + self.unchanged + self.rejected
        if total != self.rows:
            raise RuntimeError(
                f"{self.rows} rows are read but {total} accounted for")

    def __str__(self):
        return (
            f"{self.rows} rows: {self.created} new, {self.updated} changed, "
            f"{self.unchanged} unchanged, {self.rejected} rejected")


class Process:
    """The import of a table

    `send` stores rows on the server: it is called with them, what to do on
    an error and if it is only a try.  With `on_error` 'stop' nothing is
    stored if a row is refused, with 'skip' the others are.
    """

    def __init__(self, table, send, translate, on_error='stop', dry_run=False):
        self.table = table
        self.send = send
        self.translate = translate
        self.on_error = on_error
        self.dry_run = dry_run
        self.reasons = []
        self.blocks = table.blocks

    def run(self):
        result = Result(sum(map(len, self.table.blocks)))
        self._refuse([
                (e.line, e.column, self.translate(e)) for e
                in self.table.errors])
        answer = self._store()
        if answer:
            self._refuse(answer['errors'])
            result.warnings = [Reason(*w) for w in answer['warnings']]
        refused = sum(map(len, self.table.blocks)) - sum(
            map(len, self.blocks))
        if self._stops:
            result.held = {line for block in self.blocks for line, _ in block}
            answer, refused = None, result.rows
        result.reasons = sorted(set(self.reasons))
        result.count(answer, refused)
        return result

    @property
    def _stops(self):
        return (
            self.on_error == 'stop' and self.reasons and not self.dry_run)

    def _store(self):
        while self.blocks:
            dry_run = self.dry_run or bool(self._stops)
            on_error = 'skip' if dry_run else self.on_error
            try:
                return self._send(self.blocks, on_error, dry_run)
            except RefusedError:
                self._refuse(self._find())

    def _send(self, blocks, on_error, dry_run):
        return self.send(
            [[line, row] for block in blocks for line, row in block],
            on_error, dry_run)

    def _try(self, blocks):
        "Return why the server refuses the blocks as a whole"
        try:
            self._send(blocks, 'skip', True)
        except RefusedError as error:
            return str(error)

    def _refuse(self, reasons):
        self.reasons.extend(Reason(*reason) for reason in reasons)
        lines = {line for line, *_ in reasons}
        self.blocks = [
            block for block in self.blocks
            if lines.isdisjoint(line for line, _ in block)]

    def _find(self):
        "Return the reasons of the blocks that are refused by themselves"
        reasons = []
        for i in range(0, len(self.blocks), SLICE):
            reasons.extend(self._divide(self.blocks[i:i + SLICE]))
        return reasons or [self._find_first()]

    def _divide(self, blocks):
        reason = self._try(blocks)
        if reason is None:
            return []
        if len(blocks) == 1:
            (line, _), *_ = blocks[0]
            return [(line, '', reason)]
        middle = len(blocks) // 2
        return self._divide(blocks[:middle]) + self._divide(blocks[middle:])

    def _find_first(self):
        "Return the reason of the first block that those before it refuse"
        reason = self._try(self.blocks)
        if reason is None:
            raise RefusedError("The server does not answer twice the same.")
        low, high = 0, len(self.blocks)
        while high - low > 1:
            middle = (low + high) // 2
            found = self._try(self.blocks[:middle])
            if found is None:
                low = middle
            else:
                high, reason = middle, found
        (line, _), *_ = self.blocks[high - 1]
        return line, '', reason

    def get_rejects(self, result):
        "Return the bytes of the file of the rejects"
        own = {}
        for line, column, text in result.reasons:
            own.setdefault(line, []).append((column, text))
        reasons = {}
        for block in self.table.blocks:
            lines = [line for line, _ in block]
            refused = not own.keys().isdisjoint(lines)
            if refused or not result.held.isdisjoint(lines):
                message = (
                    'msg_import_block' if refused else 'msg_import_held')
                for line in lines:
                    reasons[line] = own.get(line) or [(
                            '', self.translate(Error(line, '', message, {})))]
        return self.table.get_rejects(reasons)
