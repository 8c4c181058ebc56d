# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

from .case import START, SharesTestCase, get_account


class NarrationTestCase(SharesTestCase):
    "Test each move and line says what it is"

    def assertNarrated(self, move, description, lines=None):
        self.assertEqual(move.description_used, description)
        for line in move.lines:
            self.assertIn(line.description_used, lines or [description])

    @with_transaction(context={'_skip_warnings': True})
    def test_narration(self):
        "Test what documents post, and what the assistants make of it"
        pool = Pool()
        Group = pool.get('account.move.line.group', type='wizard')
        Journal = pool.get('account.journal')
        Move = pool.get('account.move')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            first, second, third = [
                self._subscribe(member, class_, n) for n in [2, 3, 4]]

            def text(subscription):
                return (
                    f"Share Subscription {subscription.number}, "
                    f"member {member.number}, "
                    f"{subscription.quantity:.0f} × A")
            self.assertNarrated(first.move, text(first))

            # Without a text of its own a payment says what it pays
            self._pay(first, 20, dt.date(2024, 2, 1))
            line, = [
                p.line for p in Subscription(first.id).payments]
            self.assertNarrated(line.move, text(first))

            # What takes the place of lines says of which
            journal, = Journal.search([('type', '=', 'general')], limit=1)
            grouped, _ = Group.group_lines([
                    l for s in [second, third] for l in s.move.lines
                    if l.account == class_.account_subscribed],
                journal, date=dt.date(2024, 3, 1))
            Move.post([grouped])
            self.assertNarrated(
                Move(grouped.id), f"{text(second)}; {text(third)}",
                lines=[
                    text(second), text(third),
                    f"{text(second)}; {text(third)}"])

            # and so does what takes it back
            other = self._subscribe(member, class_, 5)
            Subscription.cancel([other])
            reversal, = Move.search([
                    ('origin', '=', str(other)),
                    ('id', '!=', other.move.id),
                    ])
            self.assertNarrated(reversal, f"Cancelled: {text(other)}")

    @with_transaction()
    def test_many_lines(self):
        "Test the queries of posting do not depend on the lines"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        company, category, class_ = self._set_up()
        with set_company(company):
            books = Books(company)
            expense = get_account(company, type='expense')
            counts = []
            # The first one fills the caches
            for count in [2, 4, 40]:
                move = books.move(START, [], description="Many")
                move.description = None
                move.save()
                lines = [
                    books.line(expense, Decimal(amount), move=move)
                    for amount in [count, *[-1] * count]]
                for line in lines:
                    line.description = None
                Line.save(lines)
                with count_queries() as queries:
                    Move.post(Move.browse([move]))
                self.assertEqual(len(Move(move.id).lines), count + 1)
                counts.append(queries)
            self.assertSameQueries(*counts[1:], updates=False)

    @with_transaction()
    def test_own(self):
        "Test what somebody wrote stays, and is said of the cancellation"
        pool = Pool()
        Move = pool.get('account.move')
        company, category, _ = self._set_up()
        with set_company(company):
            member, = self._admit(company, category)
            move = self._owe(member, 30).move
            # It has no document
            self.assertFalse(move.description_used)
            draft, = Move.copy([move], default={'description': "Fees"})
            draft.date = START
            draft.save()
            cancel = draft.cancel()
            self.assertEqual(cancel.description, "Cancelled: Fees")
