# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import Counter, defaultdict
from decimal import Decimal
from functools import cached_property

from trytond.i18n import gettext
from trytond.model.fields.selection import TranslatedSelection
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly_table import Table, title
from .figures import Row, total
from .formats import write_number

# The upper limits of the bands of patronage, so that nobody is named
BANDS = [10, 50, 100, 250, 500, 1000]

line_basis = TranslatedSelection('basis').__get__


class SurplusFigures:
    "What is done with the surplus"

    @cached_property
    def surplus(self):
        "The appropriation of the surplus that is furthest"
        Surplus = Pool().get('coop.surplus')
        surpluses = Surplus.search([
                ('company', '=', self.company.id),
                ('fiscalyear', '=', self.fiscalyear.id),
                ('state', '!=', 'cancelled'),
                ])
        states = ['draft', 'computed', 'approved', 'posted']
        return max(
            surpluses, key=lambda s: (states.index(s.state), s.id),
            default=None)

    @property
    def is_loss(self):
        return self.result < 0

    @property
    def result_text(self):
        return gettext(
            'coop.msg_assembly_loss_text' if self.is_loss
            else 'coop.msg_assembly_result_text',
            amount=self.formats['money'](abs(self.result)))

    @cached_property
    def sources(self):
        "What there is to appropriate"
        previous = self.previous and self.previous.surplus
        names = [
            ('result', gettext('coop.msg_assembly_result')),
            ('brought_forward', gettext('coop.msg_assembly_brought_forward')),
            ('reserve_release', gettext('coop.msg_assembly_reserve_release')),
            ]
        rows = [
            Row(name=text, amount=getattr(self.surplus, name) or Decimal(0),
                previous=getattr(previous, name) if previous else None)
            for name, text in names]
        return [
            r for i, r in enumerate(rows) if not i or r.amount or r.previous]

    @property
    def sources_total(self):
        return total(self.sources, 'amount', 'previous')

    @cached_property
    def appropriation(self):
        "The lines of the appropriation with last year beside"
        amounts = defaultdict(Decimal)
        if self.previous and self.previous.surplus:
            for line in self.previous.surplus.lines:
                amounts[line.kind, line.name] += line.computed_amount or 0
        rows = []
        for line in self.surplus.lines:
            rows.append(Row(
                    name=self._plan_names.get(line.name, line.name),
                    rule=self._get_rule(line),
                    amount=line.computed_amount,
                    previous=amounts.pop((line.kind, line.name), None)))
        for (_, name), amount in amounts.items():
            rows.append(Row(name=name, rule='', amount=None, previous=amount))
        return rows

    def _get_rule(self, line):
        lang = Pool().get('ir.lang').get()
        basis = line_basis(line, line.__class__)
        if line.amount is not None:
            return gettext('coop.msg_assembly_rule_amount')
        elif line.rate is None:
            return basis
        return gettext('coop.msg_assembly_rule_rate',
            rate=write_number(lang, line.rate * 100),
            basis=basis)

    @property
    def appropriation_total(self):
        return total(self.appropriation, 'amount', 'previous')

    @property
    def appropriation_table(self):
        money = self.formats['money']
        table = Table([
                ('amount', money, self.fiscalyear.name),
                ('previous', money,
                    self.previous.fiscalyear.name if self.previous else ''),
                ])
        for row in self.sources:
            table.add(row.name, row)
        table.add(
            gettext('coop.msg_assembly_to_appropriate'), self.sources_total,
            'total')
        for row in self.appropriation:
            table.add(row.name, row, note=row.rule)
        table.add(
            gettext('coop.msg_assembly_appropriated'),
            self.appropriation_total, 'total')
        return table

    @property
    def is_proposal(self):
        return self.surplus.state in {'draft', 'computed'}

    @cached_property
    def _plan_names(self):
        """The names of the plan's lines by their names in any language

        A line keeps the name it was filled with.
        """
        pool = Pool()
        Language = pool.get('ir.lang')
        PlanLine = pool.get('coop.surplus.plan.line')
        plan = self.surplus.plan if self.surplus else None
        names = {}
        for language in Language.search([('translatable', '=', True)]):
            with Transaction().set_context(language=language.code):
                lines = PlanLine.browse(plan.lines if plan else [])
                names.update((l.name, l.id) for l in lines)
        return {n: PlanLine(id_).name for n, id_ in names.items()}

    @cached_property
    def pools(self):
        return self._beside('_pools')

    @cached_property
    def _pools(self):
        "What is allocated per pool"
        names = Counter()
        rows = []
        for pool in self.surplus.pools if self.surplus else []:
            names[pool.name] += 1
            basis = pool.total_basis
            rows.append(Row(
                    key=(pool.name, names[pool.name]),
                    name=pool.name,
                    basis=basis,
                    gross=pool.total_gross,
                    rate=pool.total_gross / basis if basis else None,
                    cash=pool.total_cash,
                    equity=pool.total_equity,
                    patrons=pool.patrons))
        return rows

    @property
    def pools_total(self):
        return self._total('_pools', 'gross', 'cash', 'equity')

    @property
    def pools_table(self):
        money = self.formats['money']
        table = Table([
                ('basis', money),
                ('gross', money, title('allocated')),
                ('rate', self.formats['percent3']),
                ('cash', money),
                ('equity', money),
                ('patrons', self.formats['count']),
                ], label=title('pool'))
        for row in self.pools:
            table.add_years(
                self._plan_names.get(row.name, row.name), row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.pools_total, 'total')
        return table

    @property
    def bands_table(self):
        table = Table([
                ('patrons', self.formats['count']),
                ('amount', self.formats['money']),
                ], label=title('band'))
        for row in self.bands:
            table.add_years(row.label, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.bands_total, 'total')
        return table

    @cached_property
    def bands(self):
        return self._beside('_bands')

    @cached_property
    def _bands(self):
        """The distribution of what is allocated to the patrons"""
        Allocation = Pool().get('coop.patronage.allocation')
        if not self._pools:
            return []
        limits = [*BANDS, None]
        rows = [
            Row(key=low, up_to=high, label=self._get_band(low, high),
                patrons=0, amount=Decimal(0))
            for low, high in zip([0, *BANDS], limits)]
        by_party = defaultdict(Decimal)
        for allocation in Allocation.search([
                    ('pool.surplus', '=', self.surplus),
                    ]):
            by_party[allocation.party.id] += allocation.gross
        for amount in by_party.values():
            if amount > 0:
                row = next(
                    r for r in rows if r.up_to is None or amount <= r.up_to)
                row.patrons += 1
                row.amount += amount
        while rows and not rows[-1].patrons:
            rows.pop()
        return rows

    def _get_band(self, low, high):
        lang = Pool().get('ir.lang').get()
        low, high = (
            v and lang.currency(
                v, self.currency, symbol=False, grouping=True)
            for v in [low, high])
        if not low:
            return gettext('coop.msg_assembly_band_up_to', high=high)
        elif not high:
            return gettext('coop.msg_assembly_band_above', low=low)
        return gettext('coop.msg_assembly_band', low=low, high=high)

    @property
    def bands_total(self):
        return self._total('_bands', 'patrons', 'amount')
