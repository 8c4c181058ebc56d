# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_membership.run import ApprovedRunMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.report import Report
from trytond.transaction import Transaction

from .document import check_resolution, lock_members, move_field
from .exceptions import RevaluationError
from .quantity import QuantityMixin, number, plain_number


class Revaluation(
        QuantityMixin, ApprovedRunMixin, NumberedMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.revaluation'
    __string__ = "Share Revaluation"
    _not_copied = {'resolution'}
    _steps = {
        'draft': (['computed', 'approved'], 'draft'),
        'compute': (['draft'], 'computed'),
        'approve': (['computed'], 'approved'),
        'post': (['approved'], 'posted'),
        'cancel': (['posted'], 'cancelled'),
        }
    _work = (('computed', 'approve', 'date'), ('approved', 'post', 'date'))
    _pending = {'approved': 'date'}
    _sequence = ('coop.share.configuration', 'revaluation_sequence')
    _modify_states = {'computed': {'resolution'}}
    _date_order = [
        ('record_date', 'date', 'coop_shares.msg_revaluation_dates'),
        ]

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    record_date = fields.Date("Record Date", required=True,
        help="The day at the end of which the capital was paid up that is "
        "revalued, as far as it is still held.")
    date = fields.Date("Date", required=True,
        help="The day of the posting, from which on the shares have the new "
        "value.")
    method = fields.Selection([
            ('percent', "Percentage"),
            ('amount', "Amount"),
            ], "Method", required=True, sort=False,
        help="Revalue by a percentage, as that of an index, or by an amount "
        "in all.")
    percent = fields.Numeric("Percentage", digits=(None, 4),
        domain=[
            If(Eval('method') == 'percent',
                ('percent', '>', 0),
                ('percent', '=', None)),
            ],
        states={
            'required': Eval('method') == 'percent',
            'invisible': Eval('method') != 'percent',
            },
        help="The percentage of the paid capital.")
    amount = Monetary("Amount", currency='currency', digits='currency',
        domain=[
            If(Eval('method') == 'amount',
                ('amount', '>', 0),
                ('amount', '=', None)),
            ],
        states={
            'required': Eval('method') == 'amount',
            'invisible': Eval('method') != 'amount',
            },
        help="The amount that is shared out by the paid capital.")
    percent_cap = fields.Numeric("Maximum Percentage", digits=(None, 4),
        domain=['OR',
            ('percent_cap', '=', None),
            ('percent_cap', '>', 0),
            ],
        help="The revaluation is refused above this percentage, as that of "
        "the index of the law.\n"
        "Leave empty for no maximum.")
    cap_reason = fields.Char("Reason of Maximum",
        states={
            'invisible': Eval('percent_cap', None) == None,  # noqa: E711
            },
        help="The law or the index that sets the maximum.")
    form = fields.Selection([
            ('value', "Higher Value"),
            ('shares', "New Shares"),
            ], "Form", required=True, sort=False,
        help="Higher Value: the shares stay as many, with more capital.\n"
        "New Shares: the members get shares at the par value, and what makes "
        "no share stays in the fund.")
    account = fields.Many2One(
        'account.account', "Fund", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '!=', None),
            ('closed', '!=', True),
            ('party_required', '=', False),
            ],
        help="The account from which the capital is raised.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'resolution'),
            ],
        help="The resolution of the meeting that decides on the revaluation.")
    lines = fields.One2Many(
        'coop.share.revaluation.line', 'revaluation', "Lines", readonly=True)
    total = fields.Function(Monetary(
            "Total", currency='currency', digits='currency',
            help="What becomes capital."),
        'get_totals')
    rest = fields.Function(Monetary(
            "Left in the Fund", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('rest', 0),
                },
            help="What makes no share."),
        'get_totals')
    move = move_field('move', "Account Move")
    cancel_move = move_field('cancel_move', "Cancel Move")
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        cls._order = [('date', 'DESC'), ('id', 'DESC')]
        cls._sql_constraints.append((
                'positive', Check(t,
                    ((t.method == 'percent') & (number(t.percent) > 0))
                    | ((t.method == 'amount') & (number(t.amount) > 0))),
                'coop_shares.msg_revaluation_positive'))

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_method(cls):
        return 'percent'

    @classmethod
    def default_form(cls):
        return 'value'

    @fields.depends('method')
    def on_change_method(self):
        if self.method == 'percent':
            self.amount = None
        else:
            self.percent = None

    @classmethod
    def get_totals(cls, revaluations, names):
        line = Pool().get('coop.share.revaluation.line').__table__()
        result = {
            name: {r.id: r.currency.round(Decimal(0)) for r in revaluations}
            for name in ['total', 'rest']}
        for id_, total, rest in fetch_sums(line.select(
                    line.revaluation, Sum(line.amount).as_('total'),
                    Sum(line.rest).as_('rest'),
                    where=fields.SQL_OPERATORS['in'](
                        line.revaluation, [r.id for r in revaluations]),
                    group_by=line.revaluation), 2):
            result['total'][id_] += Decimal(total)
            result['rest'][id_] += Decimal(rest)
        return {name: result[name] for name in names}

    def get_lines(self):
        "Return the unsaved lines of what each member gets"
        Line = Pool().get('coop.share.revaluation.line')
        values = self._get_values(self._get_lots())
        if not any(amount for _, amount, _, _ in values.values()):
            raise RevaluationError(gettext(
                    'coop_shares.msg_revaluation_nothing',
                    share_class=self.share_class.rec_name))
        return [
            Line(revaluation=self, member=member, basis=basis, amount=amount,
                quantity=quantity, rest=rest)
            for member, (basis, amount, quantity, rest) in values.items()
            if amount or rest]

    def _get_lots(self):
        "Return by member the lots of those who were paid on the record date"
        ShareMove = Pool().get('coop.share.move')
        members = {m for m, amount in self._get_paid().items() if amount > 0}
        lots = ShareMove.lots_at(
            self.company, None, members, [self.share_class])
        return {
            m: [l for l in m_lots if l.quantity > 0 and l.amount > 0]
            for (m, _), m_lots in lots.items()}

    def _get_paid(self):
        "Return what was paid of the shares on the record date by member"
        Holding = Pool().get('coop.share.holding')
        paid = defaultdict(Decimal)
        with Transaction().set_context(
                company=self.company.id, date=self.record_date):
            for holding in Holding.search([
                        ('share_class', '=', self.share_class.id)]):
                paid[holding.member.id] += holding.paid_amount
        return paid

    def _get_values(self, lots):
        "Return basis, amount, quantity and rest by member"
        class_, unit = self.share_class, self.currency.rounding
        paid = self._get_paid()
        bases = {}
        for member, m_lots in sorted(lots.items()):
            # The database adds digits to what it sums
            basis = self.currency.round(
                min(paid[member], sum(l.amount for l in m_lots)))
            if basis > 0:
                bases[member] = basis
        if not bases:
            return {}
        basis = sum(bases.values())
        if self.method == 'percent':
            total = half_up(
                Fraction(basis) * Fraction(self.percent) / 100, unit)
        else:
            total = self.amount
        self._check_cap(total, basis)
        values = {}
        for member, amount in apportion(total, bases, unit).items():
            quantity = rest = Decimal(0)
            if self.form == 'shares':
                quantity = class_.unit * (
                    amount / (class_.par_value * class_.unit)
                    ).to_integral_value(rounding=ROUND_DOWN)
                rest = amount - self.currency.round(
                    quantity * class_.par_value)
            values[member] = bases[member], amount - rest, quantity, rest
        return values

    def _check_cap(self, total, basis):
        if self.percent_cap is None:
            return
        if total > half_up(
                Fraction(basis) * Fraction(self.percent_cap) / 100,
                self.currency.rounding):
            raise RevaluationError(gettext(
                    'coop_shares.msg_revaluation_cap',
                    revaluation=self.rec_name,
                    percent=plain_number(self.percent_cap),
                    reason=self.cap_reason or ''))

    def _check_lines(self):
        "Check that nothing has changed since the lines were computed"
        Member = Pool().get('coop.member')
        lots = self._get_lots()
        expected = {
            (member, *values)
            for member, values in self._get_values(lots).items()
            if values[1] or values[3]}
        changed = {
            m for m, *_ in expected ^ {
                (l.member.id, l.basis, l.amount, l.quantity, l.rest)
                for l in self.lines}}
        if changed:
            names = sorted(m.rec_name for m in Member.browse(list(changed)))
            raise RevaluationError(gettext(
                    'coop_shares.msg_revaluation_changed',
                    revaluation=self.rec_name,
                    members=', '.join(
                        names[:5] + ['...'] * (len(names) > 5))))
        return lots

    def _check_fund(self):
        "Check that the fund has what becomes capital"
        pool = Pool()
        line = pool.get('account.move.line').__table__()
        move = pool.get('account.move').__table__()
        if self.account.type.statement != 'balance':
            return
        amount = line.credit - line.debit
        # What is used later is not there any more
        (balances,) = fetch_sums(line
            .join(move, condition=line.move == move.id)
            .select(
                Coalesce(
                    Sum(Case((move.date <= self.date, amount), else_=0)),
                    0).as_('balance'),
                Coalesce(Sum(amount), 0).as_('later'),
                where=(line.account == self.account.id)
                & (move.state == 'posted')), 2)
        balance = min(self.currency.round(Decimal(b)) for b in balances)
        if balance < self.total:
            raise RevaluationError(gettext(
                    'coop_shares.msg_revaluation_fund',
                    revaluation=self.rec_name,
                    account=self.account.rec_name,
                    balance=Report.format_currency(
                        balance, None, self.currency),
                    total=Report.format_currency(
                        self.total, None, self.currency)))

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, revaluations):
        cls.lock(revaluations)
        check_resolution(revaluations, required=True)
        for revaluation in revaluations:
            revaluation._check_lines()
        cls.set_number(revaluations)
        cls.save(revaluations)

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, revaluations):
        "Raise the capital in the books and in the ledger"
        ShareMove = Pool().get('coop.share.move')
        cls.lock(revaluations)
        lock_members(l.member for r in revaluations for l in r.lines)
        for revaluation in revaluations:
            # One after the other: they may be of the same shares and fund
            lots = revaluation._check_lines()
            revaluation._check_fund()
            revaluation.move = revaluation._post_move()
            revaluation.save()
            ShareMove.do(revaluation._get_rows(lots))

    def _post_move(self):
        pool = Pool()
        Move = pool.get('account.move')
        books = Books(self.company)
        move = books.move(self.date, [], origin=self)
        move.save()
        save_records([
                books.line(
                    self.share_class.account_capital, -line.amount,
                    party=line.member.party, move=move)
                for line in self.lines if line.amount])
        save_records([books.line(self.account, self.total, move=move)])
        Move.post([move])
        return move

    def _get_rows(self, lots):
        """Return the unsaved rows of the ledger

        What raises the value is of the lots, so that it leaves with them.
        """
        ShareMove = Pool().get('coop.share.move')
        values = {
            'kind': 'revaluation', 'origin': self, 'account_move': self.move}
        rows = []
        for line in self.lines:
            if self.form == 'shares':
                if line.quantity:
                    rows.append(ShareMove.acquire(
                            self.share_class, line.quantity, line.member,
                            self.date, **values))
                continue
            m_lots = lots[line.member.id]
            for i, amount in apportion(
                    line.amount, {
                        i: lot.amount for i, lot in enumerate(m_lots)},
                    self.currency.rounding).items():
                if amount:
                    rows.append(ShareMove.acquire(
                            self.share_class, Decimal(0), line.member,
                            self.date, amount=amount,
                            vintage=m_lots[i].vintage,
                            acquired_date=m_lots[i].acquired_date,
                            **values))
        return rows

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, revaluations):
        ShareMove = Pool().get('coop.share.move')
        cls.lock(revaluations)
        lock_members(l.member for r in revaluations for l in r.lines)
        for revaluation in revaluations:
            revaluation._check_cancel()
            books = Books(revaluation.company)
            reversal = books.reversal(revaluation.move, revaluation.date)
            Books.post([reversal])
            revaluation.cancel_move = reversal
            ShareMove.reverse(
                [m for m in revaluation.share_moves if not m.reversal_of],
                account_moves={revaluation.move: reversal})
        cls.save(revaluations)

    def _check_cancel(self):
        """Check that nobody has given away what was raised

        Since then, whatever the day for which it was entered, and that it was
        not the basis of another revaluation.
        """
        ShareMove = Pool().get('coop.share.move')
        members = [l.member.id for l in self.lines]
        moves = ShareMove.search([
                ('company', '=', self.company.id),
                ('share_class', '=', self.share_class.id),
                ('state', '=', 'done'),
                ('id', '>', max(m.id for m in self.share_moves)),
                ['OR',
                    ('from_member', 'in', members),
                    [
                        ('kind', '=', 'revaluation'),
                        ('to_member', 'in', members),
                        ],
                    ],
                ])
        taken_back = {
            m.reversal_of for m in ShareMove.search([
                    ('reversal_of', 'in', [m.id for m in moves])])}
        moves = [
            m for m in moves if not m.reversal_of and m not in taken_back]
        if moves:
            raise RevaluationError(gettext(
                    'coop_shares.msg_revaluation_cancel',
                    revaluation=self.rec_name,
                    member=(moves[0].from_member
                        or moves[0].to_member).rec_name))
