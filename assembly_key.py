# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from functools import cached_property

from trytond.i18n import gettext
from trytond.pool import Pool

from .assembly_table import Table, text
from .figures import Row


class KeyFigures:
    "The cooperative in some figures, over the years"

    @cached_property
    def key_figures(self):
        "The figures of the year"
        total_ = self.sides[True].amount
        equity = self.equity_total.closing
        return Row(
            members=self.holders.members,
            holders=self.holders.holders,
            revenue=self.revenue,
            result=self.result,
            capital=sum((r.closing for r in self._capital), Decimal(0)),
            equity=equity,
            balance=total_,
            ratio=equity / total_ if total_ else None,
            patronage=self.pools_total.gross,
            commons=self.cost_pools_total.cost)

    @property
    def revenue(self):
        Type = Pool().get('account.account.type')
        types = Type.search([
                ('company', '=', self.company.id),
                ('statement', '=', 'income'),
                ('revenue', '=', True),
                ])
        results = self._get_results()
        return sum((results[t.id] for t in types), Decimal(0))

    @property
    def key_table(self):
        count, money = self.formats['count'], self.formats['money']
        figures = [y.key_figures for y in reversed(self.years)]
        names = [f'year{i}' for i in range(len(figures))]
        table = Table([
                (name, text, year.fiscalyear.name)
                for name, year in zip(names, reversed(self.years))])
        for name, write in {
                'members': count,
                'holders': count,
                'revenue': money,
                'result': money,
                'patronage': money,
                'commons': money,
                'capital': money,
                'equity': money,
                'balance': money,
                'ratio': self.formats['percent1'],
                }.items():
            values = [getattr(f, name) for f in figures]
            if any(values):
                table.add(
                    gettext(f'coop.msg_assembly_key_{name}'), Row(**{
                            n: write(v) for n, v in zip(names, values)}))
        return table
