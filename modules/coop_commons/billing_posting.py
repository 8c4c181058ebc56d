# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from sql import Null
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .digits import AMOUNT
from .exceptions import BillingError
from .slices import SLICE


class BillingPosting:
    "What a billing posts in the books beside its invoices"
    __slots__ = ()

    def lock_sequences(self):
        "Lock what the invoices and moves are numbered by before any work"
        pool = Pool()
        Period = pool.get('account.period')
        Sequence = pool.get('ir.sequence.strict')
        period = Period.find(
            self.company, date=self.accounting_date or self.invoice_date)
        Sequence.lock([period.move_sequence_used] + [
                getattr(line, name)
                for line in period.fiscalyear.invoice_sequences
                for name in ['out_invoice_sequence',
                    'out_credit_note_sequence']])

    def get_internal_charges(self):
        """Return what is charged to the cost centres for each resource

        What rounding has left of the billings before is made up for.
        """
        pool = Pool()
        Account = pool.get('analytic_account.account')
        Internal = pool.get('coop.commons.billing.internal')

        amounts = self.get_internal_amounts()
        if not amounts:
            return []
        centers = sorted({center for _, center in amounts})
        # Two billings must not make up for the same
        claim(Account.browse(centers))
        roundings = Internal.get_roundings(centers)
        charges = []
        for (resource, center), exact in sorted(amounts.items()):
            amount = self.company.currency.round(
                exact - roundings[resource, center])
            if amount or exact:
                charges.append(Internal(
                        billing=self, resource=resource, cost_center=center,
                        amount=amount, rounding=amount - exact))
        return charges

    def get_internal_move(self, charges):
        "Return the move that charges the cost centres"
        pool = Pool()
        Configuration = pool.get('coop.commons.configuration')
        Period = pool.get('account.period')

        charges = [c for c in charges if c.amount]
        if not charges:
            return
        books = Books(self.company)
        _, date = Period.find_open(
            self.company, self.accounting_date or self.invoice_date)
        configuration = Configuration(1)
        account = configuration.get_multivalue(
            'internal_charge_account', company=self.company.id)
        if not account:
            raise BillingError(gettext(
                    'coop_commons.msg_billing_internal_account',
                    company=self.company.rec_name))
        lines = []
        for charge in charges:
            resource, amount = charge.resource, charge.amount
            if not resource.analytic_account:
                raise BillingError(gettext(
                        'coop_commons.msg_billing_cost_center',
                        resource=resource.rec_name))
            for analytic_account, balance in [
                    (resource.analytic_account, -amount),
                    (charge.cost_center, amount)]:
                lines.append(self._get_line(
                        books, date, account, balance, analytic_account,
                        description=resource.rec_name))
        return books.move(date, lines, origin=self)

    def get_internal_amounts(self):
        "Return the exact price by the ids of resource and cost centre"
        pool = Pool()
        Currency = pool.get('currency.currency')
        Charge = pool.get('coop.commons.usage.charge')
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')

        charge = Charge.__table__()
        component = Component.__table__()
        tariff = Tariff.__table__()
        usage = Usage.__table__()
        columns = [usage.resource, usage.cost_center, tariff.currency]
        query = (charge
            .join(usage, condition=charge.usage == usage.id)
            .join(component, condition=charge.component == component.id)
            .join(tariff, condition=component.tariff == tariff.id)
            .select(*columns, Sum(charge.amount).as_('amount'),
                where=(charge.billing == self.id)
                & (usage.cost_center != Null),
                group_by=columns))
        amounts = defaultdict(Decimal)
        with Transaction().set_context(
                date=self.accounting_date or self.invoice_date):
            for resource, cost_center, currency, amount in fetch_sums(query):
                amounts[resource, cost_center] += Currency.compute(
                    Currency(currency), amount, self.company.currency,
                    round=False)
        return {
            key: amount.quantize(AMOUNT) for key, amount in amounts.items()}

    def get_pack_move(self):
        "Return the move by which the use of packs is earned"
        pool = Pool()
        Period = pool.get('account.period')

        books = Books(self.company)
        _, date = Period.find_open(
            self.company, self.accounting_date or self.invoice_date)
        deferred, earned = defaultdict(Decimal), defaultdict(Decimal)
        for use in self.pack_uses:
            if not use.value:
                continue
            pack, charge = use.pack, use.charge
            usage, component = charge.usage, charge.component
            deferred[
                pack.offer.deferred_account, pack.account_party] += use.value
            product = self._get_product(
                component, usage.resource, usage.audience)
            earned[product, usage.resource.analytic_account] -= use.value
        lines = []
        for (account, party), value in deferred.items():
            lines.append(books.line(account, value, party=party))
        for (product, center), value in earned.items():
            with Transaction().set_context(
                    company=self.company.id, date=date):
                account = product.__class__(product.id).account_revenue_used
            lines.append(
                self._get_line(books, date, account, value, center))
        lines = [l for l in lines if l.debit or l.credit]
        if lines:
            return books.move(date, lines, origin=self)

    def _get_line(self, books, date, account, amount, center=None, **values):
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        line = books.line(account, amount, **values)
        line.analytic_lines = []
        if center:
            line.analytic_lines = [AnalyticLine(
                    account=center, date=date, debit=line.debit,
                    credit=line.credit)]
        return line

    @classmethod
    def check_books(cls, company, date):
        """The lines of the invoices are the sums of their charges, or of what
        contracts and commitments ask for, and the
        internal move the sum of those of the cost centres"""
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Line = pool.get('account.invoice.line')
        PackUse = pool.get('coop.commons.pack.use')
        differences = super().check_books(company, date)
        charge = Charge.__table__()
        billings = cls.search([
                ('company', '=', company.id),
                ('state', '=', 'posted'),
                ('invoice_date', '<=', date),
                ], order=[('id', 'ASC')])
        for billing in billings:
            query = charge.select(
                charge.invoice_line, Sum(charge.amount).as_('amount'),
                where=(charge.billing == billing.id)
                & (charge.invoice_line != Null),
                group_by=charge.invoice_line)
            amounts = defaultdict(Decimal, fetch_sums(query))
            covered = PackUse.get_covered([billing])
            for sub_ids in grouped_slice(sorted(covered), SLICE):
                for row in Charge.browse(list(sub_ids)):
                    if row.invoice_line:
                        amounts[row.invoice_line.id] -= covered[row.id]
            for line in [
                    *billing.contract_lines, *billing.commitment_lines]:
                amounts[line.invoice_line.id] += line.amount
            for line in Line.search([
                        ('origin', '=', str(billing)),
                        ('invoice.state', '!=', 'cancelled'),
                        ]):
                expected = line.currency.round(
                    amounts.pop(line.id, Decimal(0))
                    + (line.use_rounding or 0))
                if line.amount != expected:
                    differences.append(Difference(
                            line.invoice, gettext(
                                'coop_commons.msg_books_invoice_line',
                                invoice=line.invoice.rec_name,
                                line=line.rec_name),
                            expected, line.amount, line.invoice.party))
            internal = billing.get_internal_amounts()
            for row in billing.internal_charges:
                internal[row.resource.id, row.cost_center.id] += row.rounding
            expected = sum(
                abs(company.currency.round(a)) for a in internal.values())
            found = sum(
                l.debit for l in billing.move.lines) if billing.move else 0
            if expected != found:
                differences.append(Difference(
                        billing.move or billing, gettext(
                            'coop_commons.msg_books_internal',
                            billing=billing.rec_name),
                        expected, found))
        return differences
