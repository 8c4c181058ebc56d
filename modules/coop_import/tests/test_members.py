# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import os
import tempfile
import unittest
from decimal import Decimal
from unittest.mock import patch

from hypothesis import given, settings, strategies as st
from proteus import Model

from trytond.modules.account.tests.tools import (
    create_chart, create_fiscalyear, get_accounts)
from trytond.modules.account_invoice.tests.tools import (
    set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company
from trytond.modules.coop_import import importer
from trytond.modules.coop_import.import_members import EXAMPLE
from trytond.modules.coop_import.profile import list_profiles, load_profile
from trytond.modules.coop_import.scripts import importer as script
from trytond.modules.coop_import.scripts.import_members import do_import
from trytond.modules.coop_import.table import FileError
from trytond.modules.coop_import.tests.mutation import mutated, write
from trytond.modules.coop_import.tests.tools import EXTRAS
from trytond.modules.coop_membership.tests.tools import (
    check_books, create_category)
from trytond.modules.coop_shares.tests.tools import (
    create_payment_method, create_share_class)
from trytond.tests.test_tryton import drop_db
from trytond.tests.tools import activate_modules

GOOD = [
    ['number', 'name', 'category', 'admission_date', 'city', 'share_class',
        'share_quantity', 'share_date', 'share_amount'],
    ['0001', "Zoë Müller", 'U', '1997-01-01', "Köln", 'A', '25',
        '1997-01-01', '1250,00'],
    ['0002', "Bob, the elder", 'U', '1997-01-01', '', '', '', '', ''],
    ['0003', 'Cy "the" Younger', 'U', '', "Bern", '', '', '', ''],
    ['0004', "Dee", 'U', '1997-01-01', "Rom", 'A', '2', '1997-01-01', ''],
    ['', '', '', '', '', 'A', '2', '1997-01-01', ''],
    ['0005', "Eve", 'U', '1997-01-15', "Wien", 'A', '1', '1997-01-15', '50'],
    ]


def set_up():
    config = activate_modules(
        ['coop_import', *EXTRAS], create_company, create_chart)
    Configuration = Model.get('coop.share.configuration')
    fiscalyear = set_fiscalyear_invoice_sequences(
        create_fiscalyear(today=dt.date(1997, 1, 1)))
    fiscalyear.click('create_period')
    create_category(name="Users", code='U')
    create_share_class('A', Decimal(50))
    configuration = Configuration(1)
    configuration.cutover_date = dt.date(1997, 1, 31)
    configuration.account_opening = get_accounts()['cash']
    configuration.save()
    return config


class ImportMembersTestCase(unittest.TestCase):
    "Test the import of members from files that people have"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        drop_db()
        cls.addClassCleanup(drop_db)
        cls.config = set_up()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.last = 1000

    def import_(self, data, **kwargs):
        filename = os.path.join(self.directory, 'members.csv')
        if isinstance(data, list):
            data = write(data)
        if isinstance(data, str):
            data = data.encode()
        with open(filename, 'wb') as file:
            file.write(data)
        kwargs.setdefault('rejects', filename + '.rejects')
        return do_import(filename, **kwargs)

    def numbers(self, count):
        "Return numbers of members that are not there yet"
        cls = self.__class__
        # The sequence has gone on after them
        cls.last = count + max([cls.last, *(
                    int(m.number) + 1 for m in Model.get('coop.member').find(
                        [('number', '!=', None)])
                    if m.number.isdigit())])
        return [str(n) for n in range(cls.last - count, cls.last)]

    def count(self):
        return tuple(
            len(Model.get(name).find([])) for name in [
                'party.party', 'party.address', 'coop.member',
                'coop.share.move', 'account.move'])

    def import_one(self, header, *cells, **kwargs):
        number, = self.numbers(1)
        result = self.import_([
                ['number', 'name', 'category', *header],
                *([number, "Ann", 'U', *row] for row in cells)],
            **kwargs)
        members = Model.get('coop.member').find([('number', '=', number)])
        return result, members[0] if members else None

    def assertCounts(self, result, *counts):
        self.assertEqual((
                result.created, result.updated, result.unchanged,
                result.rejected), counts, result.reasons)

    def test_share_amount(self):
        "Test an amount is read in one way and is what the shares are worth"
        header = [
            'admission_date', 'share_class', 'share_quantity', 'share_date',
            'share_amount']
        shares = ['1997-01-01', 'A', '25', '1997-01-01']
        for amount, message in [
                ('1.250', '"1.250" is 1.250 or 1250'),
                ('12.50', '12.50 is not 25 × 50 = 1250.00'),
                ('1250.001', "more than 2 decimals"),
                ('1 250 $', None),
                ('USD 1250', None),
                ('1.250,00 €', 'is in "€" instead of USD'),
                ]:
            with self.subTest(amount=amount):
                result, member = self.import_one(header, [*shares, amount])
                if message:
                    self.assertIsNone(member)
                    (_, column, reason), = result.reasons
                    self.assertEqual(column, 'share_amount')
                    self.assertIn(message, reason)
                    self.assertCounts(result, 0, 0, 0, 1)
                else:
                    self.assertCounts(result, 1, 0, 0, 0)
                    move, = Model.get('coop.share.move').find([
                            ('to_member', '=', member.id)])
                    self.assertEqual(move.amount, Decimal(1250))

    def test_equal_rows(self):
        "Test equal rows are as many records, once"
        header = [
            'admission_date', 'share_class', 'share_quantity', 'share_date',
            'subscription_class', 'subscription_quantity',
            'subscription_date']
        row = [
            '1997-01-01', 'A', '2', '1997-01-01', 'A', '3', '1997-02-01']
        number, = self.numbers(1)

        def import_(count):
            return self.import_([
                    ['number', 'name', 'category', *header],
                    *([number, "Ann", 'U', *row] for _ in range(count))])

        def count():
            member, = Model.get('coop.member').find([('number', '=', number)])
            moves = Model.get('coop.share.move').find([
                    ('to_member', '=', member.id), ('kind', '=', 'opening')])
            subscriptions = Model.get('coop.share.subscription').find([
                    ('member', '=', member.id)])
            return len(moves), len(subscriptions)

        self.assertCounts(import_(2), 2, 0, 0, 0)
        self.assertEqual(count(), (2, 2))
        self.assertCounts(import_(2), 0, 0, 2, 0)
        self.assertEqual(count(), (2, 2))
        # The file has grown
        self.assertCounts(import_(3), 0, 3, 0, 0)
        self.assertEqual(count(), (3, 3))
        self.assertCounts(import_(3), 0, 0, 3, 0)

    def test_stop(self):
        "Test nothing is stored if the last of many rows is refused"
        before = self.count()
        numbers = self.numbers(12)
        rows = [[number, "Ann", 'U', '', ''] for number in numbers]
        rows[-1][3:] = ['be_vat', 'BE0403019261']
        # It is written in another way, so that only the server finds out
        rows[0][3:] = ['be_vat', '0403.019.261']
        header = [
            'number', 'name', 'category', 'identifier_type', 'identifier']
        with (patch.object(importer, 'SLICE', 5),
                patch.object(script, 'tqdm') as tqdm):
            result = self.import_([header, *rows])
        # It is shown how far it has come
        bar = tqdm.return_value.__enter__.return_value
        self.assertEqual(
            (bar.n, bar.total, bar.refresh.call_count), (12, 12, 3))
        self.assertEqual(
            [line for line, *_ in result.reasons], [len(rows) + 1])
        self.assertCounts(result, 0, 0, 0, len(rows))
        self.assertEqual(self.count(), before)

    def test_text(self):
        "Test text is stored as people have it"
        result, member = self.import_one(
            ['street', 'city', 'care_of', 'notes'],
            ["Yard 2\r\nMain St\xa01", "St.\u202fGallen", "c/o Smith",
                "First\nSecond"])
        self.assertCounts(result, 1, 0, 0, 0)
        address, = member.party.addresses
        self.assertEqual(address.street, "Yard 2\nMain St 1")
        self.assertEqual(address.city, "St. Gallen")
        self.assertEqual(address.attn, "c/o Smith")
        note, = Model.get('ir.note').find([('resource', '=', str(member))])
        self.assertEqual(note.message, "First\nSecond")

        result, member = self.import_one(['city'], ["Ber\x07lin"])
        self.assertIsNone(member)
        (_, column, reason), = result.reasons
        self.assertEqual(column, 'city')
        self.assertIn("U+0007 at position 4", reason)

    def test_dates(self):
        "Test dates are plausible"
        for header, cells, column in [
                (['admission_date'], ['2052-01-01'], 'admission_date'),
                (['admission_date'], ['0197-01-01'], 'admission_date'),
                (['admission_date', 'birth_date'],
                    ['1997-01-01', '1998-01-01'], 'birth_date'),
                ]:
            with self.subTest(cells=cells):
                result, member = self.import_one(header, cells)
                self.assertIsNone(member)
                self.assertEqual([c for _, c, _ in result.reasons], [column])
        result, member = self.import_one(
            ['admission_date'], ['01.01.52'], date_format='%d.%m.%y')
        self.assertIsNone(member)
        result, member = self.import_one(
            ['admission_date'], ['1997-01-01 00:00:00'])
        self.assertEqual(member.admission_date, dt.date(1997, 1, 1))

    def test_name(self):
        "Test first and last name in two columns"
        number, = self.numbers(1)
        rows = [
            ['number', 'first_name', 'last_name', 'category'],
            [number, "Ann", "Smith", 'U']]
        self.assertCounts(self.import_(rows), 1, 0, 0, 0)
        self.assertCounts(self.import_(rows), 0, 0, 1, 0)
        member, = Model.get('coop.member').find([('number', '=', number)])
        self.assertEqual(member.party.name, "Ann Smith")
        result, member = self.import_one(['last_name'], ["Smith"])
        self.assertCounts(result, 0, 0, 0, 1)

    def test_number(self):
        "Test numbers that a spreadsheet has spoiled"
        for number, reason in [
                ('2E+11', "A spreadsheet has made"),
                ('120.0', "A spreadsheet has made"),
                ('="0999"', None),
                ]:
            with self.subTest(number=number):
                result = self.import_([
                        ['number', 'name', 'category'], [number, "Ann", 'U']])
                if reason:
                    self.assertIn(reason, result.reasons[0][2])
                else:
                    self.assertCounts(result, 1, 0, 0, 0)
                    self.assertTrue(Model.get('coop.member').find([
                                ('number', '=', '0999')]))

    def test_long_number(self):
        "Test numbers of more digits than there are"
        for column in ['share_quantity', 'share_amount']:
            for digits in [17, 30, 400]:
                values = {
                    'share_class': 'A', 'share_quantity': '1',
                    'share_date': '1997-01-01', column: '9' * digits}
                with self.subTest(column=column, digits=digits):
                    result, _ = self.import_one(
                        list(values), list(values.values()))
                    self.assertCounts(result, 0, 0, 0, 1)

    def test_sequence(self):
        "Test the sequence goes on after the highest number"
        Sequence = Model.get('ir.sequence.strict')
        Member = Model.get('coop.member')
        Party = Model.get('party.party')

        def admit():
            party = Party(name="New")
            party.save()
            member = Member(
                party=party, application_date=dt.date(1997, 1, 1),
                admission_date=dt.date(1997, 1, 1))
            member.category, = Model.get('coop.member.category').find([
                    ('code', '=', 'U')])
            member.save()
            member.click('admit')
            return member.number

        sequence, = Sequence.find([
                ('sequence_type.name', '=', "Member")])
        self.assertLess(sequence.padding, 8)
        self.import_([
                ['number', 'name', 'category'],
                ['00700007', "Ann", 'U'], ['00700005', "Bob", 'U'],
                ['X800000', "Cy", 'U']])
        self.assertEqual([admit(), admit()], ['00700008', '00700009'])
        # It never goes back
        self.import_([
                ['number', 'name', 'category'], ['000007', "Ann", 'U']])
        self.assertEqual(admit(), '00700010')

    def test_similar(self):
        "Test who may be there already is warned of with both"
        first, second, third, fourth = self.numbers(4)
        iban = 'DE89370400440532013000'
        result = self.import_([
                ['number', 'name', 'category', 'birth_date', 'email', 'iban'],
                [first, "Zoé Smith", 'U', '1960-02-29', '', iban],
                [second, "Zoe Smith", 'U', '1960-02-29', 'zoe@example.org',
                    ''],
                [third, "Bob Smith", 'U', '1960-02-29', '', ''],
                ])
        self.assertEqual(result.warnings, [(
                    3, 'name',
                    f'"Zoe Smith" may be the same person as the member '
                    f'"[{first}] Zoé Smith": the name and the birth_date are '
                    'the same.')])
        self.assertCounts(result, 3, 0, 0, 0)
        for email, account, column in [
                ('Zoe@Example.org', '', 'email'), ('', iban, 'iban')]:
            with self.subTest(column=column):
                result = self.import_([
                        ['number', 'name', 'category', 'email', 'iban'],
                        [fourth, "ZOE SMITH", 'U', email, account],
                        ], dry_run=True)
                (_, _, text), = result.warnings
                self.assertIn(f"the {column} are the same", text)
        # The tax identifier tells who it is, however it is written
        header = [
            'number', 'name', 'category', 'identifier_type', 'identifier']
        row = [fourth, "Taxed", 'U', 'be_vat', 'BE0428759497']
        fifth, = self.numbers(1)
        other = [fifth, "Taxed", 'U', 'be_vat', '0428.759.497']
        result = self.import_([header, row, other], dry_run=True)
        (line, _, text), = result.warnings
        self.assertEqual(line, 3)
        self.assertIn(f"[{fourth}] Taxed", text)
        self.assertIn("the identifier are the same", text)
        self.assertCounts(self.import_([header, row]), 1, 0, 0, 0)
        result = self.import_([header, other])
        (_, _, text), = result.reasons
        self.assertIn("Taxed", text)
        self.assertIn(fourth, text)

    def test_account_holder(self):
        "Test the holder of an account who is not the member"
        number, = self.numbers(1)
        rows = [
            ['number', 'name', 'category', 'iban', 'account_holder'],
            [number, "Kid", 'U', 'BE71096123456769', "Parent"]]
        self.assertCounts(self.import_(rows), 1, 0, 0, 0)
        self.assertCounts(self.import_(rows), 0, 0, 1, 0)
        member, = Model.get('coop.member').find([('number', '=', number)])
        account, = member.party.bank_accounts
        self.assertEqual(
            sorted(owner.name for owner in account.owners),
            ["Kid", "Parent"])

    def test_bank(self):
        "Test the account has its bank, or is listed as lacking one"
        # The examples of the SWIFT IBAN registry, and the code of the
        # Commerzbank in the list of the Bundesbank
        for iban, bic in [
                ('DE89370400440532013000', 'COBADEFFXXX'),
                ('MT84MALT011000012345MTLCAST001S', None)]:
            with self.subTest(iban=iban):
                result, member = self.import_one(['iban'], [iban])
                account, = member.party.bank_accounts
                if bic:
                    self.assertEqual(account.bank.bic, bic)
                    self.assertFalse(result.warnings)
                else:
                    self.assertIsNone(account.bank)
                    (_, column, text), = result.warnings
                    self.assertEqual(column, 'iban')
                    self.assertIn(iban, text)

    def test_mandate(self):
        "Test the mandate is validated, and stays as it is"
        number, = self.numbers(1)
        # An example of the registry of IBAN, with its bank
        iban = 'FR1420041010050500013M02606'
        header = [
            'number', 'name', 'category', 'street', 'city', 'iban', 'mandate',
            'mandate_date']
        row = [
            number, "Payer", 'U', "Rue 1", "Limoges", iban, f'M-{number}',
            '1997-02-03']
        self.assertCounts(self.import_([header, row]), 1, 0, 0, 0)
        self.assertCounts(self.import_([header, row]), 0, 0, 1, 0)
        Mandate = Model.get('account.payment.sepa.mandate')
        mandate, = Mandate.find([('identification', '=', f'M-{number}')])
        self.assertEqual(mandate.state, 'validated')
        self.assertEqual(mandate.signature_date, dt.date(1997, 2, 3))
        self.assertEqual(mandate.party.name, "Payer")
        self.assertEqual(mandate.account_number.number_compact, iban)
        for changes in [
                {-1: '1997-02-04'}, {-3: 'BE71096123456769'}, {-1: ''},
                {-2: ''}]:
            with self.subTest(changes=changes):
                changed = row.copy()
                for i, cell in changes.items():
                    changed[i] = cell
                self.assertCounts(
                    self.import_([header, changed], on_error='skip'),
                    0, 0, 0, 1)
        # Nor does another have it, who has the same account
        other, = self.numbers(1)
        result = self.import_(
            [header, [other, "Spouse", *row[2:]]], on_error='skip')
        self.assertCounts(result, 0, 0, 0, 1)
        self.assertIn("Payer", result.reasons[0].text)

    def test_no_number(self):
        "Test who has no number is known by the name and e-mail address"
        rows = [
            ['first_name', 'last_name', 'email', 'category', 'admission_date',
                'city'],
            ["Ann", "Couple", 'couple@example.org', 'U', '1997-01-01', "Ulm"],
            ["Ben", "Couple", 'Couple@example.org', 'U', '1997-01-01', "Ulm"]]
        self.assertCounts(self.import_(rows), 2, 0, 0, 0)
        self.assertCounts(self.import_(rows), 0, 0, 2, 0)
        rows[1][-1] = "Bonn"
        self.assertCounts(self.import_(rows), 0, 1, 1, 0)
        Member = Model.get('coop.member')
        ann, ben = Member.find(
            [('party.name', 'ilike', '% Couple')], order=[('number', 'ASC')])
        self.assertEqual(int(ben.number), int(ann.number) + 1)
        self.assertEqual(ann.party.addresses[0].city, "Bonn")
        # The numbers of the file are not given to those without
        next_ = int(ben.number) + 1
        rows = [
            ['number', 'name', 'email', 'category', 'admission_date'],
            ['', "Cid Alone", 'cid@example.org', 'U', '1997-01-01'],
            [str(next_), "Dan Alone", '', 'U', '1997-01-01']]
        self.assertCounts(self.import_(rows), 2, 0, 0, 0)
        cid, = Member.find([('party.name', '=', "Cid Alone")])
        self.assertEqual(int(cid.number), next_ + 1)
        self.assertCounts(
            self.import_([['name', 'email', 'category'], ["Eva", '', 'U']],
                on_error='skip'), 0, 0, 0, 1)

    def test_profiles(self):
        "Test the files of other programs"
        # Made by hand, with the headers of the programs
        number, = self.numbers(1)
        for name, constants, rows, counts in [
                ('cooperator_partners', {'category': 'U'}, [
                        ["Cooperator Number", "Name", "Street", "Zip", "City",
                            "Country/Country Code", "Email",
                            "Effective Date", "Is a Company"],
                        [number, "Coop Partner", "Rue 2", '1000', "Bruxelles",
                            '', 'partner@example.org', '1997-01-01',
                            'False']], (1, 0, 0, 0)),
                ('cooperator_register', {'category': 'U'}, [
                        ["Number Operation", "Cooperator/Cooperator Number",
                            "Cooperator", "Transfered to",
                            "Subscription Date", "Number of share",
                            "Share type name", "Operation Type"],
                        ['1', number, "Coop Partner", '', '1997-03-01', '2',
                            'A', "Subscription"],
                        ['2', number, "Coop Partner", '', '1997-04-01', '1',
                            'A', "Subscription"],
                        ['3', number, "Coop Partner", "Other", '1997-05-01',
                            '1', 'A', "Transfer"],
                        ['4', number, "Coop Partner", '', '1997-06-01', '1',
                            'A', "Sell Back"]], (0, 2, 0, 2)),
                ('juntagrico_members',
                    {'category': 'U', 'admission_date': '1997-01-01'}, [
                        ["Vorname", "Nachname", "email", "Strasse", "PLZ",
                            "Ort", "Geburtsdatum", "Deaktivierungsdatum"],
                        ["Jo", "Feld", 'jo@example.org', "Weg 1", '8000',
                            "Zürich", '1970-01-01', ''],
                        ["Al", "Alt", 'al@example.org', "Weg 2", '8000',
                            "Zürich", '1960-01-01', '1996-12-31']],
                    (1, 0, 0, 1)),
                ('juntagrico_members',
                    {'category': 'U', 'admission_date': '1997-01-01'}, [
                        ['id', 'first_name', 'last_name', 'email',
                            'addr_street', 'addr_zipcode', 'addr_location',
                            'birthday', 'phone', 'mobile_phone', 'iban',
                            'confirmed', 'deactivation_date', 'notes',
                            'number'],
                        ['7', "Kim", "Acker", 'kim@example.org', "Weg 3",
                            '8000', "Zürich", '1971-01-01', '044 123 45 67',
                            '', '', '1', '', "Has a key", '']],
                    (1, 0, 0, 0)),
                ('juntagrico_shares', {'subscription_class': 'A'}, [
                        ['id', 'number', 'paid_date', 'issue_date',
                            'cancelled_date', 'termination_date',
                            'payback_date', 'notes', 'member_first_name',
                            'member_last_name', 'member_email'],
                        ['8', '77', '', '1997-02-01', '', '', '', "Framed",
                            "Kim", "Acker", 'kim@example.org'],
                        ['9', '78', '', '1997-02-01', '', '', '1997-08-01',
                            '', "Kim", "Acker", 'kim@example.org']],
                    (0, 1, 0, 1)),
                ('juntagrico_shares',
                    {'category': 'U', 'subscription_class': 'A'}, [
                        ["id", "Bezahlt am", "Ausgestellt am",
                            "Gekündigt am", "Vorname", "Nachname", "email"],
                        ['1', '', '1997-02-01', '', "Jo", "Feld",
                            'jo@example.org'],
                        ['2', '', '1997-02-01', '', "Jo", "Feld",
                            'jo@example.org'],
                        ['3', '', '1997-02-01', '1997-06-01', "Jo", "Feld",
                            'jo@example.org']], (0, 2, 0, 1)),
                ('tapir_members', {'category': 'U'}, [
                        ["ID", "First name", "Last name", "Street",
                            "Postcode", "City", "Status", "Ratenzahlung",
                            "Is company", "Email", "Phone number",
                            "Company name", "Preferred language",
                            "Num shares", "Join date"],
                        ['T7', "Ta", "Old", "Allee 4", '10115', "Berlin",
                            'sold', 'False', 'False', '', '', '', 'en', '0',
                            ''],
                        ['T8', "Ta", "New", "Allee 5", '10115', "Berlin",
                            'active', 'False', 'False', 'new@example.org',
                            '+49 30 1234567', '', 'en', '2',
                            '1997-01-02']], (1, 0, 0, 1)),
                ('tapir_closing', {'category': 'U'}, [
                        ["Status am 31.12.1997", "Beitrittsdatum",
                            "Mitgliedsnummer", "Name", "Anschrift"],
                        ['active', '02.01.1997', 'T1', "Ta Pir",
                            "Allee 3, 10115 Berlin"]], (1, 0, 0, 0)),
                ]:
            with self.subTest(profile=name):
                arguments = load_profile(name)
                arguments['constants'].update(constants)
                # Once more changes nothing
                new, changed, unchanged, rejected = counts
                for counts in [
                        (new, changed, unchanged, rejected),
                        (0, 0, new + changed, rejected)]:
                    self.assertCounts(
                        self.import_(rows, on_error='skip', **arguments),
                        *counts)
        self.assertEqual(
            sorted(list_profiles()), [
                'cooperator_partners', 'cooperator_register',
                'juntagrico_members', 'juntagrico_shares',
                'sparkasse_payments', 'tapir_closing', 'tapir_members',
                'volksbank_payments'])
        Subscription = Model.get('coop.share.subscription')
        for name, quantities in [
                ("Coop Partner", [2, 1]), ("Jo Feld", [1, 1]),
                ("Kim Acker", [1])]:
            self.assertEqual([s.quantity for s in Subscription.find(
                        [('member.party.name', '=', name)],
                        order=[('date', 'ASC')])], quantities)

    def test_bank_payments(self):
        "Test the payments of shares on an account, as banks export them"
        Member = Model.get('coop.member')
        Subscription = Model.get('coop.share.subscription')
        number, = self.numbers(1)
        ibans = [
            'DE02120300000000202051', 'DE02500105170137075030',
            'DE02100500000054540402']
        create_payment_method()
        self.assertCounts(self.import_([
                    ['number', 'name', 'category', 'admission_date', 'iban',
                        'subscription_class', 'subscription_quantity',
                        'subscription_date'],
                    [number, "Paula Payer", 'U', '1997-01-01', ibans[0], 'A',
                        '2', '1997-02-01']]), 1, 0, 0, 0)

        def movement(
                day, name, iban, amount, currency="USD", info="gebucht"):
            return [
                'DE89370400440532013000', day, day, "GUTSCHR. UEBERWEISUNG",
                "Anteile", '', '', '', '', '', '', name, iban, '', amount,
                currency, f"Umsatz {info}"]

        header = [
            "Auftragskonto", "Buchungstag", "Valutadatum", "Buchungstext",
            "Verwendungszweck", "Glaeubiger ID", "Mandatsreferenz",
            "Kundenreferenz (End-to-End)", "Sammlerreferenz",
            "Lastschrift Ursprungsbetrag", "Auslagenersatz Ruecklastschrift",
            "Beguenstigter/Zahlungspflichtiger", "Kontonummer/IBAN",
            "BIC (SWIFT-Code)", "Betrag", "Waehrung", "Info"]
        good = [
            # What was subscribed before, and twice as many shares as each
            movement('03.02.97', "PAULA PAYER", ibans[0], '100,00'),
            movement('04.02.97', "Paula Payer", ibans[0], '1.000,00'),
            movement('04.02.97', "Paula Payer", ibans[0], '1.000,00')]
        bad = [
            movement('04.02.97', "Nina New", ibans[1], '50,00'),
            movement('04.02.97', "Olga Odd", ibans[1], '75,00'),
            movement('04.02.97', "Shop", ibans[2], '-9,99'),
            movement('04.02.97', "Euro", ibans[2], '50,00', "EUR"),
            movement('05.02.97', "Paula Payer", ibans[0], '50,00',
                info="vorgemerkt")]
        arguments = load_profile('sparkasse_payments')
        arguments['constants'] = {'subscription_class': 'A'}
        for counts in [(0, 3, 0, 5), (0, 0, 3, 5)]:
            result = self.import_(
                [header, *good, *bad], on_error='skip', **arguments)
            self.assertCounts(result, *counts)
            self.assertLessEqual({
                    (5, 'subscription_paid'), (6, 'subscription_amount'),
                    (7, 'subscription_amount'),
                    (8, 'subscription_currency'), (9, '')},
                {(line, column) for line, column, _ in result.reasons})
            member, = Member.find([('number', '=', number)])
            subscriptions = Subscription.find(
                [('member', '=', member.id)], order=[('date', 'ASC')])
            self.assertEqual(
                [(s.date.day, s.quantity, s.state, s.payments[0].date.day)
                    for s in subscriptions],
                [(1, 2, 'paid', 3), (4, 20, 'paid', 4), (4, 20, 'paid', 4)])
        # Who pays and is admitted becomes a member
        arguments['constants'].update(
            category='U', admission_date='1997-02-04')
        for counts in [(1, 0, 0, 0), (0, 0, 1, 0)]:
            self.assertCounts(
                self.import_([header, bad[0]], **arguments), *counts)
        nina, = Member.find([('party.name', '=', "Nina New")])
        self.assertEqual(nina.state, 'member')
        self.assertEqual(
            nina.party.bank_accounts[0].numbers[0].number_compact, ibans[1])
        # Another bank
        arguments = load_profile('volksbank_payments')
        arguments['constants'] = {'subscription_class': 'A'}
        result = self.import_([
                ["Buchungstag", "Name Zahlungsbeteiligter",
                    "IBAN Zahlungsbeteiligter", "Betrag", "Waehrung"],
                ['04.02.1997', "Nina New", ibans[1], '50,00', "USD"],
                ['06.02.1997', "Nina New", ibans[1], '150,00', "USD"]],
            **arguments)
        self.assertCounts(result, 0, 2, 0, 0)
        self.assertEqual(
            check_books(dt.date(1997, 3, 31)), [])

    def test_province(self):
        "Test the province of an address"
        Country = Model.get('country.country')
        Subdivision = Model.get('country.subdivision')
        italy = Country(name="Italy", code='IT', code3='ITA')
        italy.save()
        Subdivision(
            country=italy, name="Milano", code='IT-MI', type='province').save()
        for name in ['MI', 'IT-MI', "milano"]:
            with self.subTest(name=name):
                result, member = self.import_one(
                    ['city', 'country', 'province'], ["Milano", 'IT', name])
                self.assertCounts(result, 1, 0, 0, 0)
                address, = member.party.addresses
                self.assertEqual(address.subdivision.code, 'IT-MI')
        result, _ = self.import_one(['country', 'province'], ['IT', 'XX'])
        self.assertIn('There is no province "XX"', result.reasons[0][2])

    def test_example(self):
        "Test the example can be imported"
        Country = Model.get('country.country')
        if not Country.find([('code', '=', 'DE')]):
            Country(name="Germany", code='DE', code3='DEU').save()
        text = EXAMPLE.read_text()
        # Other numbers, and before the cut-over
        for old, new in [
                ('\n000', '\nE00'), ('1997-02-01', '1997-01-21'),
                ('1997-03-01', '1997-01-22')]:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.assertCounts(self.import_(text), 4, 0, 0, 0)
        self.assertCounts(self.import_(text), 0, 0, 4, 0)

    def test_several(self):
        "Test a name that two have is refused"
        create_category(name="Twins", code='T1')
        create_category(name="Twins", code='T2')
        result = self.import_([
                ['number', 'name', 'category'],
                [self.numbers(1)[0], "Ann", "Twins"]])
        self.assertEqual(
            result.reasons[0][2], 'There are several called "Twins".')

    @settings(max_examples=300)
    @given(mutated(GOOD), st.sampled_from(['stop', 'skip']))
    def test_mutated(self, data, on_error):
        "Test no row disappears whatever is wrong with the file"
        before = self.count()
        try:
            result = self.import_(data, on_error=on_error)
        except FileError:
            self.assertEqual(self.count(), before)
            return
        self.assertEqual(
            result.rows,
            result.created + result.updated + result.unchanged
            + result.rejected)
        parties, addresses, members, shares, moves = (
            after - earlier
            for after, earlier in zip(self.count(), before))
        # Each member is stored with the party, its address and the shares
        self.assertEqual(parties, members)
        self.assertEqual(addresses, members)
        self.assertLessEqual(members, result.created)
        self.assertEqual(bool(result.created), bool(members))
        if on_error == 'stop' and result.rejected:
            self.assertEqual((members, shares, moves), (0, 0, 0))
            self.assertEqual(result.rejected, result.rows)
        self.assertEqual(len(Model.get('coop.share.move').find([
                        ('state', '!=', 'done')])), 0)

