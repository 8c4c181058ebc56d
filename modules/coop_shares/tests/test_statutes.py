# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.exceptions import UserError
from trytond.model.exceptions import AccessError
from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.agreement import check_books
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.exceptions import (
    AdmissionError, RefusedError)
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_membership.tests.records import (
    create_category, create_members)
from trytond.modules.coop_shares.exceptions import (
    CallError, LimitError, ObligatorySharesWarning, ResolutionError,
    RevaluationError, ReversalError, ShareOfferValidationError)
from trytond.modules.coop_shares.tests.case import (
    END, START, SharesTestCase, create_share_class, get_account, issue)
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class StatutesTestCase(SharesTestCase):
    "Test what statutes ask of those who hold shares"

    def _configure(self, **values):
        Configuration = Pool().get('coop.share.configuration')
        configuration = Configuration(1)
        for name, value in values.items():
            setattr(configuration, name, value)
        configuration.save()

    @with_transaction()
    def test_limit_amount(self):
        """Test 100,000 of all classes per member

        UK, Co-operative and Community Benefit Societies Act 2014, s. 24:
        other registered societies are exempt.
        """
        company, category, class_ = self._set_up(par_value=Decimal(1000))
        with set_company(company):
            other = create_share_class(company, code='B', par_value=Decimal(1))
            outside = create_share_class(
                company, code='C', outside_limit=True)
            payment = create_share_class(
                company, code='P', effective='payment',
                account_unpaid=get_account(
                    company, "Member Shares Subscribed, Not Paid In"))
            ann, bob, carl = self._admit(company, category, 3)
            issue([carl], class_, 2)
            society, = self._admit(company, create_category(
                    company, name="Societies", limit_exempt=True))
            self._configure(member_limit=Decimal(100_000))
            self._subscribe(ann, class_, 60)
            self._subscribe(ann, other, 40_000)
            self._subscribe(ann, outside, 1)
            for args in [(ann, other, 1), (ann, payment, 1)]:
                with self.subTest(args=args[1].code), savepoint(), \
                        self.assertRaisesRegex(LimitError, "100,000.00"):
                    self._subscribe(*args)
            # What is not paid counts too
            self._subscribe(bob, payment, 1)
            with savepoint(), self.assertRaises(LimitError):
                self._subscribe(bob, class_, 100)
            self._subscribe(bob, class_, 99)
            with savepoint(), self.assertRaises(LimitError):
                self._transfer(carl, bob, class_, 1)
            self._subscribe(society, class_, 101)

    @with_transaction()
    def test_limit_part(self):
        """Test one third of the capital of all classes per member

        ES, Ley 27/1999 de Cooperativas, art. 45.6: of 300,000 a member holds
        100,000, exactly a third, but not 100,010 of 300,010.
        """
        company, category, class_ = self._set_up()
        with set_company(company):
            other = create_share_class(company, code='B')
            members = self._admit(company, category, 3)
            self._configure(
                member_limit_percent=Decimal('33.3333'),
                founding_date=dt.date(2024, 3, 1))
            for member in members:
                # Those who found it come one after the other
                self._subscribe(member, class_, 6_000)
                self._subscribe(member, other, 4_000)
            ann, bob, _ = members
            later = dt.date(2024, 3, 1)
            with savepoint(), self.assertRaisesRegex(LimitError, "33.3333 ?%"):
                self._subscribe(ann, class_, 1, later)
            # With 300,030 a third is 100,010
            dora, = self._admit(company, category)
            self._subscribe(dora, class_, 2, later)
            self._subscribe(ann, other, 1, later)
            with savepoint(), self.assertRaises(LimitError):
                self._subscribe(bob, other, 2, later)

    @with_transaction()
    def test_entry_fee(self):
        """Test one payment of the first shares and of the entry fee

        Five shares of 50 and a fee of 30 are 280, of which 250 come back.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            revenue = get_account(company, type='revenue')
            class_.entry_fee = Decimal(30)
            class_.account_entry_fee = revenue
            class_.save()
            ann, = self._admit(company, category)
            subscription = self._subscribe(ann, class_, 5)
            self.assertEqual(
                (subscription.entry_fee, subscription.amount,
                    subscription.total_amount, subscription.amount_to_pay),
                (30, 250, 280, 280))
            line, = subscription.lines_to_pay
            self.assertEqual(line.debit, 280)

            def balance(account):
                return sum(l.credit - l.debit for l in Line.search([
                            ('account', '=', account.id)]))

            self.assertEqual(
                (balance(class_.account_capital), balance(revenue)),
                (250, 30))
            # The fee is paid first
            subscription = self._pay(
                subscription, 100, dt.date(2024, 2, 1))
            payment, = subscription.payments
            self.assertEqual(payment.capital_amount, 70)
            self.assertFalse(check_books(company, END))
            subscription = self._pay(
                subscription, 180, dt.date(2024, 3, 1))
            self.assertEqual(subscription.state, 'paid')
            # It is asked for once
            second = self._subscribe(ann, class_, 1)
            self.assertEqual(
                (second.entry_fee or 0, second.total_amount), (0, 50))
            self._pay(second, 50, dt.date(2024, 3, 1))
            copy, = Subscription.copy([subscription])
            self.assertFalse(copy.entry_fee)
            self.assertEqual(copy.total_amount, 250)
            redemption = self._redeem(ann, class_, 5)
            self.assertEqual(redemption.net_amount, 250)
            self.assertEqual(balance(revenue), 30)
            self.assertFalse(check_books(company, dt.date(2025, 1, 1)))

    @with_transaction()
    def test_entry_fee_correction(self):
        "Test a subscription entered again keeps its fee"
        Subscription = Pool().get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            class_.entry_fee = Decimal(30)
            class_.account_entry_fee = get_account(company, type='revenue')
            class_.save()
            ann, = self._admit(company, category)
            subscription = self._pay(
                self._subscribe(ann, class_, 5), 280, dt.date(2024, 2, 1))
            draft, = Subscription.enter_again([subscription])
            # One share more, with the fee once
            draft.quantity = Decimal(6)
            draft.save()
            Subscription.confirm([draft])
            draft = Subscription(draft.id)
            self.assertEqual(
                (draft.state, draft.entry_fee, draft.total_amount,
                    draft.amount_to_pay),
                ('confirmed', 30, 330, 50))
            self.assertFalse(check_books(company, END))

    @with_transaction()
    def test_entry_fee_once(self):
        "Test drafts entered or moved together ask each member for one fee"
        Subscription = Pool().get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            class_.entry_fee = Decimal(30)
            class_.account_entry_fee = get_account(company, type='revenue')
            class_.save()
            ann, = self._admit(company, category)
            bob, = self._admit(company, category)

            def fees(drafts):
                return [
                    s.entry_fee for s in Subscription.browse(
                        [d.id for d in drafts])]

            first, second = drafts = Subscription.create([{
                        'company': company.id,
                        'member': ann.id,
                        'share_class': class_.id,
                        'quantity': Decimal(1),
                        'date': START,
                        }] * 2)
            self.assertEqual(fees(drafts), [30, None])
            # Each asks its own member
            Subscription.write([second], {'member': bob.id})
            self.assertEqual(fees(drafts), [30, 30])
            Subscription.write([first], {'member': bob.id})
            self.assertEqual(fees(drafts), [None, 30])
            Subscription.write(drafts, {'member': ann.id})
            self.assertEqual(fees(drafts), [30, None])
            # The same class anew does not lose the fee of the draft itself
            first = Subscription(first.id)
            first.on_change_share_class()
            self.assertEqual(first.entry_fee, 30)

    @with_transaction()
    def test_entry_fee_given(self):
        "Test fees that are given stay, also for drafts entered together"
        Subscription = Pool().get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            class_.entry_fee = Decimal(30)
            class_.account_entry_fee = get_account(company, type='revenue')
            class_.save()
            ann, = self._admit(company, category)
            values = {
                'company': company.id,
                'member': ann.id,
                'share_class': class_.id,
                'quantity': Decimal(1),
                'date': START,
                }
            drafts = Subscription.create([
                    values,
                    {**values, 'entry_fee': Decimal(10)},
                    {**values, 'entry_fee': Decimal(20)}])
            self.assertEqual(
                [d.entry_fee for d in drafts], [None, 10, 20])

    @with_transaction()
    def test_entry_fee_again(self):
        "Test the fee is asked with the next draft if the first one goes"
        Subscription = Pool().get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            class_.entry_fee = Decimal(30)
            class_.account_entry_fee = get_account(company, type='revenue')
            class_.save()
            ann, = self._admit(company, category)
            for go in [Subscription.cancel, Subscription.delete]:
                drafts = Subscription.create([{
                            'company': company.id,
                            'member': ann.id,
                            'share_class': class_.id,
                            'quantity': Decimal(1),
                            'date': START,
                            }] * 3)
                self.assertEqual(
                    [d.entry_fee for d in drafts], [30, None, None])
                go(drafts[:1])
                left = Subscription.browse([d.id for d in drafts[1:]])
                self.assertEqual([d.entry_fee for d in left], [30, None])
                Subscription.confirm(left[:1])
                Subscription.cancel(Subscription.browse(left[:1]))
                left = Subscription.browse(left)
                self.assertEqual(left[1].entry_fee, 30)
                Subscription.cancel(left[1:])

    @with_transaction()
    def test_offer_again(self):
        "Test what is entered again, or later, does not need another offer"
        pool = Pool()
        Offer = pool.get('coop.share.offer')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            ann, = self._admit(company, category)
            old = self._subscribe(ann, class_, 2)
            offer, = Offer.create([{
                        'share_class': class_.id,
                        'start_date': dt.date(2024, 3, 1),
                        'end_date': dt.date(2024, 6, 30),
                        'ceiling': Decimal(500),
                        }])
            # Subscribed when there was no offer yet
            draft, = Subscription.enter_again([old])
            draft.quantity = Decimal(3)
            draft.save()
            with savepoint(), self.assertRaisesRegex(LimitError, "no shares"):
                Subscription.confirm([draft])
            draft = Subscription(draft.id)
            draft.quantity = Decimal(1)
            draft.save()
            Subscription.confirm([draft])
            self.assertEqual(Subscription(draft.id).state, 'confirmed')
            # An applicant in the offer, who is admitted after it
            bob, = create_members(
                company, category, 1, dt.date(2024, 8, 1),
                application_date=dt.date(2024, 4, 1))
            applied = self._process(
                'subscription', [], company, member=bob.id,
                share_class=class_.id, quantity=Decimal(4),
                date=dt.date(2024, 4, 1))
            Member = pool.get('coop.member')
            Member.admit([bob])
            applied = Subscription(applied.id)
            self.assertEqual(
                (applied.state, applied.date, applied.subscribed_on),
                ('confirmed', dt.date(2024, 8, 1), dt.date(2024, 4, 1)))
            self.assertEqual(Offer(offer.id).subscribed, 200)
            # What a surplus pays needs no offer, and counts in none
            paid = self._process(
                'subscription', ['confirm'], company, member=ann.id,
                share_class=class_.id, quantity=Decimal(1),
                date=dt.date(2024, 9, 1), outside_offer=True)
            self.assertEqual(paid.state, 'confirmed')
            self.assertEqual(Offer(offer.id).subscribed, 200)

    @with_transaction()
    def test_offer(self):
        """Test a public offer of shares of 50

        A member holds 100,000 at most, 3,000,000 are offered from 1 March to
        30 June 2024, until 10 March each member subscribes 5,000 at most.
        """
        pool = Pool()
        Configuration = pool.get('coop.share.configuration')
        Offer = pool.get('coop.share.offer')
        company, category, class_ = self._set_up(par_value=Decimal(50))
        with set_company(company):
            self.assertFalse(class_.offered)
            configuration = Configuration(1)
            configuration.member_limit = Decimal(100000)
            configuration.share_offers = True
            configuration.save()
            members = self._admit(company, category, 32)
            ann, bob, carl = members[:3]
            # Before there is an offer the class is open
            self._subscribe(ann, class_, 2)
            offer, = Offer.create([{
                        'share_class': class_.id,
                        'start_date': dt.date(2024, 3, 1),
                        'end_date': dt.date(2024, 6, 30),
                        'ceiling': Decimal(3000000),
                        'first_end_date': dt.date(2024, 3, 10),
                        'first_limit': Decimal(5000),
                        }])
            class_ = class_.__class__(class_.id)
            self.assertTrue(class_.offered)
            for date in [dt.date(2024, 2, 29), dt.date(2024, 7, 1)]:
                with savepoint(), self.assertRaisesRegex(
                        LimitError, "no shares"):
                    self._subscribe(ann, class_, 1, date)
            # The 100 that Ann held before are not of the offer
            first = dt.date(2024, 3, 1)
            self._subscribe(ann, class_, 60, first)
            last = dt.date(2024, 3, 10)
            with savepoint(), self.assertRaisesRegex(LimitError, "5,050.00"):
                self._subscribe(ann, class_, 41, last)
            self._subscribe(ann, class_, 40, last)
            later = dt.date(2024, 3, 11)
            # 100 and 5,000 before are left 94,900
            with savepoint(), self.assertRaises(LimitError):
                self._subscribe(ann, class_, 1899, later)
            self._subscribe(ann, class_, 1898, later)
            self.assertEqual(offer.subscribed, 99900)
            # 29 times 100,000 are 2,999,900 with it, 100 are left
            for member in members[3:]:
                self._subscribe(member, class_, 2000, later)
            self.assertEqual(Offer(offer.id).subscribed, 2999900)
            with savepoint(), self.assertRaisesRegex(LimitError, "ceiling"):
                self._subscribe(bob, class_, 3, later)
            subscription = self._subscribe(
                bob, class_, 2, dt.date(2024, 6, 30))
            with savepoint(), self.assertRaisesRegex(LimitError, "ceiling"):
                self._subscribe(carl, class_, 1, later)
            # What is cancelled is offered again
            subscription.cancel([subscription])
            self._subscribe(carl, class_, 2, later)
            self.assertEqual(Offer(offer.id).subscribed, 3000000)
            self.assertFalse(check_books(company, END))
            with savepoint(), self.assertRaises(ShareOfferValidationError):
                Offer.create([{
                            'share_class': class_.id,
                            'start_date': dt.date(2024, 6, 30),
                            }])
            Offer.create([{
                        'share_class': class_.id,
                        'start_date': dt.date(2024, 7, 1),
                        }])
            self._subscribe(bob, class_, 2, dt.date(2024, 7, 1))

    @with_transaction()
    def test_minimum_steps(self):
        """Test a minimum that rises with the membership and by date

        From one share to two after twelve months, and to three for all from
        July 2025: who has been a member since January 2024 holds one until
        the end of the year, then two, then three.
        """
        company, category, class_ = self._set_up(minimum=Decimal(1))
        with set_company(company):
            class_.minimum_steps = [
                {'months': 12, 'minimum': Decimal(2)},
                {'start_date': dt.date(2025, 7, 1), 'minimum': Decimal(3)},
                ]
            class_.save()
            for date, minimum in [
                    (dt.date(2024, 12, 31), 1),
                    (dt.date(2025, 1, 1), 2),
                    (dt.date(2025, 6, 30), 2),
                    (dt.date(2025, 7, 1), 3)]:
                with self.subTest(date=date):
                    self.assertEqual(class_.minimum_at(START, date), minimum)
            self.assertEqual(
                class_.minimum_at(None, dt.date(2025, 6, 30)), 1)
            ann, bob = self._admit(company, category, 2)
            self._subscribe(ann, class_, 1)
            # Whoever comes later than the step has to hold it
            with savepoint(), self.assertRaisesRegex(LimitError, "2"):
                self._subscribe(bob, class_, 1, dt.date(2025, 1, 1))
            issue([bob], class_, 4)
            with savepoint(), self.assertRaises(RefusedError):
                self._redeem(
                    bob, class_, 3, buttons=['approve'],
                    end_date=dt.date(2025, 3, 31),
                    settlement_date=dt.date(2025, 4, 1))
            self._redeem(
                bob, class_, 2, buttons=['approve'],
                end_date=dt.date(2025, 3, 31),
                settlement_date=dt.date(2025, 4, 1))

    @with_transaction()
    def test_obligatory(self):
        "Test an admission waits for the obligatory shares or warns"
        pool = Pool()
        Member = pool.get('coop.member')
        Subscription = pool.get('coop.share.subscription')
        company, category, class_ = self._set_up(minimum=Decimal(3))
        with set_company(company):
            category.obligatory_class = class_
            category.save()
            ann, bob = create_members(company, category, 2, START)
            with self.assertRaisesRegex(ObligatorySharesWarning, "0 of the 3"):
                Member.admit([ann])
            category.obligatory_shares = 'wait'
            category.save()
            with self.assertRaisesRegex(AdmissionError, "0 of the 3"):
                Member.admit([Member(bob.id)])
            Subscription.create([{
                        'company': company.id,
                        'member': bob.id,
                        'share_class': class_.id,
                        'quantity': Decimal(3),
                        'date': START,
                        }])
            bob = Member(bob.id)
            Member.admit([bob])
            self.assertEqual((bob.state, bob.share_quantity), ('member', 3))

    @with_transaction()
    def test_liability(self):
        """Test what members are liable for beyond their shares

        DE, Genossenschaftsgesetz § 119: not less than the share; three
        shares with 500 each are 1,500.
        """
        company, category, class_ = self._set_up(
            par_value=Decimal(100), liability_sum=Decimal(500))
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            issue([ann], class_, 3)
            self.assertEqual((ann.liability, bob.liability), (1500, 0))

    def _balance(self, account, date=END, party=None):
        "Return the debit less the credit of the account"
        Line = Pool().get('account.move.line')
        domain = [
            ('account', '=', account.id),
            ('date', '<=', date),
            ('move_state', '=', 'posted'),
            ]
        if party:
            domain.append(('party', '=', party.id))
        return sum(l.debit - l.credit for l in Line.search(domain))

    def _call_class(self, company, **values):
        reserve = get_account(company, "Deductions from Redeemed Shares")
        return create_share_class(
            company, code='C', par_value=Decimal(500),
            account_forfeited=reserve, **values)

    def _call(self, class_, percent, buttons, **values):
        values.setdefault('date', dt.date(2024, 6, 30))
        values.setdefault('due_date', dt.date(2024, 7, 31))
        return self._process(
            'call', buttons, class_.company, share_class=class_.id,
            percent=Decimal(percent), **values)

    @with_transaction()
    def test_call(self):
        """Test the call of what is not due at once

        DE, GenG § 7 Nr. 1: a tenth is to be paid as the statutes say, and
        § 50: the general meeting calls the rest.  Of 4 shares of 500 are
        2,000 / 10 = 200 due at once, 40 % = 800 called, and 1,000 is left.
        """
        company, category, _ = self._set_up()
        with set_company(company):
            self._configure(share_calls=True)
            for unpaid in [None, get_account(
                        company, "Member Shares Subscribed, Not Paid In")]:
                self._test_call(company, category, unpaid)

    def _test_call(self, company, category, unpaid):
        pool = Pool()
        Call = pool.get('coop.share.call')
        Cancel = pool.get('account.move.cancel', type='wizard')
        Pay = pool.get('coop.share.subscription.pay', type='wizard')
        Subscription = pool.get('coop.share.subscription')
        class_ = self._call_class(
            company, due_percent=Decimal(10), account_unpaid=unpaid)
        ann, bob = self._admit(company, category, 2)
        subscription = self._subscribe(ann, class_, 4)
        other = self._subscribe(bob, class_, 2)

        def open_(subscription):
            return [
                (l.maturity_date, l.debit)
                for l in Subscription(subscription.id).lines_to_pay]
        self.assertEqual(
            open_(subscription), [(START, 200), (None, 1800)])
        self.assertEqual(subscription.uncalled_amount, 1800)
        with Transaction().set_context(
                active_model=Subscription.__name__,
                active_id=subscription.id, active_ids=[subscription.id]):
            session_id, _, _ = Pay.create()
            self.assertEqual(
                Pay(session_id).default_start(None)['amount'], 200)
        self._pay(subscription, 200, START)
        call = self._call(class_, 40, ['compute'])
        self.assertEqual(
            {l.member: l.amount for l in call.lines}, {ann: 800, bob: 400})
        # Who subscribes meanwhile is called too
        carl, = self._admit(company, category)
        late = self._subscribe(carl, class_, 1, dt.date(2024, 6, 1))
        with savepoint(), self.assertRaisesRegex(
                CallError, carl.party.name):
            Call.approve([call])
        Call.draft([call])
        Call.compute([call])
        Call.approve([call])
        Call.post([call])
        call = Call(call.id)
        self.assertEqual(call.amount, 800 + 400 + 200)
        self.assertEqual(
            open_(subscription),
            [(dt.date(2024, 7, 31), 800), (None, 1000)])
        self.assertEqual(open_(late), [
                (dt.date(2024, 6, 1), 50), (dt.date(2024, 7, 31), 200),
                (None, 250)])
        for date in [dt.date(2024, 6, 29), dt.date(2024, 6, 30), END]:
            self.assertEqual(check_books(company, date), [])
        # Its moves are not taken back without it
        move = call.lines[0].move
        with Transaction().set_context(
                active_model=move.__name__, active_id=move.id,
                active_ids=[move.id]):
            session_id, _, _ = Cancel.create()
            with savepoint(), self.assertRaisesRegex(
                    AccessError, "cancel the document instead"):
                Cancel(session_id).transition_cancel()
        # It is taken back as if it had not been, and called again
        Call.cancel([call])
        self.assertEqual(open_(subscription), [(None, 1800)])
        self.assertEqual(check_books(company, END), [])
        call = self._call(class_, 40, ['compute', 'approve', 'post'])
        self._pay(subscription, 800, dt.date(2024, 7, 15))
        self.assertEqual(
            {l.member: l.open_amount for l in Call(call.id).lines},
            {ann: 0, bob: 400, carl: 200})
        with savepoint(), self.assertRaisesRegex(CallError, ann.party.name):
            Call.cancel([Call(call.id)])
        # Half of what is left, paid before it is called
        self._pay(subscription, 1000, dt.date(2024, 8, 1))
        self.assertEqual(Subscription(subscription.id).state, 'paid')
        last = self._call(
            class_, 100, ['compute', 'approve', 'post'],
            date=dt.date(2024, 9, 1), due_date=dt.date(2024, 9, 30))
        self.assertEqual(
            {l.member: l.amount for l in last.lines}, {bob: 500, carl: 250})
        with savepoint(), self.assertRaisesRegex(CallError, class_.code):
            self._call(class_, 1, ['compute'], date=END, due_date=END)
        self.assertEqual(open_(other)[-1], (dt.date(2024, 9, 30), 500))
        self.assertEqual(check_books(company, END), [])
        # So that another class can have the code
        class_.code = f'C{class_.id}'
        class_.save()

    @with_transaction()
    def test_call_third(self):
        """Test a third of what cannot be divided by three, and the resolution

        A third of 2 × 500 is 333.33, of which the rest of 500 is called last.
        """
        pool = Pool()
        Call = pool.get('coop.share.call')
        company, category, _ = self._set_up()
        with set_company(company):
            self._configure(share_calls=True)
            class_ = self._call_class(company, due_percent=Decimal(50))
            ann, = self._admit(company, category)
            self._subscribe(ann, class_, 2)
            call = self._call(class_, '33.3333', ['compute'])
            self.assertEqual(
                [l.amount for l in call.lines], [Decimal('333.33')])
            Call.approve([call])
            Call.post([call])
            last = self._call(class_, '33.3333', ['compute'])
            self.assertEqual(
                [l.amount for l in last.lines], [Decimal('166.67')])

    @with_transaction()
    def test_forfeiture(self):
        """Test shares are forfeited of which a call is not paid

        UK, Companies (Tables A to F) Regulations 1985, Table A, art. 18-20:
        after 14 clear days' notice, with all that was paid of them.  Of 2
        shares of 500 a quarter, 250, is paid, and 250 called: the reserve
        gets 250, and 750 is claimed no more.  The 3 paid shares stay.
        """
        company, category, _ = self._set_up()
        with set_company(company):
            self._configure(share_calls=True)
            for unpaid in [None, get_account(
                        company, "Member Shares Subscribed, Not Paid In")]:
                self._test_forfeiture(company, category, unpaid)

    def _test_forfeiture(self, company, category, unpaid):
        pool = Pool()
        Call = pool.get('coop.share.call')
        Forfeit = pool.get('coop.share.call.forfeit', type='wizard')
        Letter = pool.get('coop.share.call.letter', type='report')
        Redemption = pool.get('coop.share.redemption')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        class_ = self._call_class(
            company, due_percent=Decimal(25), account_unpaid=unpaid,
            redeemable=False, keep_last=True)
        reserve = class_.account_forfeited
        before = self._balance(reserve)
        ann, bob = self._admit(company, category, 2)
        paid = self._subscribe(ann, class_, 3)
        self._pay(paid, 1500, START)
        day = dt.date(2024, 2, 1)
        subscription = self._subscribe(ann, class_, 2, day)
        self._pay(subscription, 250, day)
        self._subscribe(bob, class_, 1)
        call = self._call(
            class_, 25, ['compute', 'approve', 'post'],
            forfeit_date=dt.date(2024, 8, 15))
        self.assertEqual(
            {l.member: l.open_amount for l in call.lines},
            {ann: 250, bob: 125})
        of_ann, of_bob = sorted(call.lines, key=lambda l: l.member.id)
        self.assertEqual(
            Letter.get_request(of_ann).amount, 250)
        self.assertEqual(
            Call.unpaid_lines([call], dt.date(2024, 8, 14)), [])
        with Transaction().set_context(
                active_model=Call.__name__, active_id=call.id,
                active_ids=[call.id]):
            session_id, _, _ = Forfeit.create()
            wizard = Forfeit(session_id)
            wizard.start.date = dt.date(2024, 8, 31)
            defaults = wizard.default_list(None)
            self.assertEqual(
                set(defaults['lines']), {of_ann.id, of_bob.id})
            wizard.list.lines = [of_ann]
            _, data = wizard.do_forfeit(None)
        redemption, = Redemption.browse(data['res_id'])
        self.assertEqual(
            [redemption.state, redemption.quantity, redemption.amount,
                redemption.unpaid_amount, redemption.deduction,
                redemption.net_amount],
            ['paid', 2, 1000, 750, 250, 0])
        self.assertEqual(self._balance(reserve) - before, -250)
        party = ann.party
        self.assertEqual(
            self._balance(class_.account_capital, party=party), -1500)
        self.assertFalse(
            self._balance(class_.account_subscribed, party=party))
        self.assertFalse(Subscription(subscription.id).amount_to_pay)
        for date, expected in [
                (dt.date(2024, 8, 31), (5, 2500)), (END, (3, 1500))]:
            self.assertEqual(
                ShareMove.holdings_at(
                    company, date, [ann], [class_])[ann.id, class_.id],
                expected)
        for date in [dt.date(2024, 8, 31), dt.date(2024, 9, 1), END]:
            self.assertEqual(check_books(company, date), [])
        # It is taken back with what was claimed
        Redemption.cancel([redemption])
        self.assertEqual(
            Subscription(subscription.id).amount_to_pay, 750)
        self.assertEqual(self._balance(reserve), before)
        self.assertEqual(check_books(company, END), [])
        with savepoint(), self.assertRaises(UserError):
            self._redeem(
                ann, class_, 1, buttons=[], reason='forfeiture')
        class_.code = f'C{class_.id}'
        class_.save()

    @with_transaction()
    def test_forfeiture_redeemed(self):
        """Test what is unpaid of shares that were redeemed stays to be paid

        Of 4 shares of 500 a quarter, 500, is paid.  3 of them are redeemed at
        1,500, as 3 others, which are paid, stay for the 1,500 that are to be
        paid.  The last one, 500, is forfeited: 1,000 stays to be paid.
        """
        pool = Pool()
        Call = pool.get('coop.share.call')
        Subscription = pool.get('coop.share.subscription')
        company, category, _ = self._set_up()
        with set_company(company):
            self._configure(share_calls=True)
            class_ = self._call_class(company, due_percent=Decimal(25))
            ann, = self._admit(company, category)
            subscription = self._subscribe(ann, class_, 4)
            self._pay(subscription, 500, START)
            day = dt.date(2024, 2, 1)
            self._pay(self._subscribe(ann, class_, 3, day), 1500, day)
            redeemed = self._redeem(
                ann, class_, 3, end_date=dt.date(2024, 3, 31),
                settlement_date=dt.date(2024, 4, 1))
            self.assertEqual(redeemed.net_amount, 1500)
            call = Call(self._call(
                class_, 25, ['compute', 'approve', 'post'],
                forfeit_date=dt.date(2024, 8, 15)).id)
            redemption, = Call.forfeit_lines(
                [call], call.lines, dt.date(2024, 8, 31))
            self.assertEqual(
                [redemption.state, redemption.quantity, redemption.amount,
                    redemption.unpaid_amount, redemption.deduction],
                ['paid', 1, 500, 500, 0])
            self.assertEqual(
                Subscription(subscription.id).amount_to_pay, 1000)
            for date in [dt.date(2024, 9, 1), END]:
                self.assertEqual(check_books(company, date), [])

    @with_transaction()
    def test_call_set_off(self):
        """Test a redemption sets off a part of what is called

        Of 1 share of 500, of which 250 is paid, 200 is called.  A redemption
        of 100 sets off 100 of it: 100 stays of the call, and 150 of all.
        """
        pool = Pool()
        Call = pool.get('coop.share.call')
        Redemption = pool.get('coop.share.redemption')
        Subscription = pool.get('coop.share.subscription')
        company, category, other = self._set_up(par_value=Decimal(100))
        with set_company(company):
            self._configure(share_calls=True)
            class_ = self._call_class(company, due_percent=Decimal(50))
            ann, = self._admit(company, category)
            self._pay(self._subscribe(ann, other, 3), 300, START)
            subscription = self._subscribe(ann, class_, 1)
            self._pay(subscription, 250, START)
            call = self._call(class_, 40, ['compute', 'approve', 'post'])

            def redeem(quantity):
                return self._redeem(
                    ann, other, quantity, end_date=dt.date(2024, 8, 31),
                    settlement_date=dt.date(2024, 9, 1), set_off=True)

            def open_():
                return [
                    Subscription(subscription.id).amount_to_pay,
                    *(l.open_amount for l in Call(call.id).lines)]
            redemption = redeem(1)
            self.assertEqual(redemption.set_off_amount, 100)
            self.assertEqual(open_(), [150, 100])
            self.assertEqual(check_books(company, END), [])
            Redemption.cancel([redemption])
            self.assertEqual(open_(), [250, 200])
            self.assertEqual(check_books(company, END), [])
            self.assertEqual(redeem(3).net_amount, 100)
            self.assertEqual(open_(), [50, 0])
            self.assertEqual(check_books(company, END), [])

    def _resolve(self, company):
        "Return a resolution that a closed meeting has carried"
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        # The roll of a board is not always kept
        meeting = Meeting(
            company=company, kind='board', date=START,
            items=[Item(subject="Revaluation", votes_for=1)])
        meeting.save()
        for button in ['convene', 'open', 'close']:
            getattr(Meeting, button)([meeting])
        return meeting.items[0]

    def _fund(self, company, amount):
        "Post the amount to a reserve and return its account"
        pool = Pool()
        Move = pool.get('account.move')
        account = get_account(company, "Deductions from Redeemed Shares")
        books = Books(company)
        cash = get_account(company, "Cash and Cash Equivalents")
        move = books.move(START, [
                books.line(cash, Decimal(amount)),
                books.line(account, -Decimal(amount))])
        Move.save([move])
        Move.post([move])
        return account

    def _revalue(self, class_, buttons, **values):
        values.setdefault('record_date', dt.date(2024, 5, 31))
        values.setdefault('date', dt.date(2024, 6, 30))
        return self._process(
            'revaluation', buttons, class_.company, share_class=class_.id,
            **values)

    @with_transaction()
    def test_revaluation(self):
        """Test the value of paid shares is raised with the index

        IT, Legge 59/1992 art. 7: what is subscribed and paid is raised from
        surplus within the index of ISTAT (FOI), 11.3 % from December 2021 to
        December 2022.  Ann has paid 1,000 and Bob 400 of 500: 113.00 and
        45.20.  Ann then redeems 4 of 10 shares: 1,113 × 4 / 10 = 445.20.
        """
        pool = Pool()
        Revaluation = pool.get('coop.share.revaluation')
        ShareMove = pool.get('coop.share.move')
        Statement = pool.get('coop.share.statement', type='report')
        company, category, class_ = self._set_up(par_value=Decimal(100))
        with set_company(company):
            ann, bob, carl = self._admit(company, category, 3)
            for member, quantity, paid in [(ann, 10, 1000), (bob, 5, 400)]:
                self._pay(
                    self._subscribe(member, class_, quantity), paid, START)
            # Too late for the record date
            late = self._subscribe(carl, class_, 1, dt.date(2024, 6, 1))
            self._pay(late, 100, dt.date(2024, 6, 1))
            item = self._resolve(company)
            fund = self._fund(company, 200)
            values = {
                'method': 'percent', 'account': fund.id,
                'percent_cap': Decimal('11.3'), 'cap_reason': "ISTAT",
                }
            with savepoint(), self.assertRaisesRegex(
                    RevaluationError, "ISTAT"):
                self._revalue(
                    class_, ['compute'], percent=Decimal('11.4'), **values)
            revaluation = self._revalue(
                class_, ['compute'], percent=Decimal('11.3'), **values)
            with savepoint(), self.assertRaises(ResolutionError):
                Revaluation.approve([revaluation])
            revaluation.resolution = item
            revaluation.save()
            Revaluation.approve([revaluation])
            Revaluation.post([revaluation])
            self.assertEqual([
                    (l.member, l.basis, l.amount) for l in revaluation.lines],
                [(ann, 1000, Decimal('113.00')),
                    (bob, 400, Decimal('45.20'))])
            self.assertEqual(
                self._balance(fund), Decimal('158.20') - 200)

            def held(member, date):
                return ShareMove.holdings_at(
                    company, date, [member], [class_])[member.id, class_.id]
            self.assertEqual(held(ann, dt.date(2024, 6, 29)), (10, 1000))
            self.assertEqual(
                held(ann, dt.date(2024, 6, 30)), (10, 1113))
            self.assertEqual(held(bob, END), (5, Decimal('545.2')))
            statement, = Statement.get_statements([ann], None, END)[ann.id]
            self.assertEqual(
                (statement.amount, statement.paid_amount), (1113, 1113))
            for date in [dt.date(2024, 6, 29), dt.date(2024, 6, 30), END]:
                self.assertEqual(check_books(company, date), [])
            # The fund has less left than another one takes
            with savepoint(), self.assertRaisesRegex(
                    RevaluationError, "41.80"):
                self._revalue(
                    class_, ['compute', 'approve', 'post'],
                    method='amount', amount=Decimal('41.81'),
                    account=fund.id, resolution=item.id)
            redemption = self._redeem(ann, class_, 4)
            self.assertEqual(
                (redemption.amount, redemption.net_amount),
                (Decimal('445.20'), Decimal('445.20')))
            self.assertEqual(
                held(ann, dt.date(2025, 1, 1)), (6, Decimal('667.8')))
            self.assertEqual(check_books(company, dt.date(2025, 1, 31)), [])
            with savepoint(), self.assertRaisesRegex(
                    RevaluationError, ann.party.name):
                Revaluation.cancel([revaluation])
            Redemption = pool.get('coop.share.redemption')
            Redemption.cancel([redemption])
            Revaluation.cancel([revaluation])
            self.assertEqual(held(ann, END), (10, 1000))
            self.assertEqual(self._balance(fund), -200)
            self.assertEqual(check_books(company, END), [])

    @with_transaction()
    def test_revaluation_order(self):
        """Test what was raised is not taken back from under what came later

        10 % of 600 and 400, of which 4 shares were transferred.
        """
        pool = Pool()
        Revaluation = pool.get('coop.share.revaluation')
        ShareMove = pool.get('coop.share.move')
        Transfer = pool.get('coop.share.transfer')
        company, category, class_ = self._set_up(par_value=Decimal(100))
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            self._pay(self._subscribe(ann, class_, 10), 1000, START)
            day = dt.date(2024, 3, 31)
            transfer, = Transfer.create([{
                        'company': company.id, 'from_member': ann.id,
                        'to_member': bob.id, 'share_class': class_.id,
                        'quantity': Decimal(4), 'date': day,
                        }])
            Transfer.do([transfer])
            values = {
                'buttons': ['compute', 'approve', 'post'],
                'account': self._fund(company, 150).id,
                'resolution': self._resolve(company).id,
                }
            first = self._revalue(
                class_, method='percent', percent=Decimal(10), **values)
            self.assertEqual(
                {l.member: l.amount for l in first.lines}, {ann: 60, bob: 40})
            # Nothing would hold the 40 that bob has got
            with savepoint(), self.assertRaises(ReversalError):
                Transfer.cancel([transfer])
            with savepoint():
                # It counts from a day before, but has a part of the 60
                other, = Transfer.create([{
                            'company': company.id, 'from_member': ann.id,
                            'to_member': bob.id, 'share_class': class_.id,
                            'quantity': Decimal(1),
                            'date': dt.date(2024, 5, 31),
                            }])
                Transfer.do([other])
                with self.assertRaisesRegex(RevaluationError, ann.party.name):
                    Revaluation.cancel([first])
            second = self._revalue(
                class_, method='amount', amount=Decimal(50),
                **values | {'date': dt.date(2024, 7, 31)})
            with savepoint(), self.assertRaises(RevaluationError):
                Revaluation.cancel([first])
            # What is left on 30 June is used a month later
            with savepoint(), self.assertRaisesRegex(
                    RevaluationError, r"usd0\.00"):
                self._revalue(
                    class_, method='amount', amount=Decimal(1), **values)
            Revaluation.cancel([second])
            Revaluation.cancel([first])
            Transfer.cancel([transfer])
            self.assertEqual(
                ShareMove.holdings_at(company, END, [ann, bob], [class_]),
                {(ann.id, class_.id): (10, 1000)})
            self.assertEqual(check_books(company, END), [])

    @with_transaction()
    def test_revaluation_budget(self):
        """Test redeemed shares use the budget by their revalued amount

        Of 10 shares of 100, raised by 10 % to 1,100, 4 are redeemed by 440 in
        the year after.  Half of the opening capital is 550: 110 are left, and
        not 550 - 4 × 100 = 150.
        """
        FiscalYear = Pool().get('account.fiscalyear')
        company, category, class_ = self._set_up(par_value=Decimal(100))
        with set_company(company):
            item = self._resolve(company)
            fund = self._fund(company, 100)
            ann, = self._admit(company, category)
            self._pay(self._subscribe(ann, class_, 10), 1000, START)
            self._revalue(
                class_, ['compute', 'approve', 'post'], method='amount',
                amount=Decimal(100), account=fund.id, resolution=item.id)
            redemption = self._redeem(
                ann, class_, 4, end_date=dt.date(2025, 1, 31),
                settlement_date=dt.date(2025, 2, 1))
            self.assertEqual(redemption.amount, 440)
            class_.redemption_cap = Decimal(50)
            class_.save()
            year, = FiscalYear.search([
                    ('company', '=', company.id),
                    ('start_date', '=', dt.date(2025, 1, 1)),
                    ])
            self.assertEqual(class_.remaining_budget(year), 110)

    @with_transaction()
    def test_revaluation_shares(self):
        """Test a revaluation by new shares

        ES, Ley 27/1999 art. 49.2: half of the result of the revaluation of
        the balance sheet, 500.00 of 1,000.00, for the capital.  By 1,000 and
        500 paid they are 333.33 and 166.67: of 100 each 3 shares and 1, and
        33.33 + 66.67 = 100.00 stays in the reserve.  With two decimals of
        shares of 1.00 nothing stays.
        """
        company, category, class_ = self._set_up(par_value=Decimal(100))
        with set_company(company):
            item = self._resolve(company)
            fund = self._fund(company, 2000)
            fine = create_share_class(
                company, code='B', par_value=Decimal(1), quantity_digits=2)
            ann, bob = self._admit(company, category, 2)
            for share_class, unit, expected, total, rest in [
                    (class_, 1, [3, 1], 400, 100),
                    (fine, 100, [Decimal('333.33'), Decimal('166.67')],
                        500, 0)]:
                for member, quantity in [(ann, 10), (bob, 5)]:
                    subscription = self._subscribe(
                        member, share_class, quantity * unit)
                    self._pay(
                        subscription, subscription.amount_to_pay, START)
                revaluation = self._revalue(
                    share_class, ['compute', 'approve', 'post'],
                    method='amount', amount=Decimal(500), form='shares',
                    account=fund.id, resolution=item.id)
                self.assertEqual(
                    [m.quantity for m in sorted(
                            revaluation.share_moves,
                            key=lambda m: m.to_member.id)], expected)
                self.assertEqual(
                    (revaluation.total, revaluation.rest), (total, rest))
                self.assertEqual(check_books(company, END), [])
            self.assertEqual(self._balance(fund), -1100)

    @with_transaction()
    def test_register(self):
        """Test the register tells each change of shares, its day and ground

        ES, Ley 27/1999 art. 60.1 b): the contributions with their changes; FR,
        Code de commerce art. R. 228-8: the movements in their order; UK,
        Co-operative and Community Benefit Societies Act 2014 s. 30 (2): loans
        and deposits too.
        """
        pool = Pool()
        Account = pool.get('account.account')
        Move = pool.get('account.move')
        Register = pool.get('coop.member.register')
        Report = pool.get('coop.member.register', type='report')
        company, category, class_ = self._set_up()
        with set_company(company):
            ann, bob = self._admit(company, category, 2)
            self._pay(self._subscribe(ann, class_, 10), 100, START)
            self._transfer(ann, bob, class_, 3, reason='inheritance')
            self._redeem(
                ann, class_, 2, end_date=dt.date(2024, 9, 30),
                settlement_date=dt.date(2024, 10, 1), reason='hardship')
            loans, = Account.copy(
                [class_.account_redemption], {'name': "Loans"})
            loans.member_loan = True
            loans.save()
            books = Books(company)
            cash = get_account(company, "Cash and Cash Equivalents")
            move = books.move(START, [
                    books.line(cash, Decimal(500)),
                    books.line(loans, -Decimal(500), party=bob.party)])
            Move.save([move])
            Move.post([move])

            def get_context(columns):
                with Transaction().set_context(
                        date=END, category=None, with_left=False):
                    entries = Register.search([])
                    context = Report.get_context(entries, {}, {
                            'columns': columns, 'changes': True})
                    loan, = [
                        c.get(e) for c in context['columns'] for e in entries
                        if c.name == 'loan_amount' and e.party == bob.party
                        ] or [None]
                return context, loan

            context, _ = get_context('es')
            self.assertEqual([
                    (c.member, c.date, c.ground, c.quantity, c.amount, c.paid)
                    for c in context['changes']], [
                    (ann, START, "Issue", 10, 100, None),
                    (ann, START, "Payment", None, None, 100),
                    (ann, dt.date(2024, 7, 1),
                        f"Transfer, Inheritance, {bob.rec_name}",
                        -3, -30, None),
                    (ann, dt.date(2024, 10, 1), "Redemption, Hardship",
                        -2, -20, None),
                    (bob, dt.date(2024, 7, 1),
                        f"Transfer, Inheritance, {ann.rec_name}",
                        3, 30, None)])
            self.assertEqual(
                [context['change_number'](c.quantity)
                    for c in context['changes']], ['10', '', '-3', '-2', '3'])
            context, _ = get_context('fr')
            self.assertEqual(
                [c.member for c in context['changes']],
                [ann, ann, ann, bob, ann])
            _, loan = get_context('uk')
            self.assertIn("500.00", loan)
