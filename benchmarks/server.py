# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""A server on this machine, and many who come to it at once."""
import os
import socket
import subprocess
import sys
import tempfile
import time
from threading import Barrier, Thread

from trytond.tests.test_tryton import DB_NAME

# As the documentation has it
CONFIG = """
[database]
retry = 40
"""


class Server:
    "A WSGI application, served by gunicorn on a port of this machine"

    def __init__(self, application, workers):
        self.application = application
        self.workers = workers

    def __enter__(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        with tempfile.NamedTemporaryFile(
                'w', suffix='.conf', delete=False) as config:
            config.write(CONFIG)
        self.config = config.name
        self.process = subprocess.Popen([
                sys.executable, '-m', 'gunicorn',
                '--bind', f'127.0.0.1:{self.port}',
                '--workers', str(self.workers), '--timeout', '300',
                '--log-level', 'warning', self.application],
            env={
                **os.environ,
                'TRYTOND_CONFIG': self.config,
                'TRYTOND_DATABASE_NAMES': DB_NAME,
                })
        while self.process.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
            except OSError:
                time.sleep(.1)
            else:
                return self
        raise RuntimeError("gunicorn does not run")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        os.unlink(self.config)


def at_once(functions):
    "Return what each returns and the seconds that it took, and those of all"
    barrier = Barrier(len(functions) + 1)
    results = [None] * len(functions)

    def call(i, function):
        barrier.wait()
        begin = time.perf_counter()
        result = function()
        results[i] = result, time.perf_counter() - begin

    threads = [
        Thread(target=call, args=args) for args in enumerate(functions)]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    return results, time.perf_counter() - begin


def summarize(results, seconds):
    "Return the seconds of all, of the median and of the slowest but 1 %"
    times = sorted(time for _, time in results)
    return {
        "all": seconds,
        **{f"p{part}": times[-(-len(times) * part // 100) - 1]
            for part in [50, 99]}}
