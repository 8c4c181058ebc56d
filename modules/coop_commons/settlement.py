# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from sql import Null
from sql.aggregate import Sum
from sql.operators import Equal

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.company.model import (
    employee_field, reset_employee, set_employee)
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.report import Report
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction

from . import pool_rate
from .exceptions import SettlementError


class Settlement(CancelledMixin, Workflow, BooksMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.settlement'
    __string__ = "Settlement"
    _work = (
        ('computed', 'approve', 'issue_date'),
        ('approved', 'post', 'issue_date'))
    _pending = dict.fromkeys(
        ['computed', 'approved'], 'fiscalyear.end_date')

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    treatment = fields.Selection([
            ('settle', "Return or Call"),
            ('carry', "Carry into the Next Rate"),
            ], "Treatment", required=True, sort=False, states=_states,
        help="What is done with the difference.\n"
        "Up to the threshold of the cost pool it is carried.")
    basis = fields.Selection(
        'get_bases', "Basis", required=True, sort=False,
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('treatment') != 'settle',
            },
        help="The proportion in which the users share the difference.")
    next_year = fields.Boolean(
        "Post in the Next Year",
        states={
            'readonly': ~Eval('state').in_(['draft', 'computed']),
            },
        help="Check if the fiscal year is already closed: its result keeps "
        "the difference.")
    cost = Monetary(
        "Cost", currency='currency', digits='currency', readonly=True)
    charged = Monetary(
        "Charged", currency='currency', digits='currency', readonly=True)
    difference = Monetary(
        "Difference", currency='currency', digits='currency', readonly=True,
        help="What was charged beyond the cost and is returned.\n"
        "It is negative when it is called.")
    lines = fields.One2Many(
        'coop.commons.settlement.line', 'settlement', "Lines", readonly=True)
    issue_date = fields.Date(
        "Issue Date",
        states={
            'readonly': Eval('state') == 'cancelled',
            },
        help="The date of the credit notes or the invoices, or of the "
        "release of what is carried.\n"
        "Leave empty for today, or for the first day of the next year when "
        "it is carried.")
    move = fields.Many2One(
        'account.move', "Move", readonly=True, ondelete='RESTRICT',
        help="The accrual in the settled year.")
    release_move = fields.Many2One(
        'account.move', "Release Move", readonly=True, ondelete='RESTRICT',
        states={
            'invisible': ~Eval('release_move'),
            },
        help="What brings the accrual into the year of the credit notes, "
        "or into which it is carried.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ('result', '=', 'carried'),
            ],
        states={
            'readonly': ~Eval('state').in_(['draft', 'computed']),
            },
        help="The resolution that decided on the settlement.")
    approved_by = employee_field(
        "Approved by", states=['approved', 'posted', 'cancelled'])
    posted_by = employee_field("Posted by", states=['posted', 'cancelled'])
    to_issue = fields.Function(
        fields.Boolean("To Issue"), 'on_change_with_to_issue')
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('approved', "Approved"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('year_unique',
                Exclude(t, (t.cost_pool, Equal), (t.fiscalyear, Equal),
                    where=t.state != 'cancelled'),
                'coop_commons.msg_settlement_unique'),
            ]
        cls._order.insert(0, ('fiscalyear.start_date', 'DESC'))
        cls._order.insert(1, ('cost_pool', 'ASC'))
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'draft'),
            ('computed', 'approved'),
            ('approved', 'draft'),
            ('approved', 'posted'),
            ('draft', 'cancelled'),
            ('computed', 'cancelled'),
            ('approved', 'cancelled'),
            ('posted', 'cancelled'),
            ('cancelled', 'draft'),
            }
        cls._buttons.update({
                'cancel': {
                    'invisible': (
                        (Eval('state') == 'cancelled')
                        | ((Eval('state') == 'posted')
                            & ~Eval('to_issue', False))),
                    'depends': ['state', 'to_issue'],
                    },
                'draft': {
                    'invisible': ~Eval('state').in_(
                        ['computed', 'approved', 'cancelled']),
                    'icon': If(
                        Eval('state') == 'cancelled',
                        'tryton-undo', 'tryton-back'),
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'approve': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                'post': {
                    'invisible': Eval('state') != 'approved',
                    'depends': ['state'],
                    },
                'issue': {
                    'invisible': (
                        (Eval('state') != 'posted')
                        | ~Eval('to_issue', False)),
                    'depends': ['state', 'to_issue'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_treatment(cls):
        return 'settle'

    @classmethod
    def default_basis(cls):
        return 'usage'

    @classmethod
    def default_state(cls):
        return 'draft'

    @classmethod
    def get_bases(cls):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        name = 'settlement_basis'
        return CostPool.fields_get([name])[name]['selection']

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('cost_pool', '_parent_cost_pool.unit')
    def on_change_with_unit(self, name=None):
        return self.cost_pool.unit if self.cost_pool else None

    @fields.depends('cost_pool', '_parent_cost_pool.settlement_basis')
    def on_change_cost_pool(self):
        if self.cost_pool:
            self.basis = self.cost_pool.settlement_basis

    @fields.depends('state', 'difference', 'treatment', 'release_move',
        'next_year', 'lines')
    def on_change_with_to_issue(self, name=None):
        if self.state != 'posted' or not self.difference:
            return False
        if self.treatment == 'carry':
            return not self.release_move and not self.next_year
        return any(l.payer and l.amount and not l.invoice_line
            for l in self.lines)

    def get_rec_name(self, name):
        return '%s %s' % (self.cost_pool.rec_name, self.fiscalyear.rec_name)

    @classmethod
    def search_rec_name(cls, name, clause):
        return ['OR',
            ('cost_pool.rec_name', *clause[1:]),
            ('fiscalyear.rec_name', *clause[1:]),
            ]

    @classmethod
    def copy(cls, settlements, default=None):
        default = default.copy() if default is not None else {}
        for name in [
                'cost', 'charged', 'difference', 'lines', 'issue_date',
                'move', 'release_move', 'resolution', 'approved_by',
                'posted_by']:
            default.setdefault(name)
        return super().copy(settlements, default=default)

    @classmethod
    def check_modification(
            cls, mode, settlements, values=None, external=False):
        super().check_modification(
            mode, settlements, values=values, external=external)
        if mode == 'delete':
            for settlement in settlements:
                if settlement.state not in {'draft', 'cancelled'}:
                    raise AccessError(gettext(
                            'coop_commons.msg_settlement_delete',
                            settlement=settlement.rec_name))

    @classmethod
    def get_carried(cls, cost_pool, fiscalyear):
        "Return what the year carries into the next rate"
        return sum((s.difference for s in cls.search([
                        ('cost_pool', '=', cost_pool.id),
                        ('fiscalyear', '=', fiscalyear.id),
                        ('treatment', '=', 'carry'),
                        ('state', '=', 'posted'),
                        ])), Decimal(0))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    @reset_employee('approved_by', 'posted_by')
    def draft(cls, settlements):
        pool = Pool()
        Line = pool.get('coop.commons.settlement.line')
        Line.delete([l for s in settlements for l in s.lines])

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, settlements):
        pool = Pool()
        Line = pool.get('coop.commons.settlement.line')
        lines = []
        for settlement in settlements:
            figures = settlement.get_figures()
            settlement.cost = settlement.currency.round(figures.cost)
            settlement.charged = settlement.currency.round(figures.revenue)
            settlement.difference = settlement.charged - settlement.cost
            lines.extend(settlement.get_lines(figures))
        cls.save(settlements)
        Line.save(lines)

    def get_figures(self):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        return CostPool.get_figures([self.cost_pool], [self.fiscalyear])[
            self.cost_pool.id, self.fiscalyear.id]

    def get_lines(self, figures):
        pool = Pool()
        Line = pool.get('coop.commons.settlement.line')
        weights = {
            'usage': figures.units,
            'charge': figures.charges,
            }[self.basis]
        parts = {}
        if self.treatment == 'settle':
            # The users as keys that can be sorted
            parts = pool_rate.settle(
                self.difference,
                {_key(user): weight for user, weight in weights.items()},
                self.currency.rounding, self.cost_pool.threshold)
            if not parts:
                self.treatment = 'carry'
                self.save()
        for user in sorted(figures.units.keys() | figures.charges, key=_key):
            member, party, cost_center = user
            yield Line(
                settlement=self,
                member=member,
                party=party,
                cost_center=cost_center,
                units=self.unit.round(
                    float(figures.units.get(user, Decimal(0)))),
                charged=figures.charges.get(user, Decimal(0)),
                amount=parts.get(_key(user), Decimal(0)))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, settlements):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    @set_employee('posted_by')
    def post(cls, settlements):
        pool = Pool()
        Move = pool.get('account.move')
        cls.lock(settlements)
        moves = []
        for settlement in settlements:
            figures = settlement.get_figures()
            difference = settlement.currency.round(figures.difference)
            if difference != settlement.difference:
                raise SettlementError(gettext(
                        'coop_commons.msg_settlement_changed',
                        settlement=settlement.rec_name,
                        computed=Report.format_currency(
                            settlement.difference, None, settlement.currency),
                        difference=Report.format_currency(
                            difference, None, settlement.currency)))
            if ({l.key: l.amount for l in settlement.get_lines(figures)}
                    != {l.key: l.amount for l in settlement.lines}):
                raise SettlementError(gettext(
                        'coop_commons.msg_settlement_use_changed',
                        settlement=settlement.rec_name))
            settlement.move = settlement.get_move(figures)
            if settlement.move:
                moves.append(settlement.move)
        Move.save(moves)
        cls.save(settlements)
        Move.post(moves)

    def get_move(self, figures):
        "Return the accrual of the settled year"
        pool = Pool()
        Period = pool.get('account.period')

        date = self.fiscalyear.end_date
        if self.next_year:
            period, date = Period.find_open(self.company, date)
        else:
            period = Period.find(self.company, date=date, test_state=False)
            if period.state != 'open':
                raise SettlementError(gettext(
                        'coop_commons.msg_settlement_closed',
                        settlement=self.rec_name,
                        period=period.rec_name))
        with Transaction().set_context(
                company=self.company.id, date=date):
            amounts = defaultdict(Decimal)
            if not self.next_year:
                if self.treatment == 'carry':
                    amounts[self.get_revenue_account()] += self.difference
                for line in self.lines:
                    if line.payer:
                        amounts[line.revenue_account] += line.amount
            accrued = sum(amounts.values())
            internal = [
                l for l in self.lines if l.cost_center and l.amount]
            if internal:
                account = self.cost_pool.internal_account
                if not account:
                    raise SettlementError(gettext(
                            'coop_commons.msg_settlement_internal_account',
                            settlement=self.rec_name))
                amounts[account] += sum(l.amount for l in internal)
            amounts = {a: amount for a, amount in amounts.items() if amount}
            if not amounts:
                return
            lines = self.get_recovery_lines(amounts, figures, date)
            for line in internal:
                move_line = self.get_move_line(account, -line.amount)
                move_line.analytic_lines = [
                    self.get_analytic_line(
                        line.cost_center.id, -line.amount, date)]
                lines.append(move_line)
            if accrued:
                lines.append(self.get_move_line(
                        self.get_settlement_account(), -accrued))
            return self._get_move(period, date, lines)

    def _get_move(self, period, date, lines):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Move = pool.get('account.move')
        return Move(
            company=self.company,
            origin=self,
            journal=Configuration(1).get_multivalue(
                'journal', company=self.company.id),
            period=period,
            date=date,
            lines=lines)

    def get_settlement_account(self):
        account = self.cost_pool.settlement_account
        if not account:
            raise SettlementError(gettext(
                    'coop_commons.msg_settlement_account',
                    settlement=self.rec_name,
                    cost_pool=self.cost_pool.rec_name))
        return account

    def get_product(self, member=True):
        cost_pool = self.cost_pool
        product = cost_pool.product
        if not member and cost_pool.non_member_product:
            product = cost_pool.non_member_product
        if not product:
            raise SettlementError(gettext(
                    'coop_commons.msg_cost_pool_product',
                    cost_pool=cost_pool.rec_name))
        return product

    def get_revenue_account(self, member=True):
        return self.get_product(member).account_revenue_used

    def get_recovery_lines(self, amounts, figures, date):
        """Return the lines that take the amounts from what was recovered

        Each cost centre bears what it has recovered too much, so that it
        closes.
        """
        centers = self.get_centers(figures)
        weights = {c: abs(amount) for c, amount in centers.items()}
        lines = []
        *firsts, last = sorted(amounts.items(), key=lambda a: a[0].id)
        for account, amount in firsts:
            parts = apportion(amount, weights, self.currency.rounding)
            for center, part in parts.items():
                centers[center] -= part
            lines.append((account, amount, parts))
        lines.append((*last, _fill(centers, last[1])))
        result = []
        for account, amount, parts in lines:
            line = self.get_move_line(account, amount)
            line.analytic_lines = [
                self.get_analytic_line(center, part, date)
                for center, part in parts.items() if part]
            result.append(line)
        return result

    def get_centers(self, figures):
        "Return what each cost centre has recovered too much"
        costs, centers = {}, {}
        for center in self.cost_pool.cost_centers:
            costs[center.id] = abs(
                figures.fixed[center.id] + figures.variable[center.id])
            centers[center.id] = figures.charged[center.id] - (
                figures.fixed[center.id] + figures.variable[center.id])
        if figures.overhead:
            if not any(costs.values()):
                costs = dict.fromkeys(costs, 1)
            overhead = apportion(
                figures.overhead, costs, self.currency.rounding)
            for center, amount in overhead.items():
                centers[center] -= amount
        return centers

    def get_move_line(self, account, amount):
        "Return the line that debits the amount"
        pool = Pool()
        Line = pool.get('account.move.line')
        return Line(
            account=account,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)))

    def get_analytic_line(self, center, amount, date):
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        return AnalyticLine(
            account=center,
            date=date,
            debit=max(amount, Decimal(0)),
            credit=max(-amount, Decimal(0)))

    @classmethod
    @ModelView.button
    def issue(cls, settlements):
        """Return or call the amounts, or release what is carried

        The accrual is used up on the same day.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Invoice = pool.get('account.invoice')
        Line = pool.get('coop.commons.settlement.line')
        Move = pool.get('account.move')
        cls.lock(settlements)
        settlements = [s for s in settlements if s.to_issue]
        invoices, moves = [], []
        for settlement in settlements:
            date = settlement.issue_date
            if not date:
                if settlement.treatment == 'carry':
                    date = settlement.fiscalyear.end_date + dt.timedelta(
                        days=1)
                else:
                    with Transaction().set_context(
                            company=settlement.company.id):
                        date = Date.today()
                settlement.issue_date = date
            with Transaction().set_context(
                    company=settlement.company.id, date=date):
                if settlement.treatment == 'settle':
                    invoices.extend(settlement.get_invoices(date))
                if settlement.move:
                    settlement.release_move = settlement.get_release_move(
                        date)
                    moves.append(settlement.release_move)
        Invoice.save(invoices)
        lines = []
        for invoice in invoices:
            for invoice_line in invoice.lines:
                line = invoice_line.origin
                line.invoice_line = invoice_line
                lines.append(line)
        Line.save(lines)
        Invoice.post(invoices)
        Move.save(moves)
        cls.save(settlements)
        Move.post(moves)

    def get_invoices(self, date):
        lines = [
            l for l in self.lines
            if l.payer and l.amount and not l.invoice_line]
        lines = sorted(lines, key=lambda l: l.payer.id)
        for party, party_lines in groupby(lines, key=lambda l: l.payer):
            invoice = self.cost_pool.get_invoice(party, date)
            invoice.lines = [l.get_invoice_line(invoice) for l in party_lines]
            yield invoice

    def get_release_move(self, date):
        """Return the move that uses up the accrual

        It bears the amounts of the credit notes, which are those of the
        accrual.
        """
        pool = Pool()
        Period = pool.get('account.period')
        period, date = Period.find_open(self.company, date)
        account = self.cost_pool.settlement_account
        lines = []
        for line in self.move.lines:
            if line.account == account:
                amount = line.debit - line.credit
                lines.append(self.get_move_line(account, -amount))
            elif line.account != self.cost_pool.internal_account:
                amount = line.debit - line.credit
                move_line = self.get_move_line(line.account, -amount)
                move_line.analytic_lines = [
                    self.get_analytic_line(
                        l.account.id, l.credit - l.debit, date)
                    for l in line.analytic_lines]
                lines.append(move_line)
        return self._get_move(period, date, lines)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, settlements):
        pool = Pool()
        Move = pool.get('account.move')
        cls.lock(settlements)
        moves = []
        for settlement in settlements:
            if (settlement.release_move
                    or any(l.invoice_line for l in settlement.lines)):
                raise SettlementError(gettext(
                        'coop_commons.msg_settlement_issued',
                        settlement=settlement.rec_name))
            if settlement.move:
                moves.append(settlement.move.cancel())
                settlement.move = None
        Move.post(moves)
        cls.save(settlements)

    @classmethod
    def check_books(cls, company, date):
        "Compare what is to be returned or called with its account"
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        cursor = Transaction().connection.cursor()
        differences = super().check_books(company, date)

        expected, records = defaultdict(Decimal), {}
        for settlement in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('move.date', '<=', date),
                    ]):
            account = settlement.cost_pool.settlement_account
            records[account] = settlement
            release = settlement.release_move
            if not release or release.date > date:
                expected[account] += settlement.accrued

        accounts = list(records)
        found = dict.fromkeys((a.id for a in accounts), Decimal(0))
        if accounts:
            line, move = Line.__table__(), Move.__table__()
            query = line.join(move, condition=line.move == move.id).select(
                line.account, Sum(line.credit - line.debit).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    line.account, [a.id for a in accounts])
                & (move.state == 'posted')
                & (move.date <= date),
                group_by=line.account)
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            found.update(cursor)
        for account in accounts:
            amount = account.company.currency.round(found[account.id])
            if amount != expected[account]:
                differences.append(Difference(
                        records[account],
                        gettext('coop_commons.msg_check_settlement',
                            account=account.rec_name),
                        expected[account], amount))
        return differences

    @property
    def accrued(self):
        account = self.cost_pool.settlement_account
        return sum((
                l.credit - l.debit for l in self.move.lines
                if l.account == account), Decimal(0))

    @classmethod
    def excluded_moves(cls, cost_pool):
        """Return the queries of the moves that settle the cost pool

        What is settled is not the recovery that it is computed from, but
        what was carried into a year is.
        """
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Line = pool.get('coop.commons.settlement.line')
        table, line = cls.__table__(), Line.__table__()
        invoice, invoice_line = Invoice.__table__(), InvoiceLine.__table__()
        of_pool = table.cost_pool == cost_pool
        yield table.select(
            table.move, where=of_pool & (table.move != Null))
        yield table.select(
            table.release_move,
            where=of_pool & (table.treatment == 'settle')
            & (table.release_move != Null))
        yield (table
            .join(line, condition=line.settlement == table.id)
            .join(invoice_line,
                condition=line.invoice_line == invoice_line.id)
            .join(invoice, condition=invoice_line.invoice == invoice.id)
            .select(invoice.move,
                where=of_pool & (invoice.move != Null)))


def _key(user):
    return tuple(int(id_ or 0) for id_ in user)


def _fill(centers, amount):
    "Return the parts of the cost centres, of which the first takes the rest"
    parts = dict(centers)
    rest = amount - sum(parts.values())
    if rest:
        parts[min(parts)] += rest
    return parts


class SettlementLine(ModelSQL, ModelView):
    __name__ = 'coop.commons.settlement.line'
    __string__ = "Settlement Line"

    settlement = fields.Many2One(
        'coop.commons.settlement', "Settlement", required=True,
        ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company')
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    member = fields.Many2One(
        'coop.member', "Member", readonly=True, ondelete='RESTRICT')
    party = fields.Many2One(
        'party.party', "Non-member", readonly=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    cost_center = fields.Many2One(
        'analytic_account.account', "Cost Centre", readonly=True,
        ondelete='RESTRICT')
    units = fields.Float("Units", digits='unit', readonly=True)
    charged = Monetary(
        "Charged", currency='currency', digits='currency', readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True,
        help="What is returned, or called when it is negative.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT')
    invoice = fields.Function(
        fields.Many2One('account.invoice', "Invoice"),
        'on_change_with_invoice')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('settlement')

    @fields.depends('settlement', '_parent_settlement.company')
    def on_change_with_company(self, name=None):
        return self.settlement.company if self.settlement else None

    @fields.depends('settlement', '_parent_settlement.currency')
    def on_change_with_currency(self, name=None):
        return self.settlement.currency if self.settlement else None

    @fields.depends('settlement', '_parent_settlement.unit')
    def on_change_with_unit(self, name=None):
        return self.settlement.unit if self.settlement else None

    @fields.depends('invoice_line')
    def on_change_with_invoice(self, name=None):
        return self.invoice_line.invoice if self.invoice_line else None

    def get_rec_name(self, name):
        user = self.member or self.party or self.cost_center
        return '%s @ %s' % (user.rec_name, self.settlement.rec_name)

    @property
    def key(self):
        "The user as ids that can be sorted"
        return _key((self.member, self.party, self.cost_center))

    @property
    def payer(self):
        "The party the amount is returned to or called from"
        return self.member.party if self.member else self.party

    @property
    def product(self):
        return self.settlement.get_product(member=bool(self.member))

    @property
    def revenue_account(self):
        return self.settlement.get_revenue_account(member=bool(self.member))

    def get_invoice_line(self, invoice):
        cost_pool = self.settlement.cost_pool
        return cost_pool.get_invoice_line(
            invoice, self.product, -self.amount,
            cost_pool.get_description(
                'coop_commons.msg_settlement_returned' if self.amount > 0
                else 'coop_commons.msg_settlement_called',
                invoice.party, self.settlement.fiscalyear, self.units),
            self)
