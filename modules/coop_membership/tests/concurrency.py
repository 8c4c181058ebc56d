# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from trytond import backend
from trytond.exceptions import UserError
from trytond.tests.test_tryton import DB_NAME
from trytond.transaction import Transaction, TransactionError

__all__ = ['at_once']

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

    with ThreadPoolExecutor(len(functions)) as executor:
        return list(executor.map(run, functions))
