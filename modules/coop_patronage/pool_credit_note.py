# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.apportionment import apportion
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .exceptions import AllocationError, CancelError


class PoolCreditNote:
    "A pool of which the payout reduces the price of taxed sales"
    __slots__ = ()

    @classmethod
    def credit_kept(cls, allocations, date, maturity_date):
        """Pay out by credit notes what was kept until the date

        The price is only reduced once there is enough to be paid.
        """
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Line = pool.get('account.move.line')
        by_pool = defaultdict(list)
        for allocation in allocations:
            by_pool[allocation.pool].append(allocation)
        for pool_, allocations in by_pool.items():
            credit_notes = pool_._get_credit_notes(
                date, maturity_date, allocations)
            if not credit_notes:
                continue
            books = Books(pool_.company)
            lines = [
                books.line(
                    a.account_move_line.account, a.net, party=a.party)
                for a in credit_notes]
            move = books.move(date, [
                    *lines,
                    books.line(
                        Configuration.get_account(
                            'account_patronage_reduction', pool_.company),
                        -sum(a.net for a in credit_notes)),
                    ], origin=pool_, description=pool_.name)
            Books.post([move])
            debits = {l.party: l for l in move.lines if l.debit}
            Line.reconcile(*(
                    [a.account_move_line, debits[a.party]]
                    for a in credit_notes))
            pool_._post_credit_notes(credit_notes)

    def _get_credit_notes(self, date, maturity_date, allocations=None):
        """Return the unsaved credit notes by the allocation they pay out

        Unless allocations are given they are all that are paid out at once.
        """
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        if self.surplus.recognition != 'revenue_reduction':
            return {}
        if allocations is None:
            allocations = Allocation.search([
                    ('pool', '=', self.id),
                    ('net', '!=', 0),
                    ('kept', '=', False),
                    ], order=[('id', 'ASC')])
        sales = self._get_sales([a.party for a in allocations])
        credit_notes = {}
        for allocation in allocations:
            weights = {
                taxes: amount
                for taxes, amount in sales[allocation.party].items()
                if amount > 0}
            if any(weights):
                parts = apportion(
                    allocation.net, weights, self.currency.rounding)
                credit_notes[allocation] = self._get_credit_note(
                    allocation, parts, date, maturity_date)
        return credit_notes

    def _get_sales(self, parties):
        "Return what was sold to each party by the taxes of the sales"
        pool = Pool()
        Activity = pool.get('coop.patronage.activity')
        fiscalyear = self.surplus.fiscalyear
        sales = defaultdict(lambda: defaultdict(Decimal))
        with Transaction().set_context(
                company=self.company.id, category=None,
                categories=[c.id for c in self.categories],
                from_date=fiscalyear.start_date,
                to_date=fiscalyear.end_date):
            for sub_parties in grouped_slice(parties, SLICE):
                for activity in Activity.search([
                            ('party', 'in', [p.id for p in sub_parties]),
                            ]):
                    taxes = ()
                    if activity.category.source == 'customer_invoice':
                        taxes = tuple(sorted(
                                t.id for t in activity.origin.taxes))
                    sales[activity.party][taxes] += activity.amount or 0
        return sales

    def _get_credit_note(self, allocation, parts, date, maturity_date):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        credit_note = Invoice(
            company=self.company,
            type='out',
            party=allocation.party,
            currency=self.currency,
            invoice_date=date)
        credit_note.on_change_type()
        if not credit_note.invoice_address:
            raise AllocationError(gettext(
                    'coop_patronage.msg_credit_note_address',
                    pool=self.rec_name,
                    party=allocation.party.rec_name))
        credit_note.payment_term = None
        credit_note.payment_term_date = maturity_date
        account = Configuration.get_account(
            'account_patronage_reduction', self.company)
        credit_note.lines = [InvoiceLine(
                company=self.company,
                currency=self.currency,
                type='line',
                origin=allocation,
                description=self.name,
                quantity=-1,
                unit_price=amount,
                account=account,
                taxes=taxes)
            for taxes, amount in parts.items() if amount]
        return credit_note

    def _post_credit_notes(self, credit_notes):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Invoice = pool.get('account.invoice')
        if not credit_notes:
            return
        save_records(list(credit_notes.values()))
        invoices = Invoice.browse(list(credit_notes.values()))
        Invoice.update_taxes(invoices)
        # The date of payment may be over
        with Transaction().set_context(_skip_warnings=True):
            for sub_invoices in grouped_slice(invoices, SLICE // 5):
                Invoice.post(list(sub_invoices))
        links = {
            allocation.id: {
                'credit_note': invoice.id,
                'account_move_line': line.id,
                }
            for allocation, invoice in zip(
                credit_notes, Invoice.browse(invoices))
            for line in invoice.move.lines
            if line.account == invoice.account}
        for ids in grouped_slice(list(links), SLICE):
            Allocation.set_links({i: links[i] for i in ids})

    def _cancel_credit_notes(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Date = pool.get('ir.date')
        Invoice = pool.get('account.invoice')
        Line = pool.get('account.move.line')
        allocations = Allocation.search([
                ('pool', '=', self.id),
                ('credit_note', '!=', None),
                ])
        paid = Line.search([
                ('id', 'in', [a.account_move_line.id for a in allocations]),
                Line.get_paid_domain(),
                ], limit=1)
        for allocation in allocations:
            if allocation.account_move_line in paid:
                raise CancelError(gettext(
                        'coop_patronage.msg_allocation_paid',
                        allocation=allocation.rec_name,
                        surplus=allocation.surplus.rec_name))
        with Transaction().set_context(company=self.company.id):
            today = Date.today()
        by_date = defaultdict(list)
        for allocation in allocations:
            credit_note = allocation.credit_note
            # Numbers can not go back behind what was issued since
            by_date[max(credit_note.invoice_date, today)].append(credit_note)
        for date, credit_notes in by_date.items():
            with Transaction().set_context(_skip_warnings=True):
                Invoice.credit(credit_notes, refund=True, invoice_date=date)
