# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, given, settings, strategies as st
from proteus import Model

from trytond.exceptions import UserError
from trytond.model.exceptions import AccessError
from trytond.modules.account.tests.tools import (
    create_chart, create_fiscalyear, get_accounts)
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop_membership.tests.tools import (
    check_books, create_category, create_member)
from trytond.modules.coop_shares.tests.tools import (
    create_share_class, pay, redeem, subscribe)
from trytond.pool import Pool
from trytond.tests.test_tryton import drop_db
from trytond.tests.tools import activate_modules
from trytond.transaction import Transaction

START = dt.date(2022, 1, 1)
DAYS = [START + dt.timedelta(days=60 * i) for i in range(7)]

members = st.integers(0, 1)
classes = st.integers(0, 2)
quantities = st.integers(1, 6)
days = st.sampled_from(DAYS[1:-1])
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just('subscribe'), members, classes, quantities, days,
            st.sampled_from([0, 0.3, 1])),
        st.tuples(st.just('pay'), days, st.sampled_from([0.5, 1])),
        st.tuples(st.just('transfer'), members, classes, quantities, days),
        st.tuples(st.just('convert'), members, quantities, days),
        st.tuples(
            st.just('redeem'), members, classes, quantities, days,
            st.sampled_from(['end', 'settle', 'set_off'])),
        st.tuples(st.just('cancel'), st.integers(0, 20)),
        ),
    min_size=4, max_size=9)


class LedgerTestCase(unittest.TestCase):
    "Test the share ledger always equals the books"

    @classmethod
    def setUpClass(cls):
        drop_db()
        cls.config = activate_modules(
            'coop_shares', create_company, create_chart)
        fiscalyear = set_fiscalyear_invoice_sequences(create_fiscalyear(
                today=(START, dt.date(2022, 12, 31))))
        fiscalyear.click('create_period')
        cls.category = create_category("Users")
        cls.classes = [
            create_share_class('A', Decimal(50)),
            create_share_class('B', Decimal(25), two_step=True),
            create_share_class('C', Decimal(10), effective='payment'),
            ]
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        drop_db()

    @settings(
        max_examples=6, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck))
    @given(steps)
    def test_sequence(self, steps):
        "Test random sequences of documents, back-dated ones included"
        cls = self.__class__
        cls.count += 1
        self.members = [
            create_member(f"Member {cls.count}-{i}", self.category, START)
            for i in range(2)]
        # The transactions of the checks do not read through the client
        self.ids = [m.id for m in self.members]
        self.parties = [m.party.id for m in self.members]
        self.documents = []
        before = self.check()
        for name, *values in steps:
            count, refused = len(self.documents), False
            try:
                getattr(self, name)(*values)
            except UserError:
                refused = True
            after = self.check()
            if refused:
                # What is refused leaves nothing behind
                self.assertEqual(after, before)
            elif len(self.documents) > count and name != 'subscribe':
                document = self.documents.pop()
                document.click('cancel')
                self.assertEqual(self.check(), before)
                getattr(self, name)(*values)
                self.assertEqual(self.figures(), after)
            before = after

    def transaction(self, **context):
        config = self.config
        return Transaction().start(
            config.database_name, config.user, readonly=True,
            context={**config.context, **context})

    def figures(self):
        "Return the holdings on each day and the balances"
        holdings, balances = [], defaultdict(Decimal)
        for day in DAYS:
            with self.transaction(date=day):
                Holding = Pool().get('coop.share.holding')
                holdings.append({
                        (h.member.id, h.share_class.id):
                        (h.quantity, h.amount, h.paid_amount)
                        for h in Holding.search([
                                ('member', 'in', self.ids),
                                ])})
        with self.transaction():
            Line = Pool().get('account.move.line')
            for line in Line.search([
                        ('party', 'in', self.parties),
                        ]):
                balances[line.account.code, line.party.id] += (
                    line.debit - line.credit)
        return holdings, {k: v for k, v in balances.items() if v}

    def check(self):
        "Check the ledger and the books and return the figures"
        for day in DAYS[::3]:
            self.assertEqual(check_books(day), [])
        all_holdings, balances = self.figures()
        ids = self.ids
        with self.transaction():
            pool = Pool()
            ShareMove = pool.get('coop.share.move')
            moves = [
                (sign * move.quantity, member.id, move.share_class.id, date)
                for move in ShareMove.search([
                        ('state', '=', 'done'),
                        ['OR',
                            ('from_member', 'in', ids),
                            ('to_member', 'in', ids),
                            ],
                        ])
                for sign, member, date in [
                    (1, move.to_member, move.start_date),
                    # The last day is still a day of the holding
                    (-1, move.from_member, move.end_date and (
                            move.end_date + dt.timedelta(days=1)))]
                if member]
            owed = self.owed(ids)
        for day, holdings in zip(DAYS, all_holdings):
            held = defaultdict(Decimal)
            for quantity, member, class_, date in moves:
                if date <= day:
                    held[member, class_] += quantity
            self.assertTrue(all(q >= 0 for q in held.values()))
            self.assertEqual(
                {k: q for k, (q, _, _) in holdings.items()},
                {k: q for k, q in held.items() if q})
            for _, amount, paid in holdings.values():
                self.assertLessEqual(0, paid)
                self.assertLessEqual(paid, amount)
        self.assertEqual(
            owed, {k: v for k, v in balances.items() if k[0] == '1.2.4'})
        return all_holdings, balances

    def owed(self, ids):
        "Return what the members have not paid"
        Subscription = Pool().get('coop.share.subscription')
        owed = defaultdict(Decimal)
        for subscription in Subscription.search([
                    ('member', 'in', ids),
                    ('state', 'in', ['confirmed', 'paid']),
                    ]):
            party = subscription.member.party
            owed['1.2.4', party.id] += subscription.amount_to_pay
        return {k: v for k, v in owed.items() if v}

    def subscribe(self, member, class_, quantity, day, part):
        class_ = self.classes[class_]
        subscription = subscribe(
            self.members[member], class_, quantity, day, pay=False,
            price=class_.par_value + 1)
        self.documents.append(subscription)
        if part:
            pay(
                subscription, day,
                round(subscription.total_amount * Decimal(part), 2))

    def pay(self, day, part):
        for subscription in self.documents:
            if (subscription.__class__.__name__ == 'coop.share.subscription'
                    and subscription.state == 'confirmed'):
                subscription.reload()
                if subscription.amount_to_pay:
                    pay(
                        subscription, max(day, subscription.date),
                        round(subscription.amount_to_pay * Decimal(part), 2))
                break

    def transfer(self, member, class_, quantity, day):
        self._transfer(
            member, self.classes[class_], quantity, day, reason='sale',
            to_member=self.members[1 - member])

    def convert(self, member, quantity, day):
        self._transfer(
            member, self.classes[1], quantity, day, reason='conversion',
            to_class=self.classes[0], remainder='pay_out')

    def _transfer(self, member, class_, quantity, day, **values):
        Transfer = Model.get('coop.share.transfer')
        transfer = Transfer(
            from_member=self.members[member], share_class=class_)
        transfer.quantity = Decimal(quantity)
        transfer.date = day
        for name, value in values.items():
            setattr(transfer, name, value)
        transfer.save()
        transfer.click('do')
        self.documents.append(transfer)

    def redeem(self, member, class_, quantity, day, until):
        self.documents.append(redeem(
                self.members[member], self.classes[class_], quantity, day,
                settle=until != 'end', set_off=until == 'set_off'))

    def test_immutable(self):
        "Test nobody changes or deletes what is done"
        Configuration = Model.get('coop.share.configuration')
        Dividend = Model.get('coop.share.dividend')
        configuration = Configuration(1)
        configuration.dividend_resolution = False
        configuration.save()
        member = create_member("Immutable", self.category, START)
        class_ = create_share_class('I', Decimal(10))
        subscription = subscribe(member, class_, 10, DAYS[0])
        subscription.click('certify')
        redemption = redeem(member, class_, 5, DAYS[1])
        self.assertEqual(redemption.state, 'settled')
        dividend = Dividend(start_date=DAYS[0], end_date=DAYS[2])
        dividend.classes.append(class_)
        dividend.rate = Decimal('0.05')
        dividend.posting_date = dividend.payment_date = DAYS[3]
        dividend.account = get_accounts()['expense']
        dividend.click('compute')
        dividend.click('approve')
        dividend.click('post')
        self.assertEqual(dividend.state, 'posted')
        issue, = subscription.share_moves
        certificate, = Model.get('coop.share.certificate').find([
                ('subscription', '=', subscription.id)])

        for record, values in [
                (issue, {
                        'quantity': Decimal(9), 'amount': Decimal(9),
                        'to_member': None, 'start_date': DAYS[2],
                        'account_move': None, 'origin': None,
                        'state': 'draft'}),
                (redemption, {
                        'quantity': Decimal(9), 'price': Decimal(9),
                        'deduction': Decimal(1), 'end_date': DAYS[2],
                        'payment_date': DAYS[3], 'settle_move': None,
                        'share_moves': [
                            ('delete', [redemption.share_moves[0].id])],
                        'state': 'requested'}),
                (dividend, {
                        'rate': Decimal('0.1'), 'end_date': DAYS[3],
                        'posting_date': DAYS[2], 'account': None,
                        'resolution': None,
                        'lines': [('delete', [dividend.lines[0].id])],
                        'state': 'draft'}),
                (dividend.lines[0], {'gross': Decimal(9), 'move': None}),
                (subscription, {
                        'quantity': Decimal(9), 'date': DAYS[2],
                        'payments': [
                            ('delete', [subscription.payments[0].id])],
                        'state': 'draft'}),
                (subscription.payments[0], {'amount': Decimal(9)}),
                (certificate, {'quantity': Decimal(9)}),
                ]:
            name = record.__class__.__name__
            proxy = self.config.get_proxy(name)
            context = self.config.context
            before = proxy.read([record.id], list(values), context)
            with (self.subTest(model=name, method='delete'),
                    self.assertRaises(AccessError)):
                proxy.delete([record.id], context)
            for field, value in values.items():
                with (self.subTest(model=name, field=field),
                        self.assertRaises(AccessError)):
                    proxy.write([record.id], {field: value}, context)
            field, value = next(iter(values.items()))
            with (self.subTest(model=name, method='import'),
                    self.assertRaises(AccessError)):
                proxy.import_data(
                    ['id', field], [[str(record.id), str(value)]], context)
            self.assertEqual(
                proxy.read([record.id], list(values), context), before)
        self.assertEqual(check_books(DAYS[-1]), [])

    def cancel(self, index):
        if self.documents:
            document = self.documents[index % len(self.documents)]
            document.reload()
            document.click('cancel')
