# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from itertools import groupby
from operator import itemgetter

from trytond.exceptions import UserError
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction, without_check_access

from .columns import MEMBER, SHARES
from .importer import pair, save
from .member import MemberImporter


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def get_importer(cls, options):
        return ShareholderImporter


class ShareholderImporter(MemberImporter):
    "The import of members with the shares they hold and subscribe"

    columns = {**MEMBER, **SHARES}

    def lock(self):
        super().lock()
        pool = Pool()
        JournalPeriod = pool.get('account.journal.period')
        Sequence = pool.get('ir.sequence.strict')
        if any({'shares', 'subscriptions'} & row.many.keys()
                for row in self.rows):
            with without_check_access():
                Sequence.lock(Sequence.search([
                            ('company', 'in', [self.company, None]),
                            ]))
            JournalPeriod.lock()

    def resolve(self):
        super().resolve()
        Configuration = Pool().get('coop.share.configuration')
        for many, column in [
                ('shares', 'share_class'),
                ('subscriptions', 'subscription_class')]:
            self.resolve_column(
                column, 'coop.share.class', 'code', 'name', many=many,
                message='msg_import_share_class')
        cutover_date = Configuration(1).get_multivalue(
            'cutover_date', company=self.company)
        for row, item in self.items('shares'):
            self._check_quantity(
                row, item, item['share_class'], 'share_quantity')
            self._check_holding(row, item, cutover_date)
        self._match_shares()
        self._resolve_payment_methods()
        periods = {}
        for row, item in self.items('subscriptions'):
            share_class = item['subscription_class']
            self._check_amount(row, item, share_class)
            self._check_quantity(
                row, item, share_class, 'subscription_quantity')
            if share_class and share_class.kind == 'allocated':
                row.error(
                    'subscription_class', 'msg_import_share_allocated',
                    line=item.line, share_class=share_class.rec_name)
            for column in ['subscription_date', 'subscription_paid']:
                self._check_period(row, item, column, periods)
            date, paid = item['subscription_date'], item['subscription_paid']
            if paid and date and paid < date:
                row.error('subscription_paid', 'msg_import_before',
                    line=item.line, value=paid, other='subscription_date',
                    limit=date)
        self._match_subscriptions()

    def _admission(self, row):
        if row['admission_date'] or not row.member:
            return row['admission_date']
        return row.member.admission_date

    def _check_quantity(self, row, item, share_class, column):
        quantity = item[column]
        if share_class and quantity is not None:
            digits = share_class.quantity_digits or 0
            if quantity != round(quantity, digits):
                row.error(column, 'msg_import_digits',
                    line=item.line, value=quantity, digits=digits)

    def _check_amount(self, row, item, share_class):
        "Find the quantity by the amount, or check they agree"
        amount = item['subscription_amount']
        if not share_class:
            return
        code, currency = item['subscription_currency'], share_class.currency
        if code and code not in {currency.code, currency.symbol}:
            row.error('subscription_currency', 'msg_import_currency',
                line=item.line, value=code, currency=currency.code)
        if amount is None:
            return
        if share_class.entry_fee:
            row.error('subscription_amount', 'msg_import_share_fee',
                line=item.line, share_class=share_class.rec_name)
            return
        par_value = share_class.par_value
        quantity = item['subscription_quantity']
        if 'subscription_quantity' not in item.values:
            quantity = item.values['subscription_quantity'] = round(
                amount / par_value, share_class.quantity_digits or 0)
        if quantity is None:
            return
        expected = share_class.currency.round(quantity * par_value)
        if amount != expected:
            row.error('subscription_amount', 'msg_import_share_amount',
                line=item.line, amount=amount, quantity=quantity,
                par_value=par_value, expected=expected)

    def _check_holding(self, row, item, cutover_date):
        share_class, date = item['share_class'], item['share_date']
        admission = self._admission(row)
        if not admission:
            row.error('admission_date', 'msg_import_missing')
        elif date and date < admission:
            row.error('share_date', 'msg_import_before', line=item.line,
                value=date, other='admission_date', limit=admission)
        if not cutover_date:
            row.error('share_date', 'msg_import_cutover', line=item.line)
        elif date and date > cutover_date:
            row.error('share_date', 'msg_import_after_cutover',
                line=item.line, value=date, limit=cutover_date)
        if not share_class:
            return
        allocated = share_class.kind == 'allocated'
        if bool(item['share_vintage']) != allocated:
            row.error(
                'share_vintage',
                'msg_import_vintage_missing' if allocated
                else 'msg_import_vintage',
                line=item.line, share_class=share_class.rec_name)

    def _check_period(self, row, item, column, periods):
        Period = Pool().get('account.period')
        date = item[column]
        if not date:
            return
        if date not in periods:
            try:
                periods[date] = Period.find_open(self.company, date)
            except UserError:
                periods[date] = None
        if not periods[date]:
            row.error(column, 'msg_import_period', line=item.line,
                value=date)

    def _match_shares(self):
        "Leave what is in the ledger already out"
        ShareMove = Pool().get('coop.share.move')
        items = []
        for row, item in self.items('shares'):
            item.record = None
            share_class, quantity = item['share_class'], item['share_quantity']
            if not share_class or not quantity:
                continue
            par_value = share_class.par_value
            expected = share_class.currency.round(quantity * par_value)
            amount = item['share_amount']
            if amount is None:
                amount = item.values['share_amount'] = expected
            elif amount != expected:
                row.error('share_amount', 'msg_import_share_amount',
                    line=item.line, amount=amount, quantity=quantity,
                    par_value=par_value, expected=expected)
            items.append((
                    (row.member, share_class, item['share_date'],
                        item['share_vintage']),
                    (quantity, amount), (row, item)))
        moves = [(
                (m.to_member, m.share_class, m.start_date, m.vintage),
                (m.quantity, m.amount), m)
            for m in self._search_shares(ShareMove, 'to_member', [
                        ('kind', '=', 'opening'),
                        ('state', '=', 'done'),
                        ])]
        for (row, item), move, same in pair(items, moves):
            item.record = move
            if move and not same:
                row.error('share_quantity', 'msg_import_share_change',
                    line=item.line, move=move.rec_name,
                    quantity=move.quantity, amount=move.amount)

    def _match_subscriptions(self):
        Subscription = Pool().get('coop.share.subscription')
        items, payments = [], []
        for row, item in self.items('subscriptions'):
            admission, date = self._admission(row), item['subscription_date']
            if admission and date:
                # The admission confirms what was subscribed before
                date = item.values['subscription_date'] = max(date, admission)
            paid = item['subscription_paid']
            if paid and not admission:
                row.error('subscription_paid',
                    'msg_import_subscription_applicant', line=item.line)
            elif paid and paid < admission:
                row.error('subscription_paid', 'msg_import_before',
                    line=item.line, value=paid, other='admission_date',
                    limit=admission)
            if 'subscription_date' not in item.values:
                payments.append((row, item))
                continue
            items.append((
                    (row.member, item['subscription_class'], date,
                        item['subscription_quantity']), None, item))
        subscriptions = self._search_shares(Subscription, 'member', [
                ('state', '!=', 'cancelled'),
                ])
        for item, subscription, _ in pair(items, [
                    ((s.member, s.share_class, s.date, s.quantity), None, s)
                    for s in subscriptions]):
            item.record = subscription
        taken = {item.record for _, _, item in items}
        self._match_payments(payments, [
                s for s in subscriptions if s not in taken])

    def _match_payments(self, items, subscriptions):
        "Find what was subscribed by what was paid on a day"
        free = defaultdict(list)
        for subscription in subscriptions:
            free[
                subscription.member, subscription.share_class,
                subscription.quantity].append(subscription)
        # Before others take it: what was paid by an import before
        for is_paid in [True, False]:
            for row, item in list(items):
                paid = item['subscription_paid']
                candidates = free[
                    row.member, item['subscription_class'],
                    item['subscription_quantity']]
                for subscription in candidates if paid else []:
                    if subscription.date <= paid and (
                            {p.date for p in subscription.payments} == {paid}
                            if is_paid else
                            subscription.state == 'confirmed'
                            and not subscription.payments):
                        item.record = subscription
                        candidates.remove(subscription)
                        items.remove((row, item))
                        break
                else:
                    item.record = None
                    item.values['subscription_date'] = paid

    def _search_shares(self, Model, member, domain):
        members = [row.member.id for row in self.rows if row.member]
        if not members:
            return []
        return Model.search(
            [(member, 'in', members), domain], order=[('id', 'ASC')])

    def _resolve_payment_methods(self):
        PaymentMethod = Pool().get('account.invoice.payment.method')
        self.resolve_column(
            'subscription_payment_method', 'account.invoice.payment.method',
            'name', many='subscriptions',
            message='msg_import_payment_method')
        methods = PaymentMethod.search([
                ('company', '=', self.company),
                ], limit=2)
        for row, item in self.items('subscriptions'):
            if (not item['subscription_paid']
                    or 'subscription_payment_method' in item.values):
                continue
            if len(methods) == 1:
                method, = methods
                item.values['subscription_payment_method'] = method
            else:
                row.error('subscription_payment_method',
                    'msg_import_missing', line=item.line)

    def _admit(self):
        updated = self._store_subscriptions()
        updated |= super()._admit()
        updated |= self._store_shares()
        updated |= self._confirm_subscriptions()
        updated |= self._pay_subscriptions()
        return updated

    def _store_shares(self):
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        moves, updated = [], set()
        for row, item in self.items('shares'):
            if item.record:
                continue
            share_class = item['share_class']
            moves.append(ShareMove(
                    kind='opening',
                    company=share_class.company,
                    share_class=share_class,
                    quantity=item['share_quantity'],
                    to_member=row.member,
                    start_date=item['share_date'],
                    par_value=share_class.par_value,
                    amount=item['share_amount'],
                    vintage=item['share_vintage']))
            updated.add(row)
        # The rights to the button are checked on what is saved
        save(moves)
        ShareMove.do(moves)
        return updated

    def _store_subscriptions(self):
        pool = Pool()
        Subscription = pool.get('coop.share.subscription')
        new, updated = [], set()
        for row, item in self.items('subscriptions'):
            if not item.record:
                item.record = Subscription(
                    company=self.company,
                    member=row.member,
                    share_class=item['subscription_class'],
                    quantity=item['subscription_quantity'],
                    date=item['subscription_date'])
                new.append(item.record)
                updated.add(row)
        save(new)
        return updated

    def _confirm_subscriptions(self):
        Subscription = Pool().get('coop.share.subscription')
        items = self.items('subscriptions')
        records = {
            s.id: s for s in Subscription.browse(
                [item.record for _, item in items])}
        rows = {
            item.record.id: row for row, item in items
            if records[item.record.id].state == 'draft'
            and self._admission(row)}
        if rows:
            Subscription.confirm(Subscription.browse(list(rows)))
        return set(rows.values())

    def _pay_subscriptions(self):
        pool = Pool()
        Pay = pool.get('coop.share.subscription.pay', type='wizard')
        Subscription = pool.get('coop.share.subscription')
        to_pay = {
            item.record.id: (
                item['subscription_paid'],
                item['subscription_payment_method'].id, row)
            for row, item in self.items('subscriptions')
            if item['subscription_paid']}
        to_pay = sorted((
                (*to_pay[s.id], s) for s in Subscription.browse(list(to_pay))
                if s.state == 'confirmed'),
            key=itemgetter(0, 1))
        for (date, method), group in groupby(to_pay, key=itemgetter(0, 1)):
            subscriptions = [s for *_, s in group]
            with Transaction().set_context(
                    active_model=Subscription.__name__,
                    active_id=subscriptions[0].id,
                    active_ids=[s.id for s in subscriptions]):
                session, *_ = Pay.create()
                with without_check_access():
                    Pay.execute(session, {
                            'start': {
                                'company': self.company,
                                'date': date,
                                'payment_method': method,
                                'single': False,
                                'amount': sum(
                                    s.amount_to_pay for s in subscriptions),
                                },
                            }, 'pay')
                Pay.delete(session)
        return {row for _, _, row, _ in to_pay}
