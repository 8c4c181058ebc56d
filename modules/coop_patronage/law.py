# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The rules of law that an appropriation must keep, of its inputs alone"""
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.rounding import half_up

from .pool_allocation import Refused

# The lines that a kind of a rule stands for, if not those of its name
LINE_KINDS = {'reserves': {'reserve', 'other'}}


class Law:
    "What the rules are checked against"

    def __init__(self, inputs, amounts, rows, member_result):
        self.inputs = inputs
        self.amounts = amounts
        self.rows = rows
        self.member_result = member_result

    def check(self):
        "Refuse what one of the rules forbids"
        for rule in self.inputs.rules:
            getattr(self, f'check_{rule.kind}')(rule)

    def get_amount(self, kind):
        kinds = LINE_KINDS.get(kind, {kind})
        return sum((
                max(self.amounts[line.key], 0) for line in self.inputs.lines
                if line.kind in kinds), 0)

    def check_limit(self, rule, limit):
        amount = self.get_amount(rule.line_kind)
        unit = self.inputs.settings.unit
        if Fraction(amount) - limit >= unit:
            raise Refused(
                'rule_above', rule=rule.key, amount=amount,
                limit=half_up(limit, unit))

    def get_capital(self, rule):
        capital = self.inputs.settings.paid_capital
        if not capital:
            raise Refused('rule_capital', rule=rule.key)
        return Fraction(capital)

    def check_capital(self, rule):
        if not self.get_amount(rule.line_kind):
            return
        rate = Fraction(rule.rate)
        if rule.has_reference:
            if rule.reference_rate is None:
                raise Refused('rule_reference', rule=rule.key)
            rate += Fraction(rule.reference_rate)
        self.check_limit(rule, rate * self.get_capital(rule))

    def check_lines(self, rule):
        self.check_limit(
            rule,
            Fraction(rule.rate) * Fraction(self.get_amount(rule.other_kind)))

    def check_rates(self, rule):
        pools = self._get_pools(rule)
        basis = {p.key: Fraction(0) for p in pools}
        rates = dict(basis)
        for row in self.rows:
            if row['pool'] in basis:
                basis[row['pool']] += max(Fraction(row['basis']), 0)
        for row in self.rows:
            if basis.get(row['pool']):
                rates[row['pool']] += (
                    Fraction(row['gross']) / basis[row['pool']])
        if not any(rates.values()):
            return
        unit = self.inputs.settings.unit
        limit = (
            Fraction(rule.rate)
            * Fraction(self.get_amount('share_dividend'))
            / self.get_capital(rule))
        for pool in pools:
            # The same activity may be paid by several pools
            rate = sum(
                rates[p.key] for p in pools
                if p.categories.keys() & pool.categories.keys())
            excess = (rate - limit) * basis[pool.key]
            if excess >= unit:
                raise Refused(
                    'rule_above', rule=rule.key,
                    amount=half_up(rate * basis[pool.key], unit),
                    limit=half_up(limit * basis[pool.key], unit))

    def check_member_result(self, rule):
        self.check_limit(
            rule, Fraction(rule.rate) * max(Fraction(self.member_result), 0))

    def check_first_years(self, rule):
        settings = self.inputs.settings
        if self.inputs.result <= 0:
            return
        if not settings.registration_date:
            raise Refused('rule_registration', rule=rule.key)
        if settings.start_date >= (
                settings.registration_date + relativedelta(years=rule.years)):
            return
        amount = self.get_amount(rule.line_kind)
        limit = Fraction(rule.rate) * Fraction(self.inputs.result)
        if limit - Fraction(amount) >= settings.unit:
            raise Refused(
                'rule_below', rule=rule.key, amount=amount,
                limit=half_up(limit, settings.unit))

    def check_cash(self, rule):
        for row in self.rows:
            if not row.get('qualified'):
                continue
            whole = row['cash'] + row['equity'] + row['held']
            limit = Fraction(rule.rate) * Fraction(whole)
            if Fraction(row['cash']) < limit:
                raise Refused(
                    'rule_cash', rule=rule.key, pool=row['pool'],
                    member=row['member'], amount=row['cash'],
                    limit=half_up(limit, self.inputs.settings.unit))

    def check_deadline(self, rule):
        deadline = (
            self.inputs.settings.end_date + DAY
            + relativedelta(months=rule.months, days=rule.days or 0) - DAY)
        for pool in self._get_pools(rule):
            if pool.payment_date and pool.payment_date > deadline:
                raise Refused(
                    'rule_deadline', rule=rule.key, pool=pool.key,
                    date=deadline)

    def check_non_members(self, rule):
        for pool in self._get_pools(rule):
            if pool.non_members != 'pay':
                raise Refused(
                    'rule_non_members', rule=rule.key, pool=pool.key)

    def check_employees(self, rule):
        pools = self._get_pools(rule)
        if not pools:
            return
        for pool in pools:
            if (not pool.employees or pool.non_members != 'pay'
                    or pool.measure not in {'activity', 'equal'}
                    or pool.cap_percent is not None or pool.minimum_activity
                    or pool.key in self.inputs.eligible):
                raise Refused('rule_employees', rule=rule.key, pool=pool.key)
            if (pool.presence_months > rule.months
                    or pool.seniority_months > rule.seniority_months):
                raise Refused('rule_presence', rule=rule.key, pool=pool.key)
            if pool.seniority_rate and pool.seniority_maximum > rule.rate:
                raise Refused('rule_seniority', rule=rule.key, pool=pool.key)
        keys = {p.key for p in pools}
        paid = {
            row['party'] for row in self.rows if row['pool'] in keys
            and row['gross'] > row.get('forfeited', 0)}
        for pool in pools:
            for party in self.inputs.seniority[pool.key]:
                if party not in paid:
                    raise Refused(
                        'rule_employee', rule=rule.key, party=party)

    def _get_pools(self, rule):
        lines = {
            line.key for line in self.inputs.lines
            if line.kind == rule.line_kind and self.amounts[line.key] > 0}
        return [p for p in self.inputs.pools if p.line in lines]
