# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from sql import Literal, Null, Union, Window
from sql.aggregate import Min, Sum
from sql.conditionals import Case, Coalesce
from sql.functions import Round

from trytond import backend
from trytond.i18n import gettext
from trytond.model import (
    Check, DeactivableMixin, Index, ModelSQL, ModelView, Unique, fields)
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin, compare
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import (
    Transaction, inactive_records, without_check_access)

from .calculation import Lot
from .document import lock_members
from .exceptions import (
    HoldingError, LimitError, OpeningError, ReversalError,
    ShareClassValidationError, ShareMoveValidationError)

# The digits of the quantities of all the classes
QUANTITY_DIGITS = 6

_account_domain = [
    ('company', '=', Eval('company', -1)),
    ('closed', '!=', True),
    ]
_equity_domain = _account_domain + [
    ('type.statement', '=', 'balance'),
    ('type.assets', '!=', True),
    ('type.receivable', '!=', True),
    ('type.payable', '!=', True),
    ('party_required', '=', True),
    ]
_other_domain = _account_domain + [
    ('type', '!=', None),
    ('party_required', '!=', True),
    ]


class ShareClass(DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.class'
    __string__ = "Share Class"

    name = fields.Char("Name", required=True, translate=True)
    code = fields.Char("Code", required=True,
        help="The short name of the class, unique in the company.")
    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        help="The nominal value of a share.")
    quantity_digits = fields.Integer("Quantity Digits", required=True,
        domain=[
            ('quantity_digits', '>=', 0),
            ('quantity_digits', '<=', QUANTITY_DIGITS),
            ],
        help="The number of decimals of the quantities, "
        "0 for whole shares.")
    kind = fields.Selection([
            ('membership', "Membership"),
            ('additional', "Additional"),
            ('allocated', "Allocated"),
            ], "Kind", required=True, sort=False,
        help="Membership shares are held by every member, additional ones "
        "by choice and allocated ones come from patronage.")
    categories = fields.Many2Many(
        'coop.share.class-coop.member.category', 'share_class', 'category',
        "Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The categories whose members may hold the shares.\n"
        "Leave empty for all.")
    minimum = fields.Numeric(
        "Minimum", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('minimum', '=', None),
            ('minimum', '>=', 0),
            ],
        help="The quantity a member holds at least, if any.")
    maximum = fields.Numeric(
        "Maximum", digits=(None, Eval('quantity_digits', 0)),
        domain=['OR',
            ('maximum', '=', None),
            ('maximum', '>=', Eval('minimum', 0)),
            ],
        help="The quantity a member holds at most.")
    maximum_percent = fields.Numeric("Maximum Percentage", digits=(None, 4),
        domain=['OR',
            ('maximum_percent', '=', None),
            [
                ('maximum_percent', '>', 0),
                ('maximum_percent', '<=', 100),
                ],
            ],
        help="The percentage of the capital of the class "
        "a member holds at most.")
    transferable = fields.Boolean("Transferable",
        help="Check if members can transfer the shares.\n"
        "They are inherited in any case.")
    redeemable = fields.Boolean("Redeemable",
        help="Check if the cooperative takes the shares back.")
    lock_in_months = fields.Integer("Lock-in",
        domain=['OR',
            ('lock_in_months', '=', None),
            ('lock_in_months', '>=', 0),
            ],
        help="The number of months a share is held at least.")
    participates = fields.Boolean("Participates",
        help="Check if share dividends are paid on the shares.")
    effective = fields.Selection([
            ('confirmation', "Confirmation"),
            ('payment', "Payment"),
            ], "Effective on", required=True, sort=False,
        help="When a subscribed share counts: "
        "from its confirmation or from its full payment.")
    redemption_cap = fields.Numeric("Redemption Cap", digits=(None, 4),
        domain=['OR',
            ('redemption_cap', '=', None),
            [
                ('redemption_cap', '>=', 0),
                ('redemption_cap', '<=', 100),
                ],
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The percentage of the capital of the class at the start of "
        "a fiscal year that is redeemed in it at most.")
    minimum_capital = Monetary(
        "Minimum Capital", currency='currency', digits='currency',
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The capital of the class below which nothing is redeemed.")
    redemption_order = fields.Selection([
            ('request_date', "Request Date"),
            ('pro_rata', "Pro Rata"),
            ], "Redemption Order", required=True, sort=False,
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="How the requests share what can be redeemed in a year.")
    payment_months = fields.Integer("Payment after", required=True,
        domain=[
            ('payment_months', '>=', 0),
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The number of months after the end of the holding "
        "when a redemption is paid.")
    repaid_premium = Monetary(
        "Repaid Premium", currency='currency', digits='currency',
        domain=['OR',
            ('repaid_premium', '=', None),
            ('repaid_premium', '>=', 0),
            ],
        states={
            'invisible': ~Eval('redeemable', False),
            },
        help="The part of the premium of a share that is paid back "
        "when it is redeemed.\n"
        "Leave empty to keep the premium.")
    account_capital = fields.Many2One(
        'account.account', "Account Capital", required=True,
        domain=_equity_domain,
        help="The equity account of the capital, per member.")
    account_subscribed = fields.Many2One(
        'account.account', "Account Subscribed", required=True,
        domain=_account_domain + [
            ('type.receivable', '=', True),
            ('party_required', '=', True),
            ('reconcile', '=', True),
            ],
        help="The receivable account of what members have still to pay.")
    account_unpaid = fields.Many2One(
        'account.account', "Account Unpaid",
        domain=_equity_domain + [
            ('id', '!=', Eval('account_capital', -1)),
            ],
        states={
            'required': Eval('effective') == 'payment',
            },
        help="The account of the capital that is subscribed but not paid, "
        "if it is kept apart from the capital.")
    account_redemption = fields.Many2One(
        'account.account', "Account Redemption",
        domain=_account_domain + [
            ('type.payable', '=', True),
            ('party_required', '=', True),
            ('reconcile', '=', True),
            ],
        states={
            'required': Eval('redeemable', False),
            },
        help="The payable account of what is due to leaving members.")
    account_premium = fields.Many2One(
        'account.account', "Account Premium", domain=_other_domain,
        help="The account of what is paid above the par value.")
    account_loss = fields.Many2One(
        'account.account', "Account Loss", domain=_other_domain,
        help="The account of the losses that redeemed shares bear.")
    account_deduction = fields.Many2One(
        'account.account', "Account Deduction", domain=_other_domain,
        help="The account of what is deducted from redemptions.")
    account_lapsed = fields.Many2One(
        'account.account', "Account Lapsed", domain=_other_domain,
        help="The account of the claims that were not collected in time.")

    @classmethod
    def __setup__(cls):
        cls.code.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('code_unique', Unique(t, t.company, t.code),
                'coop_shares.msg_class_code_unique'),
            ('par_value_positive', Check(t, t.par_value > 0),
                'coop_shares.msg_class_par_value_positive'),
            ]
        cls._order.insert(0, ('code', 'ASC'))
        # The books would not agree with the ledger any more
        cls._modify_unused = {
            'company', 'kind', 'effective', 'account_capital',
            'account_subscribed', 'account_unpaid', 'account_redemption'}

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_quantity_digits(cls):
        return 0

    @classmethod
    def default_kind(cls):
        return 'membership'

    @classmethod
    def default_transferable(cls):
        return True

    @classmethod
    def default_redeemable(cls):
        return True

    @classmethod
    def default_participates(cls):
        return True

    @classmethod
    def default_effective(cls):
        return 'confirmation'

    @classmethod
    def default_redemption_order(cls):
        return 'request_date'

    @classmethod
    def default_payment_months(cls):
        return 0

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return f'[{self.code}] {self.name}'

    @classmethod
    def search_rec_name(cls, name, clause):
        _, operator, value = clause
        bool_op = 'AND' if operator.startswith(('!', 'not')) else 'OR'
        return [bool_op,
            ('code', operator, value),
            ('name', operator, value),
            ]

    @property
    def unit(self):
        "The smallest quantity"
        return Decimal(1).scaleb(-self.quantity_digits)

    @property
    def budgeted(self):
        return (
            self.redemption_cap is not None
            or self.minimum_capital is not None)

    def get_account(self, name):
        "Return the account or raise an error that names it"
        account = getattr(self, f'account_{name}')
        if not account:
            raise ShareClassValidationError(gettext(
                    'coop_shares.msg_class_account_missing',
                    share_class=self.rec_name,
                    **self.__names__(f'account_{name}')))
        return account

    @classmethod
    def check_modification(
            cls, mode, classes, values=None, external=False):
        pool = Pool()
        Move = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        super().check_modification(
            mode, classes, values=values, external=external)
        if mode == 'write' and values.keys() & cls._modify_unused:
            changed = [
                c for c in classes
                if any(
                    _value(getattr(c, f)) != _value(values[f])
                    for f in values.keys() & cls._modify_unused)]
            used = (
                Move.search([('share_class', 'in', changed)], limit=1)
                or Subscription.search([
                        ('share_class', 'in', changed),
                        ('state', '!=', 'draft'),
                        ], limit=1))
            if used:
                raise AccessError(gettext(
                        'coop_shares.msg_class_modify_used',
                        share_class=used[0].share_class.rec_name))

    @classmethod
    def copy(cls, classes, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault(
            'code', lambda data: f"{data['code']} (copy)")
        return super().copy(classes, default=default)

    @classmethod
    def check_limits(cls, changes, date=None):
        """Check the limits of the holdings that have changed.

        `changes` are tuples of member, class, whether the quantity has been
        increased, and the day.  The holding that counts is the one after
        all the moves known.
        """
        pool = Pool()
        Move = pool.get('coop.share.move')
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        changes = list(changes)
        classes = {c for _, c, _, _ in changes}
        members = {int(m) for m, _, _, _ in changes}
        if not changes:
            return
        company = next(iter(classes)).company
        holdings = Move.holdings_at(
            company, None, members=members, classes=classes)
        pending = Subscription.pending_quantities(members, classes)
        capital = {}
        if any(c.maximum_percent for c in classes):
            capital = Move.holdings_at(
                company, None, classes=classes, by=('share_class',))

        days = defaultdict(set)
        for member, class_, increased, day in changes:
            if increased and class_.categories:
                days[day].add(int(member))
        categories = {
            (day, member): category
            for day, ids in days.items()
            for member, category in Member.categories_at(
                sorted(ids), day).items()}

        for member, class_, increased, day in changes:
            key = int(member), class_.id
            quantity, amount = holdings.get(key, (0, 0))
            quantity += pending.get(key, 0)

            class_.check_minimum(member, quantity)
            if not increased:
                continue
            if class_.categories:
                category = categories.get((day, int(member)))
                if category not in {c.id for c in class_.categories}:
                    class_._raise_limit(member, 'msg_limit_category')
            if class_.maximum is not None and quantity > class_.maximum:
                class_._raise_limit(
                    member, 'msg_limit_maximum',
                    quantity=_number(quantity),
                    maximum=_number(class_.maximum))
            if class_.maximum_percent:
                _, total = capital.get((class_.id,), (0, 0))
                # The first member holds all the capital there is
                if (amount != total
                        and amount * 100 > total * class_.maximum_percent):
                    class_._raise_limit(
                        member, 'msg_limit_maximum_percent',
                        maximum=_number(class_.maximum_percent))

    def check_minimum(self, member, quantity):
        "Check that the member holds enough, or nothing"
        if self.minimum and 0 < quantity < self.minimum:
            self._raise_limit(
                member, 'msg_limit_minimum',
                quantity=_number(quantity), minimum=_number(self.minimum))

    def _raise_limit(self, member, message, **variables):
        raise LimitError(gettext(
                f'coop_shares.{message}',
                member=member.rec_name,
                share_class=self.rec_name,
                **variables))


def _value(value):
    return value.id if isinstance(value, ModelSQL) else value


def _number(value):
    return f'{Decimal(value).normalize():f}'


def _get(record, name):
    # Unsaved records do not have all the attributes
    return getattr(record, name, None)


class ShareClassCategory(ModelSQL):
    __name__ = 'coop.share.class-coop.member.category'

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='CASCADE')


class ShareMove(BooksMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.move'
    __string__ = "Share Move"
    _rec_name = 'number'

    _states = {
        'readonly': Eval('state') != 'draft',
        }
    _member_domain = [
        ('company', '=', Eval('company', -1)),
        ]

    number = fields.Char("Number", readonly=True)
    company = fields.Many2One('company.company', "Company", required=True,
        states={
            'readonly': _states['readonly'] | Eval('share_class', False),
            })
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states)
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    kind = fields.Selection([
            ('issue', "Issue"),
            ('transfer', "Transfer"),
            ('conversion', "Conversion"),
            ('redemption', "Redemption"),
            ('allocation', "Allocation"),
            ('loss', "Loss"),
            ('opening', "Opening"),
            ('reversal', "Reversal"),
            ], "Kind", required=True, sort=False, states=_states,
        help="What changes the holdings.")
    kind_string = kind.translated('kind')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)),
        required=True, states=_states)
    from_member = fields.Many2One(
        'coop.member', "From Member", ondelete='RESTRICT',
        domain=_member_domain, states=_states,
        help="The member who gives the shares.\n"
        "Leave empty if the cooperative issues them.")
    to_member = fields.Many2One(
        'coop.member', "To Member", ondelete='RESTRICT',
        domain=_member_domain, states=_states,
        help="The member who gets the shares.\n"
        "Leave empty if they return to the cooperative.")
    end_date = fields.Date("End Date",
        states={
            'readonly': _states['readonly'],
            'required': Bool(Eval('from_member')),
            'invisible': ~Eval('from_member'),
            },
        help="The last day the giver holds the shares.")
    start_date = fields.Date("Start Date",
        states={
            'readonly': _states['readonly'],
            'required': Bool(Eval('to_member')),
            'invisible': ~Eval('to_member'),
            },
        help="The first day the receiver holds the shares.")
    date = fields.Date("Date", readonly=True,
        help="The first day of the changed holding.")
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        states=_states,
        help="The par value of a share at the time.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        states=_states,
        help="The capital of the shares at the time.")
    premium = Monetary(
        "Premium", currency='currency', digits='currency', states=_states,
        help="What is paid above the capital.")
    vintage = fields.Integer("Vintage", states=_states,
        help="The year of the allocation.")
    acquired_date = fields.Date("Acquired on", states=_states,
        help="The day the shares were acquired, "
        "which is kept when they are transferred.")
    origin = fields.Reference(
        "Origin", selection='get_origin', states=_states,
        help="The document that made the move.")
    reversal_of = fields.Many2One(
        'coop.share.move', "Reversal of", readonly=True, ondelete='RESTRICT',
        help="The move that is taken back.")
    account_move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The move that enters it in the books.")
    state = fields.Selection([
            ('draft', "Draft"),
            ('done', "Done"),
            ], "State", required=True, readonly=True, sort=False)

    del _states, _member_domain

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('quantity_positive', Check(t, t.quantity > 0),
                'coop_shares.msg_move_quantity_positive'),
            ('members', Check(t,
                    (Coalesce(t.from_member, 0) != Coalesce(t.to_member, 0))
                    | (t.kind == 'conversion')),
                'coop_shares.msg_move_members'),
            ('reversal_unique', Unique(t, t.reversal_of),
                'coop_shares.msg_move_reversal_unique'),
            ]
        cls._sql_indexes.update({
                Index(t, (t.share_class, Index.Range()),
                    (t.date, Index.Range())),
                Index(t, (t.company, Index.Range()),
                    (t.date, Index.Range())),
                Index(t, (t.from_member, Index.Range()),
                    (t.date, Index.Range())),
                Index(t, (t.to_member, Index.Range()),
                    (t.date, Index.Range())),
                Index(t, (t.origin, Index.Equality())),
                Index(t, (t.state, Index.Equality(cardinality='low')),
                    where=t.state == 'draft'),
                })
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._buttons.update({
                'do': {
                    'invisible': (
                        (Eval('state') != 'draft')
                        | (Eval('kind') != 'opening')),
                    'depends': ['state', 'kind'],
                    },
                'reverse': {
                    'invisible': (
                        (Eval('state') != 'done')
                        | (Eval('kind') != 'opening')),
                    'depends': ['state', 'kind'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_kind(cls):
        return 'opening'

    @classmethod
    def default_state(cls):
        return 'draft'

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits

    @fields.depends('share_class', 'quantity', 'par_value')
    def on_change_share_class(self):
        if self.share_class:
            self.par_value = self.share_class.par_value
            self.on_change_quantity()

    @fields.depends('share_class', 'quantity', 'par_value')
    def on_change_quantity(self):
        if self.share_class and self.quantity and self.par_value:
            self.amount = self.share_class.currency.round(
                self.quantity * self.par_value)

    @classmethod
    def _get_origin(cls):
        "Return the names of the models that are origins"
        return [
            'coop.share.subscription',
            'coop.share.transfer',
            'coop.share.redemption',
            ]

    @classmethod
    def get_origin(cls):
        Model = Pool().get('ir.model')
        return [(None, "")] + [
            (m, Model.get_name(m)) for m in cls._get_origin()]

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if field_names is None or {'start_date', 'end_date'} & field_names:
            date = getattr(self, 'start_date', None)
            end_date = getattr(self, 'end_date', None)
            if not date and end_date:
                date = end_date + DAY
            if getattr(self, 'date', None) != date:
                values['date'] = date
        return values

    @classmethod
    def validate_fields(cls, moves, field_names):
        super().validate_fields(moves, field_names)
        for move in moves:
            if (move.from_member and move.to_member
                    and move.start_date != move.end_date + DAY):
                raise ShareMoveValidationError(gettext(
                        'coop_shares.msg_move_dates',
                        move=move.rec_name))
            if (move.kind == 'loss'
                    and move.share_class.kind != 'allocated'):
                raise ShareMoveValidationError(gettext(
                        'coop_shares.msg_move_loss_class',
                        share_class=move.share_class.rec_name))

    @classmethod
    def check_modification(cls, mode, moves, values=None, external=False):
        super().check_modification(
            mode, moves, values=values, external=external)
        for move in moves:
            if mode == 'create':
                refused = external and (
                    move.state != 'draft'
                    or move.reversal_of or move.account_move)
            elif mode == 'write':
                refused = (
                    move.state == 'done'
                    or (external
                        and values.keys() & {
                            'state', 'number', 'account_move',
                            'reversal_of'}))
            else:
                refused = move.state == 'done'
            if refused:
                raise AccessError(gettext(
                        'coop_shares.msg_move_modify', move=move.rec_name))

    @classmethod
    def copy(cls, moves, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('state', cls.default_state())
        for name in ['number', 'account_move', 'reversal_of', 'origin']:
            default.setdefault(name)
        return super().copy(moves, default=default)

    def get_rec_name(self, name):
        return self.number or f'({self.id})'

    @classmethod
    @ModelView.button
    def do(cls, moves):
        """Enter the moves in the ledger.

        The moves may be unsaved, which is the fastest.
        """
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        lock_members(
            m for move in moves
            for m in [_get(move, 'from_member'), _get(move, 'to_member')])
        config = Configuration(1)
        by_company = defaultdict(list)
        for move in moves:
            if _get(move, 'state') != 'done':
                by_company[move.company].append(move)
        for company, c_moves in by_company.items():
            openings = [m for m in c_moves if m.kind == 'opening']
            if openings:
                account_move = cls._open(company, openings)
                for move in openings:
                    move.account_move = account_move
            sequence = config.get_multivalue(
                'share_move_sequence', company=company.id)
            for move, number in zip(
                    c_moves, sequence.get_many(len(c_moves))):
                move.number = number
                move.state = 'done'
                if (not _get(move, 'acquired_date')
                        and _get(move, 'start_date')):
                    move.acquired_date = move.start_date
            save_records(c_moves)
            cls.check_holdings(company, c_moves)

    @classmethod
    def _open(cls, company, moves, sign=1):
        """Post the moves that open the ledger, one line per member.

        Nothing is posted without an opening account, because then the
        accounts have the balance of each member already.
        """
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        config = Configuration(1)
        cutover_date = config.get_multivalue(
            'cutover_date', company=company.id)
        account = config.get_multivalue(
            'account_opening', company=company.id)
        if not cutover_date:
            raise OpeningError(gettext(
                    'coop_shares.msg_opening_cutover_date',
                    company=company.rec_name))
        amounts = defaultdict(Decimal)
        for move in moves:
            from_member = _get(move, 'from_member')
            to_member = _get(move, 'to_member')
            date = _get(move, 'start_date') or move.end_date + DAY
            if date > cutover_date:
                raise OpeningError(gettext(
                        'coop_shares.msg_opening_after_cutover',
                        member=(to_member or from_member).rec_name))
            for member, member_sign in [(from_member, 1), (to_member, -1)]:
                if member:
                    key = move.share_class.account_capital, member.party
                    amounts[key] += sign * member_sign * move.amount
        if not account:
            return
        books = Books(company)
        lines = [
            books.line(capital, amount, party=party)
            for (capital, party), amount in amounts.items() if amount]
        lines.append(books.line(account, -sum(amounts.values())))
        account_move = books.move(cutover_date, lines)
        Books.post([account_move])
        return account_move

    @classmethod
    @ModelView.button
    def reverse(cls, moves, account_moves=None):
        """Take the moves back by the opposite ones on the same days.

        `account_moves` maps the accounting moves to those that reverse them.
        """
        lock_members(
            m for move in moves for m in [move.from_member, move.to_member])
        account_moves = dict(account_moves or {})
        reversed_ = {
            m.reversal_of for m in cls.search([
                    ('reversal_of', 'in', [m.id for m in moves]),
                    ])}
        for move in moves:
            if (move.state != 'done' or move.reversal_of
                    or move in reversed_):
                raise ReversalError(gettext(
                        'coop_shares.msg_move_reverse',
                        move=move.rec_name))
        openings = defaultdict(list)
        for move in moves:
            if move.kind == 'opening' and move.account_move:
                openings[move.company].append(move)
        for company, c_moves in openings.items():
            account_move = cls._open(company, c_moves, sign=-1)
            account_moves.update(
                (m.account_move, account_move) for m in c_moves)
        cls.do([cls(
                    company=move.company,
                    share_class=move.share_class,
                    kind='reversal',
                    quantity=move.quantity,
                    from_member=move.to_member,
                    to_member=move.from_member,
                    end_date=move.date - DAY if move.to_member else None,
                    start_date=move.date if move.from_member else None,
                    par_value=move.par_value,
                    amount=move.amount,
                    premium=move.premium,
                    vintage=move.vintage,
                    acquired_date=move.acquired_date,
                    origin=move.origin,
                    reversal_of=move,
                    account_move=account_moves.get(move.account_move))
                for move in moves])

    @classmethod
    def _rows(cls, columns, where):
        """Return the query of the signed changes of the holdings.

        `columns` and `where` are called with the table and the member.
        """
        def select(member, sign):
            t = cls.__table__()
            member = getattr(t, member)
            query = t.select(
                *columns(t, member, sign),
                where=(member != Null) & where(t, member))
            return query
        return Union(
            select('to_member', 1), select('from_member', -1), all_=True)

    @classmethod
    def check_holdings(cls, company, moves):
        "Check that no holding the moves change is negative on any day"
        pool = Pool()
        Member = pool.get('coop.member')
        cursor = Transaction().connection.cursor()
        members = {
            m.id for move in moves
            for m in [move.from_member, move.to_member] if m}
        classes = {m.share_class.id for m in moves}
        in_ = fields.SQL_OPERATORS['in']

        for sub_members in grouped_slice(members, 10 * SLICE):
            sub_members = list(sub_members)
            rows = cls._rows(
                lambda t, member, sign: [
                    member.as_('member'),
                    t.share_class.as_('share_class'),
                    Coalesce(t.vintage, 0).as_('vintage'),
                    t.date.as_('date'),
                    (t.quantity * sign).as_('quantity'),
                    ],
                lambda t, member, ids=sub_members: (
                    (t.state == 'done')
                    & in_(member, ids)
                    & in_(t.share_class, classes)))
            keys = [rows.member, rows.share_class, rows.vintage]
            days = rows.select(
                *keys, rows.date, Sum(rows.quantity).as_('quantity'),
                group_by=[*keys, rows.date])
            keys = [days.member, days.share_class, days.vintage]
            balances = days.select(
                *keys, days.date,
                Round(
                    Sum(days.quantity,
                        window=Window(keys, order_by=[days.date.asc])),
                    QUANTITY_DIGITS).as_('balance'))
            cursor.execute(*balances.select(
                    balances.member, balances.share_class, balances.date,
                    balances.balance,
                    where=balances.balance < 0,
                    order_by=[balances.date.asc, balances.member.asc],
                    limit=1))
            row = cursor.fetchone()
            if row:
                member, class_, date, balance = row
                if not isinstance(date, dt.date):
                    date = dt.date.fromisoformat(date)
                ShareClass = pool.get('coop.share.class')
                lang = pool.get('ir.lang').get()
                raise HoldingError(gettext(
                        'coop_shares.msg_holding_negative',
                        member=Member(member).rec_name,
                        share_class=ShareClass(class_).rec_name,
                        quantity=_number(-Decimal(str(balance))),
                        date=lang.strftime(date)))

    @classmethod
    def holdings_at(
            cls, company, date, members=None, classes=None,
            by=('member', 'share_class')):
        """Return the quantity and amount held at the end of the date.

        The keys of the result are tuples of the values of `by`, that are
        member, share_class, vintage or acquired_date.  Without a date all
        the moves count.  What is zero is left out.
        """
        if members is None:
            return cls._holdings_at(company, date, None, classes, by)
        holdings = {}
        for sub_members in grouped_slice(
                sorted({int(m) for m in members}), 10 * SLICE):
            for key, (quantity, amount) in cls._holdings_at(
                    company, date, list(sub_members), classes, by).items():
                before = holdings.get(key, (0, 0))
                holdings[key] = before[0] + quantity, before[1] + amount
        return holdings

    @classmethod
    def _holdings_at(cls, company, date, members, classes, by):
        cursor = Transaction().connection.cursor()
        in_ = fields.SQL_OPERATORS['in']
        company_id = int(company)

        def where(t, member):
            result = (t.state == 'done') & (t.company == company_id)
            if date:
                result &= t.date <= date
            if members is not None:
                result &= in_(member, members)
            if classes is not None:
                result &= in_(
                    t.share_class, sorted({int(c) for c in classes}))
            return result

        if classes is not None and not classes:
            return {}
        rows = cls._rows(
            lambda t, member, sign: [
                *((member if name == 'member' else getattr(t, name)).as_(
                        name) for name in by),
                (t.quantity * sign).as_('quantity'),
                (t.amount * sign).as_('amount'),
                ],
            where)
        keys = [getattr(rows, name) for name in by]
        query = rows.select(
            *(key.as_(name) for key, name in zip(keys, by)),
            Sum(rows.quantity).as_('quantity'),
            Sum(rows.amount).as_('amount'),
            group_by=keys)
        if backend.name == 'sqlite':
            sqlite_apply_types(
                query, [
                    *('DATE' if name == 'acquired_date' else None
                        for name in by),
                    'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        holdings = {}
        for *key, quantity, amount in cursor:
            quantity = round(Decimal(quantity), QUANTITY_DIGITS)
            amount = round(Decimal(amount), QUANTITY_DIGITS)
            if quantity or amount:
                holdings[tuple(key)] = (
                    quantity.normalize() + 0, amount.normalize() + 0)
        return holdings

    @classmethod
    def lots_at(cls, company, date, members, classes):
        "Return the lots that make up each holding, by member and class"
        lots = defaultdict(list)
        for (member, class_, vintage, acquired), (quantity, amount) in (
                cls.holdings_at(
                    company, date, members=members, classes=classes,
                    by=(
                        'member', 'share_class', 'vintage',
                        'acquired_date')).items()):
            lots[member, class_].append(
                Lot(vintage, acquired, quantity, amount))
        return lots

    @classmethod
    def check_books(cls, company, date):
        """Compare the capital accounts with the ledger.

        Per account and party: capital and unpaid capital.
        """
        differences = super().check_books(company, date)
        expected, later = cls._expected_balances(company, date)
        accounts = {a for a, _ in expected} | set(
            cls._control_accounts(company))
        differences.extend(compare(
                company, date, accounts, expected, later,
                'coop_shares.msg_books_capital'))
        return differences

    @classmethod
    def _control_accounts(cls, company):
        pool = Pool()
        Class = pool.get('coop.share.class')
        with inactive_records():
            classes = Class.search([('company', '=', company.id)])
        for class_ in classes:
            yield class_.account_capital.id
            if class_.account_unpaid:
                yield class_.account_unpaid.id

    @classmethod
    def _expected_balances(cls, company, date):
        """Return the balances by account and party the ledger expects.

        Together with what is posted after the date only, because the period
        of the event was closed.
        """
        pool = Pool()
        Account = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Configuration = pool.get('coop.share.configuration')
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        cursor = Transaction().connection.cursor()
        expected = defaultdict(Decimal)
        later = defaultdict(Decimal)
        cutover_date = Configuration(1).get_multivalue(
            'cutover_date', company=company.id)
        if cutover_date and date < cutover_date:
            return expected, later

        member = Member.__table__()
        class_ = Class.__table__()
        account_move = Account.__table__()
        rows = cls._rows(
            lambda t, member, sign: [
                member.as_('member'),
                t.share_class.as_('share_class'),
                t.account_move.as_('account_move'),
                (t.amount * sign).as_('amount'),
                ],
            lambda t, member: (
                (t.state == 'done') & (t.company == company.id)
                & (t.date <= date)))
        query = (rows
            .join(member, condition=rows.member == member.id)
            .join(class_, condition=rows.share_class == class_.id)
            .join(account_move, 'LEFT',
                condition=rows.account_move == account_move.id)
            .select(
                class_.account_capital, member.party,
                Sum(rows.amount).as_('amount'),
                Sum(Case((account_move.date > date, rows.amount),
                        else_=Literal(0))).as_('later'),
                group_by=[class_.account_capital, member.party]))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None, 'NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        for account, party, amount, amount_later in cursor:
            expected[account, party] += Decimal(amount)
            later[account, party] += Decimal(amount_later)
        for (account, party), amount, amount_later in (
                Subscription.unpaid_balances(company, date)):
            expected[account, party] += amount
            later[account, party] += amount_later
        return expected, later


class Holding(ModelSQL, ModelView):
    __name__ = 'coop.share.holding'
    __string__ = "Share Holding"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    member = fields.Many2One('coop.member', "Member")
    share_class = fields.Many2One('coop.share.class', "Share Class")
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    vintage = fields.Integer("Vintage",
        help="The year of the allocation.")
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)))
    amount = Monetary("Amount", currency='currency', digits='currency',
        help="The capital of the shares.")
    paid_amount = Monetary(
        "Paid Amount", currency='currency', digits='currency',
        help="The part of the capital that is paid.")
    since = fields.Function(fields.Date("Since",
            help="The day the oldest of the shares were acquired."),
        'get_since')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('member', 'ASC'),
            ('share_class', 'ASC'),
            ('vintage', 'ASC'),
            ('id', 'ASC'),
            ]

    @classmethod
    def table_query(cls):
        pool = Pool()
        Move = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        company, date = cls._company_date()
        members = Transaction().context.get('holding_members')
        if members is not None and len(members) > 10 * SLICE:
            # A query takes a limited number of values
            members = None
        in_ = fields.SQL_OPERATORS['in']

        def where(t, member):
            where = (
                (t.state == 'done') & (t.company == company)
                & (t.date <= date))
            if members is not None:
                where &= in_(member, members)
            return where

        rows = Move._rows(
            lambda t, member, sign: [
                t.id.as_('id'),
                t.company.as_('company'),
                member.as_('member'),
                t.share_class.as_('share_class'),
                t.vintage.as_('vintage'),
                (t.quantity * sign).as_('quantity'),
                (t.amount * sign).as_('amount'),
                Literal(0).as_('unpaid'),
                ],
            where)
        rows = Union(
            *rows.queries,
            *Subscription.unpaid_rows(company, date, members), all_=True)
        keys = [rows.company, rows.member, rows.share_class, rows.vintage]
        quantity = Round(Sum(rows.quantity), QUANTITY_DIGITS)
        amount = Round(Sum(rows.amount), QUANTITY_DIGITS)
        unpaid = Round(Sum(rows.unpaid), QUANTITY_DIGITS)
        return rows.select(
            Min(rows.id).as_('id'),
            *(k.as_(k.name) for k in keys),
            quantity.as_('quantity'),
            amount.as_('amount'),
            (amount - unpaid).as_('paid_amount'),
            group_by=keys,
            having=(quantity != 0) | (amount != 0))

    @classmethod
    def _company_date(cls):
        context = Transaction().context
        return (
            context.get('company', -1),
            context.get('date') or Pool().get('ir.date').today())

    @classmethod
    def search(
            cls, domain, offset=0, limit=None, order=None, count=False,
            query=False):
        Member = Pool().get('coop.member')
        by, direction = (order or cls._order)[0]
        if (limit and not domain and not count and not query
                and by == 'member'):
            # The first members hold the first holdings: to find those, not
            # all has to be added up
            company, _ = cls._company_date()
            size = offset + limit
            while size <= 10 * SLICE:
                with without_check_access():
                    members = Member.search([
                            ('company', '=', company),
                            ], limit=size, order=[('number', direction)])
                with Transaction().set_context(
                        holding_members=list(map(int, members))):
                    holdings = super().search(
                        domain, offset=offset, limit=limit, order=order)
                if len(holdings) == limit or len(members) < size:
                    return cls.browse(holdings)
                size *= 2
        return super().search(
            domain, offset=offset, limit=limit, order=order, count=count,
            query=query)

    @classmethod
    def read(cls, ids, fields_names):
        # Add up only what the members hold whose holdings are read.  The id
        # of a holding is that of a row of the ledger.
        cursor = Transaction().connection.cursor()
        move = Pool().get('coop.share.move').__table__()
        members = set()
        for sub_ids in grouped_slice(ids, 10 * SLICE):
            cursor.execute(*move.select(
                    move.from_member, move.to_member,
                    where=fields.SQL_OPERATORS['in'](move.id, sub_ids)))
            members.update(m for row in cursor for m in row if m)
        with Transaction().set_context(holding_members=sorted(members)):
            return super().read(ids, fields_names)

    @classmethod
    def get_since(cls, holdings, name):
        Move = Pool().get('coop.share.move')
        acquired = defaultdict(list)
        for (*key, date), (quantity, _) in Move.holdings_at(
                *cls._company_date(),
                members={h.member for h in holdings},
                by=('member', 'share_class', 'vintage', 'acquired_date')
                ).items():
            if quantity > 0:
                acquired[tuple(key)].append(date)
        return {
            h.id: min(
                acquired[h.member.id, h.share_class.id, h.vintage],
                default=None)
            for h in holdings}

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits


class HoldingContext(ModelView):
    __name__ = 'coop.share.holding.context'
    __string__ = "Share Holding Context"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day at the end of which the shares are held.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()
