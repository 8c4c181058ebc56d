# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import hashlib
import json
from decimal import Decimal
from fractions import Fraction

from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.modules.coop_membership.rounding import half_up
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .balance import get_balances
from .category import has_usage

# The sources of the activity of each member ratio
RATIO_SOURCES = {
    'turnover': ['customer_invoice', 'entry'],
    'purchases': ['supplier_invoice', 'entry'],
    'hours': ['entry', 'timesheet'],
    }


class SurplusInputs:
    "The figures that an appropriation is computed from"
    __slots__ = ()

    def get_inputs(self):
        "Return all what the amounts are computed from"
        result = self.get_result()
        ratio_categories = self._ratio_categories()
        activity = self._get_activity(ratio_categories)
        member_ratio = self._get_member_ratio(
            activity[has_usage(ratio_categories)], ratio_categories)
        before = result + self.accrued
        activity_result = before - self.other_result
        member_result = half_up(
            Fraction(activity_result) * member_ratio, self.currency.rounding)
        balances = get_balances(
            self.company,
            [a for line in self.lines
                for a in [line.account, line.target_account]],
            lambda move: move.date <= self.fiscalyear.end_date)
        return {
            'result': result,
            'member_ratio': member_ratio,
            'total': before + self.brought_forward + self.reserve_release,
            'bases': {
                'result': before,
                'activity': activity_result,
                'member_result': member_result,
                'non_member_result': activity_result - member_result,
                },
            'rules': [line.get_rule(balances, before) for line in self.lines],
            'accounts': [str(line.account) for line in self.lines],
            'pools': [p.get_parameters() for p in self.pools],
            'debts': next(
                (p.get_debts() for p in self.pools if p.set_off), {}),
            'activity': activity,
            }

    def _get_activity(self, ratio_categories):
        """Return the sums of the activity of the pools and of the ratio

        What is billed for the use of the commons does not count together with
        this use itself: the keys tell if it is among the categories.
        """
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        Reassignment = pool.get('coop.patronage.reassignment')
        start_date = self.fiscalyear.start_date
        end_date = self.fiscalyear.end_date
        Reassignment.check_shares(self.company, start_date, end_date)
        groups = [p.categories for p in self.pools] + [ratio_categories]
        activity = {}
        for usage in [False, True]:
            categories = {
                c for group in groups if has_usage(group) == usage
                for c in group}
            activity[usage] = Activity.get_sums(
                self.company, categories, start_date,
                end_date) if categories else []
        return activity

    @classmethod
    def get_hash(cls, inputs):
        inputs = inputs.copy()
        # What is accrued is added to the result again
        del inputs['result']
        inputs['activity'] = [
            sorted(map(str, rows)) for rows in inputs['activity'].values()]
        return hashlib.sha256(json.dumps(
                inputs, sort_keys=True, default=str).encode()).hexdigest()

    def get_result(self):
        "Return the result of the year without the closing move"
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Move = pool.get('account.move')
        Line = pool.get('account.move.line')
        Period = pool.get('account.period')
        account = Account.__table__()
        account_type = AccountType.__table__()
        move = Move.__table__()
        line = Line.__table__()
        period = Period.__table__()
        cursor = Transaction().connection.cursor()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .join(account_type, condition=account.type == account_type.id)
            .select(Sum(line.credit - line.debit).as_('result'),
                where=(period.fiscalyear == self.fiscalyear.id)
                & (account_type.statement == 'income')
                & (move.state == 'posted')
                & ((move.origin == Null)
                    | (move.origin != str(self.fiscalyear)))))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC'])
        cursor.execute(*query)
        result, = cursor.fetchone()
        return self.currency.round(result or Decimal(0))

    def _ratio_categories(self):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        if self.member_ratio_basis == 'fixed':
            return set()
        if self.member_ratio_categories:
            return set(self.member_ratio_categories)
        measure = (
            'quantity' if self.member_ratio_basis == 'hours' else 'amount')
        return set(Category.search([
                    ('company', '=', self.company.id),
                    ('measure', '=', measure),
                    ('source', 'in', RATIO_SOURCES[self.member_ratio_basis]),
                    ]))

    def _get_member_ratio(self, activity, categories):
        "Return the exact part of the members"
        if self.member_ratio_basis == 'fixed':
            return Fraction(self.member_ratio)
        measures = {c.id: c.measure for c in categories}
        members = total = Decimal(0)
        for _, member, category, quantity, amount in activity:
            if category in measures:
                value = (
                    quantity if measures[category] == 'quantity' else amount)
                total += value
                if member:
                    members += value
        # Without activity there is nobody but the members
        if total <= 0:
            return Fraction(1)
        return min(max(Fraction(members) / Fraction(total), 0), Fraction(1))

    def _check_inputs(self, Error):
        if self.get_hash(self.get_inputs()) != self.input_hash:
            raise Error(gettext(
                    'coop_patronage.msg_surplus_inputs',
                    surplus=self.rec_name))
