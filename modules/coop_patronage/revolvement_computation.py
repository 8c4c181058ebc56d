# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.tools import grouped_slice

from .base_capital import capital_targets
from .exceptions import RevolvementError
from .revolvement_payout import (
    base_capital, by_percentage, by_vintage, hybrid, present_value)


class RevolvementComputation:
    "Compute what a revolvement pays of the equity"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, revolvements):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        cls.lock(revolvements)
        Line.delete([line for r in revolvements for line in r.lines])
        lines = []
        for revolvement in revolvements:
            lines.extend(revolvement.get_lines())
        for sub_lines in grouped_slice(lines, SLICE):
            Line.save(list(sub_lines))

    def get_balances(self):
        "Return what is held by member, class and vintage"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareMove = pool.get('coop.share.move')
        members = None
        if (self.members or self.only_estates or self.member_categories
                or self.minimum_age):
            domain = [('company', '=', self.company.id)]
            if self.members:
                domain.append(('id', 'in', [m.id for m in self.members]))
            if self.only_estates:
                domain.append(('exit_reason', '=', 'death'))
            if self.minimum_age:
                domain.append(('party.birth_date', '<=',
                        self.posting_date - relativedelta(
                            years=self.minimum_age)))
            members = Member.search(domain)
            if self.member_categories:
                categories = Member.categories_at(members, self.posting_date)
                allowed = {c.id for c in self.member_categories}
                members = [
                    m for m in members if categories.get(m.id) in allowed]
        # All the moves count, so that later ones can not be paid twice
        holdings = ShareMove.holdings_at(
            self.company, None, members=members, classes=self.classes,
            by=('member', 'share_class', 'vintage'))
        return {
            (member, share_class, vintage or 0): amount
            for (member, share_class, vintage), (_, amount)
            in holdings.items() if amount > 0}

    def get_lines(self):
        "Return the unsaved lines"
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        balances = self.get_balances()
        if not balances:
            raise RevolvementError(gettext(
                    'coop_patronage.msg_revolvement_nothing',
                    revolvement=self.rec_name))
        # The smallest step that is a whole number of shares of each class
        unit = max(max(
                c.par_value * Decimal(1).scaleb(-c.quantity_digits)
                for c in self.classes), self.currency.rounding)
        paid = getattr(self, f'_compute_{self.method}')(balances, unit)
        lines = []
        for key in sorted(paid):
            amount = paid[key]
            member, share_class, vintage = key
            discount = Decimal(0)
            if self.method == 'estate':
                years = vintage + self.cycle_years - self.posting_date.year
                discount = amount - present_value(
                    amount, self.discount_rate, years,
                    self.currency.rounding)
            lines.append(Line(
                    revolvement=self, member=member, share_class=share_class,
                    vintage=vintage or None, balance=balances[key],
                    amount=amount, discount=discount,
                    payable=amount - discount))
        return lines

    def _by_lot(self, function, balances, *args, **kwargs):
        "Call the function with keys that end with the vintage"
        paid = function(
            {((m, c), v): amount for (m, c, v), amount in balances.items()},
            *args, **kwargs)
        return {(m, c, v): amount for ((m, c), v), amount in paid.items()}

    def _compute_fifo(self, balances, unit, newest=False):
        return self._by_lot(
            by_vintage, balances, self.budget, newest=newest,
            until=self.until_vintage, unit=unit)

    def _compute_lifo(self, balances, unit):
        return self._compute_fifo(balances, unit, newest=True)

    def _compute_percentage(self, balances, unit):
        return self._by_lot(
            by_percentage, balances, rate=self.rate, budget=self.budget,
            unit=unit)

    def _compute_hybrid(self, balances, unit):
        return self._by_lot(
            hybrid, balances, self.budget, self.rate, unit=unit)

    def _compute_estate(self, balances, unit):
        return balances

    def _compute_base_capital(self, balances, unit):
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        start = self.posting_date.replace(day=1)
        start = start.replace(year=start.year - self.use_years)
        use = Activity.get_use(
            self.company, self.use_categories, start, self.posting_date - DAY)
        paid = base_capital(
            {(m, (v, c)): amount for (m, c, v), amount in balances.items()},
            capital_targets(
                self.required_equity, use, self.currency.rounding),
            self.budget, unit)
        return {(m, c, v): amount for (m, (v, c)), amount in paid.items()}
