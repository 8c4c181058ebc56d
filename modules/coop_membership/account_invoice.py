# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice

from .books import SLICE
from .remittance import find_member


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @property
    def subject(self):
        "What payments and letters say that it is about, if it is of a member"
        if (self.type == 'out' and self.number
                and find_member(self.company, self.party)):
            return ' '.join([self.__names__()['model'], self.number])


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + ['coop.member.fee.run']


class Member(metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def exit_blockers(cls, members):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        lang = pool.get('ir.lang').get()
        blockers = super().exit_blockers(members)
        for sub_members in grouped_slice(members, SLICE):
            by_party = {(m.company, m.party): m for m in sub_members}
            for invoice in Invoice.search([
                        ('company', 'in', list({c.id for c, _ in by_party})),
                        ('party', 'in', list({p.id for _, p in by_party})),
                        ('type', '=', 'out'),
                        ('state', '=', 'posted'),
                        ], order=[('invoice_date', 'ASC'), ('id', 'ASC')]):
                member = by_party.get((invoice.company, invoice.party))
                if member:
                    blockers[member].append(gettext(
                            'coop_membership.msg_member_leave_invoice',
                            invoice=invoice.rec_name,
                            amount=lang.currency(
                                invoice.amount_to_pay, invoice.currency,
                                grouping=True)))
        return blockers
