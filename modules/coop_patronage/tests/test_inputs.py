# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What is approved is what is posted: each input is changed in between"""
import datetime as dt
from contextlib import contextmanager
from decimal import Decimal as D
from unittest.mock import Mock, patch

from sql import Null

from trytond.i18n import gettext
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_patronage.exceptions import PostError, RetainError
from trytond.modules.coop_patronage.inputs import (
    Inputs, RetainInputs, RevolvementInputs)
from trytond.modules.coop_patronage.tests.case import PatronageTestCase
from trytond.modules.coop_patronage.tests.documents import PatronageDocuments
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


@contextmanager
def taken_back():
    "Take back what is written"
    transaction = Transaction()
    cursor = transaction.connection.cursor()
    cursor.execute('SAVEPOINT change')
    try:
        yield
    finally:
        cursor.execute('ROLLBACK TO SAVEPOINT change')
        transaction.counter += 1
        for cache in transaction.cache.values():
            cache.clear()


class InputsTestCase(PatronageDocuments, PatronageTestCase):
    "Test posting refuses what is not as it was approved"

    def _update(self, Model, values, where):
        "Write behind the back of all checks, as nothing of ours would"
        table = Model.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*table.update(
                [getattr(table, n) for n in values], list(values.values()),
                where=where(table)))
        transaction = Transaction()
        transaction.counter += 1
        for cache in transaction.cache.values():
            cache.clear()

    def _post(self, date, lines):
        books = Books(self.company)
        Books.post([books.move(
                    date, [books.line(*line, **values)
                        for *line, values in lines])])

    def _check(self, document, Inputs_, changes):
        "Post the document after each of the changes"
        Model = document.__class__
        self.assertEqual(changes.keys(), {*Inputs_._fields, 'rows'})
        for name, change in changes.items():
            with self.subTest(model=Model.__name__, change=name), \
                    taken_back():
                change()
                named = gettext(f'coop_patronage.msg_input_{name}')
                with self.assertRaisesRegex(PostError, named):
                    Model.post([Model(document.id)])
        self.assertEqual(Model(document.id).state, 'approved')
        Model.post([Model(document.id)])
        self.assertEqual(Model(document.id).state, 'posted')

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_surplus(self):
        "Test each input of a surplus"
        pool = Pool()
        Account = pool.get('account.account')
        Analytic = pool.get('analytic_account.account')
        Allocation = pool.get('coop.patronage.allocation')
        Consent = pool.get('coop.patronage.consent')
        Election = pool.get('coop.patronage.election')
        Entry = pool.get('coop.patronage.entry')
        Identifier = pool.get('party.identifier')
        Line = pool.get('coop.surplus.line')
        Membership = pool.get('coop.membership')
        MoveLine = pool.get('account.move.line')
        Party = pool.get('party.party')
        Pool_ = pool.get('coop.patronage.pool')
        Rule = pool.get('coop.surplus.rule')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        Surplus = pool.get('coop.surplus')
        Withholding = pool.get('coop.withholding')

        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            accounts = {
                a.code: a for a in Account.search([
                        ('company', '=', self.company.id)])}
            revenue, = Account.search([
                    ('company', '=', self.company.id),
                    ('type.revenue', '=', True),
                    ('closed', '!=', True)], limit=1)
            receivable, = Account.search([
                    ('company', '=', self.company.id),
                    ('type.receivable', '=', True),
                    ('party_required', '=', True),
                    ('closed', '!=', True)], limit=1)
            other = self.make(Surplus, 'posted')
            surplus = self._make_surplus()
            fiscalyear = surplus.fiscalyear
            date = fiscalyear.start_date
            alice, bob = self._members
            reserve, patronage = surplus.lines
            Line.write([reserve], {
                    'target': D(10),
                    'target_account': self._equity.account_capital.id,
                    })
            Pool_.write(list(surplus.pools), {
                    'minimum': D(1),
                    'set_off': True,
                    'withholding_rate': D('0.1'),
                    'withholding_unidentified': True,
                    'required_equity': D(1000),
                    'use_years': 2,
                    'qualified': True,
                    'measure': 'lifetime',
                    'seniority_rate': D('0.1'),
                    'seniority_maximum': D(2),
                    })
            Election.create([{
                        'company': self.company.id, 'member': alice.id,
                        'date': date, 'cash_use': 'withhold',
                        'share': D('0.5')}])
            root = Analytic(
                name="Business", type='root', company=self.company)
            root.save()
            section = Analytic(
                name="Branch", type='normal', company=self.company,
                parent=root, root=root)
            section.save()
            Line.create([{
                        'surplus': surplus.id, 'name': "Branch",
                        'kind': 'reserve', 'section': section.id,
                        'account': reserve.account.id}])
            Surplus.compute([surplus])
            Surplus.approve([surplus])
            pool_, = surplus.pools

            def entry(day):
                self._insert(Entry, [{
                            'company': self.company.id,
                            'party': alice.party.id,
                            'category': self._purchases.id,
                            'date': day, 'amount': D(7)}])

            def kept():
                self._update(
                    Allocation, {'kept': True},
                    lambda t: t.pool == other.pools[0].id)
                self._update(
                    MoveLine, {'maturity_date': Null},
                    lambda t: t.id.in_([
                            a.account_move_line.id
                            for a in other.pools[0].allocations
                            if a.account_move_line]))

            self._check(surplus, Inputs, {
                    'settings': lambda: Surplus.write([surplus], {
                            'posting_date': surplus.posting_date
                            + dt.timedelta(1)}),
                    'result': lambda: self._post(date, [
                            (revenue, D(-5), {}),
                            (accounts['3.1.6'], D(5), {'party': bob.party}),
                            ]),
                    # Revenue of the branch, and as much that is of none
                    'sections': lambda: self._post(date, [
                            (revenue, D(-5), {'analytic_lines': [{
                                            'account': section, 'date': date,
                                            'debit': D(0),
                                            'credit': D(5)}]}),
                            (revenue, D(5), {}),
                            ]),
                    'lines': lambda: Line.write(
                        [reserve], {'rate': D('0.3')}),
                    'rules': lambda: Rule.create([{
                                'surplus': surplus.id, 'name': "Limit",
                                'kind': 'lines',
                                'line_kind': 'patronage', 'rate': D(1000),
                                'other_kind': 'reserve',
                                'source': "Statutes"}]),
                    'consents': lambda: Consent.create([{
                                'company': self.company.id,
                                'member': bob.id, 'date': date}]),
                    'balances': lambda: self._post(date, [
                            (reserve.account, D(-5), {}),
                            (accounts['3.1.6'], D(5), {'party': bob.party}),
                            ]),
                    'pools': lambda: Pool_.write(
                        [pool_], {'cash_percent': D('0.6')}),
                    'activity': lambda: entry(date),
                    'lifetime': lambda: entry(date - dt.timedelta(1)),
                    'seniority': lambda: self._update(
                        Membership, {'start_date': dt.date(2018, 1, 1)},
                        lambda t: t.member == bob.id),
                    'eligible': lambda: self._update(
                        Membership, {'end_date': date},
                        lambda t: t.member == bob.id),
                    'elections': lambda: Election.create([{
                                'company': self.company.id,
                                'member': bob.id, 'date': date,
                                'cash_use': 'donate', 'share': D(1)}]),
                    'owed': lambda: ShareClass.copy([self._equity], {
                            'code': 'M', 'kind': 'membership',
                            'minimum': D(1)}),
                    'use': lambda: entry(date - dt.timedelta(1)),
                    'holdings': lambda: ShareMove.do([ShareMove(
                                company=self.company,
                                share_class=self._equity, kind='redemption',
                                quantity=D(200), from_member=alice,
                                end_date=date, par_value=D(1), amount=D(200),
                                vintage=2019,
                                acquired_date=dt.date(2020, 1, 1))]),
                    'debts': lambda: self._post(date, [
                            (receivable, D(5), {
                                    'party': bob.party,
                                    'maturity_date': date}),
                            (accounts['3.1.6'], D(-5), {'party': bob.party}),
                            ]),
                    'taxed': lambda: self._update(
                        Surplus, {'posting_date': surplus.posting_date},
                        lambda t: t.id == other.id),
                    'tax_terms': lambda: Withholding.create([{
                                'company': self.company.id,
                                'party': bob.party.id, 'start_date': date,
                                'rate': D(0)}]),
                    'identified': lambda: self._insert(Identifier, [{
                                'party': alice.party.id, 'code': "1",
                                'code_compact': "1",
                                'type': Party.tax_identifier_types()[0],
                                'active': True}]),
                    'kept': kept,
                    'rows': lambda: self._update(
                        Allocation, {'net': D(1)},
                        lambda t: t.pool == pool_.id),
                    })
            # A loss, a redemption or another distribution comes too late
            self.assertTrue(surplus.input_hash.startswith('4-'))

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_revolvement(self):
        "Test each input of a revolvement"
        pool = Pool()
        Account = pool.get('account.account')
        Entry = pool.get('coop.patronage.entry')
        Line = pool.get('coop.equity.revolvement.line')
        Revolvement = pool.get('coop.equity.revolvement')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')

        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            revolvement = self._make_revolvement()
            alice, bob = self._members
            Revolvement.write([revolvement], {
                    'method': 'base_capital',
                    'required_equity': D(100),
                    'use_years': 2,
                    'set_off': True,
                    })
            receivable, = Account.search([
                    ('company', '=', self.company.id),
                    ('type.receivable', '=', True),
                    ('party_required', '=', True),
                    ('closed', '!=', True)], limit=1)
            payable = self._equity.account_redemption
            Revolvement.compute([revolvement])
            Revolvement.approve([revolvement])
            self._check(revolvement, RevolvementInputs, {
                    'settings': lambda: Revolvement.write(
                        [revolvement], {'budget': D(20)}),
                    'classes': lambda: self._update(
                        ShareClass, {'quantity_digits': 1},
                        lambda t: t.id == self._equity.id),
                    'holdings': lambda: ShareMove.do([ShareMove(
                                company=self.company,
                                share_class=self._equity, kind='redemption',
                                quantity=D(200), from_member=alice,
                                end_date=dt.date(2020, 2, 1), par_value=D(1),
                                amount=D(200), vintage=2019,
                                acquired_date=dt.date(2020, 1, 1))]),
                    'use': lambda: self._insert(Entry, [{
                                'company': self.company.id,
                                'party': bob.party.id,
                                'category': self._purchases.id,
                                'date': dt.date(2020, 2, 1),
                                'amount': D(7)}]),
                    'debts': lambda: self._post(dt.date(2020, 2, 1), [
                            (receivable, D(5), {
                                    'party': bob.party,
                                    'maturity_date': dt.date(2020, 2, 1)}),
                            (payable, D(-5), {'party': bob.party}),
                            ]),
                    'rows': lambda: self._update(
                        Line, {'payable': D(1)},
                        lambda t: t.revolvement == revolvement.id),
                    })

    @patch.object(Transaction, 'lock_table', Mock())
    @patch.object(Transaction, 'lock_records', Mock())
    @with_transaction()
    def test_retain(self):
        "Test each input of a per-unit retain, and what is posted and reversed"
        pool = Pool()
        Entry = pool.get('coop.patronage.entry')
        Line = pool.get('coop.equity.retain.line')
        MoveLine = pool.get('account.move.line')
        Retain = pool.get('coop.equity.retain')
        ShareMove = pool.get('coop.share.move')

        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            retain = self._make_retain()
            alice, bob = self._members
            Retain.compute([retain])
            Retain.approve([retain])
            self._check(retain, RetainInputs, {
                    'settings': lambda: self._update(
                        Retain, {'rate': D('0.2')},
                        lambda t: t.id == retain.id),
                    'activity': lambda: self._insert(Entry, [{
                                'company': self.company.id,
                                'party': bob.party.id,
                                'category': self._purchases.id,
                                'date': retain.start_date,
                                'amount': D(7)}]),
                    'rows': lambda: self._update(
                        Line, {'amount': D(1)},
                        lambda t: t.retain == retain.id),
                    })

            def held():
                return {
                    key: amount for key, (_, amount) in
                    ShareMove.holdings_at(
                        self.company, None, classes=[self._equity]).items()}

            def owed():
                return {
                    line.party: line.debit - line.credit
                    for line in MoveLine.search([
                            ('account.type.payable', '=', True),
                            ('move.origin', '=', str(retain)),
                            ('account', '!=',
                                self._equity.account_capital.id),
                            ('reconciliation', '=', None)])}

            # A tenth of 100.00, beside the 1,000.00 they had
            key = [(m.id, self._equity.id) for m in self._members]
            self.assertEqual(held(), dict.fromkeys(key, D(1010)))
            self.assertEqual(
                owed(), {m.party: D(10) for m in self._members})
            self.assertEqual(
                [d for d in Retain.check_books(
                        self.company, dt.date.max)], [])
            again, = Retain.copy([retain])
            Retain.compute([again])
            with self.assertRaisesRegex(RetainError, "same deliveries"):
                Retain.approve([again])
            Retain.cancel([Retain(retain.id)])
            self.assertEqual(held(), dict.fromkeys(key, D(1000)))
            self.assertEqual(owed(), {})
            both = [again, *Retain.copy([again])]
            Retain.compute(both)
            with self.assertRaisesRegex(RetainError, "same deliveries"):
                Retain.approve(both)
