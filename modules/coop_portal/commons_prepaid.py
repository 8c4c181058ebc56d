# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What members have paid in advance or as a security, and what of it is left
"""
from decimal import Decimal
from typing import NamedTuple

from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta
from trytond.report import Report
from trytond.transaction import without_check_access

from .member import as_data

# What the office prepares is not told
TOLD = ('state', 'not in', ['draft', 'cancelled'])


class Advance(NamedTuple):
    "A pack or a deposit with its movements, each a date, a text and a number"
    name: str
    left: str
    end_date: object
    invoice: str
    to_pay: Decimal
    movements: list = ()


class AdvanceMixin:
    "What the party has been asked to pay by an invoice"
    __slots__ = ()

    @classmethod
    def of_member(cls, member):
        with without_check_access():
            advances = cls.search([
                    ('company', '=', member.company.id),
                    ('party', '=', member.party.id),
                    TOLD,
                    ])
            # What was never paid and is waived holds for nothing
            return [
                a._as_advance() for a in advances
                if not a._invoice or not a._invoice.is_waived]

    @property
    def _invoice(self):
        return self.invoice_line.invoice if self.invoice_line else None

    def _money(self, amount):
        lang = Pool().get('ir.lang').get()
        return Report.format_currency(amount, lang, self.currency)

    @property
    def _asked(self):
        "The number of the invoice, and what is open of it"
        invoice = self._invoice
        if not invoice or invoice.state not in {'posted', 'paid'}:
            return '', Decimal(0)
        return invoice.number, invoice.amount_to_pay


class Pack(AdvanceMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.pack'

    def _as_advance(self):
        money = self.kind == 'money'
        movements = [(
                self.date, gettext('coop_portal.msg_page_prepaid_in'),
                self._show(self.price if money else self.quantity))]
        movements.extend(
            (use.date, use._text, self._show(-use.quantity))
            for use in sorted(self.uses, key=lambda u: (u.date, u.id)))
        return Advance(
            self.offer.name, self.left, self.end_date, *self._asked,
            movements)

    def _show(self, quantity):
        if self.kind == 'money':
            return self._money(quantity)
        lang = Pool().get('ir.lang').get()
        return lang.format_number_symbol(
            quantity, self.unit, digits=self.unit.digits)


class PackUse(metaclass=PoolMeta):
    __name__ = 'coop.commons.pack.use'

    @property
    def _text(self):
        "What it was taken for"
        if self.invoice:
            return self.invoice.number
        elif self.charge:
            return self.charge.usage.resource.name
        elif self.move and any(l.account.type.payable
                for l in self.move.lines):
            return gettext('coop_portal.msg_page_prepaid_back')
        return gettext('coop_portal.msg_page_prepaid_expired')


class Deposit(AdvanceMixin, metaclass=PoolMeta):
    __name__ = 'coop.commons.deposit'

    def _as_advance(self):
        invoice, to_pay = self._asked
        movements = []
        if self.state == 'returned':
            kept = self.kept or Decimal(0)
            movements = [(
                    self.return_date,
                    gettext('coop_portal.msg_page_prepaid_back'),
                    self._money(self.amount - kept))]
            if kept:
                movements.append((
                        self.return_date, self.kept_reason,
                        self._money(kept)))
        held = self.amount - to_pay if self.state == 'taken' else Decimal(0)
        return Advance(
            self.resource.name, self._money(held), None, invoice, to_pay,
            movements)


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @property
    def personal_data(self):
        pool = Pool()
        data = super().personal_data
        with without_check_access():
            for key, name, names in [
                    ('packs', 'coop.commons.pack', [
                            'offer', 'date', 'end_date', 'price', 'quantity',
                            'left']),
                    ('deposits', 'coop.commons.deposit', [
                            'resource', 'date', 'amount', 'kept',
                            'kept_reason', 'return_date', 'state']),
                    ]:
                data[key] = as_data(pool.get(name).search([
                            ('company', '=', self.company.id),
                            ('party', '=', self.party.id),
                            TOLD,
                            ]), names)
        return data
