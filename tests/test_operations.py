# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import configparser
import datetime as dt
import os
import re
import subprocess
import tempfile
import unittest
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import yaml
from sql import Table

from trytond import backend
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop_membership.tests.tools import (
    create_category, create_member)
from trytond.modules.coop_shares.tests.tools import (
    create_share_class, subscribe)
from trytond.tests.test_tryton import DB_NAME, drop_db
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction

ROOT = Path(__file__).resolve().parent.parent
START = dt.date(2024, 1, 1)


@unittest.skipUnless(
    (ROOT / 'compose.yaml').exists(), "The wheel has only the modules")
class ComposeTestCase(unittest.TestCase):
    "Test that what compose.yaml starts is there"

    def setUp(self):
        self.compose = yaml.safe_load((ROOT / 'compose.yaml').read_text())
        self.services = self.compose['services']
        self.dockerfile = (ROOT / 'compose/Dockerfile').read_text()

    def test_services(self):
        "Test each process of the operations has its service"
        self.assertEqual(
            self.services.keys(),
            {'postgresql', 'setup', 'server', 'worker', 'cron', 'portal'})

    def test_commands(self):
        "Test the commands are those that the wheel installs"
        scripts = {e.name for e in entry_points(group='console_scripts')}
        for name, service in self.services.items():
            program, *args = service['command']
            with self.subTest(service=name):
                if name == 'postgresql':
                    continue
                if program.startswith('trytond'):
                    # Tryton's programs are no entry points
                    self.assertTrue(
                        (ROOT / '.venv/bin' / program).exists())
                    self.assertEqual(
                        args[:4],
                        ['-c', '/etc/trytond.conf', '-d', 'cooperative'])
                else:
                    self.assertIn(program, scripts)

    def test_modules(self):
        "Test the modules that are activated are modules"
        modules = {e.name for e in entry_points(group='trytond.modules')}
        command = self.services['setup']['command']
        names = command[
            command.index('-u') + 1:command.index('--activate-dependencies')]
        self.assertIn('coop', names)
        self.assertLessEqual(set(names), modules)

    def test_files(self):
        "Test the files and volumes that are named are there"
        for service in self.services.values():
            for volume in service['volumes']:
                source, *_ = volume.split(':')
                if source.startswith('.'):
                    self.assertTrue((ROOT / source).is_file(), source)
                else:
                    self.assertIn(source, self.compose['volumes'])
            for name in service.get('depends_on', {}):
                self.assertIn('healthcheck', self.services[name])
            if 'build' in service:
                self.assertTrue(
                    (ROOT / service['build']['dockerfile']).is_file())
        for path in re.findall(r'^COPY(?: --chmod=\d+)? ([\w./]+) ',
                self.dockerfile, re.M):
            self.assertTrue((ROOT / path).exists(), path)

    def test_variables(self):
        "Test what is asked for is what the comment tells to write"
        text = (ROOT / 'compose.yaml').read_text()
        told, = re.findall(r"printf '(.*?)'", text)
        self.assertEqual(
            set(re.findall(r'\$\{(\w+):\?\}', text)),
            set(re.findall(r'([A-Z_]+)=%s', told)))

    def test_configuration(self):
        "Test the configuration that is shipped waits, and has workers"
        config = configparser.ConfigParser(interpolation=None)
        config.read(ROOT / 'compose/trytond.conf')
        # 0.02 seconds longer each time
        retry = config.getint('database', 'retry')
        self.assertGreaterEqual(sum(range(retry + 1)) * 0.02, 15)
        self.assertTrue(config.getboolean('queue', 'worker'))
        # The environment gives what the file would win over
        self.assertFalse(config.has_option('database', 'uri'))
        self.assertEqual(
            config.get('coop_portal', 'database'),
            self.services['postgresql']['environment']['POSTGRES_DB'])


class BackupTestCase(unittest.TestCase):
    "Test that a backup is restored, and that one that is wrong is found"

    def setUp(self):
        drop_db()
        self.addCleanup(drop_db)
        activate_modules('coop_shares', create_company, create_chart)
        fiscalyear = set_fiscalyear_invoice_sequences(
            create_fiscalyear(today=(START, START.replace(month=12, day=31))))
        fiscalyear.click('create_period')
        member = create_member("Ann", create_category(), START)
        subscribe(
            member, create_share_class(code='A', par=Decimal('50.00')), 3,
            START)

    def backup(self, path):
        return subprocess.run(
            [ROOT / 'bin/backup', os.environ['TRYTOND_DATABASE_URI'],
                DB_NAME, path],
            capture_output=True, text=True)

    def test_backup(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / 'coop.dump'
            done = self.backup(path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(path.exists())
            # It is never written over
            self.assertEqual(self.backup(path).returncode, 2)
            self.assertEqual(self.trials(), [])

            # Shares that the books know nothing of
            self.break_books()
            path = path.with_name('wrong.dump')
            done = self.backup(path)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn('error', done.stdout)
            self.assertFalse(path.exists())
            self.assertEqual(self.trials(), [])

    def trials(self):
        "Return the databases in which backups were tried"
        with Transaction().start(DB_NAME, 0, readonly=True) as transaction:
            return [
                name for name in transaction.database.list(hostname='')
                if name.startswith(f'{DB_NAME}_trial')]

    def break_books(self):
        with Transaction().start(DB_NAME, 0) as transaction:
            move = Table('coop_share_move')
            cursor = transaction.connection.cursor()
            cursor.execute(*move.update([move.amount], [move.amount + 1]))
            self.assertEqual(cursor.rowcount, 1)
            transaction.commit()


if backend.name != 'postgresql':
    # On SQLite a backup is a copy of the file
    del BackupTestCase
