# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Start Tryton on the demo's database."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from proteus import Model, config

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


def make_pdf(path):
    "Convert the document where LibreOffice is installed"
    soffice = shutil.which('soffice')
    if soffice and path.suffix == '.odt':
        profile = path.with_name('profile').resolve()
        subprocess.run([
                soffice, f'-env:UserInstallation=file://{profile}',
                '--headless', '--convert-to', 'pdf',
                '--outdir', path.parent, path],
            check=True, capture_output=True)
        shutil.rmtree(profile)
