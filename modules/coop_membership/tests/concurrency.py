# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Barrier

from trytond import backend
from trytond.exceptions import UserError
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME
from trytond.transaction import Transaction, TransactionError

__all__ = ['Processes', 'at_once', 'meet']

# How long a user tries again what another one keeps locked
PATIENCE = 60


def at_once(*functions, user=1, context=None):
    """Run the functions at once, each in a transaction of its own.

    Each is called in the transaction, which starts over to lock records as
    for a request to the server.  Return in the order of the functions what
    they return, or the UserError by which they are refused.

    Only PostgreSQL runs more than one at once.
    """
    barrier = Barrier(len(functions))

    def run(function):
        barrier.wait()
        return _run(function, user, context)

    with ThreadPoolExecutor(len(functions)) as executor:
        return list(executor.map(run, functions))


def _run(function, user, context):
    end = time.monotonic() + PATIENCE
    extras = {}
    while True:
        try:
            with Transaction().start(
                    DB_NAME, user, context=context,
                    **extras) as transaction:
                try:
                    return function()
                except TransactionError as error:
                    error.fix(extras)
                    transaction.rollback()
                except Exception:
                    transaction.rollback()
                    raise
                finally:
                    transaction.tasks.clear()
        except UserError as error:
            return error
        except backend.DatabaseOperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class Processes:
    "Processes, as the server has them, that do what at_once does in threads"

    def __init__(self, count=2):
        context = multiprocessing.get_context('spawn')
        self.executor = ProcessPoolExecutor(
            count, mp_context=context, initializer=_start,
            initargs=(context.Barrier(count),))

    def at_once(self, *calls, user=1, context=None):
        """Make the calls at once, one in each process.

        A call is a function of a module and its arguments.  Return the texts
        of the errors by which they are refused, or what they return.
        """
        futures = [
            self.executor.submit(_call, function, args, user, context)
            for function, *args in calls]
        return [f.result() for f in futures]

    def close(self):
        self.executor.shutdown()


def meet(timeout=PATIENCE):
    """Wait within a call until the other processes have come as far.

    Who waits for a lock of another one never comes.
    """
    _call.barrier.wait(timeout)


def _start(barrier):
    _call.barrier = barrier
    Pool.start()
    Pool(DB_NAME).init()


def _call(function, args, user, context):
    _call.barrier.wait(5 * PATIENCE)
    result = _run(lambda: function(*args), user, context)
    return str(result) if isinstance(result, UserError) else result
