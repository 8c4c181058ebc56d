# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Start Tryton on the demo's database."""
import datetime as dt
import hashlib
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from proteus import Model, Wizard, config

LOGIN, PASSWORD = 'admin', 'cooperative'
CONFIGURATION = """\
[database]
uri = sqlite://
path = %s

[cache]
# On SQLite the transaction that polls the caches is not atomic
clean_timeout = 31536000

[report]
convert_command = soffice --headless --nolockcheck --nodefault --norestore \
-env:UserInstallation=file://%%(directory)s/profile \
--convert-to %%(output_extension)s --outdir %%(directory)s %%(input_path)s
"""


def configure(directory):
    "Write the configuration of the server"
    path = directory / 'trytond.conf'
    path.write_text(CONFIGURATION % directory.resolve())
    # The configuration decides, whatever the environment says
    os.environ.pop('TRYTOND_DATABASE_URI', None)
    return path


def digest(modules):
    "Return the digest of the modules, with those that they depend on, of ours"
    from trytond.modules import get_module_info

    result = hashlib.sha1()
    names, read = list(modules), set()
    while names:
        name = names.pop()
        if name in read or not name.startswith('coop'):
            continue
        read.add(name)
        info = get_module_info(name)
        names.extend(info['depends'])
        names.extend(info.get('extras_depend', []))
    for name in sorted(read):
        directory = Path(get_module_info(name)['directory'])
        for pattern in ['tryton.cfg', '*.py', '*.xml', 'view/*.xml']:
            for path in sorted(directory.glob(pattern)):
                result.update(path.read_bytes())
    for path in sorted(Path(__file__).parent.glob('*.py')):
        result.update(path.read_bytes())
    return result.hexdigest()


def activate(configuration, database, *modules):
    "Fill the database with the modules"
    password = configuration.with_name('password')
    password.write_text(PASSWORD)
    try:
        subprocess.run([
                Path(sys.executable).with_name('trytond-admin'),
                '-c', configuration, '-d', database,
                '--email', 'admin@example.org',
                '-u', *modules, '--activate-dependencies'],
            env={**os.environ, 'TRYTONPASSFILE': str(password)},
            check=True, stdin=subprocess.DEVNULL)
    finally:
        password.unlink()


def connect(configuration, database):
    "Work as the administrator, whom no warning stops"
    connection = config.set_trytond(database, config_file=str(configuration))
    connection.skip_warning = True
    return connection


def create_company(name, timezone):
    "Create a company that keeps its books in US dollars"
    Currency = Model.get('currency.currency')
    Party = Model.get('party.party')
    User = Model.get('res.user')

    currency = Currency(
        name="US Dollar", code='USD', symbol='$', rounding=Decimal('0.01'))
    currency.rates.new(date=dt.date(1997, 1, 1), rate=Decimal(1))
    currency.save()
    party = Party(name=name)
    party.save()
    configuration = Wizard('company.company.config')
    configuration.execute('company')
    configuration.form.party = party
    configuration.form.currency = currency
    configuration.form.timezone = timezone
    configuration.execute('add')
    # The user works in the company from now on
    config.get_config()._context = User.get_preferences(True, {})


def skip_configuration():
    "Do not ask who logs in first to configure the modules"
    Item = Model.get('ir.module.config_wizard.item')
    User = Model.get('res.user')
    items = Item.find([])
    for item in items:
        item.state = 'done'
    Item.save(items)
    user, = User.find([('login', '=', LOGIN)])
    while user.actions:
        user.actions.pop()
    user.save()


class Papers:
    """Keep documents and have LibreOffice, where it is installed, make PDF of
    them meanwhile"""

    def __init__(self, directory):
        self.directory = directory
        self.soffice = shutil.which('soffice')
        self.conversions = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, profile in self.conversions:
            process.wait()
            shutil.rmtree(profile, ignore_errors=True)
        for process, _ in self.conversions:
            if process.returncode:
                raise subprocess.CalledProcessError(
                    process.returncode, process.args)

    def write(self, name, report, pdf=True):
        extension, content, *_ = report
        path = self.directory / f'{name}.{extension}'
        path.write_bytes(content)
        if pdf and self.soffice and extension == 'odt':
            profile = (self.directory / f'profile-{name}').resolve()
            process = subprocess.Popen([
                    self.soffice, f'-env:UserInstallation=file://{profile}',
                    '--headless', '--convert-to', 'pdf',
                    '--outdir', self.directory, path],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.conversions.append((process, profile))
