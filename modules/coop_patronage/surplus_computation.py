# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.pool import Pool
from trytond.transaction import Transaction

from .exceptions import AllocationError, AppropriationError
from .pool_allocation import Refused
from .surplus_allocation import allocate, section_results

# The reserves that bear a loss unless lines tell others, in the usual order
# of the law: those that are free before the one that it asks for
LOSS_RESERVES = ['account_other_reserve', 'account_reserve']


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

        self._set_loss_lines()
        self._set_pool_lines()
        inputs = self.get_inputs()
        allocated = self.allocate(inputs)
        ratio = allocated.member_ratio
        self.set_inputs(inputs)
        self.result = inputs.result - self.accrued
        self.member_ratio = round(Decimal(
                ratio.numerator) / ratio.denominator, 6)
        self.member_result = allocated.member_result
        self.non_member_result = allocated.non_member_result
        for line in self.lines:
            line.set_computed(allocated)
        Line.save(self.lines)
        Allocation.replace(self.pools, allocated.rows)

    def allocate(self, inputs):
        "Return what becomes of the surplus of the inputs"
        try:
            return allocate(inputs)
        except Refused as e:
            raise self._get_error(e) from e

    def _get_error(self, refused):
        "Return what is refused in the words of the user"
        pool = Pool()
        Line = pool.get('coop.surplus.line')
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Pool_ = pool.get('coop.patronage.pool')
        Rule = pool.get('coop.surplus.rule')
        lang = pool.get('ir.lang').get()
        values = {
            name: lang.strftime(amount) if isinstance(amount, dt.date)
            else self.format_currency(amount)
            for name, amount in refused.amounts.items() if amount is not None}
        for name, Model in [
                ('line', Line), ('pool', Pool_), ('member', Member),
                ('rule', Rule), ('party', Party)]:
            if getattr(refused, name):
                values[name] = Model(getattr(refused, name)).rec_name
        if refused.rule:
            rule = Rule(refused.rule)
            values['source'] = ', '.join(filter(None, [
                        rule.source, rule.source_date
                        and lang.strftime(rule.source_date)]))
            values['reference'] = rule.reference or ''
            return AppropriationError(gettext(
                    f'coop_patronage.msg_{refused.reason}',
                    surplus=self.rec_name, **values))
        if refused.reason.startswith('pool'):
            return AllocationError(gettext(
                    f'coop_patronage.msg_{refused.reason}', **values))
        reason = refused.reason
        if refused.section:
            values['section'] = self.get_section_name(refused.section)
            reason += '_section'
        if refused.line and Line(refused.line).source:
            values['source'] = Line(refused.line).source
            reason += '_law'
        return AppropriationError(gettext(
                f'coop_patronage.msg_surplus_{reason}',
                surplus=self.rec_name, **values))

    def is_as_computed(self, inputs):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        allocated = self.allocate(inputs)
        return (
            all(line.computed_amount == allocated.amounts[line.id]
                for line in self.lines)
            and Allocation.are_rows(self.pools, allocated.rows))

    def _set_loss_lines(self):
        """Give a loss that nothing covers the lines by which it is covered

        What is brought forward covers it first: the rest is for the reserves,
        and what they do not hold is carried forward.  The loss of a section
        is carried forward too, while the year as a whole has none.
        """
        result = self.get_result() + self.accrued
        for section, amount in section_results(
                result, self.get_sections(), self.nets_sections,
                self.currency.rounding).items():
            if amount < 0:
                self._set_section_loss_lines(
                    section, result + self.brought_forward
                    + self.reserve_release)

    def _set_section_loss_lines(self, section, total):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Line = pool.get('coop.surplus.line')
        lines = [l for l in self.lines if l.get_inputs().section == section]
        before, after = [], []
        if total < 0 and not any(l.kind == 'loss_cover' for l in lines):
            for name in LOSS_RESERVES:
                account = Configuration(1).get_multivalue(
                    name, company=self.company.id)
                if account:
                    before.append(Line(
                            name=gettext(
                                'coop_patronage.msg_loss_cover',
                                account=account.name),
                            kind='loss_cover', account=account))
        pooled = {p.line for p in self.pools}
        if not any(
                line.basis == 'remainder' and line.amount is None
                and (line.kind in {'loss_carried', 'carry_forward'}
                    or line.kind == 'loss_cover' and line in pooled)
                for line in lines):
            after.append(Line(
                    name=gettext(
                        'coop_patronage.msg_loss_carried_section',
                        section=self.get_section_name(section))
                    if section else gettext('coop_patronage.msg_loss_carried'),
                    kind='carry_forward',
                    account=Line.get_account('carry_forward', self.company)))
        for line in before + after:
            line.basis = 'remainder'
            line.set_section(section)
        if before or after:
            # In the order in which they bear the loss
            lines = [*before, *self.lines, *after]
            for sequence, line in enumerate(lines, 1):
                line.sequence = sequence
            self.lines = lines
            self.save()

    def _set_pool_lines(self):
        pool = Pool()
        Line = pool.get('coop.surplus.line')
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
        # What the members bear of a loss is cleared as what they get
        covers = {
            p.line for p in self.pools if p.line.kind == 'loss_cover'}
        if covers:
            Line.write(list(covers), {
                    'account': Line.get_account('patronage', self.company)})
