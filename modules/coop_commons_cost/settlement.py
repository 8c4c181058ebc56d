# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import groupby

from sql.operators import Equal

from trytond.i18n import gettext
from trytond.model import Exclude, ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import (
    employee_field, reset_employee, set_employee)
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.run import ApprovedRunMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.report import Report
from trytond.transaction import Transaction

from . import cost_sharing
from .exceptions import SettlementError
from .invoice import post_invoices
from .settlement_line import user_key
from .settlement_posting import SettlementPosting


class Settlement(
        SettlementPosting, ApprovedRunMixin, BooksMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.settlement'
    __string__ = "Settlement"
    _not_copied = {'issue_date', 'resolution'}
    _steps = {
        **ApprovedRunMixin._steps,
        'cancel': (['draft', 'computed', 'approved', 'posted'], 'cancelled'),
        'draft': (['computed', 'approved', 'cancelled'], 'draft'),
        'compute': (['draft'], 'computed'),
        'issue': (['posted'], None),
        }
    _work = (
        ('computed', 'approve', 'issue_date'),
        ('approved', 'post', 'issue_date'))
    _pending = dict.fromkeys(
        ['computed', 'approved'], 'fiscalyear.end_date')

    _search_names = ('cost_pool.rec_name', 'fiscalyear.rec_name')
    _delete_states = {'draft', 'cancelled'}
    _modify_states = {
        'computed': {'next_year', 'resolution', 'issue_date'},
        'approved': {'issue_date'},
        'posted': {'issue_date'},
        }

    cost_pool = fields.Many2One(
        'coop.commons.cost_pool', "Cost Pool", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'on_change_with_unit')
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    treatment = fields.Selection([
            ('settle', "Return or Call"),
            ('carry', "Carry into the Next Rate"),
            ], "Treatment", required=True, sort=False,
        help="What is done with the difference.\n"
        "Up to the threshold of the cost pool it is carried.")
    basis = fields.Selection(
        'get_bases', "Basis", required=True, sort=False,
        states={
            'invisible': Eval('treatment') != 'settle',
            },
        help="The proportion in which the users share the difference, or "
        "what each was charged against the cost of his own use.")
    next_year = fields.Boolean(
        "Post in the Next Year",
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
        help="The resolution that decided on the settlement.")
    approved_by = employee_field(
        "Approved by", states=['approved', 'posted', 'cancelled'])
    posted_by = employee_field("Posted by", states=['posted', 'cancelled'])
    to_issue = fields.Function(
        fields.Boolean("To Issue"), 'on_change_with_to_issue')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('year_unique',
                Exclude(t, (t.cost_pool, Equal), (t.fiscalyear, Equal),
                    where=t.state != 'cancelled'),
                'coop_commons_cost.msg_settlement_unique'),
            ]
        cls._order.insert(0, ('fiscalyear.start_date', 'DESC'))
        cls._order.insert(1, ('cost_pool', 'ASC'))
        for button in ['cancel', 'issue']:
            cls._buttons[button]['invisible'] |= (
                (Eval('state') == 'posted') & ~Eval('to_issue', False))
            cls._buttons[button]['depends'].append('to_issue')
        cls._buttons['draft']['icon'] = If(
            Eval('state') == 'cancelled', 'tryton-undo', 'tryton-back')

    @classmethod
    def default_treatment(cls):
        return 'settle'

    @classmethod
    def default_basis(cls):
        return 'usage'

    @classmethod
    def get_bases(cls):
        pool = Pool()
        CostPool = pool.get('coop.commons.cost_pool')
        name = 'settlement_basis'
        return CostPool.fields_get([name])[name]['selection']

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
        if self.state != 'posted':
            return False
        if self.treatment == 'carry':
            return (
                bool(self.difference)
                and not self.release_move and not self.next_year)
        return any(l.payer and l.amount and not l.invoice_line
            for l in self.lines)

    def get_rec_name(self, name):
        return '%s %s' % (self.cost_pool.rec_name, self.fiscalyear.rec_name)

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
        super().draft(settlements)

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
        # The users as keys that can be sorted
        units, charges = (
            {user_key(user): value for user, value in values.items()}
            for values in [figures.units, figures.charges])
        parts = {}
        if self.treatment == 'settle':
            terms = self.currency.rounding, self.cost_pool.threshold
            if self.basis == 'own':
                keyed = [
                    (amount, {user_key(u): w for u, w in weights.items()})
                    for amount, weights in self.cost_pool.get_keyed(
                        figures, self.fiscalyear)]
                parts = cost_sharing.settle_own(
                    self.difference, units, charges, *terms, keyed)
            else:
                parts = cost_sharing.settle(
                    self.difference,
                    {'usage': units, 'charge': charges}[self.basis], *terms)
            if not parts:
                self.treatment = 'carry'
                self.save()
        for user in sorted(units.keys() | charges.keys() | parts.keys()):
            # Who is none of them is 0 in a key
            member, party, cost_center = (id_ or None for id_ in user)
            yield Line(
                settlement=self,
                member=member,
                party=party,
                cost_center=cost_center,
                units=self.unit.round(float(units.get(user, Decimal(0)))),
                charged=charges.get(user, Decimal(0)),
                amount=parts.get(user, Decimal(0)))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, settlements):
        cls.lock(settlements)
        for settlement in settlements:
            settlement.check_figures()

    def check_figures(self):
        "Return the figures, which are those the settlement was computed on"
        figures = self.get_figures()
        difference = self.currency.round(figures.difference)
        if difference != self.difference:
            raise SettlementError(gettext(
                    'coop_commons_cost.msg_settlement_changed',
                    settlement=self.rec_name,
                    computed=Report.format_currency(
                        self.difference, None, self.currency),
                    difference=Report.format_currency(
                        difference, None, self.currency)))
        if (self.cost != self.currency.round(figures.cost)
                or {l.key: l.figures for l in self.get_lines(figures)}
                != {l.key: l.figures for l in self.lines}):
            raise SettlementError(gettext(
                    'coop_commons_cost.msg_settlement_use_changed',
                    settlement=self.rec_name))
        return figures

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
            figures = settlement.check_figures()
            settlement.move = settlement.get_move(figures)
            if settlement.move:
                moves.append(settlement.move)
        Move.save(moves)
        cls.save(settlements)
        Move.post(moves)

    @classmethod
    @ModelView.button
    def issue(cls, settlements):
        """Return or call the amounts, or release what is carried

        The accrual is used up on the same day.
        """
        pool = Pool()
        Date = pool.get('ir.date')
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
        post_invoices(Line, invoices)
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
                        'coop_commons_cost.msg_settlement_issued',
                        settlement=settlement.rec_name))
            if settlement.move:
                moves.append(settlement.move.cancel())
                settlement.move = None
        Move.post(moves)
        cls.save(settlements)
