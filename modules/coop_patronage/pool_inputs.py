# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool

from .category import has_usage
from .inputs import PoolInputs

# The parameters that have the same name as the fields
_SAME = [
    'method', 'amount', 'rate', 'cash_percent', 'cash_floor',
    'required_equity', 'elections', 'rounding', 'minimum', 'below_minimum',
    'minimum_activity', 'non_members', 'cap_percent', 'withholding_rate',
    'withholding_threshold', 'withholding_base', 'withholding_unidentified',
    'set_off', 'loss_order', 'cash_below', 'qualified', 'bylaw_consent',
    'cheque_consent']
_TERMS = [
    'name', 'use_years', 'eligible_on', 'payment_deadline',
    'payment_period_end', 'expiry_date']


class PoolRead:
    "Read what the allocations of a pool depend on"
    __slots__ = ()

    def get_inputs(self):
        class_ = self.equity_class
        line = self.difference_line
        return PoolInputs(
            key=self.id,
            line=self.line.id,
            difference_line=line.id if line else None,
            categories={
                c.id: (c.measure, c.weight) for c in self.categories},
            has_usage=has_usage(self.categories),
            equity_class=class_.id if class_ else None,
            par_value=class_.par_value if class_ else None,
            quantity_digits=class_.quantity_digits if class_ else None,
            payment_date=self.payment_deadline or self.surplus.posting_date,
            terms=tuple(getattr(self, n) for n in _TERMS),
            **{n: getattr(self, n) for n in _SAME})

    def get_elections(self, members):
        """Return the elections of the members that the pool follows

        By the id of the member the shares of the uses and the target holding.
        """
        pool = Pool()
        Election = pool.get('coop.patronage.election')
        if not self.elections:
            return {}
        date = self.surplus.posting_date or self.surplus.fiscalyear.end_date
        result = {}
        for member, elections in Election.in_force(
                self.company, self.categories, date).items():
            if member.id not in members:
                continue
            targets = [
                e.target for e in elections if e.cash_use == 'capitalise']
            result[member.id] = (
                {e.cash_use: e.share for e in elections},
                targets[0] if targets else None)
        return result

    def get_owed(self, elections):
        "Return what the members must pay for shares who elect to"
        pool = Pool()
        Member = pool.get('coop.member')
        date = self.surplus.posting_date or self.surplus.fiscalyear.end_date
        members = Member.browse([
                m for m, (shares, _) in elections.items()
                if 'withhold' in shares])
        return {
            m.id: owed or Decimal(0)
            for m, owed in self._get_owed(members, date).items()}

    def get_use(self):
        "Return the use of the years by which the base capital is measured"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        end_date = self.surplus.fiscalyear.end_date
        return Activity.get_use(
            self.company, self.categories,
            end_date - relativedelta(years=self.use_years) + DAY, end_date)
