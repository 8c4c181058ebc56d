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

    def yearly_budget(self, fiscalyear):
        "Return the amount the class can redeem in the year, if it is limited"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')

        def capital(date):
            _, amount = ShareMove.holdings_at(
                self.company, date, classes=[self],
                by=('share_class',)).get((self.id,), (0, 0))
            return amount

        budgets = []
        if self.redemption_cap is not None:
            budgets.append(
                capital(fiscalyear.start_date - DAY)
                * self.redemption_cap / 100)
        if self.minimum_capital is not None:
            budgets.append(
                capital(fiscalyear.end_date) - self.minimum_capital)
        if budgets:
            return self.currency.round(max(min(budgets), Decimal(0)))

    def remaining_budget(self, fiscalyear):
        "Return what is not used of the budget of the year"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        ShareMove = pool.get('coop.share.move')
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
            _, opening = ShareMove.holdings_at(
                self.company, fiscalyear.start_date - DAY,
                classes=[self], by=('share_class',)).get(
                (self.id,), (0, Decimal(0)))
            used = sum(
                r.quantity * self.par_value for r in redemptions)
            budgets.append(
                opening * self.redemption_cap / 100 - used)
        if self.minimum_capital is not None:
            _, capital = ShareMove.holdings_at(
                self.company, None,
                classes=[self], by=('share_class',)).get(
                (self.id,), (0, Decimal(0)))
            granted = sum(
                r.quantity * self.par_value for r in redemptions
                if r.state == 'approved')
            budgets.append(
                capital - granted - self.minimum_capital)
        return max(min(budgets), Decimal(0))
