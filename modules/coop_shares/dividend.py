# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Cast, Null
from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.period import DAY
from trytond.modules.coop_membership.run import ApprovedRunMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .dividend_agreement import DividendAgreement
from .dividend_computation import DividendComputation
from .dividend_posting import DividendPosting
from .exceptions import DividendError, DividendValidationError

_post_states = {
    'required': Eval('state') == 'posted',
    }
_posting_fields = {
    'posting_date', 'payment_date', 'account', 'account_payable',
    'account_withholding'}
_monthly = Eval('basis').in_(['monthly_mean', 'paid_monthly_mean'])
_account_domain = [
    ('company', '=', Eval('company', -1)),
    ('type', '!=', None),
    ('closed', '!=', True),
    ('party_required', '=', False),
    ]


class Dividend(
        DividendComputation, DividendPosting, DividendAgreement,
        ApprovedRunMixin, NumberedMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.dividend'
    __string__ = "Share Dividend"
    _not_copied = {'force', 'resolution', 'posting_date', 'payment_date'}
    _steps = {
        **ApprovedRunMixin._steps,
        # It may go on in other transactions
        'compute': (['draft', 'computed'], None),
        'draft': (['computed'], 'draft'),
        'cancel': (['approved', 'posted'], 'cancelled'),
        }
    _work = (
        ('computed', 'approve', 'end_date'), ('approved', 'post', 'end_date'))
    _pending = {'approved': 'end_date'}
    _sequence = ('coop.share.configuration', 'dividend_sequence')
    _modify_states = {
        'computed': _posting_fields | {'resolution'},
        'approved': _posting_fields,
        }
    _date_order = [
        ('start_date', 'end_date', 'coop_shares.msg_dividend_dates'),
        ]
    # How many lines are created, or posted by one move, in one transaction
    _chunk_size = 5000

    classes = fields.Many2Many(
        'coop.share.dividend-coop.share.class', 'dividend', 'share_class',
        "Share Classes", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The classes whose shares the dividend is paid on.")
    start_date = fields.Date("Start Date", required=True,
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('start_date', '<=', Eval('end_date')),
                ()),
            ],
        help="The first day of the period.")
    end_date = fields.Date("End Date", required=True,
        domain=[
            If(Eval('start_date') & Eval('end_date'),
                ('end_date', '>=', Eval('start_date')),
                ()),
            ],
        help="The last day of the period.")
    force = fields.Boolean("Force",
        help="Check to allow a gap or an overlap between the period and the "
        "other dividends of the share classes.")
    method = fields.Selection([
            ('rate', "Rate"),
            ('pot', "Pot"),
            ], "Method", required=True,
        help="Pay a rate on the capital or share out an amount.")
    rate = fields.Numeric("Rate", digits=(14, 10),
        domain=[
            If(Eval('method') == 'rate',
                ('rate', '>', 0),
                ('rate', '=', None)),
            ],
        states={
            'required': Eval('method') == 'rate',
            'invisible': Eval('method') != 'rate',
            },
        help="The rate for a whole year.")
    amount = Monetary("Amount", currency='currency', digits='currency',
        domain=[
            If(Eval('method') == 'pot',
                ('amount', '>', 0),
                ('amount', '=', None)),
            ],
        states={
            'required': Eval('method') == 'pot',
            'invisible': Eval('method') != 'pot',
            },
        help="The amount to share out, before withholding.")
    basis = fields.Selection([
            ('share_days', "Share-days"),
            ('opening_balance', "Opening Balance"),
            ('monthly_mean', "Monthly Mean"),
            ('paid_share_days', "Paid Share-days"),
            ('paid_opening_balance', "Paid Opening Balance"),
            ('paid_monthly_mean', "Paid Monthly Mean"),
            ], "Basis", required=True, sort=False,
        help="What the dividend is paid on:\n"
        "- Share-days: the amount of the shares for each day held\n"
        "- Opening Balance: the shares held on the first day\n"
        "- Monthly Mean: the mean of the shares held on a day of each month\n"
        "- Paid: the same with what is paid of the shares")
    cutoff_day = fields.Integer("Cut-off Day",
        domain=[
            If(_monthly, [
                    ('cutoff_day', '>=', 1),
                    ('cutoff_day', '<=', 31),
                    ],
                ('cutoff_day', '=', None)),
            ],
        states={
            'required': _monthly,
            'invisible': ~_monthly,
            },
        help="The shares held on this day count for the month.\n"
        "It is the last day in a month that is shorter.")
    first_day_counts = fields.Boolean("First Day Counts",
        help="Check to count the day on which shares are acquired.")
    year_length = fields.Selection([
            ('period', "Period"),
            ('365', "365 Days"),
            ('actual', "Calendar Year"),
            ], "Length of Year", required=True, sort=False,
        help="The number of days for which the whole rate is paid.")
    rate_cap = fields.Numeric("Maximum Rate", digits=(14, 10),
        domain=['OR',
            ('rate_cap', '=', None),
            ('rate_cap', '>=', 0),
            ],
        help="The dividend is refused above this rate.\n"
        "Leave empty for no maximum.")
    cap_reason = fields.Char("Reason of Maximum",
        states={
            'invisible': Eval('rate_cap', None) == None,  # noqa: E711
            },
        help="The law or the statute that sets the maximum.")
    withholding_rate = fields.Numeric("Withholding Rate", digits=(14, 10),
        domain=['OR',
            ('withholding_rate', '=', None), [
                ('withholding_rate', '>=', 0),
                ('withholding_rate', '<=', 1),
                ],
            ],
        help="The rate of the tax to withhold, from who has no terms of his "
        "own on the day of the posting.\n"
        "Leave empty to withhold nothing.")
    exemption = Monetary("Exemption", currency='currency', digits='currency',
        domain=['OR',
            ('exemption', '=', None),
            ('exemption', '>=', 0),
            ],
        states={
            'invisible': ~Eval('withholding_rate', 0),
            },
        help="The amount of each member from which nothing is withheld.")
    resolution = fields.Many2One('coop.meeting.item', "Resolution",
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'resolution'),
            ],
        help="The resolution of the meeting that decides on the dividend.")
    posting_date = fields.Date("Posting Date", states=_post_states,
        help="The date of the accounting moves.")
    payment_date = fields.Date("Payment Date", states=_post_states,
        help="The date from which the dividend is payable.")
    account = fields.Many2One('account.account', "Account",
        domain=_account_domain, states=_post_states,
        help="The account that is debited.")
    account_payable = fields.Many2One('account.account', "Account Payable",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('closed', '!=', True),
            ('type.payable', '=', True),
            ('party_required', '=', True),
            ],
        states=_post_states,
        help="The account of what is due to the members.")
    account_withholding = fields.Many2One(
        'account.account', "Account Withholding",
        domain=_account_domain,
        states={
            'invisible': ~Eval('withholding_rate', 0),
            },
        help="The account of the tax that is withheld.")
    lines = fields.One2Many(
        'coop.share.dividend.line', 'dividend', "Lines", readonly=True)
    gross = fields.Function(Monetary(
            "Gross", currency='currency', digits='currency'), 'get_totals')
    withholding = fields.Function(Monetary(
            "Withholding", currency='currency', digits='currency'),
        'get_totals')
    church_tax = fields.Function(Monetary(
            "Church Tax", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('church_tax', 0),
                },
            help="What of the withholding is church tax."),
        'get_totals')
    net = fields.Function(Monetary(
            "Net", currency='currency', digits='currency'), 'get_totals')
    to_shares = fields.Function(Monetary(
            "To Shares", currency='currency', digits='currency',
            states={
                'invisible': ~Eval('to_shares', 0),
                },
            help="The part of the net that pays shares of the members."),
        'get_totals')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.company.states['readonly'] = Eval('classes', [0])
        cls._transitions.add(('draft', 'computed'))
        cls._order = [('end_date', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_method(cls):
        return 'rate'

    @classmethod
    def default_basis(cls):
        return 'share_days'

    @classmethod
    def default_first_day_counts(cls):
        return True

    @classmethod
    def default_year_length(cls):
        return 'period'

    @classmethod
    def default_account_payable(cls):
        pool = Pool()
        Configuration = pool.get('account.configuration')
        account = Configuration(1).get_multivalue(
            'default_account_payable',
            company=Transaction().context.get('company'))
        return account.id if account else None

    @fields.depends('method')
    def on_change_method(self):
        if self.method == 'rate':
            self.amount = None
        else:
            self.rate = None

    @fields.depends('basis', 'cutoff_day')
    def on_change_basis(self):
        if self.basis not in {'monthly_mean', 'paid_monthly_mean'}:
            self.cutoff_day = None
        elif not self.cutoff_day:
            self.cutoff_day = 31

    @classmethod
    def get_totals(cls, dividends, names):
        pool = Pool()
        line = pool.get('coop.share.dividend.line').__table__()
        cursor = Transaction().connection.cursor()
        columns = {
            'gross': line.gross,
            'withholding': line.withholding,
            'church_tax': Coalesce(line.church_tax, 0),
            'net': line.gross - line.withholding,
            'to_shares': Coalesce(line.to_shares, 0),
            }
        columns = {n: c for n, c in columns.items() if n in names}
        result = {
            name: {d.id: Decimal(0) for d in dividends} for name in names}
        currencies = {d.id: d.currency for d in dividends}
        query = line.select(
            line.dividend,
            *(Sum(column).as_(name) for name, column in columns.items()),
            where=fields.SQL_OPERATORS['in'](
                line.dividend, [d.id for d in dividends]),
            group_by=line.dividend)
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None] + ['NUMERIC'] * len(columns))
        cursor.execute(*query)
        for id_, *amounts in cursor:
            for name, amount in zip(columns, amounts):
                result[name][id_] = currencies[id_].round(amount)
        return result

    @classmethod
    def validate_fields(cls, dividends, field_names):
        super().validate_fields(dividends, field_names)
        cls.check_classes(dividends, field_names)

    @classmethod
    def check_classes(cls, dividends, field_names=None):
        if field_names and 'classes' not in field_names:
            return
        for dividend in dividends:
            for share_class in dividend.classes:
                if not share_class.participates:
                    raise DividendValidationError(gettext(
                            'coop_shares.msg_dividend_class_participates',
                            dividend=dividend.rec_name,
                            share_class=share_class.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, dividends):
        cls.lock(dividends)
        for dividend in dividends:
            cls._delete_lines(dividend._line_ids())

    @classmethod
    @ModelView.button
    def compute(cls, dividends):
        """Create the lines, in chunks if they are many.

        What an interruption leaves is missing until it is computed again.
        """
        cls.lock(dividends)
        cls.check_classes(dividends)
        for dividend in dividends:
            if dividend.state not in {'draft', 'computed'}:
                continue
            dividend._check_period()
            cls._incomplete([dividend])
            rows = dividend._compute_lines()
            current = dividend._current_lines()
            cls._delete_lines([current[r] for r in current.keys() - rows])
            missing = [r for r in rows if r not in current]
            if len(missing) <= cls._chunk_size:
                dividend._create_lines(missing)
                cls.close_lines(dividend, len(rows))
                continue
            with Transaction().set_context(queue_name='coop'):
                for sub_rows in grouped_slice(missing, cls._chunk_size):
                    cls.__queue__.create_lines(
                        dividend, list(sub_rows), len(rows))

    @classmethod
    @Workflow.transition('draft')
    def _incomplete(cls, dividends):
        pass

    @classmethod
    @Workflow.transition('computed')
    def _computed(cls, dividends):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, dividends):
        cls.lock(dividends)
        # No two dividends of a class can be approved at once
        claim(c for d in dividends for c in d.classes)
        for dividend in dividends:
            dividend._check_period(dividends)
            dividend._check_resolution()
            dividend._check_lines()
        cls.set_number(dividends)
        cls.save(dividends)

    @classmethod
    @ModelView.button
    def post(cls, dividends):
        cls.lock(dividends)
        for dividend in dividends:
            if dividend.state != 'approved':
                continue
            dividend._check_post()
            ids = dividend._line_ids(to_post=True)
            if len(ids) <= cls._chunk_size:
                cls.post_lines(dividend, ids[0], ids[-1])
            else:
                cls._post_next(dividend, ids)

    @classmethod
    def _post_next(cls, dividend, ids):
        """Let the first of the lines be posted, and those after them then

        All need the numbers of the moves: side by side they would only wait
        for each other, until the workers give up.
        """
        ids = ids[:cls._chunk_size]
        with Transaction().set_context(queue_name='coop'):
            cls.__queue__.post_lines(dividend, ids[0], ids[-1])

    @classmethod
    @Workflow.transition('posted')
    def _posted(cls, dividends):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, dividends):
        pool = Pool()
        MoveLine = pool.get('account.move.line')
        cls.lock(dividends)
        for dividend in dividends:
            moves = dividend._moves()
            if not moves:
                continue
            paid = MoveLine.search([
                    ('move', 'in', moves),
                    # Of a member, or of who gets the tax
                    ('account.type.payable', '=', True),
                    MoveLine.get_paid_domain(),
                    ], limit=1)
            if paid:
                line, = paid
                raise DividendError(gettext(
                        'coop_shares.msg_dividend_cancel_paid',
                        dividend=dividend.rec_name,
                        party=line.party.rec_name))
            shares = dividend._release_shares(moves)
            for move in moves:
                dividend._cancel_move(move)
            dividend._cancel_shares(shares)

    def _line_ids(self, to_post=False, first_id=None, last_id=None):
        pool = Pool()
        line = pool.get('coop.share.dividend.line').__table__()
        cursor = Transaction().connection.cursor()
        where = line.dividend == self.id
        if to_post:
            # SQLite keeps decimals as texts
            where &= (line.move == Null) & (Cast(line.gross, 'NUMERIC') > 0)
        if first_id is not None:
            where &= line.id >= first_id
        if last_id is not None:
            where &= line.id <= last_id
        cursor.execute(*line.select(line.id, where=where, order_by=line.id))
        return [id_ for id_, in cursor]

    def _check_period(self, approved=()):
        "Check the period against that of the others, and those approved now"
        others = self.search([
                ('company', '=', self.company.id),
                ['OR',
                    ('state', 'in', ['approved', 'posted']),
                    ('id', 'in', [d.id for d in approved]),
                    ],
                ('classes', 'in', [c.id for c in self.classes]),
                ('id', '!=', self.id),
                ])
        for share_class in self.classes:
            c_others = [o for o in others if share_class in o.classes]
            for other in c_others:
                if (other.start_date == self.start_date
                        and other.end_date == self.end_date):
                    message = 'coop_shares.msg_dividend_twice'
                elif (not self.force
                        and other.start_date <= self.end_date
                        and other.end_date >= self.start_date):
                    message = 'coop_shares.msg_dividend_overlap'
                else:
                    continue
                raise DividendError(gettext(
                        message,
                        dividend=self.rec_name,
                        share_class=share_class.rec_name,
                        other=other.rec_name,
                        **self._format_dates(
                            start_date=other.start_date,
                            end_date=other.end_date)))
            last = max((
                    o.end_date for o in c_others
                    if o.end_date < self.start_date), default=None)
            if last and not self.force and last + DAY != self.start_date:
                raise DividendError(gettext(
                        'coop_shares.msg_dividend_gap',
                        dividend=self.rec_name,
                        share_class=share_class.rec_name,
                        **self._format_dates(
                            date=last + DAY,
                            start_date=self.start_date)))

    @classmethod
    def _format_dates(cls, **dates):
        pool = Pool()
        Lang = pool.get('ir.lang')
        lang = Lang.get()
        return {k: lang.strftime(d) for k, d in dates.items()}

    def _check_resolution(self):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        if not self.resolution:
            if Configuration(1).get_multivalue(
                    'dividend_resolution', company=self.company.id):
                raise DividendError(gettext(
                        'coop_shares.msg_dividend_resolution_missing',
                        dividend=self.rec_name))
        elif (self.resolution.result != 'carried'
                or self.resolution.meeting.state != 'closed'):
            raise DividendError(gettext(
                    'coop_shares.msg_dividend_resolution_carried',
                    dividend=self.rec_name,
                    resolution=self.resolution.rec_name))

    def _check_lines(self):
        "Check the ledger has not changed since the lines were computed"
        pool = Pool()
        Member = pool.get('coop.member')
        changed = sorted({
                member for member, *_ in
                self._current_lines().keys() ^ set(self._compute_lines())})
        if changed:
            names = [m.rec_name for m in Member.browse(changed[:5])]
            if len(changed) > len(names):
                names.append('...')
            raise DividendError(gettext(
                    'coop_shares.msg_dividend_changed',
                    dividend=self.rec_name,
                    members=', '.join(names)))

    def _check_post(self):
        Withholding = Pool().get('coop.withholding')
        names = ['posting_date', 'payment_date', 'account_payable']
        if self.withholding and Withholding.needs_account(self.company):
            names.append('account_withholding')
        missing = [n for n in names if not getattr(self, n)]
        if not self.debit_account:
            missing.append('account')
        if missing:
            raise DividendError(gettext(
                    'coop_shares.msg_dividend_missing',
                    dividend=self.rec_name,
                    fields=', '.join(
                        self.__names__(n)['field'] for n in missing)))
        if not self._moves():
            # What an interrupted posting goes on with is what was approved
            self._check_lines()
