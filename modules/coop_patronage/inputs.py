# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What an allocation of surplus depends on, as one value

What is read of the database is here and nothing else: the rows that are
allocated are a function of it, and so are the digests by which is seen what
has changed since.
"""
import datetime as dt
import hashlib
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

# To be raised when the same inputs give other digests or other rows
VERSION = 4


class Settings(NamedTuple):
    "How the surplus is appropriated"
    unit: Decimal
    vintage: int
    start_date: dt.date
    end_date: dt.date
    recognition: str
    posting_date: dt.date | None
    account_surplus: int
    brought_forward: Decimal
    account_brought_forward: int | None
    reserve_release: Decimal
    account_reserve_release: int | None
    other_result: Decimal
    # Of the activity of these the members' part is the ratio
    ratio_categories: dict
    fixed_ratio: Decimal | None
    patronage_base: Decimal | None
    net_losses: bool
    net_sections: bool
    income_tax: Decimal
    paid_capital: Decimal | None
    registration_date: dt.date | None


class RuleInputs(NamedTuple):
    "A rule of law"
    key: Any
    kind: str
    line_kind: str
    other_kind: str | None
    rate: Decimal | None
    has_reference: bool
    reference_rate: Decimal | None
    months: int | None
    days: int | None
    years: int | None
    seniority_months: int | None


class LineInputs(NamedTuple):
    "The rule of a line"
    key: Any
    kind: str
    basis: str
    rate: Decimal | None
    amount: Decimal | None
    minimum_amount: Decimal | None
    minimum_rate: Decimal | None
    maximum_rate: Decimal | None
    target: Decimal | None
    account: int | None
    target_account: int | None
    # The section of the business whose result it takes from
    section: int | None


class PoolInputs(NamedTuple):
    "How a pool is distributed"
    key: Any
    line: Any
    difference_line: Any
    # By id the measure and the weight
    categories: dict
    has_usage: bool
    method: str
    amount: Decimal | None
    rate: Decimal | None
    cash_percent: Decimal
    cash_floor: Decimal | None
    equity_class: int | None
    par_value: Decimal | None
    quantity_digits: int | None
    required_equity: Decimal | None
    elections: bool
    rounding: Decimal
    minimum: Decimal | None
    below_minimum: str
    cash_below: Decimal | None
    qualified: bool
    bylaw_consent: bool
    cheque_consent: bool
    payment_date: dt.date | None
    minimum_activity: Decimal | None
    non_members: str
    cap_percent: Decimal | None
    withholding_rate: Decimal | None
    withholding_threshold: Decimal | None
    withholding_base: str
    withholding_unidentified: bool
    set_off: bool
    loss_order: str
    # The part of its line, if it is no amount
    part: Decimal | None
    measure: str
    employees: bool
    presence_months: int | None
    seniority_months: int | None
    seniority_rate: Decimal | None
    seniority_maximum: Decimal | None
    # What decides on when and as what it is paid
    terms: tuple


class Inputs(NamedTuple):
    """All that the rows of a surplus depend on

    Each field is one kind of what can change, which is named to the user.
    """
    settings: Settings
    # Before the dividends that are accrued
    result: Decimal
    # Of it by section, the rest is of none
    sections: dict
    lines: tuple
    # What the law asks for
    rules: tuple
    # What the accounts of the lines hold at the end of the year
    balances: dict
    pools: tuple
    # By if the use of the commons counts: party, member, category, quantity
    # and amount
    activity: dict
    # By pool the parties that take part, or nothing if all do
    eligible: dict
    # By pool the activity of all years, like that of the year
    lifetime: dict
    # By pool and party the full years and the member: of the employees who
    # take part, or of the members
    seniority: dict
    # By pool and member the shares of the uses and the target holding
    elections: dict
    # By pool and member what is to pay for the shares to hold
    owed: dict
    # By pool and member the use that the base capital is measured by
    use: dict
    # By member and class
    holdings: dict
    # By party what is overdue, in all and for shares
    debts: dict
    # By party what was allocated and withheld in the year of the posting
    taxed: dict
    # By party the terms of its own, and what its exemption of the year has
    # taken
    tax_terms: dict
    identified: frozenset
    # By party what is below the minimum
    kept: dict
    # By member when he consented in writing
    consents: dict


class RetainSettings(NamedTuple):
    "How much is retained per unit"
    unit: Decimal
    method: str
    rate: Decimal
    posting_date: dt.date
    share_class: int
    par_value: Decimal
    quantity_digits: int
    qualified: bool


class RetainInputs(NamedTuple):
    "All that the lines of a per-unit retain depend on"
    settings: RetainSettings
    # Party, member, category, quantity and amount
    activity: list


class RevolvementSettings(NamedTuple):
    "How the equity is paid out"
    unit: Decimal
    method: str
    posting_date: dt.date
    payment_date: dt.date | None
    budget: Decimal | None
    rate: Decimal | None
    until_vintage: int | None
    discount_rate: Decimal | None
    cycle_years: int | None
    required_equity: Decimal | None
    minimum: Decimal | None
    payout: str


class RevolvementInputs(NamedTuple):
    "All that the lines of a revolvement depend on"
    settings: RevolvementSettings
    # By id the par value and the digits of the quantity
    classes: dict
    # By member and class the lots
    holdings: dict
    use: dict
    # By member what is overdue, if it is set off
    debts: dict


def _plain(value):
    "Return the value as what has one representation only"
    if isinstance(value, dict):
        return sorted([str(k), _plain(v)] for k, v in value.items())
    elif isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    elif isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    elif isinstance(value, Decimal):
        return str(value.normalize() + 0)
    elif isinstance(value, (dt.date, Fraction)):
        return str(value)
    else:
        return value


def digests(inputs):
    "Return the digest of each of the fields of the inputs"
    return {
        name: hashlib.sha256(
            json.dumps(_plain(value)).encode()).hexdigest()
        for name, value in inputs._asdict().items()}


def total_digest(parts):
    "Return the digest of the digests, with the version"
    digest = hashlib.sha256(
        json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f'{VERSION}-{digest}'
