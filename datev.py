# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The moves of a year as a batch of postings in the format of DATEV

The public format of the files EXTF, version 700, postings in version 13.
"""
import datetime as dt
import io
import re
import zipfile

from trytond.i18n import gettext

from .exceptions import DatevError

# How many postings a file has at most
LIMIT = 99_999
# How many digits the accounts have
LENGTHS = range(4, 9)
# The columns of the format by position, as DATEV calls them
_COLUMNS = [
    'Umsatz (ohne Soll/Haben-Kz)', 'Soll/Haben-Kennzeichen', 'WKZ Umsatz',
    'Kurs', 'Basis-Umsatz', 'WKZ Basis-Umsatz', 'Konto',
    'Gegenkonto (ohne BU-Schlüssel)', 'BU-Schlüssel', 'Belegdatum',
    'Belegfeld 1', 'Belegfeld 2', 'Skonto', 'Buchungstext', 'Postensperre',
    'Diverse Adressnummer', 'Geschäftspartnerbank', 'Sachverhalt',
    'Zinssperre', 'Beleglink',
    *(f'Beleginfo - {part} {i}'
        for i in range(1, 9) for part in ['Art', 'Inhalt']),
    'KOST1 - Kostenstelle', 'KOST2 - Kostenstelle', 'Kost-Menge',
    'EU-Land u. UStID (Bestimmung)', 'EU-Steuersatz (Bestimmung)',
    'Abw. Versteuerungsart', 'Sachverhalt L+L', 'Funktionsergänzung L+L',
    'BU 49 Hauptfunktionstyp', 'BU 49 Hauptfunktionsnummer',
    'BU 49 Funktionsergänzung',
    *(f'Zusatzinformation{part} {i}'
        for i in range(1, 21) for part in [' - Art', '- Inhalt']),
    'Stück', 'Gewicht', 'Zahlweise', 'Forderungsart', 'Veranlagungsjahr',
    'Zugeordnete Fälligkeit', 'Skontotyp', 'Auftragsnummer', 'Buchungstyp',
    'USt-Schlüssel (Anzahlungen)', 'EU-Land (Anzahlungen)',
    'Sachverhalt L+L (Anzahlungen)', 'EU-Steuersatz (Anzahlungen)',
    'Erlöskonto (Anzahlungen)', 'Herkunft-Kz', 'Buchungs GUID', 'KOST-Datum',
    'SEPA-Mandatsreferenz', 'Skontosperre', 'Gesellschaftername',
    'Beteiligtennummer', 'Identifikationsnummer', 'Zeichnernummer',
    'Postensperre bis', 'Bezeichnung SoBil-Sachverhalt',
    'Kennzeichen SoBil-Buchung', 'Festschreibung', 'Leistungsdatum',
    'Datum Zuord. Steuerperiode', 'Fälligkeit', 'Generalumkehr (GU)',
    'Steuersatz', 'Land', 'Abrechnungsreferenz', 'BVV-Position',
    'EU-Land u. UStID (Ursprung)', 'EU-Steuersatz (Ursprung)',
    'Abw. Skontokonto',
    ]


# What is no text is a number or a date, and has no quotes
_TEXTS = {
    'Soll/Haben-Kennzeichen', 'WKZ Umsatz', 'Belegfeld 1', 'Buchungstext',
    'Beleginfo - Art 1', 'Beleginfo - Inhalt 1'}


def write_datev(fiscalyear, moves, consultant, client, now=None):
    """Return the archive of the postings of the moves, and how many they are

    `consultant` and `client` are the numbers that DATEV gave to the tax
    adviser and to the company.
    """
    length = get_length({l.account for m in moves for l in m.lines})
    rows = [row for move in moves for row in get_rows(move)]
    result = io.BytesIO()
    with zipfile.ZipFile(result, 'w', zipfile.ZIP_DEFLATED) as archive:
        for number, start in enumerate(
                range(0, max(len(rows), 1), LIMIT), 1):
            part = [
                get_header(
                    fiscalyear, consultant, client, length,
                    now or dt.datetime.now()),
                ';'.join(_COLUMNS),
                *(_join(row) for row in rows[start:start + LIMIT])]
            archive.writestr(
                f'EXTF_Buchungsstapel_{number}.csv',
                ''.join(f'{line}\r\n' for line in part).encode('utf-8-sig'))
    return result.getvalue(), len(rows)


def get_length(accounts):
    "Return how many digits the accounts have, which all must be numbers"
    wrong = sorted(
        a.rec_name for a in accounts
        if not re.fullmatch(
            '[0-9]{1,%d}' % max(LENGTHS), a.code or '') or not int(a.code))
    if wrong:
        raise DatevError(gettext(
                'coop.msg_datev_account', accounts=', '.join(wrong[:5])))
    length = max([min(LENGTHS), *(len(a.code) for a in accounts)])
    # Zeros in front do not tell accounts apart
    by_number = {}
    for account in accounts:
        other = by_number.setdefault(int(account.code), account)
        if other != account:
            raise DatevError(gettext(
                    'coop.msg_datev_account', accounts=', '.join(sorted(
                            [other.rec_name, account.rec_name]))))
    return length


def get_header(fiscalyear, consultant, client, length, now):
    "Return the first line of a file"
    company = fiscalyear.company
    created = now.strftime('%Y%m%d%H%M%S') + f'{now.microsecond // 1000:03}'
    values = [
        '"EXTF"', '700', '21', '"Buchungsstapel"', '13', created, '', '""',
        '""', '""', consultant, client,
        fiscalyear.start_date.strftime('%Y%m%d'), length,
        fiscalyear.start_date.strftime('%Y%m%d'),
        fiscalyear.end_date.strftime('%Y%m%d'),
        _quote(fiscalyear.name[:30]), '""',
        # Financial accounting, for any purpose
        '1', '0',
        # Posted moves are not changed any more
        '1', _quote(company.currency.code), '', '""', '', '', '""', '', '',
        '', '""']
    return ';'.join(map(str, values))


def get_rows(move):
    "Yield the postings of the move: each with a debit and a credit account"
    number = re.sub('[^a-zA-Z0-9$&%*+/-]', '', move.number or '')[:36]
    for debit, credit, amount in pair(
            [(line, line.debit - line.credit) for line in move.lines]):
        # Who it is about, and of two lines what the one says that is whole
        line = credit if abs(credit.debit - credit.credit) == amount else debit
        party = debit.party or credit.party
        text = (
            line.description_used or line.move_description_used
            or move.journal.name)
        values = {
            'Umsatz (ohne Soll/Haben-Kz)': f'{amount:f}'.replace('.', ','),
            'Soll/Haben-Kennzeichen': 'S',
            'WKZ Umsatz': move.company.currency.code,
            'Konto': debit.account.code,
            'Gegenkonto (ohne BU-Schlüssel)': credit.account.code,
            'Belegdatum': move.date.strftime('%d%m'),
            'Belegfeld 1': number,
            'Buchungstext': ' '.join(text.split())[:60],
            'Festschreibung': 1,
            }
        if party:
            values['Beleginfo - Art 1'] = (
                party.__names__()['model'][:20])
            values['Beleginfo - Inhalt 1'] = party.rec_name[:210]
        yield values


def pair(amounts):
    """Yield the pairs of what is positive and what is negative, with amounts

    In the order they come, each as much as is left of it.
    """
    sides = [
        [[key, abs(amount)] for key, amount in amounts if amount * sign > 0]
        for sign in [1, -1]]
    while all(sides):
        amount = min(side[0][1] for side in sides)
        yield sides[0][0][0], sides[1][0][0], amount
        for side in sides:
            side[0][1] -= amount
            if not side[0][1]:
                side.pop(0)


def _join(values):
    cells = []
    for name in _COLUMNS:
        value = values.get(name)
        if value is None:
            cells.append('')
        else:
            cells.append(_quote(value) if name in _TEXTS else str(value))
    return ';'.join(cells)


def _quote(text):
    return '"{}"'.format(text.replace('"', '""'))
