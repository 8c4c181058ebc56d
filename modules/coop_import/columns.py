# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The columns of the files that can be imported."""
from .rows import (
    IBAN, Amount, Choice, Code, Column, Date, DateTime, Email, Flag, Integer,
    Number, Text)

MEMBER = {
    'number': Column(
        Code(), "number in the register; without it a member is known by the "
        "name and the e-mail address, or the bank account", True,
        instead=('email', 'iban')),
    'name': Column(
        Text(), "name of the person or entity", True,
        instead=('last_name',)),
    'first_name': Column(Text(), "first name, if it has its own column"),
    'last_name': Column(Text(), "last name, if it has its own column"),
    'category': Column(
        Text(), "code or name of the member category of who is new"),
    'application_date': Column(
        Date(), "day of the application (default: of the admission)"),
    'admission_date': Column(
        Date(years=1), "first day of the membership; empty for an applicant"),
    'notice_date': Column(
        Date(), "day the notice was given (default: the exit date)"),
    'exit_date': Column(Date(years=10), "last day of the membership"),
    'exit_reason': Column(
        Choice(
            'resignation', 'exclusion', 'death', 'transfer', 'dissolution',
            'insolvency', 'creditor_notice', 'other'),
        "resignation, exclusion, death, transfer, dissolution, insolvency, "
        "creditor_notice or other"),
    'party_code': Column(
        Code(), "code of the party, if it is there already"),
    'legal_entity': Column(Flag(), "yes if not a natural person"),
    'birth_date': Column(Date(), "date of birth"),
    'language': Column(Text(), "code of the language, as de"),
    'care_of': Column(Text(), "at whose address, as c/o Family Smith"),
    'street': Column(Text(lines=True), "street and number"),
    'postal_code': Column(Code(), "postal code"),
    'city': Column(Text(), "city"),
    'province': Column(
        Text(), "code or name of the province, in the country of its column"),
    'country': Column(Text(), "code of the country, as DE"),
    'phone': Column(Text(), "phone number"),
    'mobile': Column(Text(), "mobile phone number"),
    'email': Column(Email(), "e-mail address"),
    'website': Column(Text(), "address of the website"),
    'identifier_type': Column(
        Text(), "type of the identifier, as eu_vat"),
    'identifier': Column(Code(), "tax or other identifier"),
    'iban': Column(IBAN(), "number of the bank account"),
    'account_holder': Column(
        Text(), "name of the holder of the account, if it is another"),
    'mandate': Column(
        Code(), "identification of the SEPA mandate for the bank account"),
    'mandate_date': Column(Date(), "day the mandate was signed"),
    'notes': Column(Text(lines=True), "note on the member"),
    'representative': Column(
        Text(), "name of a representative", True, 'representatives'),
    'representative_role': Column(
        Choice('legal_representative', 'guardian', 'heir', 'agent', 'contact'),
        "legal_representative, guardian, heir, agent or contact", True,
        'representatives'),
    'representative_start': Column(
        Date(years=1),
        "first day of the representation (default: the admission)",
        False, 'representatives'),
    'consent': Column(
        Text(), "name of a document the member consents to", True,
        'consents'),
    'consent_date': Column(Date(), "day of the consent", True, 'consents'),
    }

SHARES = {
    'share_class': Column(
        Text(), "code or name of the class of shares held", True, 'shares'),
    'share_quantity': Column(Number(above=0), "number of shares held", True,
        'shares'),
    'share_date': Column(Date(), "first day the shares are held", True,
        'shares'),
    'share_amount': Column(
        Amount(above=0), "their amount, which is their par value", False,
        'shares'),
    'share_vintage': Column(
        Integer(minimum=1800), "year of the allocation of the equity", False,
        'shares'),
    'subscription_class': Column(
        Text(), "code or name of the class of shares subscribed", True,
        'subscriptions'),
    'subscription_quantity': Column(
        Number(above=0), "number of shares subscribed", True,
        'subscriptions', instead=('subscription_amount',)),
    'subscription_amount': Column(
        Amount(above=0), "their amount, which tells the number", False,
        'subscriptions'),
    'subscription_currency': Column(
        Text(), "code of the currency of the amount, which is the company's",
        False, 'subscriptions'),
    'subscription_date': Column(
        Date(years=1), "day of the subscription; without it what was "
        "subscribed before is paid, or subscribed on that day", True,
        'subscriptions', instead=('subscription_paid',)),
    'subscription_paid': Column(
        Date(), "day it was paid; empty if it is not", False,
        'subscriptions'),
    'subscription_payment_method': Column(
        Text(), "name of the payment method (default: the only one)", False,
        'subscriptions'),
    }

PATRONAGE = {
    'external_id': Column(
        Code(),
        "what identifies the entry within its category (default: its values)"),
    'category': Column(
        Text(), "code or name of the patronage category", True),
    'member': Column(Code(), "number of the member"),
    'party': Column(Code(), "code of the party, if not a member"),
    'date': Column(Date(), "day of the activity", True),
    'quantity': Column(Number(), "quantity in the unit of the category"),
    'amount': Column(Amount(), "amount without taxes"),
    'description': Column(Text(), "description"),
    }

USAGE = {
    'source': Column(Text(), "where the usage was recorded", True),
    'external_id': Column(
        Code(), "what identifies the usage within its source", True),
    'resource': Column(
        Text(), "code or name of the resource", True, instead=('booking',)),
    'booking': Column(
        Code(), "number of the booking; it tells the resource and the user"),
    'member': Column(Code(), "number of the member"),
    'party': Column(Code(), "code of the party, if not a member"),
    'cost_center': Column(
        Code(), "code of the analytic account, if an own use"),
    'person': Column(
        Code(), "code of the party who used it for the one who is billed"),
    'start': Column(
        DateTime(years=1), "start; without offset in the time of the resource",
        True),
    'end': Column(
        DateTime(years=1), "end; may be empty if there are quantities"),
    'seats': Column(
        Integer(above=0), "how many of the capacity (default: 1)"),
    'description': Column(Text(), "description"),
    'quantity': Column(Number(), "quantity used", True, 'quantities'),
    'unit': Column(
        Text(), "symbol, name or other symbol of its unit", True,
        'quantities'),
    }

READING = {
    'resource': Column(Text(), "code or name of the resource", True),
    'meter': Column(Text(), "name of the meter of the resource", True),
    'time': Column(
        DateTime(), "time; without offset in the time of the resource",
        True),
    'kind': Column(
        Choice('start', 'end', 'exchange'),
        "start, end or exchange (default: end)"),
    'value': Column(Number(minimum=0), "what the meter shows", True),
    'last_value': Column(
        Number(minimum=0), "what the old meter showed at its exchange"),
    'member': Column(
        Code(), "number of the member who used it; empty for a gap"),
    'party': Column(Code(), "code of the party, if not a member"),
    'cost_center': Column(
        Code(), "code of the analytic account, if an own use"),
    }
