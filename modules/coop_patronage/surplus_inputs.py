# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum

from trytond import backend
from trytond.pool import Pool
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from .balance import get_balances
from .category import has_usage
from .inputs import Inputs, RuleInputs, Settings

# The sources of the activity of each member ratio
RATIO_SOURCES = {
    'turnover': ['customer_invoice', 'entry'],
    'purchases': ['supplier_invoice', 'entry'],
    'hours': ['entry', 'timesheet'],
    }


def _id(record):
    return record.id if record else None


class SurplusInputs:
    "Read all that an appropriation is computed from"
    __slots__ = ()

    def get_inputs(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Consent = pool.get('coop.patronage.consent')
        result = self.get_result() + self.accrued
        sections = self.get_sections()
        ratio_categories = self._ratio_categories()
        activity = self._get_activity(ratio_categories)
        parties = {row[0] for rows in activity.values() for row in rows}
        members = {
            row[1] for rows in activity.values() for row in rows if row[1]}
        pools = tuple(p.get_inputs() for p in self.pools)
        elections = {p.id: p.get_elections(members) for p in self.pools}
        taxed, terms = {}, {}
        if any(p.withholding_rate for p in pools):
            taxed = Allocation.get_year_totals(self)
            terms = self._get_tax_terms()
        debts = next((p.get_debts(parties) for p in self.pools if p.set_off),
            {})
        kept = {}
        if any(p.minimum for p in pools):
            kept = Allocation.get_kept(self.company)
        return Inputs(
            settings=self._get_settings(ratio_categories),
            result=result,
            sections=sections,
            lines=tuple(line.get_inputs() for line in self.lines),
            rules=tuple(
                RuleInputs(
                    rule.id, rule.kind, rule.line_kind, rule.other_kind,
                    rule.rate, bool(rule.reference), rule.reference_rate,
                    rule.months, rule.days, rule.years,
                    rule.seniority_months)
                for rule in self.rules),
            balances=self._get_balances(),
            pools=pools,
            activity=activity,
            eligible={
                p.id: eligible for p, eligible in zip(
                    self.pools, map(self._get_eligible, self.pools))
                if eligible is not None},
            lifetime={
                p.id: p.get_lifetime() for p in self.pools
                if p.measure == 'lifetime'},
            seniority={
                p.id: p.get_seniority() for p in self.pools
                if p.employees or p.measure == 'tenure' or p.seniority_rate},
            elections={k: e for k, e in elections.items() if e},
            owed={
                p.id: p.get_owed(elections[p.id]) for p in self.pools
                if elections[p.id]},
            use={
                p.id: p.get_use() for p in self.pools if p.required_equity},
            holdings=self._get_holdings(
                min(result, *sections.values(), Decimal(0)),
                pools, elections, members),
            debts=debts,
            taxed={p: amounts for p, amounts in taxed.items() if p in parties},
            tax_terms={p: t for p, t in terms.items() if p in parties},
            identified=self._get_identified(pools, parties),
            kept={p: amount for p, amount in kept.items() if p in parties},
            consents=Consent.in_force(
                self.company, self.fiscalyear, members)
            if any(p.qualified for p in pools) else {},
            )

    def _get_settings(self, ratio_categories):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        return Settings(
            unit=self.currency.rounding,
            vintage=self.fiscalyear.end_date.year,
            start_date=self.fiscalyear.start_date,
            end_date=self.fiscalyear.end_date,
            recognition=self.recognition,
            posting_date=self.posting_date,
            account_surplus=self.account_surplus.id,
            brought_forward=self.brought_forward,
            account_brought_forward=_id(self.account_brought_forward),
            reserve_release=self.reserve_release,
            account_reserve_release=_id(self.account_reserve_release),
            other_result=self.other_result,
            ratio_categories={
                c.id: (c.measure, c.source == 'commons')
                for c in ratio_categories},
            fixed_ratio=(
                self.member_ratio if self.member_ratio_basis == 'fixed'
                else None),
            patronage_base=self.patronage_base,
            net_losses=self.net_losses,
            net_sections=self.nets_sections,
            income_tax=self.income_tax,
            paid_capital=self.paid_capital,
            registration_date=Configuration(1).get_multivalue(
                'registration_date', company=self.company.id)
            if any(r.kind == 'first_years' for r in self.rules) else None,
            )

    def _get_balances(self):
        "Return what the accounts hold that limit what their lines take"
        return get_balances(
            self.company, {
                a for line in self.lines
                if line.target or line.kind == 'loss_cover'
                for a in [line.account, line.target_account]},
            lambda move: (move.date <= self.fiscalyear.end_date)
            & (move.state == 'posted'))

    def _get_activity(self, ratio_categories):
        """Return the sums of the activity of the pools and of the ratio

        What is billed for the use of the commons does not count together with
        this use itself: the keys tell if it is among the categories.
        """
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        Reassignment = pool.get('coop.patronage.reassignment')
        start_date = self.fiscalyear.start_date
        end_date = self.fiscalyear.end_date
        Reassignment.check_shares(self.company, start_date, end_date)
        groups = [p.categories for p in self.pools] + [ratio_categories]
        activity = {}
        for usage in [False, True]:
            categories = {
                c for group in groups if has_usage(group) == usage
                for c in group}
            activity[usage] = sorted(
                Activity.get_sums(
                    self.company, categories, start_date, end_date),
                key=lambda row: (row[0], row[1] or 0, row[2])
                ) if categories else []
        return activity

    def _get_eligible(self, pool_):
        "Return the parties that take part in the pool, or None for all"
        pool = Pool()
        Member = pool.get('coop.member')
        if not pool_.eligible_on:
            return
        eligible = Member.members_at(self.company, pool_.eligible_on)
        if pool_.member_categories:
            categories = Member.categories_at(
                eligible.values(), pool_.eligible_on)
            allowed = set(map(int, pool_.member_categories))
            eligible = {
                p: m for p, m in eligible.items()
                if categories.get(m) in allowed}
        return frozenset(eligible)

    def _get_holdings(self, least, pools, elections, members):
        "Return the lots that bear a loss or count for a target"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        classes = {
            p.equity_class for p in pools if p.equity_class
            and (least < 0 or p.required_equity
                or any((q.amount or 0) < 0 for q in pools)
                or any(target for _, target in elections[p.key].values()))}
        if not classes:
            return {}
        # All the moves count, so that later ones can not be taken twice
        return {
            key: tuple(sorted(lots, key=str))
            for key, lots in ShareMove.lots_at(
                self.company, None, members, classes).items()}

    def _get_tax_terms(self):
        pool = Pool()
        Withholding = pool.get('coop.withholding')
        date = self.posting_date or self.fiscalyear.end_date
        terms = Withholding.in_force(self.company, date)
        if not terms:
            return {}
        exempted = Withholding.exempted(self.company, date, excluded=self)
        return {p: (t, exempted[p]) for p, t in terms.items()}

    def _get_identified(self, pools, parties):
        "Return the parties with a tax identifier, where it matters"
        pool = Pool()
        Identifier = pool.get('party.identifier')
        Party = pool.get('party.party')
        if not any(
                p.withholding_rate and p.withholding_unidentified
                for p in pools):
            return frozenset()
        return frozenset({
                i.party.id for i in Identifier.search([
                        ('type', 'in', Party.tax_identifier_types()),
                        ])} & parties)

    @property
    def nets_sections(self):
        "Whether sections bear the losses of others"
        return False

    def get_section_name(self, section):
        raise NotImplementedError

    def get_sections(self):
        "Return the results by section of the business, where there are any"
        return {}

    def _get_income(self):
        "Return the table of the income of the year, its lines and the clause"
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Move = pool.get('account.move')
        Line = pool.get('account.move.line')
        Period = pool.get('account.period')
        account = Account.__table__()
        account_type = AccountType.__table__()
        move = Move.__table__()
        line = Line.__table__()
        period = Period.__table__()
        table = (line
            .join(move, condition=line.move == move.id)
            .join(period, condition=move.period == period.id)
            .join(account, condition=line.account == account.id)
            .join(account_type, condition=account.type == account_type.id))
        return table, line, (
            (period.fiscalyear == self.fiscalyear.id)
            & (account_type.statement == 'income')
            & (move.state == 'posted')
            & ((move.origin == Null)
                | (move.origin != str(self.fiscalyear))))

    def get_result(self):
        "Return the result of the year without the closing move"
        cursor = Transaction().connection.cursor()
        table, line, where = self._get_income()
        query = table.select(
            Sum(line.credit - line.debit).as_('result'), where=where)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC'])
        cursor.execute(*query)
        result, = cursor.fetchone()
        return self.currency.round(result or Decimal(0))

    def _ratio_categories(self):
        pool = Pool()
        Category = pool.get('coop.patronage.category')
        if self.member_ratio_basis == 'fixed':
            return set()
        if self.member_ratio_categories:
            return set(self.member_ratio_categories)
        measure = (
            'quantity' if self.member_ratio_basis == 'hours' else 'amount')
        return set(Category.search([
                    ('company', '=', self.company.id),
                    ('measure', '=', measure),
                    ('source', 'in', RATIO_SOURCES[self.member_ratio_basis]),
                    ]))
