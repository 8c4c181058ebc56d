# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval

from .document import ShareDocumentMixin, lock_members, move_field
from .exceptions import LastShareWarning, TransferError
from .lot import subtract, take, take_each


class Transfer(ShareDocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.transfer'
    __string__ = "Share Transfer"
    _steps = {
        'do': (['draft'], 'done'),
        'cancel': (['done'], 'cancelled'),
        }
    _sequence = ('coop.share.configuration', 'transfer_sequence')
    _search_names = ('number', 'from_member.rec_name', 'to_member.rec_name')

    reason = fields.Selection([
            ('sale', "Sale"),
            ('gift', "Gift"),
            ('inheritance', "Inheritance"),
            ('conversion', "Conversion"),
            ('succession', "Succession"),
            ], "Reason", required=True, sort=False,
        help="What leads to the transfer.\n"
        "An inheritance is possible for all shares, a sale or a gift after "
        "the lock-in only.")
    reason_string = reason.translated('reason')
    from_member = fields.Many2One(
        'coop.member', "From Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    to_member = fields.Many2One(
        'coop.member', "To Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('reason') == 'conversion',
            'required': Eval('reason') != 'conversion',
            },
        help="The member who gets the shares.\n"
        "An applicant gets them at the admission.")
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    to_class = fields.Many2One(
        'coop.share.class', "To Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('id', '!=', Eval('share_class', -1)),
            ],
        states={
            'invisible': Eval('reason') != 'conversion',
            'required': Eval('reason') == 'conversion',
            },
        help="The class of the shares the member gets instead.")
    date = fields.Date("Date", required=True,
        help="The last day the shares are held by the giver "
        "or in the old class.")
    of_each_vintage = fields.Boolean("Of Each Vintage",
        help="Check to take the same part of each of the vintages and days, "
        "as for a surviving spouse, instead of the oldest first.")
    remainder = fields.Selection([
            ('refuse', "Refuse"),
            ('pay_out', "Pay Out"),
            ('pay_in', "Pay In"),
            ], "Remainder", required=True, sort=False,
        states={
            'invisible': Eval('reason') != 'conversion',
            },
        help="What happens with a value that is not a whole number of "
        "shares of the new class.")
    remainder_amount = Monetary(
        "Remainder Amount", currency='currency', digits='currency',
        readonly=True,
        states={
            'invisible': ~Eval('remainder_amount'),
            },
        help="What the member is paid out, or pays in if it is negative.")
    move = move_field('move', "Account Move")
    state = fields.Selection([
            ('draft', "Draft"),
            ('done', "Done"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_indexes.add(
            Index(t, (t.state, Index.Equality(cardinality='low')),
                where=t.state == 'draft'))
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_reason(cls):
        return 'sale'

    @classmethod
    def default_remainder(cls):
        return 'refuse'

    @fields.depends('reason')
    def on_change_reason(self):
        if self.reason == 'conversion':
            self.to_member = None
        else:
            self.to_class = None

    @property
    def receiver(self):
        if self.reason == 'conversion':
            return self.from_member
        return self.to_member

    @classmethod
    @ModelView.button
    @Workflow.transition('done')
    def do(cls, transfers):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        if not transfers:
            return
        lock_members(
            m for t in transfers for m in [t.from_member, t.to_member])
        cls.check_members(transfers)
        cls._check_last_share(transfers)
        cls.set_number(transfers)
        share_moves = []
        for company, c_transfers in by_company(transfers):
            members = {t.from_member.id for t in c_transfers}
            classes = {t.share_class.id for t in c_transfers}
            lots = ShareMove.lots_at(company, None, members, classes)
            unpaid = Subscription.unpaid_capital(members, classes)
            books = Books(company)
            for transfer in c_transfers:
                key = transfer.from_member.id, transfer.share_class.id
                taken = transfer._take(lots[key])
                lots[key] = subtract(lots[key], taken)
                if (sum(a for _, a in unpaid[key])
                        > sum(l.amount for l in lots[key])):
                    raise TransferError(gettext(
                            'coop_shares.msg_transfer_unpaid',
                            member=transfer.from_member.rec_name,
                            share_class=transfer.share_class.rec_name))
                if transfer.reason == 'conversion':
                    share_moves.extend(transfer._get_conversion(taken))
                else:
                    share_moves.extend(transfer._get_share_moves(taken))
                transfer.move = transfer.get_move(
                    books, sum(l.amount for l in taken))
            Books.post([t.move for t in c_transfers])
        for share_move in share_moves:
            share_move.account_move = share_move.origin.move
        save_records(transfers)
        ShareMove.do(share_moves)
        ShareClass.check_limits([
                *((t.from_member, t.share_class, False, t.date + DAY)
                    for t in transfers),
                *((t.receiver, t.to_class or t.share_class, True,
                        t.date + DAY)
                    for t in transfers)])

    @classmethod
    def check_members(cls, transfers):
        "Check that the shares go to somebody else who is a member"
        pool = Pool()
        Member = pool.get('coop.member')
        lang = pool.get('ir.lang').get()
        by_date = defaultdict(list)
        for transfer in transfers:
            if transfer.reason == 'conversion':
                continue
            if transfer.from_member == transfer.to_member:
                raise TransferError(gettext(
                        'coop_shares.msg_transfer_oneself',
                        member=transfer.from_member.rec_name))
            if (not transfer.share_class.transferable
                    and transfer.reason != 'inheritance'):
                raise TransferError(gettext(
                        'coop_shares.msg_transfer_class',
                        share_class=transfer.share_class.rec_name))
            by_date[transfer.date + DAY].append(transfer)
        for date, d_transfers in by_date.items():
            categories = Member.categories_at(
                sorted({t.to_member.id for t in d_transfers}), date)
            for transfer in d_transfers:
                if not categories.get(transfer.to_member.id):
                    raise TransferError(gettext(
                            'coop_shares.msg_transfer_not_member',
                            member=transfer.to_member.rec_name,
                            date=lang.strftime(date)))

    @classmethod
    def _check_last_share(cls, transfers):
        """Check that who stays a member keeps a share of the membership

        It is refused where the class says so, and warned of elsewhere.
        """
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        Warning = pool.get('res.user.warning')
        transfers = [t for t in transfers if t.gives_membership]
        for company, c_transfers in by_company(transfers):
            left = ShareMove.holdings_at(
                company, None,
                members={t.from_member for t in c_transfers},
                classes={t.share_class for t in c_transfers})
            for transfer in c_transfers:
                class_ = transfer.share_class
                key = transfer.from_member.id, class_.id
                quantity, amount = left.get(key, (0, 0))
                quantity -= transfer.quantity
                left[key] = quantity, amount
                # What is less than nothing is refused for itself
                if quantity:
                    continue
                text = gettext(
                    'coop_shares.msg_transfer_last_share',
                    member=transfer.from_member.rec_name,
                    share_class=class_.rec_name)
                if class_.keep_last:
                    raise TransferError(text)
                warning = Warning.format('last_share', [transfer])
                if Warning.check(warning):
                    raise LastShareWarning(warning, text)

    @property
    def gives_membership(self):
        "Whether the giver stays a member and gives shares of the membership"
        return (
            self.share_class.kind == 'membership'
            and self.reason in {'sale', 'gift', 'conversion'}
            and not (self.to_class and self.to_class.kind == 'membership')
            and self.from_member.state == 'member')

    def _take(self, lots):
        "Return the lots that are transferred"
        class_ = self.share_class
        locked = class_.lock_in_months and self.reason in {'sale', 'gift'}
        if locked:
            delta = relativedelta(months=class_.lock_in_months)
            lots = [
                l for l in lots
                if l.acquired_date + delta <= self.date + DAY
                or l.quantity < 0]
        if self.of_each_vintage:
            taken = take_each(
                lots, self.quantity, class_.unit, self.currency.round)
        else:
            taken = take(lots, self.quantity, self.currency.round)
        held = sum(l.quantity for l in taken)
        if held != self.quantity:
            message = 'lock_in' if locked else 'more_than_held'
            raise TransferError(gettext(
                    f'coop_shares.msg_transfer_{message}',
                    member=self.from_member.rec_name,
                    share_class=class_.rec_name,
                    quantity=held))
        return taken

    def _get_share_moves(self, taken):
        "Return the unsaved moves between two members"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        return ShareMove.give(
            self.share_class, taken, self.from_member, self.date,
            kind='transfer', to_member=self.to_member,
            start_date=self.date + DAY, origin=self)

    def _get_conversion(self, taken):
        "Return the unsaved moves between two classes"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        class_ = self.to_class
        value = sum(l.amount for l in taken)
        quantity = (value / class_.par_value).quantize(
            class_.unit,
            rounding=ROUND_UP if self.remainder == 'pay_in' else ROUND_DOWN)
        amount = self.currency.round(quantity * class_.par_value)
        self.remainder_amount = value - amount
        if self.remainder_amount and self.remainder == 'refuse':
            lang = pool.get('ir.lang').get()
            raise TransferError(gettext(
                    'coop_shares.msg_transfer_remainder',
                    value=lang.currency(value, self.currency),
                    share_class=class_.rec_name,
                    remainder=lang.currency(
                        self.remainder_amount, self.currency)))
        if not quantity:
            raise TransferError(gettext(
                    'coop_shares.msg_transfer_no_share',
                    share_class=class_.rec_name))
        return [
            *ShareMove.give(
                self.share_class, taken, self.from_member, self.date,
                kind='conversion', origin=self),
            ShareMove.acquire(
                class_, quantity, self.from_member, self.date + DAY,
                kind='conversion', amount=amount,
                acquired_date=min(l.acquired_date for l in taken),
                origin=self),
            ]

    def get_move(self, books, amount):
        "Return the unsaved accounting move"
        class_, to_class = self.share_class, self.to_class or self.share_class
        party = self.from_member.party
        date = self.date + DAY
        remainder = self.remainder_amount or Decimal(0)
        lines = [
            books.line(class_.account_capital, amount, party=party),
            books.line(
                to_class.account_capital, remainder - amount,
                party=self.receiver.party),
            ]
        if remainder:
            if remainder > 0:
                account = class_.get_account('redemption')
            else:
                account = to_class.account_subscribed
            lines.append(books.line(
                    account, -remainder, party=party, maturity_date=date))
        return books.move(date, lines, origin=self)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, transfers):
        pool = Pool()
        Line = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        if not transfers:
            return
        lock_members(
            m for t in transfers for m in [t.from_member, t.to_member])
        reversals = {}
        for company, c_transfers in by_company(transfers):
            books = Books(company)
            for transfer in c_transfers:
                for line in transfer.move.lines:
                    if line.reconciliation:
                        raise TransferError(gettext(
                                'coop_shares.msg_transfer_cancel_paid',
                                transfer=transfer.rec_name))
                reversals[transfer.move] = books.reversal(
                    transfer.move, transfer.date + DAY)
        Books.post(list(reversals.values()))
        Line.reconcile(*(
                [line.origin, line]
                for reversal in reversals.values() for line in reversal.lines
                if line.account.reconcile))
        ShareMove.reverse(
            [
                m for t in transfers for m in t.share_moves
                if not m.reversal_of],
            account_moves=reversals)
