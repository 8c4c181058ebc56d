# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from sql import Cast, Null, Union
from sql.aggregate import Min, Sum
from sql.conditionals import Case, Coalesce

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_shares.document import lock_members
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import CancelError, RevolvementError
from .revolvement import (
    base_capital, by_percentage, by_vintage, capital_targets, hybrid,
    present_value)
from .solvency import SolvencyMixin


class Revolvement(
        CancelledMixin, SolvencyMixin, BooksMixin,
        Workflow, ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement'
    __string__ = "Equity Revolvement"

    _states = {
        'readonly': ~Eval('state').in_(['draft', 'computed']),
        }

    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': _states['readonly'] | Eval('classes', [0]),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    description = fields.Char("Description", states=_states)
    classes = fields.Many2Many(
        'coop.equity.revolvement-coop.share.class', 'revolvement',
        'share_class', "Classes", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'allocated'),
            ],
        states=_states)
    method = fields.Selection([
            ('fifo', "Oldest First"),
            ('lifo', "Newest First"),
            ('percentage', "Percentage of All"),
            ('hybrid', "Oldest First and Percentage"),
            ('base_capital', "Base Capital"),
            ('estate', "Early at Present Value"),
            ], "Method", required=True, sort=False, states=_states)
    posting_date = fields.Date("Posting Date", required=True, states=_states)
    payment_date = fields.Date("Payment Date", states=_states,
        help="The maturity of what is payable.\n"
        "Leave empty for the posting date.")
    budget = Monetary(
        "Budget", currency='currency', digits='currency',
        domain=[
            If(Eval('budget', None),
                ('budget', '>', 0),
                ()),
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') == 'estate',
            'required': Eval('method') == 'hybrid',
            },
        help="What is paid out at most.")
    rate = fields.Numeric("Rate",
        domain=[
            ['OR',
                ('rate', '=', None),
                [('rate', '>', 0), ('rate', '<=', 1)],
                ],
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': ~Eval('method').in_(['percentage', 'hybrid']),
            'required': ((Eval('method') == 'hybrid')
                | ((Eval('method') == 'percentage')
                    & ~Eval('budget', 0))),
            },
        help="The part of all balances or, for hybrid, the part of the "
        "budget that pays the oldest first.")
    until_vintage = fields.Integer("Until Vintage",
        states={
            'readonly': _states['readonly'],
            'invisible': ~Eval('method').in_(['fifo', 'lifo']),
            },
        help="The last vintage that is paid.")
    discount_rate = fields.Numeric("Discount Rate",
        domain=[
            ['OR',
                ('discount_rate', '=', None),
                ('discount_rate', '>=', 0),
                ],
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="The rate of interest per year for payments before the end of "
        "the cycle.")
    cycle_years = fields.Integer("Cycle",
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'estate',
            'required': Eval('method') == 'estate',
            },
        help="After how many years a vintage is usually paid.")
    required_equity = Monetary(
        "Required Equity", currency='currency', digits='currency',
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="What the members should hold together, "
        "each by the part in the use.")
    use_years = fields.Integer("Years of Use",
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="Over how many years before the posting date "
        "the use is measured.")
    use_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.patronage.category', 'revolvement',
        'category', "Use",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'readonly': _states['readonly'],
            'invisible': Eval('method') != 'base_capital',
            'required': Eval('method') == 'base_capital',
            },
        help="The activity by which the use is measured.")
    members = fields.Many2Many(
        'coop.equity.revolvement-coop.member', 'revolvement', 'member',
        "Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="Pay only these members.\n"
        "Leave empty for all.")
    only_estates = fields.Boolean("Only Estates", states=_states,
        help="Check to pay only for members who died.")
    member_categories = fields.Many2Many(
        'coop.equity.revolvement-coop.member.category', 'revolvement',
        'category', "Member Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="Pay only members of these categories on the posting date.\n"
        "Leave empty for all.")
    minimum_age = fields.Integer("Minimum Age",
        domain=['OR',
            ('minimum_age', '=', None),
            ('minimum_age', '>', 0),
            ],
        states=_states,
        help="Pay only members of at least this age on the posting date.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ],
        states=_states)
    lines = fields.One2Many(
        'coop.equity.revolvement.line', 'revolvement', "Lines",
        readonly=True)
    moves = fields.One2Many('account.move', 'origin', "Moves", readonly=True)
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'), 'get_amount')
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
        cls._order = [
            ('posting_date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'computed'),
            ('computed', 'draft'),
            ('computed', 'approved'),
            ('approved', 'draft'),
            ('approved', 'posted'),
            ('draft', 'cancelled'),
            ('computed', 'cancelled'),
            ('posted', 'cancelled'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': ~Eval('state').in_(['computed', 'approved']),
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': ~Eval('state').in_(['draft', 'computed']),
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
                'cancel': {
                    'invisible': ~Eval('state').in_(
                        ['draft', 'computed', 'posted']),
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_method(cls):
        return 'fifo'

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_amount(self, name):
        return sum((line.amount for line in self.lines), Decimal(0))

    def get_rec_name(self, name):
        return ' '.join(filter(
                None, [str(self.posting_date), self.description]))

    @classmethod
    def search_rec_name(cls, name, clause):
        return [('description', *clause[1:])]

    @classmethod
    def copy(cls, revolvements, default=None):
        default = default.copy() if default is not None else {}
        for name in ['lines', 'moves', 'resolution']:
            default.setdefault(name)
        return super().copy(revolvements, default=default)

    @classmethod
    def check_modification(
            cls, mode, revolvements, values=None, external=False):
        super().check_modification(
            mode, revolvements, values=values, external=external)
        for revolvement in revolvements:
            if (mode == 'delete' and revolvement.state != 'draft'
                    or external and (
                        revolvement.state not in {'draft', 'computed'}
                        or 'state' in (values or {}))):
                raise AccessError(gettext(
                        'coop_patronage.msg_revolvement_modify',
                        revolvement=revolvement.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, revolvements):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, revolvements):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        cls.lock(revolvements)
        Line.delete([line for r in revolvements for line in r.lines])
        lines = []
        for revolvement in revolvements:
            lines.extend(revolvement.get_lines())
        for sub_lines in grouped_slice(lines, SLICE):
            Line.save(list(sub_lines))

    def get_balances(self):
        "Return what is held by member, class and vintage"
        pool = Pool()
        Member = pool.get('coop.member')
        ShareMove = pool.get('coop.share.move')
        members = None
        if (self.members or self.only_estates or self.member_categories
                or self.minimum_age):
            domain = [('company', '=', self.company.id)]
            if self.members:
                domain.append(('id', 'in', [m.id for m in self.members]))
            if self.only_estates:
                domain.append(('exit_reason', '=', 'death'))
            if self.minimum_age:
                domain.append(('party.birth_date', '<=',
                        self.posting_date - relativedelta(
                            years=self.minimum_age)))
            members = Member.search(domain)
            if self.member_categories:
                categories = Member.categories_at(members, self.posting_date)
                allowed = {c.id for c in self.member_categories}
                members = [
                    m for m in members if categories.get(m.id) in allowed]
        # All the moves count, so that later ones can not be paid twice
        holdings = ShareMove.holdings_at(
            self.company, None, members=members, classes=self.classes,
            by=('member', 'share_class', 'vintage'))
        return {
            (member, share_class, vintage or 0): amount
            for (member, share_class, vintage), (_, amount)
            in holdings.items() if amount > 0}

    def get_lines(self):
        "Return the unsaved lines"
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        balances = self.get_balances()
        if not balances:
            raise RevolvementError(gettext(
                    'coop_patronage.msg_revolvement_nothing',
                    revolvement=self.rec_name))
        # The smallest step that is a whole number of shares of each class
        unit = max(max(
                c.par_value * Decimal(1).scaleb(-c.quantity_digits)
                for c in self.classes), self.currency.rounding)
        paid = getattr(self, f'_compute_{self.method}')(balances, unit)
        lines = []
        for key in sorted(paid):
            amount = paid[key]
            member, share_class, vintage = key
            discount = Decimal(0)
            if self.method == 'estate':
                years = vintage + self.cycle_years - self.posting_date.year
                discount = amount - present_value(
                    amount, self.discount_rate, years,
                    self.currency.rounding)
            lines.append(Line(
                    revolvement=self, member=member, share_class=share_class,
                    vintage=vintage or None, balance=balances[key],
                    amount=amount, discount=discount,
                    payable=amount - discount))
        return lines

    def _by_lot(self, function, balances, *args, **kwargs):
        "Call the function with keys that end with the vintage"
        paid = function(
            {((m, c), v): amount for (m, c, v), amount in balances.items()},
            *args, **kwargs)
        return {(m, c, v): amount for ((m, c), v), amount in paid.items()}

    def _compute_fifo(self, balances, unit, newest=False):
        return self._by_lot(
            by_vintage, balances, self.budget, newest=newest,
            until=self.until_vintage, unit=unit)

    def _compute_lifo(self, balances, unit):
        return self._compute_fifo(balances, unit, newest=True)

    def _compute_percentage(self, balances, unit):
        return self._by_lot(
            by_percentage, balances, rate=self.rate, budget=self.budget,
            unit=unit)

    def _compute_hybrid(self, balances, unit):
        return self._by_lot(
            hybrid, balances, self.budget, self.rate, unit=unit)

    def _compute_estate(self, balances, unit):
        return balances

    def _compute_base_capital(self, balances, unit):
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        start = self.posting_date.replace(day=1)
        start = start.replace(year=start.year - self.use_years)
        use = Activity.get_use(
            self.company, self.use_categories, start, self.posting_date - DAY)
        paid = base_capital(
            {(m, (v, c)): amount for (m, c, v), amount in balances.items()},
            capital_targets(
                self.required_equity, use, self.currency.rounding),
            self.budget, unit)
        return {(m, c, v): amount for (m, (v, c)), amount in paid.items()}

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, revolvements):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        config = Configuration(1)
        for revolvement in revolvements:
            revolvement.check_solvency(RevolvementError)
            resolution = revolvement.resolution
            if not config.get_multivalue(
                    'resolution_required', company=revolvement.company.id):
                continue
            if (not resolution
                    or resolution.result != 'carried'
                    or resolution.meeting.state != 'closed'):
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_resolution',
                        revolvement=revolvement.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, revolvements):
        cls.lock(revolvements)
        lock_members(line.member for r in revolvements for line in r.lines)
        for revolvement in revolvements:
            revolvement._post()

    def _post(self):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        Move = pool.get('account.move')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        books = Books(self.company)
        chunks = [
            list(chunk) for chunk in grouped_slice(self.lines, SLICE // 2)]
        moves = [
            books.move(
                self.posting_date, [], origin=self,
                description=self.description) for _ in chunks]
        Move.save(moves)
        for move, chunk in zip(moves, chunks):
            rows = [row for line in chunk for row in line.get_move_lines(move)]
            created = MoveLine.create([values for _, _, values in rows])
            for (line, name, _), move_line in zip(rows, created):
                if name == 'payable':
                    line.account_move_line = move_line
            for line in chunk:
                line.share_move = line.get_share_move(move)
            ShareMove.do([line.share_move for line in chunk])
            Line.save(chunk)
            Move.post([move])

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, revolvements):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        MoveLine = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        cls.lock(revolvements)
        for revolvement in revolvements:
            if revolvement.state != 'posted':
                continue
            paid = Line.search([
                    ('revolvement', '=', revolvement.id),
                    ('account_move_line', 'where', MoveLine.get_paid_domain()),
                    ], limit=1)
            if paid:
                line, = paid
                raise CancelError(gettext(
                        'coop_patronage.msg_revolvement_paid',
                        revolvement=revolvement.rec_name,
                        member=line.member.rec_name))
            books = Books(revolvement.company)
            moves = list(revolvement.moves)
            reversals = [
                books.reversal(m, revolvement.posting_date) for m in moves]
            Books.post(reversals)
            ShareMove.reverse(
                [line.share_move for line in revolvement.lines],
                dict(zip(moves, reversals)))
            payables = {}
            for move in moves + reversals:
                for line in move.lines:
                    if line.account.type.payable and line.account.reconcile:
                        key = line.account, line.party
                        payables.setdefault(key, []).append(line)
            if payables:
                MoveLine.reconcile(*payables.values())

    @classmethod
    def check_books(cls, company, date):
        differences = super().check_books(company, date)
        for revolvement in cls.search([
                    ('company', '=', int(company)),
                    ('state', '=', 'posted'),
                    ('posting_date', '<=', date),
                    ]):
            posted = sum((
                    line.credit for move in revolvement.moves
                    for line in move.lines), Decimal(0))
            if posted != revolvement.amount:
                differences.append(Difference(
                        revolvement,
                        gettext('coop_patronage.msg_check_revolvement',
                            revolvement=revolvement.rec_name),
                        revolvement.amount, posted))
        return differences


class RevolvementClass(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.share.class'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class",
        ondelete='RESTRICT', required=True)


class RevolvementCategory(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.patronage.category'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.patronage.category', "Category",
        ondelete='RESTRICT', required=True)


class RevolvementMember(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT', required=True)


class RevolvementMemberCategory(ModelSQL):
    __name__ = 'coop.equity.revolvement-coop.member.category'

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement",
        ondelete='CASCADE', required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        ondelete='RESTRICT', required=True)


class RevolvementLine(ModelSQL, ModelView):
    __name__ = 'coop.equity.revolvement.line'
    __string__ = "Equity Revolvement Line"

    revolvement = fields.Many2One(
        'coop.equity.revolvement', "Revolvement", required=True,
        readonly=True, ondelete='CASCADE')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, readonly=True,
        ondelete='RESTRICT')
    vintage = fields.Integer("Vintage", readonly=True)
    balance = Monetary(
        "Balance", currency='currency', digits='currency', readonly=True,
        help="What is held before.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', readonly=True,
        help="What is redeemed.")
    discount = Monetary(
        "Discount", currency='currency', digits='currency', readonly=True,
        help="What the cooperative keeps for paying early.")
    payable = Monetary(
        "Payable", currency='currency', digits='currency', readonly=True)
    account_move_line = fields.Many2One(
        'account.move.line', "Payable Line", readonly=True,
        ondelete='RESTRICT')
    share_move = fields.Many2One(
        'coop.share.move', "Share Move", readonly=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('revolvement')
        cls._order = [
            ('vintage', 'ASC'),
            ('member', 'ASC'),
            ('id', 'ASC'),
            ]

    @fields.depends('revolvement', '_parent_revolvement.currency')
    def on_change_with_currency(self, name=None):
        return self.revolvement.currency if self.revolvement else None

    def get_rec_name(self, name):
        return f'{self.revolvement.rec_name} - {self.member.rec_name}'

    @classmethod
    def check_modification(cls, mode, lines, values=None, external=False):
        super().check_modification(
            mode, lines, values=values, external=external)
        if external:
            for line in lines:
                raise AccessError(gettext(
                        'coop_patronage.msg_revolvement_modify',
                        revolvement=line.revolvement.rec_name))

    def get_move_lines(self, move):
        "Yield the line, what is posted and the values"
        revolvement = self.revolvement
        party = self.member.party.id
        for name, account, amount in [
                ('amount', self.share_class.account_capital, self.amount),
                ('payable', self.share_class.account_redemption,
                    -self.payable),
                ('discount', self.share_class.account_deduction,
                    -self.discount)]:
            if not amount:
                continue
            if not account:
                raise RevolvementError(gettext(
                        'coop_patronage.msg_revolvement_account',
                        share_class=self.share_class.rec_name))
            yield self, name, {
                'move': move.id,
                'account': account.id,
                'debit': max(amount, Decimal(0)),
                'credit': max(-amount, Decimal(0)),
                'party': party if account.party_required else None,
                'maturity_date': (
                    revolvement.payment_date or revolvement.posting_date
                    if name == 'payable' else None),
                }

    def get_share_move(self, move):
        "Return the unsaved row of the share ledger"
        ShareMove = Pool().get('coop.share.move')
        return ShareMove(
            company=self.revolvement.company,
            share_class=self.share_class,
            kind='redemption',
            quantity=self.amount / self.share_class.par_value,
            from_member=self.member,
            end_date=self.revolvement.posting_date - DAY,
            par_value=self.share_class.par_value,
            amount=self.amount,
            vintage=self.vintage,
            origin=self,
            account_move=move)


class Statement(ModelSQL, ModelView):
    __name__ = 'coop.equity.statement'
    __string__ = "Equity Statement"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    member = fields.Many2One('coop.member', "Member")
    share_class = fields.Many2One('coop.share.class', "Share Class")
    vintage = fields.Integer("Vintage")
    opening = Monetary("Opening", currency='currency', digits='currency')
    allocated = Monetary("Allocated", currency='currency', digits='currency')
    redeemed = Monetary("Redeemed", currency='currency', digits='currency')
    lost = Monetary("Lost", currency='currency', digits='currency')
    transferred = Monetary(
        "Transferred", currency='currency', digits='currency')
    closing = Monetary("Closing", currency='currency', digits='currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('member', 'ASC'),
            ('share_class', 'ASC'),
            ('vintage', 'ASC'),
            ('id', 'ASC'),
            ]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return f'{self.member.rec_name} {self.vintage or ""}'

    @classmethod
    def table_query(cls):
        context = Transaction().context
        from_date = context.get('from_date')
        to_date = context.get('to_date')
        rows = Union(
            cls._get_rows('to_member', 1, 0),
            cls._get_rows('from_member', -1, 1), all_=True)

        def total(where):
            return Sum(Case((where, rows.amount), else_=Decimal(0)))

        before = (rows.date < from_date) if from_date else (
            rows.date == Null)
        within = rows.date != Null
        if from_date:
            within &= rows.date >= from_date
        columns = {
            'opening': before,
            'allocated': within & rows.kind.in_(
                ['allocation', 'issue', 'opening']),
            'redeemed': within & (rows.kind == 'redemption'),
            'lost': within & (rows.kind == 'loss'),
            'transferred': within & rows.kind.in_(
                ['transfer', 'conversion']),
            'closing': rows.date != Null,
            }
        where = rows.date != Null
        if to_date:
            where &= rows.date <= to_date
        return rows.select(
            Min(rows.id).as_('id'),
            rows.company.as_('company'),
            rows.member.as_('member'),
            rows.share_class.as_('share_class'),
            rows.vintage.as_('vintage'),
            *(getattr(cls, name).sql_cast(total(condition)).as_(name)
                for name, condition in columns.items()),
            where=where,
            group_by=[
                rows.company, rows.member, rows.share_class, rows.vintage])

    @classmethod
    def _get_rows(cls, name, sign, shard):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        move = ShareMove.__table__()
        reversed_ = ShareMove.__table__()
        share_class = ShareClass.__table__()
        member = getattr(move, name)
        amount = move.amount if sign > 0 else -move.amount
        return (move
            .join(share_class, condition=move.share_class == share_class.id)
            # What is reversed was never allocated or redeemed
            .join(reversed_, 'LEFT',
                condition=move.reversal_of == reversed_.id)
            .select(
                (Cast(move.id, 'BIGINT') * 2 + shard).as_('id'),
                move.company.as_('company'),
                member.as_('member'),
                move.share_class.as_('share_class'),
                move.vintage.as_('vintage'),
                Coalesce(reversed_.kind, move.kind).as_('kind'),
                move.date.as_('date'),
                amount.as_('amount'),
                where=(member != Null)
                & (move.state == 'done')
                & (move.company == Transaction().context.get('company', -1))
                & (share_class.kind == 'allocated')))


class StatementContext(ModelView):
    __name__ = 'coop.equity.statement.context'
    __string__ = "Equity Statement Context"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date")
    to_date = fields.Date("To Date")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_from_date(cls):
        return Transaction().context.get('from_date')

    @classmethod
    def default_to_date(cls):
        return Transaction().context.get('to_date')
