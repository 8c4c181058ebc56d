# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What who pays or is paid reads of it on the bank account."""
from sql import Null
from stdnum import iso11649
from stdnum.iso7064 import mod_97_10

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import Pool
from trytond.transaction import Transaction

# What credit transfers and direct debits carry
LENGTH = 140
# What is left of a creditor reference besides RF and the check digits
_REFERENCE_LENGTH = 21


def creditor_reference(text):
    """Return the structured creditor reference of ISO 11649 for the text

    Of which only letters and digits count, the last 21 of them: RF, two check
    digits and the text.  The digits are those that make the reference with
    its first four characters moved to its end, and each letter as two digits
    from A = 10 to Z = 35, leave 1 when divided by 97.

    >>> creditor_reference('539007547034')
    'RF18539007547034'
    """
    text = ''.join(
        c for c in text.upper() if c.isascii() and c.isalnum())
    if not text:
        return
    text = text[-_REFERENCE_LENGTH:]
    return f"RF{mod_97_10.calc_check_digits(text + 'RF')}{text}"


def find_references(text):
    """Return the structured creditor references in the text, compact

    However they are spaced, and whatever follows them.
    """
    found = []
    words = text.upper().split()
    for i, word in enumerate(words):
        start = word.find('RF')
        if start < 0:
            continue
        # Its groups may be words of their own
        for end in range(i + 1, len(words) + 1):
            reference = ''.join([word[start:], *words[i + 1:end]])
            reference = reference.rstrip('.,;:/')
            if reference.isalnum() and iso11649.is_valid(reference):
                found.append(iso11649.compact(reference))
    return found


def language_of(party, company):
    "Return the code of the language in which the company writes the party"
    lang = party.lang or company.party.lang
    return lang.code if lang else Transaction().language


def find_member(company, party):
    "Return the member of the company that the party is, if there is one"
    Member = Pool().get('coop.member')
    members = Member.search([
            ('company', '=', company.id),
            ('party', '=', party.id),
            ('number', '!=', None),
            ], limit=2)
    if len(members) == 1:
        return members[0]


def remittance(company, party, line=None):
    """Return what a payment of the party, of the line if any, is about

    As "Share Subscription 12, member 17, NAME OF THE COOPERATIVE" in the
    language of the party.
    """
    AdditionalMove = Pool().get('coop.document.move')
    subjects, members = [], set()
    with Transaction().set_context(language=language_of(party, company)):
        if line:
            for claim in AdditionalMove.get_claims([line]).get(line, [line]):
                for document in [claim.origin, claim.move.origin]:
                    if not hasattr(document.__class__, 'subject'):
                        continue
                    document = document.__class__(document.id)
                    if document.subject:
                        subjects.append(document.subject)
                    members.add(getattr(document, 'member', None))
                    break
            if not subjects:
                return
        members.discard(None)
        if not members:
            members.add(find_member(company, party))
            members.discard(None)
        names = {'company': company.party.name}
        if subjects:
            names['document'] = ', '.join(dict.fromkeys(subjects))
        if len(members) == 1:
            member, = members
            names['member'] = member.number or member.party.name
        if names.keys() >= {'document', 'member'}:
            text = gettext('coop_membership.msg_remittance_member', **names)
        elif subjects:
            text = gettext('coop_membership.msg_remittance', **names)
        elif members:
            text = gettext('coop_membership.msg_remittance_balance', **names)
        else:
            return
    return text[:LENGTH]


class RequestMixin:
    """A document that asks for a payment by a structured reference

    `_reference_key` tells its numbers from those of other documents.
    """
    __slots__ = ()
    _reference_key = None

    payment_reference = fields.Char("Payment Reference", readonly=True,
        help="The structured creditor reference (ISO 11649) that who pays is "
        "asked to give.")

    @classmethod
    def __setup__(cls):
        cls.payment_reference.search_unaccented = False
        super().__setup__()

    @classmethod
    def __register__(cls, module):
        super().__register__(module)
        cls.fill_references()

    @classmethod
    def fill_references(cls):
        "Give a reference to what got its number when there was none yet"
        cursor = Transaction().connection.cursor()
        table = cls.__table__()
        cursor.execute(*table.select(
                table.id, table.number,
                where=(table.number != Null)
                & (table.payment_reference == Null)))
        for id_, number in cursor.fetchall():
            cursor.execute(*table.update(
                    [table.payment_reference],
                    [creditor_reference(cls._reference_key + number)],
                    where=table.id == id_))

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if field_names is None or 'number' in field_names:
            number = getattr(self, 'number', None)
            reference = (
                creditor_reference(self._reference_key + number)
                if number else None)
            if getattr(self, 'payment_reference', None) != reference:
                values['payment_reference'] = reference
        return values

    @property
    def formatted_reference(self):
        "The reference as it is written on paper"
        return iso11649.format(self.payment_reference or '')
