# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from dateutil.relativedelta import relativedelta
from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.i18n import gettext
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool
from trytond.transaction import Transaction

from .assembly_table import Table, title
from .figures import Row, fetch, total


class CapitalFigures:
    "The shares and what waits to be redeemed"

    @cached_property
    def share_classes(self):
        ShareClass = Pool().get('coop.share.class')
        with Transaction().set_context(active_test=False):
            return ShareClass.search([
                    ('company', '=', self.company.id),
                    ], order=[('code', 'ASC'), ('id', 'ASC')])

    @cached_property
    def _capital(self):
        "The changes of the capital per share class"
        ShareMove = Pool().get('coop.share.move')

        def holdings(date):
            return ShareMove.holdings_at(
                self.company, date, by=('share_class',))
        opening = holdings(self.start - DAY)
        closing = holdings(self.end)
        changes = self._capital_changes()
        rows = []
        for share_class in self.share_classes:
            key = (share_class.id,)
            row = Row(
                key=share_class,
                share_class=share_class,
                opening=opening.get(key, (0, Decimal(0)))[1],
                closing=closing.get(key, (0, Decimal(0)))[1],
                **changes[share_class.id])
            if any(
                    v for v in vars(row).values() if isinstance(v, Decimal)):
                rows.append(row)
        return rows

    def _capital_changes(self):
        """Return the amounts by share class and kind of change

        A reversal counts as the kind of what it takes back.
        """
        ShareMove = Pool().get('coop.share.move')
        names = {
            'issue': 'issued',
            'opening': 'issued',
            'redemption': 'redeemed',
            'allocation': 'allocated',
            'revaluation': 'allocated',
            'conversion': 'converted',
            'transfer': 'converted',
            'loss': 'lost',
            }
        changes = defaultdict(
            lambda: dict.fromkeys(names.values(), Decimal(0)))
        move = ShareMove.__table__()
        reversed_ = ShareMove.__table__()
        kind = Coalesce(reversed_.kind, move.kind)
        amount = (
            Case((move.to_member != Null, move.amount), else_=0)
            - Case((move.from_member != Null, move.amount), else_=0))
        query = (move
            .join(reversed_, 'LEFT',
                condition=move.reversal_of == reversed_.id)
            .select(
                move.share_class, kind.as_('kind'),
                Sum(amount).as_('amount'),
                where=(move.company == self.company.id)
                & (move.state == 'done')
                & (move.date >= self.start)
                & (move.date <= self.end),
                group_by=[move.share_class, kind]))
        for share_class, kind, amount in fetch(
                query, [None, None, 'NUMERIC']):
            changes[share_class][names[kind]] += self.currency.round(
                Decimal(amount))
        return changes

    @cached_property
    def holdings(self):
        return self._beside('_holdings')

    @cached_property
    def _holdings(self):
        "What is held and paid per share class at the end of the year"
        Holding = Pool().get('coop.share.holding')
        rows = {}
        with Transaction().set_context(
                company=self.company.id, date=self.end):
            for holding in Holding.search([]):
                row = rows.setdefault(holding.share_class, Row(
                        key=holding.share_class,
                        share_class=holding.share_class, holders=set(),
                        shares=Decimal(0), amount=Decimal(0),
                        paid=Decimal(0)))
                row.holders.add(holding.member)
                row.shares += holding.quantity
                row.amount += holding.amount
                row.paid += holding.paid_amount or 0
        for row in rows.values():
            row.holders = len(row.holders)
            row.unpaid = row.amount - row.paid
            row.liability = row.share_class.get_liability(row.amount)
        return [rows[c] for c in self.share_classes if c in rows]

    @property
    def holdings_total(self):
        return self._total(
            '_holdings', 'amount', 'paid', 'unpaid', 'liability')

    @property
    def holdings_table(self):
        money = self.formats['money']
        table = Table([
                ('holders', self.formats['count']),
                ('shares', self.formats['number']),
                ('amount', money, title('subscribed_capital')),
                ('paid', money),
                ('unpaid', money),
                ('liability', money),
                ], label=title('share_class'))
        for row in self.holdings:
            table.add_years(row.share_class.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.holdings_total, 'total')
        return table

    @property
    def queue_table(self):
        table = Table([
                ('requests', self.formats['count']),
                ('shares', self.formats['number']),
                ('amount', self.formats['money'], title('amount_at_par')),
                ], label=title('share_class'))
        for row in self.queue:
            table.add_years(row.share_class.name, row)
        table.add_years(
            gettext('coop.msg_assembly_total'), self.queue_total, 'total')
        return table

    @property
    def vintages_table(self):
        "The allocated equity by the year of the allocation"
        ShareMove = Pool().get('coop.share.move')
        classes = [c for c in self.share_classes if c.kind == 'allocated']
        by = ('vintage',)
        opening, closing = (
            ShareMove.holdings_at(
                self.company, date, classes=classes, by=by)
            if classes else {}
            for date in [self.start - DAY, self.end])
        table = Table(
            [(n, self.formats['money']) for n in ['opening', 'closing']],
            label=title('vintage'))
        none = (Decimal(0), Decimal(0))
        rows = []
        for key in sorted(
                {*opening, *closing}, key=lambda key: key[0] or 0):
            row = Row(
                opening=opening.get(key, none)[1],
                closing=closing.get(key, none)[1])
            rows.append(row)
            table.add(
                str(key[0] or gettext('coop.msg_assembly_no_vintage')), row)
        table.add(
            gettext('coop.msg_assembly_total'),
            total(rows, 'opening', 'closing'), 'total')
        return table

    @cached_property
    def queue(self):
        return self._beside('_queue')

    @property
    def queue_total(self):
        return self._total('_queue', 'requests', 'amount')

    @cached_property
    def _queue(self):
        "The redemptions that wait at the end of the year per share class"
        Redemption = Pool().get('coop.share.redemption')
        rows = {}
        for redemption in Redemption.search([
                    ('company', '=', self.company.id),
                    ('request_date', '<=', self.end),
                    ('state', 'in', [
                            'requested', 'approved', 'ended', 'settled',
                            'paid']),
                    ['OR',
                        ('end_date', '=', None),
                        ('end_date', '>=', self.end),
                        ],
                    ]):
            share_class = redemption.share_class
            row = rows.setdefault(share_class, Row(
                    key=share_class, share_class=share_class, requests=0,
                    shares=Decimal(0), amount=Decimal(0)))
            row.requests += 1
            row.shares += redemption.quantity
            row.amount += self.currency.round(
                redemption.quantity * share_class.par_value)
        return [rows[c] for c in self.share_classes if c in rows]

    @property
    def capital_chart(self):
        if len(self.years) > 1:
            return self._chart_rows(
                '_capital', lambda r: r.share_class.name, 'closing')
        # The first year is shown as it went on
        ShareMove = Pool().get('coop.share.move')
        holdings = [
            ShareMove.holdings_at(
                self.company,
                min(dt.date(*month, 1) + relativedelta(day=31), self.end),
                by=('share_class',))
            for _, month in self.months]
        return self._chart([
                (row.share_class.name, [
                        h.get((row.share_class.id,), (0, 0))[1]
                        for h in holdings])
                for row in self._capital],
            labels=[label for label, _ in self.months], stacked=True)
