# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Money that is paid in advance, and pays what is invoiced for the use.

It is a debt of the cooperative to who paid it in.  The use is invoiced as
ever, with the tax that falls due by it, and the invoice is paid of the money.
"""
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.document import by_company
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.transaction import Transaction

from . import pack_calculation
from .exceptions import PackError
from .paying import pay_invoices


class PackMoney:
    "What becomes of prepaid money"
    __slots__ = ()

    @property
    def money_account(self):
        return self.offer.deferred_account

    @property
    def is_held(self):
        "Whether it is money that is left, which a refund gives back"
        return bool(self.kind == 'money' and self.balance)

    @classmethod
    def find_money(cls, company, parties):
        "Return by party the packs of money, those paid in first come first"
        packs = defaultdict(list)
        for pack in cls.search([
                    ('company', '=', company.id),
                    ('party', 'in', [p.id for p in parties]),
                    ('offer.kind', '=', 'money'),
                    ('state', '=', 'sold'),
                    # What is not paid in can not pay
                    ('invoice_line.invoice.state', '=', 'paid'),
                    ], order=[('date', 'ASC'), ('id', 'ASC')]):
            if not pack.invoice_line.invoice.is_waived:
                packs[pack.party].append(pack)
        return packs

    @classmethod
    def pay_invoices(cls, company, parties, date):
        """Pay what is invoiced for use and still open

        Credit notes give back what was paid of the money.
        """
        pool = Pool()
        Invoice = pool.get('account.invoice')
        packs = cls.find_money(company, parties)
        if not packs:
            return
        claim(p for ps in packs.values() for p in ps)
        left = {p: p.balance for ps in packs.values() for p in ps}
        payments = {}
        for invoice in Invoice.find_open_use(company, packs):
            of_party = packs[invoice.party]
            open_ = invoice.amount_to_pay
            if open_ > 0:
                taken = pack_calculation.take(
                    open_, [(p, left[p]) for p in of_party])
            else:
                taken = [
                    (pack, -part) for pack, part in pack_calculation.take(
                        -open_, [
                            (p, p.price - left[p])
                            for p in reversed(of_party)
                            if not p.end_date or p.end_date >= date])]
            for pack, part in taken:
                left[pack] -= part
            if taken:
                payments[invoice] = taken
        cls._pay(company, payments, date)

    @classmethod
    def _pay(cls, company, payments, date):
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        moves = pay_invoices(Books(company), date, payments)
        Use.save([
                Use(pack=pack, invoice=invoice, date=date, quantity=part,
                    amount=Decimal(0), value=part, move=move)
                for (invoice, parts), move in zip(payments.items(), moves)
                for pack, part in parts])

    @classmethod
    @ModelView.button
    def settle(cls, packs):
        "Pay what is open already when the money comes"
        for company, c_packs in by_company(packs):
            with Transaction().set_context(company=company.id):
                today = Pool().get('ir.date').today()
            cls.pay_invoices(company, {p.party for p in c_packs}, today)

    def _get_never_paid(self):
        "Return what was asked for and never came"
        invoice = self.invoice_line.invoice
        if invoice.state not in {'posted', 'paid'}:
            raise PackError(gettext(
                    'coop_commons.msg_pack_refund',
                    pack=self.rec_name, invoice=invoice.rec_name))
        if invoice.is_waived:
            raise PackError(gettext(
                    'coop_commons.msg_advance_waived',
                    document=self.rec_name, invoice=invoice.rec_name))
        if invoice.state == 'posted':
            return min(self.balance, invoice.amount_to_pay)

    @classmethod
    @ModelView.button
    def refund(cls, packs):
        "Owe what is left, once all that is open is paid of it"
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        cls.settle(packs)
        claim(packs)
        uses = []
        for company, c_packs in by_company(cls.browse(packs)):
            with Transaction().set_context(company=company.id):
                today = pool.get('ir.date').today()
            books = Books(company)
            cls._pay(company, {
                    pack.invoice_line.invoice: [(pack, part)]
                    for pack in c_packs for part in [pack._get_never_paid()]
                    if part}, today)
            for pack in cls.browse(c_packs):
                if not pack.balance:
                    continue
                with Transaction().set_context(company=company.id):
                    party = pack.party.__class__(pack.party.id)
                move = books.move(today, [
                        books.line(
                            pack.offer.deferred_account, pack.balance,
                            party=pack.account_party),
                        books.line(
                            party.account_payable_used, -pack.balance,
                            party=party, maturity_date=today),
                        ],
                    origin=pack)
                uses.append(Use(
                        pack=pack, date=today, quantity=pack.balance,
                        amount=Decimal(0), value=pack.balance, move=move))
            books.post([u.move for u in uses if u.pack.company == company])
        Use.save(uses)
