# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re
import unicodedata
from collections import defaultdict

from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, without_check_access

from .bulk import SLICE
from .document import by_company
from .exceptions import SimilarMemberWarning


def fold_name(name):
    "Return the name as it is compared"
    name = unicodedata.normalize('NFKD', name or '')
    name = ''.join(c for c in name if not unicodedata.combining(c))
    return ' '.join(re.sub(r'[^\w\s]', ' ', name).casefold().split())


def person_keys(name, birth_date, emails, identifiers, ibans):
    "Yield what the same person has the same of"
    name = fold_name(name)
    for column, values in [
            ('birth_date', [birth_date]),
            ('email', [email and email.lower() for email in emails]),
            ('identifier', identifiers),
            ('iban', ibans)]:
        for value in filter(None, values):
            yield name, column, value


class SimilarMixin:
    "Warn of who may be a member already"
    __slots__ = ()

    @classmethod
    def create(cls, vlist):
        members = super().create(vlist)
        # Imports and other programs ask by themselves
        if Transaction().check_access:
            cls._warn_similar('member_similar', members)
        return members

    @classmethod
    def _admit(cls, members):
        cls._warn_similar('member_similar_admission', members)
        super()._admit(members)

    @classmethod
    def _warn_similar(cls, name, members):
        Warning = Pool().get('res.user.warning')
        with without_check_access():
            similar = cls.find_similar(members)
        if not similar:
            return
        # The record of an applicant is not yet there when it is asked again
        key = Warning.format(
            name, sorted({m.party for m in similar}, key=int))
        if Warning.check(key):
            raise SimilarMemberWarning(key, '\n'.join(
                    gettext('coop_membership.msg_member_similar',
                        member=member.rec_name,
                        other=other.rec_name,
                        same=cls._similar_label(column))
                    for member, (other, column) in similar.items()))

    @classmethod
    def _similar_label(cls, column):
        Party = Pool().get('party.party')
        if column == 'iban':
            return gettext('coop_membership.msg_letter_iban')
        name = {'identifier': 'identifiers'}.get(column, column)
        return Party.__names__(name)['field']

    @classmethod
    def find_similar(cls, members):
        """Return by member another one who may be the same person

        With what is the same besides the name: the birth date, an e-mail
        address, an identifier or a bank account.
        """
        similar = {}
        for company, c_members in by_company(members):
            for sub_members in grouped_slice(c_members, SLICE // 10):
                sub_members = list(sub_members)
                keys = cls._person_keys(sub_members)
                values = defaultdict(set)
                for member, m_keys in keys.items():
                    for _, column, value in m_keys:
                        values[column].add(value)
                        if column == 'email':
                            # As it is written too
                            values['email'].add(member.email)
                if not values:
                    continue
                others = defaultdict(list)
                for other, o_keys in cls._person_keys(
                        cls._search_similar(company, values)).items():
                    for key in o_keys:
                        others[key].append(other)
                for member, m_keys in keys.items():
                    for key in m_keys:
                        found = [o for o in others[key] if o != member]
                        if found:
                            similar[member] = found[0], key[1]
                            break
        return similar

    @classmethod
    def _search_similar(cls, company, values):
        pool = Pool()
        Party = pool.get('party.party')
        clauses = ['OR']
        for column, field in [
                ('birth_date', 'party.birth_date'),
                ('identifier', 'party.identifiers.code'),
                ('iban', 'party.bank_accounts.numbers.number_compact')]:
            if values[column] and (
                    column != 'iban' or hasattr(Party, 'bank_accounts')):
                clauses.append((field, 'in', sorted(values[column])))
        if values['email']:
            clauses.append(('party.contact_mechanisms', 'where', [
                        ('type', '=', 'email'),
                        ('value', 'in', sorted(values['email'])),
                        ]))
        return cls.search([
                ('company', '=', company.id),
                ('state', '!=', 'rejected'),
                clauses,
                ])

    @classmethod
    def _person_keys(cls, members):
        "Return by member what the same person would have the same of"
        pool = Pool()
        ContactMechanism = pool.get('party.contact_mechanism')
        Identifier = pool.get('party.identifier')
        parties = [m.party.id for m in members]
        emails, identifiers, ibans = (defaultdict(list) for _ in range(3))
        for contact in ContactMechanism.search([
                    ('party', 'in', parties),
                    ('type', '=', 'email'),
                    ]):
            emails[contact.party.id].append(contact.value)
        for identifier in Identifier.search([('party', 'in', parties)]):
            identifiers[identifier.party.id].append(identifier.code)
        if hasattr(pool.get('party.party'), 'bank_accounts'):
            Number = pool.get('bank.account.number')
            for number in Number.search([
                        ('type', '=', 'iban'),
                        ('account.owners', 'in', parties),
                        ]):
                for owner in number.account.owners:
                    ibans[owner.id].append(number.number_compact)
        return {
            m: list(person_keys(
                    m.party.name, m.party.birth_date, emails[m.party.id],
                    identifiers[m.party.id], ibans[m.party.id]))
            for m in members}
