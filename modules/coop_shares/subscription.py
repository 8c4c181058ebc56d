# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Cast, Literal, Null
from sql.aggregate import Sum
from sql.conditionals import Case, Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.agreement import BooksMixin, compare
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Date, Eval, If
from trytond.report import Report
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction, inactive_records
from trytond.wizard import Button, StateTransition, StateView, Wizard

from .calculation import capital_part, complete_sets, instalment_parts, paid_on
from .document import ShareDocumentMixin, lock_members
from .exceptions import PaymentError, SubscriptionError

_states = {
    'readonly': Eval('state') != 'draft',
    }


class Subscription(
        ShareDocumentMixin, BooksMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.subscription'
    __string__ = "Share Subscription"
    _sequence = 'subscription_sequence'
    _modify_internal = frozenset({
            'number', 'state', 'move', 'capital_move', 'effective',
            'effective_date', 'amount', 'premium', 'payments',
            'share_moves'})

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'draft',
                ('state', 'in', ['applicant', 'member', 'leaving']),
                ()),
            ],
        states=_states)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'draft',
                ('kind', '!=', 'allocated'),
                ()),
            ],
        states=_states)
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)), required=True,
        domain=[
            ('quantity', '>', 0),
            ],
        states=_states)
    date = fields.Date("Date", required=True, states=_states,
        help="The day from which the shares are subscribed.")
    price = Monetary(
        "Price", currency='currency', digits='currency', required=True,
        states=_states,
        help="The price of a share, of which the part above the par value "
        "is premium.")
    payment_term = fields.Many2One(
        'account.invoice.payment_term', "Payment Term", ondelete='RESTRICT',
        states=_states,
        help="The instalments of the payment.\n"
        "Leave empty to pay at the date of the subscription.")
    amount = Monetary(
        "Capital", currency='currency', digits='currency', readonly=True,
        help="The par value of the shares.")
    premium = Monetary(
        "Premium", currency='currency', digits='currency', readonly=True,
        help="What is to be paid above the par value.")
    total_amount = fields.Function(Monetary(
            "Total Amount", currency='currency', digits='currency',
            help="The capital and the premium."),
        'on_change_with_total_amount')
    payments = fields.One2Many(
        'coop.share.subscription.payment', 'subscription', "Payments",
        readonly=True)
    lines_to_pay = fields.Function(fields.Many2Many(
            'account.move.line', None, None, "Lines to Pay",
            help="The instalments that are not completely paid."),
        'get_lines_to_pay')
    paid_amount = fields.Function(Monetary(
            "Paid Amount", currency='currency', digits='currency'),
        'get_amounts')
    amount_to_pay = fields.Function(Monetary(
            "Amount to Pay", currency='currency', digits='currency'),
        'get_amounts')
    due_date = fields.Function(fields.Date("Due Date",
            help="The day of the oldest instalment that is not paid."),
        'get_due_date')
    effective = fields.Selection([
            (None, ""),
            ('confirmation', "Confirmation"),
            ('payment', "Payment"),
            ], "Effective on", readonly=True,
        help="When the shares count, as their class said at the "
        "confirmation.")
    effective_date = fields.Date("Effective Date", readonly=True,
        help="The first day the shares are held.")
    move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('move'),
            })
    capital_move = fields.Many2One(
        'account.move', "Capital Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('capital_move'),
            },
        help="The move that made capital of the paid subscription.")
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)
    state = fields.Selection([
            ('draft', "Draft"),
            ('confirmed', "Confirmed"),
            ('paid', "Paid"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_indexes.add(
            Index(t, (t.state, Index.Equality(cardinality='low')),
                where=t.state.in_(['draft', 'confirmed'])))
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._transitions |= {
            ('draft', 'confirmed'),
            ('confirmed', 'paid'),
            ('paid', 'confirmed'),
            ('confirmed', 'cancelled'),
            }
        cls._buttons.update({
                'confirm': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'pay': {
                    'invisible': ~Eval('state').in_(['draft', 'confirmed']),
                    'depends': ['state'],
                    },
                'certify': {
                    'invisible': Eval('state') != 'paid',
                    'depends': ['state'],
                    },
                'cancel': {
                    'invisible': Eval('state') != 'confirmed',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_share_class(cls):
        "Return the class when there is only one to subscribe"
        ShareClass = Pool().get('coop.share.class')
        classes = ShareClass.search([
                ('company', '=', cls.default_company()),
                ('kind', '!=', 'allocated'),
                ], limit=2)
        return classes[0].id if len(classes) == 1 else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits

    @fields.depends('share_class', methods=['_compute_amounts'])
    def on_change_share_class(self):
        if self.share_class:
            self.price = self.share_class.par_value
        self._compute_amounts()

    @fields.depends(methods=['_compute_amounts'])
    def on_change_quantity(self):
        self._compute_amounts()

    @fields.depends(methods=['_compute_amounts'])
    def on_change_price(self):
        self._compute_amounts()

    @fields.depends('share_class', 'quantity', 'price')
    def _compute_amounts(self):
        if self.share_class and self.quantity and self.price is not None:
            round_ = self.share_class.currency.round
            self.amount = round_(self.quantity * self.share_class.par_value)
            self.premium = round_(self.quantity * self.price) - self.amount

    @fields.depends('state', 'amount', 'premium', methods=['_compute_amounts'])
    def on_change_with_total_amount(self, name=None):
        if self.state == 'draft':
            # They change together with it
            self._compute_amounts()
        if self.amount is not None:
            return self.amount + (self.premium or 0)

    @classmethod
    def view_attributes(cls):
        return super().view_attributes() + [
            ('/tree', 'visual',
                If(Eval('due_date', Date()) < Date(),
                    'danger',
                    If(Eval('state') == 'cancelled', 'muted', '')),
                ['due_date', 'state']),
            ]

    @classmethod
    def preprocess_values(cls, mode, values):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        values = super().preprocess_values(mode, values)
        if (mode == 'create' and values.get('price') is None
                and values.get('share_class')):
            values['price'] = ShareClass(values['share_class']).par_value
        return values

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if (field_names is None
                or {'share_class', 'quantity', 'price'} & field_names):
            share_class = getattr(self, 'share_class', None)
            quantity = getattr(self, 'quantity', None)
            price = getattr(self, 'price', None)
            if share_class and quantity is not None:
                if price is None:
                    # Computed before the default is filled in
                    price = share_class.par_value
                round_ = share_class.currency.round
                amount = round_(quantity * share_class.par_value)
                premium = round_(quantity * price) - amount
                if getattr(self, 'amount', None) != amount:
                    values['amount'] = amount
                if getattr(self, 'premium', None) != premium:
                    values['premium'] = premium
        return values

    @classmethod
    def validate_fields(cls, subscriptions, field_names):
        super().validate_fields(subscriptions, field_names)
        if field_names and not (field_names & {'price', 'share_class'}):
            return
        for subscription in subscriptions:
            class_ = subscription.share_class
            if subscription.state == 'draft' and (
                    subscription.price < class_.par_value):
                raise SubscriptionError(gettext(
                        'coop_shares.msg_subscription_below_par',
                        share_class=class_.rec_name,
                        price=Report.format_currency(
                            subscription.price, None, class_.currency),
                        par_value=Report.format_currency(
                            class_.par_value, None, class_.currency)))

    @classmethod
    def check_modification(
            cls, mode, subscriptions, values=None, external=False):
        super().check_modification(
            mode, subscriptions, values=values, external=external)
        if mode == 'delete':
            for subscription in subscriptions:
                if subscription.payments:
                    raise AccessError(gettext(
                            'coop_shares.msg_subscription_delete_paid',
                            subscription=subscription.rec_name))

    @classmethod
    def copy(cls, subscriptions, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('amount', lambda data: data['amount'])
        default.setdefault('premium', lambda data: data['premium'])
        return super().copy(subscriptions, default=default)

    def get_lines_to_pay(self, name):
        return [l.id for l in self._open_lines([self])[self]]

    @classmethod
    def get_due_date(cls, subscriptions, name):
        lines = cls._open_lines(subscriptions)
        return {
            s.id: lines[s][0].maturity_date if lines[s] else None
            for s in subscriptions}

    @classmethod
    def _open_lines(cls, subscriptions):
        "Return the lines that are not reconciled, the oldest first"
        pool = Pool()
        Line = pool.get('account.move.line')
        result = {s: [] for s in subscriptions}
        for sub_subscriptions in grouped_slice(subscriptions, SLICE):
            lines = Line.search([
                    ('move.origin', 'in', [
                            str(s) for s in sub_subscriptions]),
                    ('reconciliation', '=', None),
                    ('debit', '>', 0),
                    ], order=[
                    ('maturity_date', 'ASC NULLS FIRST'),
                    ('id', 'ASC'),
                    ])
            for line in lines:
                subscription = line.move.origin
                if line.account == subscription.share_class.account_subscribed:
                    result[subscription].append(line)
        return result

    @classmethod
    def get_amounts(cls, subscriptions, names):
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        payment = Payment.__table__()
        paid = {s.id: Decimal(0) for s in subscriptions}
        for sub_subscriptions in grouped_slice(subscriptions, SLICE):
            query = payment.select(
                payment.subscription,
                Sum(payment.amount).as_('amount'),
                where=fields.SQL_OPERATORS['in'](
                    payment.subscription, [s.id for s in sub_subscriptions]),
                group_by=payment.subscription)
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            paid.update(cursor)
        result = {'paid_amount': {}, 'amount_to_pay': {}}
        for subscription in subscriptions:
            amount = subscription.currency.round(
                Decimal(paid[subscription.id]))
            result['paid_amount'][subscription.id] = amount
            if subscription.state == 'cancelled':
                amount = subscription.total_amount
            result['amount_to_pay'][subscription.id] = (
                (subscription.total_amount or 0) - amount)
        return {name: result[name] for name in names}

    @classmethod
    def pending_quantities(cls, members, classes):
        "Return what is subscribed but only counts when it is paid"
        pending = defaultdict(Decimal)
        for sub_members in grouped_slice(members, SLICE):
            for subscription in cls.search([
                        ('member', 'in', list(sub_members)),
                        ('share_class', 'in', [int(c) for c in classes]),
                        ('state', '=', 'confirmed'),
                        ('effective', '=', 'payment'),
                        ]):
                key = subscription.member.id, subscription.share_class.id
                pending[key] += subscription.quantity
        return pending

    @classmethod
    def unpaid_capital(cls, members, classes):
        """Return what members have not paid of the shares they hold.

        Per member and class: the subscriptions, the oldest first, with the
        amount.
        """
        unpaid = defaultdict(list)
        for sub_members in grouped_slice(members, SLICE):
            for subscription in cls.search([
                        ('member', 'in', list(sub_members)),
                        ('share_class', 'in', [int(c) for c in classes]),
                        ('state', '=', 'confirmed'),
                        ('effective', '=', 'confirmation'),
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                amount = subscription.amount - sum(
                    p.capital_amount for p in subscription.payments)
                if amount:
                    key = subscription.member.id, subscription.share_class.id
                    unpaid[key].append((subscription, amount))
        return unpaid

    @classmethod
    def _unpaid_where(cls, table, company, date):
        return (
            (table.company == company)
            & table.state.in_(['confirmed', 'paid'])
            & (table.date <= date))

    @classmethod
    def unpaid_rows(cls, company, date, members=None):
        """Return the queries of what is not paid of the held shares.

        They have the columns of the rows of the holdings.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        table = cls.__table__()
        payment = Payment.__table__()

        def columns(amount):
            return [
                Literal(Null).as_('id'),
                table.company.as_('company'),
                table.member.as_('member'),
                table.share_class.as_('share_class'),
                Literal(Null).as_('vintage'),
                Literal(0).as_('quantity'),
                Literal(0).as_('amount'),
                amount.as_('unpaid'),
                ]
        where = (
            cls._unpaid_where(table, company, date)
            & (table.effective == 'confirmation'))
        if members is not None:
            where &= fields.SQL_OPERATORS['in'](table.member, members)
        yield table.select(*columns(table.amount), where=where)
        yield payment.join(
            table, condition=payment.subscription == table.id).select(
            *columns(-payment.capital_amount),
            where=where & (payment.date <= date))

    @classmethod
    def unpaid_balances(cls, company, date):
        """Iterate over the balances of capital that is subscribed, not paid.

        As pair of account and party, amount, and the part of it that is
        posted after the date.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        class_ = Class.__table__()
        member = Member.__table__()
        payment = Payment.__table__()
        account_move = AccountMove.__table__()
        tables = (table
            .join(class_, condition=table.share_class == class_.id)
            .join(member, condition=table.member == member.id))
        where = (
            cls._unpaid_where(table, company.id, date)
            & (class_.account_unpaid != Null))
        keys = [
            class_.account_capital, class_.account_unpaid, member.party,
            table.effective]

        def execute(tables, amount, where):
            later = Case(
                (account_move.date > date, amount), else_=Literal(0))
            query = tables.select(
                *keys, Sum(amount).as_('amount'), Sum(later).as_('later'),
                where=where, group_by=keys)
            if backend.name == 'sqlite':
                sqlite_apply_types(
                    query, [None] * 4 + ['NUMERIC', 'NUMERIC'])
            cursor.execute(*query)
            for capital, unpaid, party, effective, amount, later in cursor:
                amount, later = Decimal(amount), Decimal(later)
                yield (unpaid, party), amount, later
                if effective == 'confirmation':
                    yield (capital, party), -amount, -later

        yield from execute(
            tables.join(account_move, 'LEFT',
                condition=table.move == account_move.id),
            table.amount, where)
        # What has been paid, once the capital is effective
        yield from execute(
            tables
            .join(payment, condition=payment.subscription == table.id)
            .join(account_move, 'LEFT',
                condition=payment.account_move == account_move.id),
            -payment.capital_amount,
            where & (payment.date <= date)
            & (table.effective == 'confirmation'))
        yield from execute(
            tables.join(account_move, 'LEFT',
                condition=table.capital_move == account_move.id),
            -table.amount,
            where & (table.effective_date <= date)
            & (table.effective == 'payment'))

    @classmethod
    def check_books(cls, company, date):
        "Compare what is to pay per account and party with the books"
        pool = Pool()
        AccountConfiguration = pool.get('account.configuration')
        Configuration = pool.get('coop.share.configuration')
        ShareClass = pool.get('coop.share.class')
        differences = super().check_books(company, date)
        cutover_date = Configuration(1).get_multivalue(
            'cutover_date', company=company.id)
        if cutover_date and date < cutover_date:
            return differences
        with inactive_records():
            classes = ShareClass.search([('company', '=', company.id)])
        # Where invoices are owed too it can not be told apart
        accounts = list({c.account_subscribed.id for c in classes} - {
                int(a) for a in [AccountConfiguration(1).get_multivalue(
                        'default_account_receivable', company=company.id)]
                if a})
        if not accounts:
            return differences
        expected = defaultdict(Decimal)
        later = defaultdict(Decimal)
        for key, amount, amount_later in cls._open_balances(
                company, date, accounts):
            expected[key] += amount
            later[key] += amount_later
        differences.extend(compare(
                company, date, accounts, expected, later,
                'coop_shares.msg_books_subscription'))
        return differences

    @classmethod
    def _open_balances(cls, company, date, accounts):
        """Iterate over what is subscribed and over what was paid.

        As pair of account and party, the credit, and the part of it that is
        posted after the date.
        """
        pool = Pool()
        AccountMove = pool.get('account.move')
        Class = pool.get('coop.share.class')
        Line = pool.get('account.move.line')
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        class_ = Class.__table__()
        member = Member.__table__()
        payment = Payment.__table__()
        line = Line.__table__()
        move = AccountMove.__table__()
        tables = (table
            .join(class_, condition=table.share_class == class_.id)
            .join(member, condition=table.member == member.id))
        where = (
            cls._unpaid_where(table, company.id, date)
            & fields.SQL_OPERATORS['in'](class_.account_subscribed, accounts))

        def execute(tables, amount, where):
            query = tables.select(
                class_.account_subscribed, member.party,
                Sum(amount).as_('amount'),
                Sum(Case((move.date > date, amount),
                        else_=Literal(0))).as_('later'),
                where=where,
                group_by=[class_.account_subscribed, member.party])
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, None, 'NUMERIC', 'NUMERIC'])
            cursor.execute(*query)
            for account, party, amount, later in cursor:
                yield (account, party), Decimal(amount), Decimal(later)

        yield from execute(
            tables.join(move, condition=table.move == move.id),
            -(table.amount + Coalesce(table.premium, 0)), where)
        yield from execute(
            tables
            .join(payment, condition=payment.subscription == table.id)
            .join(line, 'LEFT', condition=payment.line == line.id)
            .join(move, 'LEFT', condition=line.move == move.id),
            payment.amount, where & (payment.date <= date))

        # Money that is not reconciled yet with what it pays
        assigned = payment.select(
            payment.line, Sum(payment.amount).as_('amount'),
            group_by=payment.line)
        query = (line
            .join(move, condition=line.move == move.id)
            .join(assigned, 'LEFT', condition=assigned.line == line.id)
            .select(
                line.account, line.party,
                (line.credit - Coalesce(assigned.amount, 0)).as_('amount'),
                where=fields.SQL_OPERATORS['in'](line.account, accounts)
                & (line.reconciliation == Null)
                & (Cast(line.credit, 'NUMERIC') > 0)
                & ((move.origin == Null)
                    | ~move.origin.like(cls.__name__ + ',%'))
                & (move.date <= date) & (move.state == 'posted')))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None, 'NUMERIC'])
        cursor.execute(*query)
        for account, party, amount in cursor:
            yield (account, party), Decimal(amount), Decimal(0)

    @classmethod
    @ModelView.button
    @Workflow.transition('confirmed')
    def confirm(cls, subscriptions):
        pool = Pool()
        ShareClass = pool.get('coop.share.class')
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        cls.check_members(subscriptions)
        cls.set_number(subscriptions)
        for company, c_subscriptions in cls.by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                subscription.effective = subscription.share_class.effective
                if subscription.effective == 'confirmation':
                    subscription.effective_date = subscription.date
                subscription.move = subscription.get_move(books)
            Books.post([s.move for s in c_subscriptions])
        save_records(subscriptions)
        cls.issue([
                s for s in subscriptions if s.effective == 'confirmation'])
        cls.turn_deposits(subscriptions)
        ShareClass.check_limits([
                (s.member, s.share_class, True, s.date)
                for s in subscriptions])

    @classmethod
    def check_members(cls, subscriptions):
        "Check that the members are members on the days they subscribe"
        pool = Pool()
        Member = pool.get('coop.member')
        by_date = defaultdict(list)
        for subscription in subscriptions:
            by_date[subscription.date].append(subscription)
        for date, d_subscriptions in by_date.items():
            categories = Member.categories_at(
                sorted({s.member.id for s in d_subscriptions}), date)
            for subscription in d_subscriptions:
                if not categories.get(subscription.member.id):
                    raise SubscriptionError(gettext(
                            'coop_shares.msg_subscription_not_member',
                            member=subscription.member.rec_name,
                            date=pool.get('ir.lang').get().strftime(date)))

    def get_move(self, books):
        "Return the unsaved accounting move of the confirmation"
        class_ = self.share_class
        party = self.member.party
        if self.payment_term:
            terms = self.payment_term.compute(
                self.total_amount, self.currency, self.date)
        else:
            terms = [(self.date, self.total_amount)]
        lines = [
            books.line(
                class_.account_subscribed, amount, party=party,
                maturity_date=date)
            for date, amount in terms]
        lines.append(books.line(
                class_.account_unpaid or class_.account_capital,
                -self.amount, party=party))
        if self.premium:
            lines.append(books.line(
                    class_.get_account('premium'), -self.premium))
        return books.move(self.date, lines, origin=self)

    @classmethod
    def issue(cls, subscriptions):
        "Enter the shares in the ledger"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        if subscriptions:
            ShareMove.do([ShareMove(
                        company=s.company,
                        share_class=s.share_class,
                        kind='issue',
                        quantity=s.quantity,
                        to_member=s.member,
                        start_date=s.effective_date,
                        par_value=s.share_class.par_value,
                        amount=s.amount,
                        premium=s.premium,
                        acquired_date=s.effective_date,
                        origin=s,
                        account_move=s.capital_move or s.move)
                    for s in subscriptions])

    @classmethod
    @ModelView.button_action('coop_shares.wizard_subscription_pay')
    def pay(cls, subscriptions):
        pass

    @classmethod
    @ModelView.button
    def certify(cls, subscriptions):
        pool = Pool()
        Certificate = pool.get('coop.share.certificate')
        Certificate.certify(subscriptions)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, subscriptions):
        pool = Pool()
        Line = pool.get('account.move.line')
        ShareMove = pool.get('coop.share.move')
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        for subscription in subscriptions:
            if subscription.paid_amount:
                raise SubscriptionError(gettext(
                        'coop_shares.msg_subscription_cancel_paid',
                        subscription=subscription.rec_name))
        reversals = {}
        for company, c_subscriptions in cls.by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                reversals[subscription.move] = books.reversal(
                    subscription.move, subscription.date)
        Books.post(list(reversals.values()))
        to_reconcile = []
        for subscription in subscriptions:
            account = subscription.share_class.account_subscribed
            to_reconcile.append([
                    *cls._open_lines([subscription])[subscription],
                    *(l for l in reversals[subscription.move].lines
                        if l.account == account)])
        Line.reconcile(*to_reconcile)
        ShareMove.reverse(
            cls._effective_moves(subscriptions), account_moves=reversals)

    @classmethod
    def _effective_moves(cls, subscriptions):
        "Return the share moves that are not reversed"
        reversed_ = {
            m.reversal_of for s in subscriptions for m in s.share_moves}
        return [
            m for s in subscriptions for m in s.share_moves
            if not m.reversal_of and m not in reversed_]

    @classmethod
    def reconcile(cls, subscriptions):
        "Reconcile the instalments that are completely paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        lines = cls._open_lines(subscriptions)
        to_reconcile = []
        # The payments may be new
        for subscription in cls.browse(subscriptions):
            account = subscription.share_class.account_subscribed
            credits = {}
            for payment in subscription.payments:
                line = payment.line
                if (line and not line.reconciliation
                        and line.account == account):
                    credits.setdefault(line, Decimal(0))
                    credits[line] += payment.amount
            to_reconcile.extend(complete_sets(
                    [(l, l.debit) for l in lines[subscription]],
                    [(l, l.credit) for l, amount in credits.items()
                        if amount == l.credit]))
        for sets in grouped_slice(to_reconcile, SLICE):
            Line.reconcile(*sets)

    @classmethod
    def check_paid(cls, subscriptions):
        "Follow what has been paid with the state and the ledger"
        subscriptions = cls.browse(subscriptions)
        paid = [
            s for s in subscriptions
            if s.state == 'confirmed' and s.amount_to_pay <= 0]
        unpaid = [
            s for s in subscriptions
            if s.state == 'paid' and s.amount_to_pay > 0]
        if paid:
            cls.set_paid(paid)
        if unpaid:
            cls.set_unpaid(unpaid)

    @classmethod
    @Workflow.transition('paid')
    def set_paid(cls, subscriptions):
        subscriptions = [
            s for s in subscriptions if s.effective == 'payment']
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        for company, c_subscriptions in cls.by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                subscription.effective_date = max(
                    subscription.date,
                    paid_on(
                        [(p.date, p.amount) for p in subscription.payments],
                        subscription.total_amount))
                subscription.capital_move = subscription.get_capital_move(
                    books, subscription.effective_date, subscription.amount)
            Books.post([s.capital_move for s in c_subscriptions])
        save_records(subscriptions)
        cls.issue(subscriptions)

    @classmethod
    @Workflow.transition('confirmed')
    def set_unpaid(cls, subscriptions):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        subscriptions = [
            s for s in subscriptions if s.effective == 'payment']
        if not subscriptions:
            return
        lock_members(s.member for s in subscriptions)
        reversals = {}
        for company, c_subscriptions in cls.by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                reversals[subscription.capital_move] = books.reversal(
                    subscription.capital_move, subscription.effective_date)
                subscription.effective_date = None
                subscription.capital_move = None
        Books.post(list(reversals.values()))
        ShareMove.reverse(
            cls._effective_moves(subscriptions), account_moves=reversals)
        save_records(subscriptions)

    def get_capital_move(self, books, date, amount):
        "Return the unsaved move that makes paid capital of unpaid one"
        party = self.member.party
        return books.move(date, [
                books.line(
                    self.share_class.account_unpaid, amount, party=party),
                books.line(
                    self.share_class.account_capital, -amount, party=party),
                ], origin=self)

    @classmethod
    def turn_deposits(cls, subscriptions):
        "Pay the confirmed subscriptions with what applicants have paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        subscriptions = [s for s in subscriptions if s.payments]
        if not subscriptions:
            return
        moves, to_reconcile, payments = {}, [], []
        for company, c_subscriptions in cls.by_company(subscriptions):
            books = Books(company)
            for subscription in c_subscriptions:
                class_ = subscription.share_class
                party = subscription.member.party
                lines = []
                for payment in subscription.payments:
                    lines.append(books.line(
                            class_.account_redemption, payment.amount,
                            party=party))
                    lines.append(books.line(
                            class_.account_subscribed, -payment.amount,
                            party=party, origin=subscription))
                moves[subscription] = books.move(subscription.date, lines)
        Books.post(list(moves.values()))
        for subscription, move in moves.items():
            deposits = list(subscription.payments)
            lines = sorted(move.lines, key=int)
            debits = [l for l in lines if l.debit]
            credits = [l for l in lines if l.credit]
            for deposit, debit, credit in zip(deposits, debits, credits):
                to_reconcile.append([deposit.line, debit])
                deposit.line = credit
                payments.append(deposit)
        Line.reconcile(*to_reconcile)
        Payment.enter(payments)
        cls.reconcile(subscriptions)

    @classmethod
    def reconciled(cls, reconciliations):
        "Enter the payments the reconciliations make"
        pool = Pool()
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        ShareClass = pool.get('coop.share.class')
        with inactive_records():
            accounts = {
                c.account_subscribed.id for c in ShareClass.search([])}
        if not accounts:
            return
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            lines = Line.search([
                    ('reconciliation', 'in', [
                            r.id for r in sub_reconciliations]),
                    ('account', 'in', list(accounts)),
                    ])
            by_reconciliation = defaultdict(list)
            for line in lines:
                by_reconciliation[line.reconciliation].append(line)
            entered = defaultdict(Decimal)
            for payment in Payment.search([
                        ('line', 'in', [l.id for l in lines if l.credit]),
                        ]):
                line = payment.line
                entered[line] += payment.amount
                key = line.reconciliation, payment.subscription
                entered[key] += payment.amount
            payments = []
            for reconciliation, r_lines in by_reconciliation.items():
                payments.extend(cls._get_payments(
                        reconciliation, r_lines, entered))
            Payment.enter(payments)

    @classmethod
    def _get_payments(cls, reconciliation, lines, entered):
        """Return the payments the lines of a reconciliation make.

        `entered` is what has been entered already of each line, and of each
        subscription in each reconciliation.
        """
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        Redemption = pool.get('coop.share.redemption')
        owed = defaultdict(Decimal)
        credits = []
        for line in lines:
            # Moves of the subscription itself cancel or reschedule it
            if isinstance(line.move.origin, cls):
                owed[line.move.origin] += line.debit - line.credit
            elif line.credit:
                credits.append(line)
        subscriptions = sorted(owed, key=lambda s: (s.date, s.id))
        for subscription in subscriptions:
            owed[subscription] -= entered[reconciliation, subscription]
        payments = []
        for line in sorted(credits, key=lambda l: (l.date, l.id)):
            rest = line.credit - entered[line]
            for subscription in subscriptions:
                amount = min(rest, owed[subscription])
                if amount <= 0:
                    continue
                origin = line.move.origin
                payments.append(Payment(
                        subscription=subscription,
                        date=line.date, amount=amount, line=line,
                        redemption=(
                            origin if isinstance(origin, Redemption)
                            and origin.move == line.move else None)))
                owed[subscription] -= amount
                rest -= amount
        return payments

    @classmethod
    def unreconciled(cls, reconciliations):
        "Take back the payments the reconciliations made"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        if Transaction().context.get('keep_share_payments'):
            return
        for sub_reconciliations in grouped_slice(reconciliations, SLICE):
            Payment.take_back(Payment.search([
                        ('line.reconciliation', 'in', [
                                r.id for r in sub_reconciliations]),
                        ]))


class SubscriptionPayment(ModelSQL, ModelView):
    __name__ = 'coop.share.subscription.payment'
    __string__ = "Share Subscription Payment"

    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", required=True,
        ondelete='RESTRICT', readonly=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    date = fields.Date("Date", required=True, readonly=True,
        help="The day of the payment.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True)
    capital_amount = Monetary(
        "Capital", currency='currency', digits='currency', required=True,
        readonly=True,
        help="The part of the amount that is not premium.")
    line = fields.Many2One(
        'account.move.line', "Line", readonly=True, ondelete='SET NULL',
        help="The accounting line of the payment.")
    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", readonly=True,
        ondelete='RESTRICT',
        help="The redemption that released the member from paying.")
    account_move = fields.Many2One(
        'account.move', "Account Move", readonly=True, ondelete='RESTRICT',
        help="The move that made capital of what was paid.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('subscription')
        t = cls.__table__()
        cls._order = [
            ('date', 'ASC'),
            ('id', 'ASC'),
            ]
        cls._sql_indexes.add(Index(t, (t.line, Index.Range())))

    @fields.depends('subscription', '_parent_subscription.company')
    def on_change_with_currency(self, name=None):
        if self.subscription and self.subscription.company:
            return self.subscription.company.currency

    @classmethod
    def check_modification(
            cls, mode, payments, values=None, external=False):
        super().check_modification(
            mode, payments, values=values, external=external)
        if external or mode == 'delete':
            raise AccessError(gettext(
                    'coop_shares.msg_subscription_payment_modify',
                    subscription=payments[0].subscription.rec_name))

    @classmethod
    def enter(cls, payments):
        "Save the payments with what they do to the capital"
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        if not payments:
            return
        subscriptions = list({p.subscription for p in payments})
        entered = {p.id for p in payments}
        paid = {
            s: sum(
                p.amount for p in s.payments
                if not p.redemption and p.id not in entered)
            for s in Subscription.browse(subscriptions)}
        books, moves = {}, []
        for payment in payments:
            subscription = payment.subscription
            if getattr(payment, 'redemption', None):
                # The member does not pay any more: no premium, no capital
                payment.capital_amount = payment.amount
                continue
            payment.capital_amount = capital_part(
                paid[subscription], payment.amount,
                subscription.premium or 0)
            paid[subscription] += payment.amount
            if (payment.capital_amount
                    and subscription.share_class.account_unpaid
                    and subscription.effective == 'confirmation'):
                company = subscription.company
                if company not in books:
                    books[company] = Books(company)
                payment.account_move = subscription.get_capital_move(
                    books[company], max(payment.date, subscription.date),
                    payment.capital_amount)
                moves.append(payment.account_move)
        Books.post(moves)
        save_records(payments)
        Subscription.check_paid(subscriptions)

    @classmethod
    def take_back(cls, payments):
        "Enter the opposite of the payments on the same days"
        amounts = defaultdict(Decimal)
        dates = {}
        for payment in payments:
            key = payment.subscription, payment.line, payment.redemption
            amounts[key] += payment.amount
            dates[key] = payment.date
        cls.enter([
                cls(
                    subscription=subscription, date=dates[key],
                    amount=-amount, line=line, redemption=redemption)
                for key, amount in amounts.items() if amount
                for subscription, line, redemption in [key]])


class PayStart(ModelView):
    __name__ = 'coop.share.subscription.pay.start'
    __string__ = "Pay Share Subscription"

    company = fields.Many2One('company.company', "Company", readonly=True)
    currency = fields.Many2One('currency.currency', "Currency", readonly=True)
    date = fields.Date("Date", required=True)
    payment_method = fields.Many2One(
        'account.invoice.payment.method', "Payment Method", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    single = fields.Boolean("Single", readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency',
        domain=[
            If(Eval('single', False), ('amount', '>', 0), ()),
            ],
        states={
            'invisible': ~Eval('single', False),
            'required': Eval('single', False),
            })
    description = fields.Char("Description")


class Pay(Wizard):
    __name__ = 'coop.share.subscription.pay'
    __string__ = "Pay Share Subscription"
    start = StateView(
        'coop.share.subscription.pay.start',
        'coop_shares.subscription_pay_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Pay", 'pay', 'tryton-ok', default=True),
            ])
    pay = StateTransition()

    def default_start(self, fields):
        pool = Pool()
        Date = pool.get('ir.date')
        PaymentMethod = pool.get('account.invoice.payment.method')
        companies = {s.company for s in self.records}
        if len(companies) > 1:
            raise PaymentError(gettext(
                    'coop_shares.msg_payment_companies'))
        company = next(iter(companies))
        values = {
            'company': company.id,
            'currency': company.currency.id,
            'date': Date.today(),
            'single': len(self.records) == 1,
            }
        if values['single']:
            values['amount'] = self.record.amount_to_pay
        methods = PaymentMethod.search([
                ('company', '=', company.id),
                ], limit=2)
        if len(methods) == 1:
            values['payment_method'] = methods[0].id
        return values

    def transition_pay(self):
        amounts = {}
        for subscription in self.records:
            if subscription.state not in {'draft', 'confirmed'}:
                continue
            if len(self.records) == 1:
                amount = self.start.amount
            else:
                amount = subscription.amount_to_pay
            if amount > subscription.amount_to_pay:
                lang = Pool().get('ir.lang').get()
                raise PaymentError(gettext(
                        'coop_shares.msg_payment_too_much',
                        subscription=subscription.rec_name,
                        amount=lang.currency(
                            subscription.amount_to_pay,
                            subscription.currency)))
            if amount:
                amounts[subscription] = amount
        if amounts:
            self.make_payments(amounts)
        return 'end'

    def make_payments(self, amounts):
        "Post one move of the payments and enter them"
        pool = Pool()
        AccountMove = pool.get('account.move')
        Payment = pool.get('coop.share.subscription.payment')
        Period = pool.get('account.period')
        Subscription = pool.get('coop.share.subscription')

        lock_members(s.member for s in amounts)
        method = self.start.payment_method
        company = self.start.company
        books = Books(company)
        move = AccountMove(
            company=company,
            journal=method.journal,
            date=self.start.date,
            period=Period.find(company, date=self.start.date),
            description=self.start.description)
        move.save()

        open_lines = Subscription._open_lines(list(amounts))
        lines, payments = [], []
        for subscription, amount in amounts.items():
            class_ = subscription.share_class
            if subscription.state == 'draft':
                # What an applicant pays can be claimed back
                account = class_.get_account('redemption')
                parts = [amount]
            else:
                account = class_.account_subscribed
                parts = instalment_parts(
                    [l.debit for l in open_lines[subscription]],
                    sum(p.amount for p in subscription.payments
                        if p.line and not p.line.reconciliation),
                    amount)
            for part in parts:
                line = books.line(
                    account, -part, party=subscription.member.party,
                    move=move, origin=subscription)
                if subscription.state == 'draft':
                    line.maturity_date = self.start.date
                lines.append(line)
                payments.append(Payment(
                        subscription=subscription, date=self.start.date,
                        amount=part, line=line))
        save_records(lines)
        save_records([books.line(
                    method.debit_account, sum(amounts.values()),
                    move=move)])
        AccountMove.post([move])
        Payment.enter(payments)
        Subscription.reconcile([
                s for s in amounts if s.state != 'draft'])

