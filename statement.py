# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case

from trytond.model import fields
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, check_access, without_check_access

from .figures import Row, fetch


def members_of(company, fiscalyear):
    "Return the members who were it on any day of the fiscal year"
    Membership = Pool().get('coop.membership')
    with check_access():
        memberships = Membership.search([
                ('member.company', '=', company.id),
                ('start_date', '<=', fiscalyear.end_date),
                ['OR',
                    ('end_date', '=', None),
                    ('end_date', '>=', fiscalyear.start_date),
                    ],
                ])
    return {m.member for m in memberships}


class Statements:
    """What members of a company have to do with it in a fiscal year.

    Everything is read for all the members together.
    """

    def __init__(self, fiscalyear, members):
        self.fiscalyear = fiscalyear
        self.company = fiscalyear.company
        self.start = fiscalyear.start_date
        self.end = fiscalyear.end_date
        self.members = members
        self.ids = [m.id for m in members]

    def __iter__(self):
        pool = Pool()
        Date = pool.get('ir.date')
        today = Date.today()
        shares = self._get_shares()
        vintages = self._get_vintages()
        allocations = self._get_allocations()
        dividends = self._get_dividends()
        usages = self._get_usages()
        costs = self._get_costs()
        balances = self._get_balances()
        for member in self.members:
            for recipient in member.recipients(today):
                yield Row(
                    member=member,
                    party=recipient,
                    address=recipient.address_get(),
                    shares=shares[member.id],
                    vintages=vintages[member.id],
                    allocations=allocations[member.id],
                    dividends=dividends[member.id],
                    usages=usages[member.id],
                    costs=costs[member.id],
                    balance=balances[member.party.id])

    def _get_shares(self):
        "Return the rows per class, from the opening to the closing holding"
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        opening = ShareMove.holdings_at(
            self.company, self.start - DAY, members=self.ids)
        closing = ShareMove.holdings_at(
            self.company, self.end, members=self.ids)
        moves = self._get_moves()
        paid = defaultdict(Decimal)
        with Transaction().set_context(
                company=self.company.id, date=self.end):
            for sub_ids in grouped_slice(self.ids, 500):
                for holding in Holding.search([
                            ('member', 'in', list(sub_ids))]):
                    key = holding.member.id, holding.share_class.id
                    paid[key] += holding.paid_amount or 0
        rows = defaultdict(list)
        none = (Decimal(0), Decimal(0))
        for key in sorted({*opening, *closing, *moves}):
            member, share_class = key
            rows[member].append(Row(
                    share_class=ShareClass(share_class),
                    opening=opening.get(key, none)[0],
                    increase=moves.get(key, none)[0],
                    decrease=moves.get(key, none)[1],
                    closing=closing.get(key, none)[0],
                    amount=closing.get(key, none)[1],
                    paid=paid[key]))
        return rows

    def _get_moves(self):
        "Return the quantities got and given by member and class"
        ShareMove = Pool().get('coop.share.move')
        moves = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for i, name in enumerate(['to_member', 'from_member']):
            for sub_ids in grouped_slice(self.ids, 500):
                move = ShareMove.__table__()
                member = getattr(move, name)
                # PostgreSQL groups a parameter by the alias only
                taken_back = Case(
                    (move.reversal_of == Null, 0), else_=1).as_('taken_back')
                query = move.select(
                    member, move.share_class, taken_back,
                    Sum(move.quantity).as_('quantity'),
                    where=(move.company == self.company.id)
                    & (move.state == 'done')
                    & (move.date >= self.start)
                    & (move.date <= self.end)
                    & fields.SQL_OPERATORS['in'](member, list(sub_ids)),
                    group_by=[member, move.share_class, taken_back])
                for id_, share_class, taken_back, quantity in fetch(
                        query, [None, None, None, 'NUMERIC']):
                    quantity = Decimal(quantity)
                    if taken_back:
                        # What was given comes back, and the reverse
                        moves[id_, share_class][1 - i] -= quantity
                    else:
                        moves[id_, share_class][i] += quantity
        return moves

    def _get_vintages(self):
        "Return the rows of the allocated equity per class and vintage"
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        with Transaction().set_context(active_test=False):
            classes = ShareClass.search([
                    ('company', '=', self.company.id),
                    ('kind', '=', 'allocated'),
                    ])
        by = ('member', 'share_class', 'vintage')
        opening, closing = (
            ShareMove.holdings_at(
                self.company, date, members=self.ids, classes=classes, by=by)
            for date in [self.start - DAY, self.end])
        none = (Decimal(0), Decimal(0))
        rows = defaultdict(list)
        for key in sorted(
                {*opening, *closing}, key=lambda k: (k[0], k[1], k[2] or 0)):
            member, share_class, vintage = key
            rows[member].append(Row(
                    share_class=ShareClass(share_class),
                    vintage=vintage,
                    opening=opening.get(key, none)[1],
                    closing=closing.get(key, none)[1]))
        return rows

    def _get_allocations(self):
        "Return the allocations of patronage of the year"
        Allocation = Pool().get('coop.patronage.allocation')
        return self._by_member(Allocation, [
                ('pool.surplus.fiscalyear', '=', self.fiscalyear.id),
                ('pool.surplus.state', '=', 'posted'),
                ])

    def _get_dividends(self):
        "Return the lines of the dividends on shares posted in the year"
        Line = Pool().get('coop.share.dividend.line')
        return self._by_member(Line, [
                ('dividend.state', '=', 'posted'),
                ('dividend.posting_date', '>=', self.start),
                ('dividend.posting_date', '<=', self.end),
                ])

    def _by_member(self, Model, domain):
        records = defaultdict(list)
        for sub_ids in grouped_slice(self.ids, 500):
            for record in Model.search([
                        ('member', 'in', list(sub_ids)), domain]):
                records[record.member.id].append(record)
        return records

    def _get_usages(self):
        "Return the rows of the use of each resource and its charges"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        usage = Usage.__table__()
        charge = Charge.__table__()
        found = {}
        for sub_ids in grouped_slice(self.ids, 500):
            where = (
                (usage.company == self.company.id)
                & (usage.date >= self.start)
                & (usage.date <= self.end)
                & usage.state.in_(['confirmed', 'rated', 'charged'])
                & fields.SQL_OPERATORS['in'](usage.member, list(sub_ids)))
            group_by = [usage.member, usage.resource]
            uses = usage.select(
                *group_by,
                Sum(Case((usage.corrects == Null, 1), else_=-1)).as_('uses'),
                where=where, group_by=group_by)
            for member, resource, count in fetch(uses):
                found[member, resource] = Row(
                    resource=Resource(resource), uses=count,
                    charged=Decimal(0))
            charges = (usage
                .join(charge, condition=charge.usage == usage.id)
                .select(
                    *group_by, Sum(charge.amount).as_('amount'),
                    where=where, group_by=group_by))
            for member, resource, amount in fetch(
                    charges, [None, None, 'NUMERIC']):
                found[member, resource].charged = self.company.currency.round(
                    Decimal(amount))
        rows = defaultdict(list)
        for (member, _), row in sorted(
                found.items(), key=lambda item: item[0]):
            rows[member].append(row)
        return rows

    def _get_costs(self):
        """Return the rows of what the use has cost and was charged

        There is one for each cost pool, whose cost is shared by use.
        """
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        currency = self.company.currency
        # Who prints it needs no right to the cost pools as a whole
        with without_check_access():
            cost_pools = CostPool.search([
                    ('company', '=', self.company.id),
                    ])
            figures = CostPool.get_figures(cost_pools, [self.fiscalyear])
        rows = defaultdict(list)
        for cost_pool in cost_pools:
            values = figures[cost_pool.id, self.fiscalyear.id]
            # The users as keys that can be sorted
            units = {
                tuple(id_ or 0 for id_ in user): quantity
                for user, quantity in values.units.items() if quantity > 0}
            costs = apportion(
                currency.round(values.cost), units, currency.rounding
                ) if units else {}
            for user, cost in costs.items():
                member, *_ = user
                rows[member].append(Row(
                        cost_pool=cost_pool,
                        quantity=units[user],
                        cost=cost,
                        charged=values.charges[(member, None, None)]))
        return rows

    def _get_balances(self):
        "Return what each party owes at the end of the year"
        pool = Pool()
        Account = pool.get('account.account')
        AccountType = pool.get('account.account.type')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        account = Account.__table__()
        type_ = AccountType.__table__()
        line = Line.__table__()
        move = Move.__table__()
        balances = defaultdict(Decimal)
        for sub_members in grouped_slice(self.members, 500):
            parties = [m.party.id for m in sub_members]
            query = (line
                .join(move, condition=line.move == move.id)
                .join(account, condition=line.account == account.id)
                .join(type_, condition=account.type == type_.id)
                .select(
                    line.party, Sum(line.debit - line.credit).as_('balance'),
                    where=(move.company == self.company.id)
                    & (move.state == 'posted')
                    & (move.date <= self.end)
                    & (type_.receivable | type_.payable)
                    & fields.SQL_OPERATORS['in'](line.party, parties),
                    group_by=line.party))
            for party, balance in fetch(query, [None, 'NUMERIC']):
                balances[party] = self.company.currency.round(
                    Decimal(balance))
        return balances
