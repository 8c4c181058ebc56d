# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool, PoolMeta

from .letter import PortalLetter


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.portal.configuration'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.letters.selection.append(('invoice', "Invoice"))


class InvoiceLetter(PortalLetter):
    __name__ = 'account.invoice.letter'
    _kind = 'invoice'

    @classmethod
    def get_member(cls, invoice):
        "Only members are written to by the portal"
        Member = Pool().get('coop.member')
        members = Member.search([
                ('company', '=', invoice.company.id),
                ('party', '=', invoice.party.id),
                ], limit=1)
        return members[0] if members else None

    @classmethod
    def get_subject(cls, invoice):
        return gettext(
            'coop_portal.msg_letter_invoice_subject', number=invoice.number)

    @classmethod
    def get_paragraphs(cls, invoice):
        return [gettext('coop_portal.msg_letter_invoice')]

    @classmethod
    def get_rows(cls, invoice):
        return [
            (cls.label(invoice, 'invoice_date'),
                cls.day(invoice.invoice_date)),
            (cls.label(invoice, 'total_amount'),
                cls.money(invoice.total_amount, invoice)),
            ]
