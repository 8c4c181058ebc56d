# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.books import save_records
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool

from .exceptions import RevolvementError
from .inputs import RevolvementInputs, RevolvementSettings
from .revolvement_payout import revolve


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
        for revolvement in revolvements:
            inputs = revolvement.get_inputs()
            rows = revolve(inputs)
            if not rows:
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_nothing',
                        revolvement=revolvement.rec_name))
            revolvement.set_inputs(inputs)
            save_records([Line(revolvement=revolvement, **r) for r in rows])
        cls.save(revolvements)

    def is_as_computed(self, inputs):
        return revolve(inputs) == [
            line.row for line in sorted(self.lines, key=int)]

    def get_inputs(self):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        # All the moves count, so that later ones can not be paid twice
        holdings = ShareMove.lots_at(
            self.company, None, self._get_members(), self.classes)
        return RevolvementInputs(
            settings=RevolvementSettings(
                self.currency.rounding, self.method, self.posting_date,
                self.payment_date, self.budget, self.rate,
                self.until_vintage, self.discount_rate, self.cycle_years,
                self.required_equity, self.minimum, self.payout),
            classes={
                c.id: (c.par_value, c.quantity_digits)
                for c in self.classes},
            holdings={
                key: tuple(sorted(lots, key=str))
                for key, lots in holdings.items()},
            use=self._get_use(),
            debts=self._get_debts())

    def _get_debts(self):
        "Return what is overdue by member, if it is set off"
        pool = Pool()
        Member = pool.get('coop.member')
        if not self.set_off:
            return {}
        debts = {
            party.id: sum(amount for _, amount in lines)
            for party, lines in self._get_overdue(self.posting_date).items()}
        return {
            m.id: debts[m.party.id] for m in Member.search([
                    ('company', '=', self.company.id),
                    ('party', 'in', list(debts)),
                    ]) if debts[m.party.id]}

    def _get_members(self):
        "Return the members who are paid, or None for all"
        pool = Pool()
        Member = pool.get('coop.member')
        if not (self.members or self.only_estates or self.member_categories
                or self.minimum_age):
            return
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
            members = [m for m in members if categories.get(m.id) in allowed]
        return members

    def _get_use(self):
        "Return the use by member that the base capital is measured by"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        if self.method != 'base_capital':
            return {}
        start = None
        if self.use_years:
            start = self.posting_date.replace(day=1)
            start = start.replace(year=start.year - self.use_years)
        return Activity.get_use(
            self.company, self.use_categories, start, self.posting_date - DAY)
