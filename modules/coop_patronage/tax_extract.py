# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from io import StringIO

from trytond.modules.coop_membership.books import SLICE
from trytond.pool import Pool
from trytond.report import Report
from trytond.tools import grouped_slice


class TaxExtract(Report):
    "A file with a row for each patron, of which each tax form has its boxes"
    boxes = []
    # Who gets less in all, of which nothing was withheld, need not be filed
    limit = None
    withheld = None

    @classmethod
    def _execute(cls, records, header, data, action):
        return 'csv', cls.get_file(records)

    @classmethod
    def get_file(cls, pools):
        "Return the file with a row for each patron of the pools"
        rows = {}

        def add(party, currency, amounts):
            zero = currency.round(Decimal(0))
            _, boxes = rows.setdefault(
                party.id, (party, dict.fromkeys(cls.boxes, zero)))
            for name, amount in amounts.items():
                boxes[name] += currency.round(amount)
        for pool in pools:
            for allocation in pool.allocations:
                add(allocation.party, pool.currency,
                    cls.get_boxes(allocation))
        for company, year in sorted({
                    (p.company, p.surplus.posting_date.year) for p in pools
                    if p.surplus.posting_date},
                key=lambda k: (k[0].id, k[1])):
            for party, amounts in cls.get_year_boxes(company, year):
                add(party, company.currency, amounts)
        output = StringIO()
        writer = csv.writer(output)
        writer.writerow([
                "Identifier", "Name", *cls.boxes, "Account", "Street",
                "Postal Code", "City", "Subdivision", "Country",
                "Legal Entity", "Below Limit"])
        accounts = cls._get_accounts(pools, rows)
        for party, boxes in rows.values():
            identifier = party.tax_identifier
            writer.writerow([
                    identifier.code if identifier else '',
                    party.name, *boxes.values(),
                    accounts.get(party.id, ''), *cls._get_address(party),
                    'X' if party.legal_entity else '',
                    'X' if cls._is_below_limit(boxes) else ''])
        return output.getvalue()

    @classmethod
    def _get_accounts(cls, pools, parties):
        "Return the numbers of the members by the ids of their parties"
        pool = Pool()
        Member = pool.get('coop.member')
        numbers = {}
        for sub_parties in grouped_slice(list(parties), SLICE):
            for member in Member.search([
                        ('company', 'in', list({p.company.id for p in pools})),
                        ('party', 'in', list(sub_parties)),
                        ]):
                numbers[member.party.id] = member.number or ''
        return numbers

    @classmethod
    def _get_address(cls, party):
        address = party.address_get()
        if not address:
            return [''] * 5
        return [
            ', '.join((address.street or '').splitlines()),
            address.postal_code or '', address.city or '',
            address.subdivision.code if address.subdivision else '',
            address.country.code if address.country else '']

    @classmethod
    def _is_below_limit(cls, boxes):
        return (
            cls.limit is not None
            and not boxes.get(cls.withheld)
            and sum(a for n, a in boxes.items() if n != cls.withheld)
            < cls.limit)

    @classmethod
    def get_boxes(cls, allocation):
        "Return the amounts by box"
        raise NotImplementedError

    @classmethod
    def get_year_boxes(cls, company, year):
        "Yield parties and amounts by box that are of no allocation"
        return []

    @classmethod
    def get_equity(cls, allocation):
        equity = max(allocation.equity, Decimal(0))
        if allocation.member:
            # What does not make a whole share is equity all the same
            equity += allocation.held
        return equity


class TaxExtract1099PATR(TaxExtract):
    __name__ = 'coop.patronage.tax_extract.1099_patr'
    # United States, Instructions for Form 1099-PATR: box 1 has what is paid
    # in money and qualified notices, box 3 the per-unit retains, box 4 the
    # backup withholding and box 5 what is redeemed of nonqualified notices
    boxes = ["1", "3", "4", "5"]
    # 26 USC 6044(a)(1): who is paid 10.00 or more in the year
    limit = Decimal(10)
    withheld = "4"

    @classmethod
    def get_boxes(cls, allocation):
        paid = allocation.cash
        if allocation.is_qualified:
            paid += cls.get_equity(allocation)
        return {"1": paid, "4": allocation.withholding}

    @classmethod
    def get_year_boxes(cls, company, year):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
        RetainLine = pool.get('coop.equity.retain.line')
        days = [dt.date(year, 1, 1), dt.date(year, 12, 31)]
        lines = Line.search([
                ('revolvement.company', '=', company.id),
                ('revolvement.state', '=', 'posted'),
                ['OR',
                    [
                        ('revolvement.payment_date', '>=', days[0]),
                        ('revolvement.payment_date', '<=', days[1]),
                        ], [
                        ('revolvement.payment_date', '=', None),
                        ('revolvement.posting_date', '>=', days[0]),
                        ('revolvement.posting_date', '<=', days[1]),
                        ]],
                ])
        for line in RetainLine.search([
                    ('retain.company', '=', company.id),
                    ('retain.state', '=', 'posted'),
                    ('retain.qualified', '=', True),
                    ('retain.posting_date', '>=', days[0]),
                    ('retain.posting_date', '<=', days[1]),
                    ]):
            yield line.member.party, {"3": line.amount}
        nonqualified = cls._get_nonqualified(lines)
        for line in lines:
            part = nonqualified(line)
            if part:
                yield line.member.party, {
                    "5": (line.payable + (line.set_off or 0)) * part}

    @classmethod
    def _get_nonqualified(cls, lines):
        """Return the function that tells which part of what a line redeems
        was allocated by nonqualified notices

        Equity from before the first appropriation is what its class gets.
        """
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Pool_ = pool.get('coop.patronage.pool')
        allocated = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for sub_members in grouped_slice(
                sorted({l.member.id for l in lines}), SLICE):
            for allocation in Allocation.search([
                        ('member', 'in', list(sub_members)),
                        ('equity', '>', 0),
                        ('pool.surplus.state', '=', 'posted'),
                        ]):
                allocated[
                    allocation.member, allocation.pool.equity_class,
                    allocation.vintage][
                    allocation.is_qualified] += allocation.equity
        by_class = defaultdict(set)
        for pool_ in Pool_.search([
                    ('equity_class', 'in', list({
                                l.share_class.id for l in lines})),
                    ('surplus.state', '=', 'posted'),
                    ]):
            by_class[pool_.equity_class].add(bool(pool_.qualified))

        def get_part(line):
            key = line.member, line.share_class, line.vintage
            if key in allocated:
                nonqualified, qualified = allocated[key]
                return nonqualified / (nonqualified + qualified)
            return Decimal(by_class[line.share_class] == {False})
        return get_part


class TaxExtractT4A(TaxExtract):
    __name__ = 'coop.patronage.tax_extract.t4a'
    # Canada, guide RC4157: box 030 has the patronage allocations, in money
    # or in kind, box 022 the income tax deducted
    boxes = ["030", "022"]

    @classmethod
    def get_boxes(cls, allocation):
        return {
            "030": allocation.cash + cls.get_equity(allocation),
            "022": allocation.withholding,
            }
