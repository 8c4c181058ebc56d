# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.transaction import inactive_records

from .category import has_usage
from .exceptions import AllocationError
from .inputs import PoolInputs
from .seniority import full_years, is_present

# The parameters that have the same name as the fields
_SAME = [
    'method', 'amount', 'rate', 'cash_percent', 'cash_floor',
    'required_equity', 'elections', 'rounding', 'minimum', 'below_minimum',
    'minimum_activity', 'non_members', 'cap_percent', 'withholding_rate',
    'withholding_threshold', 'withholding_base', 'withholding_unidentified',
    'set_off', 'loss_order', 'cash_below', 'qualified', 'bylaw_consent',
    'cheque_consent', 'part', 'measure', 'employees', 'presence_months',
    'seniority_months', 'seniority_rate', 'seniority_maximum']
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
        start_date = None
        if self.use_years:
            start_date = end_date - relativedelta(years=self.use_years) + DAY
        return Activity.get_use(
            self.company, self.categories, start_date, end_date)

    def get_lifetime(self):
        "Return the sums of the activity up to the end of the year"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        return sorted(
            Activity.get_sums(
                self.company, self.categories, None,
                self.surplus.fiscalyear.end_date),
            key=lambda row: (row[0], row[1] or 0, row[2]))

    def get_seniority(self):
        """Return the full years at the end of the year and the member by party

        Of the employees who were there long enough, or of the members.
        """
        pool = Pool()
        Employee = pool.get('company.employee')
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        year = self.surplus.fiscalyear
        members = Member.members_at(self.company, year.end_date)
        periods = defaultdict(list)
        if self.employees:
            # Who left is inactive
            with inactive_records():
                employees = Employee.search([
                        ('company', '=', self.company.id),
                        ['OR',
                            ('start_date', '=', None),
                            ('start_date', '<=', year.end_date),
                            ],
                        ])
            for employee in employees:
                if not employee.start_date:
                    raise AllocationError(gettext(
                            'coop_patronage.msg_pool_employee_start',
                            pool=self.rec_name,
                            employee=employee.rec_name))
                periods[employee.party.id].append(
                    (employee.start_date, employee.end_date))
        else:
            for membership in Membership.search([
                        ('member.company', '=', self.company.id),
                        ('start_date', '<=', year.end_date),
                        ]):
                periods[membership.member.party.id].append(
                    (membership.start_date, membership.end_date))
        return {
            party: (full_years(dates, year.end_date), members.get(party))
            for party, dates in sorted(periods.items())
            if not self.employees or is_present(
                dates, year.start_date, year.end_date,
                self.presence_months, self.seniority_months)}
