# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal
from unittest.mock import patch

from trytond import backend
from trytond.exceptions import UserError
from trytond.model import ModelSQL, ModelView
from trytond.model.exceptions import SQLConstraintError
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import (
    CompanyTestMixin, create_company, set_company)
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.exceptions import RedemptionError
from trytond.pool import Pool, isregisteredby
from trytond.tests.test_tryton import ModuleTestCase, with_transaction
from trytond.tools import file_open
from trytond.transaction import Transaction

START = dt.date(2024, 1, 1)
END = dt.date(2024, 12, 31)


def create_share_class(company, code='A', **values):
    pool = Pool()
    Account = pool.get('account.account')
    ShareClass = pool.get('coop.share.class')

    def account(name):
        account, = Account.search([
                ('company', '=', company.id), ('name', '=', name)])
        return account

    class_ = ShareClass(
        name="Share", code=code, company=company, par_value=Decimal(10),
        account_capital=account("Member Shares"),
        account_subscribed=account("Subscribed Shares Receivable"),
        account_redemption=account("Redeemed Shares Payable"), **values)
    class_.save()
    return class_


def issue(members, class_, quantity=10):
    "Enter shares in the ledger without any accounting move"
    ShareMove = Pool().get('coop.share.move')
    ShareMove.save([ShareMove(
                company=class_.company,
                share_class=class_,
                kind='issue',
                quantity=Decimal(quantity),
                to_member=member,
                start_date=START,
                acquired_date=START,
                par_value=class_.par_value,
                amount=quantity * class_.par_value,
                state='done') for member in members])


class CoopSharesTestCase(CompanyTestMixin, ModuleTestCase):
    "Test Coop Shares module"
    module = 'coop_shares'
    extras = ['account_payment', 'account_statement']

    @with_transaction()
    def test_access_defined(self):
        "Test every stored model has access rights"
        pool = Pool()
        Access = pool.get('ir.model.access')
        models = {a.model for a in Access.search([])}
        for name, model in pool.iterobject():
            if (isregisteredby(model, self.module)
                    and issubclass(model, ModelSQL)
                    and issubclass(model, ModelView)):
                with self.subTest(model=name):
                    self.assertTrue(model.__access__ or name in models)

    def _set_up(self, **values):
        "Return a company with its books open and a share class"
        Sequence = Pool().get('ir.sequence.strict')
        # Else each one that is used would start the test over
        Sequence.lock(Sequence.search([]))
        company = create_company()
        with set_company(company):
            create_chart(company)
            for year in [2024, 2025]:
                fiscalyear = set_invoice_sequences(get_fiscalyear(
                        company, start_date=dt.date(year, 1, 1),
                        end_date=dt.date(year, 12, 31)))
                fiscalyear.save()
                fiscalyear.create_period([fiscalyear])
            category = create_category(company)
            class_ = create_share_class(company, **values)
        return company, category, class_

    def assertSameQueries(self, few, many, updates=True):
        self.maxDiff = None
        ignored = set()
        if backend.name == 'sqlite':
            # It has no insert of many rows
            ignored.add('Insert')
        if not updates:
            # Each row gets its own values
            ignored.add('Update')
        self.assertEqual(*(
                {k: n for k, n in queries.items() if k[0] not in ignored}
                for queries in [few, many]))

    def _run_tasks(self):
        "Run what was put in the queue"
        Queue = Pool().get('ir.queue')
        tasks = Transaction().tasks
        while tasks:
            Queue(tasks.pop(0)).run()

    @with_transaction()
    def test_dividend_queries(self):
        "Test the queries of a dividend do not depend on the members"
        pool = Pool()
        Account = pool.get('account.account')
        Configuration = pool.get('coop.share.configuration')
        Dividend = pool.get('coop.share.dividend')
        company, category, _ = self._set_up()
        with set_company(company):
            configuration = Configuration(1)
            configuration.dividend_resolution = False
            configuration.save()
            expense, = Account.search([
                    ('company', '=', company.id),
                    ('type.expense', '=', True),
                    ('party_required', '!=', True),
                    ], limit=1)
            payable, = Account.search([
                    ('company', '=', company.id),
                    ('type.payable', '=', True),
                    ('party_required', '=', True),
                    ], limit=1)
            for chunks in [1, 3]:
                counts = []
                # The first run fills the caches
                for count in [3, 30, 120]:
                    class_ = create_share_class(
                        company, code=f'{chunks} {count}')
                    members = create_members(company, category, count, START)
                    issue(members, class_)
                    dividend, = Dividend.create([{
                                'company': company.id,
                                'classes': [('add', [class_.id])],
                                'start_date': START,
                                'end_date': END,
                                'rate': Decimal('0.05'),
                                'posting_date': END,
                                'payment_date': END,
                                'account': expense.id,
                                'account_payable': payable.id,
                                }])
                    with patch.object(
                                Dividend, '_chunk_size', count // chunks), \
                            count_queries() as queries:
                        Dividend.compute([dividend])
                        self._run_tasks()
                        Dividend.approve([dividend])
                        Dividend.post([dividend])
                        self._run_tasks()
                    self.assertEqual(dividend.state, 'posted')
                    self.assertEqual(dividend.gross, 5 * count)
                    self.assertEqual(
                        len({l.move for l in dividend.lines}), chunks)
                    counts.append(queries)
                with self.subTest(chunks=chunks):
                    self.assertSameQueries(*counts[1:])

    @with_transaction()
    def test_holding_pages(self):
        "Test the pages of the holdings are parts of all of them, in order"
        Holding = Pool().get('coop.share.holding')
        company, category, class_ = self._set_up()
        other = create_share_class(company, code='B')
        with set_company(company):
            self.assertEqual(Holding.search([], limit=2), [])
            members = create_members(company, category, 12, START)
            # Some hold nothing, some both classes
            issue(members[3:9], class_)
            issue(members[7:], other)
            for order in [None, [('member', 'DESC'), ('id', 'ASC')]]:
                holdings = Holding.search([], order=order)
                self.assertEqual(len(holdings), 11)
                for limit in [1, 2, 5, 20]:
                    pages = []
                    for offset in range(0, 11, limit):
                        pages.extend(Holding.search(
                                [], offset=offset, limit=limit, order=order))
                    self.assertEqual(pages, holdings)
            page = Holding.search([], limit=1)
            self.assertEqual(page[0].member, members[3])
            self.assertEqual(page[0].quantity, 10)

    def _request(self, company, members, class_, quantity):
        "Request a redemption for each member, two on a day"
        Redemption = Pool().get('coop.share.redemption')
        redemptions = Redemption.create([{
                    'company': company.id,
                    'member': member.id,
                    'share_class': class_.id,
                    'quantity': Decimal(quantity),
                    'request_date': START + dt.timedelta(i // 2),
                    } for i, member in enumerate(members)])
        Redemption.approve(redemptions)
        return redemptions

    def _allocate(self, class_):
        pool = Pool()
        Allocate = pool.get('coop.share.redemption.allocate', type='wizard')
        FiscalYear = pool.get('account.fiscalyear')
        session_id, _, _ = Allocate.create()
        wizard = Allocate(session_id)
        wizard.start.company = class_.company
        wizard.start.fiscalyear, = FiscalYear.search([
                ('start_date', '=', dt.date(2025, 1, 1))])
        wizard.start.end_date = dt.date(2025, 6, 30)
        wizard.start.share_classes = [class_]
        _, data = wizard.do_allocate(None)
        return data['res_id']

    @with_transaction()
    def test_allocate_queries(self):
        "Test the queries of an allocation do not depend on the requests"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, _ = self._set_up()
        with set_company(company):
            counts = []
            for order in ['request_date', 'pro_rata']:
                for count in [2, 20, 60]:
                    class_ = create_share_class(
                        company, code=f'{order} {count}',
                        redemption_cap=Decimal(25), redemption_order=order)
                    members = create_members(company, category, count, START)
                    issue(members, class_)
                    redemptions = self._request(company, members, class_, 5)
                    with count_queries() as queries:
                        ids = self._allocate(class_)
                    granted = Redemption.browse(ids)
                    self.assertEqual(
                        sum(r.quantity for r in granted),
                        count * 10 * Decimal('.25'))
                    self.assertTrue({*granted} <= {*redemptions})
                    with count_queries() as end_queries:
                        Redemption.end(granted)
                    self.assertEqual(
                        {r.state for r in Redemption.browse(ids)}, {'ended'})
                    counts.append((queries, end_queries))
            for few, many in [counts[1:3], counts[4:6]]:
                self.assertSameQueries(few[0], many[0])
                self.assertSameQueries(few[1], many[1], updates=False)

    @with_transaction()
    def test_end_before_request(self):
        "Test a redemption can not end before it is requested"
        Redemption = Pool().get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 1, START)
            issue(members, class_)
            redemption, = self._request(company, members, class_, 5)
            Redemption.write([redemption], {'end_date': START})
            with self.assertRaisesRegex(
                    SQLConstraintError, "before the day it is requested"):
                Redemption.write([redemption], {
                        'end_date': START - dt.timedelta(1)})

    @with_transaction()
    def test_end_due(self):
        "Test ending goes on where it was killed"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        Task = pool.get('ir.queue')
        company, category, class_ = self._set_up(redemption_cap=Decimal(100))
        with set_company(company), patch.object(Redemption, '_end_size', 2):
            members = create_members(company, category, 5, START)
            issue(members, class_)
            self._request(company, members, class_, 5)
            redemptions = Redemption.browse(self._allocate(class_))
            after = dt.date(2025, 7, 1)

            def due():
                "Return the chunks that are queued"
                before = Task.search([])
                Redemption.end_due(after)
                return [
                    Redemption.browse(t.data['instances'])
                    for t in Task.search([
                            ('id', 'not in', [t.id for t in before]),
                            ], order=[('id', 'ASC')])]

            chunks = due()
            self.assertEqual([len(c) for c in chunks], [2, 2, 1])
            Redemption.end(chunks[0])
            rest = due()
            self.assertEqual([len(c) for c in rest], [2, 1])
            self.assertEqual(
                {r for c in rest for r in c}, {*chunks[1], *chunks[2]})
            # What is queued twice is done once
            for chunk in chunks + rest:
                Redemption.end(chunk)
            redemptions = Redemption.browse(redemptions)
            self.assertEqual({r.state for r in redemptions}, {'ended'})
            self.assertEqual(
                [len(r.share_moves) for r in redemptions], [1] * 5)

    def _process(self, name, buttons, company, **values):
        "Create the document and press the buttons"
        Document = Pool().get(f'coop.share.{name}')
        document, = Document.create([{'company': company.id, **values}])
        for button in buttons:
            getattr(Document, button)([document])
        return Document(document.id)

    def _subscribe(self, member, class_, quantity, date=START):
        return self._process(
            'subscription', ['confirm'], member.company, member=member.id,
            share_class=class_.id, quantity=Decimal(quantity), date=date)

    def _transfer(self, from_, to, class_, quantity, **values):
        return self._process(
            'transfer', ['do'], from_.company, from_member=from_.id,
            to_member=to.id, share_class=class_.id,
            quantity=Decimal(quantity), date=dt.date(2024, 6, 30), **values)

    def _redeem(self, member, class_, quantity, **values):
        return self._process(
            'redemption', ['approve', 'end', 'settle'], member.company,
            member=member.id, share_class=class_.id,
            quantity=Decimal(quantity), request_date=START, end_date=END,
            settlement_date=dt.date(2025, 1, 1), **values)

    @with_transaction()
    def test_refused(self):
        "Test what is not allowed is refused and what is concerned is named"
        pool = Pool()
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            other = create_category(company, name="Others")
            limited = create_share_class(
                company, code='L', minimum=Decimal(5), maximum=Decimal(20))
            percent = create_share_class(
                company, code='P', maximum_percent=Decimal(40))
            others = create_share_class(company, code='O', categories=[other])
            fixed = create_share_class(company, code='F', transferable=False)
            locked = create_share_class(company, code='K', lock_in_months=24)
            members = create_members(company, category, 4, START)
            Member.admit(members)
            ann, bob, carl, dora = members
            for share_class in [class_, limited, percent, fixed, locked]:
                issue([ann, bob, dora], share_class)
            for name, function, args, values, words in [
                    ("minimum", self._subscribe, [carl, limited, 4], {},
                        [carl, limited, '4', '5']),
                    ("maximum", self._subscribe, [ann, limited, 11], {},
                        [ann, limited, '21', '20']),
                    ("percentage", self._subscribe, [ann, percent, 10], {},
                        [ann, percent, '40 %']),
                    ("category", self._subscribe, [ann, others, 1], {},
                        [ann, others]),
                    ("not a member", self._subscribe,
                        [ann, class_, 1, dt.date(2023, 12, 31)], {},
                        [ann, '12/31/2023']),
                    ("nothing", self._subscribe, [ann, class_, 0], {},
                        ["Quantity"]),
                    ("more than held", self._transfer,
                        [ann, bob, class_, 11], {}, [ann, class_, '10']),
                    ("rest below minimum", self._transfer,
                        [dora, carl, limited, 6], {}, [dora, limited, '4']),
                    ("lock-in", self._transfer, [ann, bob, locked, 1], {},
                        [ann, locked]),
                    ("oneself", self._transfer, [ann, ann, class_, 1], {},
                        [ann]),
                    ("class", self._transfer, [ann, bob, fixed, 1], {},
                        [fixed]),
                    ("more than held", self._redeem, [ann, class_, 11], {},
                        [ann, class_, '10']),
                    ("lock-in", self._redeem, [ann, locked, 1], {},
                        [ann, locked]),
                    ("account", self._redeem, [ann, class_, 1],
                        {'price': Decimal(9)}, ["Account Loss", class_]),
                    ("above par", self._redeem, [ann, class_, 1],
                        {'price': Decimal(11)}, ['11']),
                    ("no share left", self._redeem, [carl, class_, 1], {},
                        [carl, class_, '0']),
                    ]:
                with self.assertRaises(
                        UserError, msg=(function.__name__, name)) as cm:
                    function(*args, **values)
                for word in words:
                    self.assertIn(
                        getattr(word, 'rec_name', word), str(cm.exception))
            # The heirs get the shares in any case, hardship ends a lock-in
            self._transfer(ann, bob, fixed, 1, reason='inheritance')
            self._transfer(ann, bob, locked, 1, reason='inheritance')
            self._redeem(ann, locked, 1, reason='hardship')
            # Who is excluded gets them back in any case
            bob.notice_date = dt.date(2024, 6, 30)
            bob.exit_reason = 'exclusion'
            bob.save()
            Member.exclude([bob])
            redemptions = Redemption.search([('member', '=', bob.id)])
            self.assertEqual({r.reason for r in redemptions}, {'exclusion'})
            self.assertEqual(
                {r.share_class.code: r.quantity for r in redemptions},
                {'A': 10, 'L': 10, 'P': 10, 'F': 11, 'K': 11})
            with self.assertRaises(RedemptionError):
                Redemption.refuse(redemptions)

    @with_transaction()
    def test_valuation(self):
        """Test the loss by share, by head and by balance

        Of 10 redeemed shares of 10, of which the member holds 40: the one of
        AwesomeFoodCoops by share, the others by hand.
        """
        pool = Pool()
        Account = pool.get('account.account')
        FiscalYear = pool.get('account.fiscalyear')
        company, category, _ = self._set_up()
        with set_company(company):
            loss_account, = Account.search([
                    ('company', '=', company.id),
                    ('name', '=', "Losses Borne by Redeemed Shares")])
            fiscalyear, = FiscalYear.search([('start_date', '=', START)])
            member, = create_members(company, category, 1, START)
            for method, name, value, loss in [
                    ('share', 'equity_per_share', '8.50', '15.00'),
                    # The reserves are not paid out
                    ('share', 'equity_per_share', '12.00', '0.00'),
                    ('head', 'loss_per_member', '20.00', '5.00'),
                    # Nobody pays in
                    ('head', 'loss_per_member', '900.00', '100.00'),
                    ('balance', 'loss_percent', '12.5', '12.50'),
                    ]:
                class_ = create_share_class(
                    company, code=f'{method} {value}',
                    account_loss=loss_account)
                issue([member], class_, 40)
                self._process(
                    'valuation', ['approve'], company,
                    fiscalyear=fiscalyear.id, share_class=class_.id,
                    method=method, **{name: Decimal(value)})
                redemption = self._redeem(member, class_, 10)
                self.assertEqual(redemption.loss, Decimal(loss))
                self.assertEqual(
                    redemption.net_amount, 100 - Decimal(loss))
                self.assertEqual(
                    sum(l.credit - l.debit
                        for m in [redemption.settle_move] if m
                        for l in m.lines if l.account == loss_account),
                    Decimal(loss))
                payable = redemption.payable_line
                self.assertEqual(
                    payable.credit if payable else 0,
                    redemption.net_amount)

    @with_transaction()
    def test_release(self):
        """Test who leaves does not owe what was not paid of the shares

        By hand: 60.00 and 40.00 are subscribed and not paid.
        """
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = create_members(company, category, 1, START)
            pool = Pool()
            Line = pool.get('account.move.line')
            pool.get('coop.member').admit([member])
            subscriptions = [
                self._subscribe(member, class_, quantity)
                for quantity in [6, 4]]
            redemption = self._redeem(member, class_, 10)
            self.assertEqual(redemption.net_amount, Decimal(0))
            for subscription in subscriptions:
                subscription = subscription.__class__(subscription.id)
                self.assertEqual(subscription.state, 'paid')
                self.assertTrue(all(
                        l.reconciliation for l in subscription.lines_to_pay))
                for payment in subscription.payments:
                    self.assertEqual(payment.line.credit, payment.amount)
            self.assertFalse(Line.search([
                        ('party', '=', member.party.id),
                        ('account', '=', class_.account_subscribed.id),
                        ('reconciliation', '=', None),
                        ]))

    @with_transaction()
    def test_set_off_once(self):
        """Test a debt is set off once by redemptions that settle together

        By hand: 60.00 are owed for 6 other shares, or for something else.  Of
        two times 4 shares of 10.00 the first pays 40.00 of it, the second the
        other 20.00.
        """
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            members = create_members(company, category, 2, START)
            pool.get('coop.member').admit(members)
            issue(members, class_)
            other = create_share_class(company, code='D')
            subscription = self._subscribe(members[0], other, 6)
            debt = self._owe(members[1], Decimal(60))
            for member in members:
                redemptions = [
                    self._process(
                        'redemption', ['approve', 'end'], company,
                        member=member.id, share_class=class_.id,
                        quantity=Decimal(4), request_date=START,
                        end_date=END, set_off=True,
                        settlement_date=dt.date(2025, 1, 1))
                    for _ in range(2)]
                Redemption.settle(redemptions)
                first, second = Redemption.browse(redemptions)
                self.assertEqual(first.set_off_amount, Decimal(40))
                self.assertEqual(first.net_amount, Decimal(0))
                self.assertEqual(second.set_off_amount, Decimal(20))
                self.assertEqual(second.net_amount, Decimal(20))
            subscription = subscription.__class__(subscription.id)
            self.assertEqual(subscription.state, 'paid')
            debt = debt.__class__(debt.id)
            self.assertEqual(
                sorted(l.credit for l in debt.reconciliation.lines),
                [0, 20, 40])

    @with_transaction()
    def test_set_off_rest(self):
        "Test a debt of which a part was set off is done with its rest"
        pool = Pool()
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = create_members(company, category, 1, START)
            pool.get('coop.member').admit([member])
            issue([member], class_)
            debt = self._owe(member, Decimal(60))
            for set_off in [40, 20]:
                redemption = self._process(
                    'redemption', ['approve', 'end'], company,
                    member=member.id, share_class=class_.id,
                    quantity=Decimal(4), request_date=START, end_date=END,
                    set_off=True, settlement_date=dt.date(2025, 1, 1))
                Redemption.settle([redemption])
                redemption = Redemption(redemption.id)
                self.assertEqual(redemption.set_off_amount, set_off)
            debt = debt.__class__(debt.id)
            self.assertEqual(
                sorted(l.credit for l in debt.reconciliation.lines),
                [0, 20, 40])

    @with_transaction(context={'_skip_warnings': True})
    def test_set_off_invoices(self):
        """Test what was paid of an invoice is not set off

        By hand: of 60.00 and 30.00 25.00 are paid.  40.00 pay the other
        35.00 and 5.00.
        """
        pool = Pool()
        Account = pool.get('account.account')
        Address = pool.get('party.address')
        Invoice = pool.get('account.invoice')
        Journal = pool.get('account.journal')
        PaymentMethod = pool.get('account.invoice.payment.method')
        Redemption = pool.get('coop.share.redemption')
        company, category, class_ = self._set_up()
        with set_company(company):
            member, = create_members(company, category, 1, START)
            pool.get('coop.member').admit([member])
            issue([member], class_)
            Address.create([{'party': member.party.id}])
            revenue, = Account.search([
                    ('company', '=', company.id),
                    ('type.revenue', '=', True),
                    ('closed', '!=', True)], limit=1)
            cash, = Account.search([
                    ('company', '=', company.id), ('code', '=', '1.1.1')])
            method = PaymentMethod(
                name="Cash", company=company,
                journal=Journal.search([('type', '=', 'cash')])[0],
                debit_account=cash, credit_account=cash)
            method.save()
            invoices = []
            for amount, month in [(60, 2), (30, 3)]:
                date = dt.date(2024, month, 1)
                invoice = Invoice(
                    company=company, type='out', party=member.party,
                    currency=company.currency, invoice_date=date)
                invoice.on_change_type()
                invoice.payment_term = None
                invoice.payment_term_date = date
                invoice.lines = [pool.get('account.invoice.line')(
                        company=company, currency=company.currency,
                        type='line', quantity=1, unit_price=Decimal(amount),
                        account=revenue)]
                invoices.append(invoice)
            Invoice.save(invoices)
            Invoice.post(invoices)
            invoices[0].pay_invoice(
                Decimal(25), method, dt.date(2024, 4, 1))

            redemption = self._redeem(member, class_, 4, set_off=True)
            self.assertEqual(redemption.set_off_amount, Decimal(40))
            self.assertEqual(redemption.net_amount, Decimal(0))

            def get_states():
                self._run_tasks()
                return [
                    (i.state, i.amount_to_pay)
                    for i in Invoice.browse(invoices)]
            self.assertEqual(
                get_states(), [('paid', Decimal(0)), ('posted', Decimal(25))])

            Redemption.cancel([redemption])
            self.assertEqual(
                get_states(),
                [('posted', Decimal(35)), ('posted', Decimal(30))])

    def _owe(self, member, amount):
        "Post a debt of the member and return its line"
        pool = Pool()
        Account = pool.get('account.account')
        Configuration = pool.get('coop.membership.configuration')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        company = member.company
        receivable, = Account.search([
                ('company', '=', company.id),
                ('type.receivable', '=', True),
                ('closed', '!=', True),
                ('name', '!=', "Subscribed Shares Receivable")], limit=1)
        revenue, = Account.search([
                ('company', '=', company.id),
                ('type.revenue', '=', True),
                ('closed', '!=', True)], limit=1)
        move, = Move.create([{
                    'company': company.id,
                    'journal': Configuration(1).get_multivalue(
                        'journal', company=company.id).id,
                    'period': Period.find(company, date=START).id,
                    'date': START,
                    'lines': [('create', [{
                                    'account': receivable.id,
                                    'party': member.party.id,
                                    'debit': amount,
                                    'maturity_date': START,
                                    }, {
                                    'account': revenue.id,
                                    'credit': amount,
                                    }])],
                    }])
        Move.post([move])
        line, = [l for l in move.lines if l.debit]
        return line

    @with_transaction()
    def test_repaid_premium(self):
        """Test a class can pay back the premium of redeemed shares

        By hand: 10 shares of 10.00 with 3.00 of premium each are paid 130.00;
        less a loss of 15.00, 115.00 come back.
        """
        pool = Pool()
        Account = pool.get('account.account')
        company, category, _ = self._set_up()
        with set_company(company):
            accounts = {a.name: a for a in Account.search([
                        ('company', '=', company.id)])}
            premium = accounts["Share Premium"]
            member, = create_members(company, category, 1, START)
            for name, repaid, expected in [
                    ('kept', None, '85.00'), ('repaid', '3.00', '115.00')]:
                class_ = create_share_class(
                    company, code=name, account_premium=premium,
                    account_loss=accounts["Losses Borne by Redeemed Shares"],
                    repaid_premium=repaid and Decimal(repaid))
                issue([member], class_, 10)
                redemption = self._redeem(
                    member, class_, 10, price=Decimal('8.50'))
                self.assertEqual(redemption.net_amount, Decimal(expected))
                self.assertEqual(
                    redemption.payable_line.credit, Decimal(expected))
                self.assertEqual(
                    sum(l.debit for l in redemption.settle_move.lines
                        if l.account == premium),
                    Decimal(repaid or 0) * 10)
                self.assertEqual(
                    sum(l.debit for l in redemption.settle_move.lines),
                    sum(l.credit for l in redemption.settle_move.lines))

    def test_chart(self):
        "Test each universal chart has the accounts of the share classes"
        def records(module, language):
            with file_open(f'{module}/account_chart_{language}.xml') as file:
                return {
                    record.get('id').removesuffix(f'_{language}'): {
                        field.get('name'): (
                            field.get('ref', '').removesuffix(f'_{language}')
                            or field.get('eval') or field.text)
                        for field in record.iter('field')}
                    for record in ET.parse(file).iter('record')}

        names = [
            'capital', 'unpaid', 'premium', 'allocated', 'loss', 'deduction',
            'lapsed', 'subscribed', 'redemption']
        with_party = {
            'capital', 'unpaid', 'allocated', 'subscribed', 'redemption'}
        to_reconcile = {'subscribed', 'redemption'}
        codes = [
            r['code'] for r in records('coop_shares', 'en').values()]
        for language in ['de', 'en', 'es', 'fr']:
            with self.subTest(language=language):
                accounts = records('coop_shares', language)
                base = {
                    f'account.{id_}': r
                    for id_, r in records('account', language).items()}
                self.assertEqual(
                    accounts.keys(), {f'account_template_{n}' for n in names})
                self.assertEqual(
                    [r['code'] for r in accounts.values()], codes)
                for name in names:
                    account = accounts[f'account_template_{name}']
                    self.assertEqual(
                        account.get('party_required', 'False'),
                        str(name in with_party))
                    self.assertEqual(
                        account.get('reconcile', 'False'),
                        str(name in to_reconcile))
                    self.assertIn(account['parent'], base)
                    type_ = base[account['type']]
                    self.assertEqual(type_['statement'], 'balance')
                    self.assertEqual(
                        type_.get('receivable', 'False'),
                        str(name == 'subscribed'))
                    self.assertEqual(
                        type_.get('payable', 'False'),
                        str(name == 'redemption'))
                    if name != 'subscribed':
                        self.assertNotIn('assets', type_)


del ModuleTestCase
