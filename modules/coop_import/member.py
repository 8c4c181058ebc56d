# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re
from collections import defaultdict

try:
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException
except ImportError:
    IBAN = None

from trytond.exceptions import UserError
from trytond.modules.coop_membership.similar import fold_name, person_keys
from trytond.pool import Pool, PoolMeta
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, without_check_access

from . import mandate
from .columns import MEMBER
from .importer import SLICE, Importer, ImportMixin, save, update

CONTACTS = ['phone', 'mobile', 'email', 'website']
ADDRESS = {
    'care_of': 'attn',
    'street': 'street',
    'postal_code': 'postal_code',
    'city': 'city',
    'country': 'country',
    'province': 'subdivision',
    }


class Member(ImportMixin, metaclass=PoolMeta):
    __name__ = 'coop.member'

    @classmethod
    def get_importer(cls, options):
        return MemberImporter


class MemberImporter(Importer):

    columns = MEMBER

    def __init__(self, *args):
        super().__init__(*args)
        # Those of the new members
        self.numbers = []

    def lock(self):
        Member = Pool().get('coop.member')
        Member.lock(sorted({m.id for m in self._find_members().values()}))
        sequence = self._member_sequence
        if sequence:
            sequence.lock()
        if IBAN and any(row['iban'] for row in self.rows):
            try:
                Bank = Pool().get('bank')
            except KeyError:
                pass
            else:
                # Those of the accounts are made one by one
                Bank.lock()

    @without_check_access
    def prepare(self):
        if not all(row['number'] for row in self.rows):
            # Those of the file are not to be given to others
            self._go_on([r['number'] for r in self.rows if r['number']])

    def _find_members(self):
        "Return the members of the rows that are members already"
        members = self.find(
            'coop.member', {row['number'] for row in self.rows}, 'number')
        found = {
            row: members[row['number']] for row in self.rows
            if members.get(row['number'])}
        unnumbered = [r for r in self.rows if not r['number']]
        addresses = [r for r in unnumbered if r['email']]
        accounts = [r for r in unnumbered if not r['email'] and r['iban']]
        by_key = defaultdict(list)
        for member in self._find_by_email(addresses):
            for contact in member.party.contact_mechanisms:
                if contact.type == 'email':
                    by_key[
                        fold_name(member.party.name),
                        contact.value.lower()].append(member)
        for member, number in self._find_by_account(accounts):
            by_key[fold_name(member.party.name), number].append(member)
        for column, rows in [('email', addresses), ('iban', accounts)]:
            for row in rows:
                members = set(by_key[
                        fold_name(_get_name(row)), row[column].lower()])
                if len(members) == 1:
                    found[row], = members
                elif members:
                    row.error(column, 'msg_import_several', value=row[column])
        return found

    def _find_by_email(self, rows):
        Member = Pool().get('coop.member')
        emails = {
            value for row in rows if row['email']
            for value in [row['email'], row['email'].lower()]}
        return [
            m for sub_emails in grouped_slice(sorted(emails), SLICE)
            for m in Member.search([
                    ('company', '=', self.company),
                    ('party.contact_mechanisms', 'where', [
                            ('type', '=', 'email'),
                            ('value', 'in', list(sub_emails)),
                            ]),
                    ])]

    def _find_by_account(self, rows):
        "Yield the members who have the accounts of the rows, by the numbers"
        Member = Pool().get('coop.member')
        numbers = sorted({row['iban'] for row in rows})
        if not numbers or not hasattr(
                Pool().get('party.party'), 'bank_accounts'):
            return
        for sub_numbers in grouped_slice(numbers, SLICE):
            sub_numbers = set(sub_numbers)
            for member in Member.search([
                        ('company', '=', self.company),
                        ('party.bank_accounts.numbers.number_compact', 'in',
                            list(sub_numbers)),
                        ]):
                for number in {
                        n.number_compact
                        for account in member.party.bank_accounts
                        for n in account.numbers
                        if n.type == 'iban'} & sub_numbers:
                    yield member, number.lower()

    @property
    @without_check_access
    def _member_sequence(self):
        Configuration = Pool().get('coop.membership.configuration')
        return Configuration(1).get_multivalue(
            'member_sequence', company=self.company)

    def resolve(self):
        for row in self.rows:
            self._set_name(row)
        self.resolve_column(
            'category', 'coop.member.category', 'code', 'name',
            message='msg_import_category')
        self.resolve_column(
            'country', 'country.country', 'code', 'code3',
            message='msg_import_country', company=False)
        self.resolve_column(
            'language', 'ir.lang', 'code',
            message='msg_import_language', company=False)
        self.resolve_column(
            'party_code', 'party.party', 'code',
            message='msg_import_party', company=False)
        self.resolve_column(
            'consent', 'coop.membership.document', 'name', many='consents',
            message='msg_import_document')
        self._resolve_provinces()
        members = self._find_members()
        for row in self.rows:
            row.member = members.get(row)
            self._check_dates(row)
            if row.member:
                self._check_member(row)
            elif 'category' not in row.values:
                row.error('category', 'msg_import_missing')
        self._check_identifiers()
        self._check_accounts()
        self._find_parties()
        mandate.check(self)
        self._warn_similar()

    def _set_name(self, row):
        "Make the name of the first and the last one"
        if row['name'] and (row['first_name'] or row['last_name']):
            row.error('name', 'msg_import_user',
                columns="name, first_name, last_name")
        row.values['name'] = _get_name(row)

    def _resolve_provinces(self):
        Subdivision = Pool().get('country.subdivision')
        rows = [row for row in self.rows if row['province']]
        countries = {row['country'] for row in rows if row['country']}
        provinces = {}
        for subdivision in Subdivision.search([
                    ('country', 'in', [c.id for c in countries]),
                    ]) if countries else []:
            for name in [
                    subdivision.name, subdivision.code.partition('-')[2],
                    subdivision.code]:
                provinces[subdivision.country, name.lower()] = subdivision
        for row in rows:
            name, country = row['province'], row['country']
            province = provinces.get((country, name.lower()))
            row.values['province'] = province
            if not country:
                row.error('country', 'msg_import_missing')
            elif not province:
                row.error('province', 'msg_import_province',
                    value=name, country=country.rec_name)

    def _check_dates(self, row):
        admission = row['admission_date']
        if row.member and not admission:
            admission = row.member.admission_date
        application, birth = row['application_date'], row['birth_date']
        notice, exit_date = row['notice_date'], row['exit_date']
        if birth and admission and birth > admission:
            row.error('birth_date', 'msg_import_after',
                value=birth, other='admission_date', limit=admission)
        if application and admission and application > admission:
            row.error('application_date', 'msg_import_after',
                value=application, other='admission_date', limit=admission)
        if exit_date or row['exit_reason'] or notice:
            if not admission:
                row.error('admission_date', 'msg_import_missing')
            for column in ['exit_date', 'exit_reason']:
                if column not in row.values:
                    row.error(column, 'msg_import_missing')
        if exit_date and admission and exit_date < admission:
            row.error('exit_date', 'msg_import_before',
                value=exit_date, other='admission_date', limit=admission)
        if notice and exit_date and notice > exit_date:
            row.error('notice_date', 'msg_import_after',
                value=notice, other='exit_date', limit=exit_date)

    def _check_member(self, row):
        "Refuse to rewrite the life of a member"
        member = row.member
        names = ['exit_date']
        if member.state != 'applicant':
            names += ['category', 'admission_date']
        for name in names:
            value, current = row[name], getattr(member, name)
            if value and current and value != current:
                row.error(name, 'msg_import_member_change',
                    value=getattr(value, 'rec_name', value),
                    current=getattr(current, 'rec_name', current))

    def _check_identifiers(self):
        pool = Pool()
        Configuration = pool.get('party.configuration')
        Identifier = pool.get('party.identifier')
        types = {
            type for type, _ in Configuration(1).get_identifier_types()}
        for row in self.rows:
            type_, code = row['identifier_type'], row['identifier']
            if type_ and type_ not in types:
                row.error(
                    'identifier_type', 'msg_import_identifier_type',
                    value=type_)
            elif code:
                identifier = Identifier(type=type_, code=code)
                try:
                    identifier.check_code()
                except UserError:
                    row.error('identifier', 'msg_import_identifier',
                        value=code, type=type_)
                else:
                    # As it is stored
                    row.values['identifier'] = identifier.on_change_with_code()
            elif type_:
                row.error('identifier', 'msg_import_missing')

    def _check_accounts(self):
        rows = [row for row in self.rows if row['iban']]
        for row in self.rows:
            if row['account_holder'] and 'iban' not in row.values:
                row.error('iban', 'msg_import_missing')
        if not rows:
            return
        try:
            Number = Pool().get('bank.account.number')
        except KeyError:
            for row in rows:
                row.error('iban', 'msg_import_bank')
            return
        with_bank = {
            n.number_compact for n in Number.search([
                    ('type', '=', 'iban'),
                    ('number_compact', 'in', [row['iban'] for row in rows]),
                    ('account.bank', '!=', None),
                    ])}
        for row in rows:
            number = row['iban']
            if number in with_bank:
                continue
            try:
                bic = IBAN(number).bic if IBAN else None
            except SchwiftyException:
                row.error('iban', 'msg_import_iban', value=number)
            else:
                if not bic:
                    # It can not be paid by SEPA
                    row.warn('iban', 'msg_import_no_bank', value=number)

    def _find_parties(self):
        """Find the party of the member, the one with the code or the one with
        the same identifier"""
        pool = Pool()
        Identifier = pool.get('party.identifier')
        Member = pool.get('coop.member')
        codes = {row['identifier'] for row in self.rows} - {None}
        identified = {}
        if codes:
            identified = {
                (i.type, i.code): i.party for i in Identifier.search([
                        ('code', 'in', list(codes))])}
        found = {}
        for row in self.rows:
            row.party = row.member.party if row.member else None
            column, party = 'party_code', row['party_code']
            if not party and row['identifier']:
                column = 'identifier'
                party = identified.get(
                    (row['identifier_type'], row['identifier']))
            if party and not row.party:
                row.party = party
            if party:
                found.setdefault(party, []).append((row, column))
        members = Member.search([
                ('company', '=', self.company),
                ('party', 'in', [p.id for p in found]),
                ]) if found else []
        for member in members:
            for row, column in found[member.party]:
                if row.member != member:
                    row.error(column, 'msg_import_party_member',
                        party=member.party.rec_name,
                        member=member.number or member.rec_name)

    def _warn_similar(self):
        "Warn of new members who may be somebody who is a member already"
        rows = [row for row in self.rows if not row.member and row['name']]
        known = {}
        for member in self._find_similar(rows):
            for key in person_keys(
                    member.party.name, member.party.birth_date,
                    [m.value for m in member.party.contact_mechanisms
                        if m.type == 'email'],
                    [i.code for i in member.party.identifiers],
                    [number.number_compact
                        for account in getattr(
                            member.party, 'bank_accounts', [])
                        for number in account.numbers
                        if number.type == 'iban']):
                known.setdefault(key, member.rec_name)
        for row in rows:
            keys = list(person_keys(
                    row['name'], row['birth_date'],
                    [row['email']], [row['identifier']], [row['iban']]))
            for key in keys:
                if key in known:
                    row.warn('name', 'msg_import_similar',
                        name=row['name'], member=known[key], same=key[1])
                    break
            for key in keys:
                known.setdefault(key, (
                        f"[{row['number']}] {row['name']}"
                        if row['number'] else row['name']))

    def _find_similar(self, rows):
        pool = Pool()
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        clauses = ['OR']
        for column, field in [
                ('birth_date', 'party.birth_date'),
                ('identifier', 'party.identifiers.code'),
                ('iban', 'party.bank_accounts.numbers.number_compact')]:
            values = {row[column] for row in rows} - {None}
            if values and (
                    column != 'iban' or hasattr(Party, 'bank_accounts')):
                clauses.append((field, 'in', list(values)))
        emails = {row['email'] for row in rows} - {None}
        if emails:
            emails |= {email.lower() for email in emails}
            clauses.append(('party.contact_mechanisms', 'where', [
                        ('type', '=', 'email'),
                        ('value', 'in', list(emails)),
                        ]))
        if len(clauses) == 1:
            return []
        return Member.search([('company', '=', self.company), clauses])

    def store(self):
        created = {row for row in self.rows if not row.member}
        updated = self._store_parties()
        updated |= self._store_members()
        updated |= self._store_lists()
        updated |= self._admit()
        updated |= self._leave()
        return created, updated

    def _store_parties(self):
        pool = Pool()
        Address = pool.get('party.address')
        ContactMechanism = pool.get('party.contact_mechanism')
        Identifier = pool.get('party.identifier')
        Party = pool.get('party.party')
        updated = set()
        parties, addresses, contacts, identifiers = [], [], [], []
        codes = self._get_codes(
            len([row for row in self.rows if not row.party]))
        for row in self.rows:
            new = not row.party
            party = row.party = row.party or Party()
            party_values = _values(row, {
                    'name': 'name',
                    'language': 'lang',
                    'legal_entity': 'legal_entity',
                    'birth_date': 'birth_date',
                    })
            address_values = _values(row, ADDRESS)
            if new:
                party.code = next(codes, None)
                address = Address()
                # What the setter of the street would write
                if 'street' in address_values:
                    address_values['street_unstructured'] = (
                        address_values.pop('street'))
                party.addresses = [address]
                party.contact_mechanisms = [
                    ContactMechanism(type=type_, value=row[type_])
                    for type_ in CONTACTS if row[type_]]
                party.identifiers = [
                    Identifier(
                        type=row['identifier_type'], code=row['identifier'])
                    ] if row['identifier'] else []
                update(party, party_values)
                update(address, address_values)
                parties.append(party)
                continue
            if update(party, party_values):
                parties.append(party)
                updated.add(row)
            address = party.address_get() or Address(party=party)
            if update(address, address_values):
                addresses.append(address)
                updated.add(row)
            for type_ in CONTACTS:
                if not row[type_]:
                    continue
                contact = (party.contact_mechanism_get(type_)
                    or ContactMechanism(party=party, type=type_))
                value = contact.format_value(row[type_], type_)
                if update(contact, {'value': value}):
                    contacts.append(contact)
                    updated.add(row)
            if row['identifier']:
                for identifier in party.identifiers:
                    if identifier.type == row['identifier_type']:
                        break
                else:
                    identifier = Identifier(
                        party=party, type=row['identifier_type'])
                if update(identifier, {'code': row['identifier']}):
                    identifiers.append(identifier)
                    updated.add(row)
        for records in [parties, addresses, contacts, identifiers]:
            save(records)
        return updated | self._store_accounts() | mandate.store(self)

    @without_check_access
    def finish(self):
        self._go_on(self.numbers)

    def _go_on(self, numbers):
        "Let the sequence go on after the highest of the numbers"
        sequence = self._member_sequence
        if not sequence or sequence.type != 'incremental':
            return
        prefix, suffix = map(
            sequence._process, [sequence.prefix, sequence.suffix])
        pattern = re.compile(
            f'{re.escape(prefix)}([0-9]{{1,9}}){re.escape(suffix)}')
        digits = [
            match[1] for match in map(pattern.fullmatch, numbers)
            if match]
        values = {}
        highest = max(map(int, digits), default=0)
        if highest >= sequence.number_next:
            values['number_next'] = highest + sequence.number_increment
        padding = max(
            (len(d) for d in digits if d.startswith('0')), default=0)
        if padding > (sequence.padding or 0):
            values['padding'] = padding
        if values:
            sequence.__class__.write([sequence], values)

    def _get_codes(self, count):
        "Return the iterator of the codes of new parties"
        Party = Pool().get('party.party')
        with without_check_access():
            sequence = Party._code_sequence()
            if not count or not sequence:
                return iter([])
            return iter(list(sequence.get_many(count)))

    def _store_accounts(self):
        rows = {row for row in self.rows if row['iban']}
        if not rows:
            return set()
        pool = Pool()
        Account = pool.get('bank.account')
        Number = pool.get('bank.account.number')
        Party = pool.get('party.party')
        accounts = {
            n.number_compact: n.account for n in Number.search([
                    ('type', '=', 'iban'),
                    ('number_compact', 'in', [row['iban'] for row in rows]),
                    ])}
        updated, changed, holders = set(), {}, []
        for row in self.rows:
            if row not in rows:
                continue
            number = row['iban']
            account = accounts.setdefault(number, Account(
                    owners=[], numbers=[Number(type='iban', number=number)]))
            owners = list(account.owners)
            if row.party not in owners:
                owners.append(row.party)
            holder = row['account_holder']
            if holder and all(
                    fold_name(party.name) != fold_name(holder)
                    for party in owners):
                owners.append(Party(name=holder))
                holders.append(owners[-1])
            if len(owners) > len(account.owners):
                account.owners = owners
                changed[number] = account
                updated.add(row)
            # Tryton finds the bank of new ones
            if account.id and not account.bank:
                account.bank = account.guess_bank()
                if account.bank:
                    changed[number] = account
                    updated.add(row)
        save(holders)
        save(list(changed.values()))
        return updated

    def _store_members(self):
        pool = Pool()
        Member = pool.get('coop.member')
        updated, members = set(), []
        for row in self.rows:
            member = row.member
            if member and member.state != 'applicant':
                continue
            values = _values(row, {
                    'category': 'requested_category',
                    'application_date': 'application_date',
                    'admission_date': 'requested_admission_date',
                    })
            if not member:
                member = row.member = Member(
                    company=self.company, party=row.party,
                    number=row['number'])
                if row['number']:
                    self.numbers.append(row['number'])
            admission = row['admission_date']
            application = getattr(member, 'application_date', None)
            if admission and (not application or application > admission):
                values.setdefault('application_date', admission)
            if update(member, values):
                # The setter of the category has then nothing to write
                member.category = member.requested_category
                updated.add(row)
                members.append(member)
        save(members)
        return updated

    def _store_lists(self):
        pool = Pool()
        Consent = pool.get('coop.member.consent')
        Note = pool.get('ir.note')
        Party = pool.get('party.party')
        Representative = pool.get('coop.member.representative')
        updated, consents, representatives, notes = set(), [], [], []
        known = {
            row: {
                *(c.document for c in row.member.consents),
                *((r.role, r.party.name) for r in row.member.representatives),
                } for row in self.rows}
        for row, item in self.items('consents'):
            if item['consent'] not in known[row]:
                known[row].add(item['consent'])
                consents.append(Consent(
                        member=row.member, document=item['consent'],
                        date=item['consent_date']))
                updated.add(row)
        for row, item in self.items('representatives'):
            key = item['representative_role'], item['representative']
            if key not in known[row]:
                known[row].add(key)
                representatives.append(Representative(
                        member=row.member,
                        party=Party(name=item['representative']),
                        role=item['representative_role'],
                        start_date=(
                            item['representative_start']
                            or row['admission_date'])))
                updated.add(row)
        for row in self._find_new_notes():
            notes.append(Note(resource=row.member, message=row['notes']))
            updated.add(row)
        save(notes)
        save([r.party for r in representatives])
        save(representatives)
        save(consents)
        return updated

    def _find_new_notes(self):
        "Return the rows of which the members do not have the note"
        Note = Pool().get('ir.note')
        rows = [row for row in self.rows if row['notes']]
        known = defaultdict(set)
        for note in Note.search([
                    ('resource', 'in', [str(row.member) for row in rows]),
                    ]) if rows else []:
            known[note.resource].add(note.message)
        return [row for row in rows if row['notes'] not in known[row.member]]

    def _admit(self):
        Member = Pool().get('coop.member')
        rows = {
            row for row in self.rows
            if row['admission_date'] and row.member.state == 'applicant'}
        if rows:
            # Who has no number gets one in the order of the file; what the
            # admission would warn of the rows have already or come later
            with Transaction().set_context(_skip_warnings=True):
                Member.admit(Member.browse(
                        [row.member for row in self.rows if row in rows]))
        return rows

    def _leave(self):
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        today = Date.today()
        rows = {
            row.member.id: row for row in self.rows if row['exit_date']}
        if not rows:
            return set()
        members = [
            m for m in Member.browse(list(rows)) if m.state == 'member']
        for member in members:
            row = rows[member.id]
            member.notice_date = row['notice_date'] or row['exit_date']
            member.exit_reason = row['exit_reason']
            member.requested_exit_date = row['exit_date']
        save(members)
        # What has happened needs no confirmation
        with Transaction().set_context(_skip_warnings=True):
            Member.give_notice(members)
        Member.run_step('leave', [
                m for m in Member.browse(members) if m.exit_date < today])
        return {rows[m.id] for m in members}


def _values(row, names):
    "Return the values of the columns that are filled by the field name"
    return {
        field: row[column] for column, field in names.items()
        if row[column] is not None}


def _get_name(row):
    return ' '.join(
        filter(None, [row['first_name'], row['last_name']])) or row['name']
