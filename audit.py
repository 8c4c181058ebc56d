# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What an auditor asks of a fiscal year, as tables that add up"""
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.i18n import gettext
from trytond.model import ModelStorage, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .figures import fetch
from .spreadsheet import Table

# The last days overdue of each age, the oldest has none
AGES = [0, 30, 60, 90, None]
# How a kind of share move counts
KINDS = [
    'issue', 'redemption', 'allocation', 'transfer', 'conversion', 'loss',
    'revaluation']
ZERO = Decimal(0)


def get_age(maturity, date):
    """Return the index of the age of what was due on the maturity

    The index is that of `AGES`, None without a maturity.
    """
    if not maturity:
        return
    days = (date - maturity).days
    for i, last in enumerate(AGES):
        if last is None or days <= last:
            return i


class Audit:
    "The tables of the fiscal year"

    def __init__(self, fiscalyear):
        self.fiscalyear = fiscalyear
        self.company = fiscalyear.company
        self.start, self.end = fiscalyear.start_date, fiscalyear.end_date

    @property
    def tables(self):
        return [
            self.journals, self.trial_balance, self.lead_schedules,
            self.open_items, self.shares, self.funds, self.actions,
            self.control]

    @staticmethod
    def _table(name, columns, rows):
        "Return the table: its columns are fields or ids of messages"
        pool = Pool()

        def title(column):
            if isinstance(column, tuple):
                model, field = column
                return pool.get(model).__names__(field)['field']
            return gettext(f'coop.msg_audit_{column}')
        return Table(
            name, gettext(f'coop.msg_audit_table_{name}'),
            [title(c) for c in columns], rows)

    @cached_property
    def _accounts(self):
        "The accounts of the company by id, in the order of their codes"
        Account = Pool().get('account.account')
        with Transaction().set_context(active_test=False):
            accounts = Account.search([
                    ('company', '=', self.company.id),
                    ], order=[('code', 'ASC'), ('id', 'ASC')])
        return {a.id: a for a in accounts}

    def _lines(self):
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        FiscalYear = pool.get('account.fiscalyear')
        line, move = Line.__table__(), Move.__table__()
        period, year = Period.__table__(), FiscalYear.__table__()
        tables = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(year, condition=period.fiscalyear == year.id))
        where = (
            (move.company == self.company.id) & (move.state == 'posted'))
        return tables, line, move, year, where

    @cached_property
    def journals(self):
        "Each line of the year, by journal and number"
        pool = Pool()
        Line = pool.get('account.move.line')
        tables, line, move, year, where = self._lines()
        ids = [id_ for id_, in fetch(tables.select(
                    line.id,
                    where=where & (year.id == self.fiscalyear.id),
                    order_by=[
                        move.journal, move.date, move.number, line.id]))]
        rows = []
        for sub_ids in grouped_slice(ids, SLICE):
            for l in Line.browse(list(sub_ids)):
                origin = l.move.origin or l.origin
                rows.append([
                        l.move.journal.code, l.move.journal.name,
                        l.move.number, l.move.date, l.move.post_date,
                        l.account.code, l.account.name,
                        l.party.code if l.party else None,
                        l.party.name if l.party else None,
                        origin.rec_name
                        if isinstance(origin, ModelStorage) else origin,
                        l.description_used or l.move_description_used,
                        l.debit, l.credit,
                        l.reconciliation.rec_name
                        if l.reconciliation else None,
                        l.move.create_uid.name if l.move.create_uid else None,
                        ])
        return self._table('journals', [
                'journal_code', ('account.move', 'journal'),
                ('account.move', 'number'), ('account.move', 'date'),
                ('account.move', 'post_date'),
                'account_code', ('account.move.line', 'account'),
                'party_code', ('account.move.line', 'party'),
                ('account.move', 'origin'), ('account.move', 'description'),
                ('account.move.line', 'debit'),
                ('account.move.line', 'credit'),
                ('account.move.line', 'reconciliation'), 'entered_by',
                ], rows)

    @property
    def moves(self):
        """The moves of the year, but for those that close the result

        Who continues the books closes it as he does.
        """
        Move = Pool().get('account.move')
        return Move.search([
                ('company', '=', self.company.id),
                ('period.fiscalyear', '=', self.fiscalyear.id),
                ('state', '=', 'posted'),
                ('journal.type', '!=', 'situation'),
                ], order=[
                ('date', 'ASC'), ('number', 'ASC'), ('id', 'ASC')])

    @cached_property
    def balances(self):
        """The opening balance, the debit and the credit of the year by account

        What the years before have not closed of their results is none of the
        accounts any more: it is under None.
        """
        tables, line, _, year, where = self._lines()
        before = year.end_date < self.start

        def amount(condition, value):
            return Sum(Case((condition, Coalesce(value, 0)), else_=0))
        result = {}
        for account, *amounts in fetch(tables.select(
                    line.account,
                    amount(before, line.debit - line.credit).as_('opening'),
                    amount(year.id == self.fiscalyear.id, line.debit).as_(
                        'debit'),
                    amount(year.id == self.fiscalyear.id, line.credit).as_(
                        'credit'),
                    where=where & (year.start_date <= self.end),
                    group_by=[line.account]),
                [None, 'NUMERIC', 'NUMERIC', 'NUMERIC']):
            opening, debit, credit = (
                self.company.currency.round(Decimal(a or 0)) for a in amounts)
            type_ = self._accounts[account].type
            if opening and type_ and type_.statement == 'income':
                rest = result.get(None, (ZERO, ZERO, ZERO))
                result[None] = (rest[0] + opening, ZERO, ZERO)
                opening = ZERO
            if opening or debit or credit:
                result[account] = opening, debit, credit
        return result

    @cached_property
    def trial_balance(self):
        rows = []
        for id_ in [*self._accounts, None]:
            if id_ not in self.balances:
                continue
            opening, debit, credit = self.balances[id_]
            account = self._accounts.get(id_)
            rows.append([
                    account.code if account else None,
                    account.name if account
                    else gettext('coop.msg_audit_not_closed'),
                    opening, debit, credit, opening + debit - credit])
        rows.append([None, gettext('coop.msg_audit_total'), *(
                    sum((r[i] for r in rows), ZERO) for i in range(2, 6))])
        return self._table('trial_balance', [
                'account_code', ('account.move.line', 'account'),
                'opening', ('account.move.line', 'debit'),
                ('account.move.line', 'credit'), 'closing'], rows)

    @cached_property
    def lead_schedules(self):
        "The accounts below each line of the balance sheet and the result"
        by_type = defaultdict(list)
        for id_, amounts in self.balances.items():
            account = self._accounts.get(id_)
            by_type[account.type if account else None].append(
                (account, amounts))

        def order(type_):
            if not type_:
                return [(1, 0)]
            path = [(0, type_.sequence or 0, type_.id)]
            while type_.parent:
                type_ = type_.parent
                path.insert(0, (0, type_.sequence or 0, type_.id))
            return path
        rows = []
        for type_ in sorted(by_type, key=order):
            schedule = [
                (account, opening, debit - credit, opening + debit - credit)
                for account, (opening, debit, credit) in sorted(
                    by_type[type_], key=lambda r: (
                        r[0].code or '' if r[0] else '',
                        r[0].id if r[0] else 0))]
            name = type_.rec_name if type_ else None
            rows.extend([
                    name, a.code if a else None,
                    a.name if a else gettext('coop.msg_audit_not_closed'),
                    *amounts] for a, *amounts in schedule)
            rows.append([name, None, gettext('coop.msg_audit_total'), *(
                        sum((r[i] for r in schedule), ZERO)
                        for i in range(1, 4))])
        return self._table('lead_schedules', [
                ('account.account', 'type'), 'account_code',
                ('account.move.line', 'account'), 'opening', 'change',
                'closing'], rows)

    @cached_property
    def _open_lines(self):
        "The lines of parties that are open at the end of the year"
        pool = Pool()
        Line = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        tables, line, move, year, where = self._lines()
        reconciliation = Reconciliation.__table__()
        accounts = [
            a.id for a in self._accounts.values()
            if a.reconcile and a.type
            and (a.type.receivable or a.type.payable)]
        if not accounts:
            return []
        ids = [id_ for id_, in fetch(tables
                .join(reconciliation, 'LEFT',
                    condition=line.reconciliation == reconciliation.id)
                .select(
                    line.id,
                    where=where & (year.start_date <= self.end)
                    & (move.date <= self.end)
                    & fields.SQL_OPERATORS['in'](line.account, accounts)
                    & ((line.reconciliation == Null)
                        | (reconciliation.date > self.end)),
                    order_by=[line.account, line.party, line.id]))]
        return [
            l for sub_ids in grouped_slice(ids, SLICE)
            for l in Line.browse(list(sub_ids))]

    @cached_property
    def open_items(self):
        rows = []
        for line in self._open_lines:
            age = get_age(line.maturity_date, self.end)
            ages = [None] * (len(AGES) + 1)
            amount = line.debit - line.credit
            ages[len(AGES) if age is None else age] = amount
            origin = line.move.origin or line.origin
            rows.append([
                    line.account.code, line.account.name,
                    line.party.code if line.party else None,
                    line.party.name if line.party else None,
                    line.move.number, line.date,
                    origin.rec_name
                    if isinstance(origin, ModelStorage) else origin,
                    line.description_used or line.move_description_used,
                    line.maturity_date, amount, *ages])
        return self._table('open_items', [
                'account_code', ('account.move.line', 'account'),
                'party_code', ('account.move.line', 'party'),
                ('account.move', 'number'), ('account.move', 'date'),
                ('account.move', 'origin'), ('account.move', 'description'),
                ('account.move.line', 'maturity_date'), 'amount',
                'age_0', 'age_30', 'age_60', 'age_90', 'age_older',
                'age_none'], rows)

    @cached_property
    def shares(self):
        "The roll-forward of the share ledger by class and vintage"
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        by = ('share_class', 'vintage')
        opening = ShareMove.holdings_at(self.company, self.start - DAY, by=by)
        closing = ShareMove.holdings_at(self.company, self.end, by=by)
        changes = self._share_changes()
        keys = opening.keys() | closing.keys() | changes.keys()
        classes = {c.id: c for c in ShareClass.browse({k[0] for k in keys})}
        rows = []
        for key in sorted(
                keys, key=lambda k: (classes[k[0]].code, k[1] or 0)):
            class_, vintage = classes[key[0]], key[1]
            held, amount = closing.get(key, (ZERO, ZERO))
            rows.append([
                    class_.code, class_.name, vintage,
                    *map(self.company.currency.round, [
                            opening.get(key, (ZERO, ZERO))[1],
                            *(changes[key][kind] for kind in KINDS),
                            amount]),
                    held])
        kinds = dict(ShareMove.kind.selection)
        table = self._table('shares', [
                ('coop.share.class', 'code'), ('coop.share.class', 'name'),
                ('coop.share.move', 'vintage'), 'opening',
                *(f'kind_{kind}' for kind in KINDS if kind in kinds),
                'closing', ('coop.share.move', 'quantity')], rows)
        return table

    def _share_changes(self):
        """Return the changes by class and vintage, and kind

        A reversal counts as what it takes back, an opening as an issue.
        """
        ShareMove = Pool().get('coop.share.move')
        move, reversed_ = ShareMove.__table__(), ShareMove.__table__()
        kind = Coalesce(reversed_.kind, move.kind)
        # What passes between members of the same class and vintage is none
        amount = (
            Case((move.to_member != Null, move.amount), else_=0)
            - Case((move.from_member != Null, move.amount), else_=0))
        changes = defaultdict(lambda: dict.fromkeys(KINDS, ZERO))
        for class_, vintage, name, value in fetch(move
                .join(reversed_, 'LEFT',
                    condition=move.reversal_of == reversed_.id)
                .select(
                    move.share_class, move.vintage, kind.as_('kind'),
                    Sum(amount).as_('amount'),
                    where=(move.company == self.company.id)
                    & (move.state == 'done')
                    & (move.date >= self.start) & (move.date <= self.end),
                    group_by=[move.share_class, move.vintage, kind]),
                [None, None, None, 'NUMERIC']):
            name = 'issue' if name == 'opening' else name
            changes[class_, vintage][name] += self.company.currency.round(
                Decimal(value))
        return changes

    @cached_property
    def funds(self):
        "What the funds were given and have used or paid"
        Fund = Pool().get('coop.fund')
        rows = []
        with Transaction().set_context(active_test=False):
            funds = Fund.search([
                    ('company', '=', self.company.id),
                    ], order=[('name', 'ASC'), ('id', 'ASC')])
        for fund in funds:
            used, given = fund.sum_lines(self.start, self.end)
            rows.append([
                    fund.name, fund.payee.name if fund.is_debt else None,
                    fund.account.code, fund.account.name,
                    fund.get_balance_at(self.start - DAY), given, used,
                    fund.get_balance_at(self.end)])
        return self._table('funds', [
                ('coop.fund', 'name'), ('coop.fund', 'payee'),
                'account_code', ('coop.fund', 'account'), 'opening', 'given',
                'used', 'closing'], rows)

    @cached_property
    def actions(self):
        "Who did what with which document, and when"
        Log = Pool().get('ir.model.log')
        start, end = (
            dt.datetime.combine(d, dt.time()) for d in [
                self.start, self.end + DAY])
        logs = Log.search([
                ('event', 'in', ['button', 'transition']),
                ('create_date', '>=', start),
                ('create_date', '<', end),
                ('resource', 'like', 'coop.%'),
                ], order=[('create_date', 'ASC'), ('id', 'ASC')])
        # What was only prepared may be deleted since
        left = self._existing(l.resource for l in logs)
        rows = []
        for log in logs:
            record = log.resource
            if record not in left:
                continue
            company = getattr(record, 'company', None)
            if company and company != self.company:
                continue
            rows.append([
                    log.create_date, log.user.name if log.user else None,
                    record.__names__()['model'], record.rec_name,
                    log.action or log.target])
        return self._table('actions', [
                'when', 'user', 'document_kind', 'document', 'action'], rows)

    @staticmethod
    def _existing(records):
        "Return those of the records that are there"
        ids = defaultdict(set)
        for record in records:
            if isinstance(record, ModelStorage):
                ids[record.__class__].add(record.id)
        existing = set()
        with Transaction().set_context(active_test=False):
            for Model, model_ids in ids.items():
                for sub_ids in grouped_slice(model_ids):
                    existing.update(Model.search([
                                ('id', 'in', list(sub_ids)),
                                ]))
        return existing

    @cached_property
    def control(self):
        "What must be equal, side by side"
        debit, credit = (
            sum((row[i] for row in self.journals.rows), ZERO)
            for i in [11, 12])
        total = self.trial_balance.rows[-1]
        open_items = defaultdict(Decimal)
        for line in self._open_lines:
            open_items[line.account.id] += line.debit - line.credit
        checks = [
            (gettext('coop.msg_audit_check_debit'), debit, total[3]),
            (gettext('coop.msg_audit_check_credit'), credit, total[4]),
            (gettext('coop.msg_audit_check_balance'), ZERO, total[5]),
            ]
        for id_, account in self._accounts.items():
            if (account.reconcile and account.type and (
                        account.type.receivable or account.type.payable)
                    and id_ in self.balances):
                opening, debit, credit = self.balances[id_]
                checks.append((
                        gettext('coop.msg_audit_check_open',
                            account=account.rec_name),
                        open_items[id_], opening + debit - credit))
        checks.extend(self._share_checks())
        return self._table(
            'control', ['what', 'ledger', 'books', 'difference'], [
                [what, ledger, books, ledger - books]
                for what, ledger, books in checks])

    def _share_checks(self):
        "Compare the classes with the accounts of their capital"
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        held = ShareMove.holdings_at(
            self.company, self.end, by=('share_class',))
        by_account = defaultdict(Decimal)
        with Transaction().set_context(active_test=False):
            classes = ShareClass.search([
                    ('company', '=', self.company.id),
                    ])
        for class_ in classes:
            by_account[class_.account_capital] += held.get(
                (class_.id,), (ZERO, ZERO))[1]
        for account, amount in by_account.items():
            opening, debit, credit = self.balances.get(
                account.id, (ZERO, ZERO, ZERO))
            yield (
                gettext(
                    'coop.msg_audit_check_shares', account=account.rec_name),
                amount, credit - debit - opening)
