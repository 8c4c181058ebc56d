# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from sql import Null
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool

from .assembly_table import Table, title
from .figures import Row, fetch


class NotesFigures:
    "The notes on the accounts, which the accounts refer to"

    @cached_property
    def notes(self):
        "The notes that have something to tell, with their numbers"
        notes = []
        for get in [
                self._get_policies, self._get_capital_note,
                self._get_leavers_note, self._get_vintages_note,
                self._get_reserves_note, self._get_patronage_note,
                self._get_settlement_note, self._get_related_note]:
            note = get()
            if note:
                note.number = len(notes) + 1
                note.tables = [t for t in note.tables if t]
                notes.append(note)
        return notes

    @cached_property
    def notes_by_type(self):
        "The numbers of the notes by the type of the accounts they are on"
        numbers = defaultdict(set)
        for note in self.notes:
            for account in note.accounts:
                if account:
                    numbers[account.type].add(note.number)
        return {
            type_: ', '.join(map(str, sorted(n)))
            for type_, n in numbers.items()}

    def _note(self, name, texts=(), tables=(), accounts=()):
        return Row(
            title=gettext(f'coop.msg_assembly_note_{name}'),
            texts=[*texts], tables=[*tables], accounts=[*accounts])

    def _get_configured(self, *names):
        Configuration = Pool().get('coop.patronage.configuration')
        configuration = Configuration(1)
        return [
            configuration.get_multivalue(
                f'account_{n}', company=self.company.id) for n in names]

    def _get_policies(self):
        texts = ['policy_basis', 'policy_capital', 'policy_leavers']
        if any(r.value for r in self._resources):
            texts.append('policy_assets')
        recognition = (
            self.surplus.recognition if self.surplus else 'appropriation')
        texts.append(
            'policy_appropriation' if recognition == 'appropriation'
            else 'policy_accrued')
        if self._cost_pools:
            texts.append('policy_commons')
        return self._note('policies', [
                gettext(f'coop.msg_assembly_{text}',
                    currency=self.currency.rec_name)
                for text in texts])

    def _get_capital_note(self):
        if self.holdings:
            return self._note('capital',
                [gettext('coop.msg_assembly_capital_text')],
                [self.holdings_table],
                [a for c in self.share_classes for a in [
                        c.account_capital, c.account_unpaid,
                        c.account_subscribed]])

    def _get_leavers_note(self):
        accounts = {c.account_redemption for c in self.share_classes}
        due = self._get_due_table(accounts)
        if due or self._queue:
            texts, tables = [], [due]
            if due:
                texts.append(gettext('coop.msg_assembly_leavers_text'))
            if self._queue:
                texts.append(gettext('coop.msg_assembly_queue_text',
                    amount=self.formats['money'](self.queue_total.amount)))
                tables.append(self.queue_table)
            return self._note('leavers', texts, tables, accounts)

    def _get_vintages_note(self):
        table = self.vintages_table
        if table:
            return self._note('vintages',
                [gettext('coop.msg_assembly_vintages_text')], [table], [
                    c.account_capital for c in self.share_classes
                    if c.kind == 'allocated'])

    def _get_reserves_note(self):
        Fund = Pool().get('coop.fund')
        capital = {c.account_capital for c in self.share_classes}
        funds = Fund.search([('company', '=', self.company.id)])
        reserves = {f.account for f in funds if f.kind == 'reserve'}
        reserves.update(filter(None, self._get_configured(
                    'reserve', 'other_reserve', 'fund', 'carry_forward')))
        money = self.formats['money']
        table = Table([('opening', money), ('closing', money)])
        for row in self.equity:
            if row.key in reserves - capital:
                table.add(row.name, row)
        due = Table([('amount', money)], label=title('payee'))
        owed = {f.account for f in funds if f.kind != 'reserve'}
        for party, amount in self._get_open(owed, 'party').items():
            due.add(party.rec_name if party else '', Row(amount=amount))
        if table or due:
            return self._note('reserves', [], [
                    table, due, self._get_due_table(owed)],
                reserves | owed)

    def _get_patronage_note(self):
        accounts = set(self._get_configured(
                'patronage_payable', 'savings', 'toward_shares'))
        table = self._get_due_table(accounts)
        if table:
            return self._note('patronage',
                [gettext('coop.msg_assembly_patronage_text')], [table],
                accounts)

    def _get_settlement_note(self):
        if self.settlements:
            return self._note('settlement',
                [gettext('coop.msg_assembly_settlement_text')],
                [self.settlements_table],
                {r.settlement.cost_pool.settlement_account
                    for r in self.settlements})

    def _get_related_note(self):
        "Return what the officers have to do with the cooperative"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareMove = pool.get('coop.share.move')
        parties = list(dict.fromkeys(o.party for o in self.offices))
        members = {
            m.party: m for m in Member.search([
                    ('company', '=', self.company.id),
                    ('party', 'in', [p.id for p in parties]),
                    ])}
        holdings = ShareMove.holdings_at(
            self.company, self.end, members=list(members.values()),
            by=('member',)) if members else {}
        open_ = self._get_party_balances(parties)
        money = self.formats['money']
        table = Table([('shares', money), ('owes', money), ('has', money)])
        for party in parties:
            member = members.get(party)
            row = Row(
                shares=holdings.get(
                    (member.id if member else None,), (0, Decimal(0)))[1],
                owes=open_[party.id].owes, has=open_[party.id].has)
            table.add(party.rec_name, row)
        if parties:
            text = 'related_text' if table else 'related_none'
            return self._note('related',
                [gettext(f'coop.msg_assembly_{text}')], [table])

    def _get_party_balances(self, parties):
        "Return what the parties owe and have to get at the end of the year"
        balances = defaultdict(
            lambda: Row(owes=Decimal(0), has=Decimal(0)))
        for (party, _), amount in self._get_lines(
                parties=[p.id for p in parties]).items():
            balances[party].owes += max(-amount, 0)
            balances[party].has += max(amount, 0)
        return balances

    def _get_lines(self, accounts=None, parties=None):
        "Return the credit by party and account at the end of the year"
        pool = Pool()
        Account = pool.get('account.account')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Type = pool.get('account.account.type')
        account = Account.__table__()
        line = Line.__table__()
        move = Move.__table__()
        type_ = Type.__table__()
        in_ = fields.SQL_OPERATORS['in']
        where = (
            (move.company == self.company.id)
            & (move.state == 'posted')
            & (move.date <= self.end))
        if accounts is not None:
            where &= in_(line.account, accounts)
        if parties is not None:
            where &= in_(line.party, parties)
            where &= type_.receivable | type_.payable
        query = (line
            .join(move, condition=line.move == move.id)
            .join(account, condition=line.account == account.id)
            .join(type_, condition=account.type == type_.id)
            .select(
                line.party, line.account,
                Sum(line.credit - line.debit).as_('amount'),
                where=where, group_by=[line.party, line.account]))
        return {
            (party, account): self.currency.round(Decimal(amount))
            for party, account, amount in fetch(
                query, [None, None, 'NUMERIC'])}

    def _get_open(self, accounts, name):
        "Return what the accounts owe to each party"
        Party = Pool().get('party.party')
        amounts = defaultdict(Decimal)
        ids = [a.id for a in accounts if a]
        if ids:
            for (party, _), amount in self._get_lines(ids).items():
                amounts[party] += amount
        return {
            Party(p) if p else None: a for p, a in amounts.items() if a}

    def _get_due_table(self, accounts):
        "Return the table of what is owed by the year it is due"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Reconciliation = pool.get('account.move.reconciliation')
        table = Table(
            [('amount', self.formats['money'])], label=title('due'))
        ids = [a.id for a in accounts if a]
        if not ids:
            return table
        line = Line.__table__()
        move = Move.__table__()
        reconciliation = Reconciliation.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .join(reconciliation, 'LEFT',
                condition=line.reconciliation == reconciliation.id)
            .select(
                line.maturity_date.as_('date'),
                Sum(line.credit - line.debit).as_('amount'),
                where=(move.company == self.company.id)
                & (move.state == 'posted')
                & (move.date <= self.end)
                & ((line.reconciliation == Null)
                    | (reconciliation.date > self.end))
                & fields.SQL_OPERATORS['in'](line.account, ids),
                group_by=line.maturity_date))
        amounts = defaultdict(Decimal)
        for date, amount in fetch(query, ['DATE', 'NUMERIC']):
            if not date:
                key = (9999, gettext('coop.msg_assembly_due_open'))
            elif date <= self.end:
                key = (0, gettext('coop.msg_assembly_due_past'))
            else:
                key = (date.year, str(date.year))
            amounts[key] += Decimal(amount)
        rows = [
            (label, Row(amount=self.currency.round(amount)))
            for (_, label), amount in sorted(amounts.items()) if amount]
        for label, row in rows:
            table.add(label, row)
        if len(rows) > 1:
            table.add(gettext('coop.msg_assembly_total'), Row(
                    amount=sum(r.amount for _, r in rows)), 'total')
        return table
