# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"How reports write values"
from decimal import Decimal

from trytond.pool import Pool


def write_number(lang, value, digits=None):
    "Return the text of a number, by default with the decimals it has"
    value = Decimal(str(value))
    if digits is None:
        digits = max(-value.normalize().as_tuple().exponent, 0)
    return lang.format_number(value, digits=digits, monetary=True)


def get_formats(report, currency):
    """Return the functions by which a report writes values

    They write in the language that is set, and what is missing as nothing.
    """
    get_lang = Pool().get('ir.lang').get

    def money(amount):
        return '' if amount is None else report.format_currency(
            amount, get_lang(), currency, symbol=False)

    def number(value, digits=None):
        return '' if value is None else write_number(
            get_lang(), value, digits)

    def percent(rate, digits=2):
        return '' if rate is None else (
            write_number(get_lang(), rate * 100, digits) + ' %')

    def date(value):
        return report.format_date(value, get_lang()) if value else ''
    return {
        'money': money,
        'number': number,
        'percent': percent,
        'date': date,
        }
