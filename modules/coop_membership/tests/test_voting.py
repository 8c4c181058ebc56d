# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest

from hypothesis import given, strategies as st

from trytond.modules.coop_membership.voting import (
    cap_votes, is_carried, limit_investing, needed, percentage, quorum)

votes = st.integers(0, 500)
percents = st.integers(1, 100)


class VotingTestCase(unittest.TestCase):
    "Test the counting of votes"

    def test_quorum(self):
        "Test the quorums of InterCooperative-Network, quorum.rs"
        self.assertEqual(needed('absolute', 3), 2)
        self.assertEqual(needed('absolute', 5), 3)
        self.assertEqual(percentage(5, 60), 3)
        self.assertEqual(percentage(4, 75), 3)
        self.assertEqual(percentage(10, 51), 6)
        self.assertEqual(needed('unanimous', 3), 3)

    def test_second_call(self):
        "Test the second call of the Spanish Ley 27/1999, art. 25"
        self.assertEqual(quorum(400, percent=10, minimum=100), 40)
        self.assertEqual(quorum(2000, percent=10, minimum=100), 100)

    def test_no_quorum(self):
        "Test a quorum may be only a minimum or nothing"
        self.assertEqual(quorum(400), 0)
        self.assertEqual(quorum(400, minimum=5), 5)
        self.assertEqual(quorum(400, percent=0), 0)

    def test_is_carried(self):
        "Test the majorities"
        for majority, for_, against, total, carried in [
                ('simple', 1, 0, 1, True),
                ('simple', 5, 5, 10, False),
                ('simple', 0, 0, 0, False),
                ('absolute', 5, 1, 10, False),
                ('absolute', 6, 1, 10, True),
                ('absolute', 6, 5, 11, True),
                ('absolute', 0, 0, 0, False),
                ('two_thirds', 6, 4, 10, False),
                ('two_thirds', 7, 3, 10, True),
                ('three_quarters', 75, 25, 100, True),
                ('three_quarters', 75, 26, 101, False),
                ('nine_tenths', 9, 1, 10, True),
                ('nine_tenths', 9, 2, 11, False),
                ('unanimous', 3, 0, 3, True),
                ('unanimous', 3, 0, 4, False),
                ('unanimous', 0, 0, 0, False),
                ]:
            with self.subTest(majority=majority, votes=(for_, against)):
                self.assertEqual(
                    is_carried(majority, for_, against, total), carried)

    def test_cap_votes(self):
        "Test nobody has more than a tenth of the votes, as § 43 (3) GenG"
        capped = cap_votes({'a': 50, **{i: 5 for i in range(10)}}, 10)
        self.assertEqual(capped, {i: 5 for i in ['a', *range(10)]})
        # Too few members for the cap
        self.assertEqual(cap_votes({'a': 7, 'b': 3}, 10), {'a': 1, 'b': 1})
        self.assertEqual(cap_votes({}, 10), {})

    @given(st.lists(votes, max_size=50), percents)
    def test_cap_votes_properties(self, votes, percent):
        "Test the cap is kept and nobody gains a vote"
        votes = dict(enumerate(votes))
        capped = cap_votes(votes, percent)
        self.assertEqual(capped.keys(), votes.keys())
        total = sum(capped.values())
        for key, value in capped.items():
            self.assertLessEqual(value, votes[key])
            self.assertTrue(value <= 1 or 100 * value <= percent * total)

    def test_limit_investing(self):
        "Test investing members can not outvote the others"
        self.assertEqual(limit_investing((90, 0), (30, 30), 10), (90, 10))
        self.assertEqual(limit_investing((60, 30), (70, 10), 10), (37, 63))
        self.assertEqual(limit_investing((5, 5), (5, 0), 100), (5, 5))
        self.assertEqual(limit_investing((9, 9), (0, 0), 10), (0, 0))

    @given(votes, votes, votes, votes, percents)
    def test_limit_investing_properties(
            self, users_for, users_against, investing_for,
            investing_against, percent):
        "Test the limit is kept and only investing votes are lost"
        for_, against = limit_investing(
            (users_for + investing_for, investing_for),
            (users_against + investing_against, investing_against), percent)
        investing = for_ + against - users_for - users_against
        self.assertTrue(users_for <= for_ <= users_for + investing_for)
        self.assertTrue(
            users_against <= against <= users_against + investing_against)
        self.assertLessEqual(100 * investing, percent * (for_ + against))
