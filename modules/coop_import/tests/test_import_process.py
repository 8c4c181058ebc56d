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
MEMBERS = 60
BATCH = 5


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
        "Test that a killed import goes on, and a server takes one too"
        path = self.write(MEMBERS)
        arguments = ['-d', self.database, '--batch', BATCH, path]
        process = self.start(*arguments)
        while self.count() < BATCH and process.poll() is None:
            time.sleep(.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        count = self.count()
        # Batches are stored whole or not at all
        self.assertEqual(count % BATCH, 0)
        self.assertTrue(BATCH <= count < MEMBERS, count)

        self.assertEqual(
            self.import_(*arguments),
            f"{MEMBERS - count} new, 0 changed, {count} unchanged")
        self.assertEqual(self.count(), MEMBERS)
        with self.serve() as url:
            path = self.write(MEMBERS + 1)
            self.assertEqual(
                self.import_('--url', url, path),
                f"1 new, 0 changed, {MEMBERS} unchanged")
        self.assertEqual(self.count(), MEMBERS + 1)
