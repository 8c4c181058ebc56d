# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from sao import Sao

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / '.cache' / 'screenshots'
CONFIGURATION = """\
[database]
uri = sqlite://
path = {database}

[web]
listen = 127.0.0.1:{port}
root = {client}

[cache]
clean_timeout = 31536000
"""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serve(directory, port):
    configuration = directory / 'trytond.conf'
    configuration.write_text(CONFIGURATION.format(
            database=directory, port=port, client=ROOT / '.cache' / 'sao'))
    log = directory / 'trytond.log'
    with open(log, 'w') as output:
        server = subprocess.Popen(
            [Path(sys.executable).with_name('trytond'),
                '-c', configuration, '-d', 'coop'],
            stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, 'TRYTOND_DATABASE_URI': 'sqlite://'})
    url = f'http://127.0.0.1:{port}'
    try:
        for _ in range(300):
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


@pytest.fixture(scope='session')
def url(tmp_path_factory):
    "A server with a copy of the demo's database"
    directory = tmp_path_factory.mktemp('server')
    shutil.copy(ROOT / 'demo' / 'out' / 'coop.sqlite', directory)
    with serve(directory, free_port()) as url:
        yield url


@pytest.fixture(scope='session')
def shots():
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


@pytest.fixture
def sao(url, request, shots):
    with Sao(url, 'coop') as sao:
        sao.login('admin', 'cooperative')
        yield sao
        sao.shot(shots / f'{request.node.name}.png')
