# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Letters about a document, on paper and as the text of an e-mail.

One template serves all of them on paper and one as an e-mail.  A letter is a
report that says what is written: its subject, its paragraphs, a table of
labels and values, and what is asked to be paid.
"""
from io import BytesIO
from typing import NamedTuple

import segno.helpers

from trytond.i18n import gettext
from trytond.modules.company import CompanyReport
from trytond.pool import Pool
from trytond.transaction import Transaction

from .exceptions import LetterError
from .remittance import language_of

# What the guideline EPC069-12 of the code allows
_EPC_NAME = 70
_EPC_AMOUNT = 999999999.99


class PaymentRequest(NamedTuple):
    "What is to be paid, and how"
    holder: str
    iban: str
    bic: str
    amount: object
    currency: object
    reference: str
    date: object

    @property
    def qr_code(self):
        """Return the image of the code that apps of banks read, if any

        By the guideline EPC069-12 of the European Payments Council, which is
        for euros.
        """
        if (self.currency.code != 'EUR' or not self.iban
                or not 0 < self.amount <= _EPC_AMOUNT):
            return
        image = BytesIO()
        segno.helpers.make_epc_qr(
            name=self.holder[:_EPC_NAME], iban=self.iban.replace(' ', ''),
            amount=self.amount, reference=self.reference.replace(' ', ''),
            bic=self.bic or None, encoding='utf-8',
            ).save(image, kind='png', scale=6)
        return image.getvalue(), 'image/png'


class Letter(NamedTuple):
    "What is written to a party about a record"
    party: object
    address: list
    date: str
    subject: str
    greeting: str
    paragraphs: list
    rows: list
    request: object
    request_text: str
    request_rows: list
    request_code: str
    closing: list


def get_iban(party):
    "Return the first number of the accounts of the party that is an IBAN"
    # With bank
    for account in getattr(party, 'bank_accounts_used', []):
        for number in account.numbers:
            if number.type == 'iban' and number.active:
                return number


class LetterReport(CompanyReport):
    """A letter about each record

    `_states` are those in which there is something to write.
    """
    __slots__ = ()
    _states = ()

    @classmethod
    def get_subject(cls, record):
        return record.subject

    @classmethod
    def get_paragraphs(cls, record):
        return []

    @classmethod
    def get_rows(cls, record):
        "Return the list of labels and values"
        return []

    @classmethod
    def get_end(cls, record):
        "Return the paragraphs below the rows"
        return []

    @classmethod
    def get_request(cls, record):
        "Return what is asked to be paid, if any"

    @classmethod
    def get_member(cls, record):
        return record.member

    @classmethod
    def label(cls, record, name):
        return record.__names__(field=name)['field']

    @classmethod
    def money(cls, amount, record):
        return cls.format_currency(amount, cls._lang(), record.currency)

    @classmethod
    def day(cls, date):
        return cls.format_date(date, cls._lang())

    @classmethod
    def _lang(cls):
        return Pool().get('ir.lang').get()

    @classmethod
    def check(cls, record):
        if record.state not in cls._states:
            field = record._fields['state']
            raise LetterError(gettext(
                    'coop_membership.msg_letter_state',
                    document=record.rec_name,
                    state=field.get_selection_string(
                        field.get_selection(
                            record.__class__, 'state', record),
                        record.state)))

    @classmethod
    def request(cls, company, amount, currency, reference, date):
        "Return what is asked to be paid to the account of the company"
        number = get_iban(company.party)
        bank = number.account.bank if number else None
        return PaymentRequest(
            company.party.name, number.number if number else '',
            (bank.bic if bank else None) or '', amount, currency,
            reference, date)

    @classmethod
    def get_letter(cls, record, parties, language):
        "Return the letter to the parties in the language"
        pool = Pool()
        Date = pool.get('ir.date')
        with Transaction().set_context(
                language=language, company=record.company.id):
            record = record.__class__(record.id)
            party = parties[0].__class__(parties[0].id)
            address = party.address_get()
            request = cls.get_request(record)
            texts = {}
            if request:
                texts = {
                    'request_text': gettext(
                        'coop_membership.msg_letter_request',
                        amount=cls.format_currency(
                            request.amount, cls._lang(), request.currency),
                        date=cls.day(request.date)),
                    'request_rows': [
                        (gettext(f'coop_membership.msg_letter_{name}'), value)
                        for name, value in [
                            ('holder', request.holder),
                            ('iban', request.iban),
                            ('bic', request.bic),
                            ('reference', request.reference)] if value],
                    'request_code': gettext(
                        'coop_membership.msg_letter_request_code'),
                    }
            return Letter(
                party=party,
                address=address.full_address.splitlines() if address else [],
                date=cls.day(Date.today()),
                subject=cls.get_subject(record),
                greeting=gettext(
                    'coop_membership.msg_letter_greeting',
                    name=', '.join(p.name for p in parties)),
                paragraphs=cls.get_paragraphs(record),
                rows=cls.get_rows(record),
                request=request,
                request_text=texts.get('request_text'),
                request_rows=texts.get('request_rows', []),
                request_code=texts.get('request_code'),
                closing=[
                    *cls.get_end(record),
                    gettext('coop_membership.msg_letter_closing'),
                    record.company.party.name])

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        context = super().get_context(records, header, data)
        letters = []
        for record in records:
            record = record.__class__(int(record))
            cls.check(record)
            with Transaction().set_context(company=record.company.id):
                today = Date.today()
            parties = cls.get_member(record).recipients(today)
            if data.get('language'):
                # One e-mail to all of them
                letters.append(cls.get_letter(
                        record, parties, data['language'].code))
            else:
                letters.extend(
                    cls.get_letter(
                        record, [party],
                        language_of(party, record.company))
                    for party in parties)
        context['letters'] = letters
        return context


class MemberConfirmation(LetterReport):
    __name__ = 'coop.member.confirmation'
    _states = ('member', 'leaving')

    @classmethod
    def get_subject(cls, member):
        return gettext('coop_membership.msg_letter_membership_subject')

    @classmethod
    def get_member(cls, member):
        return member

    @classmethod
    def get_paragraphs(cls, member):
        return [gettext(
                'coop_membership.msg_letter_membership',
                name=member.names,
                company=member.company.party.name,
                date=cls.day(member.admission_date),
                number=member.number)]

    @classmethod
    def get_rows(cls, member):
        rows = [(cls.label(member, 'category'), member.category.rec_name)]
        if member.state == 'leaving':
            rows.append(
                (cls.label(member, 'exit_date'), cls.day(member.exit_date)))
        return rows
