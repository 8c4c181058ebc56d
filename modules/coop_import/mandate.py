# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The SEPA mandates that members have signed before."""
from trytond.pool import Pool

from .importer import save


def check(importer):
    "Add the errors of the mandates to the rows"
    Mandate = _get_model()
    rows = {}
    for row in importer.rows:
        if row['mandate_date'] and 'mandate' not in row.values:
            row.error('mandate', 'msg_import_missing')
        if not row['mandate']:
            continue
        for column in ['iban', 'mandate_date']:
            if column not in row.values:
                row.error(column, 'msg_import_missing')
        if Mandate:
            rows[row['mandate']] = row
        else:
            row.error('mandate', 'msg_import_mandate_module')
    for mandate in _find(importer, rows):
        row = rows[mandate.identification]
        row.mandate = mandate
        number = mandate.account_number
        if (row['iban'] and row['mandate_date']
                and (mandate.party != row.party
                    or (number and number.number_compact) != row['iban']
                    or mandate.signature_date != row['mandate_date'])):
            row.error('mandate', 'msg_import_mandate_change',
                value=mandate.identification, party=mandate.party.rec_name)


def store(importer):
    "Store the mandates that are new and return their rows"
    Mandate = _get_model()
    rows = {
        row['mandate']: row for row in importer.rows
        if row['mandate'] and not getattr(row, 'mandate', None)}
    if not rows:
        return set()
    Number = Pool().get('bank.account.number')
    numbers = {
        n.number_compact: n for n in Number.search([
                ('type', '=', 'iban'),
                ('number_compact', 'in', [r['iban'] for r in rows.values()]),
                ])}
    mandates = [
        Mandate(
            party=row.party, company=importer.company,
            address=row.party.address_get(),
            account_number=numbers[row['iban']], identification=identification,
            signature_date=row['mandate_date'])
        for identification, row in rows.items()]
    save(mandates)
    Mandate.request(mandates)
    Mandate.validate_mandate(mandates)
    return set(rows.values())


def _find(importer, identifications):
    if not identifications:
        return []
    return _get_model().search([
            ('company', '=', importer.company),
            ('identification', 'in', list(identifications)),
            ])


def _get_model():
    try:
        return Pool().get('account.payment.sepa.mandate')
    except KeyError:
        return
