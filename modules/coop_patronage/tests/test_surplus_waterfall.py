# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import unittest
from decimal import Decimal as D

from hypothesis import given, strategies as st

from trytond.modules.coop_patronage.surplus_waterfall import (
    Rule, RuleError, appropriate, target_room)

CENT = D('0.01')
units = st.sampled_from([CENT, D('0.05'), D(1), D(5)])


def rates(values):
    return {k: D(v) / 100 if v is not None else None
        for k, v in values.items()}


class WaterfallTestCase(unittest.TestCase):
    "Test the appropriation of a surplus"

    def philippine(self, reserve=10, education=5, refund=30):
        return [
            Rule('reserve', rate=D(reserve) / 100, minimum_rate=D('0.10')),
            Rule('education', rate=D(education) / 100,
                maximum_rate=D('0.05')),
            Rule('federation', 'previous_line', rate=D(1)),
            Rule('community', rate=D('0.03'), minimum_rate=D('0.03')),
            Rule('optional', rate=D('0.07'), maximum_rate=D('0.07')),
            Rule('interest', 'remainder', rate=1 - D(refund) / 100),
            Rule('refund', 'remainder', rate=D(refund) / 100,
                minimum_rate=D('0.30')),
            ]

    def test_funds(self):
        "Test the funds of a Philippine cooperative"
        # Tested plan PCMPC, after Philippine Republic Act 9520 art. 86
        total = D(1000000)
        self.assertEqual(
            appropriate(total, self.philippine(), {'result': total}), {
                'reserve': D(100000),
                'education': D(50000),
                'federation': D(50000),
                'community': D(30000),
                'optional': D(70000),
                'interest': D(490000),
                'refund': D(210000),
                })

    def test_floors_and_caps(self):
        "Test the floors and caps refuse by name"
        total = D(1000000)
        for values, reason, key, amount, limit in [
                ({'reserve': 8}, 'minimum', 'reserve', 80000, 100000),
                ({'education': 6}, 'maximum', 'education', 60000, 50000),
                ({'refund': 20}, 'minimum', 'refund', 140000, 210000),
                ]:
            with self.subTest(**values):
                with self.assertRaises(RuleError) as cm:
                    appropriate(
                        total, self.philippine(**values), {'result': total})
                self.assertEqual(
                    (cm.exception.reason, cm.exception.key,
                        cm.exception.amount, cm.exception.limit),
                    (reason, key, amount, limit))

    def test_nested(self):
        "Test floors and caps of lines on the bases of other lines"
        # By hand: 20 % of 90,000; half of 30,000; 5 % of 90,000 and half of
        # that; 40 % and 60 % of the 80,250 that are left
        bases = {
            'result': D(120000), 'member_result': D(90000),
            'non_member_result': D(30000)}

        def rules(member='0.2', fund='0.5', interest='0.4'):
            return [
                Rule('member', 'member_result', D(member),
                    minimum_rate=D('0.2')),
                Rule('other', 'non_member_result', D('0.5'),
                    minimum_rate=D('0.5')),
                Rule('fund', 'member_result', D('0.05')),
                Rule('union', 'previous_line', D(fund),
                    maximum_rate=D('0.5')),
                Rule('interest', 'remainder', D(interest),
                    maximum_rate=D('0.4')),
                Rule('patronage', 'remainder'),
                ]

        self.assertEqual(appropriate(D(120000), rules(), bases), {
                'member': D(18000), 'other': D(15000), 'fund': D(4500),
                'union': D(2250), 'interest': D(32100),
                'patronage': D(48150)})
        for values, reason, key, amount, limit in [
                ({'member': '0.19'}, 'minimum', 'member', 17100, 18000),
                ({'fund': '0.6'}, 'maximum', 'union', 2700, 2250),
                ({'interest': '0.5'}, 'maximum', 'interest', 40125, 32100),
                ]:
            with self.subTest(**values):
                with self.assertRaises(RuleError) as cm:
                    appropriate(D(120000), rules(**values), bases)
                error = cm.exception
                self.assertEqual(
                    (error.reason, error.key, error.amount, error.limit),
                    (reason, key, amount, limit))

    def test_target(self):
        "Test a fund stops at its target"
        # Rhode Island 7-8-26: until the fund is 50 % of the paid-up capital
        room = target_room(D(38500), D('0.5'), D(80000))
        self.assertEqual(room, D(1500))
        self.assertEqual(
            appropriate(D(30000), [
                    Rule('reserve', rate=D('0.1'), minimum_rate=D('0.1'),
                        room=room),
                    Rule('rest', 'remainder'),
                    ], {'result': D(30000)}),
            {'reserve': D(1500), 'rest': D(28500)})
        self.assertEqual(target_room(D(50000), D('0.5'), D(80000)), 0)

    def test_unrounded_remainder(self):
        "Test the remainder is not rounded"
        # French SCIC: 15 % and half of the rest are 57.5 %
        total = D('1000.01')
        result = appropriate(total, [
                Rule('legal', rate=D('0.15')),
                Rule('statutory', 'remainder', rate=D('0.5')),
                Rule('rest', 'remainder'),
                ], {'result': total})
        self.assertEqual(result['legal'], D('150.00'))
        # 425.00425, where half of the rounded rest were 425.005
        self.assertEqual(result['statutory'], D('425.00'))
        self.assertEqual(sum(result.values()), total)

    def test_loss(self):
        "Test a loss year"
        # Hypha bylaws 6.4: 80 % of a loss to the reserve as far as it goes
        self.assertEqual(
            appropriate(D(-50000), [
                    Rule('reserve', rate=D('0.8'), room=D(30000)),
                    Rule('members', 'remainder'),
                    ], {'result': D(-50000)}),
            {'reserve': D(-30000), 'members': D(-20000)})

    def test_refused(self):
        "Test lines that do not sum to the surplus"
        total = D(1000)
        for rules, reason, amount in [
                ([Rule(1, rate=D('0.6')), Rule(2, rate=D('0.5'))],
                    'exceeded', 100),
                ([Rule(1, rate=D('0.6')), Rule(2, rate=D('0.3'))],
                    'left', 100),
                ([Rule(1, amount=D(1200)), Rule(2, 'remainder')],
                    'exceeded', 200),
                ([Rule(1, rate=D('0.9')), Rule(2, rate=D('0.3')),
                        Rule(3, 'remainder', rate=D('0.7')),
                        Rule(4, 'remainder')],
                    'exceeded', 200),
                ([Rule(1, 'remainder', rate=D('0.7')),
                        Rule(2, 'remainder', rate=D('0.2'))],
                    'left', 100),
                ]:
            with self.subTest(rules=rules):
                with self.assertRaises(RuleError) as cm:
                    appropriate(total, rules, {'result': total})
                self.assertEqual(cm.exception.reason, reason)
                self.assertEqual(cm.exception.amount, amount)

    @given(
        st.decimals(min_value=-10 ** 7, max_value=10 ** 7, places=2),
        st.lists(st.tuples(
                st.sampled_from(['result', 'remainder', 'previous_line']),
                st.integers(0, 20)), max_size=5))
    def test_sum(self, total, lines):
        "Test the lines sum to the result"
        rules = [
            Rule(i, basis, rate=D(rate) / 100)
            for i, (basis, rate) in enumerate(lines)]
        rules.append(Rule('break', rate=D(0)))
        rules.append(Rule('rest', 'remainder'))
        result = appropriate(total, rules, {'result': total})
        self.assertEqual(sum(result.values()), total)
        self.assertEqual(list(result), [r.key for r in rules])

    def test_rounding(self):
        "Test fifths of 1.03 are 1.03, though each is rounded up to 0.21"
        fifths = [Rule(i, rate=D('0.2')) for i in range(5)]
        for total in [D('1.03'), D('1000000.03'), D('-1.03'), D('1.02')]:
            for rules in [fifths, [*fifths, Rule('rest', 'remainder')]]:
                with self.subTest(total=total, rules=len(rules)):
                    result = appropriate(total, rules, {'result': total})
                    self.assertEqual(sum(result.values()), total)
                    for amount in result.values():
                        self.assertGreaterEqual(amount * total, 0)
                    self.assertLessEqual(
                        max(abs(result[r.key] - total / 5) for r in fifths),
                        D('0.01'))
