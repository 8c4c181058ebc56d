# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from sql import Null
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import sum_tree
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly_table import Table, text
from .figures import Row, fetch

_STYLES = ['total', 'indent', 'indent2']


class AccountsFigures:
    "The income statement and the balance sheet"

    def _get_statement_table(self):
        money = self.formats['money']
        return Table([
                ('notes', text),
                ('amount', money, self.fiscalyear.name),
                ('previous', money,
                    self.previous.fiscalyear.name if self.previous else ''),
                ])

    def _add_types(self, table, rows):
        for row in rows:
            row.notes = self.notes_by_type.get(row.type, '')
            table.add(row.name, row, _STYLES[min(row.depth, 2)])

    @property
    def balance_sheet_table(self):
        "The sides of the balance sheet, each with its total"
        table = self._get_statement_table()
        for assets, name in [
                (True, 'total_assets'), (False, 'total_liabilities')]:
            self._add_types(table, [
                    r for r in self.balance_sheet if r.assets == assets])
            table.add(
                gettext(f'coop.msg_assembly_{name}'), self.sides[assets],
                'total')
        return table

    @cached_property
    def sides(self):
        "The totals of the balance sheet: those of the assets by True"
        sides = {}
        for assets in [True, False]:
            rows = [
                r for r in self.balance_sheet
                if r.assets == assets and not r.depth]
            sides[assets] = Row(
                amount=sum((r.amount for r in rows), Decimal(0)),
                previous=sum((r.previous or 0 for r in rows), Decimal(0)))
        return sides

    @property
    def income_statement_table(self):
        table = self._get_statement_table()
        rows = self.income_statement
        if len([r for r in rows if not r.depth]) == 1:
            # The only root is the result, which is the total
            rows = [
                Row(**{**vars(r), 'depth': r.depth - 1}) for r in rows[1:]]
        self._add_types(table, rows)
        table.add(
            gettext('coop.msg_assembly_result'), Row(
                amount=self.result,
                previous=self.previous.result if self.previous else None),
            'total')
        return table

    @cached_property
    def income_statement(self):
        return self._get_statement('income')

    @cached_property
    def balance_sheet(self):
        rows = self._get_statement('balance')
        # The result is part of the equity once the year is closed
        results = []
        for name in ['amount', 'previous']:
            roots = [r for r in rows if not r.depth]
            results.append(sum(
                    (getattr(r, name) or 0) * (1 if r.assets else -1)
                    for r in roots))
        if any(results):
            rows.append(Row(
                    type=None, name=gettext('coop.msg_assembly_result'),
                    depth=0, assets=False,
                    amount=results[0], previous=results[1]))
        return rows

    def _get_statement(self, statement):
        "Return the rows of the types with the last year beside"
        Type = Pool().get('account.account.type')
        types = Type.search([
                ('company', '=', self.company.id),
                ('statement', '=', statement),
                ])
        amounts = self._get_amounts(types, statement)
        previous = {}
        if self.previous:
            previous = self.previous._get_amounts(types, statement)
        childs = defaultdict(list)
        for type_ in types:
            parent = type_.parent if type_.parent in types else None
            childs[parent].append(type_)
        rows = []

        # The result is part of the equity until the year is closed
        results = {t.parent for t in Type.search([
                    ('parent', 'in', [t.id for t in types]),
                    ('statement', '!=', statement),
                    ])}

        def result(type_, amounts):
            if amounts:
                return amounts[type_.id] - sum(
                    amounts[t.id] for t in childs[type_])

        def has_assets(type_):
            return type_.assets or any(map(has_assets, childs[type_]))

        def add(parent, depth, assets):
            for type_ in sorted(
                    childs[parent], key=lambda t: (t.sequence or 0, t.id)):
                if depth == 0:
                    assets = has_assets(type_)
                type_rows = [Row(
                        type=type_, name=type_.name, depth=depth,
                        assets=assets, amount=amounts[type_.id],
                        previous=previous.get(type_.id))]
                if type_ in results:
                    type_rows.append(Row(
                            type=None,
                            name=gettext('coop.msg_assembly_result'),
                            depth=depth + 1, assets=assets,
                            amount=result(type_, amounts),
                            previous=result(type_, previous)))
                # Charts do not mark all the types of the assets' side
                if bool(type_.assets) != assets:
                    for row in type_rows:
                        row.amount = 0 - row.amount
                        if row.previous is not None:
                            row.previous = 0 - row.previous
                row, *of_result = type_rows
                if any(r.amount or r.previous for r in type_rows):
                    rows.append(row)
                    if statement == 'balance':
                        rows.extend(self._get_notices(type_, depth + 1))
                    add(type_, depth + 1, assets)
                    rows.extend(
                        r for r in of_result if r.amount or r.previous)
        add(None, 0, False)
        return rows

    def _get_notices(self, type_, depth):
        """Return the rows of what is not equity for good within the capital

        The shares under notice are equity until the exit, and a debt from the
        day after: Germany, HGB § 337 (1).  By IFRIC 2 what members may ask
        back is a liability.
        """
        for name, rows, value in [
                ('notice', '_queue', 'amount'),
                ('liability', '_holdings', 'liability')]:
            amounts = [
                sum((getattr(r, value) for r in getattr(year, rows)
                        if r.share_class.account_capital.type == type_),
                    Decimal(0)) if year else None
                for year in [self, self.previous]]
            if any(amounts):
                yield Row(
                    type=None, name=gettext(f'coop.msg_assembly_{name}'),
                    depth=depth, assets=False, amount=amounts[0],
                    previous=amounts[1])

    def _get_amounts(self, types, statement):
        Type = Pool().get('account.account.type')
        if statement == 'balance':
            with Transaction().set_context(
                    company=self.company.id, date=self.end, posted=True,
                    cumulate=True):
                return {t.id: t.amount for t in Type.browse(types)}
        return sum_tree(types, self._get_results())

    def _get_results(self):
        "Return the income of the year by type, without the closing move"
        pool = Pool()
        Account = pool.get('account.account')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        account = Account.__table__()
        line = Line.__table__()
        move = Move.__table__()
        period = Period.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .select(
                account.type, Sum(line.credit - line.debit).as_('amount'),
                where=(period.fiscalyear == self.fiscalyear.id)
                & (move.state == 'posted')
                & ((move.origin == Null)
                    | (move.origin != str(self.fiscalyear))),
                group_by=account.type))
        return defaultdict(Decimal, (
                (type_, self.currency.round(Decimal(amount)))
                for type_, amount in fetch(query, [None, 'NUMERIC'])))

    @cached_property
    def result(self):
        return sum(
            (r.amount for r in self.income_statement if not r.depth),
            Decimal(0))

    @property
    def result_chart(self):
        name = gettext('coop.msg_assembly_result')
        if len(self.years) > 1:
            return self._chart([(name, [y.result for y in self.years])])
        # The first year is shown as it went on
        labels, amounts = zip(*self._get_monthly_results())
        return self._chart([(name, amounts)], labels=labels)

    def _get_monthly_results(self):
        "Return the label and the result of each month"
        pool = Pool()
        Account = pool.get('account.account')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        Type = pool.get('account.account.type')
        account = Account.__table__()
        line = Line.__table__()
        move = Move.__table__()
        period = Period.__table__()
        type_ = Type.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .join(type_, condition=account.type == type_.id)
            .select(
                move.date.as_('date'),
                Sum(line.credit - line.debit).as_('amount'),
                where=(period.fiscalyear == self.fiscalyear.id)
                & (type_.statement == 'income')
                & (move.state == 'posted')
                & ((move.origin == Null)
                    | (move.origin != str(self.fiscalyear))),
                group_by=move.date))
        amounts = defaultdict(Decimal)
        for date, amount in fetch(query, ['DATE', 'NUMERIC']):
            amounts[date.year, date.month] += Decimal(amount)
        return [
            (label, amounts[month]) for label, month in self.months]
