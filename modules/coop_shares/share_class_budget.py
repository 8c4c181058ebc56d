# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool


class ShareClassBudget:
    "What a share class may redeem in a fiscal year"
    __slots__ = ()

    @property
    def budgeted(self):
        return (
            self.redemption_cap is not None
            or self.minimum_capital is not None)

    @classmethod
    def get_budgeted(cls, company):
        "Return the classes of the company with a budget for redemptions"
        return [
            c for c in cls.search([
                    ('company', '=', company.id),
                    ('redeemable', '=', True),
                    ])
            if c.budgeted]

    def capital(self, date=None):
        "Return the capital of the class at the end of the date"
        ShareMove = Pool().get('coop.share.move')
        _, amount = ShareMove.holdings_at(
            self.company, date, classes=[self],
            by=('share_class',)).get((self.id,), (0, Decimal(0)))
        return amount

    def yearly_budget(self, fiscalyear):
        "Return the amount the class can redeem in the year, if it is limited"
        budgets = []
        if self.redemption_cap is not None:
            budgets.append(
                self.capital(fiscalyear.start_date - DAY)
                * self.redemption_cap / 100)
        if self.minimum_capital is not None:
            budgets.append(
                self.capital(fiscalyear.end_date) - self.minimum_capital)
        if budgets:
            return self.currency.round(max(min(budgets), Decimal(0)))

    def remaining_budget(self, fiscalyear):
        "Return what is not used of the budget of the year"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        redemptions = Redemption.search([
                ('share_class', '=', self.id),
                ('end_date', '>=', fiscalyear.start_date),
                ('end_date', '<=', fiscalyear.end_date),
                ['OR',
                    ('state', 'in', ['ended', 'settled', 'paid']),
                    [
                        ('state', '=', 'approved'),
                        ('granted', '=', True),
                        ],
                    ],
                ])
        budgets = []
        if self.redemption_cap is not None:
            opening = self.capital(fiscalyear.start_date - DAY)
            # Revalued shares have ended with more than their par value
            used = sum(
                r.quantity * self.par_value if r.state == 'approved'
                else r.amount for r in redemptions)
            budgets.append(
                opening * self.redemption_cap / 100 - used)
        if self.minimum_capital is not None:
            granted = sum(
                r.quantity * self.par_value for r in redemptions
                if r.state == 'approved')
            budgets.append(
                self.capital() - granted - self.minimum_capital)
        return max(min(budgets), Decimal(0))
