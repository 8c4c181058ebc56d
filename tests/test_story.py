# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import contextlib
import io
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

DEMO = Path(__file__).parent.parent / 'demo'
# As Tryton does: what is committed stays in the log until it is closed
TELL = """import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute('PRAGMA journal_mode = WAL')
connection.execute('CREATE TABLE IF NOT EXISTS told (chapter)')
connection.execute('INSERT INTO told VALUES (?)', sys.argv[2:])
connection.commit()
os._exit(0)
"""


@unittest.skipUnless(DEMO.exists(), "needs a checkout")
class StoryTestCase(unittest.TestCase):
    "Test the story that the demo tells"

    def setUp(self):
        super().setUp()
        sys.path.append(str(DEMO))
        self.addCleanup(sys.path.remove, str(DEMO))
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.database = Path(directory.name) / 'coop.sqlite'
        self.killed = True

    def tell(self, chapter):
        subprocess.run(
            [sys.executable, '-c', TELL, self.database, chapter], check=True)

    def first(self):
        "The first"
        self.tell('first')

    def second(self):
        "The second"
        self.tell('second')
        if self.killed:
            raise KeyboardInterrupt

    def play(self, edition=''):
        from chapters import Story
        with contextlib.redirect_stdout(io.StringIO()):
            Story(
                self.database, [self.first, self.second], edition).play()

    def test_killed(self):
        "Test a story that was stopped in a chapter begins it anew"
        with self.assertRaises(KeyboardInterrupt):
            self.play()
        self.killed = False
        self.play()
        with closing(sqlite3.connect(self.database)) as connection:
            self.assertEqual(
                connection.execute('SELECT chapter FROM told').fetchall(),
                [('first',), ('second',)])

    def test_edition(self):
        "Test the story of another edition does not go on"
        self.killed = False
        self.play()
        self.play()
        from chapters import OtherEdition
        with self.assertRaisesRegex(OtherEdition, '--again'):
            self.play('second')
