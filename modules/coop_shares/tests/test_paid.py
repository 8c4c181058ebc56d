# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Play with the accounting screens of Tryton on the lines of shares

COOP_SEQUENCES sets how many sequences are played.
"""
import datetime as dt
import os
from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings, strategies as st

from trytond.exceptions import UserError
from trytond.modules.account.tests import get_accounts
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.claim import open_lines
from trytond.modules.coop_membership.tests.records import create_members
from trytond.pool import Pool
from trytond.tests.test_tryton import DB_NAME, USER, with_transaction
from trytond.transaction import Transaction

from .case import SharesTestCase

DAYS = [dt.date(2024, month, 15) for month in range(2, 12, 2)]
SEQUENCES = int(os.environ.get('COOP_SEQUENCES', 5))

choices = st.integers(0, 7)
steps = st.lists(
    st.tuples(
        st.sampled_from([
                'pay', 'receive', 'reconcile', 'reconcile', 'unreconcile',
                'reschedule', 'delegate', 'group', 'cancel_move',
                'cancel_document']),
        st.sampled_from(DAYS), choices, choices),
    min_size=3, max_size=10)


@contextmanager
def savepoint():
    "Take back what is written if it is refused"
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    cursor.execute('SAVEPOINT step')
    try:
        yield
    except BaseException:
        cursor.execute('ROLLBACK TO SAVEPOINT step')
        transaction.counter += 1
        for cache in transaction.cache.values():
            cache.clear()
        raise
    cursor.execute('RELEASE SAVEPOINT step')


class _Undo(Exception):
    pass


class PaidTestCase(SharesTestCase):
    "Test no use of the accounting screens parts shares from the books"

    @with_transaction(context={'_skip_warnings': True})
    def test_sequence(self):
        "Test random sequences on documents of two members"
        company, category, class_ = self._set_up()
        class_.effective = 'confirmation'
        class_.save()
        with set_company(company):
            self.company = company
            self.accounts = get_accounts(company)
            self.class_ = class_
            self.members = create_members(company, category, 2)
            self.played = self.refused = 0

            @settings(
                max_examples=SEQUENCES, deadline=None, derandomize=True,
                database=None, suppress_health_check=list(HealthCheck))
            @given(steps)
            def play(steps):
                try:
                    with savepoint():
                        self._play(steps)
                        raise _Undo
                except _Undo:
                    pass
            play()
        self.assertGreater(self.played, self.refused)
