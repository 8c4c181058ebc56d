# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool
from trytond.transaction import inactive_records

from .assembly_table import Table
from .figures import Row, fetch, total

COLUMNS = [
    'opening', 'subscribed', 'redeemed', 'allocated', 'appropriated',
    'result', 'other', 'closing']
# The column of what posts to an equity account
ORIGINS = {
    'coop.share.subscription': 'subscribed',
    'coop.share.redemption': 'redeemed',
    'coop.equity.revolvement': 'redeemed',
    'coop.patronage.pool': 'allocated',
    'coop.equity.retain': 'allocated',
    'coop.surplus': 'appropriated',
    'account.fiscalyear': 'result',
    }
_CONFIGURED = [
    'account_surplus', 'account_carry_forward', 'account_reserve',
    'account_other_reserve']


class EquityFigures:
    "How the equity came from its opening to its closing"

    @cached_property
    def equity_accounts(self):
        "The accounts of what belongs to the members together"
        pool = Pool()
        Account = pool.get('account.account')
        Configuration = pool.get('coop.patronage.configuration')
        Type = pool.get('account.account.type')
        configuration = Configuration(1)
        accounts = {c.account_capital for c in self.share_classes} | {
            configuration.get_multivalue(name, company=self.company.id)
            for name in _CONFIGURED}

        # The highest type above them that holds nothing else
        foreign = set()
        for type_ in Type.search([
                    ('company', '=', self.company.id),
                    ['OR',
                        ('receivable', '=', True),
                        ('payable', '=', True),
                        ('assets', '=', True),
                        ],
                    ]):
            while type_:
                foreign.add(type_)
                type_ = type_.parent
        types = set()
        for account in filter(None, accounts):
            type_ = account.type
            while type_.parent and type_.parent not in foreign:
                type_ = type_.parent
            types.add(type_.id)
        with inactive_records():
            return Account.search([
                    ('company', '=', self.company.id),
                    ('type', 'where', [
                            ('parent', 'child_of', list(types)),
                            ('statement', '=', 'balance'),
                            ]),
                    ], order=[('code', 'ASC'), ('id', 'ASC')])

    def get_changes(self, accounts):
        """Return the credit of the accounts before and in the year

        It is by account and by the model of the origin, which is None for
        what was there before the year.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        line = Line.__table__()
        move = Move.__table__()
        origin = Case((move.date < self.start, Null), else_=move.origin)
        before = Case((move.date < self.start, 1), else_=0)
        lines = (line
            .join(move, condition=line.move == move.id)
            .select(
                line.account.as_('account'),
                before.as_('before'),
                origin.as_('origin'),
                (line.credit - line.debit).as_('amount'),
                where=(move.company == self.company.id)
                & (move.state == 'posted')
                & (move.date <= self.end)
                & fields.SQL_OPERATORS['in'](
                    line.account, [a.id for a in accounts])))
        query = lines.select(
            lines.account, lines.before, lines.origin,
            Sum(lines.amount).as_('amount'),
            group_by=[lines.account, lines.before, lines.origin])
        changes = defaultdict(lambda: defaultdict(Decimal))
        for account, before, origin, amount in fetch(
                query, [None, None, None, 'NUMERIC']):
            model = None if before else (origin or '').split(',')[0]
            changes[account][model] += self.currency.round(Decimal(amount))
        return changes

    def _get_row(self, changes):
        row = Row(**dict.fromkeys(COLUMNS, Decimal(0)))
        for model, amount in changes.items():
            name = 'opening' if model is None else ORIGINS.get(
                model, 'other')
            setattr(row, name, getattr(row, name) + amount)
        row.closing = sum(getattr(row, n) for n in COLUMNS)
        return row

    @cached_property
    def equity(self):
        "The rows of the statement of changes, which add up to the ledger"
        changes = self.get_changes(self.equity_accounts)
        capital = defaultdict(list)
        rows = []
        for row in self._capital:
            row = Row(
                key=row.key, name=row.share_class.name,
                opening=row.opening, subscribed=row.issued,
                redeemed=row.redeemed, allocated=row.allocated,
                appropriated=row.lost, result=Decimal(0),
                other=row.converted, closing=row.closing)
            capital[row.key.account_capital].append(row)
            rows.append(row)
        for account in self.equity_accounts:
            row = self._get_row(changes[account.id])
            if account in capital:
                # What the ledger has beside the shares
                row = Row(**{
                        n: getattr(row, n) - sum(
                            getattr(r, n) for r in capital[account])
                        for n in COLUMNS})
            row.key, row.name = account, account.name
            if any(getattr(row, n) for n in COLUMNS):
                rows.append(row)
        row = self._get_row(self._get_income_changes())
        if any(getattr(row, n) for n in COLUMNS):
            row.key = None
            row.name = gettext('coop.msg_assembly_result')
            rows.append(row)
        return rows

    def _get_income_changes(self):
        "Return the income, which is equity that is not closed yet"
        Account = Pool().get('account.account')
        with inactive_records():
            accounts = Account.search([
                    ('company', '=', self.company.id),
                    ('type.statement', '=', 'income'),
                    ])
        changes = defaultdict(Decimal)
        for by_model in self.get_changes(accounts).values():
            for model, amount in by_model.items():
                if model is not None:
                    model = 'account.fiscalyear'
                changes[model] += amount
        return changes

    @cached_property
    def equity_total(self):
        return total(self.equity, *COLUMNS)

    @property
    def equity_table(self):
        table = Table([(n, self.formats['money']) for n in COLUMNS])
        for row in self.equity:
            table.add(row.name, row)
        table.add(
            gettext('coop.msg_assembly_total'), self.equity_total, 'total')
        if self.previous and self.previous.equity:
            table.add(
                gettext('coop.msg_assembly_last_year'),
                self.previous.equity_total, 'last')
        return table
