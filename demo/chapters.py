# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play a story in chapters, each of which is done whole or not at all.

The database is kept as it is at the end of each chapter.  A story that was
stopped half-way goes on from the last chapter that was done, so that its end
is the same, but not that of another edition, which may lack what comes next.
"""
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

DONE = 'done-%02d.sqlite'


class OtherEdition(Exception):
    pass


class Story:

    def __init__(self, database, chapters, edition=''):
        self.database = Path(database)
        self.chapters = chapters
        self.edition = edition

    @property
    def directory(self):
        return self.database.parent

    def _kept(self, number):
        return self.directory / (DONE % number)

    @property
    def _kept_edition(self):
        return self.directory / 'edition'

    def is_played(self):
        return self._kept(len(self.chapters)).exists()

    def forget(self):
        for path in [self.database, *self.directory.glob('done-*.sqlite')]:
            remove(path)

    def play(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        done = max((
                number for number in range(1, len(self.chapters) + 1)
                if self._kept(number).exists()), default=0)
        if done and (
                not self._kept_edition.exists()
                or self._kept_edition.read_text() != self.edition):
            raise OtherEdition(
                f"{self.database} was played otherwise: start over with "
                "--again")
        if done == len(self.chapters):
            return
        self._kept_edition.write_text(self.edition)
        remove(self.database)
        if done:
            copy(self._kept(done), self.database)
            print(f"Going on after chapter {done}")
        else:
            # Tryton does not create the file of a database
            self.database.touch()
        for number, chapter in enumerate(self.chapters, 1):
            if number <= done:
                continue
            start = time.monotonic()
            print(f"{number}. {chapter.__doc__}", flush=True)
            chapter()
            copy(self.database, self._kept(number))
            remove(self._kept(number - 1))
            print(f"   ({time.monotonic() - start:.0f} s)", flush=True)


def remove(database):
    """Remove the database and the logs beside it

    SQLite would write what a killed process has left in its log into the
    next database of the same name.
    """
    for path in [database, *database.parent.glob(f'{database.name}-*')]:
        path.unlink(missing_ok=True)


def copy(source, target):
    "Copy the database, whole or not at all"
    part = target.with_suffix('.part')
    remove(part)
    with closing(sqlite3.connect(source)) as from_, \
            closing(sqlite3.connect(part)) as to:
        from_.backup(to)
    os.replace(part, target)
