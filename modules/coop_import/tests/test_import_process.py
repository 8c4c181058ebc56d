# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import contextlib
import csv
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from trytond import backend
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop_membership.tests.tools import create_category
from trytond.tests.test_tryton import DB_NAME, drop_db
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction

PASSWORD = 'a long password'
MEMBERS = 100


class ImportProcessTestCase(unittest.TestCase):
    "Test the scripts as processes that end early or talk to a server"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        config = activate_modules('coop_import', create_company)
        cls.addClassCleanup(drop_db)
        create_category(name="Users", code='U')
        users = config.get_proxy('res.user')
        users.write([config.user], {'password': PASSWORD}, config.context)

        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = Path(directory.name)
        cls.environment = {
            **os.environ,
            'TRYTON_PASSWORD': PASSWORD,
            'TRYTOND_DATABASE_URI': os.environ.get(
                'TRYTOND_DATABASE_URI', 'sqlite://'),
            }
        cls.database = DB_NAME
        if backend.name == 'sqlite':
            cls.environment['TRYTOND_DATABASE__PATH'] = str(cls.directory)
            cls.database = 'coop'
            path = cls.directory / 'coop.sqlite'
            with contextlib.closing(sqlite3.connect(path)) as file, \
                    Transaction().start(
                        DB_NAME, 0, readonly=True) as transaction:
                transaction.connection.backup(file)

    def write(self, count):
        path = self.directory / 'members.csv'
        with path.open('w', newline='') as file:
            writer = csv.writer(file)
            writer.writerow(['number', 'name', 'category', 'admission_date'])
            for number in range(1, count + 1):
                writer.writerow([
                        f'{number:04}', f"Member {number}", 'U', '2020-01-01'])
        return path

    def start(self, *args):
        return subprocess.Popen([
                sys.executable, '-c',
                "from trytond.modules.coop_import.scripts.import_members "
                "import run; run()",
                *map(str, args)],
            env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def import_(self, *args):
        process = self.start(*args)
        output, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, errors)
        return output.strip()

    def count(self):
        if backend.name == 'sqlite':
            with contextlib.closing(sqlite3.connect(
                        self.directory / 'coop.sqlite')) as connection:
                result, = connection.execute(
                    'SELECT COUNT(*) FROM coop_member').fetchone()
        else:
            with Transaction().start(
                    DB_NAME, 0, readonly=True) as transaction:
                cursor = transaction.connection.cursor()
                cursor.execute('SELECT COUNT(*) FROM coop_member')
                result, = cursor.fetchone()
        return result

    def is_storing(self):
        "Return whether a process has begun to write"
        if backend.name == 'sqlite':
            with contextlib.closing(sqlite3.connect(
                        self.directory / 'coop.sqlite', timeout=0,
                        isolation_level=None)) as connection:
                try:
                    connection.execute('BEGIN IMMEDIATE')
                except sqlite3.OperationalError:
                    return True
                return False
        with Transaction().start(DB_NAME, 0, readonly=True) as transaction:
            cursor = transaction.connection.cursor()
            cursor.execute(
                "SELECT COUNT(*) FROM pg_locks "
                "WHERE relation = 'coop_member'::regclass "
                "AND mode = 'RowExclusiveLock'")
            result, = cursor.fetchone()
            return bool(result)

    @contextlib.contextmanager
    def serve(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        server = subprocess.Popen(
            [Path(sys.executable).with_name('trytond'), '-d', self.database],
            env={**self.environment,
                'TRYTOND_WEB__LISTEN': f'127.0.0.1:{port}'},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        url = f'http://127.0.0.1:{port}/'
        try:
            while server.poll() is None:
                try:
                    urllib.request.urlopen(url)
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(.2)
                else:
                    break
            yield f'{url}{self.database}/'
        finally:
            server.terminate()
            server.wait()

    def test_killed(self):
        "Test that a killed import stores nothing, and a server takes one too"
        before = self.count()
        path = self.write(MEMBERS)
        arguments = ['-d', self.database, path]
        process = self.start(*arguments)
        while not self.is_storing() and process.poll() is None:
            time.sleep(.01)
        # At once, as on a busy machine it may be done before long
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.assertEqual(self.count(), before)

        self.assertEqual(
            self.import_(*arguments),
            f"{MEMBERS} rows: {MEMBERS} new, 0 changed, 0 unchanged, "
            "0 rejected")
        self.assertEqual(self.count(), before + MEMBERS)
        with self.serve() as url:
            path = self.write(MEMBERS + 1)
            self.assertEqual(
                self.import_('--url', url, path),
                f"{MEMBERS + 1} rows: 1 new, 0 changed, {MEMBERS} unchanged, "
                "0 rejected")
            self.assertEqual(self.count(), before + MEMBERS + 1)
            # What is wrong with the server is told in a line
            for arguments, message in [
                    (['--url', url, '-u', 'nobody'], "refuses the user"),
                    (['--url', url + '../nosuch/'], "server"),
                    ]:
                with self.subTest(arguments=arguments):
                    self.assertFails(message, *arguments, path)

    def test_profile(self):
        "Test the file of the next year goes in with one word"
        profile = self.directory / 'ours.ini'
        profile.write_text('''
[file]
date_format = %d.%m.%Y
encoding = cp1252
[columns]
No. = number
Surname = last_name
Since = admission_date
[set]
category = U
''')
        path = self.directory / 'next.csv'
        path.write_text(
            "No.;Surname;Since\nP1;Müller;31.12.2020\n", encoding='cp1252')
        for counts in ["1 new, 0 changed, 0", "0 new, 0 changed, 1"]:
            self.assertEqual(
                self.import_('-d', self.database, '--profile', profile, path),
                f"1 rows: {counts} unchanged, 0 rejected")

    def test_fails(self):
        "Test what is wrong outside of the file is told in a line"
        path = self.write(1)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        profile = self.directory / 'profile.ini'
        profile.write_text('[colums]\n')
        broken = self.directory / 'broken.csv'
        broken.write_text('number\n1\n')
        for arguments, message in [
                (['-d', 'nosuch', path], "nosuch can not be reached"),
                (['-d', self.database, '-u', 'nobody', path],
                    "There is no user nobody"),
                (['-d', self.database, '--company', "None", path],
                    "There is no company None"),
                (['--url', f'http://127.0.0.1:{port}/coop/', path],
                    "can not be reached"),
                (['-d', self.database, self.directory / 'nosuch.csv'],
                    "nosuch.csv"),
                (['-d', self.database, '--profile', profile, path],
                    "The profile can not be read: [colums] is not known"),
                (['-d', self.database, broken], "The column name is missing"),
                ]:
            with self.subTest(arguments=arguments):
                self.assertFails(message, *arguments)

    def assertFails(self, message, *arguments):
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 1, errors)
        self.assertEqual(output, '')
        lines = errors.strip().splitlines()
        self.assertEqual(len(lines), 1, errors)
        self.assertIn(message, lines[0])
