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
        writer.writerow(["Identifier", "Name", *cls.boxes])
        for party, boxes in rows.values():
            identifier = party.tax_identifier
            writer.writerow([
                    identifier.code if identifier else '',
                    party.name, *boxes.values()])
        return output.getvalue()

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
    # in money and qualified notices, box 4 the backup withholding and box 5
    # what is redeemed of nonqualified notices
    boxes = ["1", "4", "5"]

    @classmethod
    def get_boxes(cls, allocation):
        paid = allocation.cash
        if allocation.pool.qualified:
            paid += cls.get_equity(allocation)
        return {"1": paid, "4": allocation.withholding}

    @classmethod
    def get_year_boxes(cls, company, year):
        pool = Pool()
        Line = pool.get('coop.equity.revolvement.line')
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
        nonqualified = cls._get_nonqualified(lines)
        for line in lines:
            part = nonqualified(line)
            if part:
                yield line.member.party, {"5": line.payable * part}

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
                pool_ = allocation.pool
                allocated[
                    allocation.member, pool_.equity_class, allocation.vintage][
                    bool(pool_.qualified)] += allocation.equity
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
