# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The tax that is withheld from what members are paid."""
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from trytond.modules.coop_membership.rounding import half_up

__all__ = ['STANDARD', 'Terms', 'Withheld', 'withhold']


class Terms(NamedTuple):
    "What of the tax of a party differs from that of the others"
    # Instead of the rate of all, if it is not None
    rate: Decimal | None = None
    # What of a calendar year is not taxed
    exemption: Decimal = Decimal(0)
    # A part of the tax without its surcharge
    church_rate: Decimal = Decimal(0)
    # A part of the tax, which the rates contain
    surcharge: Decimal = Decimal(0)


class Withheld(NamedTuple):
    "What is withheld, the church tax in it and what the exemption takes"
    tax: Decimal
    church_tax: Decimal
    exempt: Decimal


STANDARD = Terms()


def withhold(
        amount, rate, unit, allowance=None, terms=STANDARD, exempted=0,
        before=0, withheld=0):
    """Return what is withheld from an amount.

    `rate` is the part of it that all pay, with the surcharge, and
    `allowance` is what of a year's total nobody pays it from.  The total has
    also the amounts `before`, without what of them was exempt, from which
    `withheld` was taken; `exempted` is what the exemption of the year has
    taken already.  All amounts are in the currency of which `unit` is the
    smallest one.

    The tax is on the total of the year less what is withheld already.  Who
    has a rate of his own or church tax has them from a day on: only the
    amount itself is taxed by them.

    Church tax reduces the tax that it is a part of, since it is deducted
    from what is taxed (Germany, EStG § 32d (1) and § 43a (1)).
    """
    zero = amount * 0
    allowance = allowance or 0
    taxed = max(before - allowance, zero)
    above = max(before + amount - allowance, zero) - taxed
    exempt = min(above, max(terms.exemption - exempted, zero))
    rest = Fraction(above - exempt)
    own = terms.rate is not None or terms.church_rate
    if terms.rate is not None:
        rate = terms.rate
    rate = Fraction(rate)
    church_rate = (
        rate / (1 + Fraction(terms.surcharge)) * Fraction(terms.church_rate))
    church_tax = half_up(church_rate / (1 + church_rate) * rest, unit)
    if own:
        tax = half_up(rate / (1 + church_rate) * rest, unit) + church_tax
    else:
        tax = half_up(rate * (Fraction(taxed) + rest), unit) - withheld
    return Withheld(min(max(tax, zero), amount), church_tax, exempt)
