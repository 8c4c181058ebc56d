# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond import backend
from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.tests.database import PreparedTestCase
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members, run_tasks)
from trytond.modules.coop_shares.tests.tools import EXTRAS
from trytond.pool import Pool
from trytond.transaction import Transaction

START = dt.date(2024, 1, 1)
END = dt.date(2024, 12, 31)


def get_account(company, name=None, type=None):
    "Return the account of the name, or the first of the type"
    Account = Pool().get('account.account')
    domain = [('company', '=', company.id), ('closed', '!=', True)]
    if name:
        domain.append(('name', '=', name))
    if type:
        domain.append((f'type.{type}', '=', True))
    account, = Account.search(domain, order=[('id', 'ASC')], limit=1)
    return account


def create_payment_method(company):
    "Create the method that pays through the cash account"
    pool = Pool()
    Journal = pool.get('account.journal')
    PaymentMethod = pool.get('account.invoice.payment.method')
    journal, = Journal.search([('type', '=', 'cash')], limit=1)
    cash = get_account(company, "Cash and Cash Equivalents")
    method = PaymentMethod(
        company=company, name="Cash", journal=journal, debit_account=cash,
        credit_account=cash)
    method.save()
    return method


def create_share_class(company, code='A', **values):
    ShareClass = Pool().get('coop.share.class')
    values.setdefault('par_value', Decimal(10))
    class_ = ShareClass(
        name="Share", code=code, company=company,
        account_capital=get_account(company, "Member Shares"),
        account_subscribed=get_account(
            company, "Subscribed Shares Receivable"),
        account_redemption=get_account(company, "Redeemed Shares Payable"),
        **values)
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


class SharesTestCase(PreparedTestCase):
    "The base of the tests that use the models of the shares"
    module = 'coop_shares'
    extras = EXTRAS
    _run_tasks = staticmethod(run_tasks)

    def prepare(self):
        self._company, self._category = self._open_books()

    def _open_books(self, name="Cooperative"):
        company = create_company(name=name)
        with set_company(company):
            create_chart(company)
            for year in [2024, 2025]:
                fiscalyear = set_invoice_sequences(get_fiscalyear(
                        company, start_date=dt.date(year, 1, 1),
                        end_date=dt.date(year, 12, 31)))
                fiscalyear.save()
                fiscalyear.create_period([fiscalyear])
            return company, create_category(company)

    def _set_up(self, **values):
        "Return the company with its books open and a share class"
        Sequence = Pool().get('ir.sequence.strict')
        # Else each one that is used would start the test over
        Sequence.lock(Sequence.search([]))
        self.load()
        with set_company(self._company):
            class_ = create_share_class(self._company, **values)
        return self._company, self._category, class_

    def _admit(self, company, category, count=1):
        members = create_members(company, category, count, START)
        Pool().get('coop.member').admit(members)
        return members

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
        with Transaction().set_context(_skip_warnings=True):
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

    def _pay(self, subscription, amount, date):
        "Pay a part of the subscription, and return it"
        pool = Pool()
        Payment = pool.get('coop.share.subscription.payment')
        PaymentMethod = pool.get('account.invoice.payment.method')
        company = subscription.company
        methods = PaymentMethod.search([('company', '=', company.id)])
        Payment.pay(
            {subscription: Decimal(amount)}, company,
            methods[0] if methods else create_payment_method(company), date)
        return subscription.__class__(subscription.id)

    def _transfer(self, from_, to, class_, quantity, **values):
        return self._process(
            'transfer', ['do'], from_.company, from_member=from_.id,
            to_member=to.id, share_class=class_.id,
            quantity=Decimal(quantity), date=dt.date(2024, 6, 30), **values)

    def _redeem(
            self, member, class_, quantity,
            buttons=('approve', 'end', 'settle'), **values):
        values.setdefault('end_date', END)
        values.setdefault('settlement_date', dt.date(2025, 1, 1))
        # It may be the last share
        with Transaction().set_context(_skip_warnings=True):
            return self._process(
                'redemption', buttons, member.company,
                member=member.id, share_class=class_.id,
                quantity=Decimal(quantity), request_date=START, **values)

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
