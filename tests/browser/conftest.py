# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from mail import MailServer
from playwright.sync_api import sync_playwright
from sao import ARGUMENTS, CHROMIUM, Sao

ROOT = Path(__file__).parents[2]
CACHE = ROOT / '.cache'
SHOTS = CACHE / 'screenshots'
DATABASES = ['empty', 'before', 'after', 'door']
SOURCES = [
    'constraints.txt', '*.py', '*.xml', 'tryton.cfg', 'view/*.xml',
    'demo/*.py', 'demo/data/*', 'tests/browser/cooperative.py',
    'modules/*/*.py', 'modules/*/*.xml', 'modules/*/tryton.cfg',
    'modules/*/scripts/*.py', 'modules/*/view/*.xml',
    'modules/*/locale/de.po',
    'modules/*/tests/tools.py']
CONFIGURATION = """\
[database]
uri = sqlite://
path = {directory}

[web]
listen = 127.0.0.1:{port}
root = {client}

[cache]
clean_timeout = 31536000

[email]
uri = smtp://127.0.0.1:{mail}
from = office@example.org

[coop_portal]
database = door
secret = {secret}
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    # The longest first
    items.sort(key=lambda item: item.path.stem != 'test_tutorial')


@pytest.fixture(scope='session')
def prepared():
    "The folder of the prepared databases, made again when a source changes"
    digest = hashlib.sha1()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    cache = CACHE / 'browser'
    directory = cache / digest.hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    # One worker prepares them, the others wait for it
    with open(cache / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / 'door.sqlite').exists():
            for former in set(cache.iterdir()) - {cache / 'lock'}:
                shutil.rmtree(former)
            subprocess.run(
                [sys.executable, Path(__file__).with_name('cooperative.py'),
                    directory],
                env={**os.environ, 'PYTHONOPTIMIZE': '1'}, check=True)
    return directory


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@pytest.fixture(scope='session')
def mail():
    "A server that keeps the letters it is given"
    with MailServer() as server:
        yield server


@pytest.fixture(scope='session')
def directory(prepared, tmp_path_factory):
    "The folder of copies of the prepared databases"
    directory = tmp_path_factory.mktemp('server')
    for name in DATABASES:
        shutil.copy(prepared / f'{name}.sqlite', directory)
    shutil.copytree(prepared / 'door', directory / 'door')
    return directory


@pytest.fixture(scope='session')
def configuration(directory, mail):
    "The configuration of all servers, and where trytond listens"
    port = free_port()
    path = directory / 'trytond.conf'
    path.write_text(CONFIGURATION.format(
            directory=directory, port=port, client=CACHE / 'sao',
            mail=mail.port, secret=secrets.token_hex()))
    return path, port


@contextlib.contextmanager
def serve(command, configuration, port, shots):
    "Run the server until it is not needed any more"
    log = configuration.with_name(f'{Path(command[0]).name}.log')
    with open(log, 'w') as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={
                **os.environ,
                'TRYTOND_CONFIG': str(configuration),
                'TRYTOND_DATABASE_URI': 'sqlite://',
                })
    url = f'http://127.0.0.1:{port}'
    try:
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url)
                break
            if server.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(.2)
        yield url
    finally:
        server.terminate()
        server.wait()
        shutil.copy(log, shots)


@pytest.fixture(scope='session')
def url(configuration, shots):
    "A server of the web client"
    path, port = configuration
    command = [
        Path(sys.executable).with_name('trytond'),
        '-c', path, '-d', *DATABASES]
    with serve(command, path, port, shots) as url:
        yield url


@pytest.fixture(scope='session')
def door(configuration, shots):
    "A server of the portal"
    path, _ = configuration
    port = free_port()
    command = [
        Path(sys.executable).with_name('gunicorn'),
        '--bind', f'127.0.0.1:{port}',
        'trytond.modules.coop_portal.wsgi:create_app(secure=False)']
    with serve(command, path, port, shots) as url:
        yield url


@pytest.fixture(scope='session')
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope='session')
def shots():
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


def person(database):
    "A person who works with the client on the database"
    @pytest.fixture
    def fixture(browser, url, request, shots):
        with Sao(browser, url, database) as sao:
            sao.login('admin', 'cooperative')
            yield sao
            sao.shot(shots / f'{request.node.name}.png')
    return fixture


empty = person('empty')
before = person('before')
after = person('after')
