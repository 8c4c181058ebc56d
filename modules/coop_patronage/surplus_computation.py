# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from fractions import Fraction

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.rounding import half_up
from trytond.pool import Pool
from trytond.transaction import Transaction

from .category import has_usage
from .exceptions import AllocationError, AppropriationError
from .surplus_waterfall import RuleError, appropriate


class SurplusComputation:
    "Compute the lines of an appropriation and what its pools allocate"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, surpluses):
        cls.lock(surpluses)
        for surplus in surpluses:
            surplus._compute()
            surplus.prepared_by = Transaction().user
        cls.save(surpluses)

    def _compute(self):
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Allocation = pool.get('coop.patronage.allocation')

        self._set_pool_lines()
        inputs = self.get_inputs()
        ratio = inputs['member_ratio']
        self.input_hash = self.get_hash(inputs)
        self.result = inputs['result']
        self.member_ratio = round(Decimal(
                ratio.numerator) / ratio.denominator, 6)
        activity_result = inputs['bases']['activity']
        self.member_result = inputs['bases']['member_result']
        self.non_member_result = activity_result - self.member_result

        amounts = self.get_amounts(inputs)
        left = self._get_left(amounts)
        allocations = []
        for pool_ in self.pools:
            amount = pool_.amount
            if amount is None:
                amount = left.pop(pool_.line)
            allocated, rows = pool_.get_allocations(
                amount, inputs['activity'][has_usage(pool_.categories)],
                inputs['debts'], allocations)
            # The last pool bears what no pool of its line distributes
            difference = amount - allocated
            if pool_ == self._last_pool(pool_.line):
                difference += left.pop(pool_.line, 0)
            if difference:
                line = pool_.get_difference_line()
                if not line:
                    raise AllocationError(gettext(
                            'coop_patronage.msg_pool_difference',
                            pool=pool_.rec_name,
                            amount=self.format_currency(difference)))
                amounts[pool_.line.id] -= difference
                amounts[line.id] += difference
            allocations.extend(rows)
        for line in self.lines:
            line.computed_amount = amounts[line.id]
        self._check_patronage_base(ratio)
        Line.save(self.lines)
        Allocation.replace(self.pools, allocations)

    def get_amounts(self, inputs):
        "Return the amount of each line by its id"
        lines = {line.id: line for line in self.lines}
        try:
            return appropriate(
                inputs['total'], inputs['rules'], inputs['bases'],
                self.currency.rounding)
        except RuleError as e:
            if e.key:
                raise AppropriationError(gettext(
                        f'coop_patronage.msg_surplus_line_{e.reason}',
                        line=lines[e.key].rec_name,
                        amount=self.format_currency(e.amount),
                        limit=self.format_currency(e.limit))) from e
            raise AppropriationError(gettext(
                    f'coop_patronage.msg_surplus_{e.reason}',
                    surplus=self.rec_name,
                    amount=self.format_currency(e.amount))) from e

    def _set_pool_lines(self):
        pool = Pool()
        Pool_ = pool.get('coop.patronage.pool')
        lines = [line for line in self.lines if line.kind == 'patronage']
        for pool in self.pools:
            if not pool.line:
                if len(lines) != 1:
                    raise AllocationError(gettext(
                            'coop_patronage.msg_pool_line',
                            pool=pool.rec_name))
                pool.line, = lines
        Pool_.save(self.pools)

    def _get_left(self, amounts):
        "Return what the pools with an amount leave of each line"
        left = {}
        for line in {p.line for p in self.pools}:
            pools = [p for p in self.pools if p.line == line]
            if sum(p.amount is None for p in pools) > 1:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_amount_missing',
                        line=line.rec_name))
            amount = amounts[line.id]
            fixed = [p.amount for p in pools if p.amount is not None]
            left[line] = amount - sum(fixed)
            if (left[line] * amount < 0
                    or any(f * amount < 0 for f in fixed)):
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_amount_exceeded',
                        line=line.rec_name,
                        amount=self.format_currency(amount)))
        return left

    def _last_pool(self, line):
        return [p for p in self.pools if p.line == line][-1]

    def _check_patronage_base(self, member_ratio):
        if self.patronage_base is None:
            return
        limit = half_up(
            Fraction(self.patronage_base) * member_ratio,
            self.currency.rounding)
        amount = self._get_patronage()
        if amount > limit:
            raise AppropriationError(gettext(
                    'coop_patronage.msg_surplus_patronage_base',
                    surplus=self.rec_name,
                    amount=self.format_currency(amount),
                    limit=self.format_currency(limit)))
