# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class SettlementTestCase(SharesTestCase):
    "Test how much of a redemption is paid out"

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
                self.assertEqual(
                    sum(l.credit for l in redemption.payable_lines),
                    redemption.net_amount)

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
                line, = redemption.payable_lines
                self.assertEqual(line.credit, Decimal(expected))
                self.assertEqual(
                    sum(l.debit for l in redemption.settle_move.lines
                        if l.account == premium),
                    Decimal(repaid or 0) * 10)
                self.assertEqual(
                    sum(l.debit for l in redemption.settle_move.lines),
                    sum(l.credit for l in redemption.settle_move.lines))

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

    @with_transaction()
    def test_balance_paid(self):
        """Test a loss by balance is taken on what is paid up

        Of 10 shares of 100 only 400 are paid: of these 25 % are lost.
        """
        pool = Pool()
        FiscalYear = pool.get('account.fiscalyear')
        company, category, _ = self._set_up()
        with set_company(company):
            class_ = create_share_class(
                company, code='B', par_value=Decimal(100),
                account_loss=get_account(
                    company, "Losses Borne by Redeemed Shares"))
            member, = self._admit(company, category)
            fiscalyear, = FiscalYear.search([('start_date', '=', START)])
            self._process(
                'valuation', ['approve'], company, fiscalyear=fiscalyear.id,
                share_class=class_.id, method='balance',
                loss_percent=Decimal(25))
            subscription = self._subscribe(member, class_, 10)
            self._pay(subscription, 400, START)
            redemption = self._redeem(member, class_, 10)
            self.assertEqual(redemption.loss, Decimal(100))
            self.assertEqual(redemption.net_amount, Decimal(300))
