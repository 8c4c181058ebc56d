# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.conditionals import Coalesce

from trytond.i18n import gettext
from trytond.model import Check, Index, ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import NumberedMixin, by_company
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval
from trytond.report import Report

from .document import lock_members
from .exceptions import OpeningError, ReversalError, ShareMoveValidationError
from .quantity import QUANTITY_DIGITS, QuantityMixin, number
from .share_ledger import ShareLedger
from .share_move_agreement import ShareMoveAgreement
from .share_move_entry import ShareMoveEntry


class ShareMove(
        ShareLedger, ShareMoveEntry, ShareMoveAgreement, QuantityMixin,
        NumberedMixin,
        ModelSQL, ModelView):
    __name__ = 'coop.share.move'
    __string__ = "Share Move"
    _sequence = ('coop.share.configuration', 'share_move_sequence')
    _search_names = ('number', 'from_member.rec_name', 'to_member.rec_name')
    # What is computed is never what somebody gives
    _internal_given = frozenset({'date'})
    _sealed_states = {'done': frozenset()}
    _member_domain = [
        ('company', '=', Eval('company', -1)),
        ]

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    kind = fields.Selection([
            ('issue', "Issue"),
            ('transfer', "Transfer"),
            ('conversion', "Conversion"),
            ('redemption', "Redemption"),
            ('allocation', "Allocation"),
            ('loss', "Loss"),
            ('revaluation', "Revaluation"),
            ('opening', "Opening"),
            ('reversal', "Reversal"),
            ], "Kind", required=True, readonly=True, sort=False,
        help="What changes the holdings.")
    kind_string = kind.translated('kind')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', QUANTITY_DIGITS)),
        required=True)
    from_member = fields.Many2One(
        'coop.member', "From Member", ondelete='RESTRICT',
        domain=_member_domain,
        help="The member who gives the shares.\n"
        "Leave empty if the cooperative issues them.")
    to_member = fields.Many2One(
        'coop.member', "To Member", ondelete='RESTRICT',
        domain=_member_domain,
        help="The member who gets the shares.\n"
        "Leave empty if they return to the cooperative.")
    end_date = fields.Date("End Date",
        states={
            'required': Bool(Eval('from_member')),
            'invisible': ~Eval('from_member'),
            },
        help="The last day the giver holds the shares.")
    start_date = fields.Date("Start Date",
        states={
            'required': Bool(Eval('to_member')),
            'invisible': ~Eval('to_member'),
            },
        help="The first day the receiver holds the shares.")
    date = fields.Date("Date", readonly=True,
        help="The first day of the changed holding.")
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        help="The par value of a share at the time.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="The capital of the shares at the time.")
    premium = Monetary(
        "Premium", currency='currency', digits='currency',
        help="What is paid above the capital.")
    vintage = fields.Integer("Vintage",
        help="The year of the allocation.")
    acquired_date = fields.Date("Acquired on",
        help="The day the shares were acquired, "
        "which is kept when they are transferred.")
    origin = fields.Reference(
        "Origin", selection='get_origin', readonly=True,
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

    del _member_domain

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        cls._sql_constraints += [
            # Shares bear a loss or are revalued without becoming fewer or more
            ('quantity_positive', Check(t,
                    (number(t.quantity) > 0)
                    | ((number(t.quantity) == 0)
                        & t.kind.in_(['loss', 'revaluation', 'reversal'])
                        & (number(t.amount) > 0))),
                'coop_shares.msg_move_quantity_positive'),
            ('amounts', Check(t,
                    (number(t.par_value) > 0) & (number(t.amount) >= 0)),
                'coop_shares.msg_move_amounts'),
            # Who gives shares away later gives the oldest first
            ('acquired', Check(t,
                    (t.state != 'done') | (t.acquired_date != Null)),
                'coop_shares.msg_move_acquired'),
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
                    (t.date, Index.Range()), (t.id, Index.Range())),
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
    def default_kind(cls):
        return 'opening'

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
            'coop.share.revaluation',
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
            # The others have the part of the amount of what was acquired
            if move.kind in {'issue', 'opening'}:
                amount = move.currency.round(move.quantity * move.par_value)
                if move.amount != amount:
                    raise ShareMoveValidationError(gettext(
                            'coop_shares.msg_move_amount',
                            move=move.rec_name,
                            amount=Report.format_currency(
                                move.amount, None, move.currency),
                            expected=Report.format_currency(
                                amount, None, move.currency)))
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
    @ModelView.button
    def do(cls, moves):
        """Enter the moves in the ledger.

        The moves may be unsaved, which is the fastest.
        """
        lock_members(
            m for move in moves
            for m in [_get(move, 'from_member'), _get(move, 'to_member')])
        for company, c_moves in by_company(
                m for m in moves if _get(m, 'state') != 'done'):
            openings = [m for m in c_moves if m.kind == 'opening']
            if openings:
                account_move = cls._open(company, openings)
                for move in openings:
                    move.account_move = account_move
            cls.set_number(c_moves)
            for move in c_moves:
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
        account_move = books.move(
            cutover_date, lines,
            description=books.translate(
                lambda: gettext('coop_shares.msg_narration_opening')))
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
        cls._check_values(moves)

    @classmethod
    def _check_values(cls, moves):
        "Check that no value is left of shares that were taken back"
        for company, c_moves in by_company(moves):
            lots = cls.lots_at(
                company, None, {
                    m for move in c_moves
                    for m in [move.from_member, move.to_member] if m},
                {m.share_class for m in c_moves})
            for move in c_moves:
                for member in filter(None, [move.from_member, move.to_member]):
                    for lot in lots[member.id, move.share_class.id]:
                        if not lot.quantity and (
                                (lot.vintage, lot.acquired_date)
                                == (move.vintage, move.acquired_date)):
                            raise ReversalError(gettext(
                                    'coop_shares.msg_move_reverse_value',
                                    move=move.rec_name))


def _get(record, name):
    # Unsaved records do not have all the attributes
    return getattr(record, name, None)
