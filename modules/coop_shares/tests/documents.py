# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from itertools import count

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.account_invoice.tests import set_invoice_sequences
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.tests.case import (
    END, START, create_payment_method, create_share_class, get_account, issue)
from trytond.pool import Pool

DAY = dt.timedelta(days=1)


class SharesDocuments:
    "Make the documents of the shares in each of their states"

    masters = {
        'coop.share.class': "says how the shares of a kind are",
        'coop.share.class-coop.member.category': "belongs to the class",
        'coop.share.class.minimum': "belongs to the class",
        'coop.share.offer': "belongs to the class",
        'coop.share.class.interest': "belongs to the class",
        'coop.withholding': "says how a party is taxed",
        }
    # The buttons that lead to each state, in their order
    buttons = {
        'coop.share.subscription': {
            'draft': [],
            'confirmed': ['confirm'],
            'paid': ['confirm'],
            'cancelled': ['confirm', 'cancel'],
            },
        'coop.share.transfer': {
            'draft': [],
            'done': ['do'],
            'cancelled': ['do', 'cancel'],
            },
        'coop.share.redemption': {
            'requested': [],
            'approved': ['approve'],
            'ended': ['approve', 'end'],
            'settled': ['approve', 'end', 'settle'],
            'paid': ['approve', 'end', 'settle'],
            'refused': ['refuse'],
            'cancelled': ['approve', 'end', 'cancel'],
            },
        'coop.share.valuation': {
            'draft': [],
            'approved': ['approve'],
            },
        'coop.share.dividend': {
            'draft': [],
            'computed': ['compute'],
            'approved': ['compute', 'approve'],
            'posted': ['compute', 'approve', 'post'],
            'cancelled': ['compute', 'approve', 'cancel'],
            },
        'coop.share.call': {
            'draft': [],
            'computed': ['compute'],
            'approved': ['compute', 'approve'],
            'posted': ['compute', 'approve', 'post'],
            'cancelled': ['compute', 'approve', 'post', 'cancel'],
            },
        'coop.share.revaluation': {
            'draft': [],
            'computed': ['compute'],
            'approved': ['compute', 'approve'],
            'posted': ['compute', 'approve', 'post'],
            'cancelled': ['compute', 'approve', 'post', 'cancel'],
            },
        'coop.share.move': {
            'draft': [],
            'done': ['do'],
            },
        }

    def prepare_documents(self, company):
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Member = pool.get('coop.member')
        Sequence = pool.get('ir.sequence.strict')
        # Else each one that is used would start the test over
        Sequence.lock(Sequence.search([]))
        create_chart(company)
        for year in [2024, 2025]:
            fiscalyear = set_invoice_sequences(get_fiscalyear(
                    company, start_date=dt.date(year, 1, 1),
                    end_date=dt.date(year, 12, 31)))
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])
        configuration = Configuration(1)
        configuration.cutover_date = START
        configuration.dividend_resolution = False
        configuration.save()
        self._count = count(1)
        self._class = create_share_class(company)
        category = create_category(company)
        self._members = create_members(company, category, 2, START)
        Member.admit(self._members)
        issue(self._members[:1], self._class, 10_000)

    def make(self, Model, state):
        name = Model.__name__.rpartition('.')[-1]
        document = Model(
            company=self.company, **getattr(self, f'_get_{name}')())
        document.save()
        for button in self.buttons[Model.__name__][state]:
            getattr(Model, button)([document])
        if state == 'paid':
            getattr(self, f'_pay_{name}')(document)
        return document

    def _get_subscription(self):
        return {
            'member': self._members[0],
            'share_class': self._class,
            'quantity': Decimal(1),
            'date': START,
            }

    def _pay_subscription(self, subscription):
        Payment = Pool().get('coop.share.subscription.payment')
        Payment.pay(
            {subscription: subscription.amount_to_pay}, self.company,
            create_payment_method(self.company), START)

    def _get_transfer(self):
        return {
            'reason': 'gift',
            'from_member': self._members[0],
            'to_member': self._members[1],
            'share_class': self._class,
            'quantity': Decimal(1),
            'date': dt.date(2024, 6, 30),
            }

    def _get_redemption(self):
        return {
            'member': self._members[0],
            'share_class': self._class,
            'quantity': Decimal(1),
            'request_date': START,
            'end_date': END,
            'settlement_date': END + DAY,
            'payment_date': END + DAY,
            }

    def _pay_redemption(self, redemption):
        pool = Pool()
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        payable, = redemption.payable_lines
        move = Move(
            company=self.company,
            journal=redemption.move.journal,
            date=END + DAY,
            period=Period.find(self.company, date=END + DAY),
            lines=[
                Line(
                    account=payable.account, party=payable.party,
                    debit=payable.credit, credit=Decimal(0)),
                Line(
                    account=get_account(
                        self.company, "Cash and Cash Equivalents"),
                    debit=Decimal(0), credit=payable.credit),
                ])
        move.save()
        Move.post([move])
        line, = [l for l in move.lines if l.debit]
        Line.reconcile([payable, line])

    def _get_valuation(self):
        FiscalYear = Pool().get('account.fiscalyear')
        fiscalyear, = FiscalYear.search([
                ('company', '=', self.company.id),
                ('start_date', '=', START)])
        # There is one for a class in a year
        return {
            'fiscalyear': fiscalyear,
            'share_class': create_share_class(
                self.company, code=f'V{next(self._count)}'),
            'equity_per_share': Decimal(9),
            }

    def _get_dividend(self):
        # No two are for the same period
        start = START + next(self._count) * DAY
        return {
            'classes': [self._class],
            'start_date': start,
            'end_date': start + 100 * DAY,
            'force': True,
            'method': 'rate',
            'rate': Decimal('0.04'),
            'posting_date': END,
            'payment_date': END,
            'account': get_account(self.company, type='expense'),
            'account_payable': get_account(self.company, type='payable'),
            }

    def _get_call(self):
        Subscription = Pool().get('coop.share.subscription')
        class_ = create_share_class(
            self.company, code=f'C{next(self._count)}',
            due_percent=Decimal(25))
        subscription = Subscription(
            company=self.company, member=self._members[0],
            share_class=class_, quantity=Decimal(1), date=START)
        subscription.save()
        Subscription.confirm([subscription])
        return {
            'share_class': class_,
            'date': START,
            'percent': Decimal(25),
            'due_date': END,
            }

    def _get_revaluation(self):
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        # The roll of a board is not always kept
        meeting = Meeting(
            company=self.company, kind='board', date=START,
            items=[Item(subject="Revaluation", votes_for=1)])
        meeting.save()
        for button in ['convene', 'open', 'close']:
            getattr(Meeting, button)([meeting])
        class_ = create_share_class(
            self.company, code=f'R{next(self._count)}')
        issue(self._members[:1], class_, 10)
        return {
            'share_class': class_,
            'record_date': START,
            'date': END,
            'method': 'percent',
            'percent': Decimal(1),
            'account': get_account(self.company, type='expense'),
            'resolution': meeting.items[0],
            }

    def _get_move(self):
        return {
            'share_class': self._class,
            'kind': 'opening',
            'quantity': Decimal(3),
            'to_member': self._members[0],
            'start_date': START,
            'par_value': self._class.par_value,
            'amount': 3 * self._class.par_value,
            }
